from __future__ import annotations

from uuid import UUID

import pytest

from mirix.retrieval.beside import LESSON_REACH, PAUSE_S, REACH, STEPS, Beside, belonging, insert, reach


def key(number: int) -> str:
    return str(UUID(int=number))


HIT, OTHER = key(1), key(9)


def beside(text: str, *, hit: str, number: int = 2, distance: int = 1) -> Beside:
    return Beside(anchor=HIT, id=key(number), text=text, anchor_text=hit, distance=distance)


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
    assert belonging(question, [beside(near, hit=hit)]) == {HIT: [key(2)]}
    assert belonging(question, [beside("Lovely weather." if near.isascii() else "天气真好。", hit=hit)]) == {}


def test_a_hit_that_gives_it_itself_needs_no_neighbour_unless_two_are_compared() -> None:
    near = beside("The red one was 700 euros.", hit="The blue boat was 900 euros.")
    assert belonging("How much was the blue boat?", [near]) == {}
    assert belonging("How much more was the blue boat than the red one?", [near]) == {HIT: [key(2)]}


def test_only_the_neighbour_that_gives_most_is_taken() -> None:
    near = [
        beside("It was 900 euros.", hit="A boat!", number=2),
        beside("The mast alone cost 200 and the sails 300.", hit="A boat!", number=3, distance=2),
    ]
    assert belonging("How much did the mast and the sails of the boat cost?", near) == {HIT: [key(3)]}


def test_what_belongs_to_a_hit_stands_right_behind_it_once() -> None:
    ranked = [(HIT, 0.9), (OTHER, 0.5), (key(2), 0.1)]
    assert insert(ranked, {HIT: [key(2)]}) == [(HIT, 0.9), (key(2), 0.9), (OTHER, 0.5)]
    assert insert(ranked, {OTHER: [HIT]}) == ranked


@pytest.mark.parametrize(
    ("hit", "correction"),
    [("The ferry leaves on Monday.", "No, wait: Tuesday."), ("轮渡星期一开。", "说错了，星期二。")],
)
def test_what_puts_the_best_hit_right_belongs_to_it(hit: str, correction: str) -> None:
    def near(later_s: float) -> Beside:
        return Beside(anchor=HIT, id=OTHER, text=correction, anchor_text=hit, distance=1, later_s=later_s)

    assert belonging("Ferry?", [near(30.0)], best=HIT) == {HIT: [OTHER]}
    assert belonging("Ferry?", [near(-30.0)], best=HIT) == {}
    assert belonging("Ferry?", [near(30.0)], best=OTHER) == {}


def lesson(*later_s: float, mine: bool = True) -> list[Beside]:
    return [
        Beside(
            anchor=HIT,
            id=key(10 + n),
            text="Stir.",
            anchor_text="The glue: soak it.",
            distance=n,
            later_s=at,
            is_same_role=mine,
        )
        for n, at in enumerate(later_s, 1)
    ]


@pytest.mark.parametrize("question", ["How do I make the glue?", "胶水怎么熬？"])
def test_the_steps_that_follow_the_best_hit_belong_to_a_question_how(question: str) -> None:
    near = lesson(40, 90, 150)
    assert reach(question) == LESSON_REACH
    assert belonging(question, near, best=HIT) == {HIT: [each.id for each in near]}
    assert belonging("Where is the glue?", near, best=HIT) == {}
    assert reach("Where is the glue?") == REACH


def test_a_lesson_ends_with_a_pause_with_its_steps_and_is_told_by_one() -> None:
    question = "How do I make the glue?"
    assert belonging(question, lesson(40, 41 + PAUSE_S), best=HIT) == {HIT: [key(11)]}
    assert len(belonging(question, lesson(*range(10, 100, 10)), best=HIT)[HIT]) == STEPS
    assert belonging(question, lesson(40, mine=False), best=HIT) == {HIT: []}
