"""Has some processes search at once (client.py), and looks at the memory of client and server meanwhile."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np
import psycopg

from mirix.errors import MirixError
from mirix.evaluation.bench.client import QUESTIONS, VECTORS, Client
from mirix.evaluation.bench.world import Floats, Question

_LOOK_S = 0.25  # between two looks at the server's memory


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What some clients measured together."""

    clients: int
    ms: list[float]  # of each question, in their order
    per_second: float
    client_mb: float | None  # peak of one client
    server_mb: float | None  # peak of all processes of the server together, shared pages counted once


def write_questions(folder: Path, questions: Sequence[Question], vectors: Floats) -> None:
    (folder / QUESTIONS).write_text(json.dumps([(each.user, each.text) for each in questions]))
    np.save(folder / VECTORS, vectors)


async def search_by(folder: Path, conninfo: str, clients: int) -> Searched:
    """All questions of the folder, dealt out to some clients. Raises MirixError when one of them fails."""
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "mirix.evaluation.bench.client", str(folder), str(part), str(clients)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 26,
        )
        for part in range(clients)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            await process.stdout.readline()  # it is ready
        async with _ServerMemory(conninfo) as server:
            answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    finally:
        for process in processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if any(not out for out, _ in answers):
        raise MirixError("a client of the bench failed: see what it wrote above")
    told = [Client(**json.loads(out)) for out, _ in answers]
    dealt = chain.from_iterable(zip_longest(*(each.ms for each in told)))
    peaks = [each.peak_mb for each in told if each.peak_mb is not None]
    return Searched(
        clients=clients,
        ms=[ms for ms in dealt if ms is not None],
        per_second=sum(len(each.ms) for each in told) / max(each.seconds for each in told),
        client_mb=max(peaks, default=None),
        server_mb=server.peak_mb,
    )


class _ServerMemory:
    """Watches how much memory all processes of a server on this machine hold; Linux only."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self.peak_mb: float | None = None

    async def __aenter__(self) -> _ServerMemory:
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        with suppress(asyncio.CancelledError):
            await self._watching

    async def _watch(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._conninfo) as conn:
            postmaster = _parent(conn.info.backend_pid)
        while postmaster is not None:
            held = await asyncio.to_thread(_held_mb, postmaster)
            self.peak_mb = max(self.peak_mb or 0.0, held)
            await asyncio.sleep(_LOOK_S)


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def _held_mb(postmaster: int) -> float:
    """Memory of a process and its children, each shared page counted in part."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    held = 0
    for pid in pids:
        if pid == postmaster or _parent(pid) == postmaster:
            with suppress(OSError):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                held += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return held * 1024 / 1e6
