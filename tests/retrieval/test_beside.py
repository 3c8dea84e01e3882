from __future__ import annotations

from uuid import UUID

import pytest

from mirix.retrieval.beside import Beside, belonging, insert

HIT, OTHER = UUID(int=1), UUID(int=9)


def beside(text: str, *, hit: str, number: int = 2, distance: int = 1) -> Beside:
    return Beside(anchor=HIT, id=UUID(int=number), text=text, anchor_text=hit, distance=distance)


@pytest.mark.parametrize(
    ("question", "hit", "near"),
    [
        ("What is the boat called?", "We bought an old boat.", "We called her Wren."),
        ("那条船叫什么?", "买了条旧船。", "就叫它燕子号。"),
        ("How much was the boat?", "We bought an old boat.", "It was 900 euros."),
        ("那条船多少钱?", "买了条旧船。", "八千六。"),
        ("When does the boat leave?", "The boat leaves soon.", "On Thursday."),
        ("那条船哪天走?", "船快走了。", "星期四。"),
        ("Why was the boat sold?", "We sold the boat.", "Because the hull leaked."),
        ("Who repaired the mast of the boat in spring?", "The boat is fine.", "The mast was repaired by a neighbour."),
    ],
)
def test_a_turn_beside_a_hit_belongs_where_it_gives_what_is_asked(question: str, hit: str, near: str) -> None:
    assert belonging(question, [beside(near, hit=hit)]) == {HIT: [UUID(int=2)]}
    assert belonging(question, [beside("Lovely weather." if near.isascii() else "天气真好。", hit=hit)]) == {}


def test_a_hit_that_gives_it_itself_needs_no_neighbour_unless_two_are_compared() -> None:
    near = beside("The red one was 700 euros.", hit="The blue boat was 900 euros.")
    assert belonging("How much was the blue boat?", [near]) == {}
    assert belonging("How much more was the blue boat than the red one?", [near]) == {HIT: [UUID(int=2)]}


def test_only_the_neighbour_that_gives_most_is_taken() -> None:
    near = [
        beside("It was 900 euros.", hit="A boat!", number=2),
        beside("The mast alone cost 200 and the sails 300.", hit="A boat!", number=3, distance=2),
    ]
    assert belonging("How much did the mast and the sails of the boat cost?", near) == {HIT: [UUID(int=3)]}


def test_what_belongs_to_a_hit_stands_right_behind_it_once() -> None:
    ranked = [(HIT, 0.9), (OTHER, 0.5), (UUID(int=2), 0.1)]
    assert insert(ranked, {HIT: [UUID(int=2)]}) == [(HIT, 0.9), (UUID(int=2), 0.9), (OTHER, 0.5)]
    assert insert(ranked, {OTHER: [HIT]}) == ranked
