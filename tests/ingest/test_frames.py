"""Pictures: kept encrypted, without the pixels of secrets."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from mirix.errors import SealError
from mirix.ingest.frames import SEALED, FrameFiles
from mirix.ingest.images import load_image
from mirix.ingest.inputs import Incoming
from mirix.ingest.sealing import SealedText, Sealer
from mirix.memory.envelope import Keyring
from mirix.memory.record import new_id
from mirix.models.ocr import Line

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
WIDTH, HEIGHT = 240, 120


@pytest.fixture
def files(tmp_path: Path, keyring: Keyring) -> FrameFiles:
    return FrameFiles(tmp_path / "frames", keyring)


def screen(*lines: str) -> Incoming:
    """A white picture on which the lines stand one below the other, in black boxes."""
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    boxes = [(10, 10 + 20 * row, 200, 24 + 20 * row) for row in range(len(lines))]
    for box in boxes:
        image.paste((0, 0, 0), box)
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return Incoming(
        role="user",
        speaker="Screen",
        text="\n".join(lines),
        at=NOON,
        has_time=True,
        timezone="UTC",
        source_kind="screen",
        trust=1,
        mime="image/png",
        picture=load_image(buffer.getvalue()),
        lines=tuple(Line(text=text, box=box, confidence=0.987654) for text, box in zip(lines, boxes, strict=True)),
        recogniser="test",
    )


def prepared(files: FrameFiles, keyring: Keyring, *lines: str) -> Any:
    sealer = Sealer(keyring=keyring, user_id=1)
    incoming = screen(*lines)
    return files.prepare(incoming, sealer.seal(incoming.text, like=incoming), sealer)


def painted(webp: bytes) -> list[bool]:
    """For each line of `screen`, whether it was painted over."""
    with Image.open(BytesIO(webp)) as stored:
        pixels = np.asarray(stored.convert("L"))
    return [bool(pixels[12 + 20 * row : 22 + 20 * row, 12:198].min() > 60) for row in range(5)]


def test_lines_that_hold_a_secret_are_painted_over_and_sealed(files: FrameFiles, keyring: Keyring) -> None:
    frame = prepared(files, keyring, "Settings", "wifi password: Plover-Crank-4172", "Brightness")
    assert painted(frame.webp)[:3] == [False, True, False]
    [first, second, third] = [line["text"] for line in frame.lines]
    assert (first, third) == ("Settings", "Brightness")
    assert re.fullmatch(r"wifi password: \{\{vault:\w{6}\}\}", second), "the reference of the message"
    assert frame.lines[0] == {"text": "Settings", "box": [10, 10, 200, 24], "confidence": 0.988}


def test_a_value_on_another_line_than_its_label_is_painted_over(files: FrameFiles, keyring: Keyring) -> None:
    frame = prepared(files, keyring, "Password:", "Plover-Crank-4172", "密码:", "Tern-Anchor-2044")
    assert painted(frame.webp)[:4] == [False, True, False, True]
    assert "Gull" not in str(frame.lines) and "Tern" not in str(frame.lines)


def test_a_key_that_is_broken_over_lines_hides_both(files: FrameFiles, keyring: Keyring) -> None:
    key = "AKIAQX7LZ2MNB4VRT9WP"
    sealer = Sealer(keyring=keyring, user_id=1)
    incoming = screen("key", key[:12], key[12:])
    whole = sealer.seal(f"Our key is {key}", like=incoming)
    frame = files.prepare(incoming, whole, sealer)
    assert painted(frame.webp)[:3] == [False, True, True]
    assert [line["text"] for line in frame.lines] == ["key", SEALED, SEALED]


def test_a_value_that_runs_on_to_the_next_line_hides_its_part_of_both(files: FrameFiles, keyring: Keyring) -> None:
    sealer = Sealer(keyring=keyring, user_id=1)
    incoming = screen("our key AKIAQX7LZ2", "MNB4VRT9WP and more", "Brightness")
    whole = SealedText(text="", references=("k7q2xx",), values=("AKIAQX7LZ2\nMNB4VRT9WP",))
    frame = files.prepare(incoming, whole, sealer)
    assert painted(frame.webp)[:3] == [True, True, False]
    assert [line["text"] for line in frame.lines[:2]] == ["our key {{vault:k7q2xx}}", "{{vault:k7q2xx}} and more"]


def test_a_misread_value_is_painted_over(files: FrameFiles, keyring: Keyring) -> None:
    frame = prepared(files, keyring, "Pay", "Card number  5391 2O47 8816 30Z4", "Passwora", "Skua7702w")
    assert painted(frame.webp)[:4] == [False, True, False, True]


async def test_a_stored_picture_is_encrypted_and_comes_back(files: FrameFiles, keyring: Keyring) -> None:
    frame = prepared(files, keyring, "Settings")
    message = new_id()
    await files.write(1, message, frame)
    [path] = [path for path in files._folder.rglob("*") if path.is_file()]
    assert path.name == files.name(message) and b"WEBP" not in path.read_bytes()
    assert path.parent.stat().st_mode & 0o077 == 0
    assert files.read_bytes(1, message) == frame.webp
    for wrong_user, wrong_message in ((2, message), (1, new_id())):
        with pytest.raises(SealError):
            files.read_bytes(wrong_user, wrong_message)
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(SealError):
        files.read_bytes(1, message)


async def test_a_place_may_be_painted_over_later(files: FrameFiles, keyring: Keyring) -> None:
    message = await stored(files, keyring)
    await files.paint_over(1, message, [[10, 30, 200, 44]])
    assert painted(files.read_bytes(1, message))[:2] == [False, True]
    assert [path.suffix for path in files._folder.rglob("*") if path.is_file()] == [".sealed"], "no part is left"


async def test_a_deleted_picture_is_gone(files: FrameFiles, keyring: Keyring) -> None:
    message = await stored(files, keyring)
    files.delete(1, message)
    files.delete(1, message)
    with pytest.raises(SealError, match="restore the data folder"):
        files.read_bytes(1, message)


async def stored(files: FrameFiles, keyring: Keyring) -> UUID:
    message = new_id()
    await files.write(1, message, prepared(files, keyring, "one", "two"))
    return message
