"""Text that came out of memory is no new evidence when it comes back.

A program often hands over a whole conversation, with what it was given to answer from and with the answers. Read as
news, a memory would then rest on itself, outlive its correction, and be believed for being said twice.

    search, recall, ask, chat ── what memory gave ──> Echoes ──┐
    add, chat, imports, folders ── Incoming (inputs.py) ───────┴──> Evidence.store

Two things are plainly memory's own:

- The blocks that a context is made of (`<core_memory>`, `<context>`, `<memories>`), whoever says them: inputs.py cuts
  them out, and what stands beside them stays.
- A turn of an assistant or a tool every line of which was given a moment ago. It is kept as a part of the conversation,
  as a reply of `chat` is, but is not embedded, not read and not found; it goes when what it repeats is forgotten.

What a user says is evidence, however often it was said. So is an answer in the assistant's own words. What was given is
known to this process alone, and only the last of it: elsewhere such a turn is evidence of what the assistant said.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from uuid import UUID

from mirix.ingest.inputs import Incoming, Recalled
from mirix.text.analyser import tokens
from mirix.text.secrets import find_references

KEPT_LINES = 50_000  # of all users, the newest
_FEW_WORDS = 4  # a turn of fewer is like another by chance ("Sounds good!"), unless it is an answer to the letter
_CITATION = re.compile(r"\s?[\[【]\s*\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*\s*[\]】]")
_LIST_MARK = re.compile(r"^(?:[-*•·–—]|\d{1,3}[.)、])\s*")


@dataclass(frozen=True, kw_only=True)
class Echoes:
    """What memory gave out last, in this process: digests of lines, and what they rest on."""

    kept_lines: int = KEPT_LINES
    _given: OrderedDict[bytes, tuple[UUID, ...]] = field(default_factory=OrderedDict, repr=False)

    def gave(self, user_id: int, text: str, ids: Sequence[UUID]) -> None:
        """Note a text that was given to a user, and the memories and messages it repeats; without those it is none."""
        if not ids:
            return
        for key in (_key(user_id, "whole", " ".join(text.split())), *_keys(user_id, _lines(text))):
            self._given[key] = tuple(ids)
            self._given.move_to_end(key)
        while len(self._given) > self.kept_lines:
            self._given.popitem(last=False)

    def heard(self, user_id: int, item: Incoming) -> Incoming:
        """The same, or marked as recalled where it is an echo."""
        if item.role == "user" or item.source_kind not in ("chat", "tool") or item.recalled is not None:
            return item
        cited = self._cited(user_id, item.text)
        if cited is None:
            return item
        return replace(item, recalled=Recalled(cited=cited, references=frozenset(find_references(item.text))))

    def _cited(self, user_id: int, text: str) -> tuple[UUID, ...] | None:
        """What a text repeats; None where it says something that was not given."""
        whole = self._given.get(_key(user_id, "whole", " ".join(text.split())))
        if whole is not None and (_CITATION.search(text) or _says_much(text)):
            return whole
        # "What I know:" says nothing by itself.
        lines = [line for line in _lines(text) if not line.endswith(":") or find_references(line)]
        found = [self._given.get(key) for key in _keys(user_id, lines)]
        if not found or not _says_much(" ".join(lines)) or any(ids is None for ids in found):
            return None
        return tuple(dict.fromkeys(each for ids in found for each in ids or ()))


def _lines(text: str) -> list[str]:
    """What the lines of a text say: without list marks and the marks of citations."""
    folded = unicodedata.normalize("NFKC", text).casefold().splitlines()
    bare = (_LIST_MARK.sub("", _CITATION.sub("", line).strip()) for line in folded)
    return [" ".join(line.split()) for line in bare if line.strip()]


def _keys(user_id: int, lines: Iterable[str]) -> list[bytes]:
    return [_key(user_id, "line", line) for line in lines]


def _key(user_id: int, what: str, text: str) -> bytes:
    return blake2b(f"{user_id} {what} {text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _says_much(text: str) -> bool:
    return len(tokens(text)) >= _FEW_WORDS
