"""What is hidden of a secret goes as far as its letters, and stays hidden where the recogniser fails the next time."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from mirix.ingest.boxes import Box
from mirix.ingest.painting import Hidden, widened

SIZE = (400, 200)


def screen(text: str, *, top: int = 40, left: int = 20, ground: str = "black") -> Image.Image:
    image = Image.new("RGB", SIZE, ground)
    ImageDraw.Draw(image).text((left, top), text, fill="white" if ground == "black" else "black")
    return image


def ink(image: Image.Image) -> Box:
    grey = np.asarray(image.convert("L")).astype(int)
    rows, columns = np.nonzero(abs(grey - grey[0, 0]) > 24)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def test_box_that_ends_early_goes_on_to_the_last_letter() -> None:
    image = screen("key sk-proj-0pQrStUvWxYz1234567890abcd")
    left, top, right, bottom = ink(image)
    assert widened(image, (left + 60, top, left + 90, bottom)) == (left, top, right, bottom)


def test_box_does_not_go_on_to_what_stands_apart() -> None:
    image = screen("hunter2")
    left, top, right, bottom = ink(image)
    ImageDraw.Draw(image).text((right + 3 * (bottom - top), 40), "Brightness", fill="white")
    ImageDraw.Draw(image).line((left - 5, 0, left - 5, 199), fill="white")  # the border of a window
    assert widened(image, (left, top, right, bottom)) == (left, top, right, bottom)


def test_same_pixels_are_hidden_again_also_where_they_scrolled_to() -> None:
    hidden = Hidden()
    image = screen("password: hunter2", top=80)
    box = ink(image)
    hidden.remember(1, image, [box])
    assert hidden.again(1, image) == [box]
    scrolled = screen("password: hunter2", top=50)
    ImageDraw.Draw(scrolled).text((20, 80), "done.", fill="white")
    assert hidden.again(1, scrolled) == [ink(screen("password: hunter2", top=50))]
    assert hidden.again(1, screen("password: hunter3", top=80)) == []
    assert hidden.again(2, image) == [], "another user's screen"


def test_bare_ground_is_not_remembered() -> None:
    hidden = Hidden()
    image = screen("hunter2")
    hidden.remember(1, image, [(0, 100, 400, 120)])
    assert hidden.again(1, image) == []


def test_value_that_is_harmless_after_all_is_shown_again() -> None:
    hidden = Hidden()
    image = screen("hunter2")
    hidden.remember(1, image, [ink(image)])
    hidden.remember(2, image, [ink(image)])
    hidden.forget(1)
    assert (hidden.again(1, image), hidden.again(2, image)) == ([], [ink(image)])
