from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mirix.cli import evaluate
from mirix.cli.evaluate_run import Plan
from mirix.errors import InputError, ModelError
from mirix.evaluation.answer_report import report_answers
from mirix.evaluation.answers import says_unknown
from mirix.evaluation.corpus import Conversation, Question
from mirix.evaluation.html_report import write_answer_report
from mirix.evaluation.lifelog import UNKNOWN
from mirix.evaluation.systems import Ranked
from mirix.models.embed import Embedder
from mirix.models.fake_server import FakeOpenAI, ServerReply
from tests.evaluation.ten_questions import FILE, answer_all, own_arms

ITEM = {
    "id": "a",
    "lang": "zh",
    "expression": "昨天",
    "anchor": "2026-11-13T10:00:00+01:00",
    "timezone": "Europe/Oslo",
    "start": "2026-11-12T00:00:00+01:00",
    "end": "2026-11-13T00:00:00+01:00",
    "granularity": "day",
}


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    evaluate.register(made)
    return made


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "dates.jsonl"
    path.write_text(json.dumps(ITEM, ensure_ascii=False) + "\n", encoding="utf-8")
    return str(path)


def test_figures_come_as_one_document(app: typer.Typer, file: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", "dates", file, "--json", "--items"])
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert document["by_language"]["zh"]["accuracy"] == {"value": 1.0, "n": 1}
    assert [item["right"] for item in document["items"]] == [True]


def test_figures_come_as_tables(app: typer.Typer, file: str) -> None:
    done = CliRunner().invoke(app, ["evaluate", "dates", file])
    assert "1.000 (1)" in done.stdout


@pytest.mark.parametrize("option", ["--data-dir", "--user"])
def test_an_evaluation_stays_away_from_the_users_memory(app: typer.Typer, tmp_path: Path, option: str) -> None:
    item = {"id": "a", "lang": "en", "at": ITEM["anchor"], "messages": [], "must": [], "must_not": []}
    path = tmp_path / "routing.jsonl"
    path.write_text(json.dumps(item), encoding="utf-8")
    done = CliRunner().invoke(app, ["evaluate", "routing", str(path), option, str(tmp_path / "mine")])
    assert done.exit_code == 3
    assert "of its own" in done.stderr
    assert not (tmp_path / "mine").exists()


def test_the_baseline_claims_nothing_where_it_finds_nothing() -> None:
    assert all(says_unknown(text) for text in UNKNOWN.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--judge-model", "builtin"], "cannot judge"),
        (["--model", "openai:x", "--judge-model", "openai:x"], "would judge itself"),
        (["--arms", "evidence,psychic"], "there is no arm psychic"),
        (["--ingest", "graph"], "leave --ingest out"),
    ],
)
def test_answers_that_could_not_be_trusted_are_refused_before_any_is_given(
    app: typer.Typer, tmp_path: Path, options: list[str], words: str
) -> None:
    out = tmp_path / "run"
    done = CliRunner().invoke(app, ["evaluate", "locomo", str(FILE), "--answer", "--out", str(out), *options])
    assert done.exit_code in (2, 3)
    assert words in done.stderr
    assert not out.exists()


@pytest.mark.parametrize("options", [["--answer"], []])
def test_a_system_that_is_not_there_is_told_before_anything_is_made(
    app: typer.Typer, tmp_path: Path, options: list[str]
) -> None:
    out = tmp_path / "run"
    chosen = ["--system", "no_such_module:make", "--out", str(out), *options]
    done = CliRunner().invoke(app, ["evaluate", "locomo", str(FILE), *chosen])
    assert done.exit_code == 2
    assert "no_such_module:make cannot be loaded" in done.stderr
    assert not out.exists()


def test_a_folder_without_a_run_is_not_judged(app: typer.Typer, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "judge", str(tmp_path), "--judge-model", "openai:x"])
    assert done.exit_code == 3
    assert "run.json" in done.stderr


