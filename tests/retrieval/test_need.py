from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirix.retrieval.need import needs_memory

TURNS = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures" / "needs.jsonl").read_text(encoding="utf-8").splitlines()
]
# The form does not tell everything: a plan may be asked for like a fact.
MOST_WRONG = 0.05


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("needs", [True, False])
def test_the_form_of_a_turn_tells_whether_it_needs_memory(lang: str, needs: bool) -> None:
    turns = [turn["turn"] for turn in TURNS if turn["lang"] == lang and turn["needs"] == needs]
    wrong = [turn for turn in turns if needs_memory(turn) != needs]
    assert len(turns) >= 40
    assert len(wrong) <= MOST_WRONG * len(turns), wrong


@pytest.mark.parametrize("turn", ["", "…", "?!", "👍"])
def test_nothing_said_needs_nothing(turn: str) -> None:
    assert not needs_memory(turn)


@pytest.mark.parametrize("turn", ["Would Henrike like a ukulele?", "尤里卡喜欢尤克里里吗?"])
def test_a_question_about_somebody_the_memory_knows_needs_it(turn: str) -> None:
    assert not needs_memory(turn)
    assert needs_memory(turn, ["Henrike", "尤里卡"])


def test_a_text_that_is_given_needs_nothing_though_it_speaks_of_the_user() -> None:
    assert not needs_memory("Translate this into German: my flat is too small.")
    assert needs_memory("Translate my letter to the landlord.")


def test_who_asks_decides_whether_a_question_is_the_users() -> None:
    assert not needs_memory("My niece asks why cats purr.")
    assert needs_memory("The courier asks which floor.")
    assert not needs_memory("小外甥问猫为什么打呼噜。")
    assert needs_memory("快递员问几楼。")
    assert not needs_memory("My cousin's neighbour is thinking of a parrot, what do parrots eat?")
    assert not needs_memory("我表姐的同事想养鹦鹉,一般吃什么?")


def test_what_is_to_be_done_is_a_need_though_a_question_stands_in_it() -> None:
    assert needs_memory("Pop the herring on the list, which boat does it come with?")
    assert needs_memory("A text to Severin asking how the new bakery is doing.")
    assert needs_memory("奖金怎么用,列个单子。")
    assert not needs_memory("光合作用是什么?")


def test_sums_and_translations_need_nothing() -> None:
    assert not needs_memory("三乘以一百二十等于几")
    assert not needs_memory("Translate 'soup of the evening' into Welsh.")
