"""A kept screenshot, opened to be looked at, and the place in it that a quote comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import NotFoundError
from mirix.ingest.frames import FrameFiles
from mirix.text.analyser import tokens

_FRAME = statements("frame")
LINE_SHARE = 0.5  # of the words of a line that the quote must hold, for the line to be a part of it

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels


@dataclass(frozen=True, kw_only=True)
class FrameLine:
    """A recognised line. Where it held a secret its text is sealed and its pixels are painted over."""

    text: str
    box: Box


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
        return tuple(line.box for line in _lines_of(self.lines, quote))


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
        lines=tuple(FrameLine(text=line["text"], box=_box(line["box"])) for line in row["lines"]),
    )


def _box(values: Sequence[int]) -> Box:
    left, top, right, bottom = values
    return left, top, right, bottom


def _lines_of(lines: Sequence[FrameLine], quote: str) -> list[FrameLine]:
    """The one line that holds the quote as it stands, or the fewest that hold its words between them."""
    flat = " ".join(quote.split())
    whole = [line for line in lines if flat and flat in " ".join(line.text.split())]
    if whole:
        return whole[:1]
    words = {line: frozenset(tokens(line.text)) for line in lines}
    wanted = frozenset(tokens(quote))
    fitting = [line for line in lines if words[line] and len(words[line] & wanted) >= LINE_SHARE * len(words[line])]
    missing = set(wanted)
    chosen: list[FrameLine] = []
    while fitting:
        best = max(fitting, key=lambda line: len(words[line] & missing))
        if not words[best] & missing:
            break
        missing -= words[best]
        chosen.append(best)
    return sorted(chosen, key=lambda line: (line.box[1], line.box[0]))
