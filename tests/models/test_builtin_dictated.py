"""A procedure told a step a turn is filed as one, and talk that only looks like it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mirix.models.builtin.dictated import find_dictations
from mirix.models.builtin.nearest import plain_nearest
from mirix.models.builtin.procedures import draft_procedural
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.routing import route_messages

AT = datetime(2026, 11, 13, 9, 12, tzinfo=UTC)
VARNISH = (
    "The varnish on the dinghy, once a year. Sand it with the fine paper.",
    "And then?",
    "Wipe off the dust with a wet cloth.",
    "Next.",
    "Brush on two thin coats.",
)
KILN = ("窑是这么烧的:先开底下的风门。", "升到三百度停半小时。", "好,接着说。", "再升到九百度。", "关火,闷一夜。")


def talk(*texts: str, minutes: float = 1.0) -> list[Message]:
    """What the assistant says ends in a question mark or is one of its prompts."""
    return [
        Message(
            handle=f"e{number}",
            at=AT + timedelta(minutes=minutes * number),
            role="assistant" if text in {"And then?", "Next.", "好,接着说。"} or text.startswith("Lovely") else "user",
            speaker="",
            source="chat",
            title="",
            text=text,
            is_context=False,
        )
        for number, text in enumerate(texts, 1)
    ]


@pytest.mark.parametrize(
    ("texts", "heading", "steps"),
    [
        (
            VARNISH,
            "The varnish on the dinghy, once a year",
            ("Sand it with the fine paper", "Wipe off the dust with a wet cloth", "Brush on two thin coats"),
        ),
        (KILN, "窑是这么烧的", ("开底下的风门", "升到三百度停半小时", "升到九百度", "关火,闷一夜")),
    ],
    ids=["en", "zh"],
)
def test_steps_told_one_a_turn_are_one_procedure(texts: tuple[str, ...], heading: str, steps: tuple[str, ...]) -> None:
    messages = talk(*texts)
    (found,) = find_dictations(messages)
    assert (found.heading, found.steps) == (heading, steps)
    told = [message.handle for message in messages if message.role == "user"]
    assert [message.handle for message in found.messages] == told
    (draft,) = draft_procedural(messages, plain_nearest())
    assert (draft.item["summary"], draft.item["steps"], list(draft.handles)) == (heading, list(steps), told)


def test_each_step_is_routed_to_procedures_and_nowhere_else() -> None:
    opening, *others = route_messages(talk(*VARNISH), plain_nearest())
    assert "procedural" in opening.kinds
    assert [each.kinds for each in others] == [{"procedural"}, {"procedural"}]


@pytest.mark.parametrize(
    ("texts", "minutes"),
    [
        (VARNISH, 6.0),
        (VARNISH[:3], 1.0),
        (("The varnish. Sand it well.", "I wiped it all off.", "Brush on two thin coats.", "Dry it in the sun."), 1.0),
        (("The varnish. Sand it well.", "Is it dry?", "Brush on two thin coats.", "Dry it in the sun."), 1.0),
        (("Rhyme with boat. Write two lines.", "Lovely weather for a boat, a gull, a goat.", *VARNISH[1:]), 1.0),
        (("今天够忙。 扫了院子。", "买了两斤米。", "修好了水管。", "睡了一下午。"), 1.0),
        (("Sand it well.", "Brush on two coats.", "Dry it in the sun."), 1.0),
    ],
    ids=["hours apart", "two steps", "told once", "a question", "a task done at once", "a day told", "no heading"],
)
def test_other_talk_is_no_procedure(texts: tuple[str, ...], minutes: float) -> None:
    assert find_dictations(talk(*texts, minutes=minutes)) == []
