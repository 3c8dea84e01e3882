"""Which pixels of a picture have to be hidden, where a line of it holds a secret.

Recognisers end a box early, and read on the next picture nothing or something else where the same letters stand. So
what is hidden goes on as far as letters follow closely, and rows of pixels that were hidden once are hidden again, also
where they have scrolled to. Of what was hidden only digests of its rows are kept, in memory.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mirix.ingest.boxes import Box

INK = 24  # levels of 255 between letters and ground, at least
REMEMBERED = 200  # places

_Place = tuple[int, int, int, bytes]  # user, left, right, digests of its rows
_WEIGHTS = np.random.default_rng().integers(1, 2**63, size=16_384, dtype=np.uint64)  # anew in every process


def widened(image: Image.Image, box: Box) -> Box:
    """A line's box (left, top, right, bottom in pixels) with all letters of its row that follow closely on it."""
    left, top, right, bottom = box
    em = max(bottom - top, 1)
    rows = np.asarray(image.crop((0, top, image.width, bottom)).convert("L"))
    if not rows.size:
        return box
    is_ink = (rows.max(axis=0) - rows.min(axis=0)) > INK
    right = max(right, _end_of_ink(is_ink, right, em))
    left = min(left, image.width - _end_of_ink(is_ink[::-1], image.width - left, em))
    return left, top, right, bottom


def _end_of_ink(is_ink: NDArray[np.bool_], start: int, most_gap: int) -> int:
    """Behind the last column of ink that is reached from `start` over gaps of up to `most_gap` columns."""
    end = start
    for column in map(int, np.flatnonzero(is_ink[start:]) + start):
        if column - end > most_gap:
            break
        end = column + 1
    return end


class Hidden:
    """The places that were hidden last, of all users."""

    def __init__(self) -> None:
        self._places: OrderedDict[_Place, None] = OrderedDict()

    def forget(self, user_id: int) -> None:
        """Nothing of a user's is hidden any more for having been hidden before."""
        for place in [place for place in self._places if place[0] == user_id]:
            del self._places[place]

    def remember(self, user_id: int, image: Image.Image, boxes: Sequence[Box]) -> None:
        """What stands in some boxes is hidden from now on."""
        grey = np.asarray(image.convert("L"))
        for left, top, right, bottom in boxes:
            rows = _digests(grey, left, right)[top:bottom]
            if len(set(rows.tolist())) > 1:  # bare ground is everywhere
                place = (user_id, left, right, rows.tobytes())
                self._places[place] = None
                self._places.move_to_end(place)
        while len(self._places) > REMEMBERED:
            self._places.popitem(last=False)

    def again(self, user_id: int, image: Image.Image) -> list[Box]:
        """Where the same pixels stand on a picture, in the same columns."""
        found: list[Box] = []
        grey = np.asarray(image.convert("L"))
        columns: dict[tuple[int, int], NDArray[np.uint64]] = {}
        for owner, left, right, packed in list(self._places):  # another thread may add to them
            if owner != user_id or right > grey.shape[1]:
                continue
            if (left, right) not in columns:
                columns[left, right] = _digests(grey, left, right)
            here, rows = columns[left, right], np.frombuffer(packed, dtype=np.uint64)
            tops = map(int, np.flatnonzero(here[: len(here) - len(rows) + 1] == rows[0]))
            found += [
                (left, top, right, top + len(rows)) for top in tops if np.array_equal(here[top : top + len(rows)], rows)
            ]
        return found


def _digests(grey: NDArray[np.uint8], left: int, right: int) -> NDArray[np.uint64]:
    """One number for each row of pixels between two columns."""
    width = max(right - left, 0)
    weights = np.resize(_WEIGHTS, width)
    return grey[:, left:right].astype(np.uint64) @ weights
