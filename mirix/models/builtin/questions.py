"""What a question asks: its kind, its content words and the words that would answer it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mirix.models.builtin.fields import names_in
from mirix.models.builtin.language import content_terms, is_chinese, plain, stem
from mirix.models.builtin.question_words import (
    ARITHMETIC,
    CURRENT,
    FAMILIES,
    FAMILIES_ZH,
    FORMER,
    KIN_WORDS,
    KINDS,
)

_TIME_TERMS = frozenset({"day", "date", "time", "month", "year", "week", "weekday", "exact", "周几"})
_SORT_TERMS = frozenset(
    map(stem, ["phone", "telephone", "mobile", "number", "email", "e-mail", "mail", "link", "url", "website"])
) | {
    "电话",
    "手机",
    "机号",
    "号码",
    "邮箱",
    "话号",
    "网址",
    "链接",
}
_NOWADAYS = re.compile(r"(?i)\b(?:these days|nowadays|at the moment|right now)\b")
_SECOND_HALF = re.compile(
    r"(?i),? and (?=(?:which|who|what|when|where|why|how|in which|on which)\b)|[,,](?=(?:现在|又|"
    r"还|而且)?(?:因为|为)?(?:什么|谁|哪|怎|几|在哪|多少))"
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question taken apart."""

    text: str
    chinese: bool
    kind: str  # secret, exact, duration, when, where, how_to, count, who, name, why, yes_no, what
    terms: tuple[str, ...]  # content stems or bigrams, each once, names of the user left out
    focus: frozenset[str]  # terms behind a question word ("哪天进场的", "which seat"): what is asked of the subject
    attribute: str  # what a Chinese "what" asks of its subject ("学什么专业": 专业); "" when the form does not tell
    predicate: str  # the last of these terms: the Chinese verb or its object; "" when there is none
    speakers: frozenset[str]  # those of the speakers whom it names
    kin: frozenset[str]  # relatives it names, each by one word
    names: tuple[str, ...]  # names that must occur, the user's own left out
    owner: str  # whose thing is asked for, where only the form tells ("江远的电话"); "" when none
    families: tuple[tuple[frozenset[str], frozenset[str]], ...]  # (asked with, told with) for the words it touches
    is_past: bool  # asks what has happened: 是哪天…的, "when did"
    wants_current: bool
    wants_former: bool
    asks_each: bool  # asks the same of several
    is_arithmetic: bool  # asks for a sum, a difference or a multiple, which no sentence holds


def read_question(text: str, user_names: set[str]) -> Question:
    """Take a question apart. `user_names` are what the people who speak are called: "Anna's cat" is "my cat" there."""
    bare = plain(text).strip()
    chinese = is_chinese(bare)
    stripped = bare
    for name in sorted(user_names, key=len, reverse=True):
        stripped = re.sub(
            rf"{re.escape(name)}(?:['’]s)?" if chinese else rf"\b{re.escape(name)}\b(?:['’]s)?", " ", stripped
        )
    stripped = _NOWADAYS.sub(" ", stripped)
    kind = next((name for name, pattern in KINDS if re.search(pattern, bare, re.IGNORECASE)), "what")
    terms = tuple(
        term
        for term in dict.fromkeys(content_terms(stripped, question=True))
        if kind != "when" or term not in _TIME_TERMS
    )
    if kind == "exact":
        # "phone number" is told by the form of the value; whose it is, by the other words.
        terms = tuple(term for term in terms if term not in _SORT_TERMS) or terms
    names = tuple(name for name in names_in(stripped) if name not in user_names)
    owner = re.match(r"\s*(?![^的]*[谁哪几么多修买卖学教做开养写读念画唱])([\u4e00-\u9fff]{2,4})的", stripped)
    return Question(
        text=bare,
        chinese=chinese,
        kind=kind,
        terms=terms,
        focus=_focus(stripped, chinese),
        attribute=_attribute(stripped, kind, chinese),
        predicate=_predicate(stripped, chinese),
        speakers=frozenset(name for name in user_names if name in bare),
        kin=kin_in(stripped),
        names=names,
        owner=owner.group(1) if owner and owner.group(1) not in user_names else _rest_as_owner(stripped, kind, chinese),
        families=_families(stripped, chinese),
        is_past=re.search(r"(?i)\b(?:did|was|were)\b|是哪.{0,20}的[??]?$|是什么时候.{0,20}的[??]?$", bare) is not None,
        wants_current=CURRENT.search(bare) is not None,
        wants_former=FORMER.search(bare) is not None,
        asks_each=re.search(r"(?i)\bboth\b|\beach\b|\ball (?:the|of)\b|各|分别|都有(?:谁|哪|什么)|哪些", bare)
        is not None,
        is_arithmetic=ARITHMETIC.search(bare) is not None,
    )


