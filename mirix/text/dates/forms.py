"""Forms: meanings of time expressions that do not know yet when they were said.

A form yields its occurrences in order ("Friday" has many, "last week" has one) and says which of them is meant when
it stands alone. `relations` builds larger forms from smaller ones; `resolve` reads one from a point of view.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum

from mirix.text.dates.holidays import HolidayDay
from mirix.text.dates.place import MONTH_FIRST
from mirix.text.dates.ranges import Granularity, TimeRange
from mirix.text.dates.reference import Reference, Tense
from mirix.text.dates.units import (
    GRANULARITY,
    Duration,
    Grain,
    add_months,
    unit_end,
    unit_start,
    unit_step,
)

Spans = Callable[[Reference, date, date], Iterable[TimeRange]]  # occurrences that start within [first, after)


class Policy(Enum):
    """Which occurrence is meant when nothing else tells."""

    STRICT = "the nearest wholly ahead, or wholly behind in the past tense"
    NEAREST = "the nearest, on the side of the tense if there is one"
    YEAR = "the one of this year"
    MONTH = "the one of this month, or on the side of the tense"
    DAY = "the one of today, or on the side of the tense"


class DayPart(StrEnum):
    EARLY = "early hours"
    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"


# Hours of a part of the day, and the wider hours that a clock time may have in it ("two o'clock last night").
_PART_HOURS = {DayPart.EARLY: (0, 6), DayPart.MORNING: (6, 12), DayPart.AFTERNOON: (12, 18), DayPart.EVENING: (18, 24)}
CLOCK_HOURS = {
    DayPart.EARLY: (0, 8),
    DayPart.MORNING: (0, 12),
    DayPart.NOON: (11, 23),
    DayPart.AFTERNOON: (12, 24),
    DayPart.EVENING: (16, 28),
}


@dataclass(frozen=True, kw_only=True)
class Form:
    grain: Grain  # size of an occurrence
    spans: Spans
    period: Grain | None = None  # how often it recurs; None: it happens once
    policy: Policy = Policy.NEAREST
    is_absolute: bool = False  # means the same whenever it was said
    part: DayPart | None = None  # an occurrence is this part of a day
    is_twofold: bool = False  # a clock time that may be before or after noon
    is_weekday: bool = False
    weeks_away: bool = False  # a day counted in weeks: "two weeks ago, on Friday" asks for its week
    shift: int | None = None  # how many calendar units away from the current one
    is_match: bool = False  # two expressions that may not agree ("Friday 14 November"), so each may stand alone
    is_run: bool = False  # reaches from one thing to another
    is_approximate_day: bool = False  # a count of days that a gloss may turn into hours


def once(grain: Grain, span: Callable[[Reference], TimeRange | None], **details: bool | DayPart | None) -> Form:
    """A form that happens once."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        found = span(ref)
        if found and first <= found.start.date() < after:
            yield found

    return Form(grain=grain, spans=spans, **details)  # type: ignore[arg-type]  # names are checked at run time


# --- things that happen once ------------------------------------------------------------------------------------


def unit_span(ref: Reference, grain: Grain, day: date, shift: int = 0) -> TimeRange:
    start = unit_step(grain, unit_start(grain, day), shift)
    return ref.days(start, unit_end(grain, start), GRANULARITY.get(grain, Granularity.RANGE))


def shifted_unit(grain: Grain, shift: int) -> Form:
    """This (0), the last (-1), the next (1) calendar unit."""
    return replace(once(grain, lambda ref: unit_span(ref, grain, ref.today, shift)), shift=shift)


def years(first: int, count: int = 1) -> Form:
    """A year, a decade or a century by its number."""
    grain = Grain.YEAR if count == 1 else Grain.DECADE if count == 10 else Grain.CENTURY
    granularity = Granularity.YEAR if count == 1 else Granularity.RANGE
    return once(
        grain, lambda ref: ref.days(date(first, 1, 1), date(first + count, 1, 1), granularity), is_absolute=True
    )


def calendar_day(day: date) -> Form:
    return once(Grain.DAY, lambda ref: ref.day(day), is_absolute=True)


