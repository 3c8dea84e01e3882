"""Invented screens as a recogniser reads them; boxes are left, top, right, bottom."""

from __future__ import annotations

import pytest

from mirix.retrieval.places import MOST_BOXES, FrameLine, boxes_for_answer, boxes_for_query


def screen(*rows: str, left: int = 20) -> list[FrameLine]:
    """Lines under each other, 24 pixels apart; " | " parts a row into lines beside each other."""
    return [
        FrameLine(text=text, box=(left + 300 * column, 24 * row, left + 300 * column + 8 * len(text), 24 * row + 14))
        for row, cells in enumerate(rows)
        for column, text in enumerate(cells.split(" | "))
    ]


def texts(lines: list[FrameLine], boxes: tuple[tuple[int, int, int, int], ...]) -> list[str]:
    """What stands in the boxes."""
    return [next(line.text for line in lines if line.box == box) for box in boxes]


MAIL = screen(
    "Inbox 4 | Kiln service",
    "Sent | Marit Foss to me, 3 Nov 2026",
    "Drafts | The kiln is serviced on 17 November. The fitter rings at",
    "Archive | the side door at 07:40 and needs the red key.",
    "Spam | It costs 2,150 crowns.",
    "Search | Reply Forward 17",
)
TICKET = screen(
    "PUMP-12 Pump stops at night | Assignee",
    "The pump stops between two and three. | Ruth Adeyemi",
    "Comments | Due",
    "Replaced the float switch. | 4 December 2026",
)
CHAT = screen(
    "Bea 10:01", "we meet at the mill at 08:30", "Nils 10:04", "make it 09:15, my bus is late", "Bea 10:05", "ok 09:15"
)
ORDER = screen("订单编号 | DD88231907", "保温壶 | 159元", "砧板 | 46元", "预计送达 | 11月7日")


@pytest.mark.parametrize(
    ("lines", "question", "said", "where"),
    [
        (MAIL, "What does the kiln service cost?", "2,150 crowns", ["It costs 2,150 crowns."]),
        (
            MAIL,
            "When is the kiln serviced?",
            "On 17 November 2026.",
            ["The kiln is serviced on 17 November. The fitter rings at"],
        ),
        (TICKET, "What is the assignee called?", "She is called Ruth Adeyemi.", ["Ruth Adeyemi"]),
        (CHAT, "When do we meet at the mill now?", "At 09:15.", ["make it 09:15, my bus is late"]),
        (ORDER, "保温壶多少钱?", "保温壶159元。", ["159元"]),
        (ORDER, "订单什么时候送达?", "2026年11月7日", ["11月7日"]),
    ],
)
def test_answer_stands_where_its_value_does(lines: list[FrameLine], question: str, said: str, where: list[str]) -> None:
    assert texts(lines, boxes_for_answer(lines, question=question, said=said)) == where


def test_of_two_lines_alike_the_one_counts_that_stands_by_the_words_of_the_question() -> None:
    lines = screen("Kiln room", "14:30", "", "", "Mill room", "14:30", "", "", "Glaze room", "14:30")
    assert boxes_for_answer(lines, question="When is the mill room free?", said="At 14:30.") == (lines[5].box,)


def test_answer_over_two_lines_is_found_on_both_from_top_to_bottom() -> None:
    boxes = boxes_for_answer(MAIL, question="Where does he ring?", said="The fitter rings at the side door")
    assert texts(MAIL, boxes) == [MAIL[5].text, MAIL[7].text]


def test_of_a_long_quote_the_part_counts_that_was_asked_for() -> None:
    said = "The fitter rings at the side door at 07:40 and needs the red key. It costs 2,150 crowns."
    assert texts(MAIL, boxes_for_answer(MAIL, question="What does it cost in crowns?", said=said))[-1] == MAIL[9].text


def test_value_is_found_though_the_recogniser_lost_its_spaces() -> None:
    lines = screen("Queue time", "2min14s", "target 3 min")
    assert texts(lines, boxes_for_answer(lines, question="How long?", said="2 min 14 s")) == ["2min14s"]


def test_answer_that_is_not_on_the_screen_has_the_place_of_its_question() -> None:
    boxes = boxes_for_answer(MAIL, question="What does the service cost?", said="£99")
    assert boxes == boxes_for_query(MAIL, "What does the service cost?") == (MAIL[9].box,)


def test_who_said_it_stands_at_the_name_and_at_the_words() -> None:
    lines = screen("Bea 10:01", "who brings the ladder?", "Nils 10:04", "", "", "Ines 11:00", "I brought the rope up")
    boxes = boxes_for_answer(lines, question="Who brought the rope?", said="Ines")
    assert texts(lines, boxes) == ["Ines 11:00", "I brought the rope up"]


@pytest.mark.parametrize(
    ("lines", "query", "where"),
    [
        (TICKET, "due date", "4 December 2026"),
        (TICKET, "Who is the assignee?", "Ruth Adeyemi"),
        (MAIL, "what does the service cost", "It costs 2,150 crowns."),
        (ORDER, "订单编号", "DD88231907"),
        (ORDER, "砧板多少钱", "46元"),
    ],
)
def test_query_is_answered_by_the_value_of_the_label_that_it_names(
    lines: list[FrameLine], query: str, where: str
) -> None:
    assert where in texts(lines, boxes_for_query(lines, query))


def test_query_is_answered_where_the_memory_was_read() -> None:
    lines = screen("Gate code of the yard", "48-17-B", "", "Gate code of the mill", "90-33-K")
    assert "90-33-K" in texts(lines, boxes_for_query(lines, "gate code", "The mill: 90-33-K"))
    assert "48-17-B" in texts(lines, boxes_for_query(lines, "gate code", "The yard: 48-17-B"))


@pytest.mark.parametrize("query", ["", "the of and", "harpsichord", "羽管键琴"])
def test_what_is_not_on_the_screen_has_no_place(query: str) -> None:
    assert boxes_for_query(MAIL, query) == ()
    assert boxes_for_answer(MAIL, question="?", said=query) == ()
    assert boxes_for_query([], query) == ()


def test_never_the_whole_page() -> None:
    said = " ".join(line.text for line in MAIL)
    assert 1 <= len(boxes_for_answer(MAIL, question="What stands here?", said=said, quote=said)) <= MOST_BOXES
    assert 1 <= len(boxes_for_query(MAIL, said)) <= MOST_BOXES
