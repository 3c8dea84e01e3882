from __future__ import annotations

from mirix.retrieval.terms import SINGLE_SHARE, term_shares
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
