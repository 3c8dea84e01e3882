from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirix.retrieval.coverage import BESIDE, NEAR, Held, covered
from mirix.retrieval.fusion import Candidate

BOAT, CALLED = 0b01, 0b10


def turn(number: int, *neighbours: int) -> Candidate:
    return Candidate(id=str(number), is_message=True, neighbours=tuple(map(str, neighbours)))


def by_id(*candidates: Candidate) -> dict[str, Candidate]:
    return {candidate.id: candidate for candidate in candidates}


@st.composite
def conversations(draw: st.DrawFn) -> tuple[dict[str, Candidate], Held]:
    count = draw(st.integers(1, 8))
    weights = draw(st.lists(st.floats(0, 9), min_size=1, max_size=6))
    turns = [turn(n, *(m for m in (n - 1, n + 1) if 0 <= m < count)) for n in range(count)]
    known = draw(st.sets(st.integers(0, count - 1)))  # the others are no candidates, yet may hold terms
    terms = draw(st.dictionaries(st.integers(0, count - 1).map(str), st.integers(0, 2 ** len(weights) - 1)))
    return by_id(*(each for each in turns if int(each.id) in known)), Held(weights=tuple(weights), terms=terms)


@given(conversations())
def test_each_candidate_holds_a_share_from_0_to_1(conversation: tuple[dict[str, Candidate], Held]) -> None:
    candidates, held = conversation
    found = covered(candidates, held)
    assert found.keys() == candidates.keys()
    assert all(0 <= share <= 1 for share in found.values())


@given(conversations(), st.integers(0, 7), st.integers(0, 5))
def test_a_further_term_held_by_a_turn_never_lowers_its_share(
    conversation: tuple[dict[str, Candidate], Held], number: int, place: int
) -> None:
    candidates, held = conversation
    key, bit = str(number), 1 << place
    everything = {**held.terms, "elsewhere": 2 ** len(held.weights) - 1}  # so that the whole stays the same
    more = everything | {key: everything.get(key, 0) | bit}
    before = covered(candidates, Held(weights=held.weights, terms=everything))
    after = covered(candidates, Held(weights=held.weights, terms=more))
    assert all(after[each] >= before[each] - 1e-9 for each in candidates)


def test_a_turn_counts_what_those_beside_it_hold_for_less() -> None:
    candidates = by_id(turn(1, 2), turn(2, 1, 3), turn(3, 2, 4), turn(4, 3), turn(9))
    found = covered(candidates, Held(weights=(3.0, 1.0), terms={"1": BOAT, "2": CALLED}))
    assert found["1"] == pytest.approx((3 + BESIDE * 1) / 4)
    assert found["2"] == pytest.approx((BESIDE * 3 + 1) / 4)
    assert found["3"] == pytest.approx((NEAR * 3 + BESIDE * 1) / 4)
    assert found["4"] == pytest.approx(NEAR * 1 / 4)
    assert found["9"] == 0


def test_the_same_word_twice_is_not_two_words() -> None:
    candidates = by_id(turn(1, 2), turn(2, 1), turn(3, 4), turn(4, 3))
    found = covered(candidates, Held(weights=(1.0, 1.0), terms={"1": BOAT, "2": BOAT, "3": BOAT, "4": CALLED}))
    assert found["1"] == 0.5
    assert found["3"] > found["1"]


def test_words_that_nothing_holds_do_not_count() -> None:
    found = covered(by_id(turn(1)), Held(weights=(1.0, 8.0), terms={"1": BOAT}))
    assert found == {"1": 1.0}
    assert covered(by_id(turn(1)), Held(weights=(), terms={})) == {"1": 0.0}


def test_a_neighbour_counts_though_it_is_no_candidate() -> None:
    found = covered(by_id(turn(1, 2), turn(5)), Held(weights=(1.0, 1.0), terms={"1": BOAT, "2": CALLED, "5": BOAT}))
    assert found["1"] > found["5"]
