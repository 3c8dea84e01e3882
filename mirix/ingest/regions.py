"""Reads the text of a screen that changes little: only the changed regions go to the recogniser.

    picture ─> nearest of the last pictures ─> changed regions ─> one sheet ─> recogniser ─> lines, put back in place
                                                   └─ seen before: from the cache

A region grows until it cuts no line that was read before. Where most of a screen has changed it is read whole.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mirix.ingest.boxes import Box, area, around, common, covered, meet, without
from mirix.ingest.painting import INK
from mirix.ingest.tiles import CELL, changed_cells, changed_pixels
from mirix.models.ocr import Line, TextRecogniser, reading_order

REMEMBERED = 6  # pictures, so that switching between windows reads nothing anew
CACHED_REGIONS = 512
WHOLE = 0.6  # share of a screen in changed regions, from which on it is read whole
MARGIN = 12  # pixels around a region: recognisers need some ground
GAP = 40  # pixels between two regions on a sheet: nearer, lines of one are lost to the other
SHEET_PIXELS = 1_500_000  # of regions that are read in one call
SIDE_BY_SIDE = 2  # calls at a time
LEAST_SIDE = 10  # pixels of a region: what is thinner holds no letters
LINE_MARGIN = 6  # pixels around a line that was read before
LEAST_COVERED = 0.5  # share of a line under what was read, from which on it was read again
MERGE = 3  # cells: changes nearer than this are read together


_Region = tuple[bytes, Box]  # with the digest of its pixels


@dataclass(frozen=True, kw_only=True)
class _Read:
    grey: Image.Image
    lines: tuple[Line, ...]


class RegionReader:
    """Remembers the last pictures it has read. One thread uses it."""

    def __init__(self, recogniser: TextRecogniser) -> None:
        self._recogniser = recogniser
        self._pictures: deque[_Read] = deque(maxlen=REMEMBERED)
        self._regions: OrderedDict[bytes, tuple[Line, ...]] = OrderedDict()  # lines relative to their region

    @property
    def name(self) -> str:
        return self._recogniser.name

    def read(self, image: Image.Image, windows: Sequence[Box] = ()) -> list[Line]:
        """The lines of a picture (RGB) in reading order, as the recogniser gives them. Raises ModelError.

        `windows` on it, the topmost first, are read one after the other, so that no line runs from one into the next.
        """
        grey = image.convert("L")
        base, regions = self._nearest(grey)
        kept = [line for line in base.lines if not any(meet(line.box, region) for region in regions)] if base else []
        found = self._read_regions(image, [part for region in regions for part in cut(region, windows)])
        if base:
            kept += _lost(base, grey, regions, found)
        lines = [line for group in _by_window([*kept, *found], windows) for line in reading_order(group)]
        if base is not None and not regions:
            self._pictures.remove(base)  # the same again: it moves to the end
        self._pictures.append(_Read(grey=grey, lines=tuple(lines)))
        return lines

    def _nearest(self, grey: Image.Image) -> tuple[_Read | None, list[Box]]:
        """The remembered picture that leaves the least to read, and what it leaves."""
        whole = (0, 0, grey.width, grey.height)
        best: tuple[_Read | None, list[Box]] = (None, [whole])
        least = WHOLE * grey.width * grey.height
        for read in self._pictures:
            if read.grey.size != grey.size:
                continue
            regions = changed_regions(read.grey, grey, [line.box for line in read.lines])
            left = sum(map(area, regions))
            if left < least:
                best, least = (read, regions), left
        return best

    def _read_regions(self, image: Image.Image, regions: Sequence[Box]) -> list[Line]:
        lines: list[Line] = []
        unknown: list[tuple[bytes, Box]] = []
        for region in regions:
            key = blake2b(image.crop(region).tobytes(), digest_size=16, person=b"%d" % (region[2] - region[0])).digest()
            if key in self._regions:
                self._regions.move_to_end(key)
                lines += _moved(self._regions[key], region[0], region[1])
            else:
                unknown.append((key, region))
        for key, region, found in self._recognise(image, unknown):
            self._regions[key] = tuple(found)
            lines += _moved(found, region[0], region[1])
        while len(self._regions) > CACHED_REGIONS:
            self._regions.popitem(last=False)
        return lines

    def _recognise(
        self, image: Image.Image, unknown: Sequence[tuple[bytes, Box]]
    ) -> list[tuple[bytes, Box, list[Line]]]:
        """Several regions in one call: starting an engine costs as much as reading some lines. Sheets side by side."""
        blank: list[tuple[bytes, Box, list[Line]]] = []
        drawn: list[_Region] = []
        for key, region in unknown:
            if _is_blank(image, region):
                blank.append((key, region, []))
            else:
                drawn.append((key, region))
        sheets = _sheets(drawn)
        if len(sheets) < 2:
            return blank + [found for sheet in sheets for found in self._read_sheet(image, sheet)]
        with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
            read = pool.map(lambda sheet: self._read_sheet(image, sheet), sheets)
            return blank + [found for sheet in read for found in sheet]

    def _read_sheet(self, image: Image.Image, regions: Sequence[_Region]) -> list[tuple[bytes, Box, list[Line]]]:
        if len(regions) == 1:
            key, region = regions[0]
            return [(key, region, self._recogniser.read(image.crop(region)))]
        sheet = Image.new("RGB", _size_of(regions), "white")
        places: list[tuple[bytes, Box, int]] = []
        top = 0
        for key, region in regions:
            sheet.paste(image.crop(region), (0, top))
            places.append((key, region, top))
            top += region[3] - region[1] + GAP
        lines = self._recogniser.read(sheet)
        return [(key, region, _of_region(lines, start, region)) for key, region, start in places]


def _lost(base: _Read, grey: Image.Image, regions: Sequence[Box], found: Sequence[Line]) -> list[Line]:
    """The lines in some regions that were read before, still stand there pixel by pixel, and were not found again."""
    within = [line for line in base.lines if any(meet(line.box, region) for region in regions)]
    unread = [line for line in within if covered(line.box, [other.box for other in found]) < LEAST_COVERED]
    return [line for line in unread if base.grey.crop(line.box).tobytes() == grey.crop(line.box).tobytes()]


def _sheets(regions: Sequence[_Region]) -> list[list[_Region]]:
    """Regions that are read together: of like width, and no more on a sheet than a recogniser reads well."""
    sheets: list[list[_Region]] = []
    for each in sorted(regions, key=lambda each: each[1][0] - each[1][2]):
        width, height = _size_of([*sheets[-1], each]) if sheets else (0, 0)
        if sheets and width * height <= SHEET_PIXELS:
            sheets[-1].append(each)
        else:
            sheets.append([each])
    return sheets


def _size_of(regions: Sequence[_Region]) -> tuple[int, int]:
    """Of a sheet with some regions one under the other."""
    width = max(region[2] - region[0] for _, region in regions)
    return width, sum(region[3] - region[1] + GAP for _, region in regions)


def _is_blank(image: Image.Image, region: Box) -> bool:
    darkest, brightest = image.crop(region).convert("L").getextrema()
    return float(brightest) - float(darkest) < INK  # type: ignore[arg-type]


def _of_region(lines: Sequence[Line], start: int, region: Box) -> list[Line]:
    end = start + region[3] - region[1]
    inside = [line for line in lines if start <= (line.box[1] + line.box[3]) / 2 < end]
    return _moved(inside, 0, -start)


def changed_regions(before: Image.Image, after: Image.Image, lines: Sequence[Box]) -> list[Box]:
    """Where two grey pictures of the same size differ, as boxes that overlap neither each other nor part of a line."""
    changed = changed_pixels(before, after)
    if changed is None:
        return []
    regions = [_padded(box, after.size) for box in _merged_cells(changed_cells(changed))]
    # A line that is read again needs some ground above it: cut at its letters, they are misread.
    lines = [_padded(line, after.size, by=LINE_MARGIN) for line in lines]
    while True:
        grown = _united([_with_lines(region, lines) for region in regions])
        if grown == regions:
            return regions
        regions = grown


def cut(region: Box, windows: Sequence[Box], *, least: int = LEAST_SIDE) -> list[Box]:
    """A region in parts, each on one window or on none; parts with a side under `least` pixels are left out."""
    parts: list[Box] = []
    left = [region]
    for window in windows:
        parts += [common(part, window) for part in left if meet(part, window)]
        left = [rest for part in left for rest in without(part, window)]
    return [part for part in [*parts, *left] if min(part[2] - part[0], part[3] - part[1]) >= least]


def _by_window(lines: Sequence[Line], windows: Sequence[Box]) -> list[list[Line]]:
    """The lines of each window, then those on none."""
    groups: list[list[Line]] = [[] for _ in range(len(windows) + 1)]
    for line in lines:
        x, y = (line.box[0] + line.box[2]) // 2, (line.box[1] + line.box[3]) // 2
        holders = (n for n, (left, top, right, bottom) in enumerate(windows) if left <= x < right and top <= y < bottom)
        groups[next(holders, len(windows))].append(line)
    return groups


def _merged_cells(cells: NDArray[np.bool_]) -> list[Box]:
    """Boxes in pixels around changed cells: rows first (text runs along them), then what stands apart in a row."""
    boxes: list[Box] = []
    for top, bottom in _runs(np.any(cells, axis=1)):
        boxes += [
            (left * CELL, top * CELL, right * CELL, bottom * CELL)
            for left, right in _runs(np.any(cells[top:bottom], axis=0))
        ]
    return boxes


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of marked cells as (first, behind the last); runs nearer than MERGE are one."""
    runs: list[tuple[int, int]] = []
    for cell in map(int, np.flatnonzero(marked)):
        if runs and cell - runs[-1][1] < MERGE:
            runs[-1] = (runs[-1][0], cell + 1)
        else:
            runs.append((cell, cell + 1))
    return runs


def _padded(box: Box, size: tuple[int, int], *, by: int = MARGIN) -> Box:
    left, top, right, bottom = box
    return max(left - by, 0), max(top - by, 0), min(right + by, size[0]), min(bottom + by, size[1])


def _with_lines(region: Box, lines: Sequence[Box]) -> Box:
    return around([region, *(line for line in lines if meet(line, region))])


def _united(regions: Sequence[Box]) -> list[Box]:
    """The regions with those that meet made one."""
    united: list[Box] = []
    for region in regions:
        while meeting := [other for other in united if meet(other, region)]:
            united = [other for other in united if other not in meeting]
            region = around([region, *meeting])
        united.append(region)
    return sorted(united, key=lambda box: (box[1], box[0]))


def _moved(lines: Sequence[Line], right: int, down: int) -> list[Line]:
    return [
        Line(
            text=line.text,
            box=(line.box[0] + right, line.box[1] + down, line.box[2] + right, line.box[3] + down),
            confidence=line.confidence,
        )
        for line in lines
    ]
