"""Relations: forms made from other forms ("Friday of next week", "the last three days of May", "from nine to five")."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from enum import Enum

from mirix.text.dates.forms import (
    CLOCK_HOURS,
    DayPart,
    Form,
    Policy,
    by_day,
    occurrences_around,
    offset,
    once,
    resolve,
    shifted_unit,
    unit_span,
)
from mirix.text.dates.ranges import Granularity, TimeRange
from mirix.text.dates.reference import Reference, Tense
from mirix.text.dates.units import Duration, Grain, unit_step

_DAY = timedelta(days=1)


class Slice(Enum):
    """Parts of a longer unit; what each means is written in `_slice_bounds`."""

    EARLY = "early"
    MID = "mid"
    LATE = "late"
    START = "start"
    END = "end"
    FIRST_HALF = "first half"
    SECOND_HALF = "second half"


# --- one thing within another -----------------------------------------------------------------------------------


def _inner_spans(inner: Form, outer: Form, span: TimeRange, ref: Reference) -> Iterator[TimeRange]:
    """Occurrences of `inner` that belong to one occurrence of `outer`."""
    first = span.start.date()
    if outer.part and inner.grain <= Grain.HOUR:
        low, high = CLOCK_HOURS[outer.part]
        for found in inner.spans(ref, first, first + 2 * _DAY):
            hour = (found.start.date() - first).days * 24 + found.start.hour
            if low <= hour < high:
                yield found
        return
    for found in inner.spans(ref, first, (span.end - timedelta(microseconds=1)).date() + _DAY):
        if span.start <= found.start < span.end:
            yield found


def _first_usual(inner: Form, found: list[TimeRange]) -> TimeRange | None:
    usual = [span for span in found if by_day(span)] if inner.is_twofold else found
    return next(iter(usual or found), None)


# How long an occurrence can be: one that starts so long before a window may still hold something inside it.
_LENGTH_DAYS = {Grain.WEEK: 7, Grain.SLICE: 400, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.HALF: 184, Grain.YEAR: 366}


def _outer_spans(outer: Form, ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
    """Occurrences of `outer` that may hold something that starts within [first, after)."""
    length = timedelta(days=_LENGTH_DAYS.get(outer.grain, 2 if outer.grain < Grain.WEEK else 36_525))
    yield from outer.spans(ref, first - length if first - date.min > length else date.min, after)


def within(inner: Form, outer: Form) -> Form:
    """The first occurrence of `inner` in each occurrence of `outer`."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in _outer_spans(outer, ref, first, after):
            found = list(_inner_spans(inner, outer, span, ref))
            chosen = found[0] if found and outer.part else _first_usual(inner, found)
            if chosen and first <= chosen.start.date() < after:
                yield chosen

    return _inside(inner, outer, spans=spans)


def _inside(inner: Form, outer: Form, **changes: object) -> Form:
    form = Form(
        grain=inner.grain,
        spans=inner.spans,
        period=outer.period,
        policy=outer.policy,
        is_absolute=outer.is_absolute,
        part=inner.part,
    )
    return replace(form, **changes)  # type: ignore[arg-type]  # names are checked at run time


def on_day(inner: Form, day: date, earliest: datetime | None, *, is_absolute: bool) -> Form:
    """A clock time or part of a day that was spoken of before; `earliest` settles the half of the day."""

    def span(ref: Reference) -> TimeRange | None:
        found = list(inner.spans(ref, day, day + _DAY))
        later = [each for each in found if earliest and each.start >= earliest]
        return later[0] if later else _first_usual(inner, found)

    return once(inner.grain, span, is_absolute=is_absolute, part=inner.part, is_run=inner.is_run)


