"""Shots of the screen that wait to be read: encrypted files, so that capture never waits and a crash loses nothing.

    keep_shot ─> put: one file, whole or not at all ─> read_shots ─> take, read, store, drop

What waits has not been looked through for secrets yet. So it is encrypted with the key of the database from the first
moment, is nowhere else, and goes as soon as the frame is stored.
"""

from __future__ import annotations

import io
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

from PIL import Image

from mirix.errors import MirixError, SealError, SpoolFull
from mirix.ingest.boxes import Box
from mirix.memory.envelope import Keyring
from mirix.memory.record import new_id

logger = logging.getLogger(__name__)

MOST_SHOTS = 2_000  # an hour and more of hard work
MOST_BYTES = 1_000_000_000
_SUFFIX = ".shot.sealed"
_ENCODING = {"lossless": True, "quality": 20, "method": 1}  # quick; what is kept in the end is encoded anew


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture of a screen, and what was known of it when it was taken."""

    image: Image.Image = field(repr=False)  # RGB
    at: datetime  # aware
    timezone: str  # IANA name
    application: str | None
    title: str | None
    uri: str | None
    monitor: str | None
    windows: tuple[Box, ...] = ()  # where they stand on it, the topmost first


class Spool:
    """The folder of waiting shots. One process writes and one reads for a user; they may be the same."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring

    def put(self, user_id: int, shot: Shot) -> UUID:
        """Keep a shot until it is dropped; its id will be that of the message. Raises SpoolFull and MirixError."""
        sizes = [_size(path) for path in self._files(user_id)]
        if len(sizes) >= MOST_SHOTS or sum(sizes) >= MOST_BYTES:
            raise SpoolFull(
                f"{len(sizes)} shots of the screen wait to be read, and there is no room for more: "
                "pause the recorder until they are, or install a quicker text recogniser"
            )
        shot_id = new_id()
        path = self._path(user_id, shot_id)
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(self._keyring.seal_bytes(_packed(shot), user_id=user_id, item_id=shot_id))
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise MirixError(
                f"a shot of the screen cannot be kept in {path.parent}: {error.strerror or error}"
            ) from error
        return shot_id

    def waiting(self, user_id: int) -> list[UUID]:
        """The shots that are still to be read, oldest first."""
        return sorted(UUID(path.name.removesuffix(_SUFFIX)) for path in self._files(user_id))

    def take(self, user_id: int, shot_id: UUID) -> Shot:
        """A waiting shot, which stays. Raises SealError for one that cannot be opened."""
        try:
            sealed = self._path(user_id, shot_id).read_bytes()
        except FileNotFoundError:
            raise SealError(f"shot {shot_id} is gone") from None
        return _unpacked(self._keyring.open_bytes(sealed, user_id=user_id, item_id=shot_id))

    def drop(self, user_id: int, shot_id: UUID) -> None:
        """It is stored, or was forgotten."""
        self._path(user_id, shot_id).unlink(missing_ok=True)

    def drop_between(self, user_id: int, since: datetime, until: datetime) -> int:
        """Drop the shots that were taken in a time; returns how many. What cannot be opened goes, too."""
        dropped = 0
        for shot_id in self.waiting(user_id):
            try:
                meant = since <= self.take(user_id, shot_id).at < until
            except SealError:
                meant = True
            if meant:
                self.drop(user_id, shot_id)
                dropped += 1
        return dropped

    def clear(self, user_id: int) -> None:
        """Drop all that waits, and what was set aside: the user is forgotten."""
        shutil.rmtree(self._folder / str(user_id), ignore_errors=True)

    def is_waiting(self, user_id: int, shot_id: UUID) -> bool:
        return self._path(user_id, shot_id).exists()

    def set_aside(self, user_id: int, shot_id: UUID) -> None:
        """It cannot be opened, and must not stand in the way of those behind it."""
        path = self._path(user_id, shot_id)
        if not path.exists():
            return  # forgotten
        path.replace(path.with_suffix(".unreadable"))
        logger.warning("a waiting shot cannot be opened", extra={"action": "shot_set_aside", "shot_id": str(shot_id)})

    def _files(self, user_id: int) -> Iterator[Path]:
        return (self._folder / str(user_id)).glob(f"*{_SUFFIX}")

    def _path(self, user_id: int, shot_id: UUID) -> Path:
        return self._folder / str(user_id) / f"{shot_id}{_SUFFIX}"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # read, stored and dropped a moment ago
        return 0


def _packed(shot: Shot) -> bytes:
    """What is known of it as a line of JSON, then the picture."""
    picture = io.BytesIO()
    shot.image.save(picture, "WEBP", **_ENCODING)
    known = {
        "at": shot.at.isoformat(),
        "timezone": shot.timezone,
        "application": shot.application,
        "title": shot.title,
        "uri": shot.uri,
        "monitor": shot.monitor,
        "windows": shot.windows,
    }
    return json.dumps(known).encode() + b"\n" + picture.getvalue()


def _unpacked(packed: bytes) -> Shot:
    known, _, picture = packed.partition(b"\n")
    told = json.loads(known)
    with Image.open(io.BytesIO(picture), formats=("WEBP",)) as opened:
        image = opened.convert("RGB")
    return Shot(
        image=image,
        at=datetime.fromisoformat(told["at"]),
        timezone=told["timezone"],
        application=told["application"],
        title=told["title"],
        uri=told["uri"],
        monitor=told["monitor"],
        windows=tuple(tuple(box) for box in told["windows"]),
    )
