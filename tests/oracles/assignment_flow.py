"""How many introductions, and how far, against the best that any assignment could do (OR-tools' flows).

On instances short of people, the number is at least 0.98 of the maximum flow; with people enough, the total distance is at most
1.2 of the minimum-cost flow's. Structures and people are drawn by the population of communes, from a fixed seed.

Usage: assignment_flow.py PATH_OF_CONUM [FOLDER...]     (folders with structures.csv and candidates.csv instead)
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from ortools.graph.python import max_flow, min_cost_flow

RADIUS_KM = 6371.0088
EACH, MOST = 3, 3
COMMUNES = pathlib.Path(__file__).parents[2] / "shared/geo/data/communes.txt"


def drawn(folder, n_people, n_structures=1438, seed=20211123):
    """Writes an instance."""
    rows = [line.split(";") for line in COMMUNES.read_text("utf8").splitlines() if not line.startswith("#")]
    rows = [row for row in rows if row[4] and row[0] < "96"]
    people = np.array([float(row[2] or 0) for row in rows])
    lat, lon = (np.array([float(row[i]) / 1e6 for row in rows]) for i in (4, 5))
    chance = np.random.default_rng(seed)
    pick = chance.choice(len(rows), n_people, p=people / people.sum())
    # Structures are many where people are, and not as many as people: towns and villages apply too.
    sites = chance.choice(len(rows), n_structures, replace=False, p=np.sqrt(people) / np.sqrt(people).sum())
    reach = chance.choice([5, 10, 15, 20, 40, 100, 2000], n_people, p=[0.05, 0.15, 0.15, 0.25, 0.25, 0.10, 0.05])
    folder.mkdir(parents=True)
    with open(folder / "candidates.csv", "w", newline="") as file:
        file.write("id,lat,lon,max_km\n")
        near = chance.normal(0, 0.01, (2, n_people))
        file.writelines(f"{i},{lat[c] + near[0][i]:.6f},{lon[c] + near[1][i]:.6f},{reach[i]}\n" for i, c in enumerate(pick))
    with open(folder / "structures.csv", "w", newline="") as file:
        file.write("id,lat,lon,posts\n")
        file.writelines(f"{i},{lat[c]:.6f},{lon[c]:.6f},1\n" for i, c in enumerate(sites))


def read(file):
    with open(file, newline="") as opened:
        return list(csv.DictReader(opened))


def unit(rows):
    lat, lon = (np.radians([float(row[key]) for row in rows]) for key in ("lat", "lon"))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)


def flows(structures, candidates):
    """The greatest number of introductions, the least total distance for so many, and the possible pairs."""
    people, sites = unit(candidates), unit(structures)
    reach = np.array([float(row["max_km"]) for row in candidates])
    tails, heads, costs = [], [], []
    for number, site in enumerate(sites):
        km = 2 * RADIUS_KM * np.arcsin(np.clip(np.linalg.norm(people - site, axis=1) / 2, 0, 1))
        near = np.nonzero(km <= reach)[0]
        tails.append(np.full(len(near), number))
        heads.append(near + len(sites))
        costs.append(km[near])
    tails, heads, costs = map(np.concatenate, (tails, heads, costs))
    source, sink, used = len(sites) + len(people), len(sites) + len(people) + 1, np.unique(heads)
    tail = np.concatenate([np.full(len(sites), source), tails, used])
    head = np.concatenate([np.arange(len(sites)), heads, np.full(len(used), sink)])
    room = np.concatenate([np.full(len(sites), EACH), np.ones(len(tails), int), np.full(len(used), MOST)])
    flow = max_flow.SimpleMaxFlow()
    flow.add_arcs_with_capacity(tail, head, room)
    flow.solve(source, sink)
    most = flow.optimal_flow()
    cheapest = min_cost_flow.SimpleMinCostFlow()
    metres = np.concatenate([np.zeros(len(sites), int), (costs * 1000).astype(int), np.zeros(len(used), int)])
    cheapest.add_arcs_with_capacity_and_unit_cost(tail, head, room, metres)
    cheapest.set_nodes_supplies(np.array([source, sink]), np.array([most, -most]))
    assert cheapest.solve() == cheapest.OPTIMAL
    return most, cheapest.optimal_cost() / 1000, len(tails)


def check(name, folder):
    structures, candidates = read(folder / "structures.csv"), read(folder / "candidates.csv")
    out = folder / "pairs.csv"
    command = [sys.argv[1], "match", "--structures", folder / "structures.csv", "--candidates", folder / "candidates.csv",
               "--per-structure", str(EACH), "--per-candidate", str(MOST), "--weights", "distance", "--out", out, "--json"]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    pairs = read(out)
    total = sum(float(pair["km"]) for pair in pairs)
    # The pairs themselves, without trusting what is said of them.
    place = {"s": {row["id"]: row for row in structures}, "c": {row["id"]: row for row in candidates}}
    of = {}
    for pair in pairs:
        of.setdefault(("s", pair["structure"]), set()).add(pair["candidate"])
        of.setdefault(("c", pair["candidate"]), set()).add(pair["structure"])
        s, c = place["s"][pair["structure"]], place["c"][pair["candidate"]]
        km = 2 * RADIUS_KM * np.arcsin(min(1, np.linalg.norm(unit([s]) - unit([c])) / 2))
        assert abs(km - float(pair["km"])) < 1e-3 and km <= float(c["max_km"]) + 1e-6, (pair, km)
    assert sum(len(with_) for (side, _), with_ in of.items() if side == "s") == len(pairs), "a pair comes twice"
    assert all(len(with_) <= (EACH if side == "s" else MOST) for (side, _), with_ in of.items())
    most, least, possible = flows(structures, candidates)
    assert abs(possible - figures["possible_pairs"]) <= 4, (possible, figures)
    print(f"{name}: {len(pairs)} introductions of {most} at most ({len(pairs) / most:.3f}), "
          f"{total / len(pairs):.2f} km on average, the least {least / most:.2f} ({total / least:.3f})")
    # Of the means, so that fewer pairs are no excuse.
    return len(pairs) / most, (total / len(pairs)) / (least / most), len(candidates) < 10 * len(structures)


def main():
    folders = [(folder, pathlib.Path(folder)) for folder in sys.argv[2:]]
    if not folders:
        base = pathlib.Path(tempfile.mkdtemp())
        for people in (1500, 2500, 40_000):
            drawn(base / str(people), people)
            folders.append((f"{people} people", base / str(people)))
    for name, folder in folders:
        number, distance, few = check(name, folder)
        assert number >= 0.98, f"{name}: too few introductions"
        assert few or distance <= 1.2, f"{name}: too far"


main()
