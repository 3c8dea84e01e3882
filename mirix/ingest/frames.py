"""Pictures: kept as encrypted WebP files beside the database, with their recognised lines in the table `frame`.

Where a line held a secret, its pixels are painted over before the picture is stored or shown to a vision model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image, ImageDraw

from mirix.errors import MirixError, SealError
from mirix.ingest.boxes import Box
from mirix.ingest.images import to_webp
from mirix.ingest.inputs import Incoming
from mirix.ingest.painting import Hidden, widened
from mirix.ingest.sealing import SealedText, Sealer
from mirix.memory.envelope import Keyring
from mirix.text.secrets import reference_text

SEALED = "[sealed]"
_PAINT = (90, 90, 90)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A picture ready to be stored."""

    webp: bytes = field(repr=False)  # without the pixels of secrets
    width: int
    height: int
    lines: list[dict[str, Any]]  # text (sealed), box (left, top, right, bottom in pixels), confidence
    recogniser: str | None
    monitor: str | None

    def columns(self) -> dict[str, Any]:
        return {
            "width": self.width,
            "height": self.height,
            "recogniser": self.recogniser,
            "monitor": self.monitor,
        }


class FrameFiles:
    """The folder of encrypted pictures."""

    def __init__(self, folder: Path, keyring: Keyring) -> None:
        self._folder = folder
        self._keyring = keyring
        self._hidden = Hidden()

    def prepare(self, incoming: Incoming, sealed: SealedText, sealer: Sealer) -> Frame:
        """The picture with every line painted over that held a secret of the text as a whole, or holds one itself, and
        with what was painted over on the pictures before."""
        assert incoming.picture is not None
        image = incoming.picture.image
        kept = []
        secret: list[Box] = []
        for line in incoming.lines:
            text = _sealed_line(line.text, sealed, sealer)
            if text != line.text:
                secret.append(line.box)
            kept.append({"text": text, "box": list(line.box), "confidence": round(line.confidence, 3)})
        grey = image.convert("L")
        self._hidden.remember(sealer.user_id, grey, secret)
        return Frame(
            webp=to_webp(_painted(image, [*secret, *incoming.illegible, *self._hidden.again(sealer.user_id, grey)])),
            width=image.width,
            height=image.height,
            lines=kept,
            recogniser=incoming.recogniser,
            monitor=incoming.monitor,
        )

    def name(self, message_id: UUID) -> str:
        return f"{message_id}.webp.sealed"

    def _path(self, user_id: int, message_id: UUID) -> Path:
        return self._folder / str(user_id) / self.name(message_id)

    async def write(self, user_id: int, message_id: UUID, frame: Frame) -> None:
        """Encrypt and store; whole or not at all. Raises MirixError when the disk is full or cannot be written."""
        await asyncio.to_thread(self._write, user_id, message_id, frame.webp)

    def _write(self, user_id: int, message_id: UUID, webp: bytes) -> None:
        path = self._path(user_id, message_id)
        part = path.with_suffix(".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            part.write_bytes(self._keyring.seal_bytes(webp, user_id=user_id, item_id=message_id))
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise MirixError(
                f"the picture cannot be kept in {path.parent}: {error.strerror or error}; nothing was changed. "
                "See that there is room and that the folder may be written, and try again"
            ) from error

    def read_bytes(self, user_id: int, message_id: UUID) -> bytes:
        """The picture of a message as WebP. Raises SealError when it is gone or was tampered with."""
        path = self._path(user_id, message_id)
        try:
            sealed = path.read_bytes()
        except FileNotFoundError:
            raise SealError(f"the picture of message {message_id} is not at {path}: restore the data folder") from None
        return self._keyring.open_bytes(sealed, user_id=user_id, item_id=message_id)

    async def paint_over(self, user_id: int, message_id: UUID, boxes: Sequence[Sequence[int]]) -> None:
        """Hide some places of a stored picture: left, top, right, bottom in pixels."""
        await asyncio.to_thread(self._paint_over, user_id, message_id, boxes)

    def _paint_over(self, user_id: int, message_id: UUID, boxes: Sequence[Sequence[int]]) -> None:
        with Image.open(BytesIO(self.read_bytes(user_id, message_id))) as stored:
            image = stored.convert("RGB")
        places = [(left, top, right, bottom) for left, top, right, bottom in boxes]
        self._write(user_id, message_id, to_webp(_painted(image, places)))

    def forget_hidden(self, user_id: int) -> None:
        """What was hidden for a value that turned out to be harmless is not hidden on further pictures."""
        self._hidden.forget(user_id)

    def delete(self, user_id: int, message_id: UUID) -> None:
        self._path(user_id, message_id).unlink(missing_ok=True)


def _painted(image: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    painted = image.copy()
    pen = ImageDraw.Draw(painted)
    for box in boxes:
        pen.rectangle(widened(image, box), fill=_PAINT)
    return painted


def _sealed_line(line: str, whole: SealedText, sealer: Sealer) -> str:
    """A recognised line without what is secret. A label and its value often stand on different lines, so a value that
    the whole text gave away is looked for too, and a part of one (a key broken over two lines) hides its line."""
    text = line
    marks: dict[str, str] = {}
    for number, (piece, reference) in enumerate(_pieces(whole)):
        if piece in text:
            mark = f"[sealed{number}]"  # a reference that stands in the text already would be taken for a forged one
            marks[mark] = reference_text(reference)
            text = text.replace(piece, mark)
        elif len(text.strip()) >= 4 and text.strip() in piece:
            return SEALED
    text = sealer.seal(text).text
    for mark, named in marks.items():
        text = text.replace(mark, named)
    return text


def _pieces(whole: SealedText) -> list[tuple[str, str]]:
    """The values and their references, the longest first; of a value that runs on to the next line, each part."""
    pieces = {
        part.strip(): reference
        for value, reference in zip(whole.values, whole.references, strict=True)
        for part in value.split("\n")
        if len(part.strip()) >= 4 or part == value
    }
    return sorted(pieces.items(), key=lambda piece: -len(piece[0]))
