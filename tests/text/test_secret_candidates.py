"""What a looser look takes for a possible secret: odd tokens, else what "is", a colon or 是 points at."""

from __future__ import annotations

import time

import pytest

from mirix.text.secret_candidates import describe, find_candidates

FOUND = [
    ("Say Puffin.Ledge.41 to Oda at the boat house.", ["Puffin.Ledge.41"]),
    ("To Oda say Puffin.Ledge.41, to Nils Skua.Rope.77!", ["Puffin.Ledge.41", "Skua.Rope.77"]),
    ("The magic word is swordfish.", ["swordfish"]),
    ('For Oda it is "open sesame"', ["open sesame"]),
    ("进船屋要对小渔说 Haiou.Zhou.41 才行。", ["Haiou.Zhou.41"]),
    ("船屋的口头禅是“一路顺风”", ["一路顺风"]),
    ("Puffin.Ledge.41 twice: Puffin.Ledge.41", ["Puffin.Ledge.41"]),
    ("Say \uff30uffin.Ledge.41 to Oda.", ["\uff30uffin.Ledge.41"]),
    ("Oda is waiting with us at the harbour until the late ferry has come in", []),
    ("We meet at 5pm on 2026-05-04, see https://boats.example/a1.", []),
    ("The word {{vault:k7q2xx}} is {{vault:b8r3zz}}.", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "values"), FOUND)
def test_what_could_be_a_secret(text: str, values: list[str]) -> None:
    assert find_candidates(text) == values
    assert all(value in text for value in values)


@pytest.mark.parametrize(
    ("text", "value", "caption"),
    [
        ("The magic word is swordfish.", "swordfish", "secret (magic word)"),
        ("进船屋要对小渔说 Haiou.Zhou.41 才行。", "Haiou.Zhou.41", "秘密 （进船屋要对小渔说）"),
        ("swordfish, said swordfish", "swordfish", "secret"),
        ("Behind {{vault:k7q2xx}} it is swordfish", "swordfish", "secret (Behind)"),
    ],
)
def test_a_caption_tells_what_stands_before_and_never_the_value(text: str, value: str, caption: str) -> None:
    found, terms = describe(text, value)
    assert found == caption
    assert {"secret", "秘密"} <= set(terms)


def test_no_caption_tells_another_value() -> None:
    assert "swordfish" in describe("The word swordfish goes before heron", "heron")[0]
    assert "swordfish" not in describe("The word swordfish goes before heron", "heron", others=["swordfish"])[0]


@pytest.mark.parametrize("text", ["is a " * 40_000, "是" * 100_000, "x1" * 100_000, "Ab.1 " * 40_000])
def test_it_is_fast_on_anything(text: str) -> None:
    begin = time.monotonic()
    find_candidates(text)
    assert time.monotonic() - begin < 5
