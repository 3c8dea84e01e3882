"""Hits and citations get the picture behind them, with the words that answer; a model that sees gets the pictures.

One query for a whole result, and none where no hit may have a picture behind it. Which lines answer: places.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from langchain_core.messages.content import create_image_block

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.errors import SealError
from mirix.retrieval.context import Context
from mirix.retrieval.hits import Hit
from mirix.retrieval.places import Box, FrameLine, FramePlace, boxes_for_answer, boxes_for_query

logger = logging.getLogger(__name__)

MOST_SOURCES = 5  # messages of a memory among which its picture is looked for
MOST_PICTURES = 3  # that a model is shown for one answer
_FRAME = statements("frame")

PictureUrl = Callable[[int, UUID], str]  # user, message -> `data:` URL of its picture
Block = dict[str, Any]  # a part of the content of a message to a model


@dataclass(frozen=True, kw_only=True)
class _Stored:
    place: FramePlace  # without boxes
    lines: tuple[FrameLine, ...]

    def marked(self, boxes: tuple[Box, ...]) -> FramePlace:
        return replace(self.place, boxes=boxes)


class Framer:
    """Finds the pictures of one database. With `picture_url` the answering model is shown them."""

    def __init__(self, database: Database, picture_url: PictureUrl | None = None) -> None:
        self._database = database
        self._picture_url = picture_url

    async def hits(self, user_id: int, hits: Sequence[Hit], query: str) -> tuple[Hit, ...]:
        """The hits, each with the place on its picture that answers the query, where there is one."""
        stored = await self._stored(user_id, hits)
        if not stored:
            return tuple(hits)
        return tuple(replace(hit, frame=_place_of(hit, stored, query)) for hit in hits)

    async def places(
        self, user_id: int, hits: Sequence[Hit], *, question: str, said: Sequence[str], quotes: Sequence[str]
    ) -> list[FramePlace | None]:
        """For each cited hit its picture, with the place that holds what was `said` of it."""
        stored = await self._stored(user_id, hits)
        return [
            _best(
                (frame, boxes_for_answer(frame.lines, question=question, said=words, quote=quote))
                for frame in _frames_of(hit, stored)
            )
            for hit, words, quote in zip(hits, said, quotes, strict=True)
        ]

    async def shown(self, user_id: int, context: Context) -> list[Block]:
        """The pictures of the best items for a model that sees, each after its number; none for one that does not."""
        if self._picture_url is None:
            return []
        stored = await self._stored(user_id, [item.hit for item in context.items])
        numbers: dict[UUID, int] = {}
        for item in context.items:
            for frame in _frames_of(item.hit, stored)[:1]:
                numbers.setdefault(frame.place.message_id, item.n)
        blocks: list[Block] = []
        for message_id, number in list(numbers.items())[:MOST_PICTURES]:
            try:
                url = await asyncio.to_thread(self._picture_url, user_id, message_id)
            except SealError:  # what was read of it is in the context all the same
                logger.warning("a picture cannot be shown", extra={"action": "picture_missing", "id": str(message_id)})
                continue
            mime, data = url.removeprefix("data:").split(";base64,", 1)
            blocks.append({"type": "text", "text": f'<picture item="{number}"/>'})
            blocks.append({**create_image_block(base64=data, mime_type=mime)})
        return blocks

    async def _stored(self, user_id: int, hits: Iterable[Hit]) -> Mapping[UUID, _Stored]:
        ids = list(dict.fromkeys(key for hit in hits for key in _pictured(hit)))
        if not ids:
            return {}
        async with self._database.transaction(user_id) as conn:
            rows = await (await conn.execute(_FRAME["frames_of"], {"user_id": user_id, "message_ids": ids})).fetchall()
        return {row["message_id"]: _stored(row) for row in rows}


def frame_lines(values: Iterable[Mapping[str, Any]]) -> tuple[FrameLine, ...]:
    """Recognised lines as they are stored."""
    return tuple(FrameLine(text=line["text"], box=_box(line["box"])) for line in values)


def _box(values: Sequence[int]) -> Box:
    left, top, right, bottom = values
    return left, top, right, bottom


def _stored(row: Mapping[str, Any]) -> _Stored:
    place = FramePlace(
        message_id=row["message_id"],
        application=row["application"],
        title=row["title"],
        at=row["at"],
        width=row["width"],
        height=row["height"],
        boxes=(),
    )
    return _Stored(place=place, lines=frame_lines(row["lines"]))


def _pictured(hit: Hit) -> Sequence[UUID]:
    """The messages behind a hit that may be pictures, the best first."""
    if hit.message is not None:
        return [hit.id] if hit.message.mime.startswith("image/") else []
    is_seen = hit.record is not None and hit.record.source_kind == "screen"
    return hit.source_ids[:MOST_SOURCES] if is_seen else []


def _frames_of(hit: Hit, stored: Mapping[UUID, _Stored]) -> list[_Stored]:
    return [stored[key] for key in _pictured(hit) if key in stored]


def _place_of(hit: Hit, stored: Mapping[UUID, _Stored], query: str) -> FramePlace | None:
    told = hit.record.told() if hit.record is not None else ""
    return _best((frame, boxes_for_query(frame.lines, query, told)) for frame in _frames_of(hit, stored))


def _best(found: Iterable[tuple[_Stored, tuple[Box, ...]]]) -> FramePlace | None:
    """The first picture on which the words stand; else the first."""
    frames = [frame.marked(boxes) for frame, boxes in found]
    return next((frame for frame in frames if frame.boxes), frames[0] if frames else None)
