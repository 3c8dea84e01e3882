from __future__ import annotations

import pytest

from mirix.retrieval.terms import FUNCTION_SHARE, NAME_SHARE, SINGLE_SHARE, term_shares, without_lead
from mirix.text.analyser import query_terms, term_id


def test_a_single_character_counts_less_beside_the_pair_that_holds_it() -> None:
    shares = term_shares("小明画画")
    assert shares[term_id("小明")] == 1.0
    assert shares[term_id("明")] == SINGLE_SHARE


def test_a_character_that_stands_alone_and_words_count_in_full() -> None:
    assert set(term_shares("猫").values()) == {1.0}
    assert set(term_shares("Nora painted 2 boats").values()) == {1.0}


def test_the_terms_are_those_of_the_analyser_in_order() -> None:
    text = "Nora 画了 three boats, 三十四 boats"
    assert list(term_shares(text)) == query_terms(text)


def test_what_every_chinese_question_is_built_of_hardly_counts() -> None:
    shares = term_shares("灯塔现在")
    assert shares[term_id("现在")] == FUNCTION_SHARE
    assert shares[term_id("灯塔")] == 1.0


def test_a_name_counts_more_than_a_word_unless_its_bearer_speaks() -> None:
    shares = term_shares("What boat does Quillon sail?")
    assert shares[term_id("quillon")] == NAME_SHARE
    assert shares[term_id("boat")] == 1.0
    assert term_shares("What boat does Quillon sail?", apart_from=["Quillon"])[term_id("quillon")] < NAME_SHARE


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("Could you remind me: where is the ladder?", "where is the ladder?"),
        ("I can't remember, who mended the roof?", "who mended the roof?"),
        ("你还记得吗，梯子在哪儿？", "梯子在哪儿？"),
        ("提醒我一下：屋顶是谁修的？", "屋顶是谁修的？"),
    ],
)
def test_a_clause_that_only_speaks_to_whoever_is_asked_is_left_out(question: str, bare: str) -> None:
    assert without_lead(question) == bare


@pytest.mark.parametrize(
    "question",
    ["In the attic, who found the ladder?", "去年，谁修的屋顶？", "Do you remember?", "你还记得吗？", "记得吗，"],
)
def test_a_clause_with_a_subject_or_with_nothing_behind_it_stays(question: str) -> None:
    assert without_lead(question) == question