def kin_in(text: str) -> frozenset[str]:
    """The relatives that a text names."""
    return frozenset(word for word, pattern in KIN_WORDS if re.search(pattern, text, re.IGNORECASE))


def halves_of(text: str) -> list[str]:
    """The questions a question asks: two when it joins two, each with the subject both are about."""
    halves = [half.strip() for half in _SECOND_HALF.split(plain(text).strip()) if half.strip()]
    if len(halves) != 2:
        return [text]
    # The second half names its subject by a pronoun or not at all: it borrows the words of the first.
    subject = " ".join(names_in(halves[0])) if not is_chinese(text) else re.split(r"[的是在给叫送]", halves[0])[0]
    return [halves[0], f"{subject} {halves[1]}" if subject and subject not in halves[1] else halves[1]]


def _focus(text: str, chinese: bool) -> frozenset[str]:
    if not chinese:
        asked = re.search(r"(?i)\b(?:which|what) ([a-z]+)", text)
        return frozenset(content_terms(asked[1], question=True)) if asked else frozenset()
    asked = re.search(r"什么时候|哪一?天|哪里|哪儿|何时|几号|几点", text)
    return frozenset(content_terms(text[asked.end() :], question=True)) if asked else frozenset()


def _predicate(text: str, chinese: bool) -> str:
    asked = re.search(r"什么时候|哪一?天|何时|几号|几点", text) if chinese else None
    behind = content_terms(text[asked.end() :], question=True) if asked else []
    return behind[-1] if behind else ""


def _attribute(text: str, kind: str, chinese: bool) -> str:
    if not chinese or kind not in {"what", "where"}:
        return ""
    born = re.search(r"哪[里儿]?人", text)
    if born is not None:
        return "哪里人"
    asked = re.search(
        r"(?:什么|哪(?:个|种|所|家|门|本|座)|几号)(?P<behind>[\u4e00-\u9fff]{2})[??]?$|"
        r"(?P<before>[\u4e00-\u9fff]{2})(?:的)?是(?:什么|哪[个种])[??]?$",
        text.strip(),
    )
    return (asked["behind"] or asked["before"]) if asked is not None else ""


def _rest_as_owner(text: str, kind: str, chinese: bool) -> str:
    """Chinese names have no form of their own: what is left of a short question on home, work or age beside its own
    words is whom it is about.
    """
    if not chinese or kind not in {"home", "employer", "job", "age"}:
        return ""
    left = re.sub(
        (
            r"住在?|家在|哪里|哪儿|哪|什么|地方|工作|职业|上班|单位|做|干|多大|几岁|年纪|岁数|年龄|今年|"
            r"现在|目前|以前|是|在|的|了|吗|呢|年|[??,,。\s]"
        ),
        " ",
        text,
    ).split()
    return left[0] if left and len(left[0]) >= 2 else ""


def _families(text: str, chinese: bool) -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """The families whose question words occur, as (question words, answer words); stems in English."""
    split = [
        tuple(frozenset(side.split()) for side in family.split(" : "))
        for family in (FAMILIES_ZH if chinese else FAMILIES)
    ]
    if chinese:
        return tuple((asked, told) for asked, told in split if any(word in text for word in asked))
    stems = {stem(word) for word in re.findall(r"[A-Za-z]+", text)}
    stemmed = [(frozenset(map(stem, asked)), frozenset(map(stem, told))) for asked, told in split]
    return tuple((asked, told) for asked, told in stemmed if asked & stems)
