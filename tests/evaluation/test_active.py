from __future__ import annotations

from typing import Any

import pytest

from mirix.errors import InputError
from mirix.evaluation.active import ActiveTurn, Outcome, Shown, evaluate_active
from mirix.evaluation.metrics import Share
from mirix.system import AsyncMirix
from tests.evaluation.test_lifelog import person


def turn(**given: Any) -> ActiveTurn:
    values = {"id": "a", "person": 0, "lang": "en", "at": "2026-04-01T10:00:00+02:00", "turn": "…"}
    return ActiveTurn.model_validate(values | {"needs": [], "stale": []} | given)


def outcome(*shown: Shown, **given: Any) -> Outcome:
    return Outcome(turn=turn(**given), shown=shown, core=frozenset())


def test_only_core_memory_may_go_along_where_nothing_is_needed() -> None:
    assert not outcome().is_needless
    assert not outcome(Shown(messages=["m1"], is_core=True)).is_needless
    assert outcome(Shown(messages=["m1"])).is_needless
    assert not outcome(Shown(messages=["m1"]), needs=["m2"]).is_needless


def test_a_merged_memory_takes_as_many_places_as_it_has_messages() -> None:
    merged = Shown(messages=["m1", "m2", "m3", "m4", "m5"])
    assert outcome(merged, Shown(messages=["m6"]), needs=["m1", "m6"]).found == 0.5


@pytest.mark.parametrize(
    ("shown", "is_stale"),
    [
        ([Shown(messages=["old"])], True),
        ([Shown(messages=["new"]), Shown(messages=["old"])], True),
        ([Shown(messages=["new"]), Shown(messages=["old"], is_outdated=True)], False),
        ([Shown(messages=["old"], is_outdated=True)], True),
        ([Shown(messages=["old", "new"])], False),
        ([Shown(messages=["new"])], False),
        ([], False),
    ],
)
def test_an_old_value_is_stale_unless_marked_beside_the_new_one(shown: list[Shown], is_stale: bool) -> None:
    assert outcome(*shown, needs=["new"], stale=["old"]).is_stale is is_stale


async def test_turns_are_measured_beside_bm25(memory: AsyncMirix) -> None:
    turns = [
        turn(id="a", turn="Ring the pilot of the harbour for me", needs=["m1"]),
        turn(id="b", turn="Dinner without gluten, please", needs=["m3"]),
        turn(id="c", turn="zeppelin"),
        turn(id="d", turn="zeppelin", needs=["m1"], stale=["m3"]),
    ]
    report = await evaluate_active(memory, turns, [person()])
    assert [each["found"] for each in report.items[:2]] == [1.0, 1.0]
    assert report.metrics["recall@5"].n == 3
    assert report.metrics["needs_in_core"] == Share(value=1 / 3, n=3)
    assert report.metrics["stale_in_core"] == Share(value=1.0, n=1)
    assert report.facts["core_memory"]["0 (en)"]["lines"] == 1
    assert report.baselines["bm25"].metrics["recall@5"] == Share(value=2 / 3, n=3)
    assert report.baselines["bm25"].metrics["needless_rate"].value == 0.0


async def test_a_turn_of_nobody_is_an_input_error(memory: AsyncMirix) -> None:
    with pytest.raises(InputError, match="person 3"):
        await evaluate_active(memory, [turn(person=3)], [person()])
