"""English time expressions: the rules that join the words."""

from __future__ import annotations

from mirix.text.dates.chart import Grammar
from mirix.text.dates.english_words import Unit
from mirix.text.dates.forms import (
    DayPart,
    Form,
    Policy,
    clock,
    counted,
    day_of_month,
    day_part,
    months_of_year,
    offset,
    same_time,
    shifted_unit,
    units,
    weekday,
    working_day,
    years,
)
from mirix.text.dates.reference import Tense
from mirix.text.dates.relations import (
    Slice,
    adjacent,
    between,
    coming,
    day_next_to,
    days_around,
    holding,
    lasting,
    nth,
    relative,
    several,
    slice_of,
    weekend_of,
    within,
)
from mirix.text.dates.units import Duration, Grain

_TO = "to|until|till|through|-"


def add_english_rules(grammar: Grammar) -> None:
    _add_durations(grammar)
    _add_clock(grammar)
    _add_dates(grammar)
    _add_relative(grammar)
    _add_offsets(grammar)
    _add_neighbours(grammar)
    _add_parts(grammar)
    _add_ranges(grammar)
    _add_leads(grammar)


# --- numbers and durations --------------------------------------------------------------------------------------


def _duration(count: float, unit: Unit) -> Duration | None:
    return Duration.of(count * unit[0], unit[1]) if 0 <= count < 100_000 else None


def _sum(one: Duration, other: Duration) -> Duration | None:
    return one + other if other.grain < one.grain else None


def _add_durations(grammar: Grammar) -> None:
    add = grammar.add
    add("<num>", "<tens> <ones>", lambda tens, ones: tens + ones)
    add("<spoken>", "<tens> <ones>", lambda tens, ones: tens + ones)
    add("<ord>", "<tens> <ord>", lambda tens, ordinal: tens + ordinal if ordinal < 10 else None)
    add("<dur>", "<num> <u>", _duration)
    add("<dur>", "a|an|another <unit>", lambda unit: _duration(1, unit))
    add("<dur>", "a couple of? <u>", lambda unit: _duration(2, unit))
    add("<dur>", "a dozen <u>", lambda unit: _duration(12, unit))
    add("<dur>", ["half a|an? <u>", "a half <unit>"], lambda unit: _duration(0.5, unit))
    add("<dur>", "<num> and a half <u>", lambda count, unit: _duration(count + 0.5, unit))
    add("<dur>", "a|an|one <unit> and a half", lambda unit: _duration(1.5, unit))
    add("<dur>", "a? quarter of an <unit>", lambda unit: _duration(0.25, unit))
    add("<dur>", "three quarters of an <unit>", lambda unit: _duration(0.75, unit))
    add("<dur>", "<dur> and? <dur>", _sum)


# --- clock times ------------------------------------------------------------------------------------------------


def _at(hour: float, minute: float = 0) -> Form | None:
    return clock(int(hour), int(minute)) if hour == int(hour) and 0 <= hour <= 24 and 0 <= minute < 60 else None


def _past(minutes: float, hour: float) -> Form | None:
    return _at(hour, minutes) if minutes > 0 else None


def _to(minutes: float, hour: float) -> Form | None:
    if not 0 < minutes < 60 or hour != int(hour) or not 1 <= hour <= 24:
        return None
    return _at((hour - 2) % 12 + 1 if hour <= 12 else hour - 1, 60 - minutes)


def _meridiem(hour: float, minute: float, is_afternoon: bool) -> Form | None:
    if hour != int(hour) or not 1 <= hour <= 12:
        return None
    return clock(int(hour) % 12 + (12 if is_afternoon else 0), int(minute), is_twofold=False)


def _hour_in(hour: float, part: Form) -> Form | None:
    """Nine tonight, three in the morning."""
    form = _at(hour)
    return within(form, part) if form and part.grain is Grain.PART else None


