"""Boxes on a picture: left, top, right, bottom in pixels, right and bottom exclusive. Pure."""

from __future__ import annotations

from collections.abc import Sequence

Box = tuple[int, int, int, int]


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes have a pixel in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def common(one: Box, other: Box) -> Box:
    """What two boxes that meet have in common."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds them all."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def without(box: Box, hole: Box) -> list[Box]:
    """What is left of a box: above, below, left and right of the hole."""
    if not meet(box, hole):
        return [box]
    left, top, right, bottom = common(box, hole)
    parts = [
        (box[0], box[1], box[2], top),
        (box[0], bottom, box[2], box[3]),
        (box[0], top, left, bottom),
        (right, top, box[2], bottom),
    ]
    return [part for part in parts if part[0] < part[2] and part[1] < part[3]]


def area(box: Box) -> int:
    """In pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def covered(box: Box, others: Sequence[Box]) -> float:
    """The share of a box that lies under others, such as lines of text, which hardly overlap one another."""
    return sum(area(common(box, other)) for other in others if meet(box, other)) / max(area(box), 1)
