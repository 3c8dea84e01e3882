"""The parser: grammar rules over tokens, tried bottom-up, so that any mixture of small expressions can meet.

A rule is a line such as `<num> <unit> ago`. Words stand for themselves, `a|b` for either, `x?` may be missing and
`<kind>` is anything of that kind. What the rule means is a function of the `<...>` values, which may decline by
returning None. Of several readings of the same words as the same kind the one of the rule with the higher rank stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

Value = Any  # a number, a unit, a duration or a form: each kind has its own type, which the rules know


@dataclass(frozen=True, kw_only=True)
class Token:
    start: int  # in characters
    end: int  # in characters, exclusive
    entries: tuple[tuple[str, Value], ...]  # what it can be: (kind, value); a word is of the kind of its own name


@dataclass(frozen=True, kw_only=True)
class Node:
    kind: str
    value: Value
    start: int  # first token
    end: int  # token after the last
    core: int  # first token without leading words such as "on", which are read but are not part of the expression
    rank: int = 0


@dataclass(frozen=True, kw_only=True)
class Rule:
    pattern: tuple[frozenset[str], ...]  # the kinds that each place takes
    holes: tuple[bool, ...]  # whether the place is one of the function's arguments
    kind: str
    make: Callable[..., Value]
    rank: int
    is_lead: bool  # its leading words are not part of the expression


class Grammar:
    """Rules by the kinds that their first two places take, so that few are tried at each node."""

    def __init__(self, aliases: dict[str, Sequence[str]]) -> None:
        self._aliases = aliases
        self._single: dict[str, list[Rule]] = defaultdict(list)
        self._longer: dict[str, dict[str, list[Rule]]] = defaultdict(lambda: defaultdict(list))
        self._words: set[str] = set()

    def add(
        self, kind: str, patterns: str | Iterable[str], make: Callable[..., Value], rank: int = 0, lead: bool = False
    ) -> None:
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            for places in self._expand(pattern.split()):
                rule = Rule(
                    pattern=tuple(kinds for kinds, _ in places),
                    holes=tuple(hole for _, hole in places),
                    kind=kind,
                    make=make,
                    rank=rank,
                    is_lead=lead,
                )
                self._words.update(kind for place in rule.pattern for kind in place if not kind.startswith("<"))
                for first in rule.pattern[0]:
                    if len(rule.pattern) == 1:
                        self._single[first].append(rule)
                    for second in rule.pattern[1] if len(rule.pattern) > 1 else ():
                        self._longer[first][second].append(rule)

    def words(self) -> frozenset[str]:
        """Every word that some rule names."""
        return frozenset(self._words)

    def single(self, kind: str) -> list[Rule]:
        """Rules of one place that takes this kind."""
        return self._single.get(kind, [])

    def longer(self, kind: str) -> dict[str, list[Rule]]:
        """Rules of two and more places that start with this kind, by the kind of the second."""
        return self._longer.get(kind, {})

    def _expand(self, places: list[str]) -> Iterator[list[tuple[frozenset[str], bool]]]:
        choices = [(place.rstrip("?"), None) if place.endswith("?") else (place,) for place in places]
        for chosen in product(*choices):
            yield [self._place(place) for place in chosen if place]

    def _place(self, place: str) -> tuple[frozenset[str], bool]:
        if place.startswith("<"):
            names = place.strip("<>").split("|")
            kinds = (kind for name in names for kind in self._aliases.get(name, (name,)))
            return frozenset(f"<{kind}>" for kind in kinds), True
        return frozenset(place.split("|")), False


def parse(tokens: Sequence[Token], grammar: Grammar) -> list[Node]:
    """All readings of all stretches of the tokens."""
    chart: list[dict[str, dict[int, Node]]] = [defaultdict(dict) for _ in range(len(tokens) + 1)]
    for start in range(len(tokens) - 1, -1, -1):
        token = tokens[start]
        waiting = [
            Node(kind=kind, value=value, start=start, end=start + 1, core=start) for kind, value in token.entries
        ]
        while waiting:
            node = waiting.pop()
            known = chart[start][node.kind].get(node.end)
            if known and known.rank >= node.rank:
                continue
            chart[start][node.kind][node.end] = node
            for rule in grammar.single(node.kind):
                waiting += _make(rule, [node])
            longer = grammar.longer(node.kind)
            for kind in chart[node.end] if longer else ():  # not over sets of kinds: their order differs between runs
                for rule in longer.get(kind, ()):
                    for second in chart[node.end][kind].values():
                        for rest in _matches(chart, rule.pattern[2:], second.end):
                            waiting += _make(rule, [node, second, *rest])
    return [node for row in chart for by_end in row.values() for node in by_end.values()]


def _matches(
    chart: list[dict[str, dict[int, Node]]], places: tuple[frozenset[str], ...], start: int
) -> Iterator[list[Node]]:
    if not places:
        yield []
        return
    row = chart[start]
    for kind in row:
        if kind in places[0]:
            for node in row[kind].values():
                for rest in _matches(chart, places[1:], node.end):
                    yield [node, *rest]


def _make(rule: Rule, parts: list[Node]) -> list[Node]:
    value = rule.make(*(part.value for part, hole in zip(parts, rule.holes, strict=True) if hole))
    if value is None:
        return []
    first = next((part for part, hole in zip(parts, rule.holes, strict=True) if hole), parts[0])
    core = first.core if rule.is_lead or first is parts[0] else parts[0].core
    return [Node(kind=rule.kind, value=value, start=parts[0].start, end=parts[-1].end, core=core, rank=rule.rank)]
