"""Assignments against solvers that share no code with the engine, and against the definition of stability.

With room for one introduction a person: exact equality with matching (optimal="hospital") and with algmatch (the hospitals'
side), on 1,000 random instances of up to 60 people and 20 structures and 20 of 1,000 and 50. With room for more: no pair
that would rather have each other on 1,000 instances of up to 5 x 5, and on the small ones of them every structure has what it
likes best of all stable assignments, found by trying them all.

Usage: stable_matching.py PATH_OF_CONUM
"""

import csv
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from algmatch import HospitalResidentsProblem
from matching.games import HospitalResident

CONUM = sys.argv[1]
FOLDER = pathlib.Path(tempfile.mkdtemp())


def assigned(structures, people):
    """The pairs of the engine, by structure. Each side: {id: (capacity, order)}."""
    side = lambda side: {str(id): {"capacity": n, "order": [str(o) for o in order]} for id, (n, order) in side.items()}
    (FOLDER / "p.json").write_text(json.dumps({"structures": side(structures), "candidates": side(people)}))
    command = [CONUM, "match", "--preferences", FOLDER / "p.json", "--out", FOLDER / "o.csv", "--json"]
    figures = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    pairs = {id: set() for id in structures}
    with open(FOLDER / "o.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        pairs[int(row["structure"])].add(int(row["candidate"]))
    assert figures["pairs"] == len(rows) == sum(map(len, pairs.values())), "no pair twice"
    return pairs


def drawn(random, n_people, n_structures, places, room, share):
    """An instance in which each side names the other where the pair is possible."""
    possible = {(s, p) for s in range(n_structures) for p in range(n_people) if random.random() < share}
    def order(of):
        random.shuffle(of)
        return of
    structures = {
        s: (random.randint(1, places), order([p for p in range(n_people) if (s, p) in possible]))
        for s in range(n_structures)
    }
    people = {
        p: (random.randint(1, room), order([s for s in range(n_structures) if (s, p) in possible]))
        for p in range(n_people)
    }
    return structures, people


def theirs(structures, people):
    """What both solvers answer: people who are possible for nobody are left out, as they cannot take them."""
    named = {p: order for p, (_, order) in people.items() if order}
    asked = {s: (places, order) for s, (places, order) in structures.items() if order}
    game = HospitalResident.create_from_dictionaries(
        {f"r{p}": [f"h{s}" for s in order] for p, order in named.items()},
        {f"h{s}": [f"r{p}" for p in order] for s, (_, order) in asked.items()},
        {f"h{s}": places for s, (places, _) in asked.items()},
    )
    solved = game.solve(optimal="hospital")
    one = {int(str(h)[1:]): {int(str(r)[1:]) for r in residents} for h, residents in solved.items()}
    problem = HospitalResidentsProblem(
        dictionary={
            "residents": {p + 1: [s + 1 for s in order] for p, order in named.items()},
            "hospitals": {
                s + 1: {"capacity": places, "preferences": [p + 1 for p in order]}
                for s, (places, order) in asked.items()
            },
        },
        optimised_side="hospitals",
    )
    solved = problem.get_stable_matching()["hospital_sided"]
    other = {int(h[1:]) - 1: {int(r[1:]) - 1 for r in residents if r} for h, residents in solved.items()}
    return one, other


def blocking(structures, people, pairs):
    """A pair that would rather have each other than somebody they have, if there is one."""
    of = {p: {s for s in structures if p in pairs[s]} for p in people}
    for s, (places, order) in structures.items():
        for rank, p in enumerate(order):
            if p in pairs[s]:
                continue
            room, wishes = people[p]
            wanted = len(pairs[s]) < places or any(order.index(other) > rank for other in pairs[s])
            mine = wishes.index(s)
            wants = len(of[p]) < room or any(wishes.index(other) > mine for other in of[p])
            if wanted and wants:
                return s, p
    return None


def stable_ones(structures, people):
    """All stable assignments, by trying every set of possible pairs."""
    possible = [(s, p) for s, (_, order) in structures.items() for p in order]
    for chosen in itertools.product([False, True], repeat=len(possible)):
        pairs = {s: set() for s in structures}
        for (s, p), taken in zip(possible, chosen):
            if taken:
                pairs[s].add(p)
        fits = all(len(pairs[s]) <= structures[s][0] for s in structures) and all(
            sum(p in pairs[s] for s in structures) <= people[p][0] for p in people
        )
        if fits and blocking(structures, people, pairs) is None:
            yield pairs


def main():
    instances = [(seed, 60, 20) for seed in range(1000)] + [(10_000 + seed, 1000, 50) for seed in range(20)]
    for seed, most_people, most_structures in instances:
        chance = random.Random(seed)
        n_people = chance.randint(1, most_people) if seed < 1000 else most_people
        n_structures = chance.randint(1, most_structures) if seed < 1000 else most_structures
        places = 5 if seed < 1000 else 30
        structures, people = drawn(chance, n_people, n_structures, places, 1, chance.choice([0.2, 0.5, 1.0]))
        ours = assigned(structures, people)
        for name, answer in zip(("matching", "algmatch"), theirs(structures, people)):
            expected = {s: answer.get(s, set()) for s in structures}
            assert ours == expected, f"instance {seed}: {name} answers {expected}, the engine {ours}"
    tried = 0
    for seed in range(1000):
        chance = random.Random(20_000 + seed)
        size = chance.randint(1, 5), chance.randint(1, 5)
        structures, people = drawn(chance, *size, 3, 3, chance.choice([0.5, 0.8, 1.0]))
        ours = assigned(structures, people)
        assert blocking(structures, people, ours) is None, f"instance {seed}: {blocking(structures, people, ours)}"
        if sum(len(order) for _, order in structures.values()) <= 9:
            tried += 1
            for other in stable_ones(structures, people):
                for s, (_, order) in structures.items():
                    # By responsive orders: the k-th best that a structure has is as good as in any other.
                    best = sorted(order.index(p) for p in ours[s])
                    theirs_ = sorted(order.index(p) for p in other[s])
                    assert len(best) == len(theirs_) and all(a <= b for a, b in zip(best, theirs_)), f"instance {seed}"
    print(f"stable matching: {len(instances)} instances as two solvers answer, 1000 stable, {tried} the structures' best")


main()
