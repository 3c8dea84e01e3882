"""Exact values that a text holds in the open: telephone numbers, links, addresses, booking numbers.

Secrets were cut before the model sees the text and stand as references; what is found here may be shown but has to
be kept to the letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mirix.models.builtin.language import BRACKET, content_terms, plain, split_clauses, split_sentences
from mirix.models.builtin.signals import has
from mirix.text.secrets import find_exact_values

_REFERENCES = re.compile(r"\{\{vault:[^}]*\}\}")
_LINKING = re.compile(
    r"(?i)\b(?:please|just|note|remember|is|are|at|on|under|here|for me|keep|save|note down|you can)\b"
    r"|[是为](?=\s|$)|记一下|记着|帮我|请"
)
_CODE_WORD = re.compile(
    r"(?i)\b(?:new|the|door|gate|my|our|entry|access|locker|fridge|safe|alarm) (?:code|combination|pin)\b"
)
_CODE = re.compile(
    r"(?<![\w.,:/$€£¥-])(?<!\d )(?!(?:19|20)\d\d(?!\w))(?!\d{4}-\d\d)"
    r"(?:\d{4,12}|\d{1,3}(?:-\d{1,3}){2,5}|(?=[A-Z]*\d)[A-Z\d]{5,14}|[A-Z]{1,4}[-/]\d[\dA-Z/-]{3,14})"
    r"(?![\w%]|[-/.:, ]\d| ?(?:km|kg|m|g|ml|pounds|euros|dollars|quid|miles|years|people|words|steps|rpm)\b|"
    r" ?[年月日号点元块万人个字米里克])",
)
_MARKS = " ,.;:,。;:-–—()()\"'"


@dataclass(frozen=True, kw_only=True)
class ExactValue:
    """One value to keep verbatim."""

    entry_type: str  # contact_info, bookmark, account, other
    caption: str  # what it is, without the value
    value: str
    sensitivity: str  # low or medium


def exact_values(text: str) -> list[ExactValue]:
    """The exact values of a text, in order, each once. Sentences that joke have none."""
    bare = plain(text) if BRACKET.search(text) else text
    if has("joke_value", bare):
        bare = " ".join(sentence for sentence in split_sentences(bare) if not has("joke_value", sentence))
    found = {
        span.value: ExactValue(
            entry_type=span.entry_type,
            caption=_caption(bare, span.value, span.caption),
            value=span.value,
            sensitivity=span.sensitivity.value,
        )
        for span in find_exact_values(bare)
    }
    return list(found.values())


def names_code(text: str) -> bool:
    """Whether a text speaks of a code to get in with, in whatever words."""
    return _CODE_WORD.search(text) is not None


def unnamed_codes(text: str) -> list[ExactValue]:
    """What looks like a code in the sentences of a text that is known to hold one, though no form of it tells what it
    is: a run of digits or of letters and digits that is no date, time, amount or year.
    """
    bare = BRACKET.sub(" ", text)
    if has("code", bare):
        return []
    found = {}
    for match in _CODE.finditer(bare):
        sentence = next((each for each in split_sentences(bare) if match.group() in each), bare)
        is_secret = has("secret_word", sentence) or names_code(sentence)
        caption = _told(sentence, match.group())[:80]
        if caption:
            found[match.group()] = ExactValue(
                entry_type="credential" if is_secret else "other",
                caption=caption,
                value=match.group(),
                sensitivity="high" if is_secret else "medium",
            )
    return list(found.values()) if len(found) == 1 else []


def _caption(text: str, value: str, usual: str) -> str:
    """What a value is, in the words of its sentence; with the usual name of its sort where they do not tell it."""
    sentence = next((sentence for sentence in split_sentences(text) if value in sentence), "")
    clause = next((clause for clause in split_clauses(sentence) if value in clause), sentence)
    told = _told(clause, value)
    if len(content_terms(told)) < 2:
        told = _told(sentence, value)
    if not content_terms(told) or find_exact_values(told) or (usual and _OWN_DOING.match(told)):
        return usual
    names_sort = bool(set(content_terms(usual)) & set(content_terms(told))) or not usual
    return told[:80] if names_sort else f"{told[:60]} ({usual})"


_OWN_DOING = re.compile(
    r"(?:I|We)(?:'m|'ve|'re)?(?: \w+){1,3}\Z|[我咱](?:们)?\w{0,4}\Z"
)  # "I live", 我住: tells no sort


def _told(text: str, value: str) -> str:
    """The words before a value, or those behind it where none stand before."""
    before, _, behind = text.partition(value)
    for part in (before, behind):
        words = _LINKING.sub(" ", _REFERENCES.sub(" ", part))
        words = re.sub(r"\s+", " ", words).strip(_MARKS)
        if content_terms(words):
            return words
    return ""
