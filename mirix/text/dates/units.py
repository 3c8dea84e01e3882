"""Calendar units and their arithmetic on plain dates: where a unit starts, and where the nth one after it starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

from mirix.text.dates.ranges import Granularity


class Grain(IntEnum):
    """Sizes of time, smallest first."""

    MINUTE = 1
    HOUR = 2
    PART = 3  # of a day
    DAY = 4
    WEEKEND = 5
    WEEK = 6
    SLICE = 7  # a part of a month or of a longer unit
    MONTH = 8
    QUARTER = 9  # seasons too
    HALF = 10  # of a year
    YEAR = 11
    DECADE = 12
    CENTURY = 13


GRANULARITY = {
    Grain.DAY: Granularity.DAY,
    Grain.WEEK: Granularity.WEEK,
    Grain.MONTH: Granularity.MONTH,
    Grain.YEAR: Granularity.YEAR,
}

_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.HALF: 6, Grain.YEAR: 12, Grain.DECADE: 120, Grain.CENTURY: 1200}


def month_start(months: int) -> date:
    """The first day of a month counted from year 0."""
    return date(months // 12, months % 12 + 1, 1)


def month_count(day: date) -> int:
    return day.year * 12 + day.month - 1


def unit_start(grain: Grain, day: date) -> date:
    """The first day of the unit that holds a day; of a weekend: the Saturday of that ISO week."""
    if grain is Grain.DAY:
        return day
    if grain in (Grain.WEEK, Grain.WEEKEND):
        monday = day - timedelta(days=day.weekday())
        return monday if grain is Grain.WEEK else monday + timedelta(days=5)
    length = _MONTHS[grain]
    offset = 12 if grain is Grain.CENTURY else 0  # the 21st century began in 2001
    return month_start((month_count(day) - offset) // length * length + offset)


def unit_step(grain: Grain, start: date, count: int) -> date:
    """The first day of the unit `count` units after the one that starts on `start`."""
    if grain is Grain.DAY:
        return start + timedelta(days=count)
    if grain in (Grain.WEEK, Grain.WEEKEND):
        return start + timedelta(weeks=count)
    return month_start(month_count(start) + _MONTHS[grain] * count)


def unit_end(grain: Grain, start: date) -> date:
    """The day after the last day of the unit that starts on `start`."""
    return start + timedelta(days=2) if grain is Grain.WEEKEND else unit_step(grain, start, 1)


def add_months(day: date, months: int) -> date:
    """The same day so many months later, or the last day of that month if it is shorter."""
    target = month_start(month_count(day) + months)
    last = unit_step(Grain.MONTH, target, 1) - timedelta(days=1)
    return target.replace(day=min(day.day, last.day))


@dataclass(frozen=True, kw_only=True)
class Duration:
    """A length of time in calendar units; the smallest unit named decides what "ago" means."""

    months: int = 0
    days: int = 0
    minutes: float = 0
    grain: Grain  # the smallest unit named

    def __add__(self, other: Duration) -> Duration:
        return Duration(
            months=self.months + other.months,
            days=self.days + other.days,
            minutes=self.minutes + other.minutes,
            grain=min(self.grain, other.grain),
        )

    @staticmethod
    def of(count: float, grain: Grain) -> Duration | None:
        """`count` units; None where part of a unit has no plain meaning (a third of a month)."""
        if grain <= Grain.HOUR:
            return Duration(minutes=count * (60 if grain is Grain.HOUR else 1), grain=grain)
        if grain in _MONTHS:
            months = count * _MONTHS[grain]
            if months == int(months):
                return Duration(months=int(months), grain=grain if count == int(count) else Grain.MONTH)
            if months * 2 == int(months * 2):
                return Duration(months=int(months), days=15, grain=Grain.DAY)
            return None
        days = count * (7 if grain is Grain.WEEK else 1)
        if days == int(days):
            return Duration(days=int(days), grain=grain)
        return Duration(minutes=days * 1440, grain=Grain.HOUR)
