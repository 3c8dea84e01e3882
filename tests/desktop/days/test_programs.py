"""Where the lines of a text stand on the picture of an editor."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mirix_desktop.days.programs import text_lines


def editor(lines: int, *, caret_at: int | None) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    """Black letters on white, a line every 21 pixels; the caret is as tall as its line."""
    image = Image.new("L", (300, 200), 255)
    draw = ImageDraw.Draw(image)
    for line in range(lines):
        draw.text((4, 21 * line + 2), f"- jug, {line} quarts", font=ImageFont.load_default(14), fill=0)
    if caret_at is not None:
        draw.line((160, 21 * caret_at, 160, 21 * caret_at + 20), fill=0)
    return np.asarray(image, dtype=np.int16)


def test_a_caret_ties_no_lines_together() -> None:
    assert text_lines(editor(4, caret_at=3)) == text_lines(editor(4, caret_at=None))
    assert len(text_lines(editor(4, caret_at=2))) == 4


def test_the_lines_are_told_from_the_top_and_hold_their_ink() -> None:
    boxes = text_lines(editor(3, caret_at=None))
    tops = [box[1] for box in boxes]
    assert tops == sorted(tops)
    assert all(21 * line - 2 <= box[1] and box[3] <= 21 * line + 23 for line, box in enumerate(boxes))
    assert all(box[0] >= 4 and box[2] > 60 for box in boxes)


def test_an_empty_text_has_no_lines() -> None:
    assert text_lines(editor(0, caret_at=None)) == []