def both(day: Form, weekday: Form) -> Form:
    """The days that are both: Friday the 13th."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in day.spans(ref, first, after):
            start = span.start.date()
            if any(weekday.spans(ref, start, start + _DAY)):
                yield span

    return _inside(day, day, spans=spans, is_match=True)


def intersect(one: Form, other: Form) -> Form | None:
    """What two expressions side by side mean together, or None if they do not belong together."""
    if one.is_run and other.is_run:
        return None
    small, big = (one, other) if one.grain <= other.grain else (other, one)
    if small.grain == big.grain == Grain.DAY and small.is_weekday != big.is_weekday:
        return both(small, big) if big.is_weekday else both(big, small)
    if small.period is None:
        return None
    if small.grain < big.grain and small.period == big.grain:
        return replace(within(small, big), is_match=small.period is not Grain.MONTH)
    is_clock_in_part = small.grain <= Grain.HOUR and big.grain is Grain.PART and small.period is Grain.DAY
    if is_clock_in_part or (small.period is Grain.WEEK and big.grain is Grain.WEEKEND):
        return replace(within(small, big), is_match=True)
    if small.period is Grain.WEEK and big.weeks_away:
        return within(small, holding(Grain.WEEK, big))
    if small.part is DayPart.EARLY and big.part is DayPart.MORNING:
        return within(small, holding(Grain.DAY, big))
    return None


def holding(grain: Grain, inner: Form) -> Form:
    """The unit that holds something: the week of 8 June."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in inner.spans(ref, first, after):
            yield unit_span(ref, grain, span.start.date())

    return _inside(inner, inner, grain=grain, spans=spans, part=None)


# --- parts of longer units --------------------------------------------------------------------------------------


def _month_bounds(part: Slice, length: int) -> tuple[int, int]:
    """First and last day (from 1) of a part of a month."""
    return {
        Slice.EARLY: (1, 10),
        Slice.MID: (11, 20),
        Slice.LATE: (21, length),
        Slice.START: (1, 5),
        Slice.END: (length - 4, length),
        Slice.FIRST_HALF: (1, 15),
        Slice.SECOND_HALF: (16, length),
    }[part]


# Where months and days are too fine: shares of the whole, in twelfths.
_TWELFTHS = {
    Slice.EARLY: (0, 4),
    Slice.MID: (4, 8),
    Slice.LATE: (8, 12),
    Slice.START: (0, 1),
    Slice.END: (11, 12),
    Slice.FIRST_HALF: (0, 6),
    Slice.SECOND_HALF: (6, 12),
}
_WEEK_DAYS = {
    Slice.EARLY: (1, 2),
    Slice.START: (1, 2),
    Slice.MID: (3, 4),
    Slice.LATE: (5, 7),
    Slice.END: (5, 7),
    Slice.FIRST_HALF: (1, 3),
    Slice.SECOND_HALF: (4, 7),
}


def _slice_span(part: Slice, span: TimeRange, ref: Reference) -> TimeRange | None:
    start, end = span.start.date(), (span.end - timedelta(microseconds=1)).date() + _DAY
    length = (end - start).days
    if span.granularity is Granularity.MONTH or span.granularity is Granularity.WEEK:
        first, last = _month_bounds(part, length) if length > 7 else _WEEK_DAYS[part]
        return ref.days(start + timedelta(days=first - 1), start + timedelta(days=last))
    months = (end.year - start.year) * 12 + end.month - start.month
    if start.day != 1 or end.day != 1 or not months:
        return None
    low, high = _TWELFTHS[part]
    step = 12 if months % 120 == 0 else 1  # parts of a decade are whole years, of anything shorter whole months
    first_month, after_month = (round(months / step * share / 12) * step for share in (low, high))
    if after_month == first_month:
        first_month, after_month = (0, step) if part is Slice.START else (months - step, months)
    first_day = unit_step(Grain.MONTH, start, first_month)
    one_month = after_month - first_month == 1
    granularity = Granularity.MONTH if one_month else Granularity.RANGE
    return ref.days(first_day, unit_step(Grain.MONTH, start, after_month), granularity)


def slice_of(part: Slice, whole: Form) -> Form | None:
    """Early March, the end of next week, the first half of the year. Parts of a day are left as they are."""
    if whole.grain in (Grain.PART, Grain.DAY):
        return whole if part in (Slice.EARLY, Slice.LATE) and whole.grain is Grain.PART else None
    if whole.grain < Grain.WEEK:
        return None

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in _outer_spans(whole, ref, first, after):
            found = _slice_span(part, span, ref)
            if found and first <= found.start.date() < after:
                yield found

    return _inside(whole, whole, grain=Grain.SLICE, spans=spans)


