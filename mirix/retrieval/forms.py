"""How a thing is told that a question asks for. Pure; English and Chinese.

Who asks "where" wants a place, "how many" a number, "who" a person: of two turns that share as many words with the
question the one that holds such a thing more often answers it. And what is asked of people they mostly told of
themselves, in the first person: "That sounds great!" holds no answer. These are small weights of ranking (fusion.py).

Every candidate of a search is read here, so a text is cut into words once and looked up in sets: one expression for
each form takes five times as long.
"""

from __future__ import annotations

import re
import string
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum


class Form(Enum):
    """A thing that is asked for: the question's words for it."""

    PERSON = re.compile(r"\b(?:who|whom|whose)\b|谁", re.IGNORECASE)
    PLACE = re.compile(
        r"\b(?:where|(?:what|which) (?:city|country|place|town|state|street))\b|哪里|哪儿|什么地方|何处", re.IGNORECASE
    )
    NUMBER = re.compile(
        r"\bhow (?:many|much|old|long|often|far|big|tall|large)\b|几(?!乎)|多[少大久长高远重]", re.IGNORECASE
    )
    NAME = re.compile(r"\b(?:what|which)\b|什么|哪", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SELF = _words("i i'm i've i'd i'll im ive my mine myself me we we're we've our ours us")
_NUMBERS = _words("""
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen twenty thirty forty fifty
    sixty seventy eighty ninety hundred thousand once twice dozen couple several few many
""")
_PEOPLE = _words("""
    mom mum mother dad father parent parents sister sisters brother brothers wife husband partner girlfriend boyfriend
    friend friends son sons daughter daughters kid kids cousin cousins aunt uncle niece nephew grandma grandpa
    grandmother grandfather grandparents family colleague colleagues coworker coworkers neighbor neighbors neighbour
    neighbours teammate teammates boss coach mentor teacher doctor
""")
_PLACES = _words("""
    park beach city country town village street home restaurant cafe café museum store shop school library lake river
    mountain mountains forest gym studio church hospital office house place
""")
_FORMS = {Form.PERSON: _PEOPLE, Form.PLACE: _PLACES, Form.NUMBER: _NUMBERS, Form.NAME: frozenset[str]()}
_HAN_SELF = re.compile("[我咱俺]")
_HAN_FORMS = {
    Form.PERSON: re.compile(
        "[妈爸爹娘爷奶哥姐弟妹叔姨舅姑婆叫姓]|朋友|同事|同学|老师|师傅|医生|邻居|老板|教练|儿子|女儿|[妻丈]|老公"
    ),
    Form.PLACE: re.compile("[在去到住路街区市县省村镇馆店楼]|来自|公园|学校|医院|车站|公司"),
    Form.NUMBER: re.compile(
        "[一二两三四五六七八九十百千万半]{2,}|[一二两三四五六七八九十几半][个只条张本次天年月日号点斤米块元岁位家杯层架]"
    ),
    Form.NAME: re.compile("[“”「」《》]|(?<=[\u4e00-\u9fff])[A-Za-z0-9]+"),
}
_DIGIT = re.compile(r"\d")
_CAPITAL = re.compile(r" ([A-Z][a-z]+)")  # a name, inside a sentence
_ACRONYM = re.compile(r"[A-Z]{2}")
_BLANKED = str.maketrans({sign: " " for sign in string.punctuation + "…—–“”" if sign != "'"} | {"’": "'"})


def forms_asked(question: str) -> frozenset[Form]:
    """What a question asks for; empty: nothing that has a form of its own."""
    return frozenset(form for form in Form if form.value.search(question))


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How a text is told."""

    text: str
    _words: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words", frozenset(self.text.lower().translate(_BLANKED).split()))

    @property
    def is_first_person(self) -> bool:
        """Whether somebody tells of themselves, alone or with others."""
        return not _SELF.isdisjoint(self._words) or (not self.text.isascii() and bool(_HAN_SELF.search(self.text)))

    def has_form(self, forms: Collection[Form], people: Collection[str] = ()) -> bool:
        """Whether something of one of the forms is told. The names of `people` who speak there are none."""
        wants_name = False
        for form in forms:
            if self._holds(form):
                return True
            wants_name = wants_name or form is not Form.NUMBER
        return wants_name and self._names_something(people)

    def _holds(self, form: Form) -> bool:
        if not self._words.isdisjoint(_FORMS[form]):
            return True
        if form is Form.NUMBER and _DIGIT.search(self.text):
            return True
        return not self.text.isascii() and _HAN_FORMS[form].search(self.text) is not None

    def _names_something(self, people: Collection[str]) -> bool:
        if '"' in self.text or _ACRONYM.search(self.text):
            return True
        for found in _CAPITAL.finditer(self.text):
            before = self.text[found.start() - 1 : found.start()]
            if (before.islower() or before in {",", ";"}) and found[1] not in people:
                return True
        return False
