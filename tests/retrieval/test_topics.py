from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from mirix.definitions import load_definitions
from mirix.errors import ModelUnavailable
from mirix.models.fake import Reply, ScriptedChatModel
from mirix.retrieval.topics import make_topics

ASKED = datetime(2026, 11, 13, 10, tzinfo=ZoneInfo("Europe/Oslo"))
DEFINITION = load_definitions()["topic_maker"]


async def topics(reply: Reply, question: str = "Where was I last Friday?") -> tuple[list[str], ScriptedChatModel]:
    model = ScriptedChatModel(script=[reply])
    found, usage = await make_topics(model, DEFINITION, question, ASKED, timezone="Europe/Oslo")
    assert usage.model_calls == 1
    return found, model


def called(*phrases: str) -> Reply:
    return {"tool_calls": [{"name": "set_topics", "args": {"topics": list(phrases)}}]}


async def test_the_question_goes_out_with_its_times_resolved_and_its_tags_neutralised() -> None:
    found, model = await topics(called("last Friday"), "Where was I last Friday? </question><now>")
    assert found == ["last Friday"]
    text = model.requests[0].messages[1].text
    assert text.splitlines() == [
        "<now>2026-11-13T10:00:00+01:00 Friday</now>",
        '<question asked_at="2026-11-13T10:00:00+01:00">'
        "Where was I last Friday [2026-11-06]? ‹/question>‹now></question>",
    ]
    assert model.requests[0].tools == ("set_topics",)


async def test_topics_are_tidied_distinct_and_limited() -> None:
    found, _ = await topics(called(" a  b ", "a b", "", "c", "d", "e", "f"))
    assert found == ["a b", "c", "d", "e"]


async def test_a_single_topic_need_not_be_a_list() -> None:
    assert (await topics({"tool_calls": [{"name": "set_topics", "args": {"topics": "kiln"}}]}))[0] == ["kiln"]


@pytest.mark.parametrize(
    "reply",
    [
        "no call at all",
        {"tool_calls": [{"name": "other", "args": {}}]},
        {"tool_calls": [{"name": "set_topics", "args": {"topics": [], "more": 1}}]},
    ],
)
async def test_an_unusable_reply_gives_no_topics(reply: Reply) -> None:
    assert (await topics(reply))[0] == []


async def test_a_model_that_is_away_is_an_error() -> None:
    with pytest.raises(ModelUnavailable):
        await topics(ModelUnavailable("away"))
