"""Fresh values."""

from __future__ import annotations

import random

import pytest

from mirix.text.secrets import find_secrets
from mirix_desktop.days.mint import Mint, luhn_digit


def test_no_value_is_given_twice_and_none_stands_inside_another() -> None:
    mint = Mint(random.Random(4))
    values = [mint.code(digits=3) for _ in range(60)] + [mint.code(digits=5) for _ in range(60)]
    assert not any(one in other for one in values for other in values if one is not other)


def test_running_out_of_choices_is_told() -> None:
    mint = Mint(random.Random(4))
    mint.pick(["only"])
    with pytest.raises(ValueError, match="more to choose from"):
        mint.pick(["only"])


def test_the_check_digit_is_that_of_known_numbers() -> None:
    assert luhn_digit("7992739871") == "3"


def test_cards_and_keys_look_like_what_they_stand_for() -> None:
    mint = Mint(random.Random(9))
    for value in [mint.card() for _ in range(20)] + [mint.api_key("sk_live_", 32) for _ in range(20)]:
        assert [span.value for span in find_secrets(value)] == [value]
