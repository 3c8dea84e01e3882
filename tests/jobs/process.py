"""A process of its own that drains a user, and may be told to die on the way: `python -m tests.jobs.process`.

URL DATA_DIR USER [manager | before_apply | in_apply]
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr

from mirix.config import Settings
from mirix.managers.apply import Applied, Applier
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix
from tests.scripts import META, append, drainer_with, echo_script, routed, says

KILLED = 9  # exit code of a process that died where it was told to


class DiesBefore(Applier):
    async def apply(self, *args: Any, **kwargs: Any) -> Applied:
        os._exit(KILLED)


class DiesWithin(Applier):
    """All rows are written, nothing is committed."""

    async def _write(self, *args: Any, **kwargs: Any) -> Any:
        await super()._write(*args, **kwargs)
        os._exit(KILLED)


def both(request: ScriptedRequest) -> Reply:
    """Two managers are concerned."""
    if META in request.tools:
        return routed(core=["e1"], semantic=["e1"])
    return says(append("Lives in Bergen")) if "core_memory_append" in request.tools else echo_script(request)


def wait_for_answer(url: str, step: str) -> None:
    end = time.monotonic() + 20
    with psycopg.connect(url, autocommit=True) as conn:
        while time.monotonic() < end and conn.execute("SELECT replies ? %s FROM batch", [step]).fetchone() != (True,):
            time.sleep(0.01)


async def main(url: str, data_dir: str, name: str, stage: str = "") -> None:
    settings = Settings(
        data_dir=Path(data_dir), database_url=SecretStr(url), embedding_model="hash", keyring="file", ocr="none"
    )

    def script(request: ScriptedRequest) -> Reply:
        if stage == "manager" and "semantic_memory_insert" in request.tools:
            wait_for_answer(url, "core_memory_manager")
            os._exit(KILLED)
        return both(request) if stage else echo_script(request)

    applier = {"before_apply": DiesBefore, "in_apply": DiesWithin}.get(stage, Applier)
    async with AsyncMirix(settings) as memory:
        parts = memory.parts
        drainer = drainer_with(
            memory,
            ScriptedChatModel(script=script),
            applier=applier(parts.database, parts.indexer, parts.keyring, parts.frames),
        )
        user = await parts.database.find_user(name)
        assert user is not None
        async with parts.database.transaction(user.user_id) as conn:
            waiting = await (await conn.execute("SELECT id FROM batch WHERE state = 'pending'")).fetchall()
        print("ready", flush=True)  # noqa: T201
        await asyncio.to_thread(sys.stdin.readline)
        await drainer.drain(user, [row["id"] for row in waiting])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
