"""What happens: once, as arranged (or moved, or called off), and again and again, to be counted or summed up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TypeVar

from mirix.evaluation.lifelog import QuestionType
from mirix.evaluation.stream.language import Past, Plan, Series
from mirix.evaluation.stream.story import Asking, Story, World, Written

Kind = TypeVar("Kind", Past, Plan)

_DECOY = 0.8  # share of series with something in them that looks like one more and is none
_FEWEST, _MOST = 2, 4  # of a series in all: evidence of a question on several messages


def bound(world: World, kinds: Sequence[Kind], count: int) -> Iterator[tuple[Kind, dict[str, str]]]:
    """That many happenings, the kinds taking turns; none is about what another is about."""
    order: list[Kind] = []
    for _ in range(count):
        if not order:
            order = list(kinds)
            world.rng.shuffle(order)
        kind = order.pop()
        slots = world.bind("happening", kind.slots)
        if slots is not None:
            yield kind, slots


def past(world: World, kind: Past, slots: dict[str, str]) -> Story:
    """Told on the day or up to twelve days later."""
    ago = world.rng.choice([0, 1, 1, 2, 3, 4, 5, 6, 7, 9, 12])

    def write(days: Sequence[date]) -> Written:
        day = days[0] - timedelta(days=ago)
        line = world.filler.one_of(kind.tell, {**slots, "when": world.days.past(day, days[0])})
        question = world.filler.one_of(kind.ask, slots)
        asking = Asking(text=question, answers=world.days.full(day), evidence=[0], type=QuestionType.TEMPORAL)
        return Written(lines=[line], askings=[asking])

    return Story(gaps=[], write=write)


def plan(world: World, kind: Plan, slots: dict[str, str], then: str) -> Story:
    """An arrangement; `then` is what comes of it: "kept", "moved" or "dropped"."""
    ahead = world.rng.randint(9, 24)
    further = world.rng.randint(3, 12)

    def write(days: Sequence[date]) -> Written:
        filler, first = world.filler, days[0] + timedelta(days=ahead)
        lines = [filler.one_of(kind.tell, {**slots, "when": world.days.future(first, days[0])})]
        if then == "kept":
            answers, type_ = world.days.full(first), QuestionType.TEMPORAL
        elif then == "moved":
            moved = max(first, days[1]) + timedelta(days=further)
            lines.append(filler.one_of(kind.moved, {**slots, "when": world.days.future(moved, days[1])}))
            answers, type_ = world.days.full(moved), QuestionType.UPDATE
        else:
            lines.append(filler.one_of(kind.dropped, slots))
            answers, type_ = list(world.language.talk.cancelled), QuestionType.UPDATE
        question = filler.one_of(kind.ask_off if then == "dropped" else kind.ask, slots)
        asking = Asking(text=question, answers=answers, evidence=range(len(lines)), type=type_)
        return Written(lines=lines, askings=[asking])

    return Story(gaps=[] if then == "kept" else [(1, 7)], write=write)


def series(world: World, kind: Series) -> Story:
    """The same thing several times, and perhaps a time that was none."""
    rng = world.rng
    times = rng.randint(_FEWEST, _MOST)
    decoy = rng.randrange(1, times + 1) if rng.random() < _DECOY else None
    size = times + (decoy is not None)
    amounts = rng.sample(range(6, 90), size)

    def write(days: Sequence[date]) -> Written:
        lines = []
        for number, day in enumerate(days):
            happened = day - timedelta(days=rng.choice([0, 0, 1]) if number == 0 or days[number - 1] < day else 0)
            slots = {"when": world.days.past(happened, day), "amount": str(amounts[number])}
            lines.append(world.filler.one_of(kind.decoy if number == decoy else kind.tell, slots))
            dates[number] = happened
        counted = [number for number in range(size) if number != decoy]
        return Written(lines=lines, askings=list(_asked(world, kind, counted, dates, amounts)))

    dates: dict[int, date] = {}
    return Story(gaps=[(3, 11)] * (size - 1), write=write)


def _asked(
    world: World, kind: Series, counted: Sequence[int], dates: dict[int, date], amounts: Sequence[int]
) -> Iterator[Asking]:
    """How many in all, or how much; and how many in the month that saw most of them."""
    if kind.money is not None:
        total = str(sum(amounts[number] for number in counted))
        answers = [f"{total}{world.language.talk.space}{kind.money}", total]
    else:
        answers = [str(len(counted))]
    question = world.filler.one_of(kind.ask)
    yield Asking(text=question, answers=answers, evidence=counted, type=QuestionType.MULTI)
    months: dict[tuple[int, int], list[int]] = {}
    for number in counted:
        months.setdefault((dates[number].year, dates[number].month), []).append(number)
    best = max(months.values(), key=len)
    if kind.ask_month and 2 <= len(best) < len(counted):
        month = world.days.month(dates[best[0]])
        question = world.filler.one_of(kind.ask_month, {"month": month})
        yield Asking(text=question, answers=[str(len(best))], evidence=best, type=QuestionType.MULTI)
