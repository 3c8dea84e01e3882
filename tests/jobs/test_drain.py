"""Nothing is lost and nothing is applied twice, whatever dies on the way."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mirix.config import Settings
from mirix.errors import ConflictError, MirixError
from mirix.managers.apply import Applied, Applier
from mirix.memory.record import Scope
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.models.usage import Usage
from tests.jobs.process import KILLED, both
from tests.scripts import (
    META,
    OpenMirix,
    Rows,
    append,
    asked,
    call,
    drainer_with,
    echo_script,
    knowledge,
    routed,
    says,
    semantic_item,
    store_texts,
    texts,
)

ROOT = Path(__file__).parents[2]
LIMIT_S = 60


def run_process(owner_url: str, settings: Settings, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.jobs.process", owner_url, str(settings.data_dir), "anna", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def ends(process: subprocess.Popen[bytes]) -> int:
    """Let a process that has opened everything begin; its exit code."""
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.communicate(b"begin\n", timeout=LIMIT_S)
    return process.returncode


def expire_leases(rows: Rows) -> None:
    rows("UPDATE batch SET lease_until = now() - interval '1 second' WHERE state = 'running'")


def everything(rows: Rows) -> dict[str, Any]:
    tables = ("message", "document", "core_memory", "semantic_memory", "memory_source", "memory_history", "proposal")
    return {table: rows(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in (*tables, "batch")}  # noqa: S608


# ---- a process dies ----


@pytest.mark.parametrize(
    ("stage", "asked_again"),
    [("manager", ["semantic_memory_insert"]), ("before_apply", []), ("in_apply", [])],
)
async def test_after_a_kill_the_answers_are_replayed_and_applied_once(
    open_mirix: OpenMirix, rows: Rows, owner_url: str, settings: Settings, stage: str, asked_again: list[str]
) -> None:
    model = ScriptedChatModel(script=both)
    memory = await open_mirix(model)
    await store_texts(memory, "I live in Bergen with Oda.")
    assert await asyncio.to_thread(ends, run_process(owner_url, settings, stage)) == KILLED
    assert rows("SELECT state, attempt FROM batch") == [{"state": "running", "attempt": 1}]
    assert await texts(memory) == [], "what was not committed is not there"
    assert (await memory.search("Bergen")).hits, "the evidence is"
    expire_leases(rows)
    assert await memory.flush() == 1
    assert asked(model) == asked_again
    assert await texts(memory) == ["I live in Bergen with Oda.", "Lives in Bergen"]
    assert rows("SELECT count(*) AS n FROM memory_history") == [{"n": 2}]
    assert rows("SELECT state, attempt FROM batch") == [{"state": "applied", "attempt": 2}]


async def test_a_batch_that_kills_every_process_is_given_up_and_the_next_goes_on(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix(ScriptedChatModel(script=echo_script), max_attempts=3)
    await store_texts(memory, "poison", "Oda repairs harpsichords.")
    rows("UPDATE batch SET state = 'running', attempt = 3, lease_until = now() WHERE position = 1")
    assert await memory.flush() == 1
    [first, second] = rows("SELECT state, error FROM batch ORDER BY position")
    assert (first["state"], second["state"]) == ("failed", "applied")
    assert "ended with the process" in first["error"]


async def test_applying_twice_changes_nothing(open_mirix: OpenMirix, rows: Rows) -> None:
    class Twice(Applier):
        """Applies everything a second time."""

        second: Applied | None = None

        async def apply(self, *args: Any, **kwargs: Any) -> Applied:
            first = await super().apply(*args, **kwargs)
            before = everything(rows)
            self.second = await super().apply(*args, **kwargs)
            assert everything(rows) == before
            return first

    memory = await open_mirix()
    parts = memory.parts
    user, _ = await store_texts(memory, "I live in Bergen with Oda.")
    twice = Twice(parts.database, parts.indexer, parts.keyring, parts.frames)
    await drainer_with(memory, ScriptedChatModel(script=both), applier=twice).drain(user)
    assert twice.second == Applied(was_applied=True)
    assert len(await texts(memory)) == 2


async def test_a_batch_that_is_gone_is_left_alone(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    user, [batch] = await store_texts(memory, "x")
    parts = memory.parts
    applier = Applier(parts.database, parts.indexer, parts.keyring, parts.frames)
    async with parts.database.transaction(user.user_id) as conn:
        await conn.execute("DELETE FROM batch")
    assert (await applier.apply(batch, Scope(user_id=user.user_id), 3, [], Usage())).was_applied


# ---- several at once ----


def in_order(rows: Rows) -> bool:
    """Every batch was applied once, none before an older one."""
    done = rows("SELECT id, state FROM batch ORDER BY applied_at, position")
    arrived = rows("SELECT id, state FROM batch ORDER BY position")
    written = rows("SELECT batch_id AS id, count(*) AS n FROM memory_history GROUP BY batch_id")
    assert {row["state"] for row in done} == {"applied"}
    assert {(row["id"], row["n"]) for row in written} == {(row["id"], 1) for row in arrived}
    return done == arrived


async def test_two_drainers_apply_each_batch_once_and_in_order(open_mirix: OpenMirix, rows: Rows) -> None:
    model = ScriptedChatModel(script=echo_script)
    one, other = await open_mirix(model), await open_mirix(model)
    user, ids = await store_texts(one, *(f"Fact number {n}." for n in range(6)))
    mine, theirs = await asyncio.gather(
        one.parts.drainer.drain(user, ids[-1:]), other.parts.drainer.drain(user, ids[-1:])
    )
    assert mine.keys() | theirs.keys() == set(ids)
    assert mine[ids[-1]].applied.changes == theirs[ids[-1]].applied.changes, "who waited knows what became of it"
    assert in_order(rows)
    assert len(model.requests) == 12, "nothing was asked twice"


async def test_two_processes_apply_each_batch_once_and_in_order(
    open_mirix: OpenMirix, rows: Rows, owner_url: str, settings: Settings
) -> None:
    memory = await open_mirix()
    await store_texts(memory, *(f"Fact number {n}." for n in range(8)))
    processes = [run_process(owner_url, settings) for _ in range(2)]
    assert await asyncio.gather(*(asyncio.to_thread(ends, process) for process in processes)) == [0, 0]
    assert in_order(rows)


class Gate:
    """A model that waits, while it is asked for the first time, until the test lets it go on."""

    def __init__(self) -> None:
        self.is_asked = threading.Event()
        self.may_answer = threading.Event()

    def script(self, request: ScriptedRequest) -> Reply:
        if not self.is_asked.is_set():
            self.is_asked.set()
            assert self.may_answer.wait(20)
        return echo_script(request)

    async def wait_until_asked(self) -> None:
        assert await asyncio.to_thread(self.is_asked.wait, 20)


async def test_a_lease_that_ran_out_is_taken_over_and_the_late_one_does_no_harm(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    gate = Gate()
    slow, quick = await open_mirix(ScriptedChatModel(script=gate.script)), await open_mirix()
    user, ids = await store_texts(slow, "Oda repairs harpsichords.")
    late = asyncio.create_task(slow.parts.drainer.drain(user, ids))
    await gate.wait_until_asked()
    expire_leases(rows)
    done = await drainer_with(quick, ScriptedChatModel(script=echo_script)).drain(user, ids)
    assert list(done) == ids
    before = everything(rows)
    gate.may_answer.set()
    assert (await late)[ids[0]].applied == done[ids[0]].applied, "it found what somebody else had done"
    assert everything(rows) == before


async def test_the_answers_of_a_late_one_do_not_mix_with_those_of_its_successor(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    """Handles are valid for one call only: an answer under another's handles would name other memories."""
    gate = Gate()
    slow = await open_mirix(ScriptedChatModel(script=gate.script))
    user, _ = await store_texts(slow, "Oda repairs harpsichords.")
    late = asyncio.create_task(slow.parts.drainer.drain(user))
    await gate.wait_until_asked()
    rows("UPDATE batch SET attempt = 2, replies = '{}', lease_until = now() + interval '1 hour'")
    gate.may_answer.set()
    assert await late == {}
    assert rows("SELECT state, attempt, replies FROM batch") == [{"state": "running", "attempt": 2, "replies": {}}]


