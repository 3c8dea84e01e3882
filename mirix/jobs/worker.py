"""Wakes up when a user has work, through procrastinate: locks per user, periodic sweep, recovery of stalled jobs.

A job says only "drain this user's batches"; the batches are the truth (`drain.py`), so a lost job costs a minute (the
sweep finds the work) and a repeated one nothing. Any number of workers may run, on any machine that reaches the
database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.jobs import Status
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from mirix.db.pool import Database
from mirix.jobs.upkeep import keep_up

logger = logging.getLogger(__name__)

QUEUE = "mirix"
CONCURRENCY = 2  # users drained at once; batches of one user are worked on one after another
GRACE_S = 5.0  # what is under way at the end may take so long; then it is put back
RESTART_S = 1.0  # pause before a lost connection is made anew


class Worker:
    """Runs in the background of a process until it is stopped."""

    def __init__(self, database: Database, drain: Callable[[int], Awaitable[None]]) -> None:
        self._database = database
        self._drain = drain
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work; a second call does nothing."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self.run(), name="mirix worker")

    async def stop(self) -> None:
        """Stop taking work, and give what is under way some seconds to end; its batch is safe either way."""
        running, self._running = self._running, None
        while running is not None and not running.done():
            # Python 3.11 can lose a cancellation that meets the very end of a wait (its wait_for): so ask again.
            running.cancel()
            await asyncio.wait([running], timeout=GRACE_S + 1)

    async def run(self) -> None:
        """Work until cancelled, whatever happens to the connection."""
        while True:
            try:
                await self._work()
            except Exception:
                logger.exception("worker failed", extra={"action": "worker_failed"})
            await asyncio.sleep(RESTART_S)

    async def _work(self) -> None:
        pool = AsyncConnectionPool(
            self._database.conninfo,
            min_size=1,
            max_size=4,
            open=False,
            configure=_give_up_rights,
            check=AsyncConnectionPool.check_connection,
        )
        async with pool:
            app = App(connector=PsycopgConnector(configure=_give_up_rights))
            self._register(app)
            async with app.open_async(pool):
                await self._sweep(app)
                await app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=CONCURRENCY,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    shutdown_graceful_timeout=GRACE_S,
                    fetch_job_polling_interval=2,
                )

    def _register(self, app: App) -> None:
        @app.task(name="drain", queue=QUEUE)
        async def drain(user_id: int) -> None:
            await self._drain(user_id)

        @app.periodic(cron="* * * * *")
        @app.task(name="sweep", queue=QUEUE, queueing_lock="sweep", pass_context=True)
        async def sweep(context: JobContext, timestamp: int) -> None:
            await self._sweep(context.app)

        @app.periodic(cron="17 * * * *")
        @app.task(name="upkeep", queue=QUEUE, queueing_lock="upkeep")
        async def upkeep(timestamp: int) -> None:
            await keep_up(self._database.conninfo)

    async def _sweep(self, app: App) -> None:
        """Find work whose job was lost, and drop jobs whose worker died: they hold the lock of their user."""
        for job in await app.job_manager.get_stalled_jobs(queue=QUEUE):
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        async with self._database.transaction(None) as conn:
            rows = await (await conn.execute("SELECT users_with_open_batches() AS user_id")).fetchall()
            for row in rows:
                await conn.execute("SELECT wake_worker(%s)", [row["user_id"]])


async def _give_up_rights(conn: AsyncConnection[Any]) -> None:
    """As every connection of ours; what the role may do was checked when the database was opened."""
    await conn.execute("SET ROLE mirix_app")
    await conn.commit()
