"""What is embedded of a message: never the names of those who speak, always its two neighbours beside it."""

from __future__ import annotations

from mirix.memory.windows import Turn, texts_to_embed

RUN = [
    Turn(speaker="Anna", text="Bjarne, the kiln cracked."),
    Turn(speaker="Bjarne", text="Oh no, Anna! Which glaze?"),
    Turn(speaker="Anna", text="青瓷。"),
]


def test_each_text_stands_alone_and_between_its_neighbours() -> None:
    first, middle, last = texts_to_embed(RUN)
    assert (first.alone, middle.alone, last.alone) == ("the kiln cracked.", "Oh no! Which glaze?", "青瓷。")
    assert first.window == "the kiln cracked.\nOh no! Which glaze?"
    assert middle.window == "the kiln cracked.\nOh no! Which glaze?\n青瓷。"
    assert last.window == "Oh no! Which glaze?\n青瓷。"


def test_names_of_others_who_speak_near_are_cut_as_well() -> None:
    [only] = texts_to_embed([Turn(speaker="Anna", text="Chiara, look at this.")], others=["Chiara"])
    assert only.alone == only.window == "look at this."


def test_no_turns_give_no_texts() -> None:
    assert texts_to_embed([]) == []
