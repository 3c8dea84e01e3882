"""Waiting shots survive whatever happens to the process that keeps them."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from PIL import Image

from mirix.errors import SealError
from mirix.ingest.spool import Shot, Spool
from mirix.memory.envelope import Keyring

# Keeps a shot after the other and tells each once it is kept, until somebody ends it.
KEEPER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from PIL import Image
from mirix.ingest.spool import Shot, Spool
from mirix.memory.envelope import Keyring

folder = Path(sys.argv[1])
spool = Spool(folder / "spool", Keyring.from_config(folder / "key", use_os_keyring=False))
for number in range(100_000):
    known = {"application": None, "title": str(number), "uri": None, "monitor": None, "timezone": "UTC"}
    shot = Shot(image=Image.new("RGB", (320, 200), (number % 256, 0, 0)), at=datetime.now(UTC), **known)
    print(spool.put(1, shot), flush=True)
"""


def a_shot(**told: str) -> Shot:
    known = {"application": None, "title": None, "uri": None, "monitor": None} | told
    return Shot(image=Image.new("RGB", (30, 20), "red"), at=datetime(2026, 3, 2, tzinfo=UTC), timezone="UTC", **known)  # type: ignore[arg-type]


@pytest.fixture
def spool(tmp_path: Path, keyring: Keyring) -> Spool:
    return Spool(tmp_path / "spool", keyring)


@pytest.mark.parametrize("kept_before_the_end", [1, 7, 20])
def test_process_killed_at_any_time_loses_at_most_the_shot_at_hand(tmp_path: Path, kept_before_the_end: int) -> None:
    with subprocess.Popen([sys.executable, "-c", KEEPER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(kept_before_the_end)]
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    told = [UUID(line.strip()) for line in lines if line.endswith("\n")]
    spool = Spool(tmp_path / "spool", Keyring.from_config(tmp_path / "key", use_os_keyring=False))
    waiting = spool.waiting(1)
    assert waiting[: len(told)] == told
    assert len(waiting) - len(told) <= 1  # kept, and killed before it could say so
    assert [spool.take(1, one).title for one in waiting] == [str(number) for number in range(len(waiting))]


def test_shot_comes_out_as_it_went_in(spool: Spool) -> None:
    shot = a_shot(application="Mail", title="收件箱", monitor="left")
    taken = spool.take(1, spool.put(1, shot))
    assert taken.image.tobytes() == shot.image.tobytes()
    assert (taken.at, taken.application, taken.title, taken.monitor) == (shot.at, "Mail", "收件箱", "left")


def test_shot_of_one_user_is_not_opened_as_another_ones(spool: Spool, tmp_path: Path) -> None:
    shot_id = spool.put(1, a_shot())
    (file,) = (tmp_path / "spool" / "1").iterdir()
    (tmp_path / "spool" / "2").mkdir()
    (tmp_path / "spool" / "2" / file.name).write_bytes(file.read_bytes())
    with pytest.raises(SealError):
        spool.take(2, shot_id)


def test_half_written_file_is_no_waiting_shot(spool: Spool, tmp_path: Path) -> None:
    shot_id = spool.put(1, a_shot())
    (tmp_path / "spool" / "1" / f"{shot_id}.shot.part").write_bytes(b"half")
    assert spool.waiting(1) == [shot_id]


def test_damaged_shot_is_set_aside_and_does_not_wait_any_more(spool: Spool, tmp_path: Path) -> None:
    shot_id = spool.put(1, a_shot())
    (file,) = (tmp_path / "spool" / "1").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    with pytest.raises(SealError):
        spool.take(1, shot_id)
    spool.set_aside(1, shot_id)
    assert spool.waiting(1) == [] and list((tmp_path / "spool" / "1").iterdir())
