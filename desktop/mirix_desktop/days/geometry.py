"""What of a box can be seen when windows stand before it. Pure; boxes as in `shots.py`.

The truth shares no code with the privacy gate, which is tried on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from mirix_desktop.shots import Box


def area(box: Box) -> int:
    return max(0, box[2] - box[0]) * max(0, box[3] - box[1])


def common(one: Box, other: Box) -> Box:
    """What two boxes share; with no area where they share nothing."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def without(box: Box, covers: Iterable[Box]) -> list[Box]:
    """The pieces of `box` that no cover hides: they do not overlap."""
    pieces = [box]
    for cover in covers:
        pieces = [piece for whole in pieces for piece in _cut(whole, cover)]
    return pieces


def _cut(box: Box, cover: Box) -> list[Box]:
    inner = common(box, cover)
    if area(inner) == 0 or inner[0] >= inner[2] or inner[1] >= inner[3]:
        return [box]
    left, top, right, bottom = box
    pieces = [
        (left, top, right, inner[1]),
        (left, inner[3], right, bottom),
        (left, inner[1], inner[0], inner[3]),
        (inner[2], inner[1], right, inner[3]),
    ]
    return [piece for piece in pieces if piece[0] < piece[2] and piece[1] < piece[3]]


def is_whole(box: Box, covers: Iterable[Box], least: float = 0.97) -> bool:
    """Whether (nearly) all of the box can be seen: a border of a pixel may be hidden."""
    return area(box) > 0 and sum(map(area, without(box, covers))) >= least * area(box)
