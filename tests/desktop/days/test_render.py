"""A few shots of a day, on a real screen with real programs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mirix.errors import CaptureError
from mirix_desktop.days.render import render_day
from mirix_desktop.days.screen import NEEDED
from mirix_desktop.days.shapes import Step, Story
from mirix_desktop.days.story import write_story
from mirix_desktop.folder import FolderSource

pytestmark = pytest.mark.slow


def some_steps(story: Story) -> list[Step]:
    """One of each window, in the order of the day, and what comes after the private ones."""
    wanted = ["main", "side", "terminal", "vault", "notes", "private"]
    chosen: list[Step] = []
    for step in story.steps:
        if (wanted and step.view.window == wanted[0]) or (step.closes and step.closes[0] == chosen[-1].view.window):
            chosen.append(step)
            wanted = [name for name in wanted if name != step.view.window]
    return chosen


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Story]:
    missing = [name for name in NEEDED if shutil.which(name) is None]
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        missing.append("playwright")
    if missing:
        pytest.skip(f"needs {', '.join(missing)} to render a day")
    whole = write_story(6)
    story = Story(**{**vars(whole), "steps": tuple(some_steps(whole))})
    folder = tmp_path_factory.mktemp("days") / "day"
    render_day(story, folder, questions=5)
    return folder, story


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_the_recording_replays_with_the_times_of_the_story(day: tuple[Path, Story]) -> None:
    folder, story = day
    source = FolderSource(folder)
    shots = [source.grab()[0] for _ in story.steps]
    assert [shot.at for shot in shots] == [step.at for step in story.steps]
    assert all(shot.image.size == (1920, 1080) and shot.windows for shot in shots)
    assert source.grab() == []


def test_the_active_window_is_the_one_the_story_works_in(day: tuple[Path, Story]) -> None:
    folder, story = day
    programs = {"main": "Chromium", "side": "Chromium", "private": "Chromium", "terminal": "XTerm", "notes": "Mousepad"}
    source = FolderSource(folder)
    for step in story.steps:
        (shot,) = source.grab()
        assert shot.active is not None
        assert shot.active.application == {**programs, "vault": "KeePassXC"}[step.view.window]


def test_there_is_ink_in_the_box_of_every_fact(day: tuple[Path, Story]) -> None:
    folder, _ = day
    sightings = [shot for fact in read(folder, "truth.json")["facts"] for shot in fact["shots"]]
    assert len(sightings) >= 4
    for sighting in sightings:
        with Image.open(folder / sighting["file"]) as image:
            grey = np.asarray(image.convert("L").crop(sighting["box"]), dtype=int)
        assert np.ptp(grey) > 80, sighting


def test_private_windows_are_told_with_words_of_theirs(day: tuple[Path, Story]) -> None:
    folder, story = day
    private = read(folder, "truth.json")["private"]
    shown = [f"{step.at:%Y%m%d_%H%M%S}.png" for step in story.steps if step.view.window in ("private", "vault")]
    assert sorted({part["file"] for part in private}) == shown
    assert {part["marker"] for part in private if part["marker"]} <= {word.text for word in story.private}


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    if any(shutil.which(name) is None for name in NEEDED):
        pytest.skip("needs the programs of a day")
    (tmp_path / "mine.txt").touch()
    with pytest.raises(CaptureError, match="not empty"):
        render_day(write_story(1, 1), tmp_path, questions=0)
