"""Exact values that a text holds in the open: telephone numbers, links, addresses, booking numbers, each with a caption.

Secrets were cut before the model sees the text and stand as references; what is found here may be shown but has to be kept to the letter.
"""

from __future__ import annotations

from dataclasses import dataclass

from mirix.models.builtin.language import BRACKET, plain
from mirix.models.builtin.signals import has
from mirix.text.secrets import find_exact_values


@dataclass(frozen=True, kw_only=True)
class ExactValue:
    """One value to keep verbatim."""

    entry_type: str  # contact_info, bookmark, account, other
    caption: str  # what it is, without the value
    value: str
    sensitivity: str  # low or medium


def exact_values(text: str) -> list[ExactValue]:
    """The exact values of a text, in order, each once. Jokes have none."""
    bare = plain(text) if BRACKET.search(text) else text
    if has("joke_value", bare):
        return []
    found = {
        span.value: ExactValue(
            entry_type=span.entry_type, caption=span.caption, value=span.value, sensitivity=span.sensitivity.value
        )
        for span in find_exact_values(bare)
    }
    return list(found.values())
