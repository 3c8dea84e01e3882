"""Models that get it wrong, over real HTTP: what is wrong is told once, what stays wrong never stops what is right."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from mirix.errors import MirixError, ModelError, ModelReplyError, ModelUnavailable
from mirix.models.fake_server import FakeOpenAI, ServerReply
from mirix.system import AsyncMirix
from tests.scripts import (
    META,
    OpenMirix,
    Rows,
    call,
    knowledge,
    semantic_item,
    served,
    served_routes,
    server_script,
    texts,
)

ODA = knowledge("Oda", "Repairs harpsichords")
PIA = knowledge("Pia", "Plays the harpsichord")
INSERT = "semantic_memory_insert"
SOON = {"retry-after-ms": "5"}
TEXT = "Oda repairs harpsichords in Tromsø."


def told(server: FakeOpenAI, number: int = -1) -> list[str]:
    """What the results of a request's tool calls said."""
    messages = server.chat_requests[number].body["messages"]
    return [message["content"] for message in messages if message["role"] == "tool"]


async def add_with(open_mirix: OpenMirix, semantic: Sequence[ServerReply], **more: Any) -> tuple[Any, Any, FakeOpenAI]:
    replies = {META: [served_routes(semantic=["e1"])], INSERT: semantic}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url, **more)
        return memory, await memory.add(TEXT), server


WRONG: dict[str, tuple[tuple[str, Any], str]] = {
    "malformed JSON": ((INSERT, '{"items": [{"name": "Oda"'), "JSON"),
    "no object": ((INSERT, "[1, 2]"), "JSON object"),
    "an unknown tool": (("remember_this", {"text": "x"}), "there is no tool 'remember_this'"),
    "another manager's tool": (("core_memory_append", {"lines": []}), "there is no tool 'core_memory_append'"),
    "an unknown memory": (("semantic_memory_delete", {"memory": "m99", "reason": "old"}), "no memory 'm99' was shown"),
    "an unknown message": ((INSERT, {"items": [semantic_item("A", "a", messages=["e9"])]}), "no message 'e9'"),
    "a wrong type": ((INSERT, {"items": "Oda"}), "items: Input should be a valid list"),
    "an unknown kind": ((INSERT, {"items": [semantic_item("A", "a", kind="ship")]}), "kind"),
    "a missing field": ((INSERT, {"items": [{"name": "Oda", "kind": "person", "summary": "x"}]}), "details: Field req"),
    "an extra key": ((INSERT, {"items": [semantic_item("A", "a", colour="red")]}), "colour: Extra inputs"),
    "an empty summary": ((INSERT, {"items": [semantic_item("A", "  ")]}), "summary: String should have at least 1"),
    "no items": ((INSERT, {"items": []}), "items: List should have at least 1"),
    "nothing to change": (("semantic_memory_update", {"memory": "m1", "changes": {}}), "changes is empty"),
    "a name beyond measure": ((INSERT, {"items": [semantic_item("A" * 300, "a")]}), "at most 200"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_call_is_told_once_and_what_stays_wrong_does_not_stop_the_rest(
    open_mirix: OpenMirix, rows: Rows, wrong: str
) -> None:
    bad, words = WRONG[wrong]
    good = [(each["name"], each["args"]) for each in (ODA, PIA)]
    semantic = [
        *(ServerReply(text=None, tool_calls=calls) for calls in ([bad], [good[0]])),  # mended
        *(ServerReply(text=None, tool_calls=calls) for calls in ([good[1], bad], [bad])),  # never mended
    ]
    with FakeOpenAI(server_script({META: [served_routes(semantic=["e1"])] * 2, INSERT: semantic})) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        mended = await memory.add(TEXT)
        [error] = told(server)
        unmended = await memory.add("Pia plays the harpsichord.")
        answers = told(server)
    assert words in error and error.startswith("error: ")
    assert (mended.batches[0].problems, mended.usage.model_calls) == ((), 3)
    assert answers[0] == "ok" and words in answers[1]
    [problem] = unmended.batches[0].problems
    assert problem.startswith("semantic_memory_manager: ") and words in problem
    assert await texts(memory) == ["Plays the harpsichord", "Repairs harpsichords"]
    states = rows("SELECT state, problems FROM batch ORDER BY position")
    assert states == [{"state": "applied", "problems": []}, {"state": "applied", "problems": [problem]}]


async def test_a_model_that_repeats_what_was_right_in_its_repair_files_it_once(open_mirix: OpenMirix) -> None:
    memory, result, _ = await add_with(open_mirix, [served(ODA, knowledge("Pia", "")), served(ODA, PIA)])
    assert await texts(memory) == ["Plays the harpsichord", "Repairs harpsichords"]
    assert len(result.changes) == 2 and result.batches[0].problems == ()


async def test_two_changes_of_one_memory_are_told_apart_instead_of_failing_for_ever(open_mirix: OpenMirix) -> None:
    update = call("semantic_memory_update", memory="m1", changes={"summary": "Tunes harpsichords"})
    supersede = call("semantic_memory_supersede", memory="m1", item=semantic_item("Oda", "Retired"))
    replies = {
        META: [served_routes(semantic=["e1"])] * 2,
        INSERT: [served(ODA), served(update, supersede), served(supersede)],
    }
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        await memory.add(TEXT)
        result = await memory.add("Oda does something else now.")
        assert "m1' is changed already" in told(server)[1]
    assert await texts(memory) == ["Tunes harpsichords"]
    assert len(result.batches[0].problems) == 1


@pytest.mark.parametrize("text", ["", "<think>nothing to see</think>", " \n"])
async def test_an_empty_answer_is_asked_for_once_more(open_mirix: OpenMirix, text: str) -> None:
    memory, _, server = await add_with(open_mirix, [ServerReply(text=text), served(ODA)])
    assert "The reply was empty" in server.chat_requests[-1].text
    assert await texts(memory) == ["Repairs harpsichords"]


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>\n{json.dumps({'name': INSERT, 'arguments': ODA['args']})}\n</tool_call>",
        f"Here you are:\n```json\n{json.dumps({'name': INSERT, 'arguments': ODA['args']})}\n```",
        f"[TOOL_CALLS] {json.dumps([{'name': INSERT, 'arguments': ODA['args']}])}",
    ],
    ids=["tags", "fence", "mistral"],
)
async def test_a_call_written_as_text_is_taken(open_mirix: OpenMirix, text: str) -> None:
    memory, result, _ = await add_with(open_mirix, [ServerReply(text=text)])
    assert await texts(memory) == ["Repairs harpsichords"]
    assert result.usage.model_calls == 2


