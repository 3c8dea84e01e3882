"""The verbs of a recorder of screens, as a part of AsyncMirix: a shot is kept at once and read when there is time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from PIL.Image import Image

from mirix.checks import check_count
from mirix.curation.forgetting import Forgetter, Forgotten
from mirix.db.statements import statements
from mirix.errors import InputError
from mirix.ingest.boxes import Box
from mirix.ingest.inputs import check_time
from mirix.ingest.screens import ReadShot, kept_at
from mirix.ingest.spool import Shot
from mirix.memory.record import now
from mirix.verbs.opened import Opened

_FRAME = statements("frame")
_EVER = (datetime.fromisoformat("1900-01-01T00:00:00+00:00"), datetime.fromisoformat("2200-01-01T00:00:00+00:00"))


@dataclass(frozen=True, kw_only=True)
class ScreenHealth:
    """How a recorder is doing. What counts is how old the newest screen is that can be found."""

    newest_at: datetime | None  # when the newest searchable screen was taken; None: there is none
    age: timedelta | None  # from then until now
    waiting: int  # shots that are kept and not read yet
    waits_for: timedelta | None  # how long the oldest of them has waited


class ScreenVerbs:
    """keep_shot, then read_shots in the background; close_batches at the end."""

    async def keep_shot(
        self: Opened,
        image: Image,
        *,
        at: datetime,
        application: str | None = None,
        title: str | None = None,
        uri: str | None = None,
        monitor: str | None = None,
        windows: Sequence[Box] = (),
        user_id: str | None = None,
        timezone: str | None = None,
    ) -> UUID:
        """Keep a shot of a screen (RGB) until it is read: encrypted, and safe from a crash once this returns.

        `at` (aware) is when it was taken; `windows` are the places of the windows on it (left, top, right, bottom in
        pixels), the topmost first: each is read by itself. Returns the id that its message will have. Raises
        InputError, SpoolFull when shots come faster than they are read, MirixError when the disk is full.
        """
        taken = check_time(at)
        if taken is None:
            raise InputError("a shot of a screen needs the time when it was taken")
        user = await self._ensure_user(user_id, timezone)
        shot = Shot(
            image=image,
            at=taken,
            timezone=timezone or user.timezone,
            application=application,
            title=title,
            uri=uri,
            monitor=monitor or "screen",
            windows=tuple(windows),
        )
        return await asyncio.to_thread(self.parts.spool.put, user.user_id, shot)

    async def read_shots(self: Opened, *, user_id: str | None = None, limit: int | None = None) -> list[ReadShot]:
        """Read the shots that wait, oldest first, and make them searchable. Returns them.

        What changed since the last picture goes to the text recogniser; secrets are sealed, and their pixels painted
        over, before anything is stored. The managers get 20 frames at once, or those of five minutes, or those until
        another program was used. Raises ConfigError where no recogniser is installed, ModelError when it fails.
        """
        check_count(limit, "limit")
        user = await self._ensure_user(user_id, None)
        return await self.parts.screens.read(user, limit)

    async def close_batches(self: Opened, *, user_id: str | None = None) -> None:
        """Hand the frames that gather to the managers now; `flush` waits until they are done."""
        user = await self._user(user_id)
        await self.parts.evidence.end_gathering(user.user_id)

    async def screen_health(self: Opened, *, user_id: str | None = None) -> ScreenHealth:
        """Whether screens arrive: the age of the newest that can be found, and what waits."""
        user = await self._user(user_id)
        async with self.parts.database.transaction(user.user_id) as conn:
            row = await (await conn.execute(_FRAME["newest_frame"], {"user_id": user.user_id})).fetchone()
        waiting = await asyncio.to_thread(self.parts.spool.waiting, user.user_id)
        return ScreenHealth(
            newest_at=row["at"] if row else None,
            age=now() - row["at"] if row else None,
            waiting=len(waiting),
            waits_for=now() - kept_at(waiting[0]) if waiting else None,
        )

    async def forget_screens(
        self: Opened, *, since: datetime | None = None, until: datetime | None = None, user_id: str | None = None
    ) -> Forgotten:
        """Take what was seen on screens in a time out for good, shots that wait included. There is no undo."""
        first, last = check_time(since) or _EVER[0], check_time(until) or _EVER[1]
        user = await self._user(user_id)
        parts = self.parts
        dropped = await asyncio.to_thread(parts.spool.drop_between, user.user_id, first, last)
        parameters = {"user_id": user.user_id, "since": first, "until": last}
        async with parts.database.transaction(user.user_id) as conn:
            rows = await (await conn.execute(_FRAME["screens_between"], parameters)).fetchall()
        forgotten = Forgotten()
        if rows:
            forgetter = Forgetter(parts.database, parts.indexer, parts.keyring, parts.frames)
            forgotten = await forgetter.forget(user.user_id, [row["id"] for row in rows])
        return replace(forgotten, pictures=forgotten.pictures + dropped)
