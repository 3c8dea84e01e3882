"""What has changed on a screen: the gate that keeps a picture where there is something new on it.

    picture ─> is_new(picture, monitor, at) ─> kept or dropped

A picture is compared with the last one that was **kept** of the same monitor, so that slow changes add up. Similarity
of whole pictures, as other products measure it, drops single changed lines; here one changed letter is enough. What
blinks, ticks and moves is left out by its form and its habits:

    cursor   a solid bar or block no larger than a letter
    ticker   a small place on one line where ink was replaced by ink again and again: a clock, a counter
    motion   a place that changed in each of the last pictures: a film, an animation; kept every few seconds

What a ticker or a film shows is kept now and then all the same, so that nothing is lost for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from PIL import Image, ImageChops

from mirix.ingest.boxes import Box, around

Mask = np.ndarray[tuple[int, int], np.dtype[np.bool_]]

CELL = 8  # pixels: the grid on which changed pixels are gathered into places
LEVELS = 12  # of 255 in brightness: less is noise of the encoding
LEAST_PIXELS = 8  # changed in a place; a comma has about as many
CURSOR_WIDTH = 3  # of a bar; …
CURSOR_BLOCK = (16, 36)  # … and the largest block, filled to
CURSOR_FILL = 0.85
TICKER = (260, 48)  # the largest: a date and a time, on one line
TICKER_NEAR = 60  # pixels to both sides in which its digits change
TICKS = 3  # so often in the same place, and it is a ticker …
FORGOTTEN = timedelta(minutes=5)  # … until it has not ticked for so long, times the ticks that are known of it
MOTION = 5  # pictures in a row in which a place has to change, to be a film
# Kept all the same, if nothing was for so long.
EVERY = {"cursor": timedelta(seconds=120), "ticker": timedelta(seconds=120), "motion": timedelta(seconds=10)}
MANY_PLACES = 400  # cells: a whole page has changed, and nobody need look closely


@dataclass
class _Ticker:
    box: Box
    at: datetime  # of its last tick
    ticks: int = 1


@dataclass
class _Monitor:
    kept: Image.Image  # grey
    kept_at: datetime
    seen: Image.Image  # grey
    streak: np.ndarray[tuple[int, int], np.dtype[np.int16]]  # pictures in a row in which a cell changed
    tickers: list[_Ticker] = field(default_factory=list)


class ChangeGate:
    """Remembers the last picture of each monitor. One thread uses it."""

    def __init__(self) -> None:
        self._monitors: dict[str, _Monitor] = {}

    def is_new(self, image: Image.Image, monitor: str, at: datetime) -> bool:
        """Whether a picture shows something that the last kept one of the monitor did not; then it is kept.

        `at` is when it was taken. A picture of another size is always new. Only brightness counts.
        """
        grey = image.convert("L")
        state = self._monitors.get(monitor)
        if state is None or state.kept.size != grey.size:
            cells = np.zeros((-(-grey.height // CELL), -(-grey.width // CELL)), np.int16)
            self._monitors[monitor] = _Monitor(kept=grey, kept_at=at, seen=grey, streak=cells)
            return True
        changed = changed_pixels(state.kept, grey)
        moved = changed if state.seen is state.kept else changed_pixels(state.seen, grey)
        state.seen = grey
        if moved is None:
            state.streak[:] = 0
        else:
            state.streak = np.where(changed_cells(moved), state.streak + 1, 0).astype(np.int16)
        if changed is None or not self._is_news(state, grey, changed, at):
            return False
        state.kept, state.kept_at = grey, at
        return True

    def forget(self, monitor: str) -> None:
        """The last picture was not kept after all: the next one is new."""
        self._monitors.pop(monitor, None)

    def _is_news(self, state: _Monitor, image: Image.Image, changed: Image.Image, at: datetime) -> bool:
        cells = changed_cells(changed)
        moving = cells & (state.streak >= MOTION)
        if np.count_nonzero(cells & ~moving) > MANY_PLACES:
            return True
        pixels = np.asarray(changed) > 0
        is_film = np.count_nonzero(moving) > MANY_PLACES
        places = changed_places(pixels, cells & ~moving if is_film else cells)
        # All of them are looked at: a clock counts its tick also where something else is new.
        habits = {self._habit(state, image, pixels, place, moving, at) for place in places}
        if is_film:
            habits.add("motion")
        late = at - state.kept_at
        return any(habit is None or late >= EVERY[habit] for habit in habits)

    def _habit(
        self, state: _Monitor, image: Image.Image, pixels: Mask, place: Box, moving: Mask, at: datetime
    ) -> str | None:
        """Why what changed in a place is no news; None where it is."""
        if _is_cursor(pixels, place):
            return "cursor"
        if self._is_tick(state, image, place, at):
            return "ticker"
        left, top, right, bottom = (edge // CELL for edge in place)
        return "motion" if moving[top : bottom + 1, left : right + 1].any() else None

    def _is_tick(self, state: _Monitor, image: Image.Image, place: Box, at: datetime) -> bool:
        """Whether a place that changed is a clock or a counter, by what it did before."""
        left, top, right, bottom = place
        if right - left > TICKER[0] or bottom - top > TICKER[1]:
            return False
        if not _has_ink(state.kept, place) or not _has_ink(image, place):
            return False  # something was written where nothing stood, or wiped out
        state.tickers = [ticker for ticker in state.tickers if at - ticker.at <= ticker.ticks * FORGOTTEN]
        near = next((ticker for ticker in state.tickers if _is_near(ticker.box, place)), None)
        if near is None:
            state.tickers.append(_Ticker(box=place, at=at))
            return False
        near.box = around([near.box, place]) if _fits(around([near.box, place])) else place
        near.at = at
        near.ticks += 1
        return near.ticks >= TICKS


_THRESHOLD = [0] * (LEVELS + 1) + [255] * (255 - LEVELS)


def changed_pixels(before: Image.Image, after: Image.Image) -> Image.Image | None:
    """A picture that is 255 where two grey ones of the same size differ, else 0; None where they do not."""
    difference = ImageChops.difference(before, after)
    if difference.getbbox() is None:
        return None
    return difference.point(_THRESHOLD)


def changed_cells(changed: Image.Image) -> Mask:
    """The cells (rows, columns) in which any pixel has changed."""
    return np.asarray(changed.reduce(CELL)) > 0


def changed_places(pixels: Mask, cells: Mask) -> list[Box]:
    """The changed pixels of some cells as boxes, one for each group of touching cells; tiny ones are left out."""
    places = []
    for group in _groups(cells):
        top, left = group.min(axis=0) * CELL
        bottom, right = (group.max(axis=0) + 1) * CELL
        part = pixels[top:bottom, left:right]
        if np.count_nonzero(part) < LEAST_PIXELS:
            continue
        rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
        places.append(
            (int(left + columns[0]), int(top + rows[0]), int(left + columns[-1]) + 1, int(top + rows[-1]) + 1)
        )
    return places


def _groups(cells: Mask) -> Iterable[np.ndarray[tuple[int, int], np.dtype[np.intp]]]:
    """Cells that touch, corners included: (n, 2) rows and columns of each group."""
    left = {(int(row), int(column)) for row, column in np.argwhere(cells)}
    while left:
        group, border = [], [left.pop()]
        while border:
            row, column = border.pop()
            group.append((row, column))
            for near in [(row + down, column + across) for down in (-1, 0, 1) for across in (-1, 0, 1)]:
                if near in left:
                    left.remove(near)
                    border.append(near)
        yield np.array(group)


def _is_cursor(pixels: Mask, place: Box) -> bool:
    left, top, right, bottom = place
    width, height = right - left, bottom - top
    if width > CURSOR_BLOCK[0] or height > CURSOR_BLOCK[1] or height < width:
        return False
    return bool(width <= CURSOR_WIDTH or pixels[top:bottom, left:right].mean() >= CURSOR_FILL)


def _has_ink(image: Image.Image, place: Box) -> bool:
    darkest, brightest = image.crop(place).getextrema()
    return float(brightest) - float(darkest) > 4 * LEVELS  # type: ignore[arg-type]


def _is_near(one: Box, other: Box) -> bool:
    same_line = min(one[3], other[3]) - max(one[1], other[1]) > 0
    return same_line and one[0] - TICKER_NEAR < other[2] and other[0] < one[2] + TICKER_NEAR


def _fits(box: Box) -> bool:
    return box[2] - box[0] <= TICKER[0] and box[3] - box[1] <= TICKER[1]
