"""A kept screenshot, opened to be looked at by a person or shown to a model that sees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from uuid import UUID

from PIL import Image

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import NotFoundError
from mirix.ingest.frames import FrameFiles
from mirix.ingest.images import to_data_url
from mirix.retrieval.frames import frame_lines
from mirix.retrieval.places import Box, FrameLine, boxes_for_quote

_FRAME = statements("frame")


@dataclass(frozen=True, kw_only=True)
class KeptFrame:
    """A stored screenshot, opened."""

    message_id: UUID
    webp: bytes = field(repr=False)
    width: int  # pixels
    height: int
    lines: tuple[FrameLine, ...]

    def boxes_of(self, quote: str) -> tuple[Box, ...]:
        """Where the words of a quote stand, from top to bottom; empty where no line holds them."""
        return boxes_for_quote(self.lines, quote)


async def read_frame(database: Database, frames: FrameFiles, user_id: int, message_id: UUID) -> KeptFrame:
    """The picture of a message. Raises NotFoundError where there is none, SealError where it cannot be opened."""
    async with database.transaction(user_id) as conn:
        parameters = {"user_id": user_id, "message_id": message_id}
        row = await (await conn.execute(_FRAME["frame_of"], parameters)).fetchone()
    if row is None:
        raise NotFoundError(f"message {message_id} has no picture")
    return KeptFrame(
        message_id=message_id,
        webp=await asyncio.to_thread(frames.read_bytes, user_id, message_id),
        width=row["width"],
        height=row["height"],
        lines=frame_lines(row["lines"]),
    )


def picture_urls(frames: FrameFiles) -> Callable[[int, UUID], str]:
    """The picture of a user's message as a `data:` URL, as small as a model needs it. Raises SealError."""

    def url(user_id: int, message_id: UUID) -> str:
        with Image.open(BytesIO(frames.read_bytes(user_id, message_id))) as picture:
            return to_data_url(picture.convert("RGB"))

    return url
