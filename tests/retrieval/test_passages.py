"""What a place of a screen holds of a question."""

from __future__ import annotations

import pytest

from mirix.retrieval.passages import LINES, best_passages

QUESTION = "What is the code for the harbour gate?"


def test_words_that_stand_together_count_for_more_than_the_same_far_apart() -> None:
    far = "\n".join(["Harbour news", *["menu"] * (2 * LINES), "gate 4", *["menu"] * (2 * LINES), "code of conduct"])
    near = "\n".join(["menu"] * 20 + ["Harbour gate", "code 4471"])
    found = best_passages(QUESTION, {"far": far, "near": near, "other": "nothing of it"})
    assert found["near"] == pytest.approx(1.0)
    assert 0 < found["far"] < found["near"]
    assert found["other"] == 0


def test_rare_words_count_for_more() -> None:
    common = {f"page {n}": "code" for n in range(8)}
    found = best_passages(QUESTION, {**common, "rare": "harbour"})
    assert found["rare"] > found["page 0"] > 0


def test_stem_with_an_ending_is_found_and_a_longer_word_is_not() -> None:
    found = best_passages(
        "When is the time sheet due?", {"same": "Times and sheets", "other": "Timesheets", "none": "x"}
    )
    assert found["same"] > 0 and found["other"] == 0


def test_chinese_words_are_found_within_a_line() -> None:
    found = best_passages("周五聚餐吃什么?", {"told": "沈一帆\n周五聚餐吃火锅", "other": "供应商会议", "third": "聚会"})
    assert found["told"] > found["third"] >= found["other"] == 0


@pytest.mark.parametrize("text", ["", "\n\n", "   "])
def test_empty_screen_holds_nothing(text: str) -> None:
    assert best_passages(QUESTION, {"empty": text, "full": "harbour"})["empty"] == 0
