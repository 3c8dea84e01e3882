"""What `mirix-desktop` does and says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner, Result

from mirix_desktop.cli import _agree, app
from mirix_desktop.control import Control, Report
from tests.desktop.conftest import Screen

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """`run("pause", "15m", code=0)`: what the command wrote; it must end with that exit code."""

    def invoke(*arguments: str, code: int = 0, **environment: str | None) -> Result:
        outside = {
            "MIRIX_DATA_DIR": str(tmp_path),
            "DISPLAY": None,
            "WAYLAND_DISPLAY": None,
            "XDG_SESSION_TYPE": None,
            "MIRIX_KEYRING": "file",
            "MIRIX_EMBEDDING_MODEL": "hash",
            "MIRIX_OCR": "tesseract",
            **environment,
        }
        result = CliRunner().invoke(app, arguments, env=outside)
        assert result.exit_code == code, result.output
        return result

    return invoke


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path / "desktop")


def test_nothing_records_until_it_is_turned_on(run: Run, screen: Screen, tmp_path: Path) -> None:
    assert "no: `mirix-desktop start`" in run("status").stdout
    assert "off until you turn it on" in run("start", code=3, DISPLAY=screen.display).output
    assert not (tmp_path / "desktop" / "agreed").exists()


def test_a_session_that_cannot_be_seen_is_told_before_anything_starts(run: Run, tmp_path: Path) -> None:
    assert "Wayland" in run("start", "--yes", code=9, WAYLAND_DISPLAY="wayland-0").output
    assert "DISPLAY is not set" in run("start", "--yes", code=9).output
    assert not (tmp_path / "cluster").exists()
    assert not (tmp_path / "desktop" / "agreed").exists(), "what could never be recorded is not agreed to"


def test_a_pause_holds_until_it_is_over_even_when_nothing_records(run: Run) -> None:
    assert "nothing will" in run("pause", "15m").stdout
    assert "no, and paused until" in run("status").stdout
    told = json.loads(run("status", "--json").stdout)
    assert told["paused"]
    assert datetime.fromisoformat(told["paused_until"]) > datetime.now().astimezone()
    run("resume")
    assert not json.loads(run("status", "--json").stdout)["paused"]
    assert "no pause" in run("resume").stdout


def test_a_running_recorder_is_paused_stopped_and_not_doubled(run: Run, control: Control) -> None:
    with control.recording():
        assert run("pause").stdout == "Paused, `mirix-desktop resume` ends it.\n"
        assert "paused until resumed" in run("status").stdout
        assert run("resume").stdout == "Recording again.\n"
        assert "records already" in run("start", "--yes", code=5).output
        assert json.loads(run("status", "--json").stdout)["recording"]
    assert run("stop").stdout == "Nothing records.\n"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs file modes")
def test_that_it_was_agreed_to_is_nobody_elses_business(tmp_path: Path) -> None:
    _agree(tmp_path, yes=True)
    assert (tmp_path / "agreed").stat().st_mode & 0o777 == 0o600


def test_how_often_it_looks_is_told(run: Run, control: Control) -> None:
    now = datetime.now().astimezone()
    told = Report(pid=1, source="X11 :0", user=None, started_at=now, told_at=now, doing="recording", every_s=1)
    with control.recording():
        control.tell(told)
        assert "yes, every 1 s" in run("status").stdout
        control.tell(told.model_copy(update={"doing": "away", "every_s": 30}))
        assert "only every 30 s: you touched no key" in run("status").stdout
        control.tell(told.model_copy(update={"doing": "gone"}))
        assert "no, the screen cannot be seen" in run("status").stdout


def test_what_still_has_to_be_read_is_told_when_nothing_records(run: Run, control: Control) -> None:
    now = datetime.now().astimezone()
    with control.recording():
        control.tell(Report(pid=1, source="x", user=None, started_at=now, told_at=now, doing="stopping", waiting=12))
        assert "still had to be read" not in run("status").stdout
    for verb in ("status", "stop"):
        assert "12 pictures still had to be read when it ended: `mirix-desktop start`" in run(verb).stdout
        assert json.loads(run(verb, "--json").stdout)["waiting"] == 12


@pytest.mark.parametrize("span", ["soon", "15", "25:99", "0m"])
def test_a_span_that_is_none_pauses_nothing(run: Run, span: str, control: Control) -> None:
    assert "like" in run("pause", span, code=3).output
    assert control.paused_until(datetime.now().astimezone()) is None


def test_a_wrong_setting_is_named(run: Run) -> None:
    assert "MIRIX_DESKTOP_INTERVAL_S" in run("start", code=2, MIRIX_DESKTOP_INTERVAL_S="often").output


def test_nothing_is_deleted_without_a_yes(run: Run) -> None:
    assert "--yes" in run("delete", "--last", "10m", code=3).output


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract to read pictures")
def test_a_folder_is_replayed_found_and_deleted(run: Run, owner_url: str, empty: None, tmp_path: Path) -> None:
    font = ImageFont.load_default(size=36)
    folder = tmp_path / "day"
    folder.mkdir()
    moment = datetime.now().astimezone().replace(microsecond=0)
    image = Image.new("RGB", (800, 200), "white")
    ImageDraw.Draw(image).text((30, 60), "The ferry leaves at 16:40", fill="black", font=font)
    image.save(folder / f"{moment:%Y%m%d_%H%M%S}.png")
    done = json.loads(run("start", "--folder", str(folder), "--json", MIRIX_DATABASE_URL=owner_url).stdout)
    assert (done["seen"], done["kept"], done["searchable"]) == (1, 1, 1)
    gone = json.loads(run("delete", "--last", "10m", "--yes", "--json", MIRIX_DATABASE_URL=owner_url).stdout)
    assert gone["pictures"] == 1
    again = run("delete", "--last", "10m", "--yes", MIRIX_DATABASE_URL=owner_url)
    assert again.stdout.endswith(": nothing.\n")
