"""The cells of a text that was read from a picture: what stands between wide gaps, and which cells are beside or below.

The text is that of the recognised lines, in order, one a row (empty rows do not count). Without boxes, which may be, a
cell is beside the one before and below whatever comes next.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

_CELL = re.compile(r"\S(?:[^\n]*?\S)?(?=[ \t]{2,}|[ \t]*$)", re.MULTILINE)
_REACH = 2.5  # heights of a line: farther below nothing belongs to it
_MOST_BELOW = 16


@dataclass(frozen=True, kw_only=True)
class Cell:
    start: int  # in the text, half-open
    end: int
    row: int
    column: int  # in its row


class Cells:
    """All cells of a text."""

    def __init__(self, text: str, boxes: Sequence[Box]) -> None:
        self.rows: list[list[Cell]] = []
        start = 0
        for line in text.split("\n"):
            spans = [found.span() for found in _CELL.finditer(line)]
            if spans:
                row = len(self.rows)
                self.rows.append(
                    [
                        Cell(start=start + first, end=start + last, row=row, column=column)
                        for column, (first, last) in enumerate(spans)
                    ]
                )
            start += len(line) + 1
        self._boxes = list(boxes) if len(boxes) == len(self.rows) else []

    def __iter__(self) -> Iterator[Cell]:
        return (cell for row in self.rows for cell in row)

    def beside(self, cell: Cell) -> Cell | None:
        """The next one to the right."""
        row = self.rows[cell.row]
        if cell.column + 1 < len(row):
            return row[cell.column + 1]
        level = [
            other
            for other, box in enumerate(self._boxes)
            if box[0] >= self._boxes[cell.row][2] and _common(box, self._boxes[cell.row], axis=1) >= 0.5
        ]
        return self.rows[min(level, key=lambda other: self._boxes[other][0])][0] if level else None

    def below(self, cell: Cell) -> Iterator[Cell]:
        """Those under it, the nearest first, as far as they follow one another closely."""
        for _ in range(_MOST_BELOW):
            under = self._row_below(cell.row)
            if under is None:
                return
            cells = self.rows[under]
            last = cell.column == len(self.rows[cell.row]) - 1
            same = cell.column if len(cells) == len(self.rows[cell.row]) else len(cells) - 1 if last else 0
            cell = cells[same]
            yield cell

    def _row_below(self, row: int) -> int | None:
        if not self._boxes:
            return row + 1 if row + 1 < len(self.rows) else None
        box = self._boxes[row]
        height = max(box[3] - box[1], 1)
        under = [
            other
            for other, its in enumerate(self._boxes)
            if other != row
            and (its[1] + its[3]) - (box[1] + box[3]) > 0
            and -0.3 * height <= its[1] - box[3] <= _REACH * height
            and _common(its, box, axis=0) > 0
        ]
        return min(under, key=lambda other: self._boxes[other][1]) if under else None


def _common(one: Box, other: Box, *, axis: int) -> float:
    """What two boxes share along an axis, as part of the smaller one: 0..1."""
    shared = min(one[axis + 2], other[axis + 2]) - max(one[axis], other[axis])
    return max(shared, 0) / max(min(one[axis + 2] - one[axis], other[axis + 2] - other[axis]), 1)
