"""Time expressions: what they mean, where they are found in running text, and how they are written behind it.

`dates_cases.txt` holds invented expressions with ranges worked out by hand, for the conventions of every kind.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirix.errors import InputError
from mirix.text.dates import (
    Granularity,
    TimeRange,
    annotate,
    find_mentions,
    format_range,
    resolve_expression,
)
from mirix.text.dates.holidays import HOLIDAYS
from mirix.text.dates.lunar import lunar_day, solar_term
from mirix.text.dates.place import place_of
from mirix.text.dates.tokens import chinese_number

OSLO = "Europe/Oslo"
FRIDAY = datetime(2026, 11, 13, 10, 0, tzinfo=ZoneInfo(OSLO))
ZONES = [
    "Europe/Oslo",
    "America/Sao_Paulo",
    "Asia/Shanghai",
    "Australia/Lord_Howe",
    "UTC",
    "Pacific/Apia",
    "Asia/Beirut",
]


class Case(NamedTuple):
    language: str
    expression: str
    timezone: str
    said_at: str
    start: str
    end: str
    granularity: str


def _cases() -> list[Case]:
    text = (Path(__file__).parent / "dates_cases.txt").read_text(encoding="utf-8")
    rows = (line for line in text.splitlines() if line and not line.startswith("#"))
    return [Case(*(cell.strip() for cell in row.split("|"))) for row in rows]


def _local(text: str, timezone: str) -> datetime:
    moment = datetime.fromisoformat(text)
    zone = ZoneInfo(timezone)
    return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)


def _meaning(expression: str, at: datetime = FRIDAY, timezone: str = OSLO) -> str | None:
    found = resolve_expression(expression, at, timezone)
    return format_range(found) if found else None


@pytest.mark.parametrize("case", _cases(), ids=lambda case: f"{case.expression} ({case.timezone})")
def test_expression_means_its_range(case: Case) -> None:
    found = resolve_expression(case.expression, _local(case.said_at, case.timezone), case.timezone)
    assert found is not None
    assert found.start.isoformat() == _local(case.start, case.timezone).isoformat()
    assert found.end.isoformat() == _local(case.end, case.timezone).isoformat()
    assert found.granularity == case.granularity


@pytest.mark.parametrize(
    ("expression", "meaning"),
    [
        ("Tuesday, 3 March 2026", "2026-03-03"),
        ("2026-03-03T14:00:00Z", "2026-03-03 15:00"),
        ("2026/03/03", "2026-03-03"),
        ("3.3.2026 14:00", "2026-03-03 14:00"),
        ("12 janvier 2024", "2024-01-12"),
        ("le 5 mai 2026 à 10:30", "2026-05-05 10:30"),
        ("二〇二六年三月三日", "2026-03-03"),
    ],
)
def test_absolute_dates_are_read_in_many_spellings(expression: str, meaning: str) -> None:
    assert _meaning(expression) == meaning


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "hello",
        "a nice day",
        "你好",
        "有一点",
        "十分高兴",
        "version 2.3.4",
        "room 12",
        "9999-99-99",
        "in 9999 years",
        "2月30日",
    ],
)
def test_what_is_no_time_resolves_to_nothing(expression: str) -> None:
    assert resolve_expression(expression, FRIDAY, OSLO) is None


def test_prefer_decides_what_the_words_leave_open() -> None:
    past = resolve_expression("on Monday", FRIDAY, OSLO, prefer="past")
    future = resolve_expression("on Monday", FRIDAY, OSLO, prefer="future")
    assert past is not None
    assert future is not None
    assert (past.start.date(), future.start.date()) == (date(2026, 11, 9), date(2026, 11, 16))


def test_years_beyond_the_calendar_are_nothing_and_do_not_raise() -> None:
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)
    first = datetime(1, 1, 1, 12, tzinfo=UTC)
    for expression in ("tomorrow", "next year", "in ten years", "last year", "明年", "大前年", "the year after next"):
        for anchor in (first, last):
            found = resolve_expression(expression, anchor, "UTC")
            assert found is None or found.is_forward


def test_naive_anchor_and_unknown_zone_are_input_errors() -> None:
    with pytest.raises(InputError, match="no offset"):
        resolve_expression("today", datetime(2026, 1, 1), OSLO)
    with pytest.raises(InputError, match="IANA"):
        find_mentions("today", FRIDAY, "Mars/Base")
    with pytest.raises(InputError, match="IANA"):
        annotate("today", FRIDAY, "../etc/passwd")


def test_anchor_in_another_zone_is_read_where_it_was_said() -> None:
    # 23:30 in London is already the next day in Oslo.
    assert _meaning("today", datetime(2026, 11, 13, 23, 30, tzinfo=ZoneInfo("Europe/London"))) == "2026-11-14"


@pytest.mark.parametrize(
    ("text", "annotated"),
    [
        ("I moved last Friday.", "I moved last Friday [2026-11-06]."),
        (
            "It broke on Monday, we fix it on Tuesday.",
            "It broke on Monday [2026-11-09], we fix it on Tuesday [2026-11-17].",
        ),
        (
            "Call Jan tomorrow, then lunch at 1 pm",
            "Call Jan tomorrow [2026-11-14], then lunch at 1 pm [2026-11-14 13:00]",
        ),
        ("yesterday's news", "yesterday's [2026-11-12] news"),
        ("She came in March", "She came in March [2026-03]"),
        ("last year I was ill", "last year [2025] I was ill"),
        ("out next week", "out next week [2026-11-16–2026-11-22]"),
        ("born on 3 March 1987", "born on 3 March 1987"),
        ("明天下午三点开会", "明天下午三点 [2026-11-14 15:00]开会"),
        ("我上周五搬家,这个月很忙", "我上周五 [2026-11-06]搬家,这个月 [2026-11]很忙"),
        ("下周二和周四有课", "下周二 [2026-11-17]和周四 [2026-11-19]有课"),
        ("周五我去了医院,周五再去", "周五 [2026-11-06]我去了医院,周五 [2026-11-20]再去"),
        ("We booked the cabin for 12 October.", "We booked the cabin for 12 October [2027-10-12]."),
        ("订了九月二号去桐城的票", "订了九月二号 [2027-09-02]去桐城的票"),
        ("昨晚没睡好", "昨晚 [2026-11-12 18:00–24:00]没睡好"),
        ("The lab's report after the scan on Tuesday.", "The lab's report after the scan on Tuesday [2026-11-10]."),
        (
            "It was moved from today to Wednesday, 18 November, at 14:00.",
            "It was moved from today [2026-11-13] to Wednesday, 18 November, at 14:00 [2026-11-18 14:00].",
        ),
        (
            "We sail on 4 February, home on the 9th at noon",
            "We sail on 4 February [2027-02-04], home on the 9th at noon [2027-02-09 12:00]",
        ),
        ("我订了张床,十二月三号送。", "我订了张床,十二月三号 [2026-12-03]送。"),
        ("第一次周五合唱,迟到了。", "第一次周五合唱,迟到了。"),
        (
            "16:18\nHarbour Trust\n15:02\nTomorrow 8:00, two men",
            "16:18\nHarbour Trust\n15:02\nTomorrow 8:00 [2026-11-14 08:00], two men",
        ),
        ("[08:12] Ola: full\nPer  08:27  free\n07:25  15:40", "[08:12] Ola: full\nPer  08:27  free\n07:25  15:40"),
    ],
)
def test_annotation_stands_behind_relative_expressions_only(text: str, annotated: str) -> None:
    assert annotate(text, FRIDAY, OSLO) == annotated


def test_annotations_already_there_stay_as_they_are() -> None:
    text = "I moved last Friday [2025-01-03] and rest tomorrow."
    assert annotate(text, FRIDAY, OSLO) == "I moved last Friday [2025-01-03] and rest tomorrow [2026-11-14]."


@pytest.mark.parametrize(
    "text",
    [
        "may I ask? They march on. He wed her. The sun sat low, just a second.",
        "3.5 km to room 12, v2.3, version 2.3.4, $2019, 50%, 10.0.0.1:8080, 24/7, 1/2 cup, a 10:1 ratio",
        "call 020 7946 0958 or +44 20 7946 0958, order 2026-0505-11",
        "He lives on the 5th floor, at 5 Main Street, and won the 1st prize at 20 degrees.",
        "Every Friday we eat fish, on Sundays soup, each Monday rice. TGI Fridays. Friday Night Lights.",
        "It took two hours. For three days it rained. A two-year-old boy. He ran it in forty minutes.",
        "The next day it rained. Three days later she left. One day, some day, day after day.",
        "Have a good day! The end of the story. Last but not least. The last person. Next to me.",
        "In winter I ski, in the morning I drink tea, at night I sleep.",
        "有一点累,快一点。三点意见:第一点,第二点。十分高兴,零点三毫米。",
        "以上周期不变。上海日报社。我住5号楼,坐3号线,过二号桥,南京路二十二号。",
        "每周五开例会,每天早上八点起床,每个月一号交房租。三年级,五年计划,九牛一毛。",
        "早上好!天天向上。春天来了。第二天下雨。等了半个小时。补了一下午。",
        "root@vm:/tmp/h1# ls src/q3/data/Q3/ C:\\q1\\x, server h2 is down, h1.local:80, #q2, q4_plan, q3: open, see q1",
        "<h1>Title</h1> <H2 id=x>, /data/H1/q2, http:/Q3, Q2.csv, h1 May",
        "服务器 h2 坏了,路径/h1/数据, <h1>标题</h1>",
    ],
)
def test_words_that_only_look_like_times_are_left_alone(text: str) -> None:
    assert [mention.text for mention in find_mentions(text, FRIDAY, OSLO)] == []


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("上周三星发布了手机,上周一共三次,下周日程满", ["上周", "上周", "下周"]),
        ("In May 2024 we met, may 5th too", ["May 2024", "may 5th"]),
        ("On the 5th we met at half past nine.", ["the 5th", "half past nine"]),
        ("Between Monday and Wednesday next week I'm out", ["Between Monday and Wednesday next week"]),
        ("今晚八点半到九点一刻有课", ["今晚八点半到九点一刻"]),
        ("上周总结,上周到北京,上周期末考试,后天的航班", ["上周", "上周", "上周", "后天"]),
        ("周五直接去,周五十点开会,周二手术,周日本来要去", ["周五", "周五十点", "周二", "周日"]),
        (
            "Q3 was good, H1 (H2: better). q3 2026, 2025 q2, q1 of 2024",
            ["Q3", "H1", "H2", "q3 2026", "2025 q2", "q1 of 2024"],
        ),
        ("revenue by end of q2, last q3", ["end of q2", "last q3"]),
        ("Q1/Q2 results, q1 to q3 2026, Q4/2026", ["Q1", "Q2", "q1 to q3 2026", "Q4"]),
        ("the Sunday before Christmas, then New Year's Eve", ["the Sunday before Christmas", "New Year's Eve"]),
    ],
)
def test_longest_expression_is_found_and_none_within_it(text: str, mentions: list[str]) -> None:
    found = find_mentions(text, FRIDAY, OSLO)
    assert [mention.text for mention in found] == mentions
    assert all(text[mention.start_index : mention.end_index] == mention.text for mention in found)


@pytest.mark.parametrize(
    ("expression", "is_relative"),
    [
        ("last Friday", True),
        ("3月5日", True),
        ("5 May", True),
        ("2026年3月5日", False),
        ("May 5th, 2024", False),
        ("2026-03-05", False),
    ],
)
def test_expression_is_relative_if_it_hangs_on_when_it_was_said(expression: str, is_relative: bool) -> None:
    assert [mention.relative for mention in find_mentions(expression, FRIDAY, OSLO)] == [is_relative]


def test_skipped_midnight_starts_the_day_at_the_first_moment_there_is() -> None:
    found = resolve_expression(
        "tomorrow", datetime(2018, 11, 3, 12, tzinfo=ZoneInfo("America/Sao_Paulo")), "America/Sao_Paulo"
    )
    assert found is not None
    assert found.start.isoformat() == "2018-11-04T01:00:00-02:00"


def test_lunar_days_and_solar_terms_match_published_ones() -> None:
    new_years = {
        1990: "01-27",
        2000: "02-05",
        2008: "02-07",
        2024: "02-10",
        2026: "02-17",
        2033: "01-31",
        2050: "01-23",
    }
    for year, day in new_years.items():
        assert lunar_day(year, 1, 1) == date.fromisoformat(f"{year}-{day}")
    assert lunar_day(2023, 8, 15) == date(2023, 9, 29)  # after a leap month
    assert lunar_day(2025, 9, 9) == date(2025, 10, 29)
    assert (solar_term(2024, 15), solar_term(2026, 15)) == (date(2024, 4, 4), date(2026, 4, 5))
    assert (solar_term(2025, 270), solar_term(2026, 315)) == (date(2025, 12, 21), date(2026, 2, 4))
    assert lunar_day(1950, 1, 1) is None


def test_every_holiday_rule_gives_a_day_of_its_year() -> None:
    for name, day_of in HOLIDAYS.items():
        for country in ("", "US", "GB", "AU", "CN"):
            day = day_of(2026, country)
            assert day is not None, name
            assert day.year == 2026, name


def test_hemisphere_and_country_come_from_the_zone() -> None:
    assert place_of("Australia/Adelaide").is_southern
    assert not place_of("Europe/Oslo").is_southern
    assert place_of("US/Pacific").country == "US"  # an older name
    assert place_of("Asia/Calcutta").country == "IN"
    assert place_of("UTC").country == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("十", 10),
        ("二十三", 23),
        ("一百零五", 105),
        ("二〇二六", 2026),
        ("两千", 2000),
        ("零五", 5),
        ("三四", None),
        ("一两", None),
    ],
)
def test_chinese_numerals_are_read_or_refused(text: str, number: int | None) -> None:
    assert chinese_number(text) == number


@pytest.mark.parametrize(
    ("start", "end", "granularity", "written"),
    [
        ("2026-11-06", "2026-11-07", Granularity.DAY, "2026-11-06"),
        ("2026-11-02", "2026-11-09", Granularity.WEEK, "2026-11-02–2026-11-08"),
        ("2026-11-14T12:00", "2026-11-14T18:00", Granularity.RANGE, "2026-11-14 12:00–18:00"),
        ("2026-11-14T18:00", "2026-11-15", Granularity.RANGE, "2026-11-14 18:00–24:00"),
        ("2026-11-14T15:30", "2026-11-14T15:31", Granularity.INSTANT, "2026-11-14 15:30"),
        ("2026-11-13T22:00", "2026-11-15T22:00", Granularity.RANGE, "2026-11-13 22:00–2026-11-15 22:00"),
        ("2026-03-01", "2026-04-01", Granularity.MONTH, "2026-03"),
        ("2025-01-01", "2026-01-01", Granularity.YEAR, "2025"),
        ("1990-01-01", "2000-01-01", Granularity.RANGE, "1990–1999"),
    ],
)
def test_range_is_written_the_short_way(start: str, end: str, granularity: Granularity, written: str) -> None:
    zone = ZoneInfo(OSLO)
    span = TimeRange(
        start=datetime.fromisoformat(start).replace(tzinfo=zone),
        end=datetime.fromisoformat(end).replace(tzinfo=zone),
        granularity=granularity,
    )
    assert format_range(span) == written


_WORDS = (
    "last next this in on at the of from to between and before after ago Friday May march 5th 12 2026 9:30 noon "
    "half past week weeks days month early end Christmas tonight tomorrow we met will every , . - – [2026-11-06] "
    "[2026-03] 's 9999 0001 31 05/06/2026 上 下 个 周五 月 底 前 后 三 点 半 年 号 两 的 了 春节 晚上 明天 第 到"
)
_PIECES = st.lists(st.sampled_from(_WORDS.split()), max_size=14)
_PHRASES = _PIECES.map(" ".join) | _PIECES.map("".join)
_ANCHORS = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


@settings(deadline=None)
@given(text=_PHRASES | st.text(max_size=60), anchor=_ANCHORS, timezone=st.sampled_from(ZONES))
def test_any_text_gives_aware_forward_ranges_and_never_raises(text: str, anchor: datetime, timezone: str) -> None:
    spans = [mention.range for mention in find_mentions(text, anchor, timezone)]
    whole = resolve_expression(text, anchor, timezone)
    for span in [*spans, *([whole] if whole else [])]:
        assert span.start.utcoffset() is not None
        assert span.end.utcoffset() is not None
        assert span.start.astimezone(UTC) < span.end.astimezone(UTC)


@settings(deadline=None)
@given(text=_PHRASES | st.text(max_size=60), anchor=_ANCHORS, timezone=st.sampled_from(ZONES))
def test_annotating_twice_changes_nothing_more(text: str, anchor: datetime, timezone: str) -> None:
    once = annotate(text, anchor, timezone)
    assert annotate(once, anchor, timezone) == once


@given(
    anchor=st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2100, 1, 1)), timezone=st.sampled_from(ZONES)
)
def test_last_friday_is_before_today_and_the_nearest(anchor: datetime, timezone: str) -> None:
    said_at = anchor.replace(tzinfo=UTC)
    found = resolve_expression("last Friday", said_at, timezone)
    assert found is not None
    today = said_at.astimezone(ZoneInfo(timezone)).date()
    assert timedelta(days=1) <= today - found.start.date() <= timedelta(days=7)
    assert found.start.weekday() == 4


@pytest.mark.slow
@pytest.mark.parametrize("piece", ["We met last Friday at nine, he said. ", "日", "3-4-", "1 ", "a@", "周", "2026-"])
def test_time_taken_grows_with_the_text_and_not_faster(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * (length // len(piece) + 1))[:length]
        started = time.perf_counter()
        find_mentions(text, FRIDAY, OSLO)
        return time.perf_counter() - started

    seconds(1_000)
    small, large = seconds(10_000), seconds(80_000)
    assert large < 25 * small + 0.5
