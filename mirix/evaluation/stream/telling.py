"""Turns lines into a conversation: what stands round them, replies, idle talk between them, and the time of day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mirix.evaluation.lifelog import Turn
from mirix.evaluation.stream.language import ZONES
from mirix.evaluation.stream.story import World
from mirix.memory.message import Role

Place = tuple[int, int]  # a story and a line of it

_REPLIES = 0.45  # share of lines that the assistant answers
_MERGED = 0.15  # share of lines that share a message with the one before
_FIRST_HOUR = time(7, 5)
_SESSION = timedelta(minutes=80)  # from the start of one to the next
_MOST_SESSIONS = 11
_TRIES = 25  # for a text that has not been said
_ASSISTANT = "Assistant"


@dataclass(frozen=True, kw_only=True)
class Line:
    """Something to be told on a day."""

    day: date
    text: str
    story: int
    number: int  # in its story
    alone: bool


@dataclass(kw_only=True)
class _Draft:
    """A message without its time."""

    role: Role
    text: str
    places: list[Place] = field(default_factory=list)
    line: str | None = None  # what it is about, if it can be told in the same breath as something else


_Exchange = list[_Draft]  # told without a break


class Teller:
    def __init__(self, world: World, name: str, lessons: set[int]) -> None:
        self._world = world
        self._talk = world.language.talk
        self._name = name
        self._lessons = lessons
        self._said: set[str] = set()
        self._chats: list[str] = []

    def tell(
        self, lines: Sequence[Line], open_days: Sequence[date], count: int
    ) -> tuple[list[Turn], Mapping[Place, str]]:
        """Exactly `count` messages in order of time, and the message of each line."""
        rng = self._world.rng
        days: dict[date, list[_Exchange]] = {day: [] for day in open_days}
        for day, exchange in self._exchanges(lines):
            days[day].append(exchange)
        for exchanges in days.values():
            rng.shuffle(exchanges)
            exchanges[:] = self._merged(exchanges)
        first = _Draft(
            role="user", text=self._new(lambda: self._world.filler.one_of(self._talk.first, {"first": self._name}))
        )
        days[open_days[0]].insert(0, [first])
        left = count - sum(len(exchange) for exchanges in days.values() for exchange in exchanges)
        left -= self._reply(days, left)
        while left > 0:
            chat = self._chat(left)
            exchanges = days[rng.choice(open_days)]
            exchanges.insert(rng.randrange(1, len(exchanges) + 1) if exchanges else 0, chat)
            left -= len(chat)
        return self._timed(days)

    def _exchanges(self, lines: Sequence[Line]) -> Iterator[tuple[date, _Exchange]]:
        """Lines of one story and one day belong together."""
        together: dict[tuple[int, date], list[Line]] = {}
        for line in lines:
            together.setdefault((line.story, line.day), []).append(line)
        for (_, day), told in together.items():
            exchange = []
            for line in told:
                text = self._new(lambda line=line: line.text if line.alone else self._dressed(line.text))  # type: ignore[misc]
                exchange.append(_Draft(role="user", text=text, places=[(line.story, line.number)]))
            if len(told) == 1 and not told[0].alone:
                exchange[0].line = told[0].text
            yield day, exchange

    def _dressed(self, text: str) -> str:
        """The line in passing: with something before it, or after it, or both."""
        filler, talk = self._world.filler, self._talk
        shape = self._world.rng.random()
        parts = [text]
        if shape > 0.45:
            parts.insert(0, filler.one_of(talk.lead))
        if 0.2 < shape < 0.45 or shape > 0.8:
            parts.append(filler.one_of(talk.tail))
        return talk.space.join(parts)

    def _merged(self, exchanges: Sequence[_Exchange]) -> list[_Exchange]:
        """Now and then two things in one message."""
        merged: list[_Exchange] = []
        for exchange in exchanges:
            fits = exchange[0].line and merged and merged[-1][0].line and self._world.rng.random() < _MERGED
            if fits:
                before, draft = merged[-1][0], exchange[0]
                joiner = self._world.filler.one_of(self._talk.joiner)
                parts = [before.text, joiner + self._talk.space + (draft.line or "")]
                before.text = self._world.filler.sentence(self._talk.space.join(parts))
                before.places += draft.places
                before.line = None
            else:
                merged.append(exchange)
        return merged

    def _reply(self, days: Mapping[date, list[_Exchange]], most: int) -> int:
        """Let the assistant answer part of it; returns how many messages that made."""
        added = 0
        for exchanges in days.values():
            for exchange in exchanges:
                is_lesson = any(place[0] in self._lessons for draft in exchange for place in draft.places)
                for number in reversed(range(len(exchange))):
                    is_last = number == len(exchange) - 1
                    if added < most and (is_last or is_lesson) and self._world.rng.random() < _REPLIES:
                        forms = self._talk.ack if is_last else self._talk.nod
                        text = self._new(lambda forms=forms: self._world.filler.one_of(forms))  # type: ignore[misc]
                        exchange.insert(number + 1, _Draft(role="assistant", text=text))
                        added += 1
        return added

    def _chat(self, most: int) -> _Exchange:
        """Idle talk of at most so many messages. The forms take turns."""
        if not self._chats:
            self._chats = list(self._talk.chat)
            self._world.rng.shuffle(self._chats)
        form = self._chats.pop()
        for _ in range(_TRIES):
            parts = [self._world.filler.sentence(part.strip()) for part in self._world.filler.fill(form).split(">>")]
            parts = parts[:most]
            if parts[0] not in self._said:
                break
        for number, part in enumerate(parts):
            more = self._talk.nudge if number % 2 else self._talk.tail
            if part in self._said:
                parts[number] = self._new(lambda: self._talk.space.join([part, self._world.filler.one_of(more)]))  # noqa: B023
        self._said.update(parts)
        return [_Draft(role="assistant" if number % 2 else "user", text=part) for number, part in enumerate(parts)]

    def _new(self, make: Callable[[], str]) -> str:
        """A text that has not been said yet, if one can be found."""
        for _ in range(_TRIES):
            text = self._world.filler.sentence(make())
            if text not in self._said:
                break
        self._said.add(text)
        return text

    def _timed(self, days: Mapping[date, Sequence[_Exchange]]) -> tuple[list[Turn], dict[Place, str]]:
        rng, zone = self._world.rng, ZoneInfo(ZONES[self._world.language.code])
        turns: list[Turn] = []
        places: dict[Place, str] = {}
        for day, exchanges in days.items():
            sessions = min(_MOST_SESSIONS, max(1, (len(exchanges) + rng.randint(0, 2)) // 3))
            begin = rng.randrange(_MOST_SESSIONS - sessions + 1)
            at = datetime.combine(day, _FIRST_HOUR)
            for number, exchange in enumerate(exchanges):
                session = number * sessions // len(exchanges)
                slot = datetime.combine(day, _FIRST_HOUR) + (begin + session) * _SESSION
                if at < slot:
                    at = slot + timedelta(minutes=rng.randrange(20))
                for draft in exchange:
                    at += timedelta(seconds=rng.randrange(20, 80))
                    name = f"m{len(turns) + 1:05}"
                    who = self._name if draft.role == "user" else _ASSISTANT
                    moment = at.replace(tzinfo=zone)
                    turns.append(Turn(id=name, at=moment, role=draft.role, name=who, text=draft.text))
                    places.update(dict.fromkeys(draft.places, name))
        return turns, places
