"""What of a screen an answer is written from: the lines that bear on the question, with those that belong to them.

A screen holds dozens of short lines of which two or three matter, and what matters stands in the lines around a word of
the question: the value under its label, the name over a message, the header of a table. So an excerpt is made of lines,
not of sentences, and keeps them as lines. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence, Set

from mirix.text.analyser import tokens
from mirix.text.chunks import clip_to_tokens, count_tokens

_PAIR = re.compile(r"^\s*[^\W\d][^:]{0,24}(?:\S {2,}|: ?)\S[^:]*$")
GAP = "…"  # a line of its own where lines were left out
BEFORE, BEHIND = 2, 3  # lines that stand with one that holds words of the question
UNASKED_TOKENS = 60  # of a screen that holds none of its words


def screen_excerpt(text: str, words: Collection[str], max_tokens: int) -> str:
    """At most about `max_tokens` of the lines of a screen, in their order: first those that hold the rarest words of
    the question, each with its neighbours."""
    lines = [line.rstrip() for line in text.splitlines()]
    held = [frozenset(tokens(line)) & frozenset(words) for line in lines]
    counts = Counter(word for each in held for word in each)
    worth = [sum(1 / counts[word] for word in each) for each in held]
    by_worth = sorted((at for at, value in enumerate(worth) if value), key=lambda at: (-worth[at], at))
    if not by_worth:
        return clip_to_tokens(text, min(max_tokens, UNASKED_TOKENS)).rstrip()
    # The lines themselves take up to half of the room; then a value stands below its label or beside it; what is left
    # goes to labels with their values, and to what stands nearest.
    chosen = _taken(lines, by_worth, set(), max_tokens // 2)
    chosen = _taken(lines, [near for at in by_worth for near in (at, *_around(lines, at))], chosen, max_tokens)
    further = sorted(range(len(lines)), key=lambda at: (_PAIR.search(lines[at]) is None, _far(at, chosen)))
    chosen = _taken(lines, further, chosen, max_tokens)
    return _joined(lines, sorted(chosen)) or clip_to_tokens(text, max_tokens).rstrip()


def _taken(lines: Sequence[str], order: Iterable[int], chosen: Set[int], max_tokens: int) -> set[int]:
    """What is chosen, and of further lines those that fit beside it, in their order of preference."""
    taken = set(chosen)
    left = max_tokens - sum(count_tokens(lines[at]) + 1 for at in taken)
    for at in order:
        cost = count_tokens(lines[at]) + 1
        if at not in taken and lines[at] and cost <= left:
            taken.add(at)
            left -= cost
    return taken


def words_shown(text: str, words: Collection[str]) -> frozenset[tuple[str, ...]]:
    """The lines of an excerpt that hold a word of the question, as they are compared."""
    listed = (tuple(tokens(line)) for line in text.splitlines())
    return frozenset(line for line in listed if set(line) & set(words))


def _far(at: int, chosen: Collection[int]) -> int:
    return min((abs(at - other) for other in chosen), default=0)


def _around(lines: Sequence[str], at: int) -> list[int]:
    """The lines with text below and above a line, nearest first; a line that is far away belongs to something else."""
    below = [near for near in range(at + 1, min(at + 1 + 2 * BEHIND, len(lines))) if lines[near]][:BEHIND]
    above = [near for near in range(at - 1, max(at - 2 * BEFORE - 1, -1), -1) if lines[near]][:BEFORE]
    return sorted([*below, *above], key=lambda near: (abs(near - at), -near))


def _joined(lines: Sequence[str], chosen: Sequence[int]) -> str:
    parts: list[str] = []
    for before, at in zip([-1, *chosen], chosen, strict=False):
        between = lines[before + 1 : at]
        parts += [GAP] if any(between) else [""] if between and parts else []
        parts.append(lines[at])
    return "\n".join(parts)
