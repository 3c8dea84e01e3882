"""Names cut from texts before they are embedded. Pure.

An embedder takes "What did Nora paint?" for a text about Nora and finds the turns that greet her ("Wow, Nora!") instead
of those in which she speaks of painting. Cut from the question and from the messages, the names no longer stand in the
way, and who spoke is a column of its own, which ranking uses. Names of people who are only spoken of stay: they
are what the text is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from mirix.text.chunks import HAN

# What programs call the two ends of a chat: words, not names.
_ROLE_NAMES = """
    user assistant system tool bot ai agent human me i you unknown anonymous
    用户 使用者 助手 助理 系统 机器人 我 你
"""
_ROLES = frozenset(_ROLE_NAMES.split())
# First names that are English words too: cut only where written as a name in the middle of a sentence.
_WORD_NAMES = """
    will may mark bill rose grace hope joy sue pat art dawn june april august summer autumn jack rob drew chase grant
    faith ray rich frank earnest guy skip chuck gene miles page rusty sandy scarlet sky star violet ivy iris lily daisy
    olive ginger pearl ruby amber crystal penny angel christian dean king major max jay robin heath forest
"""
_ALSO_WORDS = frozenset(_WORD_NAMES.split())
_LETTERS = r"A-Za-z0-9_\u00c0-\u024f\u0370-\u052f"  # of words that white space parts; Chinese may stand right beside
_TITLES = frozenset({"dr", "mr", "mrs", "ms", "mx", "prof", "sir", "the", "of", "and", "de", "von", "van"})
_HAN_NAME = re.compile(rf"[{HAN}·]+")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_SENTENCE_START = re.compile(r"(?:\A|[.!?…\n]\s*)[\"'“‘(\[]*\Z")
_GAPS = (
    (re.compile(rf"(?<=[{HAN}，、。！？；：])[ \t]+(?=[{HAN}])"), ""),
    (re.compile(r"[ \t]{2,}"), " "),
    (re.compile(r"[ \t]+(?=[,.!?;:，。！？；：、])"), ""),
    (re.compile(r"([,，、])(?=\s*[,.!?;:，。！？；：、])"), ""),
    (re.compile(r"(?m)^[ \t,，、:：;；]+"), ""),
    (re.compile(r"(?m)^[的和与]"), ""),
)


def cut_names(text: str, names: Iterable[str]) -> str:
    """The text without the given people's names, whole or in part ("Anna", "Berg", "Anna Berg's", 小明 of 王小明).

    A Latin name is cut as a word in any case, the words of a longer one as they are written; a Chinese name (of two
    characters at least) wherever it stands. Roles such as "assistant" are no names. A text of nothing but names is
    returned as it is: better a name than no question.
    """
    pattern = _pattern(tuple(sorted({name.strip() for name in names})))
    if pattern is None or not pattern.search(text):
        return text

    def cut(match: re.Match[str]) -> str:
        found = match.group("name")
        return match.group() if _is_word_here(found, text[: match.start()]) else ""

    rest = pattern.sub(cut, text)
    if rest == text:
        return text
    for gap, filling in _GAPS:
        rest = gap.sub(filling, rest)
    rest = rest.strip()
    return rest if any(character.isalnum() for character in rest) else text


def names_in(text: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the names that the text names, whole or in part, in the order given; roles never."""
    found = []
    for name in names:
        pattern = _pattern((name.strip(),))
        if pattern and any(not _is_word_here(m.group("name"), text[: m.start()]) for m in pattern.finditer(text)):
            found.append(name)
    return tuple(found)


def _is_word_here(found: str, before: str) -> bool:
    return found.lower() in _ALSO_WORDS and (found[0].islower() or _SENTENCE_START.search(before) is not None)


@lru_cache(maxsize=1024)
def _pattern(names: tuple[str, ...]) -> re.Pattern[str] | None:
    whole: set[str] = set()  # of one word: cut in any case
    partial: set[str] = set()  # words of longer names: cut as written, so that "Support Team" leaves "support" alone
    han: set[str] = set()
    for name in names:
        if name.casefold() in _ROLES:
            continue
        for run in _HAN_NAME.findall(name):
            han |= {run} if len(run) > 1 else set()
            han |= {run[-2:]} if len(run) in (3, 4) and "·" not in run else set()  # 小明 of 王小明 and 欧阳小明
        words = [word for word in _WORD.findall(_HAN_NAME.sub(" ", name).split("@")[0]) if len(word) > 1]
        named = {word for word in words if word.casefold() not in _ROLES and word.casefold() not in _TITLES}
        if len(words) == 1:
            whole |= named
        else:
            partial |= named
    parts = []
    if whole or partial:
        options = [f"(?i:{_any_of(whole)})"] if whole else []
        options += [_any_of(partial)] if partial else []
        parts.append(rf"(?<![{_LETTERS}@/.-])(?:{'|'.join(options)})(?![{_LETTERS}@/])(?:['’]s\b|['’](?!\w))?")
    if han:
        parts.append(rf"(?:{_any_of(han)})的?")
    return re.compile(f"(?P<name>{'|'.join(parts)})") if parts else None


def _any_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=lambda word: (-len(word), word))))