def _belongs(inner: TimeRange, outer: TimeRange, grain: Grain) -> bool:
    # A week belongs to the month or year that holds its Thursday, as ISO counts the weeks of a year.
    key = inner.start.date() + timedelta(days=3) if grain is Grain.WEEK else inner.start.date()
    return outer.start.date() <= key <= (outer.end - timedelta(microseconds=1)).date()


def nth(inner: Form, outer: Form, number: int, count: int = 1) -> Form | None:
    """The nth (from 1; from -1 at the end) `inner` in each `outer`, or `count` of them in a row."""
    if inner.grain >= outer.grain or (outer.grain <= Grain.DAY and inner.grain != Grain.HOUR) or number == 0:
        return None

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in _outer_spans(outer, ref, first, after):
            low, high = span.start.date() - 7 * _DAY, span.end.date() + 7 * _DAY
            found = [each for each in inner.spans(ref, low, high) if _belongs(each, span, inner.grain)]
            start = number - 1 if number > 0 else len(found) + number
            if count > 1 and number < 0:
                start = len(found) - count
            run = found[start : start + count] if start >= 0 else []
            if len(run) == count and first <= run[0].start.date() < after:
                granularity = run[0].granularity if count == 1 else Granularity.RANGE
                yield TimeRange(start=run[0].start, end=run[-1].end, granularity=granularity)

    return _inside(inner, outer, spans=spans, grain=inner.grain if count == 1 else Grain.SLICE)


# --- next to something ------------------------------------------------------------------------------------------


def adjacent(inner: Form, base: Form, number: int) -> Form:
    """The nth `inner` wholly after `base` (or before it, if negative): the Monday after Easter."""

    def span(ref: Reference) -> TimeRange | None:
        origin = resolve(base, ref)
        if origin is None:
            return None
        day, width = origin.start.date(), timedelta(days=400 * abs(number))
        near = inner.spans(ref, day - width, day + width)
        if number > 0:
            after = [each for each in near if each.start >= origin.end]
            return after[number - 1] if len(after) >= number else None
        before = [each for each in near if each.end <= origin.start]
        return before[number] if len(before) >= -number else None

    return once(inner.grain, span, is_absolute=base.is_absolute, part=inner.part)


def day_next_to(base: Form, number: int) -> Form:
    return offset(Duration(days=abs(number), grain=Grain.DAY), 1 if number > 0 else -1, base)


def relative(cycle: Form, shift: int, *, by_week: bool = False) -> Form:
    """The last (-1), this (0) or next (1) of something that recurs; two before and after for -2 and 2.

    `by_week`: a weekday counts in ISO weeks backwards too (上周五), not from the most recent one (last Friday).
    """
    if cycle.period is Grain.WEEK and (shift >= 0 or by_week or not cycle.is_weekday):
        return within(cycle, shifted_unit(Grain.WEEK, shift))
    if cycle.period is Grain.DAY:
        return within(cycle, shifted_unit(Grain.DAY, shift))

    def span(ref: Reference) -> TimeRange | None:
        found = occurrences_around(cycle, ref, max(1, abs(shift)))
        today = ref.at(ref.today)
        if shift < 0:
            over = [each for each in found if each.end <= (today if cycle.is_weekday else ref.anchor)]
            return over[shift] if len(over) >= -shift else None
        if shift > 0:
            ahead = [each for each in found if each.start > ref.anchor]
            return ahead[shift - 1] if len(ahead) >= shift else None
        current = [each for each in found if each.start <= ref.anchor < each.end]
        of_year = [each for each in found if each.start.year == ref.today.year]
        return next(iter(current or of_year), None)

    return once(cycle.grain, span, part=cycle.part)


def several(cycle: Form, count: int, sign: int, *, last_only: bool = False) -> Form | None:
    """The last three weekends; or with `last_only` the last of them: two Sundays from now."""
    if not 0 < count < 100:
        return None

    def span(ref: Reference) -> TimeRange | None:
        day = unit_span(ref, Grain.DAY, ref.today)
        found = occurrences_around(cycle, ref, count)
        near = [each for each in found if each.end <= day.start or each.start >= day.end]
        side = [each for each in near if (each.start > ref.anchor) == (sign > 0)]
        run = side[:count] if sign > 0 else side[-count:]
        if len(run) < count:
            return None
        return run[-1] if last_only else TimeRange(start=run[0].start, end=run[-1].end, granularity=Granularity.RANGE)

    return once(cycle.grain if last_only else Grain.SLICE, span, part=cycle.part if last_only else None)


