"""The pool over the embedded server: a server that dies is started again by the next call."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from mirix.config import Settings
from mirix.db.pool import Database


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the account of the server may enter."""
    made = Path(tempfile.mkdtemp(prefix="mirix-pool-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def embedded(folder: Path) -> AsyncIterator[Database]:
    database = await Database.open(Settings(data_dir=folder, idle_timeout_s=1, keyring="file"))
    yield database
    await database.close()


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.01)


async def test_a_killed_server_is_noticed_and_healed_by_the_next_call(embedded: Database) -> None:
    user = await embedded.ensure_user("anna", "UTC")
    async with embedded.transaction(user.user_id) as conn:
        row = await (await conn.execute("SELECT pg_backend_pid() AS pid")).fetchone()
    assert row is not None
    with psycopg.connect(embedded.conninfo) as owner:
        place = owner.execute("SHOW data_directory").fetchone()
    assert place is not None
    postmaster = int((Path(place[0]) / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    wait_until_gone(int(row["pid"]))  # a connection outlives its postmaster for a moment, and may still answer
    assert await embedded.find_user("anna") == user
    async with embedded.transaction(user.user_id) as conn:
        again = await (await conn.execute("SELECT pg_backend_pid() AS pid")).fetchone()
    assert again is not None
    assert again["pid"] != row["pid"]


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    user = await database.ensure_user("anna", "UTC")
    with pytest.raises(RuntimeError, match="half way"):
        async with database.transaction(user.user_id) as conn:
            await conn.execute("INSERT INTO conversation VALUES (%s, gen_random_uuid(), 'x')", [user.user_id])
            raise RuntimeError("half way")
    async with database.transaction(user.user_id) as conn:
        row = await (await conn.execute("SELECT count(*) AS n FROM conversation")).fetchone()
    assert row == {"n": 0}


async def test_reading_the_time_zone_of_a_user_made_before_keeps_the_first(database: Database) -> None:
    first = await database.ensure_user("anna", "Europe/Oslo")
    assert await database.ensure_user("anna", "Asia/Tokyo") == first
