"""Looks for planted secrets and for private windows in all that is stored of a day: rows and pictures."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

from PIL import Image

from mirix.db.pool import User
from mirix.evaluation.screenshots.day import Truth
from mirix.evaluation.screenshots.record import Recording
from mirix.ingest.boxes import Box
from mirix.models.ocr import TextRecogniser
from mirix.system import AsyncMirix
from mirix.text.secret_twins import bare, find_near

MARGIN = 6  # pixels around a place that is read again
LEAST_MARKER = 4  # characters: shorter words stand anywhere
_SOLID = 10  # levels of 255 in a painted area


@dataclass(frozen=True, kw_only=True)
class Leaks:
    secrets: int  # that were planted and shown
    secret_shots: int  # kept pictures on which one had stood
    in_rows: tuple[str, ...]  # kinds of secrets, and private words, that an export holds in clear
    in_pictures: tuple[str, ...]  # files and what was read there
    private_shots: int  # shots with a part of a private window
    private_frames: tuple[str, ...]  # files of which such a part was kept


async def find_leaks(
    memory: AsyncMirix, user: User, truth: Truth, recording: Recording, recogniser: TextRecogniser
) -> Leaks:
    """An export holds every row in clear but for the values of the vault; pictures are opened and read again."""
    by_file = {file: message_id for message_id, file in recording.kept.items()}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.json"
        await memory.export(file, user_id=user.name, pictures=False)
        rows = _texts(json.loads(file.read_text(encoding="utf-8")))
    markers = {each.marker for each in truth.private if len(each.marker) >= LEAST_MARKER}
    told = [f"{secret.kind}" for secret in truth.secrets if any(stands_in(secret.value, row) for row in rows)]
    told += [f"private: {marker}" for marker in sorted(markers) if any(bare(marker) in bare(row) for row in rows)]
    in_pictures = []
    shown = [(s, shot) for s in truth.secrets for shot in s.shots if shot.file in by_file]
    for secret, shot in shown:
        read = " ".join(line.text for line in recogniser.read(await _part(memory, user, by_file[shot.file], shot.box)))
        if stands_in(secret.value, read):
            in_pictures.append(f"{shot.file}: {secret.kind}")
    private = [
        each.file
        for each in truth.private
        if each.file in by_file and not _is_solid(await _part(memory, user, by_file[each.file], each.box, margin=0))
    ]
    return Leaks(
        secrets=len(truth.secrets),
        secret_shots=len({shot.file for _, shot in shown}),
        in_rows=tuple(told),
        in_pictures=tuple(in_pictures),
        private_shots=len({each.file for each in truth.private}),
        private_frames=tuple(dict.fromkeys(private)),
    )


async def _part(memory: AsyncMirix, user: User, message_id: UUID, box: Box, *, margin: int = MARGIN) -> Image.Image:
    frame = await memory.frame(message_id, user_id=user.name)
    with Image.open(io.BytesIO(frame.webp)) as picture:
        left, top, right, bottom = box
        wider = (left - margin, top - margin, right + margin, bottom + margin)
        return picture.convert("RGB").crop((max(wider[0], 0), max(wider[1], 0), *wider[2:]))


def _is_solid(image: Image.Image) -> bool:
    lowest, highest = image.convert("L").getextrema()
    return float(highest) - float(lowest) <= _SOLID  # type: ignore[arg-type]


def stands_in(value: str, text: str) -> bool:
    """Whether a value can be read in a text: as it is, or nearly so (two edits in eight characters and more).

    White space and case, which recognisers get wrong, do not count.
    """
    lines = text.splitlines()
    broken = [above + below for above, below in pairwise(lines)]
    return any(next(find_near(value, line), None) for line in [*lines, *broken])


def _texts(row: Any) -> list[str]:
    """Every text in what was read from JSON."""
    if isinstance(row, Mapping):
        return [text for inner in row.values() for text in _texts(inner)]
    if isinstance(row, list):
        return [text for inner in row for text in _texts(inner)]
    return [row] if isinstance(row, str) else []
