"""What could be a secret where `find_secrets` saw none: for a person to choose from, never to be cut unasked. Pure.

Odd tokens first ("Puffin.Ledge.41"). Only without any: what "is", a colon or "是" points at ("the word is swordfish",
"暗号是天王盖地虎"), numbers of four digits and more among it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mirix.text.folding import fold
from mirix.text.secret_captions import betrays, caption_for, default_caption, is_chinese, terms_for, value_parts
from mirix.text.secret_kinds import SecretKind
from mirix.text.secret_values import is_ordinary, is_placeholder, looks_secret

# What the user seals by hand and gives no name to.
BY_HAND = SecretKind(entry_type="other", english="secret", chinese="秘密", terms=("secret", "秘密", "保密"))
_TOKEN = re.compile(r"[!-~\u00a1-\u024f]+")
_EDGES = ".,;:!?'\"()[]{}<>`"
_END = r"(?=[,.;!?，。；！？\n]|\s*$)"
_WORD = r"[^\s\"”,.;:!?，。；：！？]"
_ENGLISH = re.compile(
    r"(?:\b(?:is|was|are|reads|says)\b|['’]s\b|[:=]|->)\s*+(?:(?:now|still|just|simply|called)\s)?"
    rf"[\"“'`]?(?P<value>[\w@#*+-]{_WORD}{{1,60}}(?: {_WORD}{{1,30}}){{0,3}})[\"”'`]?{_END}"
)
_CHINESE = re.compile(
    rf"(?:就是|是|为|叫做?|:)\s*+[“「『\"]?(?P<value>[^\s,.;:!?，。；：！？“”「」『』\"]{{2,30}})[”」』\"]?{_END}"
)
_REFERENCE = re.compile(r"\{\{vault:\w{4,8}\}\}")


def find_candidates(text: str) -> list[str]:
    """Values of `text` that could be secrets, in order, each once."""
    folded = fold(_blank(text))
    spans = list(_odd_tokens(folded.text)) or sorted({*_pointed_at(folded.text)})
    values = []
    for start, end in spans:
        first, last = folded.original_span(start, end)
        values.append(text[first:last])
    return list(dict.fromkeys(values))


def _blank(text: str) -> str:
    """The text without what is sealed already, in the same places."""
    return _REFERENCE.sub(lambda found: " " * len(found.group()), text)


def _odd_tokens(text: str) -> Iterator[tuple[int, int]]:
    for found in _TOKEN.finditer(text):
        bare = found.group().strip(_EDGES)
        start = found.start() + found.group().find(bare)
        if looks_secret(bare):
            yield start, start + len(bare)


def _pointed_at(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_ENGLISH, _CHINESE):
        for found in pattern.finditer(text):
            value = found["value"]
            if is_chinese(value) is (pattern is _CHINESE) and not is_ordinary(value) and not is_placeholder(value):
                yield found.span("value")
    for digits in re.finditer(r"(?<![\w.,:/-])\d{4,12}(?![\w/-]|[.,:]\d)", text):
        if not re.fullmatch(r"(?:19|20)\d\d", digits.group()):
            yield digits.span()


def describe(text: str, value: str, *, others: Sequence[str] = ()) -> tuple[str, tuple[str, ...]]:
    """A caption for a value of `text` that the user seals, and further words to find it by; neither tells it or another
    value (`others`)."""
    folded, wanted = fold(_blank(text)).text, fold(value).text
    start = max(folded.find(wanted), 0)
    # The words before it are no label: behind a mark they are told in brackets.
    caption = caption_for(f"{folded[:start]}:{folded[start:]}", BY_HAND, start + 1, start + 1)
    if betrays(caption, value_parts([wanted, *others])):
        caption = default_caption(BY_HAND, chinese=is_chinese(folded))
    return caption, terms_for(caption, BY_HAND)
