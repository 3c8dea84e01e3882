"""Questions that need two facts: who is who of two with one name, and something about the person who does something."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mirix.evaluation.stream.facts import Known
from mirix.evaluation.stream.filling import with_articles
from mirix.evaluation.stream.story import World


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A question over several stories."""

    text: str
    answers: Sequence[str]
    facts: tuple[Known, Known]


def which_is_which(world: World, known: Sequence[Known]) -> Iterator[Joined]:
    """For two of one first name, by what each is known for."""
    forms = world.language.circle
    for one, other in world.circle.twins:
        mine = [fact for fact in known if fact.pair.who is one and fact.pair.attribute.that]
        theirs = [fact for fact in known if fact.pair.who is other and fact.pair.attribute.that]
        for first, second in zip(mine, theirs, strict=False):
            said = {"one": _that(first), "other": _that(second), "name": one.slots["first"]}
            answer = forms.two_answer.format(**said, a=one.refs[0], b=other.refs[0])
            yield Joined(text=world.filler.one_of(forms.which_two, said), answers=[answer], facts=(first, second))


def by_description(world: World, known: Sequence[Known]) -> Iterator[Joined]:
    """What is so of the person who is so."""
    for key in known:
        if key.pair.attribute.that is None:
            continue
        for fact in known:
            asks = [form for form in fact.pair.attribute.ask if "{his}" not in form]
            if fact.pair.who is not key.pair.who or fact is key or not asks or fact.pair.who.twin is not None:
                continue
            someone = world.filler.fill(world.language.circle.someone, {"that": _that(key)})
            slots = {**fact.pair.who.slots, "who": someone}
            yield Joined(text=world.filler.one_of(asks, slots), answers=[fact.value], facts=(key, fact))
            break


def _that(fact: Known) -> str:
    return with_articles((fact.pair.attribute.that or "").format(value=fact.value))
