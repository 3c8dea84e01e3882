"""Chinese time expressions: the rules that join the words."""

from __future__ import annotations

from mirix.text.dates.chart import Grammar
from mirix.text.dates.forms import (
    Form,
    Policy,
    clock,
    counted,
    day_of_month,
    holiday,
    months_of_year,
    offset,
    same_time,
    shifted_unit,
    units,
    weekday,
    working_day,
    years,
)
from mirix.text.dates.holidays import lunar_holiday
from mirix.text.dates.relations import (
    Slice,
    adjacent,
    between,
    day_next_to,
    days_around,
    holding,
    lasting,
    nth,
    relative,
    slice_of,
    within,
)
from mirix.text.dates.units import Duration, Grain

Unit = tuple[float, Grain]

_BEFORE, _AFTER = "前|以前|之前", "后|以后|之后|过后"


def add_chinese_rules(grammar: Grammar) -> None:
    _add_durations(grammar)
    _add_dates(grammar)
    _add_lunar_days(grammar)
    _add_clock(grammar)
    _add_relative(grammar)
    _add_offsets(grammar)
    _add_neighbours(grammar)
    _add_parts(grammar)
    _add_leads(grammar)


def _duration(count: float, unit: Unit) -> Duration | None:
    is_year_number = unit[1] is Grain.YEAR and count >= 1000  # 2026年前 is before that year
    return Duration.of(count * unit[0], unit[1]) if 0 <= count < 100_000 and not is_year_number else None


def _add_durations(grammar: Grammar) -> None:
    add = grammar.add
    add("<zhdur>", "<n> 个? <zhunit>", _duration)
    add("<count>", "<n> 日", lambda count: _duration(count, (1, Grain.DAY)))
    add("<zhdur>", "半 个? <zhunit>", lambda unit: _duration(0.5, unit))
    add("<zhdur>", "<n> 个 半 月", lambda count: _duration(count + 0.5, (1, Grain.MONTH)))
    add(
        "<zhdur>",
        ["<n> 个 半 <zhunit>", "<n> 个? <zhunit> 半"],
        lambda count, *unit: _duration(count + 0.5, unit[0]),
    )
    add("<zhdur>", "<zhdur> <zhdur>", lambda one, other: one + other if other.grain < one.grain else None)


# --- days, months, years ----------------------------------------------------------------------------------------


def _year(number: float) -> Form | None:
    return years(int(number)) if 1000 <= number <= 2999 and number == int(number) else None


def _short_year(number: float) -> Form | None:
    return years(1900 + int(number)) if 50 <= number <= 99 else years(2000 + int(number)) if 10 <= number < 50 else None


def _month(number: float) -> Form | None:
    return months_of_year(int(number), 1, Grain.MONTH) if number == int(number) and 1 <= number <= 12 else None


def _day(number: float) -> Form | None:
    return day_of_month(int(number)) if number == int(number) and 1 <= number <= 31 else None


def _day_in(month: Form, number: float) -> Form | None:
    day = _day(number)
    return within(day, month) if day and month.grain is Grain.MONTH else None


def _quarter(number: float) -> Form | None:
    return months_of_year(int(number) * 3 - 2, 3, Grain.QUARTER, Policy.YEAR) if number in (1, 2, 3, 4) else None


def _decade(number: float, century: int = 1900) -> Form | None:
    return years(century + int(number), 10) if 10 <= number <= 90 and number % 10 == 0 else None


def _century(number: float) -> Form | None:
    return years(int(number) * 100 - 99, 100) if 10 <= number <= 29 else None


