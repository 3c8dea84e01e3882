"""Reads the shots of a screen that wait in the spool, and makes evidence of them.

    spool ─> changed regions ─> recogniser ─> secrets sealed and painted over ─> message + frame, searchable ─> batch
                                                                                   (20 frames, 5 minutes, or until
                                                                                    another program is used)

Shots are read in the order they were taken. Nothing of a shot is stored before it has been looked through for secrets,
so without a recogniser none is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from mirix.db.pool import User
from mirix.errors import ConfigError, InputError, ModelError, SealError
from mirix.ingest.evidence import Evidence
from mirix.ingest.images import LoadedImage
from mirix.ingest.inputs import Incoming, Origin, clean_name, from_picture
from mirix.ingest.regions import RegionReader
from mirix.ingest.spool import Shot, Spool
from mirix.memory.message import Message
from mirix.memory.record import Scope, now
from mirix.models.ocr import HOW_TO_INSTALL, Line, TextRecogniser

CONVERSATION = "screen"
NAME_LENGTH, TITLE_LENGTH, URI_LENGTH = 200, 1_000, 10_000  # of these so much is kept
LEGIBLE = 0.6  # confidence of the recogniser; of 1,276 longer lines of a day 57 were below, most of them toolbars
LEAST_SECRET = 8  # letters and digits
MOST_FAILURES = 3  # of the recogniser on one shot, before it is set aside


@dataclass(frozen=True, kw_only=True)
class ReadShot:
    """A shot that can be searched now."""

    message_id: UUID
    at: datetime  # when it was taken
    application: str | None
    title: str | None
    lines: int  # of text
    waited_s: float  # from when it was kept until it could be found


class ScreenReader:
    """One for all users; a user's shots are read one after another."""

    def __init__(self, evidence: Evidence, spool: Spool, recogniser: TextRecogniser | None) -> None:
        self._evidence = evidence
        self._spool = spool
        self._recogniser = recogniser
        self._readers: dict[tuple[int, str | None], RegionReader] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._failures: dict[UUID, int] = {}

    async def read(self, user: User, limit: int | None = None) -> list[ReadShot]:
        """Read what waits, oldest first, at most `limit`. Raises ConfigError, ModelError; the shot stays then."""
        if self._recogniser is None:
            raise ConfigError(f"no text is read from the screen, so no secret on it would be found: {HOW_TO_INSTALL}")
        done: list[ReadShot] = []
        async with self._locks.setdefault(user.user_id, asyncio.Lock()):
            for shot_id in (await asyncio.to_thread(self._spool.waiting, user.user_id))[:limit]:
                try:
                    done.append(await self._read(user, shot_id))
                except (SealError, InputError):  # nothing of it can be kept, now or later
                    await asyncio.to_thread(self._spool.set_aside, user.user_id, shot_id)
        return done

    async def _read(self, user: User, shot_id: UUID) -> ReadShot:
        shot = await asyncio.to_thread(self._spool.take, user.user_id, shot_id)
        incoming = await asyncio.to_thread(self._incoming, user, shot_id, shot)
        if not self._spool.is_waiting(user.user_id, shot_id):
            raise SealError(f"shot {shot_id} was forgotten while it was read")
        if not await self._evidence.by_id(user.user_id, [shot_id]):  # stored before a crash, and not dropped any more
            scope = Scope(user_id=user.user_id)
            await self._evidence.store(
                user, scope, [incoming], conversation=CONVERSATION, idempotency_key=f"shot {shot_id}", gather=True
            )
        await asyncio.to_thread(self._spool.drop, user.user_id, shot_id)
        return ReadShot(
            message_id=shot_id,
            at=shot.at,
            application=shot.application,
            title=shot.title,
            lines=len(incoming.lines),
            waited_s=(now() - kept_at(shot_id)).total_seconds(),
        )

    def _incoming(self, user: User, shot_id: UUID, shot: Shot) -> Incoming:
        assert self._recogniser is not None
        reader = self._readers.setdefault((user.user_id, shot.monitor), RegionReader(self._recogniser))
        try:
            lines = reader.read(shot.image, shot.windows)
        except ModelError as error:
            failures = self._failures.pop(shot_id, 0) + 1
            if failures >= MOST_FAILURES:
                raise SealError(f"shot {shot_id} cannot be read: {error}") from error
            self._failures[shot_id] = failures
            raise
        picture = LoadedImage(
            image=shot.image, mime="image/webp", width=shot.image.width, height=shot.image.height, taken_at=shot.at
        )
        origin = Origin(
            at=shot.at,
            timezone=shot.timezone,
            # A page may give itself a title of any length.
            application=clean_name((shot.application or "")[:NAME_LENGTH], "application"),
            title=clean_name((shot.title or "")[:TITLE_LENGTH], "title", TITLE_LENGTH),
            uri=clean_name((shot.uri or "")[:URI_LENGTH], "uri", URI_LENGTH),
            conversation=CONVERSATION,
        )
        incoming = from_picture(picture, lines, reader.name, origin, shot.at)
        illegible = tuple(line.box for line in lines if is_illegible(line))
        return replace(incoming, monitor=shot.monitor, message_id=shot_id, illegible=illegible)


def is_illegible(line: Line) -> bool:
    """Whether letters may stand there that nobody could look through for secrets: small ones of a terminal."""
    return line.confidence < LEGIBLE and sum(map(str.isalnum, line.text)) >= LEAST_SECRET


def kept_at(shot_id: UUID) -> datetime:
    """When a shot was kept: a UUIDv7 begins with milliseconds since 1970."""
    return datetime.fromtimestamp((shot_id.int >> 80) / 1000, UTC)


def only_news(messages: Sequence[Message]) -> list[Message]:
    """Screens as the managers are shown them: each with the lines that the last screen of the program did not have.

    A screen with nothing new is left out. Other messages stay as they are.
    """
    shown: list[Message] = []
    before: dict[tuple[str | None, str | None], set[str]] = {}
    for message in messages:
        if message.source_kind != "screen":
            shown.append(message)
            continue
        lines = message.text.splitlines()
        known = before.get((message.application, message.title), set())
        news = [line for line in lines if line.strip() and line.strip() not in known]
        before[message.application, message.title] = {line.strip() for line in lines}
        if news:
            shown.append(message if not known else replace(message, text="\n".join(news)))
    return shown
