"""Makes values of a shape, each only once a day, so that an answer never stands on the screen by accident."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # without I and O, which read as digits
_MIXED = _LETTERS + "23456789"
_KEY = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CARD_DIGITS = 16
_TRIES = 2000


class Mint:
    """Seeded. Every value is new, and none stands inside another."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._given: set[str] = set()

    def _new(self, make: Callable[[], str]) -> str:
        for _ in range(_TRIES):
            value = make()
            if not any(value in other or other in value for other in self._given):
                self._given.add(value)
                return value
        raise ValueError(f"no new value after {_TRIES} tries: give the mint more to choose from")

    def _text(self, letters: str, length: int) -> str:
        return "".join(self._rng.choice(letters) for _ in range(length))

    def code(self, prefix: str = "", digits: int = 5) -> str:
        """E.g. BW-48213."""
        return self._new(lambda: f"{prefix}{self._rng.randint(2 * 10 ** (digits - 1), 10**digits - 1)}")

    def booking(self) -> str:
        """Six letters and digits, with at least one digit."""
        return self._new(lambda: self._text(_LETTERS, 2) + self._text("23456789", 2) + self._text(_MIXED, 2))

    def money(self, low: int, high: int, sign: str = "£") -> str:
        def make() -> str:
            return (
                f"{sign}{self._rng.randint(low, high):,}.{self._rng.choice(['20', '35', '45', '60', '75', '80', '95'])}"
            )

        return self._new(make)

    def number(self, low: int, high: int) -> str:
        return self._new(lambda: f"{self._rng.randint(low, high):,}")

    def room(self, names: Sequence[str]) -> str:
        return self._new(lambda: f"{self._rng.choice(names)} {self._rng.randint(2, 5)}.{self._rng.randint(10, 39)}")

    def time(self, first: int = 9, last: int = 17) -> str:
        return self._new(
            lambda: f"{self._rng.randint(first, last):02d}:{self._rng.choice([5, 10, 20, 25, 35, 40, 50, 55]):02d}"
        )

    def pick(self, choices: Sequence[str]) -> str:
        """One of `choices` that was not given before."""
        return self._new(lambda: self._rng.choice(choices))

    def card(self) -> str:
        """A payment card number with a right check digit, in groups of four."""

        def make() -> str:
            start = self._rng.choice(["4", "51", "53", "55"])
            body = start + self._text("0123456789", _CARD_DIGITS - 1 - len(start))
            digits = body + luhn_digit(body)
            return " ".join(digits[start : start + 4] for start in range(0, _CARD_DIGITS, 4))

        return self._new(make)

    def api_key(self, prefix: str, length: int) -> str:
        return self._new(lambda: prefix + self._text(_KEY, length))

    def password(self) -> str:
        """Three words and signs, as people are told to make them; no dictionary knows the words."""
        return self._new(
            lambda: (
                f"{self._rng.choice(['Plover', 'Tern', 'Siskin', 'Dunlin', 'Wigeon'])}"
                f"{self._rng.choice('#!%+')}{self._rng.randint(1100, 9899)}{self._rng.choice('xkwz')}"
                f"{self._rng.choice(['Quay', 'Moor', 'Fell', 'Beck'])}"
            )
        )

    def recovery(self) -> str:
        return self._new(lambda: "-".join(self._text(_MIXED, 4) for _ in range(4)))


def luhn_digit(body: str) -> str:
    """The check digit that makes `body` a valid card number."""
    total = 0
    for position, character in enumerate(reversed(body)):
        doubled = int(character) * (2 if position % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)