async def test_who_waits_for_a_batch_returns_when_somebody_else_has_applied_it(open_mirix: OpenMirix) -> None:
    gate = Gate()
    memory, waiting = await open_mirix(ScriptedChatModel(script=gate.script)), await open_mirix()
    user, ids = await store_texts(memory, "Oda repairs harpsichords.")
    working = asyncio.create_task(memory.parts.drainer.drain(user))
    await gate.wait_until_asked()
    waits = asyncio.create_task(waiting.parts.drainer.drain(user, ids))
    gate.may_answer.set()
    done, found = (await working)[ids[0]], (await asyncio.wait_for(waits, 20))[ids[0]]
    assert found.applied == done.applied and found.applied.changes
    assert found.usage.model_calls == done.usage.model_calls == 2


async def test_who_waits_for_a_batch_that_is_forgotten_does_not_wait_for_ever(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()
    user, [batch] = await store_texts(memory, "x")
    async with memory.parts.database.transaction(user.user_id) as conn:
        await conn.execute("DELETE FROM batch")
    done = await asyncio.wait_for(memory.parts.drainer.drain(user, [batch]), 20)
    assert done[batch].applied.was_applied


async def test_closing_in_the_middle_puts_the_batch_back_without_an_attempt_lost(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    gate = Gate()
    memory = await open_mirix(ScriptedChatModel(script=gate.script))
    user, _ = await store_texts(memory, "Oda repairs harpsichords.")
    working = asyncio.create_task(memory.parts.drainer.drain(user))
    await gate.wait_until_asked()
    working.cancel()
    gate.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert rows("SELECT state, attempt FROM batch") == [{"state": "pending", "attempt": 0}]
    assert await memory.flush() == 1


async def test_an_error_of_our_own_is_raised_counted_and_does_not_block_for_ever(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    def script(request: ScriptedRequest) -> Reply:
        return RuntimeError("a mistake") if "poison" in request.text else echo_script(request)

    memory = await open_mirix(ScriptedChatModel(script=script), max_attempts=2)
    await store_texts(memory, "poison", "Oda repairs harpsichords.")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="a mistake"):
            await memory.flush()
    assert rows("SELECT state, attempt FROM batch ORDER BY position")[0] == {"state": "failed", "attempt": 2}
    assert await memory.flush() == 1


# ---- a memory changes between recall and apply ----


def edits(rows: Rows, times: int) -> ScriptedChatModel:
    """Before the semantic manager answers, somebody else changes the memory it was shown, so many times."""
    left = [times]

    def script(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed(core=["e1"], semantic=["e1"])
        if "core_memory_append" in request.tools:
            return says(append("Knows a harpsichord maker"))
        if "<memories>\n<memory" not in request.text:
            return says(knowledge("Oda", "Repairs harpsichords"))
        if left[0]:
            left[0] -= 1
            rows("UPDATE semantic_memory SET version = version + 1, details = details || ' (edited)'")
        return says(call("semantic_memory_supersede", memory="m1", item=semantic_item("Oda", "Tunes organs")))

    return ScriptedChatModel(script=script)


async def test_a_conflict_asks_that_manager_once_more_and_no_other(open_mirix: OpenMirix, rows: Rows) -> None:
    model = edits(rows, times=1)
    memory = await open_mirix(model)
    await memory.add("Oda repairs harpsichords.")
    rows("DELETE FROM core_memory")  # so that the semantic memory is m1
    rows("DELETE FROM document WHERE shelf = 3")
    before = len(model.requests)
    result = await memory.add("Oda tunes organs now.")
    tools = asked(model)[before:]
    assert sorted(tools) == sorted([META, "core_memory_append", "semantic_memory_insert", "semantic_memory_insert"])
    assert "(edited)" in model.requests[-1].text, "it is shown what is there now"
    assert result.usage.model_calls == 4
    assert await texts(memory, "semantic") == ["Tunes organs"]


async def test_a_second_conflict_puts_the_batch_back_and_the_next_attempt_succeeds(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix(edits(rows, times=2))
    await memory.add("Oda repairs harpsichords.")
    rows("DELETE FROM core_memory")
    rows("DELETE FROM document WHERE shelf = 3")
    with pytest.raises(ConflictError):
        await memory.add("Oda tunes organs now.")
    assert rows("SELECT state, attempt FROM batch ORDER BY position")[-1] == {"state": "pending", "attempt": 1}
    assert await memory.flush() == 1
    assert await texts(memory, "semantic") == ["Tunes organs"]


async def test_waiting_for_a_failed_batch_tells_why(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    user, ids = await store_texts(memory, "Oda repairs harpsichords.")
    rows("UPDATE batch SET state = 'failed', error = 'ModelReplyError: nonsense'")
    with pytest.raises(MirixError, match=r"nonsense.*is kept"):
        await memory.parts.drainer.drain(user, ids)
