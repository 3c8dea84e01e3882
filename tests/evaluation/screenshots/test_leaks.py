"""A check for leaks that can fail: what stands in rows and pictures is found, misread too."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from PIL import Image

from mirix.evaluation.screenshots.day import Secret, Sighting, Truth
from mirix.evaluation.screenshots.leaks import find_leaks, stands_in
from mirix.evaluation.screenshots.record import Recording
from mirix.models.ocr import Line
from mirix.system import AsyncMirix

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
VALUE = "Tern-Anchor-2044"


@pytest.mark.parametrize(
    "text", [VALUE, "tern-anchor- 2044", "Term-Anchor-2O44", "it is Tern-Anch\nor-2044.", "a\nTern-Ancor-2044"]
)
def test_a_value_stands_in_a_text_misread_or_broken_too(text: str) -> None:
    assert stands_in(VALUE, text)


@pytest.mark.parametrize("text", ["", "Tern", "{{vault:k7q2xx}}", "Gull-Anchor-1999", "Anchor-2044"])
def test_what_is_left_of_a_value_is_none(text: str) -> None:
    assert not stands_in(VALUE, text)


class Reads:
    """Reads the same words in every picture."""

    name = "script"
    languages = frozenset({"en"})

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, image: Image.Image) -> list[Line]:
        return [Line(text=self.text, box=(10, 10, 190, 40), confidence=0.9)]


async def test_leaks_in_rows_and_in_pictures_are_told(memory: AsyncMirix, tmp_path: Path) -> None:
    user = await memory.parts.database.ensure_user("screenshots", "Europe/Oslo")
    picture = Image.new("RGB", (200, 50), "white")
    picture.paste((0, 0, 0), (10, 10, 190, 40))
    picture.save(tmp_path / "shot.png")
    added = await memory.add(image=tmp_path / "shot.png", at=NOON, user_id="screenshots", infer=False)
    await memory.add("We wrote Term-Anchor 2O44 on the lid.", user_id="screenshots", infer=False)
    recording = Recording()
    recording.kept = {added.message_ids[0]: "shot.png"}
    shots = [Sighting(file="shot.png", box=(10, 10, 190, 40))]
    truth = Truth(secrets=[Secret(kind="password", value=VALUE, shots=shots), Secret(kind="pin", value="9", shots=[])])
    leaks = await find_leaks(memory, user, truth, recording, Reads("Tern-Anchor-204A"))
    assert leaks.in_rows[:1] == ("password",)
    assert leaks.in_pictures == ("shot.png: password",)
    assert (await find_leaks(memory, user, truth, recording, Reads("[sealed]"))).in_pictures == ()
