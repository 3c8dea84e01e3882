from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mirix.cli import evaluate
from mirix.evaluation.answers import says_unknown
from mirix.evaluation.lifelog import UNKNOWN

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
