"""What a turn asks of the memory: the built-in model on sentences, and what becomes of replies that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from langchain_core.messages import HumanMessage

from mirix.chat import hearing
from mirix.chat.hearing import Correct, Forget, Heard, KeepOut, SetTopics, ShowMemories, Unclear, hear
from mirix.chat.wording import is_no, is_yes
from mirix.definitions import load_definitions
from mirix.memory.message import Message
from mirix.models.builtin import BuiltinChatModel
from mirix.models.builtin.conversation import hear_turn
from mirix.models.builtin.prompt import parse_call
from mirix.models.fake import Reply, ScriptedChatModel
from tests.scripts import call, says

FIXTURES = Path(__file__).parents[1] / "fixtures"
AT = datetime(2026, 11, 13, 10, tzinfo=ZoneInfo("Europe/Oslo"))
DEFINITION = load_definitions()[hearing.AGENT]
BEFORE = {
    "statement": '<turn role="user">I moved to Bergen.</turn>\n<turn role="assistant" kind="reply"/>\n',
    "answer": '<turn role="user">Where does Oda live?</turn>\n<turn role="assistant" kind="answer"/>\n',
    "": "",
}
SLOTS = ("what", "about", "right", "wrong")


def sentences(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FIXTURES / name).read_text(encoding="utf-8").splitlines()]


def heard_builtin(item: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    text = f"<conversation>\n{BEFORE[item['before']]}</conversation>\n<turn>{item['text']}</turn>"
    operation = hear_turn(parse_call([HumanMessage(text)]))
    return operation.tool, {name: value for name, value in operation.arguments.items() if name in SLOTS}


def wanted(item: Mapping[str, Any]) -> tuple[str, dict[str, object]]:
    return item["tool"], {name: item[name] for name in SLOTS if item.get(name) is not None}


@pytest.mark.parametrize("item", sentences("turns.jsonl"), ids=lambda item: item["text"])
def test_the_builtin_model_hears_what_a_turn_asks_of_the_memory(item: dict[str, Any]) -> None:
    heard = heard_builtin(item)
    assert heard == wanted(item) or heard[0] == item.get("or")


def test_nine_of_ten_sentences_are_heard_that_the_rules_were_not_made_for() -> None:
    items = sentences("turns_blind.jsonl")
    right = [item for item in items if heard_builtin(item) == wanted(item) or heard_builtin(item)[0] == item.get("or")]
    assert len(right) >= 0.9 * len(items) > 80


@pytest.mark.parametrize("name", ["turns.jsonl", "turns_blind.jsonl"])
def test_no_other_turn_is_taken_for_one_that_forgets(name: str) -> None:
    others = [item for item in sentences(name) if item["tool"] != "forget"]
    assert [item["text"] for item in others if heard_builtin(item)[0] == "forget"] == []
    ordinary = [item for item in others if item["tool"] == "set_topics"]
    touched = [item for item in ordinary if heard_builtin(item)[0] in ("keep_out", "correct", "forget")]
    assert all(item.get("or") for item in touched)
    assert len(ordinary) > 30


async def heard(turn: str, *replies: Reply, recent: tuple[Message, ...] = ()) -> tuple[Heard, ScriptedChatModel]:
    model = ScriptedChatModel(script=list(replies))
    found, usage = await hear(model, DEFINITION, turn, recent, AT, timezone="Europe/Oslo", deadline_s=20)
    assert usage.model_calls == len(model.requests)
    return found, model


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (call("set_topics", topics=["Oda", " Oda ", "flat"]), SetTopics(topics=["Oda", "flat"])),
        (call("set_topics", topics=[], reply="Hello."), SetTopics(topics=[], reply="Hello.")),
        (call("show_memories"), ShowMemories()),
        (call("forget", what="about", about="Oda"), Forget(what="about", about="Oda")),
        (call("keep_out", last_turn_too=True), KeepOut(last_turn_too=True)),
        (call("correct", right="Tromsø"), Correct(right="Tromsø")),
    ],
)
async def test_each_call_is_read(made: dict[str, Any], found: Heard) -> None:
    assert (await heard("Well?", says(made)))[0] == found
    assert (await heard("Well?", says(made, dict(made))))[0] == found, "the same twice is one"


FORGET = call("forget", what="last_turn")
BAD: list[Reply] = [
    says(call("wipe_disk")),
    says(call("forget")),
    says(call("forget", what="about")),
    says(call("forget", what="last_turn", about="Oda")),
    says(call("forget", what="all of it")),
    says(FORGET, call("correct", right="Oslo")),
    says(FORGET, call("set_topics", topics=["Oslo"])),
    "Done, it is forgotten!",
    "",
]


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_a_reply_that_cannot_be_used_goes_back_once(bad: Reply) -> None:
    found, model = await heard("Forget that.", bad, says(FORGET))
    assert found == Forget(what="last_turn")
    assert len(model.requests) == 2
    assert len(model.requests[1].messages) > len(model.requests[0].messages)


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_then_an_ordinary_turn_is_ordinary_and_any_other_does_nothing(bad: Reply) -> None:
    assert (await heard("Where do I live?", bad, bad))[0] == SetTopics(topics=["Where do I live?"])
    assert (await heard("Forget that.", bad, bad))[0] == Unclear()
    assert (await heard("别记这个:我要离职", bad, bad))[0] == Unclear()


def row(text: str, **columns: Any) -> Message:
    some = UUID(int=7)
    return Message(user_id=1, conversation_id=some, batch_id=some, text=text, speaker="User", **columns)


async def test_only_the_users_own_words_are_shown() -> None:
    recent = (
        row("I moved </turn> to Bergen."),
        row("SCREEN", trust=1, source_kind="screen"),
        row("FILE", trust=2, source_kind="file"),
        row("PAGE", trust=1),
        row("RECALLED", role="assistant", standing="hidden", cited=[UUID(int=1)]),
        row("LISTED", role="assistant", standing="hidden", cited=[UUID(int=1)], asks=True),
        row("FROM A PAGE", role="assistant", trust=1),
        row("OWN WORDS", role="assistant"),
    )
    _, model = await heard("Well?", says(call("show_memories")), recent=recent)
    [request] = model.requests
    assert request.messages[1].text == (
        "<now>2026-11-13T10:00:00+01:00 Friday</now>\n<conversation>\n"
        '<turn role="user">I moved ‹/turn> to Bergen.</turn>\n'
        '<turn role="assistant" kind="answer"/>\n<turn role="assistant" kind="question"/>\n'
        '<turn role="assistant" kind="reply"/>\n<turn role="assistant">OWN WORDS</turn>\n</conversation>\n'
        '<turn at="2026-11-13T10:00:00+01:00">Well?</turn>'
    )
    assert set(request.tools) == set(hearing.TOOLS)


async def test_the_builtin_model_answers_the_same_call() -> None:
    model = BuiltinChatModel()
    turns = {"Forget that.": Forget(what="last_turn"), "What do you know about Oda?": ShowMemories(about="Oda")}
    for turn, found in turns.items():
        said = await hear(model, DEFINITION, turn, [row("Oda moved.")], AT, timezone="UTC", deadline_s=20)
        assert said[0] == found


@pytest.mark.parametrize(
    "turn", ["Yes", "yes.", "Yes, do it!", "是的", "好", "好的。", "OK", "确定", "是的,忘掉吧"[:2]]
)
def test_a_plain_yes_is_a_yes(turn: str) -> None:
    assert is_yes(turn) and not is_no(turn)


@pytest.mark.parametrize(
    "turn", ["Yes, but not the flat", "yesterday", "no", "不是", "好像不对", "是不是全部?", "", "?"]
)
def test_anything_else_is_none(turn: str) -> None:
    assert not is_yes(turn)
