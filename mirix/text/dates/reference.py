"""The point of view from which an expression is read: when and where it was said, and in which tense."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from mirix.text.dates.place import Place
from mirix.text.dates.ranges import Granularity, TimeRange


class Tense(StrEnum):
    PAST = "past"
    FUTURE = "future"


@dataclass(frozen=True, kw_only=True)
class Reference:
    anchor: datetime  # when it was said, in `zone`
    zone: ZoneInfo
    place: Place
    tense: Tense | None = None  # of the sentence; None: it has none
    leaves_ends_out: bool = False  # "between the 3rd and the 7th, both left out"

    @property
    def today(self) -> date:
        return self.anchor.date()

    def at(self, day: date, minutes: int = 0) -> datetime:
        """The local time so many minutes (by the clock, may pass 24 hours) after midnight of a day."""
        wall = datetime.combine(day, time(), tzinfo=self.zone) + timedelta(minutes=minutes)
        # By way of UTC, so that a time that a clock change skips becomes the one that follows.
        return wall.astimezone(UTC).astimezone(self.zone)

    def elapsed(self, moment: datetime, minutes: float) -> datetime:
        """The local time so many real minutes after a moment, whatever the clock does in between."""
        return (moment.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(self.zone)

    def days(self, first: date, after: date, granularity: Granularity = Granularity.RANGE) -> TimeRange:
        """Whole days, from the first to the one after the last."""
        return TimeRange(start=self.at(first), end=self.at(after), granularity=granularity)

    def day(self, day: date) -> TimeRange:
        return self.days(day, day + timedelta(days=1), Granularity.DAY)

    def instant(self, moment: datetime) -> TimeRange:
        start = moment.replace(second=0, microsecond=0)
        return TimeRange(start=start, end=self.elapsed(start, 1), granularity=Granularity.INSTANT)
