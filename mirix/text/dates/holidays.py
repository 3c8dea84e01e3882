"""Dates of holidays by name, as data: a name stands for a rule, and a rule gives the day of a year.

Rules: `12-25` (month-day), `4 thu 11` (fourth Thursday of November, `-1` for the last), `easter+1`, `lunar 8-15`
(Chinese lunar month and day), `sun 15` (the sun reaches that longitude). Each may end in an offset in days, ` +1`.
Where countries differ, the rule of the country of the time zone is taken.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from mirix.text.dates.lunar import lunar_day, solar_term

_WEEKDAYS = {name: index for index, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}

# English and Chinese names that mean the same day everywhere. English names are in lower case, without "'s".
_EVERYWHERE = {
    "1-1": "new year day|new years day|new year|元旦|元旦节|阳历新年|新年第一天",
    "12-31": "new year eve|new years eve|hogmanay|跨年夜|元旦前夜|跨年",
    "1-5": "twelfth night",
    "1-6": "epiphany",
    "2-2": "groundhog day|candlemas",
    "2-14": "valentine day|valentines day|valentines|valentine|情人节",
    "3-8": "international women day|women day|妇女节|三八节|女神节",
    "3-12": "植树节",
    "3-14": "pi day|白色情人节",
    "3-17": "st patrick day|saint patrick day|st patricks day",
    "4-1": "april fools day|april fool day|april fools|愚人节",
    "4-22": "earth day|世界地球日",
    "4-23": "st george day|saint george day",
    "5-1": "may day|五一|五一节|五一劳动节|国际劳动节",
    "5-4": "五四|五四青年节|青年节",
    "5-12": "护士节",
    "6-1": "六一|六一儿童节|国际儿童节",
    "6-24": "midsummer day",
    "7-1": "建党节|七一",
    "7-14": "bastille day",
    "8-1": "建军节|八一|八一建军节",
    "9-10": "教师节",
    "10-1": "国庆|国庆节|十一国庆|十一国庆节|chinese national day",
    "10-31": "halloween|all hallows eve|万圣夜|万圣节前夜|万圣节",
    "11-1": "all saints day",
    "11-2": "all souls day",
    "11-5": "bonfire night|guy fawkes night|guy fawkes day",
    "11-11": "armistice day|remembrance day|singles day|光棍节|双十一|双11",
    "11-30": "st andrew day|saint andrew day",
    "12-12": "双十二|双12",
    "6-18": "六一八",
    "12-24": "christmas eve|平安夜|圣诞前夜",
    "12-25": "christmas day|christmas|xmas|xmas day|圣诞节|圣诞|圣诞日",
    "12-26": "boxing day|st stephen day|节礼日",
    "1-25": "burns night",
    "4-25": "anzac day",
    "6-19": "juneteenth",
    "2-6": "waitangi day",
    "7-4": "fourth of july|4th of july|july fourth",
    "2 sun 5": "母亲节",
    "3 sun 6": "父亲节",
    "4 thu 11": "感恩节",
    "4 thu 11 +1": "black friday|黑色星期五",
    "4 thu 11 +4": "cyber monday",
    "3 mon 1": "martin luther king day|mlk day|martin luther king jr day",
    "3 mon 2": "president day|presidents day",
    "-1 mon 5": "memorial day|spring bank holiday|late may bank holiday",
    "1 mon 5": "early may bank holiday|may day bank holiday",
    "-1 mon 8": "summer bank holiday|august bank holiday|late summer bank holiday",
    "2 mon 10": "columbus day|indigenous peoples day",
    "1 mon 11 +1": "election day",
    "2 sun 11": "remembrance sunday",
    "1 tue 11": "melbourne cup day|melbourne cup",
    "easter-48": "rose monday",
    "easter-47": "shrove tuesday|pancake day|pancake tuesday|mardi gras",
    "easter-46": "ash wednesday",
    "easter-7": "palm sunday",
    "easter-3": "maundy thursday",
    "easter-2": "good friday|耶稣受难日",
    "easter-1": "easter saturday|holy saturday|easter eve",
    "easter+0": "easter sunday|easter day|easter|复活节",
    "easter+1": "easter monday|复活节星期一",
    "easter+39": "ascension day",
    "easter+49": "pentecost|whit sunday|whitsun",
    "easter+50": "whit monday|pentecost monday",
    "easter+60": "corpus christi",
    "lunar 1-1": "chinese new year day|chinese new year|lunar new year day|lunar new year|spring festival|"
    "春节|大年初一|农历新年|农历春节|过年",
    "lunar 1-1 -1": "chinese new year eve|lunar new year eve|除夕|除夕夜|大年三十|年三十|大年夜|大年除夕",
    "lunar 1-2": "大年初二",
    "lunar 1-3": "大年初三",
    "lunar 1-4": "大年初四",
    "lunar 1-5": "大年初五|破五",
    "lunar 1-6": "大年初六",
    "lunar 1-7": "大年初七",
    "lunar 1-15": "lantern festival|元宵节|元宵|上元节|正月十五",
    "lunar 2-2": "龙抬头|二月二龙抬头",
    "lunar 5-5": "dragon boat festival|端午节|端午|端阳节",
    "lunar 7-7": "qixi festival|qixi|七夕|七夕节|乞巧节",
    "lunar 7-15": "ghost festival|中元节",
    "lunar 8-15": "mid autumn festival|midautumn festival|moon festival|中秋节|中秋|八月节",
    "lunar 9-9": "double ninth festival|chongyang festival|重阳节|重阳",
    "lunar 12-8": "laba festival|腊八节|腊八",
    "lunar 12-23": "小年|小年夜",
    "sun 15": "qingming festival|qingming|tomb sweeping day|清明节|清明",
    "sun 0": "spring equinox|vernal equinox|春分",
    "sun 30": "谷雨",
    "sun 45": "立夏",
    "sun 60": "小满",
    "sun 75": "芒种",
    "sun 90": "summer solstice|midsummer|夏至",
    "sun 105": "小暑",
    "sun 120": "大暑",
    "sun 135": "立秋",
    "sun 150": "处暑",
    "sun 165": "白露",
    "sun 180": "autumn equinox|autumnal equinox|秋分",
    "sun 195": "寒露",
    "sun 210": "霜降",
    "sun 225": "立冬",
    "sun 240": "小雪节气",
    "sun 255": "大雪节气",
    "sun 270": "winter solstice|冬至|冬至节",
    "sun 285": "小寒",
    "sun 300": "大寒",
    "sun 315": "立春",
    "sun 330": "雨水节气",
    "sun 345": "惊蛰",
    "diwali": "diwali|deepavali|排灯节",
    "holi": "holi|洒红节",
}

# Names whose day depends on the country; "" is for all others.
_BY_COUNTRY: dict[str, dict[str, str]] = {
    "labor day|labour day|劳动节": {
        "": "5-1",
        "US": "1 mon 9",
        "CA": "1 mon 9",
        "NZ": "4 mon 10",
        "AU": "1 mon 10",
    },
    "mother day|mothers day": {"": "2 sun 5", "GB": "easter-21", "IE": "easter-21", "FR": "-1 sun 5", "SE": "-1 sun 5"},
    "mothering sunday": {"": "easter-21"},
    "father day|fathers day": {"": "3 sun 6", "AU": "1 sun 9", "NZ": "1 sun 9", "DE": "easter+39"},
    "thanksgiving|thanksgiving day": {"": "4 thu 11", "CA": "2 mon 10"},
    "children day|儿童节": {"": "6-1", "JP": "5-5", "IN": "11-14"},
    "teacher day|teachers day": {"": "10-5", "CN": "9-10", "IN": "9-5"},
    "veterans day|veteran day": {"": "11-11"},
    "independence day": {
        "": "7-4",
        "IN": "8-15",
        "PK": "8-14",
        "BR": "9-7",
        "MX": "9-16",
        "PL": "11-11",
        "FI": "12-6",
        "ID": "8-17",
        "UA": "8-24",
        "KE": "12-12",
        "GH": "3-6",
        "NG": "10-1",
        "PH": "6-12",
        "AR": "7-9",
        "CO": "7-20",
        "CL": "9-18",
        "PE": "7-28",
        "VN": "9-2",
        "GR": "3-25",
        "LK": "2-4",
        "BD": "3-26",
        "MY": "8-31",
        "IL": "5-14",
    },
    "republic day": {"": "1-26", "IT": "6-2", "TR": "10-29", "NP": "5-28"},
    "national day": {
        "": "10-1",
        "SG": "8-9",
        "FR": "7-14",
        "CH": "8-1",
        "SE": "6-6",
        "ES": "10-12",
        "BE": "7-21",
        "AU": "1-26",
        "AT": "10-26",
        "TW": "10-10",
    },
    "constitution day": {"": "5-17", "JP": "5-3", "IN": "11-26", "ES": "12-6", "DK": "6-5", "PL": "5-3", "US": "9-17"},
    "australia day": {"": "1-26"},
    "canada day": {"": "7-1"},
    "victoria day": {"": "-1 mon 5", "CA": "1 mon 5 +14"},
    "king day|kings day": {"": "4-27"},
    "german unity day|unity day": {"": "10-3"},
    "gandhi jayanti": {"": "10-2"},
    "st lucia day": {"": "12-13"},
    "st nicholas day": {"": "12-6"},
}

# The lunar days of India follow rules of sight and place that no short formula gives.
_TABLES = {
    "diwali": "2020-11-14 2021-11-04 2022-10-24 2023-11-12 2024-10-31 2025-10-20 2026-11-08 2027-10-29 2028-10-17 "
    "2029-11-05 2030-10-26",
    "holi": "2020-03-10 2021-03-29 2022-03-18 2023-03-08 2024-03-25 2025-03-14 2026-03-04 2027-03-22 2028-03-11 "
    "2029-03-01 2030-03-20",
}

_RULE = re.compile(
    r"(?:(?P<month>\d+)-(?P<day>\d+)|(?P<nth>-?\d) (?P<weekday>[a-z]{3}) (?P<in>\d+)|easter(?P<easter>[+-]\d+)"
    r"|lunar (?P<lunar_month>\d+)-(?P<lunar_day>\d+)|sun (?P<sun>\d+)|(?P<table>[a-z]+))(?: (?P<offset>[+-]\d+))?"
)

HolidayDay = Callable[[int, str], date | None]


def nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth (from 1; from -1 at the end) weekday (0 is Monday) of a month."""
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-nth - 1))


