"""Reading changed regions alone gives the lines that reading the whole picture would."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mirix.ingest.regions import RegionReader, changed_regions, cut
from mirix.models.ocr import Line

SIZE = (640, 480)
Rows = dict[int, int]  # row of the page: shade of the bar that stands for a line of text


class Bars:
    """Reads a grey bar as a line of text that names its shade."""

    name = "bars"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.pixels: list[int] = []

    def read(self, image: Image.Image) -> list[Line]:
        self.pixels.append(image.width * image.height)
        grey = np.asarray(image.convert("L"))
        lines: list[Line] = []
        top = 0
        while top < grey.shape[0]:
            shades = np.unique(grey[top][grey[top] < 250])
            if not len(shades):
                top += 1
                continue
            bottom = top
            while bottom < grey.shape[0] and (grey[bottom] < 250).any():
                bottom += 1
            columns = np.flatnonzero((grey[top:bottom] < 250).any(axis=0))
            box = (int(columns[0]), top, int(columns[-1]) + 1, bottom)
            lines.append(Line(text=f"shade {shades[0]}", box=box, confidence=1.0))
            top = bottom
        return lines


def page(rows: Rows) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    for row, shade in rows.items():
        pen.rectangle((40, 20 + 40 * row, 300 + 10 * row, 33 + 40 * row), fill=(shade, shade, shade))
    return image


_PAGES = st.lists(
    st.dictionaries(st.integers(0, 10), st.integers(2, 10).map(lambda n: 20 * n), min_size=1), min_size=1, max_size=6
)


@given(_PAGES)
def test_changed_regions_read_like_the_whole(pages: list[Rows]) -> None:
    reader = RegionReader(Bars())
    for rows in pages:
        whole = Bars().read(page(rows))
        found = reader.read(page(rows))
        assert [(line.text, line.box) for line in found] == [(line.text, line.box) for line in whole]


def test_only_what_changed_is_read() -> None:
    bars = Bars()
    reader = RegionReader(bars)
    reader.read(page({0: 40, 1: 60, 5: 80}))
    reader.read(page({0: 40, 1: 60, 5: 80, 6: 100}))
    assert bars.pixels[0] == SIZE[0] * SIZE[1]
    assert bars.pixels[1] < bars.pixels[0] / 8


def test_window_that_comes_back_is_not_read_again() -> None:
    bars = Bars()
    reader = RegionReader(bars)
    mail, calendar = page(dict.fromkeys(range(11), 40)), page(dict.fromkeys(range(0, 11, 2), 120))
    first = reader.read(mail)
    reader.read(calendar)
    read_so_far = len(bars.pixels)
    assert reader.read(mail) == first
    assert len(bars.pixels) == read_so_far


def test_several_changes_are_read_in_one_call() -> None:
    bars = Bars()
    reader = RegionReader(bars)
    reader.read(page({0: 40, 4: 60, 8: 80}))
    found = reader.read(page({0: 100, 4: 60, 8: 120}))
    assert len(bars.pixels) == 2
    assert [line.text for line in found] == ["shade 100", "shade 60", "shade 120"]


def test_region_grows_to_the_whole_of_a_line() -> None:
    before, after = page({2: 40}).convert("L"), page({2: 40}).convert("L")
    ImageDraw.Draw(after).rectangle((100, 100, 108, 113), fill=200)
    (region,) = changed_regions(before, after, [(40, 100, 321, 114)])
    assert region[0] <= 34 and region[1] <= 94 and region[2] >= 327 and region[3] >= 120, "with ground around it"


def test_windows_are_read_one_after_the_other() -> None:
    """Two bars on one height, in two windows, are two lines; without windows the recogniser sees one."""
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((40, 100, 200, 113), fill=(60, 60, 60))
    pen.rectangle((400, 100, 500, 113), fill=(120, 120, 120))
    assert len(RegionReader(Bars()).read(image)) == 1
    front, back = (350, 50, 640, 300), (0, 0, 640, 480)
    lines = RegionReader(Bars()).read(image, [front, back])
    assert [line.text for line in lines] == ["shade 120", "shade 60"]
    assert [line.box[0] for line in lines] == [400, 40]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30), st.integers(1, 30)), max_size=4))
def test_parts_of_a_region_cover_it_once(corners: list[tuple[int, int, int, int]]) -> None:
    windows = [(left, top, left + width, top + height) for left, top, width, height in corners]
    covered = np.zeros((60, 60), int)
    for left, top, right, bottom in cut((5, 5, 55, 55), windows, least=1):
        covered[top:bottom, left:right] += 1
    assert covered[5:55, 5:55].min() == 1 and covered.max() == 1 and covered.sum() == 2500


def test_blank_parts_are_not_read() -> None:
    bars = Bars()
    assert RegionReader(bars).read(Image.new("RGB", SIZE, "navy"), [(0, 0, 100, 100)]) == []
    assert bars.pixels == []


def test_large_parts_are_read_on_sheets_of_their_own() -> None:
    bars = Bars()
    image = Image.new("RGB", (2000, 2000), "white")
    for top in (100, 1100):
        image.paste((60, 60, 60), (100, top, 400, top + 14))
    lines = RegionReader(bars).read(image, [(0, 0, 2000, 1000), (0, 1000, 2000, 2000)])
    assert [line.box[1] for line in lines] == [100, 1100]
    assert bars.pixels == [2_000_000, 2_000_000]


class Forgetful(Bars):
    """Reads nothing after the first picture."""

    def read(self, image: Image.Image) -> list[Line]:
        return [] if self.pixels else super().read(image)


def test_line_that_still_stands_there_is_kept_where_it_is_not_read_again() -> None:
    reader = RegionReader(Forgetful())
    reader.read(page({0: 40, 1: 60, 2: 80}))
    assert [line.text for line in reader.read(page({0: 40, 1: 200}))] == ["shade 40"]
    changed = page({0: 40, 1: 60})
    ImageDraw.Draw(changed).rectangle((302, 20, 320, 33), fill="black")  # beside the first line: read with it
    assert [line.text for line in reader.read(changed)][:1] == ["shade 40"]
