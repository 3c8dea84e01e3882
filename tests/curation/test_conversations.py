"""Conversations as a list, and what was said in one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mirix.errors import InputError, NotFoundError
from tests.curation.conftest import World

MAY = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


async def test_the_conversation_spoken_in_last_comes_first(world: World) -> None:
    await world.say("Oda mends clocks.", at=MAY, conversation="clocks")
    await world.say("我们坐渡轮去。\n明天早上。", at=MAY + timedelta(days=2), conversation="渡轮")
    await world.say("She is slow.", at=MAY + timedelta(days=1), conversation="clocks")
    ferry, clocks = await world.memory.conversations()
    assert (ferry.name, ferry.opening, ferry.messages) == ("渡轮", "我们坐渡轮去。 明天早上。", 1)
    assert (clocks.name, clocks.opening, clocks.messages) == ("clocks", "Oda mends clocks.", 2)
    assert (clocks.first_at, clocks.last_at) == (MAY, MAY + timedelta(days=1))


async def test_a_long_opening_is_cut_at_a_word(world: World) -> None:
    await world.say("herons and boats " * 50)
    (one,) = await world.memory.conversations()
    assert len(one.opening) <= 80 and one.opening.endswith("…")


async def test_the_last_messages_come_oldest_first(world: World) -> None:
    for number in range(4):
        await world.say(f"Boat {number}.")
    assert [message.text for message in await world.memory.messages(limit=2)] == ["Boat 2.", "Boat 3."]


async def test_a_conversation_is_of_one_user_and_has_to_be_there(world: World) -> None:
    await world.say("Oda mends clocks.", conversation="clocks")
    await world.memory.add("Hello.", user_id="boris")
    assert [one.name for one in await world.memory.conversations(user_id="boris")] == ["default"]
    with pytest.raises(NotFoundError, match="no conversation 'clocks'"):
        await world.memory.messages("clocks", user_id="boris")
    with pytest.raises(InputError, match="limit"):
        await world.memory.messages("clocks", limit=0)
