"""The change filters of other products do what theirs do, and ours is measured by the same rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw

from mirix.evaluation.screenshots.day import Fact, Sighting, Truth
from mirix.evaluation.screenshots.filters import (
    FILTERS,
    Grey,
    hellinger_distance,
    mean_similarity,
    structural_similarity,
)
from mirix.evaluation.screenshots.gates import gate_measures
from mirix.ingest.tiles import ChangeGate

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_PICTURES = arrays.arrays(np.float64, (12, 16), elements=st.integers(0, 255).map(float))


@given(_PICTURES, _PICTURES)
def test_similarities_are_symmetric_and_highest_for_the_same(one: Grey, other: Grey) -> None:
    assert structural_similarity(one, other) == pytest.approx(structural_similarity(other, one))
    assert structural_similarity(one, one) == pytest.approx(1)
    assert mean_similarity(one, one) == 1
    assert hellinger_distance(one, one) == pytest.approx(0, abs=1e-6)
    assert 0 <= hellinger_distance(one, other) <= 1


def test_known_values() -> None:
    black, white = np.zeros((4, 4)), np.full((4, 4), 255.0)
    assert mean_similarity(black, white) == 0
    assert hellinger_distance(black, white) == 1
    assert structural_similarity(black, white) == pytest.approx(0, abs=1e-3)


def page(lines: int) -> Image.Image:
    image = Image.new("RGB", (960, 540), "white")
    for row in range(lines):
        ImageDraw.Draw(image).text((40, 20 + 20 * row), f"Message {row} of the thread, about the boat", fill="black")
    return image


def test_single_lines_pass_our_gate_and_not_the_similarity_of_whole_pictures() -> None:
    kept = {}
    for name, gate in {**{name: make() for name, make in FILTERS.items()}, "ours": ChangeGate()}.items():
        shots = [(page(12 + n), BEGIN + timedelta(seconds=n)) for n in range(8)]
        kept[name] = sum(gate.is_new(image, "one", at) for image, at in shots)
    assert kept["ours"] == 8
    assert kept["global SSIM < 0.9"] < 8 and kept["mean difference < 0.99"] < 8


def test_histogram_filter_is_forced_after_ten_seconds() -> None:
    gate = FILTERS["histogram >= 0.02"]()
    assert [gate.is_new(page(3), "one", BEGIN + timedelta(seconds=4 * n)) for n in range(4)] == [
        True,
        False,
        False,
        True,
    ]


def fact(name: str, *files: str, is_glance: bool = False) -> Fact:
    shots = [Sighting(file=file, box=(0, 0, 9, 9)) for file in files]
    return Fact(id=name, text=name, shots=shots, dwell_s=5, is_glance=is_glance)


def test_fact_is_missed_when_none_of_its_shots_was_kept() -> None:
    truth = Truth(
        facts=[fact("a", "1", "2"), fact("b", "3"), fact("c", "4", is_glance=True), fact("d", "refused")],
        repeats=["2"],
    )
    found = gate_measures(truth, ["1", "2", "3", "4"], ["1", "2"])
    assert (found["facts_missed"].value, found["facts_missed"].n) == (0.5, 2)
    assert found["duplicates"].value == 0.5
    assert found["kept"].value == 0.5
