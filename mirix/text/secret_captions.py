"""Words for what a sealed value is, from the text around its label: "wifi password for the cabin", "公司邮箱的密码".

They make the value findable without showing any of it. Texts are folded (`folding`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from mirix.text.secret_kinds import TOPICS, SecretKind

_LONGEST = 60
_HAN = re.compile(r"[\u3400-\u9fff]")
_WORDS_BEFORE = re.compile(r"(?<![A-Za-z0-9])(?:\d?[A-Za-z][A-Za-z'’&-]{0,20} ){0,4}\Z")
_STOP_LIST = """
    the my our your his her their its a an is was are were and or but so new old current that this here here's
    there's to of for with what what's whats i we you he she it they has have had change changed set reset use using
    as if when remember note save keep please store update updated still now not really be been says said give get
    got forgot tell me us s re please's let's also just from in on at by login log sign user username enter type hi
    hey hello fyi ps btw yes no ok okay one same right correct only actually second first last next previous did
    does do can could would will
"""
_STOP = frozenset(_STOP_LIST.split())
_AFTER = re.compile(
    r"(?: (?:for|of|on|to|at|in|from) (?:the |my |our |your |his |her "
    r"|their )?[A-Za-z][\w'’-]{0,20}(?: [A-Za-z][A-Za-z'’-]{0,20}){0,2}?)(?= (?:is|was|are|has|changed)\b|\s*[:=])"
)
_HAN_BEFORE = re.compile(r"[\u3400-\u9fffA-Za-z-]{1,14}\Z|[A-Za-z]{2,12} [\u3400-\u9fff]{0,8}\Z")
_HAN_LEAD = re.compile(
    r"^.*(?:把|将|我们|咱们|咱家|我家|我|你|您|他们|她们|他|她|了|记一下|记住|记下|记得|记|帮|请|这个|那个|这|那"
    r"|新的|旧的|新|旧|老|和|还有|跟|对了|另外|一下|告诉|是|存|以后|以前|现在|当作?|作为)"
)


def caption_for(text: str, kind: SecretKind, start: int, end: int) -> str:
    """A caption from the label `text[start:end]` (may be empty) and what stands around it.

    A bare label ("password") is joined by the words before it: "password (guest network Fjordnet)".
    """
    label = " ".join(text[start:end].split()) or default_caption(
        kind, chinese=is_chinese(text[max(0, start - 40) : end + 40])
    )
    if is_chinese(label):
        before = _HAN_BEFORE.search(text[max(0, start - 16) : start])
        lead = _HAN_LEAD.sub("", before.group()).lstrip("的 ") if before else ""
        return f"{lead}{label}"[-_LONGEST:] if lead else label + _context(text, start, " （", "）")
    before = _WORDS_BEFORE.search(text[max(0, start - 80) : start])
    words: list[str] = []
    for word in reversed(before.group().split() if before else []):
        if word.lower() in _STOP:
            break
        words.insert(0, word)
    after = _AFTER.match(text, end, end + 80)
    caption = (" ".join([*words, label]) + (after.group() if after else ""))[:_LONGEST].rstrip(" .#:")
    return caption if words or after else caption + _context(text, start, " (", ")")


def _context(text: str, start: int, opening: str, closing: str) -> str:
    """The last few telling words of the line, or of the line before, in brackets; empty if there are none."""
    window = text[max(0, start - 100) : start].rstrip()
    window = window.rsplit("\n", 1)[-1]
    words = [
        word
        for word in _CONTEXT_WORD.findall(window)
        if word.lower() not in _STOP and (len(word) >= 3 or (is_chinese(word) and len(word) >= 2))
    ][-5:]
    return f"{opening}{' '.join(words)[-_LONGEST:].strip()}{closing}" if words else ""


_CONTEXT_WORD = re.compile(r"(?<![\w@./\\-])[A-Za-z][A-Za-z'’-]{1,20}(?![\w@/\\]|\.\w)|[\u3400-\u9fff]{2,12}")


def default_caption(kind: SecretKind, *, chinese: bool) -> str:
    return kind.chinese if chinese else kind.english


def is_chinese(text: str) -> bool:
    return _HAN.search(text) is not None


def value_parts(values: Iterable[str]) -> frozenset[str]:
    """The words of all values, in small letters, that would tell something: four characters long, or with a digit."""
    parts = (part.lower() for value in values for part in _PARTS.findall(value))
    return frozenset(part for part in parts if len(part) >= 4 or any(c.isdigit() for c in part))


def betrays(caption: str, parts: frozenset[str]) -> bool:
    """Whether the caption holds one of `value_parts`."""
    return not parts.isdisjoint(part.lower() for part in _PARTS.findall(caption))


_PARTS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")


def terms_for(caption: str, kind: SecretKind) -> tuple[str, ...]:
    """The words of the kind and of the topics that the caption names, each once."""
    lowered = caption.lower()
    topics = [term for words, terms in TOPICS if any(word in lowered for word in words) for term in terms]
    return tuple(dict.fromkeys([*kind.terms, *topics]))
