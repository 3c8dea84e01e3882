"""The tags of our own prompts, and how text that is put between them is kept from closing or opening one,
and how blocks that were made of memory are taken out of a text that comes back. Pure.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

_TAGS = (
    "now|evidence|messages?|memories|memory|core_memory|block|context|item|question|final|topics?|conversation|turn|system"
    "|assistant|user"
)
# As rendered, and no looser: tags within are neutralised there, and the further lines of an item are set in.
_SET_IN = r"(?:[ \t].*)?\n"
_ATTRIBUTES = r"(?: [a-z_]+=\"[^\"\n]*\")*"
_BLOCK = re.compile(
    rf"<context>\n(?:\[\d+\] .*\n(?:{_SET_IN})*)*</context>[ \t]*\n?"
    rf"|<core_memory>\n(?:<block{_ATTRIBUTES}>\n(?:- .*\n|{_SET_IN})*</block>\n)*</core_memory>[ \t]*\n?"
    rf"|<memories>\n(?:<memory{_ATTRIBUTES}>(?:[^<]|<(?!/?memor))*</memory>\n)+</memories>[ \t]*\n?"
)
_OWN_TAG = re.compile(rf"<(?=\s*/?\s*(?:{_TAGS})\b)", re.IGNORECASE)


def neutralise(text: str) -> str:
    """The text with the `<` of anything like one of our tags turned into `‹`: it is data, and stays readable."""
    return _OWN_TAG.sub("‹", text)


def without_blocks(text: str) -> str:
    """The text without the blocks that a model is shown of memory; text that only looks like them stays."""
    return _BLOCK.sub("", text)


def one_line(value: str) -> str:
    """A value as it stands in front of a text, by itself: on one line, escaped, and without a colon that ends it."""
    return html.escape(" ".join(value.replace(":", " ").replace("：", " ").split()))


def attributes(values: Mapping[str, str | None]) -> str:
    """`name="value"` pairs, escaped and on one line; what is None or empty is left out."""
    return " ".join(f'{name}="{html.escape(" ".join(value.split()))}"' for name, value in values.items() if value)
