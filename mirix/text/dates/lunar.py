"""The Chinese calendar: days of lunar months, and the solar terms.

Lunar months come from a table of month lengths, 1990 to 2060. Each month start in it was checked against the new
moons computed after Meeus, "Astronomical Algorithms", chapter 49, and the leap months against ICU. The closest call
is 29 September 2057, where the new moon falls within a minute of midnight in Beijing.
Solar terms are days on which the sun's apparent longitude, after Meeus chapter 25, passes a multiple of 15 degrees.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from math import radians, sin

_FIRST_YEAR, _FIRST_DAY = 1990, date(1990, 1, 27)

# One hexadecimal number a year. Last digit: the leap month (0: none). The 12 bits above: months 1 to 12, 1 for 30
# days and 0 for 29. Bit 16: the leap month has 30 days.
_MONTH_LENGTHS = """
04af5 04970 064b0 074a3 0ea50 06b58 05ac0 0ab60 096d5 092e0 0c960 0d954 0d4a0 0da50 07552 056a0 0abb7 025d0 092d0 0cab5
0a950 0b4a0 0baa4 0ad50 055d9 04ba0 0a5b0 15176 052b0 0a930 07954 06aa0 0ad50 05b52 04b60 0a6e6 0a4e0 0d260 0ea65 0d530
05aa0 076a3 096d0 04afb 04ad0 0a4d0 1d0b6 0d250 0d520 0dd45 0b5a0 056d0 055b2 049b0 0a577 0a4b0 0aa50 1b255 06d20 0ada0
14b63 09370 049f8 04970 064b0 168a6 0ea50 06b20 1a6c4 0aae0 092e0
"""


@cache
def _month_starts() -> dict[tuple[int, int], date]:
    """First day of each ordinary lunar month, by lunar year and month; (year + 1, 1) ends the last month of a year."""
    starts: dict[tuple[int, int], date] = {}
    day = _FIRST_DAY
    for year, word in enumerate(_MONTH_LENGTHS.split(), _FIRST_YEAR):
        lengths = int(word, 16)
        leap_month = lengths & 15
        for month in range(1, 13):
            starts[year, month] = day
            day += timedelta(days=30 if lengths >> (16 - month) & 1 else 29)
            if month == leap_month:
                day += timedelta(days=30 if lengths >> 16 else 29)
        starts[year + 1, 1] = day
    return starts


def lunar_day(lunar_year: int, month: int, day: int) -> date | None:
    """The date of a day of an ordinary (not a leap) lunar month, or None outside the table."""
    start = _month_starts().get((lunar_year, month))
    return start + timedelta(days=day - 1) if start else None


def _sun_longitude(moment: datetime) -> float:
    """Apparent longitude of the sun in degrees, good to about 0.01 (a quarter of an hour); `moment` in UTC, naive."""
    centuries = (moment - datetime(2000, 1, 1, 12)) / timedelta(days=36525)
    anomaly = radians(357.52911 + 35999.05029 * centuries)
    centre = (
        (1.914602 - 0.004817 * centuries) * sin(anomaly) + 0.019993 * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    )
    node = radians(125.04 - 1934.136 * centuries)
    return (280.46646 + 36000.76983 * centuries + centre - 0.00569 - 0.00478 * sin(node)) % 360


def solar_term(year: int, longitude: int) -> date:
    """The day, by the clock of Beijing, on which the sun reaches `longitude` (degrees, 0 at the March equinox)."""
    # The sun stands near 280 degrees on 1 January and moves about one degree a day.
    moment = datetime(year, 1, 1) + timedelta(days=((longitude - 280) % 360) * 365.2422 / 360)
    for _ in range(5):
        missing = (longitude - _sun_longitude(moment) + 180) % 360 - 180
        moment += timedelta(days=missing * 365.2422 / 360)
    return (moment + timedelta(hours=8)).date()
