"""Mirix: the verbs of `AsyncMirix` without `await`.

It runs them on an event loop in a thread of its own, so that it works in scripts, in notebooks (which have a running
loop) and from several threads.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError
from functools import update_wrapper
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from langchain_core.language_models import BaseChatModel

from mirix.config import Settings
from mirix.errors import MirixError
from mirix.parts import Parts
from mirix.system import AsyncMirix

P = ParamSpec("P")
R = TypeVar("R")


def _blocking(method: Callable[Concatenate[AsyncMirix, P], Awaitable[R]]) -> Callable[Concatenate[Mirix, P], R]:
    """The synchronous form of a verb."""

    def call(self: Mirix, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(lambda: method(self._memory, *args, **kwargs))

    return update_wrapper(call, method)


class Mirix:
    """The same verbs without `await`: see `AsyncMirix`.

        with Mirix() as memory:
            memory.add("I moved to Bergen last Friday.")
            print(memory.ask("Where do I live?").text)

    It opens at once, and may be used from several threads and in notebooks.
    """

    def __init__(
        self, settings: Settings | None = None, *, model: BaseChatModel | None = None, **overrides: object
    ) -> None:
        self._memory = AsyncMirix(settings, model=model, **overrides)
        # psycopg needs the selector loop on Windows.
        self._loop = asyncio.SelectorEventLoop() if sys.platform == "win32" else asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mirix", daemon=True)
        self._gate = threading.Lock()
        self._is_closing = False
        self._calls: set[asyncio.Task[Any]] = set()
        self._thread.start()
        try:
            self._run(self._memory.open)
        except BaseException:
            self.close()
            raise

    def _run(self, work: Callable[[], Awaitable[R]]) -> R:
        async def called() -> R:
            task = asyncio.current_task()
            assert task is not None
            self._calls.add(task)
            try:
                return await work()
            finally:
                self._calls.discard(task)

        self._check_thread()
        with self._gate:
            if self._is_closing:
                raise MirixError("this Mirix is closed: open another")
            future = asyncio.run_coroutine_threadsafe(called(), self._loop)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise
        except CancelledError:
            raise MirixError("this Mirix was closed by another thread meanwhile") from None

    def _check_thread(self) -> None:
        if threading.current_thread() is self._thread:
            raise MirixError("a callback may not call the Mirix that it is called by: hand the work to another thread")

    async def _let_go(self) -> None:
        """End the calls that other threads still wait for, then close."""
        for task in self._calls:
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls)
        try:
            await self._memory.close()
        finally:
            await self._loop.shutdown_default_executor()

    def close(self) -> None:
        """Let everything go. A second call does nothing; what other threads are waiting for ends with MirixError."""
        self._check_thread()
        with self._gate:
            if self._is_closing:
                return
            self._is_closing = True
        try:
            asyncio.run_coroutine_threadsafe(self._let_go(), self._loop).result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> Mirix:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def parts(self) -> Parts:
        return self._memory.parts

    add = _blocking(AsyncMirix.add)
    flush = _blocking(AsyncMirix.flush)
    retry_failed = _blocking(AsyncMirix.retry_failed)
    search = _blocking(AsyncMirix.search)
    recall = _blocking(AsyncMirix.recall)
    ask = _blocking(AsyncMirix.ask)
    chat = _blocking(AsyncMirix.chat)
    get = _blocking(AsyncMirix.get)
    get_all = _blocking(AsyncMirix.get_all)
    sources = _blocking(AsyncMirix.sources)
    update = _blocking(AsyncMirix.update)
    delete = _blocking(AsyncMirix.delete)
    undo = _blocking(AsyncMirix.undo)
    history = _blocking(AsyncMirix.history)
    reveal = _blocking(AsyncMirix.reveal)
    status = _blocking(AsyncMirix.status)
    export = _blocking(AsyncMirix.export)
    restore = _blocking(AsyncMirix.restore)
    import_chats = _blocking(AsyncMirix.import_chats)
    add_folder = _blocking(AsyncMirix.add_folder)
    forget = _blocking(AsyncMirix.forget)
    forget_conversation = _blocking(AsyncMirix.forget_conversation)
    forget_user = _blocking(AsyncMirix.forget_user)
    conversations = _blocking(AsyncMirix.conversations)
    messages = _blocking(AsyncMirix.messages)
    frame = _blocking(AsyncMirix.frame)
    keep_shot = _blocking(AsyncMirix.keep_shot)
    read_shots = _blocking(AsyncMirix.read_shots)
    close_batches = _blocking(AsyncMirix.close_batches)
    screen_health = _blocking(AsyncMirix.screen_health)
    forget_screens = _blocking(AsyncMirix.forget_screens)
    proposals = _blocking(AsyncMirix.proposals)
    accept_proposal = _blocking(AsyncMirix.accept_proposal)
    reject_proposal = _blocking(AsyncMirix.reject_proposal)
    quarantined = _blocking(AsyncMirix.quarantined)
    accept_quarantined = _blocking(AsyncMirix.accept_quarantined)
    reject_quarantined = _blocking(AsyncMirix.reject_quarantined)
    seal_candidates = _blocking(AsyncMirix.seal_candidates)
    seal = _blocking(AsyncMirix.seal)
    unseal = _blocking(AsyncMirix.unseal)
    reembed = _blocking(AsyncMirix.reembed)
