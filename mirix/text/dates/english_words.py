"""English words of time: what each word or fixed phrase can be."""

from __future__ import annotations

from mirix.text.dates.chart import Value
from mirix.text.dates.forms import (
    DayPart,
    Form,
    clock,
    day_part,
    holiday,
    months_of_year,
    now,
    season,
    shifted_unit,
    weekday,
    weekend,
    years,
)
from mirix.text.dates.holidays import HOLIDAYS
from mirix.text.dates.relations import Slice, within
from mirix.text.dates.units import Grain

Entries = tuple[tuple[str, Value], ...]
Unit = tuple[float, Grain]  # so many of a calendar unit

_WEEKDAYS = {
    "monday": "mon", "tuesday": "tue tues", "wednesday": "wed weds", "thursday": "thu thur thurs", "friday": "fri",
    "saturday": "sat", "sunday": "sun",
}  # fmt: skip
# Months that are also names, verbs or adjectives count only beside other words of time.
_CLEAR_MONTHS = {1: "january", 2: "february", 7: "july", 9: "september", 10: "october", 11: "november", 12: "december"}
_OTHER_MONTHS = {
    1: "jan", 2: "feb", 3: "march mar", 4: "april apr", 5: "may", 6: "june jun", 7: "jul", 8: "august aug",
    9: "sep sept", 10: "oct", 11: "nov", 12: "dec",
}  # fmt: skip
_SEASONS = ("spring springtime", "summer summertime", "autumn fall", "winter wintertime")
_PARTS = {
    DayPart.EARLY: "early hours|small hours|wee hours",
    DayPart.MORNING: "morning",
    DayPart.AFTERNOON: "afternoon",
    DayPart.EVENING: "evening|night|nighttime",
}
_UNITS: dict[str, Unit] = {
    "second": (1 / 60, Grain.MINUTE), "sec": (1 / 60, Grain.MINUTE), "minute": (1, Grain.MINUTE),
    "min": (1, Grain.MINUTE), "hour": (1, Grain.HOUR), "hr": (1, Grain.HOUR), "day": (1, Grain.DAY),
    "week": (1, Grain.WEEK), "fortnight": (2, Grain.WEEK), "month": (1, Grain.MONTH), "quarter": (1, Grain.QUARTER),
    "year": (1, Grain.YEAR), "decade": (1, Grain.DECADE), "century": (1, Grain.CENTURY),
}  # fmt: skip
_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth"
)
_DECADES = "twenties thirties forties fifties sixties seventies eighties nineties"
_RELATIVE = {
    -1: "last past previous",
    1: "next",
    2: "coming upcoming",
}  # 2: the nearest ahead, see english.py
_SLICES = {Slice.EARLY: "early", Slice.MID: "mid", Slice.LATE: "late"}
_PLACES = {
    Slice.START: "start|beginning|first days|first few days|opening days",
    Slice.MID: "middle|midst",
    Slice.END: "end|last days|last few days|closing days|final days|tail end",
}


def english_words() -> dict[str, Entries]:
    """Entries by word or phrase, in lower case, without "'s" and hyphens."""
    found: dict[str, Entries] = {name: _strong(holiday(day)) for name, day in HOLIDAYS.items() if name.isascii()}
    found |= _weekdays() | _months() | _numbers()
    for index, names in enumerate(_SEASONS):
        for name in names.split():
            found[name] = _weak(season(index), "season")
            found[f"{name}s"] = (("<cycles>", season(index)),)
    for part, names in _PARTS.items():
        found |= {name: (("<part>", day_part(part)),) for name in names.split("|")}
    for name, unit in _UNITS.items():
        plural = "centuries" if name == "century" else f"{name}s"
        found[name] = (*found.get(name, ()), ("<unit>", unit))
        found[plural] = (("<units>", unit),)
    found["weekend"] = (("<weekend>", weekend()),)
    found["weekends"] = (("<cycles>", weekend()),)
    return found | _fixed_words()


def _strong(form: Form) -> Entries:
    return (("<cycle>", form), ("<time>", form))


def _weak(form: Form, kind: str) -> Entries:
    return (("<cycle>", form), (f"<{kind}>", form))


def _weekdays() -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    for index, (name, short_names) in enumerate(_WEEKDAYS.items()):
        form = weekday(index)
        found[name] = (*_strong(form), ("<weekday>", form))
        found[f"{name}s"] = (("<cycles>", form),)
        found |= {short: (*_weak(form, "wd"), ("<weekday>", form)) for short in short_names.split()}
    return found


def _months() -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    for number in range(1, 13):
        form = months_of_year(number, 1, Grain.MONTH)
        if number in _CLEAR_MONTHS:
            found[_CLEAR_MONTHS[number]] = (*_strong(form), ("<month>", form))
        found |= {name: (*_weak(form, "mon"), ("<month>", form)) for name in _OTHER_MONTHS[number].split()}
    return found


def _numbers() -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    for number, name in enumerate(_ONES.split()):
        found[name] = (("<num>", number), ("<spoken>", number), *((("<ones>", number),) if 0 < number < 10 else ()))
    for number, name in enumerate(_TENS.split(), 2):
        found[name] = (("<num>", number * 10), ("<spoken>", number * 10), ("<tens>", number * 10))
        found[f"{name[:-1]}ieth"] = (("<ord>", number * 10),)
    found |= {name: (("<ord>", number),) for number, name in enumerate(_ORDINALS.split(), 1)}
    found |= {name: (("<decade>", years(1900 + 10 * ten, 10)),) for ten, name in enumerate(_DECADES.split(), 2)}
    return found


def _fixed_words() -> dict[str, Entries]:
    found: dict[str, Entries] = {}
    for name, shift in {"today": 0, "yesterday": -1, "tomorrow": 1, "tmrw": 1, "tmr": 1}.items():
        found[name] = (("<time>", shifted_unit(Grain.DAY, shift)), ("<today>", shift))
    tonight = within(day_part(DayPart.EVENING), shifted_unit(Grain.DAY, 0))
    found |= dict.fromkeys(("tonight", "tonite"), (("<time>", tonight),))
    found |= {name: (("<hr>", clock(12, is_twofold=False)),) for name in ("noon", "midday")}
    found["midnight"] = (("<hr>", clock(0)),)
    found["following"] = (("<following>", 1),)
    found["now"] = (("<hint>", now()),)
    for number, names in _RELATIVE.items():
        found |= dict.fromkeys(names.split(), (("<rel>", number),))
    found |= {name: (("<slice>", part),) for part, name in _SLICES.items()}
    found |= {name: (("<place>", part),) for part, names in _PLACES.items() for name in names.split("|")}
    return found
