from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirix.retrieval.fusion import (
    WEIGHTS,
    Arm,
    Candidate,
    Key,
    combine,
    fuse,
    in_turn,
    normalise,
    order,
    ranks,
    scaled,
    shortlist,
    told,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def key(number: int) -> Key:
    return f"{number:032x}"


def message(number: int, **given: object) -> Candidate:
    return Candidate(id=key(number), is_message=True, **({"session": "monday", "at": NOW} | given))  # type: ignore[arg-type]


def memory(number: int, **given: object) -> Candidate:
    return Candidate(id=key(number), is_message=False, **({"at": NOW} | given))  # type: ignore[arg-type]


def by_id(*candidates: Candidate) -> dict[Key, Candidate]:
    return {candidate.id: candidate for candidate in candidates}


def best(candidates: dict[Key, Candidate], arms: dict[Arm, dict[Key, float]]) -> Key:
    return order(candidates, fuse(candidates, scaled(arms), now=NOW))[0][0]


ids = st.integers(1, 12).map(key)


@st.composite
def searches(draw: st.DrawFn) -> tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]]:
    numbers = draw(st.sets(st.integers(1, 12), min_size=1))
    candidates = {}
    for number in numbers:
        is_message = draw(st.booleans())
        outdated = draw(st.booleans())
        current = [n for n in numbers if n > number]  # no circles, as in a chain of values
        replaced = draw(st.lists(st.sampled_from(current), max_size=2, unique=True)) if outdated and current else []
        candidates[key(number)] = Candidate(
            id=key(number),
            is_message=is_message,
            session=draw(st.integers(0, 2)),
            neighbours=(key(number - 1), key(number + 1)),
            is_named=draw(st.booleans()),
            told=draw(st.floats(0, 1)),
            is_question=draw(st.booleans()),
            is_screen=is_message and draw(st.booleans()),
            is_first_person=draw(st.booleans()),
            has_form=draw(st.booleans()),
            names_time=draw(st.booleans()),
            at=draw(st.none() | st.integers(-900, 90).map(lambda days: NOW + timedelta(days=days))),
            importance=draw(st.floats(0, 1)),
            utility=draw(st.floats(-1, 1)),
            is_pinned=draw(st.booleans()),
            is_outdated=outdated,
            replaced_by=tuple(map(key, replaced)),
            sources=() if is_message else tuple(draw(st.lists(ids, max_size=3))),
        )
    scores = st.dictionaries(ids, st.floats(-1, 30))
    return candidates, draw(st.dictionaries(st.sampled_from(Arm), scores))


@given(searches())
def test_scores_are_between_0_and_1_for_every_candidate(
    search: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]],
) -> None:
    candidates, arms = search
    fused = fuse(candidates, scaled(arms), now=NOW)
    assert fused.keys() == candidates.keys()
    assert all(-1e-9 <= score <= 1 + 1e-9 for score in fused.values())


@given(searches())
def test_order_holds_each_candidate_once_and_never_rises(
    search: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]],
) -> None:
    candidates, arms = search
    ordered = order(candidates, fuse(candidates, scaled(arms), now=NOW))
    assert sorted(found for found, _ in ordered) == sorted(candidates)
    scores = [score for _, score in ordered]
    assert scores == sorted(scores, reverse=True)


@given(searches())
def test_what_replaced_something_always_comes_before_it(
    search: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]],
) -> None:
    candidates, arms = search
    ends = {k: c for k, c in candidates.items() if not c.replaced_by}
    place = {found: i for i, (found, _) in enumerate(order(candidates, fuse(candidates, scaled(arms), now=NOW)))}
    for candidate in candidates.values():
        for current in candidate.replaced_by:
            if current in ends:
                assert place[current] < place[candidate.id]


@given(searches(), st.permutations(range(12)))
def test_the_order_of_the_input_does_not_matter(
    search: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]], shuffle: list[int]
) -> None:
    candidates, arms = search
    shuffled = dict(sorted(candidates.items(), key=lambda item: shuffle[int(item[0], 16) - 1]))
    one, other = fuse(candidates, scaled(arms), now=NOW), fuse(shuffled, scaled(arms), now=NOW)
    assert one == pytest.approx(other)


