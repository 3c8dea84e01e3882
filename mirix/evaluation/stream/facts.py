"""Facts about people, pets and oneself: told, put right, changed, mistaken by others, asked, and never told.

Values of one attribute differ between all who have it, mistaken and former values included, so that a value says whose
it is. What nobody may tell is drawn first and barred from all other use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import regex

from mirix.evaluation.lifelog import QuestionType
from mirix.evaluation.stream.circle import Someone
from mirix.evaluation.stream.filling import take
from mirix.evaluation.stream.language import Attribute
from mirix.evaluation.stream.story import Asking, Story, World, Written

_MISTAKEN = 0.6  # share of facts that come with something that must not count, where there are forms for it
_FEWEST_WORDS = 28  # of a list from which an untold value is taken


@dataclass(frozen=True, kw_only=True)
class Pair:
    who: Someone
    attribute: Attribute

    @property
    def can_change(self) -> bool:
        return bool(self.attribute.change)

    @property
    def is_own(self) -> bool:
        return self.who.about != "person"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A fact that is told once and stays; `story` is its place among the stories."""

    pair: Pair
    value: str
    line: int
    story: int


@dataclass(kw_only=True)
class Facts:
    """All pairs of somebody and an attribute, given away one by one."""

    world: World
    values: dict[str, list[str]] = field(default_factory=dict)  # by attribute: those still free
    free: list[Pair] = field(default_factory=list)
    introduced: Sequence[Someone] = ()  # told with all their names
    called: dict[str, list[str]] = field(default_factory=dict)  # by the first name to ask with: those told

    @classmethod
    def of(cls, world: World) -> Facts:
        circle = world.circle
        about = {"person": circle.people, "pet": circle.pets, "me": (circle.me,)}
        pairs = [Pair(who=who, attribute=each) for each in world.language.facts for who in about[each.about]]
        world.rng.shuffle(pairs)
        return cls(world=world, free=pairs)

    def choose(
        self, count: int, *, types: Sequence[QuestionType], changing: bool | None = None, with_own: bool = True
    ) -> list[Pair]:
        """Pairs of these types, those about oneself and the pets first. Fewer where there are no more."""
        fit = [
            pair
            for pair in self.free
            if pair.attribute.type in types and (changing is None or pair.can_change is changing)
        ]
        own = [pair for pair in fit if pair.is_own and with_own][: (count + 1) // 2]
        others = [pair for pair in fit if not pair.is_own]
        chosen = (own + others)[:count]
        self.free = [pair for pair in self.free if pair not in chosen]
        return chosen

    def value(self, attribute: Attribute) -> str:
        """A value that nobody else has had, as long as there are any."""
        filler = self.world.filler
        while True:
            left = self.values.setdefault(attribute.id, [])
            if not left:
                left += [filler.fill(each) for each in self.world.language.values_of(attribute)]
            # Others may have had to be silent about it since the list was made.
            value = take(self.world.rng, left)
            if value not in filler.barred:
                return value

    def hide(self, count: int) -> list[tuple[Pair, str]]:
        """Pairs that stay untold, and the values that stand nowhere."""
        language, filler = self.world.language, self.world.filler
        everything = "\n".join(word for words in language.words.values() for word in words) + "\n".join(
            form for each in language.facts for form in (*each.tell, *each.change, *each.wrong)
        )
        hidden: list[tuple[Pair, str]] = []
        for pair in list(self.free):
            values = language.values_of(pair.attribute)
            if len(hidden) == count or len(values) < _FEWEST_WORDS:
                continue
            value = self.value(pair.attribute)
            if len(occurrences(value, everything)) == 1 and len(value) > 1 and not value.isdecimal():
                filler.barred.add(value)
                hidden.append((pair, value))
                self.free.remove(pair)
        return hidden

    def told(self, pair: Pair) -> tuple[str, Story]:
        """A fact that stays as it is, and its value."""
        value = self.value(pair.attribute)
        return value, self._story(pair, value)

    def corrected(self, pair: Pair) -> Story:
        """Said wrong, and put right at once."""
        old, value = self.value(pair.attribute), self.value(pair.attribute)
        first = self._tell(pair, old)
        second = self.world.filler.one_of(self.world.language.talk.wrong_turn, {"value": value, "old": old})

        def write(days: Sequence[date]) -> Written:
            question = self.question(pair, [value], [0, 1], QuestionType.UPDATE)
            return Written(lines=[first, second], askings=[question])

        return Story(gaps=[(0, 0)], write=write, alone=frozenset({1}))

    def changed(self, pair: Pair) -> Story:
        """True at first, and then no longer."""
        old, value = self.value(pair.attribute), self.value(pair.attribute)
        return self._story(pair, value, old=old)

    def question(self, pair: Pair, answers: Sequence[str], evidence: Sequence[int], kind: QuestionType) -> Asking:
        slots = self._slots(pair, asked=True)
        text = self.world.filler.one_of(pair.attribute.ask, slots)
        return Asking(text=text, answers=answers, evidence=evidence, type=kind)

    def untold(self, pair: Pair) -> Asking:
        return self.question(pair, ["unknown"], [], QuestionType.ABSTAIN)

    def _story(self, pair: Pair, value: str, *, old: str | None = None) -> Story:
        filler, attribute = self.world.filler, pair.attribute
        lines = [self._tell(pair, old or value)]
        gaps: list[tuple[int, int]] = []
        evidence = [0]
        if old is not None:
            change = filler.one_of(attribute.change, {**self._slots(pair), "value": value, "old": old})
            lines.append(change)
            gaps.append((12, 150))
            evidence = [0, 1]
        if attribute.wrong and filler.rng.random() < _MISTAKEN:
            mistaken = {**self._slots(pair), "value": self.value(attribute), "old": value}
            lines.append(filler.one_of(attribute.wrong, mistaken))
            gaps.append((2, 40))
        kind = attribute.type if old is None else QuestionType.UPDATE

        def write(days: Sequence[date]) -> Written:
            return Written(lines=lines, askings=[self.question(pair, [value], evidence, kind)])

        return Story(gaps=gaps, write=write)

    def _tell(self, pair: Pair, value: str) -> str:
        return self.world.filler.one_of(pair.attribute.tell, {**self._slots(pair), "value": value})

    def _slots(self, pair: Pair, *, asked: bool = False) -> dict[str, str]:
        who = pair.who
        names = who.asked if asked else who.refs
        if not names:
            return dict(who.slots)
        name = self.world.rng.choice(names)
        told = self.called.setdefault(who.asked[0], [])
        if not asked:
            told.append(name)
        elif told and name not in told and who not in self.introduced:
            name = told[0]
        return {**who.slots, "who": name}


def occurrences(value: str, text: str) -> list[str]:
    """Where a value stands in a text, not as a part of a longer word (of letters that part words with spaces)."""
    edge = r"[A-Za-z0-9]"
    return regex.findall(rf"(?<!{edge}){regex.escape(value)}(?!{edge})", text, flags=regex.IGNORECASE)