def day_in_either_order(first: int, second: int, year: int | None) -> Form | None:
    """A numeric date, 5/6 or 5/6/2026, whose order of day and month the place decides where both are possible."""

    def day_in(year: int, country: str) -> date | None:
        month, day = (first, second) if country in MONTH_FIRST else (second, first)
        month, day = (month, day) if month <= 12 else (day, month)
        return date(year, month, day) if day <= monthrange(year, month)[1] else None

    def span(ref: Reference) -> TimeRange | None:
        day = day_in(year, ref.place.country) if year else None
        return ref.day(day) if day else None

    if not (1 <= min(first, second) <= 12 and 1 <= max(first, second) <= 31):
        return None
    if year is None:
        return replace(holiday(day_in), policy=Policy.NEAREST)
    return once(Grain.DAY, span, is_absolute=True)


def now() -> Form:
    return once(Grain.MINUTE, lambda ref: ref.instant(ref.anchor))


def same_time(day: Form) -> Form:
    """The clock time of the anchor on another day."""

    def span(ref: Reference) -> TimeRange | None:
        found = resolve(day, ref)
        return found and ref.instant(ref.at(found.start.date(), ref.anchor.hour * 60 + ref.anchor.minute))

    return once(Grain.MINUTE, span)


def counted(duration: Duration, sign: int) -> Form:
    """The last three days: whole units before the current one. The past hour: real minutes up to the anchor."""
    grain = duration.grain

    def span(ref: Reference) -> TimeRange:
        if grain <= Grain.HOUR:
            other = ref.elapsed(ref.anchor, sign * (duration.minutes + duration.days * 1440))
            granularity = Granularity.HOUR if duration.minutes == 60 else Granularity.RANGE
            return TimeRange(start=min(ref.anchor, other), end=max(ref.anchor, other), granularity=granularity)
        unit, count = _whole_units(duration)
        current = unit_start(unit, ref.today)
        first = unit_step(unit, current, -count if sign < 0 else 1)
        granularity = GRANULARITY.get(unit, Granularity.RANGE) if count == 1 else Granularity.RANGE
        return ref.days(first, unit_step(unit, first, count), granularity)

    return once(max(grain, Grain.SLICE), span)


