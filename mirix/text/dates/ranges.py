"""What a time expression means: a half-open range of local time, and how that range is written behind the words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum


class Granularity(StrEnum):
    INSTANT = "instant"  # a clock time: one minute long
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    RANGE = "range"  # anything else: a weekend, part of a day, part of a month, a quarter, a decade


@dataclass(frozen=True, kw_only=True)
class TimeRange:
    """The half-open interval from `start` to `end`; both aware, with the offset that holds there at that moment."""

    start: datetime
    end: datetime  # later than start
    granularity: Granularity

    @property
    def is_forward(self) -> bool:
        # Two times of one zone compare by the wall clock, which runs backwards once a year: compare in UTC.
        return self.start.astimezone(UTC) < self.end.astimezone(UTC)


@dataclass(frozen=True, kw_only=True)
class TimeMention:
    """A time expression within a text: `text[start_index:end_index]`."""

    start_index: int  # in characters
    end_index: int  # in characters, exclusive
    text: str
    range: TimeRange
    relative: bool  # its meaning depends on when it was said ("last Friday", "3月5日" without a year)


def _is_midnight(moment: datetime) -> bool:
    return moment.time() == time()


def _minute(moment: datetime) -> str:
    # isoformat pads the year to four digits, strftime does not everywhere.
    return f"{moment.date().isoformat()} {moment:%H:%M}"


def _format_clock_range(start: datetime, end: datetime) -> str:
    if start.date() != _last_day(end):
        return f"{_minute(start)}–{_minute(end)}"
    return f"{_minute(start)}–" + ("24:00" if _is_midnight(end) else f"{end:%H:%M}")


def _last_day(end: datetime) -> date:
    return (end - timedelta(microseconds=1)).date()


def format_range(range: TimeRange) -> str:
    """Write a range the way it stands behind an expression, without brackets.

    `2026-11-06` (a day), `2026-11-02–2026-11-08` (whole days, both included), `2026-11-14 12:00–18:00` (hours of a
    day), `2026-11-14 15:30` (an instant), `2026-03` (a month), `2025` (a year), `1990–1999` (years).
    """
    start, end = range.start, range.end
    first, last = start.date(), _last_day(end)
    if range.granularity is Granularity.INSTANT:
        return _minute(start)
    if range.granularity is Granularity.MONTH:
        return first.isoformat()[:7]
    if range.granularity is Granularity.YEAR:
        return first.isoformat()[:4]
    if not (_is_midnight(start) and _is_midnight(end)) and range.granularity is not Granularity.DAY:
        return _format_clock_range(start, end)
    if (first.month, first.day, last.month, last.day) == (1, 1, 12, 31) and last.year > first.year:
        return f"{first.isoformat()[:4]}–{last.isoformat()[:4]}"
    return first.isoformat() if last == first else f"{first.isoformat()}–{last.isoformat()}"
