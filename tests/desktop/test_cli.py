"""What `mirix-desktop` does and says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from typer.testing import CliRunner, Result

from mirix_desktop.cli import app
from mirix_desktop.control import Control

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


def test_nothing_records_until_it_is_turned_on(run: Run) -> None:
    assert "no: `mirix-desktop start`" in run("status").stdout
    assert "off until you turn it on" in run("start", code=3).output


def test_a_session_that_cannot_be_seen_is_told_before_anything_starts(run: Run, tmp_path: Path) -> None:
    assert "Wayland" in run("start", "--yes", code=9, WAYLAND_DISPLAY="wayland-0").output
    assert "DISPLAY is not set" in run("start", "--yes", code=9).output
    assert not (tmp_path / "cluster").exists()


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


@pytest.mark.parametrize("span", ["soon", "15", "25:99"])
def test_a_span_that_is_none_pauses_nothing(run: Run, span: str, control: Control) -> None:
    run("pause", span, code=3)
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
