"""Public holidays against a calendar that shares no code with the platform (jours-feries-france, of Etalab), zone by zone.

Usage: calendars.py PATH_OF_THE_EXAMPLE_HOLIDAYS
"""

import subprocess
import sys

from jours_feries_france import JoursFeries

FIRST, LAST = 2020, 2026
# The zones as the package spells them, and the platform's codes.
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
assert set(ZONES) == set(JoursFeries.ZONES), "a zone is missing"

printed = subprocess.run([sys.argv[1], str(FIRST), str(LAST)], check=True, capture_output=True, text=True).stdout
ours = sorted(printed.split())
theirs = sorted(
    f"{code},{date}"
    for zone, code in ZONES.items()
    for year in range(FIRST, LAST + 1)
    for date in JoursFeries.for_year(year, zone).values()
)
if ours != theirs:
    sys.exit(f"only ours: {sorted(set(ours) - set(theirs))}, only theirs: {sorted(set(theirs) - set(ours))}")
assert len(theirs) >= 11 * len(ZONES) * (LAST + 1 - FIRST), "the calendar is nearly empty"
print(f"{len(theirs)} public holidays of {len(ZONES)} zones, {FIRST} to {LAST}: the same")
