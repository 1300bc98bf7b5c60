"""The assignment of a nation on one core, beside numpy's scan of all pairs and OR-tools' minimum-cost flow on the same pairs, in one
run; then ten times everything.

Usage: taskset -c 0 python assignment.py CONUM STRUCTURES.csv CANDIDATES.csv
(columns: id, lat, lon, posts and id, lat, lon, max_km; needs numpy and ortools)
"""

import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from ortools.graph.python import min_cost_flow

RADIUS_KM, EACH, MOST = 6371.0088, 3, 3
conum, structures_file, candidates_file = sys.argv[1:4]
folder = pathlib.Path(tempfile.mkdtemp())


def read(file):
    with open(file, newline="") as opened:
        return list(csv.DictReader(opened))


def unit(rows):
    lat, lon = (np.radians([float(row[key]) for row in rows]) for key in ("lat", "lon"))
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)


def ours(structures, candidates):
    """The best of five runs, in seconds and bytes."""
    runs = []
    for _ in range(5):
        command = [conum, "match", "--structures", structures, "--candidates", candidates, "--weights", "distance",
                   "--out", folder / "pairs.csv", "--json"]
        runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return min(runs, key=lambda run: run["seconds_total"])


def ten_times(file, name):
    """Every line ten times, a kilometre or so beside itself."""
    chance = np.random.default_rng(7)
    rows = read(file)
    with open(folder / name, "w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(rows[0])
        for copy in range(10):
            beside = chance.normal(0, 0.01, (len(rows), 2))
            for row, (north, east) in zip(rows, beside):
                _, lat, lon, last = row.values()
                writer.writerow([f"{row['id']}-{copy}", f"{float(lat) + north:.6f}", f"{float(lon) + east:.6f}", last])
    return folder / name


structures, candidates = read(structures_file), read(candidates_file)
began = time.perf_counter()
people, sites = unit(candidates), unit(structures)
reach = np.array([float(row["max_km"]) for row in candidates])
near = []
for site in sites:
    km = 2 * RADIUS_KM * np.arcsin(np.clip(np.linalg.norm(people - site, axis=1) / 2, 0, 1))
    possible = np.nonzero(km <= reach)[0]
    near.append((possible, km[possible]))
scan = time.perf_counter() - began

tails = np.concatenate([np.full(len(possible), number) for number, (possible, _) in enumerate(near)])
heads = np.concatenate([possible for possible, _ in near]) + len(sites)
metres = (np.concatenate([km for _, km in near]) * 1000).astype(int)
source, sink, used = len(sites) + len(people), len(sites) + len(people) + 1, np.unique(heads)
best = ours(structures_file, candidates_file)
flow = min_cost_flow.SimpleMinCostFlow()
began = time.perf_counter()
flow.add_arcs_with_capacity_and_unit_cost(
    np.concatenate([np.full(len(sites), source), tails, used]),
    np.concatenate([np.arange(len(sites)), heads, np.full(len(used), sink)]),
    np.concatenate([np.full(len(sites), EACH), np.ones(len(tails), int), np.full(len(used), MOST)]),
    np.concatenate([np.zeros(len(sites), int), metres, np.zeros(len(used), int)]),
)
flow.set_nodes_supplies(np.array([source, sink]), np.array([best["pairs"], -best["pairs"]]))
assert flow.solve() == flow.OPTIMAL
cheapest = time.perf_counter() - began
ten = ours(ten_times(structures_file, "structures.csv"), ten_times(candidates_file, "candidates.csv"))

total = best["seconds_total"]
print(f"{len(sites)} structures, {len(people)} candidates, {best['possible_pairs']} possible pairs")
print(f"engine {total:.4f} s: index {best['seconds_index']:.4f}, preferences {best['seconds_preferences']:.4f}, "
      f"assignment and reasons {best['seconds_assignment']:.4f}; {best['peak_bytes'] / 2**20:.0f} MiB")
print(f"numpy's scan {scan:.2f} s: ratio {total / scan:.3f} (aim 0.35)")
print(f"OR-tools' minimum-cost flow {cheapest:.2f} s: ratio {total / cheapest:.3f} (aim 0.2)")
print(f"ten times everything {ten['seconds_total']:.3f} s: {ten['seconds_total'] / total:.1f} times (aim 13), "
      f"{ten['peak_bytes'] / 2**20:.0f} MiB (aim 1024)")
