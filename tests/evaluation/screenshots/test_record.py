"""A folder is recorded as far as it can be read, and what stops it is told once."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from rich.console import Console

from mirix.cli.command import Invocation
from mirix.cli.evaluate_run import progress_bars
from mirix.errors import CaptureError, ModelError
from mirix.evaluation.runner import silent
from mirix.evaluation.screenshots.record import Recording, record
from mirix.models.ocr import Line
from mirix.system import AsyncMirix


class Reads:
    """Reads nothing, or cannot."""

    name = "script"
    languages = frozenset({"en"})

    def __init__(self, error: ModelError | None = None) -> None:
        self.error = error

    def read(self, image: Image.Image) -> list[Line]:
        if self.error:
            raise self.error
        return []


async def recorded(memory: AsyncMirix, folder: Path, recogniser: Reads) -> Recording:
    user = await memory.parts.database.ensure_user("screenshots", "Europe/Oslo")
    return await record(memory, user, folder, recogniser, limit=None, rate=None, compare=False, progress=silent)


def a_picture(path: Path) -> str:
    image = Image.new("RGB", (200, 100), "white")
    ImageDraw.Draw(image).text((20, 40), "The ferry leaves at 16:40", fill="black")
    image.save(path)
    return path.name


async def test_a_broken_picture_is_left_out_with_a_warning(
    memory: AsyncMirix, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "20260601_120000.png").write_bytes(b"broken")
    name = a_picture(tmp_path / "20260601_120001.png")
    recording = await recorded(memory, tmp_path, Reads())
    assert (recording.files, len(recording.read)) == ([name], 1)
    assert "20260601_120000.png cannot be replayed" in caplog.text


async def test_a_folder_of_broken_pictures_is_an_error_and_leaves_nothing_running(
    memory: AsyncMirix, tmp_path: Path
) -> None:
    (tmp_path / "20260601_120000.png").write_bytes(b"broken")
    before = asyncio.all_tasks()
    with pytest.raises(CaptureError, match="no picture"):
        await recorded(memory, tmp_path, Reads())
    assert asyncio.all_tasks() == before


async def test_a_recogniser_that_fails_ends_it(memory: AsyncMirix, tmp_path: Path) -> None:
    a_picture(tmp_path / "20260601_120000.png")
    with pytest.raises(ModelError, match="no memory"):
        await recorded(memory, tmp_path, Reads(ModelError("no memory")))


def test_a_bar_grows_with_what_there_is_to_do() -> None:
    call = Invocation.of({"as_json": False, "debug": False})
    told = io.StringIO()
    object.__setattr__(call, "err", Console(file=told, width=100))
    with progress_bars(call) as progress:
        progress("frames read", 1, 1)
        progress("frames read", 3, 4)
    assert "3/4" in told.getvalue()
