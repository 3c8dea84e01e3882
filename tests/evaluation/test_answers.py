from __future__ import annotations

from datetime import datetime

import pytest

from mirix.evaluation.answers import Verdict, judge, says_unknown, words

ASKED_AT = datetime.fromisoformat("2026-05-20T10:00:00+02:00")


def verdict(
    answer: str, *accepted: str, verbatim: bool = False, stepwise: bool = False, has_answer: bool = True
) -> Verdict:
    return judge(
        answer,
        accepted,
        asked_at=ASKED_AT,
        timezone="Europe/Oslo",
        is_chinese=any("一" <= character <= "鿿" for character in answer),
        verbatim=verbatim,
        stepwise=stepwise,
        has_answer=has_answer,
    )


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("She mends the sails of the Sorrel. [1]", "mends sails of Sorrel"),
        ("It cost $1,250 in all [2].", "1250"),
        ("He is a LUTHIER [1][3]", "a luthier"),
        ("他今年三十四岁。[1]", "34岁"),
        ("宽零点三毫米 [2]", "零点三毫米"),
        ("每周四早八点集合。", "周四早八点"),
    ],
)
def test_an_accepted_answer_may_stand_anywhere_in_a_short_answer(answer: str, accepted: str) -> None:
    assert verdict(answer, "something else", accepted).right


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It cost 1,600 crowns.", "160"),
        ("The painter came.", "pain"),
        ("他住在三楼。", "十三楼"),
        ("The Glass Pier", "The Glass Piers"),
    ],
)
def test_part_of_a_word_or_number_is_no_answer(answer: str, accepted: str) -> None:
    assert not verdict(answer, accepted).right


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It began on the 3rd of March. [1]", "2026-03-03"),
        ("2026-03-03", "3 March 2026"),
        ("March 3rd, 2026", "3 March 2026"),
        ("三月三号开始的 [1]", "2026年3月3日"),
        ("2026年3月3日", "3月3日"),
    ],
)
def test_dates_are_compared_as_dates(answer: str, accepted: str) -> None:
    assert verdict(answer, accepted).right


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It began on the 4th of March.", "2026-03-03"),
        ("3 March 2025", "3 March 2026"),
        ("It began last Friday.", "15 May 2026"),
        ("Sometime in March 2026", "3 March 2026"),
        ("3 March 2026", "Ida Moe, 3 March 2026"),
    ],
)
def test_another_date_is_wrong(answer: str, accepted: str) -> None:
    assert verdict(answer, accepted).wrong


def test_a_long_answer_is_not_right() -> None:
    assert verdict(" ".join(["word"] * 24) + " Bergen", "Bergen").right
    assert verdict(" ".join(["word"] * 25) + " Bergen", "Bergen").wrong
    assert verdict("船" * 38 + "卑尔", "卑尔").right
    assert verdict("船" * 40 + "卑尔", "卑尔").wrong


def test_what_is_kept_verbatim_is_compared_character_for_character() -> None:
    assert verdict("It is quartz-Lintel-5. [1]", "quartz-Lintel-5", verbatim=True).right
    assert not verdict("Quartz lintel 5", "quartz-Lintel-5", verbatim=True).right
    assert not verdict("quartz-Lintel-526", "quartz-Lintel-5", verbatim=True).right


STEPS = "warm the pot, add two spoons of size, stir for ten minutes"


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("1. Warm the pot 2. Add two spoons of size 3. Stir it for ten minutes [1]", STEPS),
        ("First warm the glue pot; then add in two big spoons of size; stir for ten minutes.", STEPS),
        ("先把锅温热，然后加两勺胶，再搅十分钟", "温热锅，加两勺胶，搅十分钟"),
    ],
)
def test_a_procedure_is_right_with_all_steps_in_whatever_words(answer: str, accepted: str) -> None:
    assert verdict(answer, accepted, stepwise=True).right
    assert not verdict(answer, accepted).right


@pytest.mark.parametrize(
    "answer",
    [
        "Add two spoons of size, warm the pot, stir for ten minutes",
        "Warm the pot, stir for ten minutes",
        "Warm the pot, add two spoons of size, then wait",
        "Warm the pot, " + "and so on " * 25 + "add two spoons of size, stir for ten minutes",
    ],
    ids=["another order", "one left out", "another last step", "too long"],
)
def test_a_procedure_without_a_step_or_its_order_is_wrong(answer: str) -> None:
    assert verdict(answer, STEPS, stepwise=True).wrong


@pytest.mark.parametrize(
    "text",
    [
        "I don't know.",
        "I do not know that.",
        "Sorry, I can't say. What I found: …",
        "我不知道。",
        "抱歉，我没有相关记录。",
        "Not known.",
    ],
)
def test_saying_that_it_is_not_known_claims_nothing(text: str) -> None:
    assert says_unknown(text)
    assert verdict(text, "Bergen") == Verdict(claimed=False, right=False, f1=0.0)


@pytest.mark.parametrize("text", ["She is an unknown painter.", "The unknowns won.", "他是不知名的画家。"])
def test_an_answer_may_speak_of_the_unknown(text: str) -> None:
    assert not says_unknown(text)


def test_where_nothing_was_said_only_not_knowing_is_right() -> None:
    assert verdict("我不知道。", "unknown", has_answer=False) == Verdict(claimed=False, right=True, f1=1.0)
    assert verdict("Unknown painters, I think.", "unknown", has_answer=False).right is False
    assert verdict("Her name is Ida. [1]", "unknown", has_answer=False).wrong


def test_words_leave_out_articles_and_punctuation() -> None:
    assert words("The Anna's boat: 12,500 kg!") == ["anna", "boat", "12500", "kg"]
    assert words("四百零六页") == ["406", "页"]
