"""What can be seen of a box behind windows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mirix_desktop.days.geometry import area, common, is_whole, without
from mirix_desktop.shots import Box

SIDE = 12


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    left, right = sorted((draw(st.integers(0, SIDE)), draw(st.integers(0, SIDE))))
    top, bottom = sorted((draw(st.integers(0, SIDE)), draw(st.integers(0, SIDE))))
    return left, top, right + 1, bottom + 1


def pixels(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}


@given(boxes(), st.lists(boxes(), max_size=4))
def test_the_pieces_are_the_pixels_that_no_cover_has(box: Box, covers: list[Box]) -> None:
    pieces = without(box, covers)
    covered = set().union(*map(pixels, covers))
    assert set().union(*map(pixels, pieces)) == pixels(box) - covered
    assert sum(map(area, pieces)) == len(pixels(box) - covered)


@given(boxes(), boxes())
def test_what_two_boxes_share_are_their_common_pixels(one: Box, other: Box) -> None:
    assert pixels(common(one, other)) == pixels(one) & pixels(other)


def test_a_box_with_a_hidden_corner_is_not_whole() -> None:
    box = (0, 0, 100, 20)
    assert is_whole(box, [])
    assert is_whole(box, [(99, 0, 300, 20)])
    assert not is_whole(box, [(80, 10, 300, 300)])
    assert not is_whole((5, 5, 5, 9), [])
