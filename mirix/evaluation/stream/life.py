"""A whole life: which stories it holds, on which days they are told, and the questions that end it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mirix.evaluation.lifelog import Person, Question, QuestionType
from mirix.evaluation.stream import happenings, joined, keepsakes
from mirix.evaluation.stream.circle import make_circle
from mirix.evaluation.stream.days import DayTeller
from mirix.evaluation.stream.facts import Facts, Known, Pair
from mirix.evaluation.stream.filling import Filler
from mirix.evaluation.stream.happenings import Kind
from mirix.evaluation.stream.language import LANGUAGES, ZONES, load_language
from mirix.evaluation.stream.story import Asking, Story, World, Written
from mirix.evaluation.stream.telling import Line, Place, Teller

FEWEST_MESSAGES = 100
FULL = 2_000  # messages from which on there are all questions; of fewer, as many fewer
# 328 with evidence, 60 without.
QUESTIONS: Mapping[QuestionType, int] = {
    QuestionType.SINGLE: 98,
    QuestionType.MULTI: 50,
    QuestionType.TEMPORAL: 50,
    QuestionType.UPDATE: 56,
    QuestionType.PREFERENCE: 26,
    QuestionType.PROCEDURE: 12,
    QuestionType.VAULT: 36,
    QuestionType.ABSTAIN: 60,
}
_FIRST_DAY = date(2024, 3, 4)
_MESSAGES_A_DAY = 9
_FEWEST_DAYS, _MOST_DAYS = 120, 720
_SILENCES = 3  # stretches of days without a word
_UNASKED = 0.02  # facts that nobody asks for, a message told beyond FULL


def make_lives(seed: int, messages: int, languages: Sequence[str] = LANGUAGES) -> list[Person]:
    """One life a language, of that many messages each. The same for the same seed, everywhere."""
    secrets: set[str] = set()
    return [LifeMaker(seed, messages, code, secrets).person() for code in languages]


def to_bytes(lives: Sequence[Person]) -> bytes:
    """The lives as a file that `mirix evaluate lifelog` reads."""
    documents = [life.model_dump(mode="json") for life in lives]
    return (json.dumps(documents, ensure_ascii=False, indent=1) + "\n").encode()


@dataclass(frozen=True, kw_only=True)
class _Plot:
    """All stories of a life, and the questions that do not hang on one of them."""

    stories: Sequence[Story]
    known: Sequence[Known]
    hidden: Sequence[Asking]


class LifeMaker:
    """Makes one life; `hidden` are the facts that it never tells, with their values."""

    def __init__(self, seed: int, messages: int, code: str, secrets: set[str]) -> None:
        language = load_language(code)
        self.rng = random.Random(f"{seed} {code}")
        filler = Filler(language, self.rng)
        circle = make_circle(language, filler)
        days = DayTeller(language.days, self.rng)
        self.world = World(language=language, filler=filler, circle=circle, days=days, secrets=secrets)
        self.messages = messages
        self.hidden: list[tuple[Pair, str]] = []
        self.share = min(1.0, messages / FULL)
        start = _FIRST_DAY + timedelta(days=self.rng.randrange(90))
        length = min(_MOST_DAYS, max(_FEWEST_DAYS, messages // _MESSAGES_A_DAY))
        self.days = [start + timedelta(days=number) for number in range(length)]

    def person(self) -> Person:
        talk, me = self.world.language.talk, self.world.circle.me
        plot = self._plot()
        open_days = self._open_days()
        days = [self._schedule(story, open_days) for story in plot.stories]
        written = [story.write(told) for story, told in zip(plot.stories, days, strict=True)]
        lines = [
            Line(day=days[story][number], text=text, story=story, number=number, alone=number in told.alone)
            for story, told in enumerate(plot.stories)
            for number, text in enumerate(written[story].lines)
        ]
        lessons = {number for number, story in enumerate(plot.stories) if story.is_lesson}
        teller = Teller(self.world, me.slots["first"], lessons)
        turns, places = teller.tell(lines, open_days, self.messages)
        return Person(
            persona=talk.persona.format(**me.slots),
            lang=self.world.language.code,
            timezone=ZONES[self.world.language.code],
            messages=turns,
            questions=list(self._questions(plot, written, places)),
        )

    # ---- what there is to tell ----

    def _some(self, count: int) -> int:
        return max(1, round(count * self.share))

    def _plot(self) -> _Plot:
        facts, world, some = Facts.of(self.world), self.world, self._some
        self.hidden = facts.hide(some(36))
        hidden = [facts.untold(pair) for pair, _ in self.hidden]
        stories, known = self._facts(facts)
        language = world.language
        stories += [happenings.past(world, kind, slots) for kind, slots in self._bound(language.events.past, 34)]
        for then, count in (("kept", 18), ("moved", 9), ("dropped", 7)):
            stories += [
                happenings.plan(world, kind, slots, then) for kind, slots in self._bound(language.events.plan, count)
            ]
        kinds = list(language.events.series)
        self.rng.shuffle(kinds)
        stories += [happenings.series(world, kind) for kind in kinds[: some(len(kinds))]]
        for number in range(some(41)):
            kind = language.secrets[number % len(language.secrets)]
            slots = world.bind(kind.id, kind.slots)
            if slots is not None:
                changes = bool(kind.change) and number >= some(36)
                stories.append(keepsakes.secret(world, kind, slots, changes=changes))
        lessons = list(language.procedures)
        self.rng.shuffle(lessons)
        stories += [keepsakes.procedure(world, kind) for kind in lessons[: some(12)]]
        hidden += self._never()
        return _Plot(stories=stories, known=known, hidden=hidden)

    def _facts(self, facts: Facts) -> tuple[list[Story], list[Known]]:
        world, some = self.world, self._some
        circle, single, preference = world.circle, QuestionType.SINGLE, QuestionType.PREFERENCE
        stories = [keepsakes.twins(world, one, other) for one, other in circle.twins]
        people = [who for who in circle.people if who.twin is None]
        self.rng.shuffle(people)
        facts.introduced = people[: some(22)]
        stories += [keepsakes.introduction(world, who) for who in facts.introduced]
        changed = facts.choose(some(34), types=[single, preference], changing=True)
        stories += [facts.changed(pair) for pair in changed]
        stories += [facts.corrected(pair) for pair in facts.choose(some(10), types=[single], with_own=False)]
        known: list[Known] = []
        twins = [pair for pair in facts.free if pair.who.twin is not None and pair.attribute.that]
        told = _two_each(twins)[: some(16)]
        facts.free = [pair for pair in facts.free if pair not in told]
        told += facts.choose(some(28), types=[preference]) + facts.choose(some(90), types=[single])
        beyond = max(0, self.messages - FULL)
        told += facts.choose(min(150, round(beyond * _UNASKED)), types=[single, preference])
        for pair in told:
            value, story = facts.told(pair)
            known.append(Known(pair=pair, value=value, line=0, story=len(stories)))
            stories.append(story)
        return stories, known

    def _bound(self, kinds: Sequence[Kind], count: int) -> Iterator[tuple[Kind, dict[str, str]]]:
        return happenings.bound(self.world, kinds, self._some(count))

    def _never(self) -> Iterator[Asking]:
        """Questions about what never happened and was never handed over, beside what did and was."""
        language, filler = self.world.language, self.world.filler
        for kind, slots in self._bound([each for each in language.events.past if each.slots], 12):
            yield Asking(
                text=filler.one_of(kind.ask, slots), answers=["unknown"], evidence=[], type=QuestionType.ABSTAIN
            )
        for who in self.world.circle.unknown[: self._some(4)]:
            text = filler.one_of(language.circle.name_ask, who.slots)
            yield Asking(text=text, answers=["unknown"], evidence=[], type=QuestionType.ABSTAIN)
        for number in range(self._some(12)):
            secret = language.secrets[number % len(language.secrets)]
            bound = self.world.bind(secret.id, secret.slots)
            if bound is not None:
                yield keepsakes.untold_secret(self.world, secret, bound)

    # ---- when ----

    def _open_days(self) -> list[date]:
        """The days on which something is said."""
        silent: set[date] = set()
        for _ in range(_SILENCES):
            length = self.rng.randint(6, max(7, len(self.days) // 30))
            begin = self.rng.randrange(5, len(self.days) - length - 5)
            silent.update(self.days[begin : begin + length])
        return [day for day in self.days if day not in silent]

    def _schedule(self, story: Story, open_days: Sequence[date]) -> list[date]:
        """A day for each line of the story, all of them open; gaps shrink where the life is too short for them."""
        is_open = frozenset(open_days)
        while True:
            day = self.rng.choice(open_days)
            days = [day]
            for least, most in story.gaps:
                day += timedelta(days=self.rng.randint(least, min(most, max(least, len(self.days) // 3))))
                days.append(day)
            if all(day in is_open for day in days):
                return days

    # ---- what is asked ----

    def _questions(self, plot: _Plot, written: Sequence[Written], places: Mapping[Place, str]) -> Iterator[Question]:
        asked: dict[QuestionType, list[tuple[Asking, list[str]]]] = {kind: [] for kind in QUESTIONS}
        for story, each in enumerate(written):
            for asking in each.askings:
                evidence = [places[story, number] for number in asking.evidence]
                asked[asking.type].append((asking, evidence))
        for question in self._joined(plot.known):
            asking = Asking(text=question.text, answers=question.answers, evidence=[], type=QuestionType.MULTI)
            asked[QuestionType.MULTI].append((asking, [places[fact.story, fact.line] for fact in question.facts]))
        asked[QuestionType.ABSTAIN] += [(asking, []) for asking in plot.hidden]
        chosen = []
        for kind, count in QUESTIONS.items():
            candidates = asked[kind]
            self.rng.shuffle(candidates)
            chosen += candidates[: self._some(count)]
        self.rng.shuffle(chosen)
        zone = ZoneInfo(ZONES[self.world.language.code])
        first = datetime.combine(self.days[-1] + timedelta(days=1), datetime.min.time(), zone).replace(hour=10)
        for number, (asking, evidence) in enumerate(chosen):
            lead = self.rng.choice(self.world.language.talk.ask_lead)
            yield Question(
                id=f"q{number + 1:03}",
                asked_at=first + timedelta(minutes=number),
                question=self.world.filler.sentence(lead + asking.text),
                answers=list(asking.answers),
                evidence=list(dict.fromkeys(sorted(evidence))),
                type=asking.type,
            )

    def _joined(self, known: Sequence[Known]) -> Iterator[joined.Joined]:
        yield from joined.which_is_which(self.world, known)
        described = list(joined.by_description(self.world, known))
        self.rng.shuffle(described)
        yield from described[: self._some(18)]


def _two_each(pairs: Sequence[Pair]) -> list[Pair]:
    """At most two of each person, and people of one name beside each other."""
    taken: dict[int, list[Pair]] = {}
    for pair in pairs:
        mine = taken.setdefault(id(pair.who), [])
        if len(mine) < 2:
            mine.append(pair)
    chosen = [pair for each in taken.values() for pair in each]
    return sorted(chosen, key=lambda pair: pair.who.twin or 0)
