"""A part of a rendered desktop day, recorded and asked about, from its pixels on; what was read in them is remembered.

The pictures and the remembered text are made anew by tests/evaluation/screenshots/make_fixture.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mirix.config import Settings
from mirix.errors import InputError, ModelError
from mirix.evaluation.report import Report
from mirix.evaluation.screenshots.day import Day, read_day
from mirix.evaluation.screenshots.ocr_cache import CachedRecogniser
from mirix.evaluation.screenshots.run import Readers, evaluate_screenshotvqa
from mirix.models.ocr import FakeRecogniser
from mirix.system import AsyncMirix

FOLDER = Path(__file__).parents[2] / "fixtures" / "day"


@pytest.fixture
def day() -> Day:
    return read_day(FOLDER)


@pytest.fixture
async def report(day: Day, settings: Settings, empty: None) -> Report:
    readers = Readers(
        ours=CachedRecogniser(FOLDER / "ocr.jsonl", None), plain=CachedRecogniser(FOLDER / "ocr.plain.jsonl", None)
    )
    async with AsyncMirix(settings.model_copy(update={"ocr": "none"})) as memory:
        return await evaluate_screenshotvqa(memory, day, readers)


def value(report: Report, name: str) -> float:
    found = report.metrics[name].value
    assert found is not None
    return found


@pytest.mark.slow
async def test_a_day_is_kept_found_and_pointed_at_and_nothing_secret_with_it(report: Report, day: Day) -> None:
    assert day.truth is not None and day.truth.secrets and day.truth.private and day.truth.repeats
    ours = report.groups["gate"]["tiles (ours)"]
    assert ours["facts_missed"].value == 0
    # A whole day has 0.06 to 0.10; shots that are this far apart leave no time to learn the clock.
    assert ours["duplicates"].value is not None and ours["duplicates"].value <= 0.2
    others = [
        report.groups["gate"][name]["facts_missed"].value for name in ("global SSIM < 0.9", "mean difference < 0.99")
    ]
    assert all(missed is not None and missed > 0 for missed in others)
    assert report.metrics["secrets_stored"].n == len(day.truth.secrets)
    assert value(report, "secrets_stored") == 0
    assert value(report, "private_frames") == 0
    assert value(report, "failed") == 0
    assert value(report, "recall@5") >= 0.8
    assert report.baselines["OCR + BM25"].metrics["recall@5"].n == report.metrics["recall@5"].n
    assert value(report, "box_right") >= 0.8
    assert report.facts["recorded"]["painted"] > 0


def test_folder_without_questions_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"qa_pairs\.json"):
        read_day(tmp_path)
    (tmp_path / "qa_pairs.json").write_text(json.dumps({"qa_pairs": [{"question": "Where?"}]}))
    with pytest.raises(InputError, match=r"qa_pairs\.0\.answer"):
        read_day(tmp_path)


def test_questions_as_the_paper_has_them_are_taken(tmp_path: Path) -> None:
    pairs = {"student": "one", "qa_pairs": [{"question": "Where?", "answer": "Here"}]}
    (tmp_path / "qa_pairs.json").write_text(json.dumps(pairs))
    found = read_day(tmp_path)
    assert found.truth is None
    assert (found.pairs[0].id, found.pairs[0].accepted) == ("q1", ["Here"])


def test_remembered_text_is_read_once(tmp_path: Path) -> None:
    from PIL import Image

    engine = FakeRecogniser(["Lunch at noon"])
    picture = Image.new("RGB", (20, 10), "white")
    for _ in range(2):
        assert CachedRecogniser(tmp_path / "ocr.jsonl", engine).read(picture)[0].text == "Lunch at noon"
    assert len(engine.sizes) == 1
    without = CachedRecogniser(tmp_path / "ocr.jsonl", None)
    assert without.read(picture)[0].text == "Lunch at noon"
    with pytest.raises(ModelError, match="no text recogniser"):
        without.read(Image.new("RGB", (10, 20), "white"))
