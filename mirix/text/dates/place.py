"""What the name of a time zone tells about the place: its country and its hemisphere.

Both come from the time zone database itself (`zone.tab`: country code and coordinates of each zone, `tzdata.zi`:
older names), so nothing has to be listed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

MONTH_FIRST = frozenset({"US"})  # countries where 05/06/2026 is the sixth of May


@dataclass(frozen=True, kw_only=True)
class Place:
    country: str  # ISO 3166 code of two letters; "" where the zone belongs to no country
    is_southern: bool  # south of the equator


@cache
def _places() -> dict[str, Place]:
    database = files("tzdata.zoneinfo")
    places = {}
    for line in database.joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, coordinates, zone = line.split("\t")[:3]
            places[zone] = Place(country=country, is_southern=coordinates.startswith("-"))
    for line in database.joinpath("tzdata.zi").read_text(encoding="utf-8").splitlines():
        if line.startswith("L "):
            _, target, older_name = line.split()
            if target in places:
                places.setdefault(older_name, places[target])
    return places


def place_of(timezone: str) -> Place:
    """The place of an IANA zone name; one that belongs to no country (UTC) counts as northern."""
    return _places().get(timezone, Place(country="", is_southern=False))
