from __future__ import annotations

from typing import Any

import pytest

from mirix.evaluation.lifelog import Person, Turn, evaluate_lifelog, sessions_of
from mirix.evaluation.metrics import Share
from mirix.system import AsyncMirix
from tests.evaluation.conftest import BROKEN


def turn(name: str, at: str, text: str) -> dict[str, str]:
    return {"id": name, "at": f"2026-03-{at}:00+01:00", "role": "user", "name": "Ida", "text": text}


def question(name: str, text: str, answers: list[str], evidence: list[str], kind: str) -> dict[str, Any]:
    asked_at = "2026-04-01T10:00:00+02:00"
    return {
        "id": name,
        "asked_at": asked_at,
        "question": text,
        "answers": answers,
        "evidence": evidence,
        "type": kind,
    }


def person(**given: Any) -> Person:
    values: dict[str, Any] = {
        "persona": "Ida, who rows",
        "lang": "en",
        "timezone": "Europe/Oslo",
        "messages": [
            turn("m1", "02T09:00", "My brother is the harbour pilot of Mandal."),
            turn("m2", "02T09:10", "The wifi password here is Quartz-Lintel-58."),
            turn("m3", "03T09:00", "No gluten for me, please."),
        ],
        "questions": [
            question("q1", "Of which town is my brother the pilot?", ["Mandal"], ["m1"], "single"),
            question("q2", "What is the wifi password?", ["Quartz-Lintel-58"], ["m2"], "vault"),
            question("q3", "What is my aunt called?", ["unknown"], [], "abstain"),
            question("q4", "What must I not eat?", ["gluten"], ["m3"], "preference"),
        ],
    }
    return Person.model_validate(values | given)


def test_a_pause_over_half_an_hour_ends_a_session() -> None:
    times = ("02T09:00", "02T09:30", "02T10:01", "03T10:01")
    turns = [Turn.model_validate(turn(at, at, "…")) for at in times]
    assert [[each.id for each in session] for session in sessions_of(turns)] == [
        ["02T09:00", "02T09:30"],
        ["02T10:01"],
        ["03T10:01"],
    ]


async def test_answers_and_evidence_are_judged_beside_bm25(memory: AsyncMirix) -> None:
    report = await evaluate_lifelog(memory, [person()])
    by_id = {each["id"]: each for each in report.items}
    assert by_id["q1"]["right"] and by_id["q1"]["evidence_ranks"] == {"m1": 1}
    assert "Quartz-Lintel-58" in by_id["q2"]["answer"] and by_id["q2"]["right"]
    assert not by_id["q3"]["claimed"] and by_id["q3"]["right"]
    assert report.metrics["answer_accuracy"] == Share(value=1.0, n=3)
    assert report.metrics["wrong_rate"] == Share(value=0.0, n=3)
    assert report.metrics["evidence_recall@10"] == Share(value=1.0, n=3)
    assert report.groups["type"]["abstain"]["evidence_recall@10"] == Share(value=None, n=0)
    bm25 = report.baselines["bm25"]
    assert bm25.groups["type"]["single"]["answer_accuracy"] == Share(value=1.0, n=1)
    assert bm25.groups["person"]["0 (en)"]["evidence_recall@10"].n == 3


async def test_a_memory_counts_as_its_messages_in_its_place(memory: AsyncMirix) -> None:
    report = await evaluate_lifelog(memory, [person()], limit=1)
    assert len(report.items) == 1
    [asked] = report.items
    assert asked["evidence_ranks"] == {"m1": 1}
    assert asked["shown"] == ["m1"]


async def test_people_have_memories_of_their_own(memory: AsyncMirix) -> None:
    other = person(
        lang="zh",
        messages=[turn("m1", "02T09:00", "小猫叫螺丝。")],
        questions=[
            question("q1", "小猫叫什么?", ["螺丝"], ["m1"], "single"),
            question("q2", "Of which town is my brother the pilot?", ["unknown"], [], "abstain"),
        ],
    )
    report = await evaluate_lifelog(memory, [person(), other])
    assert [each["right"] for each in report.items if each["person"] == 1] == [True, True]


@pytest.mark.parametrize("broken", ["messages", "questions"])
async def test_a_failing_model_is_counted_and_ends_nothing(memory: AsyncMirix, broken: str) -> None:
    sample = person()
    if broken == "messages":
        sample.messages[2] = Turn.model_validate(turn("m3", "03T09:00", BROKEN))
    else:
        sample.questions[0] = sample.questions[0].model_copy(update={"question": BROKEN})
    report = await evaluate_lifelog(memory, [sample])
    assert report.facts["failed_sessions"] == (broken == "messages")
    assert report.metrics["failed"].value == (0.25 if broken == "questions" else 0.0)
    assert len(report.items) == 4
