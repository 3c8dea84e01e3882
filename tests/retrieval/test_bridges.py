from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib import resources

import pytest

from mirix.retrieval.bridges import MAX_PROBES, bridge, probes_of_the_table
from mirix.retrieval.latest import Latest

FRIDAY = datetime(2026, 11, 13, 10, 0, tzinfo=UTC)


def slots(turn: str) -> list[str]:
    return [each.slot for each in bridge(turn, FRIDAY, "Europe/Oslo")]


@pytest.mark.parametrize(
    ("turn", "slot"),
    [
        ("Pick something from the menu for me.", "diet"),
        ("晚饭做点什么好?", "diet"),
        ("Get me something at the café.", "drink"),
        ("帮我带杯奶茶。", "drink"),
        ("The courier is on his way.", "home"),
        ("快递要我留地址。", "home"),
        ("The guests want the WiFi.", "network"),
        ("客人要连网。", "network"),
        ("The visa form is half empty.", "documents"),
        ("签证表格还空着。", "documents"),
        ("Those boots look warm.", "clothes"),
        ("这双靴子好看。", "clothes"),
        ("Plan a gym session.", "training"),
        ("安排一次健身。", "training"),
        ("The dog looks hungry.", "pet"),
        ("狗看起来没精神。", "pet"),
    ],
)
def test_a_turn_leads_to_the_slot_it_touches(turn: str, slot: str) -> None:
    assert slot in slots(turn)


@pytest.mark.parametrize("turn", ["", "How blue it is.", "真蓝。"])
def test_a_turn_that_touches_no_slot_has_no_probes(turn: str) -> None:
    assert bridge(turn, FRIDAY, "Europe/Oslo") == []


def test_words_match_as_words_and_phrases_as_they_stand() -> None:
    assert "vehicle" not in slots("Mind the carpet.")
    assert "method" in slots("Walk me through it.")
    assert "method" not in slots("Walk with me.")


def test_a_day_that_is_named_is_searched_by_the_name_of_its_weekday() -> None:
    assert bridge("Anything on tomorrow?", FRIDAY, "Europe/Oslo")[0].text == "every Saturday"
    assert bridge("明天有什么?", FRIDAY, "Asia/Shanghai")[0].text == "每周六 周六 星期六"


def test_probes_come_in_the_language_of_the_turn_and_are_few() -> None:
    turn = "Coffee, cake, wifi, the dog, new shoes and a taxi for the wedding trip."
    probes = bridge(turn, FRIDAY, "Europe/Oslo")
    assert len(probes) == MAX_PROBES
    assert all(each.text.isascii() for each in probes)
    assert not any(each.text.isascii() for each in bridge("咖啡蛋糕无线狗鞋打车婚礼", FRIDAY, "Asia/Shanghai"))


def test_every_slot_has_both_languages_and_the_same_rule() -> None:
    text = resources.files("mirix.retrieval").joinpath("bridges.jsonl").read_text(encoding="utf-8")
    rules: dict[str, dict[str, str | None]] = {}
    for row in map(json.loads, text.splitlines()):
        assert row["turn"] and row["find"], row
        rules.setdefault(row["slot"], {})[row["lang"]] = row.get("latest")
    assert all(set(by_language) == {"en", "zh"} for by_language in rules.values())
    assert all(by_language["en"] == by_language["zh"] for by_language in rules.values())
    assert {rule for by_language in rules.values() for rule in by_language.values()} <= {None, *Latest}
    assert len(probes_of_the_table()) > 100