@given(st.lists(st.none() | st.floats(-10, 10), min_size=1))
def test_normalised_scores_keep_their_order(scores: list[float | None]) -> None:
    found = normalise(scores)
    assert all(0 <= score <= 1 for score in found)
    pairs = [(raw, new) for raw, new in zip(scores, found, strict=True) if raw is not None]
    assert all(a[1] <= b[1] for a in pairs for b in pairs if a[0] < b[0])
    assert all(new == 0 for raw, new in zip(scores, found, strict=True) if raw is None)


def test_two_arms_that_agree_beat_one() -> None:
    candidates = by_id(message(1), message(2, session="tuesday"), message(3, session="friday"))
    arms = {Arm.LEXICAL: {key(1): 1.0, key(2): 0.8}, Arm.DENSE: {key(2): 0.7, key(3): 0.2}}
    assert best(candidates, arms) == key(2)


def test_what_is_held_with_those_beside_it_decides_between_equal_words() -> None:
    candidates = by_id(message(1), message(3, session="friday"))
    scores = fuse(
        candidates, scaled({Arm.LEXICAL: {key(1): 0.6, key(3): 0.6}}), now=NOW, covered={key(1): 0.9, key(3): 0.5}
    )
    assert scores[key(1)] > scores[key(3)]


def test_a_memory_is_at_no_disadvantage_for_having_no_neighbours() -> None:
    candidates = by_id(message(1), memory(2))
    arms = {Arm.LEXICAL: {key(1): 0.6, key(2): 0.6}, Arm.DENSE: {key(1): 0.5, key(2): 0.5}}
    scores = fuse(candidates, scaled(arms), now=NOW)
    assert scores[key(1)] == pytest.approx(scores[key(2)])


def test_who_the_question_names_comes_first_among_equals() -> None:
    candidates = by_id(message(1), message(2, is_named=True))
    assert best(candidates, {Arm.LEXICAL: {key(1): 0.5, key(2): 0.5}}) == key(2)


def test_what_tells_more_comes_first_among_equals() -> None:
    equal = {Arm.LEXICAL: {key(1): 0.8, key(2): 0.8}}
    assert best(by_id(message(1, told=told(2)), message(2, told=told(30))), equal) == key(2)
    assert best(by_id(message(1, is_question=True), message(2)), equal) == key(2)
    assert best(by_id(message(1, is_first_person=False), message(2)), equal) == key(2)
    assert best(by_id(message(1, has_form=False), message(2)), equal) == key(2)
    assert 0 == told(0) < told(5) < told(30) < told(200) == 1


def test_a_time_counts_only_where_the_question_asks_when() -> None:
    candidates = by_id(message(1), message(2, names_time=True))
    arms = {Arm.LEXICAL: {key(1): 0.85, key(2): 0.8}}
    assert best(candidates, arms) == key(1)
    assert order(candidates, fuse(candidates, scaled(arms), now=NOW, asks_when=True))[0][0] == key(2)


def test_boosts_only_decide_between_equals() -> None:
    assert WEIGHTS.recency + WEIGHTS.importance + WEIGHTS.pinned < WEIGHTS.lexical / 2
    old = {"at": NOW - timedelta(days=400), "importance": 0.0, "utility": -1.0}
    arms = {Arm.LEXICAL: {key(1): 1.0, key(2): 0.4}}
    assert best(by_id(memory(1, **old), memory(2, importance=1.0, utility=1.0, is_pinned=True)), arms) == key(1)
    assert best(by_id(memory(1, **old), memory(2)), {Arm.LEXICAL: {key(1): 1.0, key(2): 1.0}}) == key(2)


def test_a_memory_stands_before_the_message_it_rests_on() -> None:
    candidates = by_id(message(1), memory(2, sources=(key(1),)), message(3, session="friday"))
    ordered = order(candidates, {key(1): 0.9, key(2): 0.1, key(3): 0.5})
    assert [found for found, _ in ordered] == [key(2), key(1), key(3)]


