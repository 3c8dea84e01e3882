from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirix.text.names import cut_names, names_in

CUT = [
    ("What did Nora paint?", ["Nora"], "What did paint?"),
    ("Hey Nora! Good to see you", ["Nora"], "Hey! Good to see you"),
    ("Wow, Nora, that is great", ["Nora", "Ben"], "Wow, that is great"),
    ("Nora's kiln broke", ["Nora Lind"], "kiln broke"),
    ("Nora Lind and ben went out", ["Nora Lind", "Ben"], "and went out"),
    ("what does nora like", ["Nora"], "what does like"),
    ("林小满昨天去了哪里?", ["林小满"], "昨天去了哪里?"),
    ("小满的猫叫什么?", ["林小满"], "猫叫什么?"),
    ("你好,王芳!周末见", ["王芳"], "你好!周末见"),
    ("Did 林小满 call Nora?", ["林小满", "Nora"], "Did call?"),
]


@pytest.mark.parametrize(("text", "names", "rest"), CUT)
def test_names_are_cut_whole_and_in_part(text: str, names: list[str], rest: str) -> None:
    assert cut_names(text, names) == rest


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Norah paints, and so does eleanora", ["Nora"]),  # other words
        ("write to nora@post.example", ["Nora"]),
        ("Dr Berg called support about the post", ["Dr Nora", "Support Team", "nora@post.example"]),
        ("My assistant at work helps the user", ["Assistant", "user"]),  # roles are no names
        ("Will you come? I will.", ["Will"]),  # a name that is a word
        ("助手说我今天很忙", ["助手", "我"]),
        ("天气很好", ["天"]),  # one character is no name to look for
        ("Nora?", ["Nora"]),  # nothing would be left
        ("小满", ["林小满"]),
    ],
)
def test_what_is_no_name_stays(text: str, names: list[str]) -> None:
    assert cut_names(text, names) == text


def test_a_name_that_is_a_word_is_cut_where_it_is_written_as_a_name() -> None:
    assert cut_names("I saw Will today, he will call", ["Will"]) == "I saw today, he will call"


def test_names_in_tells_which_names_a_text_holds() -> None:
    names = ["Nora Lind", "Ben", "林小满", "Assistant"]
    assert names_in("What did Nora tell the assistant?", names) == ("Nora Lind",)
    assert names_in("小满和Ben去了哪里", names) == ("Ben", "林小满")
    assert names_in("What is new?", names) == ()


@given(st.text(max_size=80), st.lists(st.text(min_size=1, max_size=8), max_size=4))
def test_cutting_adds_nothing_and_leaves_something(text: str, names: list[str]) -> None:
    once = cut_names(text, names)
    assert len(once) <= len(text)
    assert bool(once) == bool(text)