@pytest.mark.parametrize(("questions", "options"), [([], ["--answer"]), ([], []), ([9, 10], [])])
def test_a_file_on_which_nothing_can_be_measured_is_refused_before_anything_is_made(
    app: typer.Typer, tmp_path: Path, questions: list[int], options: list[str]
) -> None:
    (sample,) = json.loads(FILE.read_text(encoding="utf-8"))
    sample["qa"] = [sample["qa"][number - 1] for number in questions]
    path, out = tmp_path / "items.json", tmp_path / "run"
    path.write_text(json.dumps([sample]), encoding="utf-8")
    done = CliRunner().invoke(app, ["evaluate", "locomo", str(path), "--out", str(out), *options])
    assert done.exit_code == 3
    assert "holds no question" in done.stderr or "nothing can be scored" in done.stderr
    assert not out.exists()


def test_an_audit_is_held_against_the_whole_file(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(json.dumps({f"keepers/{number}": {"answers": ["x"]} for number in range(1, 11)}), encoding="utf-8")
    plan = Plan(dataset="locomo", file=FILE, limit=1, questions=2, systems=(), out=None, audit=path)
    conversations, audit = plan.read()
    assert len(conversations[0].questions) == 2 and audit is not None
    path.write_text(json.dumps({"keepers/1": {"answers": ["x"]}, "keepers/11": {"answers": ["x"]}}), encoding="utf-8")
    with pytest.raises(InputError, match="keepers/11"):
        plan.read()


def test_an_audit_that_cannot_be_read_is_named(app: typer.Typer, tmp_path: Path) -> None:
    missing = str(tmp_path / "audit.json")
    done = CliRunner().invoke(app, ["evaluate", "locomo", str(FILE), "--audit", missing])
    assert done.exit_code == 3
    assert "audit.json" in done.stderr


def test_answers_are_judged_again_from_their_folder(app: typer.Typer, tmp_path: Path) -> None:
    asyncio.run(answer_all(tmp_path, arms=own_arms()[:1]))
    with FakeOpenAI(lambda request: ServerReply(text="CORRECT")) as server:
        options = ["--judge-model", "openai:judge", "--runs", "1", "--model-base-url", server.base_url, "--json"]
        done = CliRunner().invoke(app, ["evaluate", "judge", str(tmp_path), *options])
        assert done.exit_code == 0, done.stderr
        report = json.loads(done.stdout)
        assert len(server.chat_requests) == (8 + 24) * 2
    assert report["arms"]["full"]["strict"]["mean"] == 1.0
    assert not report["controls"]["judge"]["strict"]["is_trusted"]  # it approves of everything
    assert "not to be trusted" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_a_judge_that_never_answers_leaves_the_earlier_report(app: typer.Typer, tmp_path: Path) -> None:
    folder = asyncio.run(answer_all(tmp_path, arms=own_arms()[:1]))
    write_answer_report(report_answers(folder), tmp_path)
    before = (tmp_path / "report.json").read_bytes()
    with FakeOpenAI(lambda request: ServerReply(status=404)) as server:
        options = ["--judge-model", "openai:bad", "--model-base-url", server.base_url]
        done = CliRunner().invoke(app, ["evaluate", "judge", str(tmp_path), *options])
        assert len(server.chat_requests) < 20
    assert done.exit_code == ModelError.exit_code
    assert "first 5 verdicts" in done.stderr and "is not there (404)" in done.stderr
    assert (tmp_path / "report.json").read_bytes() == before


class Usurper:
    """A system that calls itself by the name of an arm."""

    name = "both"

    async def ingest(self, conversation: Conversation) -> None:
        raise AssertionError("nothing may be told to it")

    async def search(self, conversation: Conversation, question: Question) -> Ranked:
        raise AssertionError("nothing may be asked of it")


def usurp(embedder: Embedder | None) -> Usurper:
    return Usurper()


@pytest.mark.slow
def test_a_system_may_not_call_itself_like_an_arm(app: typer.Typer, tmp_path: Path) -> None:
    options = ["--answer", "--arms", "none", "--system", f"{__name__}:usurp", "--embedding-model", "hash"]
    out = tmp_path / "run"
    done = CliRunner().invoke(app, ["evaluate", "locomo", str(FILE), "--out", str(out), *options])
    assert done.exit_code == 3, done.stderr
    assert "the arm both is there twice" in done.stderr
