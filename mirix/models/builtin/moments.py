"""Resolved times in a text, `[2026-11-06]` or `[2026-11-14 12:00–18:00]`, read back as values and written as people
do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mirix.text.dates import Granularity, find_mentions

_MOMENT = re.compile(
    r"\[[~≈]?(?P<y>\d{4})(?:-(?P<m>\d{2}))?(?:-(?P<d>\d{2}))?(?:[T ](?P<t>\d{2}:\d{2})(?::\d{2})?)?"
    r"(?:\s*(?:–|—|-|to|/|至|\.\.)\s*(?:(?P<y2>\d{4})(?:-(?P<m2>\d{2})(?:-(?P<d2>\d{2}))?)?[T "
    r"]?)?(?P<t2>\d{2}:\d{2})?)?[^\]]*\]"
)
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A resolved time. What is not known is None."""

    position: int  # where its bracket starts in the text
    year: int
    month: int | None
    day: int | None
    clock: time | None
    until_day: date | None  # last day, when the meaning is longer than a day
    until_clock: time | None

    def start(self, zone: datetime | None) -> datetime | date:
        """The beginning, as an aware time when a clock time is known (the zone is that of `zone`), else as a day."""
        day = date(self.year, self.month or 1, self.day or 1)
        if self.clock is not None and zone is not None and zone.tzinfo is not None:
            return datetime.combine(day, self.clock, zone.tzinfo)
        return day

    def end(self, zone: datetime | None) -> datetime | date | None:
        """The end, where it says more than the beginning."""
        if self.until_clock is not None and zone is not None and zone.tzinfo is not None:
            day = self.until_day or date(self.year, self.month or 1, self.day or 1)
            return datetime.combine(day, self.until_clock, zone.tzinfo)
        if self.until_day is not None:
            return self.until_day
        if self.day is None:
            return _last_day(self.year, f"{self.month:02d}" if self.month else None, None)
        return None


def find_moments(text: str) -> list[Moment]:
    """All resolved times of a text, in order. What is no date of the calendar is passed over."""
    found = []
    for match in _MOMENT.finditer(text):
        try:
            found.append(_moment(match))
        except ValueError:
            continue
    return found


def find_written_dates(text: str, said_at: datetime | None) -> list[Moment]:
    """Days and times that a text writes out in full, which therefore carry no bracket ("5 June 2027, 9:30")."""
    if said_at is None or said_at.tzinfo is None:
        return []
    found = []
    for mention in find_mentions(text, said_at, "UTC"):
        start, end = mention.range.start, mention.range.end
        if mention.relative or end - start > timedelta(days=1):
            continue
        is_day = mention.range.granularity is Granularity.DAY
        is_stretch = not is_day and mention.range.granularity is not Granularity.INSTANT
        found.append(
            Moment(
                position=mention.start_index,
                year=start.year,
                month=start.month,
                day=start.day,
                clock=None if is_day else start.time(),
                until_day=None,
                until_clock=end.time() if is_stretch and end.date() == start.date() else None,
            )
        )
    return found


def _moment(match: re.Match[str]) -> Moment:
    part = match.groupdict()
    until = None
    if part["y2"]:
        until = _last_day(int(part["y2"]), part["m2"], part["d2"])
    month = int(part["m"]) if part["m"] else None
    day = int(part["d"]) if part["d"] else None
    date(int(part["y"]), month or 1, day or 1)
    return Moment(
        position=match.start(),
        year=int(part["y"]),
        month=month,
        day=day,
        clock=_clock(part["t"]),
        until_day=until,
        until_clock=_clock(part["t2"]),
    )


def _last_day(year: int, month: str | None, day: str | None) -> date:
    if day is not None:
        return date(year, int(month or 1), int(day))
    following = date(year + 1, 1, 1) if month in {None, "12"} else date(year, int(month or 0) + 1, 1)
    return following - timedelta(days=1)


def _clock(text: str | None) -> time | None:
    """24:00 is the last minute of its day."""
    if text is None:
        return None
    return time(23, 59) if text == "24:00" else time.fromisoformat(text)


def write_moment(moment: Moment, *, chinese: bool, with_clock: bool = False) -> str:
    """`8 July 2027`, `2027年7月8日`; ranges with both ends, months and years as such."""
    text = _write_day(moment.year, moment.month, moment.day, chinese)
    if moment.until_day is not None:
        last = moment.until_day
        text += ("至" if chinese else " to ") + _write_day(last.year, last.month, last.day, chinese)
    if with_clock and moment.clock is not None:
        text += f" {moment.clock:%H:%M}"
        if moment.until_clock is not None:
            text += f"–{moment.until_clock:%H:%M}"
    return text


def write_date(day: date, *, chinese: bool) -> str:
    """A day as people write it."""
    return _write_day(day.year, day.month, day.day, chinese)


def _write_day(year: int, month: int | None, day: int | None, chinese: bool) -> str:
    if chinese:
        return f"{year}年" + (f"{month}月" if month else "") + (f"{day}日" if day else "")
    return " ".join(part for part in (str(day) if day else "", _MONTHS[month - 1] if month else "", str(year)) if part)
