"""The people and animals of a life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mirix.evaluation.stream.filling import Filler, take
from mirix.evaluation.stream.language import About, Language

_FAMILY = 10
_OTHERS = 16
_PETS = 3
_TWINS = 4  # pairs of one first name


@dataclass(frozen=True, kw_only=True)
class Someone:
    about: About
    slots: Mapping[str, str]  # first, surname, tie or role, pronouns
    refs: tuple[str, ...]  # what they are called in passing
    asked: tuple[str, ...]  # what they are called in a question: always enough to know who is meant
    twin: int | None = None  # the number of the pair

    @property
    def is_family(self) -> bool:
        return "role" in self.slots


@dataclass(frozen=True, kw_only=True)
class Circle:
    me: Someone
    people: tuple[Someone, ...]
    pets: tuple[Someone, ...]
    unknown: tuple[Someone, ...]  # relatives whose names are never told

    @property
    def twins(self) -> list[tuple[Someone, Someone]]:
        pairs = []
        for number in range(_TWINS):
            one, other = (each for each in self.people if each.twin == number)
            pairs.append((one, other))
        return pairs


def make_circle(language: Language, filler: Filler) -> Circle:
    """Who there is. Their names are barred from all other use, so that nobody else bears one."""
    rng, forms = filler.rng, language.circle
    first_names = {key: list(language.words[word]) for key, word in (("she", "woman"), ("he", "man"))}
    surnames = list(language.words["surname"])
    ties = list(language.words["tie"])

    def name_of(gender: str) -> str:
        name = take(rng, first_names[gender])
        filler.barred.add(name)
        return name

    def surname() -> str:
        name = take(rng, surnames)
        filler.barred.add(name)
        return name

    me = Someone(about="me", slots={"first": name_of(rng.choice(["she", "he"]))}, refs=(), asked=())
    roles = [(gender, role) for gender in ("she", "he") for role in getattr(forms, gender)]
    family: list[Someone] = []
    unknown: list[Someone] = []
    for number in range(_FAMILY + 4):
        gender, role = take(rng, roles)
        slots = {"first": name_of(gender), "role": role, **forms.pronouns[gender]}
        refs = tuple(filler.fill(form, slots) for form in forms.family_refs)
        (family if number < _FAMILY else unknown).append(Someone(about="person", slots=slots, refs=refs, asked=refs))
    others: list[Someone] = []
    for number in range(_OTHERS):
        gender = rng.choice(["she", "he"])
        slots = {"first": name_of(gender), "surname": surname(), "tie": take(rng, ties), **forms.pronouns[gender]}
        if number >= _TWINS:
            refs = tuple(filler.fill(form, slots) for form in forms.other_refs)
            asked = tuple(ref for ref in refs if ref != slots["first"])
            others.append(Someone(about="person", slots=slots, refs=refs, asked=asked))
            continue
        for form in forms.twin_refs:
            both = {**slots, "surname": surname(), "tie": take(rng, ties)}
            ref = (filler.fill(form, both),)
            others.append(Someone(about="person", slots=both, refs=ref, asked=ref, twin=number))
    pets = []
    animals = list(language.words["dogname"])
    for _ in range(_PETS):
        name = take(rng, animals)
        filler.barred.add(name)
        pets.append(Someone(about="pet", slots={"first": name}, refs=(name,), asked=(name,)))
    return Circle(me=me, people=(*family, *others), pets=tuple(pets), unknown=tuple(unknown))
