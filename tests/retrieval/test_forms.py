from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirix.retrieval.forms import Form, Manner, forms_asked


@pytest.mark.parametrize(
    ("question", "told", "untold"),
    [
        ("Who went rowing with Marit?", "My cousin came along.", "The water was calm all day."),
        ("Where did they spend the summer?", "We rented a hut by the lake.", "It rained a lot, sadly."),
        ("Which town does Tor live in?", "i moved to a small town up north", "i moved again, third time"),
        ("How many harpsichords has he built?", "I finished the seventh, so seven now.", "I finished another."),
        ("What is the dog called?", "We named her Pim.", "We have a dog now."),
        ("谁教她划船?", "是我表姐带我去的", "水很平静"),
        ("他们夏天住在哪里?", "我们租了湖边的小院,在漠河", "下了好多雨"),
        ("他做了几架琴?", "现在有七架了,第八架是十二月的", "又做好了"),
        ("那本书叫什么?", "我读完了《长夜》", "我读完了"),
    ],
)
def test_what_has_the_form_that_is_asked_for_is_known(question: str, told: str, untold: str) -> None:
    forms = forms_asked(question)
    assert Manner(text=told).has_form(forms)
    assert not Manner(text=untold).has_form(forms)


def test_a_question_without_such_a_word_asks_for_no_form() -> None:
    assert forms_asked("Did it rain?") == frozenset()
    assert forms_asked("下雨了吗?") == frozenset()
    assert not Manner(text="Seven of us went to Bergen with my sister.").has_form(frozenset())
    assert Form.NUMBER not in forms_asked("她几乎忘了")


def test_the_names_of_those_who_speak_are_no_names_told() -> None:
    forms = forms_asked("What did she plant?")
    assert Manner(text="That is lovely, Anna!").has_form(forms)
    assert not Manner(text="That is lovely, Anna!").has_form(forms, {"Anna"})
    assert Manner(text="That is lovely, Anna! Is it a Rosa Mundi?").has_form(forms, {"Anna"})


@pytest.mark.parametrize("text", ["I moved", "so i'm off", "It is mine", "They told us", "我搬家了", "咱们走吧"])
def test_telling_of_oneself_is_known(text: str) -> None:
    assert Manner(text=text).is_first_person


@pytest.mark.parametrize("text", ["That sounds great!", "Is it far?", "Mexico is warm", "听起来不错", ""])
def test_what_is_not_of_oneself_is_known(text: str) -> None:
    assert not Manner(text=text).is_first_person


@given(st.text(), st.sets(st.sampled_from(Form)), st.sets(st.sampled_from(Form)))
def test_more_forms_never_take_one_away(text: str, some: set[Form], more: set[Form]) -> None:
    assert Manner(text=text).has_form(some | more) >= Manner(text=text).has_form(some)
