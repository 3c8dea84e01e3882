from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mirix.retrieval.latest import Latest, Told, replaced_by

START = datetime(2026, 3, 2, tzinfo=UTC)


def past(keeps: Latest, *texts: str) -> dict[int, int]:
    """By number of the text, from 0: what is past, and what took its place."""
    told = [Told(id=str(n), at=START + timedelta(days=n), text=text) for n, text in enumerate(texts)]
    return {int(old): int(new) for old, new in replaced_by(reversed(told), keeps).items()}


@pytest.mark.parametrize(
    ("keeps", "older", "newer"),
    [
        (Latest.CHANGE, "My usual: black filter coffee, large.", "I switched from black coffee to herbal infusions."),
        (Latest.CHANGE, "平时喝拿铁咖啡。", "拿铁咖啡戒了,改喝白开水。"),
        (Latest.CHANGE, "Choir practice is every Monday.", "Choir practice moved to Wednesdays."),
        (Latest.DRINK, "I drink coffee, black, all day.", "The doctor made me cut the coffee, I'm on nettle tea now."),
        (Latest.DRINK, "平时只喝奶茶。", "戒了,改喝白开水。"),
        (Latest.HOME, "Home is 4 Cooper Row.", "We're in. 9 Tanner Lane, and no stairs."),
        (Latest.MEASURE, "Rufus weighs 9 kg.", "Rufus is 11 kg, says the vet."),
        (Latest.MEASURE, "豆包称了,三公斤。", "豆包四公斤了。"),
        (Latest.HOME, "I live above a bakery.", "We moved into the house by the lake."),
        (Latest.HOME, "我住在北门外。", "搬完了,在湖边。"),
    ],
)
def test_a_later_value_leaves_the_earlier_one_behind(keeps: Latest, older: str, newer: str) -> None:
    assert past(keeps, older, newer) == {0: 1}


@pytest.mark.parametrize(
    ("keeps", "older", "newer"),
    [
        (Latest.CHANGE, "The mail password is {{vault:k7q2mn}}.", "New password for the router: {{vault:a1b2cd}}."),
        (Latest.CHANGE, "Choir practice is every Monday.", "Now I learn to sail, every Sunday."),
        (Latest.CHANGE, "My usual: black filter coffee.", "I love black filter coffee."),
        (Latest.CHANGE, "合唱团每周一晚上。", "现在学划船,每周日。"),
        (Latest.MEASURE, "Rufus weighs 9 kg.", "Rufus slept for 9 hours."),
        (Latest.MEASURE, "Rufus weighs 9 kg.", "The path is 9 km long."),
        (Latest.HOME, "I like the lake.", "We moved into the house by the lake."),
        (Latest.HOME, "I live above a bakery.", "I looked at a house by the lake."),
    ],
)
def test_what_speaks_of_something_else_or_of_no_change_leaves_nothing_behind(
    keeps: Latest, older: str, newer: str
) -> None:
    assert past(keeps, older, newer) == {}


def test_of_three_values_the_newest_takes_the_place_of_both() -> None:
    assert past(Latest.MEASURE, "Rufus: 9 kg.", "Rufus: 10 kg.", "Rufus: 11 kg.") == {0: 2, 1: 2}