def _add_dates(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", ["<n> 年 度?", "公元 <n> 年"], _year)
    add("<yr>", "<n> 年", _short_year)
    add("<month>", "<n> 月|月份", _month)
    add("<time>", "<n> 月|月份", _month)
    add("<zhday>", "<n> 日|号", _day)
    add("<time>", "<n> 日|号", _day)
    add("<time>", ["<month> <n>", "<zhrel> 月 <n>"], lambda *parts: _day_of_short_form(parts), rank=-1)
    add("<cycle>", "第? <n> 季度|季", _quarter)
    add("<time>", "第? <n> 季度|季", _quarter)
    add("<time>", "<n> 年代", lambda number: _decade(number) if number < 1000 else years(int(number), 10))
    add("<time>", "上世纪 <n> 年代", _decade)
    add("<time>", "本世纪 <n> 年代", lambda number: _decade(number, 2000))
    add("<time>", "<n> 世纪", _century)
    add("<time>", "<n> 世纪 <n> 年代", lambda century, number: _decade(number, int(century) * 100 - 100))
    add("<time>", "上世纪", lambda: shifted_unit(Grain.CENTURY, -1))
    add("<time>", "本世纪", lambda: shifted_unit(Grain.CENTURY, 0))
    add("<time>", "<time> 的? <zhday>", lambda month, day: within(day, month) if month.grain is Grain.MONTH else None)


def _day_of_short_form(parts: tuple[Form | float, ...]) -> Form | None:
    """3月5, 上月5: the day without its word."""
    month, number = parts[0], parts[-1]
    if not isinstance(number, int | float):
        return None
    return _day_in(month if isinstance(month, Form) else shifted_unit(Grain.MONTH, int(month)), number)


def _lunar(month: float, day: float) -> Form | None:
    return holiday(lunar_holiday(int(month), int(day))) if 1 <= month <= 12 and 1 <= day <= 30 else None


def _add_lunar_days(grammar: Grammar) -> None:
    add = grammar.add
    day = ["初? <n>", "<n> 日|号", "初 <n>"]
    for pattern in day:
        add("<time>", f"农历|阴历|旧历 <n> 月 {pattern}", _lunar, rank=1)
        add("<time>", f"农历|阴历|旧历? <lunarmonth> {pattern}", _lunar, rank=1)
    add("<time>", "<n> 月 初 <n>", lambda month, number: _lunar(month, number) if number <= 10 else None, rank=1)
    add("<lunarmonth>", "农历|阴历|旧历 <n> 月", lambda month: int(month))


# --- clock times ------------------------------------------------------------------------------------------------


def _at(hour: float, minute: float = 0) -> Form | None:
    return clock(int(hour), int(minute)) if hour == int(hour) and 0 <= minute < 60 else None


def _before_hour(minutes: Duration, hour: float) -> Form | None:
    early = minutes.minutes
    return _at((hour - 2) % 12 + 1 if hour <= 12 else hour - 1, 60 - early) if 0 < early < 60 else None


def _hours(start: float, end: float) -> Form | None:
    first, last = _at(start), _at(end)
    return between(first, last) if first and last else None


def _add_clock(grammar: Grammar) -> None:
    add = grammar.add
    add("<hr>", "<n> 点", _at)
    add("<time>", ["<n> 点钟|时", "<n> 点 整|钟"], _at)
    add("<time>", ["<n> 点|时 <n> 分", "<n> 点|点钟 过 <n> 分"], _at, rank=1)
    # 零点三 is a decimal: a single digit needs its zero or its 分.
    add("<time>", "<n> 点|时 <n>", lambda hour, minute: _at(hour, minute) if minute >= 10 else None)
    add("<time>", "<n> 点|时 <minute>", _at)
    add("<time>", "<n> 点|时 半", lambda hour: _at(hour, 30))
    add("<time>", ["<n> 点 <n> 刻", "<n> 点 过 <n> 刻"], lambda hour, quarters: _at(hour, 15 * quarters), rank=1)
    add("<short>", "<n> 分|分钟", lambda number: Duration(minutes=number, grain=Grain.MINUTE))
    add("<short>", "<n> 刻|刻钟", lambda number: Duration(minutes=15 * number, grain=Grain.MINUTE))
    add("<time>", ["差 <short> <n> 点|点钟", "差 <short> 到 <n> 点|点钟"], _before_hour, rank=1)
    add("<time>", "<n> 点|点钟 差 <short>", lambda hour, minutes: _before_hour(minutes, hour), rank=1)
    whole = ["<n> 点 多", "<n> 点 几分", "<n> 点 钟? 多 钟?", "<n> 点钟 多"]
    add("<time>", whole, lambda hour: clock(int(hour), whole_hour=True) if hour == int(hour) else None)
    add("<time>", "<n> 到|至|- <n> 点|时", _hours)
    add("<time>", ["<hr> 左右|前后|许|整", "大约|大概|约|差不多 <hr>"], lambda hour: hour)
    add("<time>", "<part> 的? <hr>", lambda part, hour: within(hour, part), rank=1)


# --- last, this, next -------------------------------------------------------------------------------------------


def _relative(shift: int, cycle: Form) -> Form:
    return relative(cycle, shift, by_week=True)


def _relative_unit(shift: int, unit: Unit) -> Form | None:
    if unit[1] <= Grain.HOUR:
        duration = Duration.of(*unit)
        return counted(duration, shift) if duration and shift else None
    return shifted_unit(unit[1], shift) if unit[0] == 1 else None


def _add_relative(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", "<zhrel> 个? <cycle|season>", _relative)
    add("<time>", "<zhrel> 个? <zhunit>", _relative_unit)
    add("<time>", "<zhrel> 个? 月|月份", lambda shift: shifted_unit(Grain.MONTH, shift))
    add("<time>", "<zhrel> 个? <month>", _relative)
    recent, coming = "最近|过去|近|这|头", "未来|今后|接下来|往后|随后|下"
    inside = ["", " 内|以内|之内|里|来|以来|间|中"]
    for words, sign in ((recent, -1), (coming, 1)):
        patterns = [f"{words} 的? <zhdur>{end}" for end in inside]
        add("<time>", patterns, lambda duration, sign=sign: counted(duration, sign))
    add("<time>", "前 <zhdur>", lambda duration: counted(duration, -1) if duration.days else None, rank=-1)
    add("<time>", "<zhdur> 内|以内|之内", lambda duration: counted(duration, 1), rank=-1)
    add("<time>", "<zhdur> 来|以来", lambda duration: counted(duration, -1))


# --- ago, from now, before, after -------------------------------------------------------------------------------


def _nth_after(base: Form, number: float) -> Form | None:
    return day_next_to(base, int(number)) if 1 <= number < 1000 and number == int(number) else None


def _add_offsets(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", f"<zhdur> {_BEFORE}", lambda duration: offset(duration, -1))
    add(
        "<time>",
        [f"<zhdur> {_AFTER}", f"再过|过|再 <zhdur> {_AFTER}?", "再过|还有 <zhdur>"],
        lambda duration: offset(duration, 1),
    )
    for words, sign in ((_BEFORE, -1), (_AFTER, 1)):
        same = [f"<zhdur> {words} 的? <zhtoday>"]
        add(
            "<time>",
            same,
            lambda duration, shift, sign=sign: offset(duration, sign, shifted_unit(Grain.DAY, shift)),
            rank=1,
        )
        add("<time>", f"<zhdur> {words} 的? 这个时候|这时候|这会儿|此时|同一时间",
            lambda duration, sign=sign: same_time(offset(duration, sign, shifted_unit(Grain.DAY, 0))),
            rank=1)  # fmt: skip
        add("<time>", [f"<t> 的? {words} <zhdur>", f"<t> 的? <event> 的? {words} <zhdur>"],
            lambda base, *rest, sign=sign: offset(rest[-1], sign, base))  # fmt: skip
        add("<time>", [f"<t> {words} 的 <zhdur>", f"<t> 的 {words} <n> 天"],
            lambda base, *rest, sign=sign: _run_of_days(base, rest, sign), rank=1)  # fmt: skip
    add("<time>", f"<t> {_AFTER} 的? 第 <n> 天|日", _nth_after, rank=1)
    add("<time>", f"<t> {_AFTER} 的? 第二天", lambda base: day_next_to(base, 2), rank=1)
    # 三日后 is a count; 三日前 is more often before the third.
    add("<time>", f"<count> {_AFTER}", lambda duration: offset(duration, 1))
    add("<time>", ["<count> 内|以内|之内", "未来|今后|接下来 的? <count>"], lambda duration: counted(duration, 1))
    add("<time>", "最近|过去|近 <count>", lambda duration: counted(duration, -1))
    add("<time>", "<t> 的? 第二天|次日|翌日|隔天", lambda base: day_next_to(base, 1))
    add("<time>", ["<t> 开始|起 的? <zhdur>"], _run_from)
    add("<time>", "<t> 的? 前夕|前夜", lambda base: day_next_to(base, -1))
    add(
        "<time>",
        "<time> 的? 这个时候|这时候|这会儿|此时|同一时间",
        lambda day: same_time(day) if day.grain is Grain.DAY else None,
    )
    add("<time>", ["<time> 的? <zhtoday>", "<time> 的 同一天"], _today_in)


def _run_of_days(base: Form, rest: tuple[Duration | float, ...], sign: int) -> Form | None:
    length = rest[0]
    count = length.days if isinstance(length, Duration) else int(length)
    return days_around(base, count, sign) if 0 < count < 1000 else None


def _run_from(first_day: Form, duration: Duration) -> Form | None:
    is_days = duration.days > 1 and not duration.months and first_day.grain is Grain.DAY
    return lasting(first_day, duration.days) if is_days else None


def _today_in(span: Form, shift: int = 0) -> Form | None:
    """去年的今天, 上个月的今天, 上周的今天: today, shifted by that unit."""
    if shift != 0 or span.is_absolute or span.shift is None:
        return None
    unit, count = span.grain, span.shift
    duration = Duration.of(abs(count), unit)
    return offset(duration, 1 if count > 0 else -1, shifted_unit(Grain.DAY, 0)) if duration and count else None


def _next_to(unit: Unit, base: Form, sign: int) -> Form | None:
    return adjacent(units(unit[1]), base, sign) if unit[0] == 1 and unit[1] > Grain.DAY else None


def _add_neighbours(grammar: Grammar) -> None:
    add = grammar.add
    for words, sign in ((_BEFORE, -1), (_AFTER, 1)):
        add("<time>", [f"<t> {words} 的? 第? 一? 个? <cycle>", f"<t> {words} 的? 那|那个 <cycle>"],
            lambda base, cycle, sign=sign: adjacent(cycle, base, sign) if cycle.period is Grain.WEEK else None,
        )  # fmt: skip
        add("<time>", f"<t> {words} 的? 第 <n> 个 <cycle>",
            lambda base, number, cycle, sign=sign: adjacent(cycle, base, sign * int(number)))  # fmt: skip
        add("<time>", [f"<t> {words} 的? 那|那个 <zhunit>", f"<t> 的 {words} 一? 个? <zhunit>"],
            lambda base, unit, sign=sign: _next_to(unit, base, sign))  # fmt: skip
        add(
            "<time>",
            f"<t> {words} 一 天 的? <part>",
            lambda base, part, sign=sign: within(part, day_next_to(base, sign)),
        )


# --- parts of longer things -------------------------------------------------------------------------------------


def _nth_units(whole: Form, number: int, count: float, unit: Unit) -> Form | None:
    if unit[0] != 1 or unit[1] < Grain.DAY or not 0 < count < 400 or number == 0:
        return None
    return nth(units(unit[1]), whole, number, int(count))


def _nth_cycle(whole: Form, number: float, cycle: Form) -> Form | None:
    return nth(cycle, whole, int(number)) if number == int(number) and number else None


def _place_of(whole: Form, part: Slice) -> Form | None:
    if whole.grain is Grain.WEEKEND:
        return within(weekday(6 if part is Slice.END else 5), whole)
    return slice_of(part, whole)


def _unit_of(day: Form, unit: Unit) -> Form | None:
    """圣诞节那一周: the unit that holds a day."""
    return holding(unit[1], day) if unit[0] == 1 and unit[1] > day.grain is Grain.DAY else None


def _add_parts(grammar: Grammar) -> None:
    add = grammar.add
    add("<time>", ["<t> 的? <zhplace>", "<t> 年|月? <zhplace>"], _place_of, rank=1)
    add("<time>", "年 <zhplace>", lambda part: slice_of(part, shifted_unit(Grain.YEAR, 0)), rank=1)
    add("<time>", "月 <zhplace>", lambda part: slice_of(part, shifted_unit(Grain.MONTH, 0)), rank=1)
    add("<time>", ["<t> 的? 第 <n> 个? <cycle>"], _nth_cycle, rank=1)
    add(
        "<time>",
        ["<t> 的? 第 <n> 个? <zhunit>"],
        lambda whole, number, unit: _nth_units(whole, int(number), 1, unit),
        rank=1,
    )
    add(
        "<time>",
        ["<t> 的? 最后 一? 个? <cycle>", "<t> 的? 最后 的? <cycle>"],
        lambda whole, cycle: nth(cycle, whole, -1),
        rank=1,
    )
    add("<time>", ["<t> 的? 最后 个? <zhunit>"], lambda whole, unit: _nth_units(whole, -1, 1, unit), rank=1)
    add(
        "<time>",
        ["<t> 的? 最后 <n> 个? <zhunit>"],
        lambda whole, count, unit: _nth_units(whole, -1, count, unit),
        rank=1,
    )
    add(
        "<time>",
        ["<t> 的? 头|前 <n> 个? <zhunit>"],
        lambda whole, count, unit: _nth_units(whole, 1, count, unit),
        rank=1,
    )
    add("<time>", ["<t> 的? 首 个? <cycle>"], lambda whole, cycle: nth(cycle, whole, 1), rank=1)
    add("<time>", "<t> 的? 第? 一? 个 工作日", lambda whole: nth(working_day(), whole, 1))
    add("<time>", "<t> 的? 最后 一? 个? 工作日", lambda whole: nth(working_day(), whole, -1))
    add("<time>", "<t> 的? <part>", lambda day, part: within(part, day) if day.grain is Grain.DAY else None)
    add("<time>", ["<t> 所在? 的? 那|那个|这|当 一? 个? <zhunit>", "<t> 所在 的? <zhunit>"], _unit_of, rank=-1)
    add(
        "<time>",
        ["<time> 当天|当日|那天|这天|期间|左右|前后|全天|一整天|的时候", "<t> 的? 整个|整 天|日?"],
        lambda form: form,
        rank=-1,
    )


def _add_leads(grammar: Grammar) -> None:
    add = grammar.add
    add(
        "<time>",
        ["在|于|从|自|打|大约|大概|约|整个|整|差不多|阳历|公历|到|至 <time>"],
        lambda form: form,
        rank=-2,
        lead=True,
    )
    add(
        "<time>",
        [
            "<time|hr> 到|至 <t>",
            "从|自|打 <t> 到|至|- <t> 之间|间|期间?",
            "<t> 到|至|- <t> 之间|间|期间?",
            "<t> 和|与|跟 <t> 之间|间",
        ],
        between,
    )
