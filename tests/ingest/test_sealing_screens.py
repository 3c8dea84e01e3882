"""Secrets on screens, from the shot to the stored row and picture: misread ones stand under the reference they have."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mirix.ingest.screens import ReadShot, ScreenReader
from mirix.models.fake import ScriptedChatModel
from mirix.models.ocr import FakeRecogniser
from mirix.system import AsyncMirix
from tests.scripts import OpenMirix, Rows, open_mirix, rows

__all__ = ["open_mirix", "rows"]
VALUE = "Gannet-Crank-4172"


@pytest.fixture
async def memory(open_mirix: OpenMirix) -> AsyncMirix:
    return await open_mirix(ScriptedChatModel(script=[]))


async def shot(memory: AsyncMirix, page: str) -> ReadShot:
    user = await memory.parts.database.ensure_user("anna", "Europe/Oslo")
    picture = Image.new("RGB", (400, 200), "white")
    picture.paste((150, 150, 150), (300, 150, 320, 160))  # nobody reads a blank one
    await memory.keep_shot(
        picture,
        at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
        application="Notes",
        title="Notes",
        monitor="left",
    )
    (read,) = await ScreenReader(memory.parts.evidence, memory.parts.spool, FakeRecogniser([page])).read(user)
    return read


async def test_a_screen_shows_a_misread_value_of_the_vault_under_its_reference(memory: AsyncMirix, rows: Rows) -> None:
    await memory.add(f"The cabin password is {VALUE}.", infer=False)
    read = await shot(memory, "Notes\nbring the skis, Ganmet- Crank-417Z\nand wax")
    [(reference,)] = [tuple(row.values()) for row in rows("SELECT reference FROM knowledge_vault")]
    frame = await memory.frame(read.message_id)
    assert f"bring the skis, {{{{vault:{reference}}}}}" in [line.text for line in frame.lines]
    texts = json.dumps(rows("SELECT text FROM message"), default=str)
    assert texts.count(reference) == 2 and "Crank" not in texts


async def test_a_misread_secret_is_neither_in_a_row_nor_in_the_picture(memory: AsyncMirix, rows: Rows) -> None:
    read = await shot(memory, "Pay\nCard number  5391 2O47 8816 30Z4\n密 码: Gannet! 4821kCairn\nTotal 85.95")
    assert "8816" not in (told := json.dumps(rows("SELECT text FROM message"), default=str))
    assert "4821" not in told and "85.95" in told
    frame = await memory.frame(read.message_id)
    assert "8816" not in str(frame.lines) and "4821" not in str(frame.lines)
    with Image.open(BytesIO(frame.webp)) as stored:
        assert np.asarray(stored.convert("L")).min() < 120, "the picture was white"
