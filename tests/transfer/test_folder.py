"""A folder goes in: sorted by time, once, and without stumbling over a bad file."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from mirix.errors import InputError
from mirix.transfer.folder import time_in_name
from tests.transfer.conftest import PASSPHRASE, Home, picture

OSLO = ZoneInfo("Europe/Oslo")
MORNING = datetime(2026, 11, 13, 9, 12, 33, tzinfo=OSLO)


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("20261113_091233.png", MORNING),
        ("Screenshot_20261113-091233.jpg", MORNING),
        ("PXL_20261113_091233123.jpg", MORNING),
        ("Screenshot_20261113_091233_Chrome.png", MORNING),
        ("Screenshot 2026-11-13 at 09.12.33.png", MORNING),
        ("Screenshot 2026-11-13 at 9.12.33\u202fPM.png", MORNING.replace(hour=21)),
        ("Screenshot 2026-11-13 at 12.12.33 AM.png", MORNING.replace(hour=0)),
        ("Screenshot from 2026-11-13 09-12-33.png", MORNING),
        ("Screenshot 2026-11-13 091233.png", MORNING),
        ("屏幕截图 2026-11-13 091233.png", MORNING),
        ("截屏2026-11-13 09.12.33.png", MORNING),
        ("截屏2026-11-13 下午9.12.33.png", MORNING.replace(hour=21)),
        ("2026-11-13T09:12:33.png", MORNING),
        ("invoice 2026-11-13.pdf", None),
        ("20261332_091233.png", None),
        ("120261113_091233.png", None),
        ("notes.md", None),
        ("99990101_000000.png", None),
    ],
)
def test_the_name_of_a_screenshot_tells_its_time(name: str, at: datetime | None) -> None:
    assert time_in_name(name, OSLO) == at


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "desk"
    (place / "deep" / ".git").mkdir(parents=True)
    files = {
        "Screenshot 2026-11-13 at 09.12.33.png": picture("Tide table"),
        "deep/20261112_080000.png": picture("Ferry times"),
        "deep/plain.png": picture("No time in the name"),
        "notes.md": b"# Weir\nThe heron nests at the weir.\n",
        "broken.png": b"\x89PNG\r\n\x1a\n and then nothing",
        "empty.txt": b"",
        ".hidden.md": b"never seen",
        "deep/.git/config.txt": b"never seen",
        "song.mp3": b"never heard",
    }
    for name, content in files.items():
        (place / name).write_bytes(content)
        os.utime(place / name, (1_780_000_000, 1_780_000_000))  # May 2026
    (place / "link.md").symlink_to(tmp_path / "outside.md")
    (tmp_path / "outside.md").write_text("never followed")
    return place


def stored(owner_url: str) -> list[tuple[str, datetime]]:
    with psycopg.connect(owner_url) as conn:
        return conn.execute("SELECT title, at FROM message ORDER BY position").fetchall()


async def test_a_folder_is_added_in_order_of_time_and_bad_files_are_told(
    homes: Home, owner_url: str, folder: Path
) -> None:
    memory = await homes("desk").open()
    seen: list[tuple[int, int, str]] = []
    brought = await memory.add_folder(folder, on_progress=lambda *told: seen.append(told))
    assert (brought.added, brought.known, brought.messages) == (4, 0, 4)
    assert [problem.where for problem in brought.problems] == ["broken.png", "empty.txt"]
    may = datetime.fromtimestamp(1_780_000_000, UTC)
    assert stored(owner_url) == [
        ("plain.png", may),
        ("notes.md", may),
        ("20261112_080000.png", datetime(2026, 11, 12, 8, 0, tzinfo=OSLO)),
        ("Screenshot 2026-11-13 at 09.12.33.png", MORNING),
    ]
    assert seen[0][:2] == (0, 6) and seen[-1] == (6, 6, "")
    assert (await memory.search("heron weir")).hits


async def test_the_same_folder_again_changes_nothing(homes: Home, owner_url: str, folder: Path, tmp_path: Path) -> None:
    memory = await homes("desk").open()
    await memory.add_folder(folder)
    again = await memory.add_folder(folder)
    assert (again.added, again.known, again.messages) == (0, 4, 0)
    (folder / "deep" / "plain.png").write_bytes(picture("Another picture"))
    assert (await memory.add_folder(folder)).messages == 1
    assert (await memory.add(file=folder / "notes.md")).is_duplicate, "a single file counts, too"
    await memory.export(tmp_path / "life.json", passphrase=PASSPHRASE)
    moved = await homes("moved").open()
    await moved.restore(tmp_path / "life.json", passphrase=PASSPHRASE)
    assert (await moved.add_folder(folder)).messages == 0, "it is known after a move"


async def test_without_waiting_the_files_are_durable_and_wait(homes: Home, folder: Path) -> None:
    memory = await homes("desk").open()
    brought = await memory.add_folder(folder, wait=False)
    await memory.parts.worker.stop()
    assert brought.waiting and brought.added == 4
    assert (await memory.add_folder(folder)).added == 0
    assert (await memory.status()).waiting == 0, "the second run had it read"


async def test_folders_with_nothing_in_them_are_errors(homes: Home, tmp_path: Path) -> None:
    memory = await homes("desk").open()
    (tmp_path / "none").mkdir()
    for path, reason in ((tmp_path / "gone", "no folder"), (tmp_path / "none", "holds no pictures")):
        with pytest.raises(InputError, match=reason):
            await memory.add_folder(path)
    (tmp_path / "none" / "a.txt").write_bytes(b"\x00\x01\x02\x03")
    with pytest.raises(InputError, match=r"a\.txt"):
        await memory.add_folder(tmp_path / "none")