def _add_clock(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", "<num> o'clock", _at)
    add("<time>", "half past <num>", lambda hour: _past(30, hour))
    add("<hr>", "half <spoken>", lambda hour: _past(30, hour) if hour <= 12 else None)
    add("<time>", "a? quarter past|after <num>", lambda hour: _past(15, hour))
    add("<time>", "a? quarter to|before <num>", lambda hour: _to(15, hour))
    add("<hr>", "<spoken> past <spoken>", lambda minutes, hour: _past(minutes, hour) if minutes % 5 == 0 else None)
    add("<hr>", "<spoken> to <spoken>", lambda minutes, hour: _to(minutes, hour) if minutes % 5 == 0 else None)
    add("<time>", "<num> minutes|minute|mins past|after <num>", _past, rank=1)
    add("<time>", "<num> minutes|minute|mins to|before <num>", _to, rank=1)
    midnights = ["<num> minutes|minute|mins? to|before midnight", "<num> minutes|minute|mins? past|after midnight"]
    add("<time>", midnights[0], lambda minutes: _at(23, 60 - minutes), rank=1)
    add("<time>", midnights[1], lambda minutes: _at(0, minutes), rank=1)
    add("<time>", "half past midnight", lambda: clock(0, 30))
    add("<time>", "a? quarter to midnight", lambda: clock(23, 45))
    add("<time>", "a? quarter past midnight", lambda: clock(0, 15))
    add("<time>", "half past noon|midday", lambda: clock(12, 30, is_twofold=False))
    for word, is_afternoon in (("am", False), ("pm", True)):
        add("<time>", f"<num> {word}", lambda hour, pm=is_afternoon: _meridiem(hour, 0, pm))
        add("<time>", f"<num> <num> {word}", lambda hour, minute, pm=is_afternoon: _meridiem(hour, minute, pm))
        add("<time>", f"<hhmm> {word}", lambda time, pm=is_afternoon: _meridiem(time[0], time[1], pm))
    add("<time>", "<hhmm>", lambda time: clock(time[0], time[1], is_twofold=time[2] and 1 <= time[0] <= 12))
    add("<at>", "at|by|until|till|around|about|before|after|from|since <num>", _at, lead=True)
    add("<at>", "at|by|until|till|around|about|before|after|from|since <spoken> <spoken>", _at, lead=True)
    add("<time>", "at|by|until|till|around|about|since|before|after|from|past <hr>", lambda hour: hour, lead=True)
    add("<time>", ["<num> <part|time>", "<num> in|on the? <part|time>"], _hour_in)


# --- days, months, years ----------------------------------------------------------------------------------------


def _year(number: float) -> Form | None:
    return years(int(number)) if 1000 <= number <= 2999 and number == int(number) else None


def _day_number(number: float) -> Form | None:
    return day_of_month(int(number)) if number == int(number) and 1 <= number <= 31 else None


def _day_in(number: float, month: Form) -> Form | None:
    day = _day_number(number)
    return within(day, month) if day else None


def _quarter(number: int) -> Form | None:
    return months_of_year(3 * number - 2, 3, Grain.QUARTER, Policy.YEAR) if 1 <= number <= 4 else None


def _century(number: int) -> Form | None:
    return years(number * 100 - 99, 100) if 10 <= number <= 29 else None


def _add_dates(grammar: Grammar) -> None:
    add = grammar.add
    add("<yr>", "<num>", _year)
    add("<time>", ["<num> of? <month>", "the? <ord> of? <month>", "the? <ord> day of <month>"], _day_in)
    add("<time>", ["<month> the? <ord>", "<month> <num>"], lambda month, number: _day_in(number, month))
    add("<dom>", "the? <ord>", _day_number)
    add("<cycle>", "<ord> quarter", _quarter)
    add("<time>", "the? <ord> quarter", _quarter)
    add("<time>", "the? <decade>", lambda decade: decade, lead=True)
    add("<time>", "the? <ord> century", _century)
    for kind in ("<weekday>", "<cycle>"):
        add(kind, "bank|public holiday <weekday>", lambda day: day)
    add("<loose>", "on|by|until|till|from|since|before|after <dom>", lambda day: day, lead=True)
    add("<time>", "on|by|until|till|from|since|before|after <wd>", lambda day: day, lead=True)
    add("<time>", "in|since|until|till|by|during|before|after|from|circa <mon|yr>", lambda span: span, lead=True)


# --- last, this, next -------------------------------------------------------------------------------------------


def _relative(shift: int, cycle: Form) -> Form:
    return coming(cycle, Tense.FUTURE) if shift == 2 else relative(cycle, shift)


def _next_day(part: tuple[Form, ...]) -> Form:
    day = shifted_unit(Grain.DAY, 1)
    return within(part[0], day) if part else day


def _relative_unit(shift: int, unit: Unit) -> Form | None:
    """Last week, next year: whole units, but the last hour and the last fortnight end here."""
    if unit[1] <= Grain.HOUR or unit[0] != 1:
        duration = Duration.of(*unit)
        return counted(duration, shift) if duration and shift else None
    return shifted_unit(unit[1], min(shift, 1))


def _past_unit(unit: Unit) -> Form | None:
    """The past hour, day or week end here or today, though "last week" is a whole one."""
    duration = Duration.of(*unit)
    return counted(duration, -1) if duration else None


def _add_relative(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", "the? <rel> <cycle>", _relative)
    add("<time>", "the? <rel> <part|weekend>", lambda shift, cycle: relative(cycle, min(shift, 1)))
    # In a story these count from what was told before, so they are no mention by themselves.
    add("<hint>", "the? <following> <cycle|part|weekend>", lambda shift, cycle: relative(cycle, shift))
    add("<hint>", "the? <following> <unit>", _relative_unit)
    add("<hint>", ["the next day", "the next <part>"], lambda *part: _next_day(part), rank=1)
    add(
        "<time>",
        "the? <rel> <unit>",
        lambda shift, unit: None if unit == (1, Grain.DAY) else _relative_unit(shift, unit),
    )
    add("<time>", ["the past <unit>", "this past <unit>", "past <unit>"], _past_unit, rank=1)
    add("<time>", "this <cycle|part|weekend>", lambda cycle: relative(cycle, 0))
    add("<time>", ["this current? <unit>", "the current <unit>"], lambda unit: _relative_unit(0, unit))
    add("<time>", ["this past <cycle>"], lambda cycle: coming(cycle, Tense.PAST))
    add("<time>", ["this coming <cycle>"], lambda cycle: coming(cycle, Tense.FUTURE))
    add("<time>", "this past <weekend>", lambda cycle: relative(cycle, -1))
    add("<time>", "this coming <weekend>", lambda cycle: coming(cycle, Tense.FUTURE))
    add("<time>", "this coming <unit>", lambda unit: _relative_unit(1, unit))
    gone = ["the? <cycle> just? gone", "the? <cycle> just? past", "<cycle> last"]
    add("<time>", gone, lambda cycle: relative(cycle, -1))
    gone = ["whole|entire|full? <weekend> just? gone", "whole|entire|full? <weekend> just past"]
    add("<time>", gone, lambda cycle: coming(cycle, Tense.PAST))
    add("<time>", "the? <cycle|weekend|part> before last", lambda cycle: relative(cycle, -2))
    add("<time>", "the? <cycle|weekend> after next", lambda cycle: relative(cycle, 2))
    add("<time>", "the? <unit> before last", lambda unit: _shift(unit, -2))
    add("<time>", "the? <unit> after next", lambda unit: _shift(unit, 2))
    add("<time>", "the? <rel> <dur>", lambda shift, duration: counted(duration, min(shift, 1)), rank=1)
    add("<time>", "these <rel> <dur>", lambda shift, duration: counted(duration, min(shift, 1)))
    add("<time>", "within <dur>", lambda duration: counted(duration, 1))
    add("<time>", ["this time <time>", "the? same time <time>", "at this time <time>"], same_time, rank=1)
    this_day = ["this day last|next <unit>", "the? same day last|next <unit>"]
    for word, sign in (("last", -1), ("next", 1)):
        shifted = [pattern.replace("last|next", word) for pattern in this_day]
        add("<time>", shifted, lambda unit, sign=sign: _from_today(unit, sign), rank=1)
        shifted = [pattern.replace("day", "time") for pattern in shifted]
        add("<time>", shifted, lambda unit, sign=sign: _time_from_today(unit, sign), rank=2)
    add("<time>", "the? <rel> <num> <cycles>", lambda shift, count, cycle: several(cycle, int(count), min(shift, 1)))
    add("<time>", "<num> <cycles> from now", lambda count, cycle: several(cycle, int(count), 1, last_only=True))
    add("<time>", "the? <num> <cycles> ago", lambda count, cycle: relative(cycle, -int(count)) if count else None)


def _shift(unit: Unit, count: int) -> Form | None:
    return shifted_unit(unit[1], count) if unit[0] == 1 and unit[1] >= Grain.DAY else None


def _from_today(unit: Unit, sign: int) -> Form | None:
    duration = Duration.of(*unit)
    return offset(duration, sign, shifted_unit(Grain.DAY, 0)) if duration and unit[1] >= Grain.DAY else None


def _time_from_today(unit: Unit, sign: int) -> Form | None:
    day = _from_today(unit, sign)
    return same_time(day) if day else None


# --- ago, from now, before, after -------------------------------------------------------------------------------


def _weeks_from(duration: Duration, day: Form) -> Form | None:
    """A week today, a fortnight on Thursday."""
    if not duration.days or duration.minutes or duration.months or duration.days % 7:
        return None
    return offset(duration, 1, coming(day, Tense.FUTURE) if day.is_weekday else day)


def _week_after(day: Form, unit: Unit) -> Form | None:
    duration = Duration.of(*unit)
    return _weeks_from(duration, day) if duration else None


def _add_offsets(grammar: Grammar) -> None:
    add = grammar.add
    ahead = ["<dur> from now", "<dur> hence", "in <dur> from now", "in <dur>", "in <dur> time"]
    add("<time>", ["<dur> ago", "<dur> back"], lambda duration: offset(duration, -1))
    add("<time>", ahead, lambda duration: offset(duration, 1), rank=1)
    add(
        "<time>",
        "<dur> ago <today>",
        lambda duration, shift: offset(duration, -1, shifted_unit(Grain.DAY, shift)),
        rank=1,
    )
    add("<time>", "<dur> <today>", lambda duration, shift: _weeks_from(duration, shifted_unit(Grain.DAY, shift)))
    add("<time>", "<dur> on? <weekday>", _weeks_from)
    add(
        "<time>", "<dur> ago? on? last <weekday>", lambda duration, day: offset(duration, -1, relative(day, -1)), rank=1
    )
    add("<time>", "<dur> on? next <weekday>", lambda duration, day: offset(duration, 1, relative(day, 1)), rank=1)
    add("<time>", "<weekday> <unit>", _week_after)
    add("<time>", "<today> <unit>", lambda shift, unit: _week_after(shifted_unit(Grain.DAY, shift), unit))
    for words, sign in (("from|after|following", 1), ("before|preceding", -1)):
        add("<time>", f"<dur> {words} <t>", lambda duration, base, sign=sign: offset(duration, sign, base))
        add("<time>", f"<dur> {words} <event> <t>", lambda duration, _, base, sign=sign: offset(duration, sign, base))
        add("<time>", f"the <dur> {words} <t>", lambda duration, base, sign=sign: _run_of_days(duration, base, sign))


def _run_of_days(duration: Duration, base: Form, sign: int) -> Form | None:
    return days_around(base, duration.days, sign) if duration.days and not duration.months else None


def _next_to_unit(unit: Unit, base: Form, sign: int) -> Form | None:
    if unit == (1, Grain.DAY):
        return day_next_to(base, sign)
    return adjacent(units(unit[1]), base, sign) if unit[0] == 1 and unit[1] > Grain.DAY else None


def _add_neighbours(grammar: Grammar) -> None:
    add = grammar.add
    for words, sign in (("after|following", 1), ("before|preceding", -1)):
        unit = lambda unit, base, sign=sign: _next_to_unit(unit, base, sign)  # noqa: E731  # bound to this sign
        add("<time>", f"the? <unit> {words} <t>", unit)
        add(
            "<time>",
            f"the? <unit> {words} <event> <t>",
            lambda unit, _, base, sign=sign: _next_to_unit(unit, base, sign),
        )
        add("<time>", f"the? <cycle|weekend> {words} <t>", lambda cycle, base, sign=sign: adjacent(cycle, base, sign))
        add("<time>", f"the? <part> {words} <t>", lambda part, base, sign=sign: within(part, day_next_to(base, sign)))
        add("<time>", f"the? <ord> <cycle|weekend> {words} <t>",
            lambda number, cycle, base, sign=sign: adjacent(cycle, base, sign * number), rank=1)  # fmt: skip
    add("<time>", "the? eve of <t>", lambda base: day_next_to(base, -1))


# --- parts of longer things -------------------------------------------------------------------------------------


def _nth_units(number: int, count: float, unit: Unit, whole: Form) -> Form | None:
    if unit[0] != 1 or unit[1] < Grain.DAY or not 0 < count < 400 or (count > 1 and abs(number) != 1):
        return None
    return nth(units(unit[1]), whole, number, int(count))


def _slice_of(part: Slice, whole: Form) -> Form | None:
    if whole.grain is Grain.WEEKEND:
        return within(weekday(6 if part in (Slice.END, Slice.LATE) else 5), whole)
    return slice_of(part, whole)


def _early_or_late(part: Slice, whole: Form) -> Form | None:
    return None if whole.part and whole.period is Grain.DAY else slice_of(part, whole)


def _weekend_of(day: Form) -> Form | None:
    return weekend_of(day) if day.grain is Grain.DAY and not day.is_weekday else None


def _part_of(part: Form, day: Form) -> Form | None:
    return within(part, day) if day.grain is Grain.DAY else None


def _add_parts(grammar: Grammar) -> None:
    add = grammar.add
    add("<span>", "the <unit>", lambda unit: _shift(unit, 0) if unit[1] >= Grain.WEEK else None)
    add("<span>", "the <weekend>", lambda cycle: relative(cycle, 0))
    whole = "of|in|during <t|span>"
    add("<time>", [f"the? <ord> <cycle|weekend> {whole}", "the? <ord> <cycle|weekend> <t>"],
        lambda number, cycle, outer: nth(cycle, outer, number), rank=1)  # fmt: skip
    add("<time>", f"the? <ord> <unit> {whole}", lambda number, unit, outer: _nth_units(number, 1, unit, outer), rank=1)
    add("<time>", f"the? <ord> <num> <u> {whole}", _nth_units, rank=1)
    add("<time>", f"the? first working|business day {whole}", lambda outer: nth(working_day(), outer, 1), rank=1)
    for words, number in (("last|final", -1), ("penultimate", -2), ("second last", -2), ("second to last", -2)):
        add("<time>", f"the? {' '.join(words.split())} <cycle|weekend> {whole}",
            lambda cycle, outer, number=number: nth(cycle, outer, number), rank=2)  # fmt: skip
        add("<time>", f"the? {words} <unit> {whole}",
            lambda unit, outer, number=number: _nth_units(number, 1, unit, outer), rank=2)  # fmt: skip
    add("<time>", f"the? last|final <num> <u> {whole}",
        lambda count, unit, outer: _nth_units(-1, count, unit, outer), rank=2)  # fmt: skip
    add("<time>", f"the? last|final working|business day {whole}", lambda outer: nth(working_day(), outer, -1), rank=2)
    for word, part in (("first", Slice.FIRST_HALF), ("second|latter|last|other", Slice.SECOND_HALF)):
        add("<time>", f"the? {word} half {whole}", lambda outer, part=part: slice_of(part, outer), rank=1)
    add("<time>", ["<slice> <t|span>", "<slice> in|on <t|span>"], _early_or_late, rank=1)
    add("<part>", "<slice> <part>", lambda _, part: part)
    add(
        "<time>",
        "<slice> <unit>",
        lambda part, unit: slice_of(part, shifted_unit(unit[1], 0)) if unit[1] >= Grain.WEEK else None,
    )
    add("<time>", f"the? very? <place> {whole}", _slice_of, rank=1)
    add(
        "<time>",
        "the? early hours of this morning",
        lambda: within(day_part(DayPart.EARLY), shifted_unit(Grain.DAY, 0)),
    )
    add("<time>", ["the? <part> of <t>", "the? <part> on <t>"], _part_of)
    add("<time>", "the? week of|commencing|beginning|starting|containing <t>",
        lambda day: holding(Grain.WEEK, day) if day.grain is Grain.DAY else None)  # fmt: skip
    add("<time>", ["the? weekend of <t>", "<cycle> weekend"], _weekend_of, rank=1)
    add(
        "<time>",
        "<cycle> week",
        lambda day: holding(Grain.WEEK, day) if not day.is_weekday and day.grain is Grain.DAY else None,
    )


# --- from here to there -----------------------------------------------------------------------------------------


def _hours(first: float, last: float) -> Form | None:
    start, end = _at(first), _at(last)
    return between(start, end) if start and end else None


def _hours_before(first: float, last: float, is_afternoon: bool) -> Form | None:
    end = _meridiem(last, 0, is_afternoon)
    start = _meridiem(first, 0, is_afternoon if first % 12 < last % 12 else not is_afternoon)
    return between(start, end) if start and end else None


def _days_in(first: float, last: float, month: Form) -> Form | None:
    start, end = _day_in(first, month), _day_in(last, month)
    return between(start, end) if start and end and first < last else None


def _two_days_in(first: float, second: float, month: Form) -> Form | None:
    """The 16th and 17th of May."""
    return _days_in(first, second, month) if second == first + 1 else None


def _run_from(duration: Duration, first_day: Form) -> Form | None:
    days = duration.days if not duration.months and not duration.minutes else 0
    return lasting(first_day, days) if days > 1 and first_day.grain is Grain.DAY else None


def _add_ranges(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", ["between <t> and <t>", f"from <t> {_TO} <t>", f"<time|mon|wd|loose> {_TO} <t>"], between)
    add("<hr>", f"<hr> {_TO} <hr>", between)
    add("<dom>", f"<dom> {_TO} <dom>", between)
    add("<time>", ["the? <unit> between <t> and <t>", f"the? <unit> from <t> {_TO} <t>"],
        lambda _, start, end: between(start, end), rank=1)  # fmt: skip
    add("<time>", ["between <num> and <num>", f"from <num> {_TO} <num>"], _hours, rank=-1)
    add("<hr>", f"<num> {_TO} <num>", _hours, rank=-1)
    for word, is_afternoon in (("am", False), ("pm", True)):
        add("<time>", [f"between <num> and <num> {word}", f"from? <num> {_TO} <num> {word}"],
            lambda first, last, pm=is_afternoon: _hours_before(first, last, pm), rank=1)  # fmt: skip
    numbers = "<num|ord>"
    spans = [f"between the? {numbers} and the? {numbers} of? <month>"]
    spans += [f"from? the? {numbers} {_TO} the? {numbers} of? <month>"]
    add("<time>", spans, _days_in, rank=1)
    add("<time>", f"the? {numbers} and the? {numbers} of? <month>", _two_days_in, rank=1)
    add("<time>", "the? <dur> starting|beginning on|from? <t>", _run_from)
    add("<time>", [f"<month> {numbers} {_TO} {numbers}", f"between <month> {numbers} and {numbers}"],
        lambda month, first, last: _days_in(first, last, month), rank=1)  # fmt: skip


_LEADS = (
    "in|on|at|during|over|throughout|by|from|since|until|till|before|after|for|back|sometime|around|about|within|all|"
    "exactly|roughly|approximately|circa|just|precisely|some|right|the|whole|entire|full|of"
)


def _add_leads(grammar: Grammar) -> None:
    """Words that are read before an expression but change nothing."""
    grammar.add("<time>", f"{_LEADS} <time>", lambda form: form, rank=-2, lead=True)
    grammar.add(
        "<time>", ["whole|entire|all|full <span>", "at|over|on|during <span>"], lambda span: span, rank=-2, lead=True
    )
    grammar.add("<hint>", "in|at|during|on? the? <part|season|weekend>", lambda form: form, rank=-2, lead=True)
