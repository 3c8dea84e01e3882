"""The worker in the background: it does what `add(wait=False)` left, once, and leaves quietly."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

import pytest

from mirix.jobs.worker import Worker
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest
from mirix.system import AsyncMirix
from tests.scripts import (
    META,
    OpenMirix,
    Rows,
    echo_script,
    knowledge,
    served,
    served_routes,
    store_texts,
    texts,
)

LIMIT_S = 30


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again, for a limited time."""
    async with asyncio.timeout(LIMIT_S):
        while not await is_so():  # noqa: ASYNC110 - another process might be the one to make it so
            await asyncio.sleep(0.02)


async def nothing_waits(memory: AsyncMirix) -> bool:
    return (await memory.status()).waiting == 0


def in_background() -> set[str]:
    """The tasks that run beside the test."""
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_an_add_that_does_not_wait_returns_pending_and_the_worker_does_the_rest(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    may_answer = threading.Event()

    def script(request: ScriptedRequest) -> Reply:
        assert may_answer.wait(LIMIT_S)
        return echo_script(request)

    memory = await open_mirix(ScriptedChatModel(script=script))
    result = await memory.add("Oda repairs harpsichords.", wait=False)
    assert [batch.state for batch in result.batches] == ["pending"] and result.usage.model_calls == 0
    assert (await memory.search("harpsichords")).hits, "found by its words at once"
    again = await memory.add("Oda repairs harpsichords.", wait=False)
    assert again.is_duplicate and again.batches[0].state == "pending"
    may_answer.set()
    await until(lambda: nothing_waits(memory))
    assert await texts(memory) == ["Oda repairs harpsichords."]
    done = await memory.add("Oda repairs harpsichords.", wait=False)
    assert done.is_duplicate and done.batches[0].state == "applied"


async def test_several_workers_apply_each_batch_once(open_mirix: OpenMirix, rows: Rows) -> None:
    model = ScriptedChatModel(script=echo_script)
    one, other = await open_mirix(model), await open_mirix(model)
    for number in range(4):
        await one.add(f"Fact number {number}.", wait=False)
        await other.add(f"Fact number {number}, said by Boris.", user_id="boris", wait=False)

    async def all_done() -> bool:
        return rows("SELECT count(*) AS n FROM batch WHERE state <> 'applied'") == [{"n": 0}]

    await until(all_done)
    assert len(model.requests) == 16
    assert rows("SELECT count(*) AS n FROM memory_history GROUP BY batch_id") == [{"n": 1}] * 8
    assert len(await texts(one)) == len(await texts(other, user_id="boris")) == 4


async def test_waiting_and_not_waiting_keep_the_order_of_arrival(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    for number in range(3):
        await memory.add(f"Fact number {number}.", wait=False)
    await memory.add("The last fact.")
    applied = rows("SELECT position FROM batch WHERE state = 'applied' ORDER BY applied_at, position")
    assert [row["position"] for row in applied] == [1, 2, 3, 4]


async def test_work_whose_job_was_lost_is_found_at_the_start(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    await store_texts(memory, "Oda repairs harpsichords.")
    rows("DELETE FROM procrastinate_jobs")
    await memory.parts.worker.start()
    await until(lambda: nothing_waits(memory))
    assert await texts(memory) == ["Oda repairs harpsichords."]


async def test_the_job_of_a_dead_worker_does_not_block_its_user(open_mirix: OpenMirix, rows: Rows) -> None:
    """It holds the lock of the user; and another job waits already, so that it cannot simply be put back."""
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    user, _ = await store_texts(memory, "Oda repairs harpsichords.")
    [dead] = rows("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 hour') RETURNING id")
    rows("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s, attempts = 1", dead["id"])
    rows("SELECT wake_worker(%s)", user.user_id)
    assert len(rows("SELECT id FROM procrastinate_jobs")) == 2
    await memory.parts.worker.start()
    await until(lambda: nothing_waits(memory))


async def test_a_model_that_is_away_makes_no_noise_and_loses_nothing(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    is_back = threading.Event()

    def script(request: ServerRequest) -> ServerReply:
        if not is_back.is_set():
            return ServerReply(status=500, headers={"retry-after-ms": "1"})
        return served_routes(semantic=["e1"]) if META in request.tools else served(knowledge("Oda", "Tunes organs"))

    with FakeOpenAI(script) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        await memory.add("Oda tunes organs.", wait=False)

        async def was_tried() -> bool:
            return bool(rows("SELECT 1 FROM batch WHERE error IS NOT NULL"))

        await until(was_tried)
        assert rows("SELECT state, attempt FROM batch") == [{"state": "pending", "attempt": 0}]
        is_back.set()
        await memory.add("Oda tunes organs, really.", wait=False)
        await until(lambda: nothing_waits(memory))
    assert [record.levelname for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_closing_stops_the_worker_and_leaves_no_task_behind(
    open_mirix: OpenMirix, caplog: pytest.LogCaptureFixture
) -> None:
    before = in_background()
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    await memory.add("Oda repairs harpsichords.", wait=False)
    await until(lambda: nothing_waits(memory))
    await memory.close()
    assert in_background() <= before
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_closing_at_once_leaves_no_task_behind_and_the_work_waits(open_mirix: OpenMirix, rows: Rows) -> None:
    before = in_background()
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    await memory.add("Oda repairs harpsichords.", wait=False)
    await memory.close()
    assert in_background() <= before
    assert rows("SELECT state FROM batch")[0]["state"] in ("pending", "applied")
    other = await open_mirix(ScriptedChatModel(script=echo_script))
    await other.flush()
    assert await texts(other) == ["Oda repairs harpsichords."]


async def test_a_worker_is_started_once_and_may_be_started_again(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    worker = memory.parts.worker
    await worker.start()
    await worker.start()
    assert [name for name in in_background() if name == "mirix worker"] == ["mirix worker"]
    await worker.stop()
    await worker.stop()
    await worker.start()
    await memory.add("Oda repairs harpsichords.", wait=False)
    await until(lambda: nothing_waits(memory))


async def test_a_worker_whose_connections_were_cut_goes_on(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ScriptedChatModel(script=echo_script))
    await memory.parts.worker.start()

    async def listens() -> bool:
        return bool(rows("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))

    await until(listens)
    rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await memory.add("Oda repairs harpsichords.", wait=False)
    await until(lambda: nothing_waits(memory))
    assert await texts(memory) == ["Oda repairs harpsichords."]


async def test_a_worker_without_a_database_ends_when_it_is_told_to(open_mirix: OpenMirix) -> None:
    memory = await open_mirix()

    class Nowhere:
        conninfo = "host=127.0.0.1 port=1 dbname=nowhere connect_timeout=1"
        transaction = memory.parts.database.transaction

    worker = Worker(Nowhere(), lambda user_id: asyncio.sleep(0))  # type: ignore[arg-type]
    await worker.start()
    await asyncio.sleep(0)
    await asyncio.wait_for(worker.stop(), LIMIT_S)
    assert "mirix worker" not in in_background()


async def test_the_job_is_there_exactly_when_the_work_is(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix()
    await store_texts(memory, "one", "two", "three")
    assert rows("SELECT task_name, lock, queueing_lock FROM procrastinate_jobs") == [
        {"task_name": "drain", "lock": "user:1", "queueing_lock": "user:1"}
    ], "one job a user is enough"
