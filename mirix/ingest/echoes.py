"""Text that came out of memory is no new evidence when it comes back.

A program often hands over a whole conversation, with what it was given to answer from and with the answers. Read as
news, a memory would then rest on itself, outlive its correction, and be believed for being said twice.

    search, recall, ask, chat ── what memory gave ──> Echoes ──┐
    add, chat, imports, folders ── Incoming (inputs.py) ───────┴──> Evidence.store

Three things are plainly memory's own:

- The blocks that a context is made of (`<core_memory>`, `<context>`, `<memories>`), whoever says them: inputs.py cuts
  them out, and what stands beside them stays.
- A turn of an assistant or a tool every line of which was given a moment ago. It is kept as a part of the conversation,
  as a reply of `chat` is, but is not embedded, not read and not found; it goes when what it repeats is forgotten.
- What a user quotes: a line that was given a moment ago and stands there with the mark of a list or of a citation, and
  an answer with its citations. It is cut, with the heading right before it; a turn of nothing else is kept like that of
  an assistant. A citation that stays behind what it was given with is cut by itself.

What a user says without such a mark is evidence, however often it was said. So is an answer in the assistant's own
words. What was given is known to this process alone, and only the last of it: elsewhere such a turn is evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections import OrderedDict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from uuid import UUID

from mirix.ingest.inputs import Incoming, Recalled
from mirix.text.analyser import tokens
from mirix.text.chunks import split_sentences
from mirix.text.secrets import find_references

KEPT_LINES = 50_000  # of all users, the newest
_FEW_WORDS = 4  # a turn of fewer is like another by chance ("Sounds good!"), unless it is an answer to the letter
_CITATION = re.compile(r"\s?[\[【]\s*\d{1,3}(?:\s*[,，、;；]\s*\d{1,3})*\s*[\]】]")
_LIST_MARK = re.compile(r"^(?:[-*•·–—>]|\d{1,3}[.)、])\s*")
_CITATIONS = re.compile(rf"(?:{_CITATION.pattern})+")
_STOPS = " .!?。！？"


@dataclass(frozen=True, kw_only=True)
class Echoes:
    """What memory gave out last, in this process: digests of lines, and what they rest on."""

    kept_lines: int = KEPT_LINES
    _given: OrderedDict[bytes, tuple[UUID, ...]] = field(default_factory=OrderedDict, repr=False)

    def gave(self, user_id: int, text: str, ids: Sequence[UUID]) -> None:
        """Note a text that was given to a user, and the memories and messages it repeats; without those it is none."""
        if not ids:
            return
        cited = [_key(user_id, "cited", said) for line in text.splitlines() for said, _ in _citations(line)]
        for key in (_key(user_id, "whole", " ".join(text.split())), *_keys(user_id, _lines(text)), *cited):
            self._given[key] = tuple(ids)
            self._given.move_to_end(key)
        while len(self._given) > self.kept_lines:
            self._given.popitem(last=False)

    def heard(self, user_id: int, item: Incoming) -> Incoming:
        """The same, marked as recalled where it is an echo, or without what a user quotes of memory in it."""
        if item.source_kind not in ("chat", "tool") or item.recalled is not None:
            return item
        cited: tuple[UUID, ...] | None
        if item.role == "user":
            cited, left = self._quoted(user_id, item.text)
            if left.strip():
                return item if left == item.text else replace(item, text=left.strip())
        else:
            cited = self._cited(user_id, item.text)
        if not cited:
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

    def _quoted(self, user_id: int, text: str) -> tuple[tuple[UUID, ...], str]:
        """What the quotes in a text repeat, and the text without them."""
        whole = self._given.get(_key(user_id, "whole", " ".join(text.split())))
        if whole is not None and _CITATION.search(text):
            return whole, ""
        lines = text.splitlines(keepends=True)
        quotes: dict[int, tuple[UUID, ...]] = {}  # by line
        for number, line in enumerate(lines):
            said = _bare(line)
            given = self._given.get(_key(user_id, "line", said))
            goes_on = number - 1 in quotes  # a memory of several lines has its mark at the first
            if given is not None and (goes_on or (_is_marked(line) and _says_much(said))):
                quotes[number] = given
        left = [
            self._without_citations(user_id, line)
            for number, line in enumerate(lines)
            if number not in quotes and not _heads_quotes(lines, number, quotes)
        ]
        return tuple(dict.fromkeys(each for ids in quotes.values() for each in ids)), "".join(left)

    def _without_citations(self, user_id: int, line: str) -> str:
        """A line without the citations that were given behind the same sentence."""
        for said, mark in reversed(_citations(line)):
            if _key(user_id, "cited", said) in self._given:
                line = line[: mark.start()] + line[mark.end() :]
        return line


def _citations(line: str) -> list[tuple[str, re.Match[str]]]:
    """What sentences with citations say, and the citations behind each."""
    found, start = [], 0
    for mark in _CITATIONS.finditer(line):
        sentences = split_sentences(line[start : mark.start()])
        found += [(_bare(sentences[-1]).rstrip(_STOPS), mark)] if sentences else []
        start = mark.end()
    return found


def _is_marked(line: str) -> bool:
    return _LIST_MARK.match(unicodedata.normalize("NFKC", line).strip()) is not None or bool(_CITATION.search(line))


def _heads_quotes(lines: Sequence[str], number: int, quotes: Container[int]) -> bool:
    """Whether a line announces nothing but quotes."""
    if not lines[number].rstrip().endswith((":", "：")):
        return False
    below = [each for each in range(number + 1, len(lines)) if lines[each].strip()]
    rest = next((each for each in below if each not in quotes), None)
    return bool(below) and below[0] in quotes and not (rest is not None and _is_marked(lines[rest]))


def _lines(text: str) -> list[str]:
    """What the lines of a text say."""
    return [bare for line in text.splitlines() if (bare := _bare(line))]


def _bare(line: str) -> str:
    """What a line says: without the marks of lists and citations."""
    folded = unicodedata.normalize("NFKC", line).casefold()
    return " ".join(_LIST_MARK.sub("", _CITATION.sub("", folded).strip()).split())


def _keys(user_id: int, lines: Iterable[str]) -> list[bytes]:
    return [_key(user_id, "line", line) for line in lines]


def _key(user_id: int, what: str, text: str) -> bytes:
    return blake2b(f"{user_id} {what} {text}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _says_much(text: str) -> bool:
    return len(tokens(text)) >= _FEW_WORDS
