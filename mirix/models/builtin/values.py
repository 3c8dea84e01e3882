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


def _caption(text: str, value: str, usual: str) -> str:
    """What a value is, in the words of its sentence; with the usual name of its sort where they do not tell it."""
    sentence = next((sentence for sentence in split_sentences(text) if value in sentence), "")
    clause = next((clause for clause in split_clauses(sentence) if value in clause), sentence)
    told = _told(clause, value)
    if len(content_terms(told)) < 2:
        told = _told(sentence, value)
    if not content_terms(told) or find_exact_values(told):
        return usual
    names_sort = bool(set(content_terms(usual)) & set(content_terms(told))) or not usual
    return told[:80] if names_sort else f"{told[:60]} ({usual})"


def _told(text: str, value: str) -> str:
    """The words before a value, or those behind it where none stand before."""
    before, _, behind = text.partition(value)
    for part in (before, behind):
        words = _LINKING.sub(" ", _REFERENCES.sub(" ", part))
        words = re.sub(r"\s+", " ", words).strip(_MARKS)
        if content_terms(words):
            return words
    return ""
