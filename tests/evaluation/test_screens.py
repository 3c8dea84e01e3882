from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from mirix.cli import evaluate
from mirix.errors import InputError
from mirix.evaluation.lifelog import Question
from mirix.evaluation.metrics import Share
from mirix.evaluation.screens import Screen, batches_of, evaluate_screens
from mirix.ingest.evidence import BATCH_MESSAGES
from mirix.system import AsyncMirix


def screen(name: str, at: str, text: str = "…", app: str = "Mail") -> Screen:
    return Screen.model_validate({"id": name, "at": f"2026-03-02T{at}+01:00", "app": app, "title": app, "text": text})


def question(name: str, text: str, answers: list[str], evidence: list[str], kind: str) -> Question:
    values: dict[str, Any] = {"id": name, "asked_at": "2026-03-02T20:00:00+01:00", "question": text}
    return Question.model_validate(values | {"answers": answers, "evidence": evidence, "type": kind})


SCREENS = [
    screen("s1", "09:00:00", "The harbour pilot sails from Mandal."),
    screen("s2", "09:01:00", "guest wifi password: Quartz-Lintel-58", app="Notes"),
    screen("s3", "09:02:00", "小猫叫螺丝。", app="聊天"),
]
QUESTIONS = [
    question("q1", "Of which town is the pilot?", ["Mandal"], ["s1"], "single"),
    question("q2", "What is the wifi password?", ["Quartz-Lintel-58"], ["s2"], "vault"),
    question("q3", "小猫叫什么?", ["螺丝"], ["s3"], "single"),
    question("q4", "What is my aunt called?", ["unknown"], [], "abstain"),
]


def test_a_batch_ends_with_its_number_its_minutes_or_its_application() -> None:
    many = [screen(f"s{n}", f"09:00:{n:02}") for n in range(BATCH_MESSAGES + 1)]
    assert [len(batch) for batch in batches_of(many)] == [BATCH_MESSAGES, 1]
    late = [screen("a", "09:00:00"), screen("b", "09:05:00"), screen("c", "09:05:01")]
    assert [[each.id for each in batch] for batch in batches_of(late)] == [["a", "b"], ["c"]]
    other = [screen("a", "09:00:00"), screen("b", "09:00:01", app="Chat"), screen("c", "09:00:02")]
    assert [[each.id for each in batch] for batch in batches_of(other)] == [["a"], ["b"], ["c"]]


async def test_screens_are_answered_beside_bm25_by_type(memory: AsyncMirix) -> None:
    report = await evaluate_screens(memory, SCREENS, QUESTIONS)
    by_id = {each["id"]: each for each in report.items}
    assert by_id["q1"]["right"] and by_id["q1"]["evidence_ranks"] == {"s1": 1}
    assert by_id["q2"]["right"] and "Quartz-Lintel-58" in by_id["q2"]["answer"]
    assert by_id["q3"]["right"]
    assert report.metrics["recall@5"] == report.metrics["recall@10"] == Share(value=1.0, n=3)
    assert report.metrics["mrr"] == Share(value=1.0, n=3)
    assert report.metrics["answer_accuracy"] == Share(value=1.0, n=4)
    assert report.metrics["abstained"] == Share(value=0.25, n=4)
    assert report.groups["type"]["abstain"]["recall@10"] == Share(value=None, n=0)
    assert report.baselines["bm25"].metrics["mrr"] == Share(value=1.0, n=3)
    assert report.facts["batches"] == 3
    assert report.facts["answering"]["model_calls"] >= 4


async def test_screens_are_evidence_seen_on_a_screen(memory: AsyncMirix) -> None:
    await evaluate_screens(memory, SCREENS, QUESTIONS[:1])
    [first, *_] = await memory.messages("screens", user_id="screens")
    assert (first.source_kind, first.trust, first.application, first.title) == ("screen", 1, "Mail", "Mail")
    assert first.at == SCREENS[0].at


async def test_evidence_that_is_no_screen_is_an_input_error(memory: AsyncMirix) -> None:
    with pytest.raises(InputError, match="'q1' names the evidence 's9'"):
        await evaluate_screens(memory, SCREENS, [question("q1", "Who?", ["Ida"], ["s9"], "single")])
    with pytest.raises(InputError, match="two screens have the id 's1'"):
        await evaluate_screens(memory, [SCREENS[0], SCREENS[0]], QUESTIONS[:1])


def test_a_bad_line_is_named_before_anything_starts(tmp_path: Path) -> None:
    screens, questions = tmp_path / "screens.jsonl", tmp_path / "questions.jsonl"
    screens.write_text(SCREENS[0].model_dump_json() + '\n{"id": "s2"}\n', encoding="utf-8")
    questions.write_text(QUESTIONS[0].model_dump_json() + "\n", encoding="utf-8")
    app = Typer()
    evaluate.register(app)
    done = CliRunner().invoke(app, ["evaluate", "screens", str(screens), str(questions), "--json"])
    assert done.exit_code == 3
    assert "screens.jsonl line 2: at" in done.stderr


@pytest.mark.slow
def test_figures_come_as_one_document(tmp_path: Path) -> None:
    screens, questions = tmp_path / "screens.jsonl", tmp_path / "questions.jsonl"
    screens.write_text("\n".join(each.model_dump_json() for each in SCREENS), encoding="utf-8")
    questions.write_text("\n".join(each.model_dump_json() for each in QUESTIONS), encoding="utf-8")
    app = Typer()
    evaluate.register(app)
    arguments = ["evaluate", "screens", str(screens), str(questions), "--json", "--embedding-model", "hash"]
    done = CliRunner().invoke(app, arguments)
    document = json.loads(done.stdout)
    assert document["recall@10"]["n"] == 3
    assert document["baselines"]["bm25"]["recall@10"]["value"] == 1.0
    assert set(document["by_type"]) == {"single", "vault", "abstain"}
