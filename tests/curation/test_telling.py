"""Judging by words what tells something that is being forgotten."""

from __future__ import annotations

import pytest

from mirix.curation.telling import GAP, Forgettable, cut_but, is_still_told, statements_of, words
from mirix.memory.core import CoreRecord
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.resource import ResourceRecord


def forgettable(*facts: str, literals: tuple[str, ...] = ()) -> Forgettable:
    return Forgettable(statements=tuple(words(fact) for fact in facts), literals=literals)


@pytest.mark.parametrize(
    ("fact", "text", "left"),
    [
        ("Lives in Bergen", "I moved to Bergen. Oda mends clocks.", f"{GAP} Oda mends clocks."),
        ("Allergic to walnuts", "Oda mends clocks. I am allergic to walnuts!", f"Oda mends clocks. {GAP}"),
        ("对花生过敏", "我住在海边。我对花生过敏。", f"我住在海边。{GAP}"),
        ("Lives in Bergen", "Live in Bergen? I do.\nYes: Bergen.", f"{GAP} I do.\n{GAP}"),
        ("Lives in Bergen", "I live in Bergen and Oda mends clocks.", ""),
        ("Lives in Bergen", "Oda mends clocks.", "Oda mends clocks."),
    ],
)
def test_sentences_that_tell_a_fact_are_cut(fact: str, text: str, left: str) -> None:
    assert forgettable(fact).cut(text) == left


def test_a_sentence_that_tells_better_what_stays_is_not_cut() -> None:
    fact = forgettable("Oda mends clocks")
    assert fact.cut("Oda mends shoes.") == ""
    assert fact.cut("Oda mends shoes.", [words("Oda mends shoes")]) == "Oda mends shoes."


def test_a_sentence_that_tells_both_is_cut() -> None:
    kept = [words("Tor sells old boats in Molde")]
    assert forgettable("Oda mends clocks").cut("Oda mends clocks, Tor sells old boats in Molde.", kept) == ""


def test_a_value_is_cut_whatever_stands_around_it() -> None:
    kept = [words("The number of the plumber")]
    fact = forgettable(literals=("+47 55 00 11 22",))
    assert fact.cut("The number of the plumber: +47 55 00 11 22. He is fast.", kept) == f"{GAP} He is fast."


def test_a_document_loses_the_sentences_and_keeps_the_rest() -> None:
    letter = ResourceRecord(
        user_id=1, title="Lives in Bergen", summary="I live in Bergen.", content="I live in Bergen. The boat is blue."
    )
    cut = forgettable("Lives in Bergen").cut_record(letter)
    assert (cut.summary, cut.content) == ("The boat is blue.", f"{GAP} The boat is blue.")
    assert "Bergen" not in cut.title


def test_what_says_nothing_of_it_is_the_same_record() -> None:
    guide = ProceduralRecord(
        user_id=1, summary="Wax skis", steps=["scrape", "iron"], entry_type="guide", keywords=["ski"]
    )
    assert forgettable("Lives in Bergen").cut_record(guide) == guide


def test_a_record_of_which_nothing_is_left_is_a_gap() -> None:
    line = CoreRecord(user_id=1, label="human", summary="Lives in Bergen", keywords=["Bergen"])
    cut = forgettable("Lives in Bergen").cut_record(line)
    assert (cut.summary, cut.keywords) == (GAP, [])


def test_only_what_others_tell_stays_where_no_sentence_tells_the_fact() -> None:
    assert cut_but("Stortorvet it is! Oda mends clocks.", [words("Oda mends clocks")]) == f"{GAP} Oda mends clocks."


def test_the_sentences_of_the_details_are_statements_of_their_own() -> None:
    letter = ResourceRecord(user_id=1, title="x", summary="A letter", content="The boat is blue. Oda mends clocks.")
    assert words("The boat is blue.") in statements_of(letter)


@pytest.mark.parametrize(
    ("text", "gone", "left", "told"),
    [
        ("Lives in Bergen", "I live in Bergen", "As I said, I live in Bergen", True),
        ("Lives in Bergen", "I live in Bergen", "It rains where I live", False),
        ("Resident of Bergen", "I live in Bergen", "Bergen is home", True),
        ("住在卑尔根", "我住在卑尔根", "我还是住在卑尔根", True),
        ("住在卑尔根", "我住在卑尔根", "我住在海边", False),
    ],
)
def test_a_memory_stands_while_the_other_messages_hold_its_words(text: str, gone: str, left: str, told: bool) -> None:
    assert is_still_told(text, [gone], [left]) is told