async def test_the_meta_manager_gets_one_repair_too(open_mirix: OpenMirix) -> None:
    wrong = served(call(META, updates=[{"memory_type": "semantic", "messages": ["e5"]}]))
    replies = {META: [wrong, served_routes(semantic=["e1"])], INSERT: [served(ODA)]}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        await memory.add(TEXT)
        assert "no message 'e5' was shown; there are: e1" in told(server, 1)[0]
    assert await texts(memory) == ["Repairs harpsichords"]


async def test_characters_that_postgres_cannot_hold_do_not_stop_a_batch(open_mirix: OpenMirix) -> None:
    odd = '{"items": [{"name": "Oda\\u0000", "kind": "person", "summary": "Re\\ud800pairs", "details": "x"}]}'
    memory, result, _ = await add_with(open_mirix, [ServerReply(text=None, tool_calls=[(INSERT, odd)])])
    assert await texts(memory) == ["Re\ufffdpairs"]
    assert result.batches[0].problems == ()


async def test_times_beyond_measure_are_told(open_mirix: OpenMirix) -> None:
    tool = "episodic_memory_insert"

    def event_at(moment: str) -> ServerReply:
        item = {"summary": "Big bang", "details": "Loud.", "occurred_at": moment}
        return served(call(tool, items=[item]))

    replies = {META: [served_routes(episodic=["e1"])], tool: [event_at("9999-12-31"), event_at("2026-06-01")]}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        await memory.add("There was a big bang.")
        assert "years from 1000 to 3000" in told(server)[0]
    [record] = await memory.get_all()
    assert record.occurred_at is not None and record.occurred_until is not None
    assert (record.occurred_at.isoformat(), (record.occurred_until - record.occurred_at).days) == (
        "2026-05-31T22:00:00+00:00",
        1,
    )


# ---- servers that fail ----


async def test_a_server_that_asks_to_wait_is_asked_again(open_mirix: OpenMirix) -> None:
    replies = {
        META: [ServerReply(status=429, headers=SOON), served_routes(semantic=["e1"])],
        INSERT: [ServerReply(status=500, headers=SOON), ServerReply(status=503, headers=SOON), served(ODA)],
    }
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        await memory.add(TEXT)
        assert len(server.chat_requests) == 5
    assert await texts(memory) == ["Repairs harpsichords"]


AWAY: dict[str, list[ServerReply]] = {
    "429 for ever": [ServerReply(status=429, headers=SOON)] * 3,
    "500 for ever": [ServerReply(status=500, headers=SOON)] * 3,
    "hangs": [ServerReply(hangs=True)],
    "connection cut": [ServerReply(text="x", cut_after=0, headers=SOON)] * 3,
}


