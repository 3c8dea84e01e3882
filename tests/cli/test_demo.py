from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from mirix.cli import app
from mirix.cli.demo import STORY, Entry, Question, batches_of, demo_settings, read_story
from mirix.config import Settings


def test_story_is_whole() -> None:
    week = read_story(STORY / "week.jsonl", Entry)
    assert [entry.at for entry in week] == sorted(entry.at for entry in week)
    assert all(entry.text or (STORY / str(entry.image)).is_file() for entry in week)
    assert len({entry.id for entry in week}) == len(week)
    assert len(read_story(STORY / "questions.jsonl", Question)) == 6


def test_batches_are_the_talk_of_a_day_and_single_screens() -> None:
    def entry(day: int, image: str | None = None) -> Entry:
        return Entry(id="x", at=datetime(2026, 11, day), text=None if image else "Hello", image=image)

    groups = batches_of([entry(1), entry(1), entry(2), entry(2, "a.png"), entry(2, "b.png"), entry(2)])
    assert [len(group) for group in groups] == [2, 1, 1, 1, 1]


def test_demo_never_uses_the_users_own_database(tmp_path: Path) -> None:
    own = Settings(data_dir=tmp_path, database_url=SecretStr("postgresql://somewhere"), user="anna")
    settings = demo_settings(own)
    assert settings.database_url is None
    assert settings.data_dir == tmp_path / "demo"


@pytest.mark.slow
def test_demo_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {
        "MIRIX_DATA_DIR": str(tmp_path),
        "MIRIX_EMBEDDING_MODEL": "hash",
        "MIRIX_OCR": "none",
        "MIRIX_IDLE_TIMEOUT_S": "1",
    }
    result = CliRunner().invoke(app, ["demo", "--json"], env=environment)
    assert result.exit_code in (0, 1), result.output
    document = json.loads(result.stdout)
    assert document["messages"] == 43
    assert (document["asked"], len(document["answers"])) == (5, 6)  # no text is read from pictures here
    assert result.exit_code == int(document["passed"] < document["asked"])
    assert "Plum!Tundra58kettle" not in json.dumps([document["memories"], document["batches"]])
    assert not (tmp_path / "demo" / "vault.key").exists()