def test_a_screen_is_found_by_its_words_rather_than_by_the_vector_of_a_whole_page() -> None:
    arms = {
        Arm.LEXICAL: {key(1): 0.8, key(2): 0.3},
        Arm.DENSE: {key(1): 0.2, key(2): 0.6},
        Arm.WINDOW: {key(1): 0.2, key(2): 0.6},
    }
    assert best(by_id(message(1), message(2)), arms) == key(2)
    assert best(by_id(message(1, is_screen=True), message(2, is_screen=True)), arms) == key(1)


def test_a_memory_does_not_get_the_score_of_a_whole_screen() -> None:
    scores = {key(1): 0.9, key(2): 0.2}
    told_by_turn = by_id(message(1), memory(2, sources=(key(1),)))
    told_by_screen = by_id(message(1, is_screen=True), memory(2, sources=(key(1),)))
    assert dict(order(told_by_turn, scores))[key(2)] == 0.9
    assert dict(order(told_by_screen, scores))[key(2)] == 0.2


def test_topics_raise_what_they_like_but_the_question_comes_first() -> None:
    question = {key(1): 0.9, key(2): 0.5, key(3): 0.5}
    combined = combine(question, [{key(3): 1.0}, {key(2): 0.2}])
    assert combined[key(1)] > combined[key(3)] > combined[key(2)]
    assert combine(question, []) == question


def test_ranks_tell_place_and_raw_score_in_each_arm() -> None:
    found = ranks({Arm.LEXICAL: {key(1): 2.0, key(2): 3.0}, Arm.DENSE: {key(1): 0.4}})
    assert found[key(1)][Arm.LEXICAL].rank == 2
    assert found[key(1)][Arm.DENSE].score == 0.4
    assert found[key(2)][Arm.LEXICAL].rank == 1


def test_in_turn_takes_the_best_of_each_ranking_and_no_evidence_twice() -> None:
    candidates = by_id(message(1), message(2), message(3), memory(4, sources=(key(1),)), message(5))
    rankings = [
        {key(1): 0.9, key(4): 0.9, key(2): 0.5, key(3): 0.1, key(5): 0.0},
        {key(4): 0.8, key(1): 0.7, key(3): 0.6, key(2): 0.2, key(5): 0.1},
    ]
    chosen = in_turn(candidates, rankings, limit=3)
    assert [each for each, _ in chosen] == [key(4), key(3), key(2)]
    assert [score for _, score in chosen] == sorted((score for _, score in chosen), reverse=True)


def test_in_turn_shows_what_is_outdated_behind_its_successor_or_not_at_all() -> None:
    lost = message(1, is_outdated=True)
    old, new = message(2, is_outdated=True, replaced_by=(key(3),)), message(3)
    rankings = [{key(1): 0.9, key(2): 0.8, key(3): 0.1}]
    assert [each for each, _ in in_turn(by_id(lost, old, new), rankings, limit=5)] == [key(3), key(2)]


@given(searches())
def test_in_turn_never_shows_the_outdated_first(
    search: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]],
) -> None:
    candidates, arms = search
    shown = [each for each, _ in in_turn(candidates, [fuse(candidates, scaled(arms), now=NOW)], limit=20)]
    for place, each in enumerate(shown):
        current = [other for other in candidates[each].replaced_by if other in candidates]
        assert not candidates[each].is_outdated or set(current) & set(shown[:place])


@given(searches(), searches(), st.integers(0, 12), st.integers(0, 3))
def test_the_shortlist_keeps_what_the_arms_like_best(
    question: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]],
    beside: tuple[dict[Key, Candidate], dict[Arm, dict[Key, float]]],
    limit: int,
    of_each: int,
) -> None:
    by_probe = [scaled(question[1]), scaled(beside[1])]
    everything = shortlist(by_probe, limit=100)
    chosen = shortlist(by_probe, limit=limit, of_each=of_each)
    assert everything.keys() == {found for arms in by_probe for scores in arms.values() for found in scores}
    assert chosen.items() <= everything.items()
    assert min(limit, len(everything)) <= len(chosen) <= limit + 2 * of_each
    if of_each == 0 and chosen:
        left_out = [score for found, score in everything.items() if found not in chosen]
        assert max(left_out, default=0.0) <= min(chosen.values())