@pytest.mark.parametrize("away", AWAY)
async def test_evidence_outlives_a_model_that_is_away_and_flush_finishes(
    open_mirix: OpenMirix, rows: Rows, away: str
) -> None:
    limit = 0.3 if away == "hangs" else 10.0
    replies = {META: [*AWAY[away], served_routes(semantic=["e1"])], INSERT: [served(ODA)]}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url, model_timeout_s=limit)
        begin = time.monotonic()
        with pytest.raises(ModelUnavailable):
            await memory.add(TEXT)
        assert time.monotonic() - begin < 10
        await check_kept(memory, rows)
        assert await memory.flush() == 1
    assert await texts(memory) == ["Repairs harpsichords"]
    assert (await memory.status()).waiting == 0


async def check_kept(memory: AsyncMirix, rows: Rows) -> None:
    """The evidence is there, found by its words, and waits without having lost an attempt."""
    found = await memory.search("harpsichords")
    assert [hit.message.text for hit in found.hits if hit.message] == [TEXT]
    assert rows("SELECT state, attempt FROM batch") == [{"state": "pending", "attempt": 0}]
    assert (await memory.status()).waiting == 1


async def test_a_refused_key_is_told_and_the_evidence_is_kept(open_mirix: OpenMirix) -> None:
    with FakeOpenAI([ServerReply(status=401, text="bad key")]) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        with pytest.raises(ModelError, match="refuses the API key"):
            await memory.add(TEXT)
    assert [hit.message.text for hit in (await memory.search("harpsichords")).hits if hit.message] == [TEXT]


async def test_an_older_batch_that_waits_makes_the_newer_one_wait_too(open_mirix: OpenMirix, rows: Rows) -> None:
    """What was not applied is never called applied."""
    failing = [ServerReply(status=500, headers=SOON)] * 6
    replies = {META: [*failing, served_routes(semantic=["e1"]), served_routes()], INSERT: [served(ODA)]}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        for text in (TEXT, "Pia plays them."):
            with pytest.raises(ModelUnavailable):
                await memory.add(text)
        assert [row["state"] for row in rows("SELECT state FROM batch")] == ["pending", "pending"]
        assert await memory.flush() == 2


async def test_after_the_last_attempt_a_batch_is_failed_and_the_next_goes_on(open_mirix: OpenMirix, rows: Rows) -> None:
    empty = [ServerReply(text="")] * 4  # two attempts, each with its repair
    replies = {META: [*empty, served_routes(), served_routes(semantic=["e1"])], INSERT: [served(ODA)]}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url, max_attempts=2)
        with pytest.raises(ModelReplyError, match="empty"):
            await memory.add(TEXT)
        await memory.add("Pia plays them.")
        assert rows("SELECT state, attempt FROM batch ORDER BY position") == [
            {"state": "failed", "attempt": 2},
            {"state": "applied", "attempt": 1},
        ]
        assert (await memory.status()).failed == 1
        with pytest.raises(MirixError, match="is kept"):
            await memory.add(TEXT)
        assert await memory.retry_failed() == 1
    assert await texts(memory) == ["Repairs harpsichords"]
    assert (await memory.status()).failed == 0


async def test_answers_that_could_not_be_used_are_not_replayed(open_mirix: OpenMirix) -> None:
    """Or no later attempt could ever succeed."""
    replies = {
        META: [served_routes(semantic=["e1"])],
        INSERT: [ServerReply(text=""), ServerReply(text=""), served(ODA)],
    }
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url)
        with pytest.raises(ModelReplyError, match="answered nothing, twice"):
            await memory.add(TEXT)
        assert await memory.flush() == 1
        assert [META in request.tools for request in server.chat_requests] == [True, False, False, False]
    assert await texts(memory) == ["Repairs harpsichords"]


# ---- pictures ----


def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (64, 48), "navy").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("vision", [True, False])
async def test_pictures_reach_the_model_only_when_it_sees(open_mirix: OpenMirix, vision: bool) -> None:
    replies = {META: [served_routes(semantic=["e1"])], INSERT: [served(ODA)]}
    with FakeOpenAI(server_script(replies)) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url, vision=vision)
        await memory.add(image=picture(), application="Paint", title="Sketch")
        shown = [request.images for request in server.chat_requests]
    if not vision:
        assert shown == [(), ()]
        return
    assert [len(images) for images in shown] == [1, 1]
    mime, data = shown[0][0]
    assert mime == "image/webp" and Image.open(BytesIO(data)).size == (64, 48)
