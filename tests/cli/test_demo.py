from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from mirix.cli import app
from mirix.cli.demo import STORY, Entry, Question, batches_of, demo_settings, read_story
from mirix.cli.demo_page import page_place
from mirix.cli.page import MARKER
from mirix.config import Settings
from mirix.errors import InputError


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


def test_page_goes_where_it_was_asked_for(tmp_path: Path) -> None:
    assert page_place(tmp_path / "week.html", tmp_path / "demo") == tmp_path / "week.html"
    assert page_place(tmp_path, tmp_path / "demo") == tmp_path / "demo.html"


def test_page_of_an_earlier_demo_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "demo.html").write_text(f"<!DOCTYPE html>\n{MARKER}")
    assert page_place(tmp_path / "demo.html", tmp_path) == tmp_path / "demo.html"


def test_file_of_somebody_else_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "demo.html").write_text("My own page")
    with pytest.raises(InputError, match="no page of an earlier demo"):
        page_place(tmp_path / "demo.html", tmp_path)


def test_without_a_place_the_page_avoids_a_file_of_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert page_place(None, tmp_path / "demo") == tmp_path / "demo.html"
    (tmp_path / "demo.html").write_text("My own page")
    assert page_place(None, tmp_path / "demo") == tmp_path / "demo" / "demo.html"


def test_missing_folder_for_the_page_is_told_before_anything_is_done(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        page_place(tmp_path / "nowhere" / "week.html", tmp_path)


@pytest.mark.slow
def test_demo_runs_and_leaves_nothing_behind_but_its_page(tmp_path: Path) -> None:
    environment = {
        "MIRIX_DATA_DIR": str(tmp_path),
        "MIRIX_EMBEDDING_MODEL": "hash",
        "MIRIX_OCR": "none",
        "MIRIX_IDLE_TIMEOUT_S": "1",
    }
    result = CliRunner().invoke(app, ["demo", "--json", "--page", str(tmp_path)], env=environment)
    assert result.exit_code in (0, 1), result.output
    document = json.loads(result.stdout)
    assert document["messages"] == 43
    assert (document["asked"], len(document["answers"])) == (5, 6)  # no text is read from pictures here
    assert result.exit_code == int(document["passed"] < document["asked"])
    assert "Plum!Tundra58kettle" not in json.dumps([document["memories"], document["batches"]])
    assert not (tmp_path / "demo" / "vault.key").exists()
    page = (tmp_path / "demo.html").read_text(encoding="utf-8")
    assert document["page"] == str(tmp_path / "demo.html")
    assert "5 Heron Lane" in page
    assert "Plum!Tundra58kettle" not in page
    assert "4827#" not in page


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
def test_demo_on_a_terminal_ends_at_a_prompt(home: dict[str, str], tmp_path: Path) -> None:
    import pty

    leader, follower = pty.openpty()
    os.write(leader, b"I live in Leeds.\nWhere do I live?\n/quit\n")  # typed ahead
    environment = {**home, "MIRIX_EMBEDDING_MODEL": "hash", "MIRIX_OCR": "none", "COLUMNS": "100", "TERM": "dumb"}
    command = [sys.executable, "-m", "mirix.cli", "demo", "--page", str(tmp_path)]
    with subprocess.Popen(command, stdin=follower, stdout=follower, stderr=follower, env=environment) as run:
        os.close(follower)
        shown = b""
        try:
            while piece := os.read(leader, 10_000):
                shown += piece
        except OSError:  # how Linux tells that the other end is gone
            pass
        finally:
            os.close(leader)
    words = shown.decode()
    assert run.returncode in (0, 1)
    assert "Now you" in words
    assert "I live in Leeds. [1]" in words
    assert words.rindex("The demo's memory is gone again") > words.rindex("Now you")
