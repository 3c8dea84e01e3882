from __future__ import annotations

import io

import pytest
from PIL import Image

from mirix.curation.frames import KeptFrame
from mirix.errors import NotFoundError
from mirix.memory.record import new_id
from mirix.retrieval.places import FrameLine
from tests.curation.conftest import World

LINES = (
    FrameLine(text="Harbour Pool", box=(10, 10, 110, 24)),
    FrameLine(text="Your locker is 47B, upper row", box=(10, 40, 210, 54)),
    FrameLine(text="Swimming course on Tuesday evenings,", box=(10, 70, 240, 84)),
    FrameLine(text="starting in January", box=(10, 90, 130, 104)),
    FrameLine(text="下周二晚上八点开始上游泳课", box=(10, 120, 200, 134)),
)


def kept() -> KeptFrame:
    return KeptFrame(message_id=new_id(), webp=b"", width=400, height=300, lines=LINES)


def test_quote_that_is_on_a_line_is_found_on_that_line_alone() -> None:
    assert kept().boxes_of("locker is 47B") == ((10, 40, 210, 54),)


def test_quote_over_two_lines_is_found_on_both_from_top_to_bottom() -> None:
    assert kept().boxes_of("Swimming course on Tuesday evenings, starting in January") == (
        (10, 70, 240, 84),
        (10, 90, 130, 104),
    )


def test_words_around_a_quote_do_not_hide_it() -> None:
    assert kept().boxes_of("Locker 47B, upper row of the pool – Harbour Pool") == ((10, 10, 110, 24), (10, 40, 210, 54))


def test_chinese_quote_is_found() -> None:
    assert kept().boxes_of("下周二晚上八点开始上游泳课。") == ((10, 120, 200, 134),)


@pytest.mark.parametrize("quote", ["", "   ", "The gulls were loud today"])
def test_quote_that_is_not_in_the_picture_has_no_place(quote: str) -> None:
    assert kept().boxes_of(quote) == ()


async def test_frame_is_the_picture_of_its_message(world: World) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(file, "PNG")
    added = await world.memory.add(image=file.getvalue())
    frame = await world.memory.frame(added.message_ids[0])
    assert (frame.width, frame.height) == (64, 48)
    assert Image.open(io.BytesIO(frame.webp)).size == (64, 48)


async def test_message_without_a_picture_has_no_frame(world: World) -> None:
    said = await world.say("The pool opens at six.")
    with pytest.raises(NotFoundError, match="no picture"):
        await world.memory.frame(said)