def coming(cycle: Form, tense: Tense) -> Form:
    """This coming Friday, this past Friday: the nearest on that side, whatever the sentence says."""

    def span(ref: Reference) -> TimeRange | None:
        return resolve(replace(cycle, policy=Policy.STRICT), replace(ref, tense=tense))

    return once(cycle.grain, span, part=cycle.part)


# --- from here to there -----------------------------------------------------------------------------------------


def between(start: Form, end: Form) -> Form | None:
    """From one thing to another. Days and longer units are both included, clock times end the range.

    The one that recurs less often leads: from nine to five on Friday, from the 3rd to the 7th of May.
    """
    if (start.grain <= Grain.HOUR) != (end.grain <= Grain.HOUR) or start.is_run or end.is_run:
        return None
    end_leads = start.period is not None and (end.period is None or end.period > start.period)
    leading = end if end_leads else start

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for known in leading.spans(ref, first, after):
            other = _last_before(start, known, ref) if end_leads else _first_after(end, known, ref)
            joined = _join(other, known, ref) if end_leads else _join(known, other, ref)
            if joined:
                yield joined

    grain = Grain.HOUR if start.grain <= Grain.HOUR else max(Grain.SLICE, start.grain)
    return _inside(
        start,
        leading,
        spans=spans,
        # A range of days of a week or a month still goes with that week or month.
        grain=grain if leading.period is None else start.grain,
        part=None,
        is_twofold=start.is_twofold and not end_leads,
        is_absolute=start.is_absolute or end.is_absolute,
        is_run=True,
    )


def _first_after(form: Form, opening: TimeRange, ref: Reference) -> TimeRange | None:
    if form.period is None:
        return next(iter(form.spans(ref, date.min, date.max)), None)
    day = opening.start.date()
    return next((each for each in form.spans(ref, day, day + 800 * _DAY) if each.start > opening.start), None)


def _last_before(form: Form, closing: TimeRange, ref: Reference) -> TimeRange | None:
    day = closing.start.date()
    reach = timedelta(days=3 if form.period is Grain.DAY else 800)
    earlier = [each for each in form.spans(ref, day - reach, day + _DAY) if each.start < closing.start]
    return earlier[-1] if earlier else None


def _join(opening: TimeRange | None, closing: TimeRange | None, ref: Reference) -> TimeRange | None:
    if opening is None or closing is None:
        return None
    clock = opening.granularity in (Granularity.INSTANT, Granularity.HOUR)
    start, end = opening.start, closing.start if clock else closing.end
    if ref.leaves_ends_out and not clock:
        start, end = opening.end, closing.start
    hour = clock and ref.elapsed(start, 60) == end
    joined = TimeRange(start=start, end=end, granularity=Granularity.HOUR if hour else Granularity.RANGE)
    return joined if joined.is_forward else None


def days_around(base: Form, count: int, sign: int) -> Form:
    """The two days before Christmas: a run of whole days that ends or starts next to something."""

    def span(ref: Reference) -> TimeRange | None:
        origin = resolve(base, ref)
        if origin is None:
            return None
        if sign < 0:
            edge = origin.start.date()
            return ref.days(edge - timedelta(days=count), edge)
        edge = (origin.end - timedelta(microseconds=1)).date() + _DAY
        return ref.days(edge, edge + timedelta(days=count))

    return once(Grain.SLICE, span, is_absolute=base.is_absolute)


def weekend_of(day: Form) -> Form:
    """The weekend that goes with a day: for a Monday or Tuesday the one before."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in day.spans(ref, first, after):
            yield unit_span(ref, Grain.WEEKEND, span.start.date() - timedelta(days=2))

    return _inside(day, day, grain=Grain.WEEKEND, spans=spans, part=None)


def lasting(first_day: Form, count: int) -> Form:
    """So many days in a row from a day that recurs: the week of a public holiday."""

    def spans(ref: Reference, first: date, after: date) -> Iterator[TimeRange]:
        for span in first_day.spans(ref, first, after):
            start = span.start.date()
            yield ref.days(start, start + timedelta(days=count))

    return _inside(first_day, first_day, spans=spans, grain=Grain.SLICE)
