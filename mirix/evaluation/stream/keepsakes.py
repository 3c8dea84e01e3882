"""What is kept word for word (codes, passwords, numbers), what is taught step by step, and who somebody is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from mirix.evaluation.lifelog import QuestionType
from mirix.evaluation.stream.circle import Someone
from mirix.evaluation.stream.language import Procedure, Secret
from mirix.evaluation.stream.story import Asking, Story, World, Written

_STARTS, _VOWELS, _ENDS = "bdfgklmnprstvz", "aeiou", "lmnrsk"
_CAPITALS = "BCDFGHJKLMNPQRSTVWXZ"
_AREA_CODES = ("0512", "0571", "0592", "0755", "0731", "0871")
_ONE_MESSAGE = 0.5  # share of the procedures that are told in one go


def _syllable(world: World) -> str:
    return "".join(world.rng.choice(letters) for letters in (_STARTS, _VOWELS, _ENDS))


def _digits(world: World, count: int) -> str:
    return "".join(world.rng.choice("0123456789") for _ in range(count))


def _letters(world: World, count: int) -> str:
    return "".join(world.rng.choice(_CAPITALS) for _ in range(count))


def _password(world: World) -> str:
    sign = world.rng.choice("-_+=")
    words = [(_syllable(world) + _syllable(world)).capitalize() for _ in range(2)]
    return f"{words[0]}{sign}{words[1]}{_digits(world, 2)}"


def _phone(world: World) -> str:
    # Kept free for fiction by the British regulator; in China a local number that begins with 1 is no number.
    if world.language.is_chinese:
        return f"{world.rng.choice(_AREA_CODES)}-10{_digits(world, 6)}"
    return world.rng.choice(("07700 900", "01632 960", "020 7946 0")) + _digits(world, 3)


_SHAPES: Mapping[str, Callable[[World], str]] = {
    "password": _password,
    "digits": lambda world: _digits(world, 6),
    "booking": lambda world: _letters(world, 2) + _digits(world, 1) + _letters(world, 1) + _digits(world, 2),
    "member": lambda world: f"{_letters(world, 2)}-{_digits(world, 3)}-{_digits(world, 4)}",
    "phone": _phone,
    "serial": lambda world: f"{_letters(world, 1)}{_digits(world, 3)}{_letters(world, 2)}{_digits(world, 5)}",
}


def make_value(world: World, shape: str) -> str:
    """A secret that no life of this run has."""
    while True:
        value = _SHAPES[shape](world)
        if value not in world.secrets:
            world.secrets.add(value)
            return value


def secret(world: World, kind: Secret, slots: dict[str, str], *, changes: bool) -> Story:
    """A secret, and what replaces it if it changes."""
    filler, old = world.filler, make_value(world, kind.shape)
    lines = [filler.one_of(kind.tell, {**slots, "value": old})]
    value = old
    if changes:
        value = make_value(world, kind.shape)
        lines.append(filler.one_of(kind.change, {**slots, "value": value}))

    def write(days: Sequence[date]) -> Written:
        type_ = QuestionType.UPDATE if changes else QuestionType.VAULT
        return Written(lines=lines, askings=[_asking(world, kind.ask, slots, [value], range(len(lines)), type_)])

    return Story(gaps=[(10, 120)] if changes else [], write=write)


def untold_secret(world: World, kind: Secret, slots: dict[str, str]) -> Asking:
    return _asking(world, kind.ask, slots, ["unknown"], [], QuestionType.ABSTAIN)


def procedure(world: World, kind: Procedure) -> Story:
    """Taught in one message, or a step a message."""
    filler, space = world.filler, world.language.talk.space
    steps = [filler.fill(step) for step in kind.steps]
    stop, comma = ("。", "，然后") if world.language.is_chinese else (".", ", then ")
    intro = filler.one_of(kind.intro)
    if world.rng.random() < _ONE_MESSAGE:
        lines = [f"{intro}{space}{comma.join(steps)}{stop}"]
    else:
        lines = [f"{intro}{space}{steps[0]}{stop}", *(f"{step}{stop}" for step in steps[1:])]
    answer = ("，" if world.language.is_chinese else ", ").join(steps)

    def write(days: Sequence[date]) -> Written:
        return Written(
            lines=lines,
            askings=[_asking(world, kind.ask, {}, [answer], range(len(lines)), QuestionType.PROCEDURE)],
        )

    return Story(
        gaps=[(0, 0)] * (len(lines) - 1), write=write, alone=frozenset(range(len(lines))), is_lesson=len(lines) > 1
    )


def introduction(world: World, who: Someone) -> Story:
    """Who a relative is by name, or where one knows somebody from."""
    forms = world.language.circle
    tell, ask = (forms.name_tell, forms.name_ask) if who.is_family else (forms.meet_tell, forms.meet_ask)
    line = world.filler.one_of(tell, who.slots)
    answer = who.slots["first" if who.is_family else "tie"]

    def write(days: Sequence[date]) -> Written:
        return Written(lines=[line], askings=[_asking(world, ask, who.slots, [answer], [0], QuestionType.SINGLE)])

    return Story(gaps=[], write=write)


def twins(world: World, one: Someone, other: Someone) -> Story:
    """That there are two of one first name; nothing is asked of it."""
    slots = {"first": one.slots["first"], "one": one.refs[0], "other": other.refs[0]}
    line = world.filler.one_of(world.language.circle.twins_tell, slots)
    return Story(gaps=[], write=lambda days: Written(lines=[line]))


def _asking(
    world: World,
    forms: Sequence[str],
    slots: Mapping[str, str],
    answers: Sequence[str],
    evidence: Sequence[int],
    kind: QuestionType,
) -> Asking:
    return Asking(text=world.filler.one_of(forms, slots), answers=answers, evidence=evidence, type=kind)
