from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from mirix.memory.episodic import EpisodicRecord
from mirix.memory.message import Message
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind
from mirix.memory.semantic import SemanticRecord
from mirix.retrieval.hits import Hit, evidence_ranking, without_copies

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def key(number: int) -> UUID:
    return UUID(int=number)


def said(number: int, text: str, **given: Any) -> Hit:
    message = Message(
        user_id=1,
        id=key(number),
        conversation_id=key(0),
        batch_id=key(0),
        speaker=given.pop("speaker", "Anna"),
        text=text,
    )
    return Hit(id=key(number), kind=None, message=message, score=0.5, source_ids=(key(number),), **given)


def known(number: int, text: str, *sources: int, **given: Any) -> Hit:
    record = SemanticRecord(user_id=1, id=key(number), name="x", summary=text)
    return Hit(
        id=key(number),
        kind=MemoryKind.SEMANTIC,
        record=record,
        score=0.5,
        source_ids=tuple(map(key, sources)),
        **given,
    )


def ids(hits: list[Hit]) -> list[int]:
    return [hit.id.int for hit in hits]


def test_a_message_is_left_out_where_its_memory_says_it_all() -> None:
    hits = [known(1, "Ottilie is allergic to walnuts", 2), said(2, "Ottilie is allergic to walnuts!")]
    assert ids(without_copies(hits, 5)) == [1]


def test_a_message_stays_where_its_memory_left_something_out() -> None:
    hits = [
        known(1, "Ottilie is allergic to walnuts", 2),
        said(2, "Ottilie gets hives from walnuts, carry the syringe"),
    ]
    assert ids(without_copies(hits, 5)) == [1, 2]


def event(number: int, text: str, *sources: int) -> Hit:
    record = EpisodicRecord(user_id=1, id=key(number), summary=text, occurred_at=NOW)
    return Hit(id=key(number), kind=MemoryKind.EPISODIC, record=record, score=0.5, source_ids=tuple(map(key, sources)))


def test_two_kinds_of_memory_say_what_one_message_told_once() -> None:
    hits = [event(1, "First day at the pier. Runa is my boss.", 9), known(2, "Runa is my boss.", 9, 8)]
    (kept,) = without_copies(hits, 5)
    assert kept.kind is MemoryKind.EPISODIC
    assert kept.source_ids == (key(9), key(8))


@pytest.mark.parametrize(
    "other",
    [known(2, "Runa is my boss.", 8), known(2, "Runa is my aunt.", 9), known(2, "Runa is my boss.", 9, outdated=True)],
    ids=["another message", "something else", "what no longer holds"],
)
def test_memories_of_two_kinds_stay_where_each_tells_its_own(other: Hit) -> None:
    assert ids(without_copies([event(1, "First day at the pier. Runa is my boss.", 9), other], 5)) == [1, 2]


def test_steps_stay_beside_the_event_that_told_them() -> None:
    steps = ProceduralRecord(user_id=1, id=key(2), summary="glue", steps=["warm the pot", "stir"])
    told = Hit(id=key(2), kind=MemoryKind.PROCEDURAL, record=steps, score=0.5, source_ids=(key(9),))
    assert ids(without_copies([event(1, "Glue: warm the pot, stir 1 2", 9), told], 5)) == [1, 2]


def test_a_message_before_its_memory_stays() -> None:
    hits = [said(2, "Ottilie is allergic to walnuts"), known(1, "Ottilie is allergic to walnuts", 2)]
    assert ids(without_copies(hits, 5)) == [2, 1]


def test_near_copies_are_one_hit_that_names_all_messages() -> None:
    text = "The boiler man comes on Thursdays at nine"
    kept = without_copies([said(1, text), said(2, text.upper()), said(3, "Soup for lunch")], 5)
    assert ids(kept) == [1, 3]
    assert kept[0].source_ids == (key(1), key(2))


def test_the_same_words_of_another_speaker_or_standing_or_few_words_are_no_copies() -> None:
    text = "The boiler man comes on Thursdays at nine"
    hits = [said(1, text), said(2, text, speaker="Ben"), said(3, text, outdated=True), said(4, "Thanks!")]
    assert ids(without_copies([*hits, said(5, "Thanks!")], 9)) == [1, 2, 3, 4, 5]


def test_copies_take_no_place_of_the_limit() -> None:
    text = "The boiler man comes on Thursdays at nine"
    kept = without_copies([said(1, text), said(2, text), said(3, "Soup for lunch"), said(4, text)], 2)
    assert ids(kept) == [1, 3]
    assert kept[0].source_ids == (key(1), key(2), key(4))


def test_in_the_evidence_a_memory_counts_as_its_messages() -> None:
    hits = [said(1, "a"), known(9, "b", 3, 2), said(2, "c"), said(4, "d")]
    assert [found.int for found in evidence_ranking(hits)] == [1, 3, 2, 4]
