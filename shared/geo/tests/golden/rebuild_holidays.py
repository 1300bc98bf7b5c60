#!/usr/bin/env python3
"""Rebuild holidays.txt from the PyPI package `jours-feries-france` 0.7.0 (Etalab, MIT licence).

    pip install jours-feries-france==0.7.0
    python3 rebuild_holidays.py > holidays.txt
"""

from jours_feries_france import JoursFeries

# Names of zones in the package (spelling included), and the codes of our `Zone`.
ZONES = {
    "Métropole": "metropole",
    "Alsace-Moselle": "alsace-moselle",
    "Guadeloupe": "guadeloupe",
    "Guyane": "guyane",
    "Martinique": "martinique",
    "Mayotte": "mayotte",
    "Nouvelle-Calédonie": "nouvelle-caledonie",
    "La Réunion": "la-reunion",
    "Polynésie Française": "polynesie-francaise",
    "Saint-Barthélémy": "saint-barthelemy",
    "Saint-Martin": "saint-martin",
    "Wallis-et-Futuna": "wallis-et-futuna",
    "Saint-Pierre-et-Miquelon": "saint-pierre-et-miquelon",
}
assert list(ZONES) == JoursFeries.ZONES

print("# Made by rebuild_holidays.py from PyPI jours-feries-france 0.7.0, do not edit.")
print("# zone;year;month-day name;month-day name;...")
for zone, code in ZONES.items():
    for year in range(2015, 2031):
        days = (f"{date:%m-%d} {name}" for name, date in JoursFeries.for_year(year, zone).items())
        print(";".join([code, str(year), *days]))
