"""The tags of our own prompts, and how text that is put between them is kept from closing or opening one. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

_TAGS = (
    "now|evidence|messages?|memories|memory|core_memory|block|context|item|question|final|topics?|conversation|turn|system"
    "|assistant|user"
)
_OWN_TAG = re.compile(rf"<(?=\s*/?\s*(?:{_TAGS})\b)", re.IGNORECASE)


def neutralise(text: str) -> str:
    """The text with the `<` of anything like one of our tags turned into `‹`: it is data, and stays readable."""
    return _OWN_TAG.sub("‹", text)


def attributes(values: Mapping[str, str | None]) -> str:
    """`name="value"` pairs, escaped and on one line; what is None or empty is left out."""
    return " ".join(f'{name}="{html.escape(" ".join(value.split()))}"' for name, value in values.items() if value)
