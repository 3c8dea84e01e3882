"""Truth and questions made from what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mirix_desktop.days.gold import PrivateSighting, Sighting, accepted, answerable, choose, is_glance, qa_pairs, truth
from mirix_desktop.days.shapes import Fact, Question, Secret, Step, Story, View

START = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
FACTS = (
    Fact(id="f1", subject="loft", attribute="price", value="£31.20", valid_from=""),
    Fact(id="f2", subject="loft", attribute="price", value="£27.80", valid_from="noon", supersedes="f1"),
    Fact(id="f3", subject="ferry", attribute="pier", value="pier 6", valid_from=""),
)
STORY = Story(
    seed=3,
    student="Ada Pell",
    facts=FACTS,
    secrets=(Secret(id="s1", kind="pin", value="551720"),),
    private=(),
    steps=(Step(view=View(window="main", app="mail", title=""), seconds=5, scene="", at=START),),
    questions=(
        Question(text="What does the loft cost now?", answers=("£27.80",), kind="update", facts=("f2",), older=("f1",)),
        Question(text="From which pier?", answers=("pier 6",), kind="single", facts=("f3",)),
        Question(text="When did I see the pier?", answers=("",), kind="temporal", facts=("f3",), is_first_seen=True),
        Question(text="What is the PIN?", answers=("unknown",), kind="vault"),
    ),
    themes={},
)


def seen(identity: str, minute: int, *, seconds: float = 10, font_px: float = 14) -> Sighting:
    return Sighting(
        file=f"{minute}.png",
        at=START + timedelta(minutes=minute),
        seconds=seconds,
        id=identity,
        text="as it stood",
        box=(minute, 2, minute + 40, 20),
        font_px=font_px,
    )


def test_a_fact_that_is_seen_shortly_or_in_tiny_letters_is_a_glance() -> None:
    assert is_glance([seen("f3", 1, seconds=1.5)])
    assert is_glance([seen("f3", 1, font_px=8)])
    assert not is_glance([seen("f3", 1, seconds=1.5), seen("f3", 2, seconds=1.5)])


def test_a_fact_that_stands_twice_on_a_shot_is_not_seen_for_longer() -> None:
    assert is_glance([seen("f3", 1, seconds=1.5), seen("f3", 1, seconds=1.5)])


def test_nobody_is_asked_for_what_was_not_seen() -> None:
    assert [q.text for q in answerable(STORY, [seen("f2", 1), seen("f1", 0)])] == [
        "What does the loft cost now?",
        "What is the PIN?",
    ]


def pairs(sightings: list[Sighting]) -> list[dict[str, Any]]:
    told: Any = qa_pairs(STORY, STORY.questions, sightings)["qa_pairs"]
    return list(told)


def test_the_evidence_of_an_update_are_the_shots_with_the_newest_value() -> None:
    told = pairs([seen("f1", 1), seen("f1", 2), seen("f2", 2), seen("f2", 3), seen("f3", 4)])
    assert told[0]["evidence"] == ["2.png", "3.png"]
    assert told[0]["older"] == ["1.png"]
    assert told[0]["boxes"] == {"2.png": [(2, 2, 42, 20)], "3.png": [(3, 2, 43, 20)]}


def test_when_something_was_seen_first_is_read_from_the_shots() -> None:
    told = pairs([seen("f1", 1), seen("f2", 2), seen("f3", 9), seen("f3", 7)])
    assert told[2]["answer"] == "09:12"
    assert "9:12 AM" in told[2]["answers"]


def test_times_and_amounts_may_be_written_in_other_ways() -> None:
    assert accepted("13:40") == ["13:40", "13:40", "1:40 PM"]
    assert accepted("00:05")[2] == "12:05 AM"
    assert accepted("£1,712.35") == ["£1,712.35", "1,712.35", "1712.35"]
    assert accepted("platform 4") == ["platform 4"]


def test_a_question_without_an_answer_has_no_evidence() -> None:
    told = pairs([seen("f1", 1), seen("f2", 2), seen("f3", 9)])[3]
    assert (told["answer"], told["evidence"], told["boxes"]) == ("unknown", [], {})


def test_the_truth_tells_secrets_and_private_parts_by_shot() -> None:
    told: Any = truth(
        STORY, [seen("s1", 4), seen("f3", 4)], [PrivateSighting(file="5.png", box=(0, 0, 9, 9), marker="x")]
    )
    assert told["secrets"] == [{"kind": "pin", "value": "551720", "shots": [{"file": "4.png", "box": (4, 2, 44, 20)}]}]
    assert told["private"] == [{"file": "5.png", "box": (0, 0, 9, 9), "marker": "x"}]
    assert [fact["id"] for fact in told["facts"]] == ["f3"]


def test_a_few_questions_are_of_as_many_kinds_as_can_be() -> None:
    many = [replace(STORY.questions[1], text=f"{number}") for number in range(20)]
    chosen = choose([*many, STORY.questions[0], STORY.questions[3]], 3)
    assert {question.kind for question in chosen} == {"single", "update", "vault"}


def test_few_questions_ask_for_what_nobody_may_know() -> None:
    many = [replace(STORY.questions[3], text=f"{number}") for number in range(9)]
    chosen = choose([*many, STORY.questions[0]], 10)
    assert [question.kind for question in chosen].count("vault") == 2
    assert len(chosen) == 3


def test_the_truth_names_the_shots_on_which_nothing_new_was_shown() -> None:
    again = replace(STORY.steps[0], at=START + timedelta(seconds=5), is_repeat=True)
    assert truth(replace(STORY, steps=(*STORY.steps, again)), [], [])["repeats"] == ["20260302_090505.png"]
