"""The change filters of other products, as simple as they are there: each says whether a picture differs from the last
one it kept. Measured beside our gate on the same pictures; thresholds and scales as in their code.

    OpenRecall    structural similarity of the whole picture, taken as one window, below 0.9
    MIRIX 0.1.5   mean absolute difference in brightness: similarity below 0.99
    screenpipe    Hellinger distance of brightness histograms at a sixth of the size of 0.02 or more, or 10 s gone by
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.float64]  # (height, width), 0 to 255
FORCED = timedelta(seconds=10)


class ChangeFilter(Protocol):
    def is_new(self, image: Image.Image, monitor: str, at: datetime) -> bool: ...


class Similarity:
    """Keeps what is not similar enough to the last kept picture of a monitor."""

    def __init__(
        self, is_similar: Callable[[Grey, Grey], bool], *, scale: int = 1, forced: timedelta | None = None
    ) -> None:
        self._is_similar = is_similar
        self._scale = scale
        self._forced = forced
        self._kept: dict[str, tuple[Grey, datetime]] = {}

    def is_new(self, image: Image.Image, monitor: str, at: datetime) -> bool:
        grey = image.convert("L")
        if self._scale > 1:
            grey = grey.resize((grey.width // self._scale, grey.height // self._scale))
        pixels = np.asarray(grey, np.float64)
        kept = self._kept.get(monitor)
        if kept is not None and kept[0].shape == pixels.shape:
            is_forced = self._forced is not None and at - kept[1] >= self._forced
            if not is_forced and self._is_similar(kept[0], pixels):
                return False
        self._kept[monitor] = (pixels, at)
        return True


def structural_similarity(one: Grey, other: Grey) -> float:
    """SSIM of two pictures as one window each (Wang et al. 2004, with its usual constants)."""
    first, second = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    means = one.mean(), other.mean()
    covariance = ((one - means[0]) * (other - means[1])).mean()
    brightness = (2 * means[0] * means[1] + first) / (means[0] ** 2 + means[1] ** 2 + first)
    return float(brightness * (2 * covariance + second) / (one.var() + other.var() + second))


def mean_similarity(one: Grey, other: Grey) -> float:
    """1 minus the mean absolute difference in brightness."""
    return float(1 - np.abs(one - other).mean() / 255)


def hellinger_distance(one: Grey, other: Grey) -> float:
    """Of the two histograms of brightness: 0 (equal) to 1."""
    shares = [np.histogram(each, bins=256, range=(0, 256))[0] / each.size for each in (one, other)]
    return float(np.sqrt(max(0.0, 1 - np.sqrt(shares[0] * shares[1]).sum())))


FILTERS: Mapping[str, Callable[[], ChangeFilter]] = {
    "global SSIM < 0.9": lambda: Similarity(lambda one, other: structural_similarity(one, other) >= 0.9),
    "mean difference < 0.99": lambda: Similarity(lambda one, other: mean_similarity(one, other) >= 0.99),
    "histogram >= 0.02": lambda: Similarity(
        lambda one, other: hellinger_distance(one, other) < 0.02, scale=6, forced=FORCED
    ),
}
