"""Vault entries that take the place of older ones: a new password of the same thing, a new address.

Careful like all superseding: the entries must be of one type and their captions about one thing, or a message that
hands over a secret of the same sort must say that the old one is gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mirix.models.builtin.language import VAULT_REFERENCE, content_terms, plain
from mirix.models.builtin.prompt import Memory, Message

_GENERIC_TEXT = """
    password passcode pass code pin new old home number key secret login reset chang updat current internet
    密码 口令 号码 新的 旧的 新家 现在
"""
_GENERIC = frozenset(_GENERIC_TEXT.split())
_SAME_THINGS = (
    r"wi-?fi|wlan|network|internet|router|无线|网络|宽带|路由",
    r"\bdoor|门锁|大门|门禁",
    r"\baddress\b|地址|住址",
)
_REPLACES = re.compile(
    r"(?i)\b(?:new|changed?|replaced?|reset|updated?|instead|no longer|now|as of|old one)\b|"
    r"新|换|改|不用了|作废|旧的|以前的|失效"
)
_ENOUGH_SHARED = 0.6


def replaced_entry(
    caption: str, entry_type: str, message: Message, memories: Sequence[Memory], *, but: frozenset[str]
) -> Memory | None:
    """The one older entry that a value handed over in `message` replaces; None when there is none or more than one.

    `but`: handles of entries that belong to the message itself.
    """
    text = plain(message.text)
    if _REPLACES.search(f"{caption} {text}") is None:
        return None
    older = [
        memory
        for memory in memories
        if memory.kind == "vault"
        and memory.handle not in but
        and memory.entry_type in {entry_type, ""}
        and _about_one_thing(caption, memory.name or memory.text, text)
    ]
    return older[0] if len(older) == 1 else None


def references_of(text: str) -> list[str]:
    """The vault references of a text, each once."""
    return list(dict.fromkeys(VAULT_REFERENCE.findall(text)))


def _about_one_thing(new: str, old: str, text: str) -> bool:
    mine, theirs = _subject_of(new), _subject_of(old)
    if mine and theirs and len(mine & theirs) / min(len(mine), len(theirs)) >= _ENOUGH_SHARED:
        return True
    return any(re.search(thing, f"{new} {text}", re.I) and re.search(thing, old, re.I) for thing in _SAME_THINGS)


def _subject_of(caption: str) -> set[str]:
    return set(content_terms(VAULT_REFERENCE.sub(" ", caption))) - _GENERIC