def _lunar_day_in(year: int, month: int, day: int, offset: int) -> date | None:
    """The lunar day that, with its offset, falls into a year of the common calendar."""
    for lunar_year in (year, year - 1):
        found = lunar_day(lunar_year, month, day)
        if found and (found + timedelta(days=offset)).year == year:
            return found
    return None


def _apply(rule: str, year: int) -> date | None:
    match = _RULE.fullmatch(rule)
    if match is None:
        raise ValueError(f"not a holiday rule: {rule}")
    part = match.groupdict()
    offset = int(part["offset"] or 0)
    found: date | None
    if part["month"]:
        found = date(year, int(part["month"]), int(part["day"]))
    elif part["nth"]:
        found = nth_weekday(year, int(part["in"]), _WEEKDAYS[part["weekday"]], int(part["nth"]))
    elif part["easter"]:
        from dateutil.easter import easter  # here, as few texts need it

        found = easter(year) + timedelta(days=int(part["easter"]))
    elif part["lunar_month"]:
        found = _lunar_day_in(year, int(part["lunar_month"]), int(part["lunar_day"]), offset)
    elif part["sun"]:
        found = solar_term(year, int(part["sun"]))
    else:
        found = next((date.fromisoformat(day) for day in _TABLES[rule].split() if day.startswith(f"{year}-")), None)
    return found + timedelta(days=offset) if found else None


def _rule_for(rules: dict[str, str]) -> HolidayDay:
    return lambda year, country: _apply(rules.get(country, rules[""]), year)


def lunar_holiday(month: int, day: int) -> HolidayDay:
    """A day of the Chinese lunar calendar, once in each year of the common one."""
    return lambda year, _country: _lunar_day_in(year, month, day, 0)


HOLIDAYS: dict[str, HolidayDay] = {
    name: _rule_for(rules)
    for names, rules in (*((names, {"": rule}) for rule, names in _EVERYWHERE.items()), *_BY_COUNTRY.items())
    for name in names.split("|")
}