def _whole_units(duration: Duration) -> tuple[Grain, int]:
    if duration.months and not duration.days:
        by_year = duration.grain >= Grain.YEAR and duration.months % 12 == 0
        return (Grain.YEAR, duration.months // 12) if by_year else (Grain.MONTH, duration.months)
    if duration.grain is Grain.WEEK and duration.days > 7:
        return Grain.WEEK, duration.days // 7
    # One week, like a mixture of units, is counted in days: "the past week" is not "last week".
    return Grain.DAY, duration.days + 30 * duration.months


def offset(duration: Duration, sign: int, base: Form | None = None) -> Form:
    """So long ago or from now (`base` None), or before or after something.

    From now, the smallest unit named decides: hours are an instant, weeks a day, months the calendar month. From
    something else the count keeps the size of that thing, so three months after a day is a day.
    """

    def span(ref: Reference) -> TimeRange | None:
        origin = resolve(base, ref) if base else None
        if base and origin is None:
            return None
        return _move(ref, duration, sign, origin, base.grain if base else None)

    grain = min(duration.grain, Grain.YEAR) if duration.grain >= Grain.MONTH else Grain.DAY
    if base and grain > Grain.DAY:
        grain = max(base.grain, Grain.DAY)
    return once(
        Grain.MINUTE if duration.minutes else grain,
        span,
        is_absolute=base.is_absolute if base else False,
        weeks_away=duration.grain is Grain.WEEK,
        is_approximate_day=base is None and duration.grain is Grain.DAY,
    )


def _move(
    ref: Reference, duration: Duration, sign: int, origin: TimeRange | None, grain: Grain | None
) -> TimeRange | None:
    start = origin.start if origin else ref.anchor
    if duration.minutes:
        if origin and sign > 0 and grain is not Grain.MINUTE:
            start = origin.end
        day = add_months(start.date(), sign * duration.months) + timedelta(days=sign * duration.days)
        moved = ref.at(day, start.hour * 60 + start.minute) if day != start.date() else start
        return ref.instant(ref.elapsed(moved, sign * duration.minutes))
    if origin is None and duration.grain >= Grain.MONTH:
        unit = min(duration.grain, Grain.YEAR)  # a decade ago is the year ten years ago
        return unit_span(ref, unit, add_months(ref.today.replace(day=1), sign * duration.months))
    if origin and grain in GRANULARITY and grain != Grain.DAY and grain <= duration.grain:
        moved_day = add_months(start.date(), sign * duration.months) + timedelta(days=sign * duration.days)
        return unit_span(ref, grain, moved_day)
    if origin and grain is Grain.MINUTE:
        day = add_months(start.date(), sign * duration.months) + timedelta(days=sign * duration.days)
        return ref.instant(ref.at(day, start.hour * 60 + start.minute))
    edge = start.date()
    if origin and sign > 0:
        edge = (origin.end - timedelta(microseconds=1)).date()
    return ref.day(add_months(edge, sign * duration.months) + timedelta(days=sign * duration.days))


# --- things that recur ------------------------------------------------------------------------------------------


def units(grain: Grain) -> Form:
    """Every day, every week, every month."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        start = unit_start(grain, first)
        while start < after:
            if start >= first:
                yield unit_span(ref, grain, start)
            start = unit_step(grain, start, 1)

    return Form(grain=grain, spans=spans, period=grain)


def weekday(index: int) -> Form:
    """Every Monday (0) to Sunday (6)."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        day = first + timedelta(days=(index - first.weekday()) % 7)
        while day < after:
            yield ref.day(day)
            day += timedelta(days=7)

    return Form(grain=Grain.DAY, spans=spans, period=Grain.WEEK, policy=Policy.STRICT, is_weekday=True)


def weekend() -> Form:
    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for day in weekday(5).spans(ref, first, after):
            yield unit_span(ref, Grain.WEEKEND, day.start.date())

    return Form(grain=Grain.WEEKEND, spans=spans, period=Grain.WEEK)


def working_day() -> Form:
    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        return (day for day in units(Grain.DAY).spans(ref, first, after) if day.start.weekday() < 5)

    return Form(grain=Grain.DAY, spans=spans, period=Grain.DAY)


def months_of_year(first_month: int, count: int, grain: Grain, policy: Policy = Policy.NEAREST) -> Form:
    """A month, a quarter or a half of each year; `first_month` from 1."""
    granularity = Granularity.MONTH if count == 1 else Granularity.RANGE

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for year in range(first.year, after.year + 1):
            start = date(year, first_month, 1)
            if first <= start < after:
                yield ref.days(start, unit_step(Grain.MONTH, start, count), granularity)

    return Form(grain=grain, spans=spans, period=Grain.YEAR, policy=policy)


def season(index: int) -> Form:
    """Spring (0), summer, autumn, winter (3) of the hemisphere; a winter belongs to the year in which it starts."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        month = (index * 3 + 2 + (6 if ref.place.is_southern else 0)) % 12 + 1
        whole = months_of_year(month, 3, Grain.QUARTER)
        for span in whole.spans(ref, first, after):
            yield TimeRange(start=span.start, end=span.end, granularity=Granularity.SEASON)

    return Form(grain=Grain.QUARTER, spans=spans, period=Grain.YEAR)


def day_of_month(number: int) -> Form:
    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        start = unit_start(Grain.MONTH, first)
        while start < after:
            end = unit_end(Grain.MONTH, start)
            day = start + timedelta(days=number - 1)
            if first <= day < min(after, end):
                yield ref.day(day)
            start = end

    return Form(grain=Grain.DAY, spans=spans, period=Grain.MONTH, policy=Policy.MONTH)


def holiday(day_in_year: HolidayDay) -> Form:
    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for year in range(first.year, after.year + 1):
            day = day_in_year(year, ref.place.country)
            if day and first <= day < after:
                yield ref.day(day)

    return Form(grain=Grain.DAY, spans=spans, period=Grain.YEAR, policy=Policy.YEAR)


def day_part(part: DayPart) -> Form:
    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for day in _dates(first, after):
            if part is DayPart.NOON:
                yield ref.instant(ref.at(day, 12 * 60))
                continue
            start, end = _PART_HOURS[part]
            yield TimeRange(start=ref.at(day, start * 60), end=ref.at(day, end * 60), granularity=Granularity.RANGE)

    return Form(grain=Grain.PART, spans=spans, period=Grain.DAY, policy=Policy.DAY, part=part)


def clock(hour: int, minute: int = 0, *, is_twofold: bool | None = None, whole_hour: bool = False) -> Form | None:
    """A clock time of each day; `is_twofold` if it may be before or after noon (taken from the hour if None)."""
    if not (0 <= hour <= 24 and 0 <= minute < 60):
        return None
    twofold = 1 <= hour <= 12 if is_twofold is None else is_twofold
    readings = (hour % 12, hour % 12 + 12) if twofold else (hour,)

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for day in _dates(first, after):
            for reading in readings:
                start = ref.at(day, reading * 60 + minute)
                if whole_hour:
                    yield TimeRange(start=start, end=ref.elapsed(start, 60), granularity=Granularity.HOUR)
                else:
                    yield ref.instant(start)

    grain = Grain.HOUR if whole_hour else Grain.MINUTE
    policy = Policy.NEAREST if hour in (0, 24) else Policy.DAY
    return Form(grain=grain, spans=spans, period=Grain.DAY, policy=policy, is_twofold=twofold)


def _dates(first: date, after: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((after - first).days))


# --- reading ----------------------------------------------------------------------------------------------------

_WINDOW_DAYS = {Grain.DAY: (2,), Grain.WEEK: (15,), Grain.MONTH: (70,), Grain.YEAR: (800, 3300)}


def occurrences_around(form: Form, ref: Reference, reach: int = 1) -> list[TimeRange]:
    """Occurrences near today, in order; a wider look only where a near one finds none (29 February).

    `reach`: how many times as far to look, for "five Fridays ago".
    """
    if form.period is None:
        return list(form.spans(ref, date.min, date.max))
    found: list[TimeRange] = []
    for days in _WINDOW_DAYS.get(form.period, (3300,)):
        width = timedelta(days=days * reach)
        found = list(form.spans(ref, ref.today - width, ref.today + width))
        if found:
            break
    return found


def resolve(form: Form, ref: Reference) -> TimeRange | None:
    """The occurrence that is meant, read from a point of view."""
    found = occurrences_around(form, ref)
    if form.period is None or not found:
        return found[0] if found else None
    return _choose(form, found, ref)


def by_day(span: TimeRange) -> bool:
    """Whether a reading of a clock time is the usual one: from seven in the morning to seven in the evening."""
    return 7 <= span.start.hour < 19


def _choose(form: Form, found: list[TimeRange], ref: Reference) -> TimeRange | None:
    tense, anchor = ref.tense, ref.anchor
    if form.policy is Policy.STRICT:
        if tense is Tense.PAST:
            return _last(span for span in found if span.end.date() <= ref.today and span.start.date() < ref.today)
        return _first(span for span in found if span.start.date() > ref.today)
    if form.policy is Policy.YEAR:
        chosen = _first(span for span in found if span.start.year == ref.today.year)
        # A run of days from one holiday into the next year has no year of its own.
        is_over = (
            chosen
            and form.grain is Grain.DAY
            and chosen.granularity is Granularity.RANGE
            and chosen.end.year > ref.today.year
        )
        return _nearest(found, ref) if is_over else chosen or _nearest(found, ref)
    if tense is Tense.PAST:
        return _last(span for span in found if span.start <= anchor)
    if tense is Tense.FUTURE:
        return _first(span for span in found if span.end > anchor)
    if form.policy is Policy.NEAREST:
        return _nearest(found, ref)
    today = unit_span(ref, Grain.DAY if form.policy is Policy.DAY else Grain.MONTH, ref.today)
    current = [span for span in found if today.start <= span.start < today.end]
    usual = [span for span in current if by_day(span)] if form.is_twofold else current
    return (usual or current or [_nearest(found, ref)])[0]


def _nearest(found: list[TimeRange], ref: Reference) -> TimeRange:
    def distance(span: TimeRange) -> timedelta:
        return max(span.start - ref.anchor, ref.anchor - span.end, timedelta())

    return min(found, key=distance)


def _first(spans: Iterable[TimeRange]) -> TimeRange | None:
    return next(iter(spans), None)


def _last(spans: Iterable[TimeRange]) -> TimeRange | None:
    found = list(spans)
    return found[-1] if found else None
