"""The recorder: looks at the screen, and hands what is new to the memory.

    capture thread   glance ─> grab ─> privacy gate ─┐ never waits for what follows: what finds no room is counted
    keeper           ┌─────── a queue of a few shots ┘
                     └─> change gate ─> keep_shot: durable
    reader           read_shots: searchable, one after another
    managers         flush: remembered, now and then

Pixels that the privacy gate has not passed never leave the capture thread. A recording (`FolderSource`) is replayed
without loss: there capture does wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from PIL.Image import Image

from mirix.errors import CaptureError, ConfigError, MirixError, SpoolFull
from mirix.ingest.tiles import ChangeGate
from mirix_desktop.control import Control, Report
from mirix_desktop.privacy import Passed, PrivacyGate
from mirix_desktop.rules import PrivacyRules
from mirix_desktop.settings import DesktopSettings
from mirix_desktop.shots import Box, Glance, ScreenSource, Shot

logger = logging.getLogger(__name__)

TICK_S = 0.25  # how often capture asks whether it is time to look
SOONEST_S = 0.5  # between two looks, however often the focus changes
QUEUE_SHOTS = 8  # between capture and keeper: 8 pictures of a 4K screen are 200 MB
RETRY_S = 5.0  # after an error
TELL_S = 1.0
FLUSH_S = 30.0
STOP_READS_S = 10.0  # how long reading goes on after a stop; what is left is durable, and read the next time


class ReadShot(Protocol):
    """A shot that can be found now."""

    @property
    def message_id(self) -> UUID: ...

    @property
    def at(self) -> datetime: ...


class Health(Protocol):
    """How a memory is doing."""

    @property
    def waiting(self) -> int: ...


class ScreenMemory(Protocol):
    """What the recorder asks of a memory: some verbs of AsyncMirix."""

    async def keep_shot(
        self,
        image: Image,
        *,
        at: datetime,
        application: str | None = None,
        title: str | None = None,
        monitor: str | None = None,
        windows: Sequence[Box] = (),
        user_id: str | None = None,
    ) -> UUID: ...

    async def read_shots(self, *, user_id: str | None = None, limit: int | None = None) -> Sequence[ReadShot]: ...

    async def screen_health(self, *, user_id: str | None = None) -> Health: ...

    async def close_batches(self, *, user_id: str | None = None) -> None: ...

    async def flush(self, *, user_id: str | None = None) -> int: ...


@dataclass
class Rhythm:
    """When to look again: every so often, more seldom while the user is away, and at once when the focus changes."""

    settings: DesktopSettings
    looked_at: float | None = None  # on the monotonic clock
    focus: object = None  # at the last look

    def is_due(self, glance: Glance, now: float) -> bool:
        if self.looked_at is None:
            return True
        interval = self.interval_s(glance)
        if glance.focus is not None and glance.focus != self.focus:
            interval = min(interval, SOONEST_S)
        return now - self.looked_at >= interval

    def interval_s(self, glance: Glance) -> float:
        return self.settings.idle_interval_s if self.is_away(glance) else self.settings.interval_s

    def is_away(self, glance: Glance) -> bool:
        return glance.idle_s is not None and glance.idle_s >= self.settings.idle_after_s

    def looked(self, glance: Glance, now: float) -> None:
        self.looked_at, self.focus = now, glance.focus


class Recorder:
    """Records until it is stopped, or a folder was replayed whole. For one `run`.

    `open_source` is called in the thread that uses the source.
    """

    def __init__(
        self,
        memory: ScreenMemory,
        open_source: Callable[[], ScreenSource],
        *,
        rules: PrivacyRules,
        control: Control,
        settings: DesktopSettings,
        user_id: str | None = None,
    ) -> None:
        self._memory = memory
        self._open_source = open_source
        self._control = control
        self._user = user_id
        self._gate = PrivacyGate(rules)
        self._changes = ChangeGate()
        self._rhythm = Rhythm(settings)
        self._shots: queue.Queue[Shot | None] = queue.Queue(QUEUE_SHOTS)
        self._stop = threading.Event()
        self._abandoned = threading.Event()  # nobody takes shots any more
        self._is_live = True
        self._all_kept = asyncio.Event()
        self._news = asyncio.Event()  # something was kept
        # Counters are numbers of one thread each; another only reads them.
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._unread: dict[UUID, float] = {}  # what was kept, and when
        self._earlier = 0  # shots that waited already, and still do
        self._every_s: float | None = None
        self._source_name = ""
        self._doing = "recording"
        self._problem: str | None = None
        self._newest_at: datetime | None = None
        self._started_at = datetime.now(UTC)

    def stop(self) -> None:
        """End soon; nothing that was kept is lost. From any thread."""
        self._stop.set()

    async def run(self) -> Report:
        """Record. Returns the last report.

        Raises CaptureError when the screen cannot be seen from the start, ConfigError when the memory reads no
        pictures, ConflictError when something records already.
        """
        with self._control.recording():
            telling = asyncio.create_task(self._tell())
            remembering = asyncio.create_task(self._remember())
            try:
                await self._record()
            finally:
                self._abandoned.set()
                self.stop()
                for task in (telling, remembering):
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
                with suppress(MirixError):
                    self._control.tell(self.report())  # the last word
            return self.report()

    async def _record(self) -> None:
        await self._read_one()  # tells at once when no picture can be read
        await self._count_waiting()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.to_thread(self._capture))
                group.create_task(self._keep())
                group.create_task(self._read())
        except ExceptionGroup as group:
            foreseen, others = group.split(MirixError)
            if foreseen is None or others is not None:
                raise
            raise foreseen.exceptions[0] from None
        await self._memory.close_batches(user_id=self._user)
        if not self._is_live:
            await self._memory.flush(user_id=self._user)
        await self._count_waiting()

    async def _count_waiting(self) -> None:
        self._earlier = (await self._memory.screen_health(user_id=self._user)).waiting
        self._unread.clear()

    def report(self) -> Report:
        """How it is going."""
        now, counts = time.monotonic(), self._counts
        return Report(
            pid=os.getpid(),
            source=self._source_name,
            user=self._user,
            started_at=self._started_at,
            told_at=datetime.now(UTC),
            doing="stopping" if self._stop.is_set() else self._doing,
            **{name: counts[name] for name in _COUNTED},
            every_s=self._every_s,
            waiting=self._earlier + len(self._unread),
            problem=self._problem,
            reasons=dict(self._reasons),
            behind_s=round(max((now - at for at in list(self._unread.values())), default=0.0), 1),
            newest_at=self._newest_at,
        )

    # ---- capture: a thread of its own ----

    def _capture(self) -> None:
        source: ScreenSource | None = None
        try:
            source = self._open_source()
            self._source_name, self._is_live = source.name, source.is_live
            if not source.is_live:
                self._gate.rules = replace(self._gate.rules, takes_unknown=True)
            while source is not None and not self._is_stopping():
                try:
                    if not self._look(source):
                        break
                except CaptureError as error:
                    self._failed(error)
                    if source.is_live:
                        source = self._open_again(source)
        finally:
            try:
                if source is not None:
                    source.close()
            finally:
                self._hand_on(None)  # whatever happened: the keeper waits for it

    def _look(self, source: ScreenSource) -> bool:
        """Look, if it is time; False when there is nothing more to see. Raises CaptureError."""
        if self._control.paused_until(datetime.now(UTC)) is not None:
            self._doing = "paused"
            self._stop.wait(TICK_S)
            return True
        glance = source.glance()
        self._every_s = self._rhythm.interval_s(glance) if source.is_live else None
        self._doing = "locked" if glance.is_locked else "away" if self._rhythm.is_away(glance) else "recording"
        if source.is_live and (glance.is_locked or not self._rhythm.is_due(glance, time.monotonic())):
            self._stop.wait(TICK_S)
            return True
        shots = source.grab()
        self._rhythm.looked(glance, time.monotonic())
        for done in self._gate.check(shots):
            self._counts["seen"] += 1
            if isinstance(done, Passed):
                self._counts["painted"] += bool(done.reasons)
                self._reasons.update(done.reasons)
                self._hand_on(done.shot)
            else:
                self._counts["refused"] += 1
                self._reasons[done.reason] += 1
        return bool(shots) or source.is_live

    def _open_again(self, source: ScreenSource) -> ScreenSource | None:
        """The screen again, as soon as it can be seen; None when the recorder stops first."""
        self._doing = "gone"
        source.close()
        while not (self._stop.wait(RETRY_S) or self._is_stopping()):
            try:
                return self._open_source()
            except CaptureError as error:
                self._failed(error)
        return None

    def _hand_on(self, shot: Shot | None) -> None:
        """To the keeper. A shot of a live screen that finds no room is dropped."""
        while not self._abandoned.is_set():
            try:
                self._shots.put(shot, timeout=0 if shot is not None and self._is_live else TICK_S)
                return
            except queue.Full:
                if shot is not None and self._is_live:
                    self._counts["dropped"] += 1
                    return
        with suppress(queue.Full):
            self._shots.put_nowait(None)

    def _is_stopping(self) -> bool:
        if self._control.is_to_stop():
            self._stop.set()
        return self._stop.is_set()

    # ---- the memory's side ----

    async def _keep(self) -> None:
        try:
            while (shot := await asyncio.to_thread(self._shots.get)) is not None:
                if await asyncio.to_thread(self._changes.is_new, shot.image, shot.monitor, shot.at):
                    await self._keep_one(shot)
                else:
                    self._counts["unchanged"] += 1
        finally:
            self._abandoned.set()
            self._stop.set()
            self._all_kept.set()
            self._news.set()

    async def _keep_one(self, shot: Shot) -> None:
        active = shot.active
        while True:
            try:
                shot_id = await self._memory.keep_shot(
                    shot.image,
                    at=shot.at,
                    application=active.application or None if active else None,
                    title=active.title or None if active else None,
                    monitor=shot.monitor,
                    windows=[window.box for window in shot.windows or ()],
                    user_id=self._user,
                )
                break
            except SpoolFull as error:
                if self._is_live or self._stop.is_set():
                    return self._lost(shot, error)
                await asyncio.sleep(TICK_S)
            except MirixError as error:
                return self._lost(shot, error)
        self._counts["kept"] += 1
        self._unread[shot_id] = time.monotonic()
        self._news.set()
        return None

    def _lost(self, shot: Shot, error: MirixError) -> None:
        """A new shot was not kept: the next one of its monitor counts as new in any case."""
        self._counts["dropped"] += 1
        self._changes.forget(shot.monitor)
        self._failed(error)

    async def _read(self) -> None:
        deadline: float | None = None
        while True:
            try:
                did_read = await self._read_one()
            except ConfigError:
                raise
            except MirixError as error:
                self._failed(error)
                if self._all_kept.is_set():
                    return
                await self._wait_for_news(RETRY_S)
                continue
            if self._all_kept.is_set():
                deadline = deadline or time.monotonic() + STOP_READS_S
                if not did_read or (self._is_live and time.monotonic() > deadline):
                    return
            elif not did_read:
                await self._wait_for_news(TELL_S)

    async def _read_one(self) -> bool:
        done = await self._memory.read_shots(user_id=self._user, limit=1)
        for shot in done:
            if self._unread.pop(shot.message_id, None) is None:
                self._earlier = max(self._earlier - 1, 0)
            self._counts["searchable"] += 1
            self._newest_at = shot.at
            self._problem = None
        return bool(done)

    async def _wait_for_news(self, timeout_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), timeout_s)
        if not self._all_kept.is_set():
            self._news.clear()

    async def _remember(self) -> None:
        """Let the managers work off what is ready for them. They may be slow: nothing waits for them."""
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self._memory.flush(user_id=self._user)
            except MirixError as error:
                self._failed(error)

    async def _tell(self) -> None:
        while True:
            try:
                self._control.tell(self.report())
            except MirixError as error:
                self._failed(error)
            await asyncio.sleep(TELL_S)

    def _failed(self, error: MirixError) -> None:
        self._counts["errors"] += 1
        if self._problem != str(error):  # what lasts is told once
            logger.warning("recording goes on after an error: %s", error, extra={"action": "recorder_error"})
        self._problem = str(error)


_COUNTED = ("seen", "refused", "painted", "unchanged", "kept", "dropped", "searchable", "errors")
