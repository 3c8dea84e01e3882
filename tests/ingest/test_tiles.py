"""The change gate: what is new on a screen is kept, what blinks, ticks and moves is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mirix.ingest.tiles import ChangeGate

SIZE = (960, 540)
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def page(*lines: str, clock: str = "", mark: tuple[int, int, int, int] | None = None) -> Image.Image:
    image = Image.new("RGB", SIZE, "white")
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        pen.text((40, 60 + 24 * row), line, fill="black")
    if clock:
        pen.text((900, 8), clock, fill="black")
    if mark:
        pen.rectangle(mark, fill="black")
    return image


def seen(gate: ChangeGate, *images: Image.Image, step_s: float = 1.0) -> list[bool]:
    return [gate.is_new(image, "one", BEGIN + timedelta(seconds=step_s * n)) for n, image in enumerate(images)]


def test_first_picture_of_a_monitor_is_new() -> None:
    gate = ChangeGate()
    assert seen(gate, page("ready")) == [True]
    assert gate.is_new(page("ready"), "two", BEGIN)


def test_same_picture_is_not_new() -> None:
    assert seen(ChangeGate(), page("ready"), page("ready"), page("ready")) == [True, False, False]


def test_one_line_more_is_new() -> None:
    assert seen(ChangeGate(), page("Tea at four"), page("Tea at four", "Make it five")) == [True, True]


def test_one_changed_digit_is_new() -> None:
    assert seen(ChangeGate(), page("Room 214"), page("Room 216")) == [True, True]


def test_change_back_to_what_was_kept_before_the_last_is_new() -> None:
    assert seen(ChangeGate(), page("Inbox"), page("Calendar"), page("Inbox")) == [True, True, True]


def test_blinking_caret_is_not_new() -> None:
    caret = (300, 100, 301, 118)
    blinking = [page("Dear Ann", mark=caret if n % 2 else None) for n in range(6)]
    assert seen(ChangeGate(), *blinking) == [True] + [False] * 5


def test_block_cursor_is_not_new() -> None:
    assert seen(ChangeGate(), page("$"), page("$", mark=(60, 60, 67, 75))) == [True, False]


def test_letter_beside_the_cursor_is_new() -> None:
    assert seen(ChangeGate(), page("$"), page("$ ls", mark=(90, 60, 91, 75))) == [True, True]


def test_clock_is_learned_after_three_ticks() -> None:
    ticking = [page("Reading", clock=f"9:{minute:02d}") for minute in range(10, 20)]
    kept = seen(ChangeGate(), *ticking, step_s=7)
    assert kept[:1] == [True] and not any(kept[3:])


def test_value_that_changes_now_and_then_in_one_place_is_no_clock() -> None:
    orders = [page(f"Order 41: {state}") for state in ("paid", "packed", "sent", "on its way", "here")]
    assert all(seen(ChangeGate(), *orders, step_s=600))


def test_new_line_beside_a_ticking_clock_is_new() -> None:
    ticking = [page("Reading", clock=f"9:{minute:02d}") for minute in range(10, 16)]
    assert seen(ChangeGate(), *ticking, page("Reading", "Lunch?", clock="9:16"))[-1]


def test_what_a_clock_place_shows_is_kept_now_and_then() -> None:
    ticking = [page("Reading", clock=f"9:{minute:02d}") for minute in range(10, 40)]
    kept = seen(ChangeGate(), *ticking, step_s=30)
    assert 2 <= sum(kept[4:]) <= len(ticking) / 3


def test_words_typed_letter_by_letter_are_no_clock() -> None:
    text = "Call the plumber about the leak"
    typed = [page("Notes", text[:end]) for end in range(4, len(text), 3)]
    assert all(seen(ChangeGate(), *typed, step_s=5))


def test_film_is_kept_every_few_seconds_only() -> None:
    def still(n: int) -> Image.Image:
        image = page("Film night")
        pen = ImageDraw.Draw(image)
        for column in range(12):
            level = (37 * n + 61 * column) % 200
            pen.rectangle((400 + 30 * column, 200, 429 + 30 * column, 400), fill=(level, level, level))
        return image

    kept = seen(ChangeGate(), *(still(n) for n in range(60)))
    assert sum(kept[:5]) >= 2
    assert 4 <= sum(kept[6:]) <= 8


def test_where_a_film_ends_is_kept() -> None:
    gate = ChangeGate()
    films = [page("Part", mark=(400, 200 + 10 * n, 700, 260 + 10 * n)) for n in range(12)]
    seen(gate, *films)
    last = page("Part", "The end", mark=(400, 310, 700, 370))
    assert any(gate.is_new(last, "one", BEGIN + timedelta(seconds=12 + n)) for n in range(2))


def test_another_size_is_new() -> None:
    gate = ChangeGate()
    assert seen(gate, page("ready")) == [True]
    assert gate.is_new(page("ready").resize((800, 600)), "one", BEGIN)


def test_forgotten_picture_makes_the_next_one_new() -> None:
    gate = ChangeGate()
    seen(gate, page("ready"))
    gate.forget("one")
    assert gate.is_new(page("ready"), "one", BEGIN)


@given(left=st.integers(0, 900), top=st.integers(40, 500), letter=st.sampled_from("ABDEFGHKMNPRSWXZ2345689"))
def test_a_letter_anywhere_is_new(left: int, top: int, letter: str) -> None:
    changed = page("Ready")
    ImageDraw.Draw(changed).text((left, top), letter, fill="black", font_size=14)
    if changed.tobytes() != page("Ready").tobytes():
        assert seen(ChangeGate(), page("Ready"), changed) == [True, True]
