"""What is shown of a screen: the lines round the words of the question, as lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mirix.retrieval.screen_excerpt import GAP, screen_excerpt
from mirix.text.analyser import tokens
from mirix.text.chunks import count_tokens

MENU = "\n".join(
    f"Entry {word} of the long menu" for word in ("anchor", "basil", "cedar", "delta", "ember", "fjord") * 4
)
SCREEN = f"{MENU}\n\nTern Lodge\nBooking code\nQX71BD\n\nGuest  Mia Thorn\n{MENU}"


def words(question: str) -> frozenset[str]:
    return frozenset(tokens(question))


def test_the_value_below_its_label_is_shown_with_it() -> None:
    shown = screen_excerpt(SCREEN, words("What is the booking code?"), 60)
    assert "Booking code\nQX71BD" in shown
    assert shown.startswith(GAP)
    assert count_tokens(shown) <= 80


def test_the_rarest_words_of_the_question_come_first() -> None:
    shown = screen_excerpt(SCREEN, words("Which guest stands in the menu entry?"), 40)
    assert "Guest  Mia Thorn" in shown


def test_a_screen_that_holds_no_word_of_the_question_is_shown_by_its_beginning() -> None:
    shown = screen_excerpt(SCREEN, words("价格是多少?"), 400)
    assert SCREEN.startswith(shown)
    assert count_tokens(shown) <= 60


@given(st.lists(st.text(alphabet="abc  东西x", max_size=12), max_size=30), st.integers(10, 80))
def test_an_excerpt_holds_lines_of_the_screen_in_their_order(lines: list[str], room: int) -> None:
    text = "\n".join(lines)
    shown = screen_excerpt(text, frozenset({"abc", "东西"}), room)
    left = iter(line.rstrip() for line in text.splitlines())
    assert all(line == GAP or line in left for line in shown.splitlines()) or text.startswith(shown)
