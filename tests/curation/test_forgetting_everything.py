"""Proof that what is forgotten stands nowhere any more, that users go whole, and that work under way does not bring it
back."""

from __future__ import annotations

import asyncio
import io
import re
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest
from PIL import Image

from mirix.config import Settings
from mirix.errors import NotFoundError
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix
from tests.curation.conftest import Scan, World

_MESSAGE = re.compile(r'<message id="(?P<handle>\w+)"[^>]*>\n(?P<text>.*?)\n</message>', re.DOTALL)
_MEMORY = re.compile(r'<memory id="(?P<handle>\w+)"[^>]*>(?P<text>.*?)</memory>', re.DOTALL)
_SENTENCE = re.compile(r"[^.。!]+[.。!]")
# Which memory a sentence belongs to, by a word in it.
_WORDS = {"harpsichord": "core", "过敏": "core", "clocks": "semantic", "ferry": "episodic", "Tide": "episodic"}
FORGOTTEN = ("harpsichord", "花生", "Skerry", "Tide", "wifi")


def script(request: ScriptedRequest) -> Reply:
    """Files each sentence of a message by a word in it, and quotes the whole message in the details."""
    human = request.messages[-1].text
    found = [
        (m["handle"], m["text"], sentence.strip(), kind)
        for m in _MESSAGE.finditer(human)
        for sentence in _SENTENCE.findall(m["text"])
        for word, kind in _WORDS.items()
        if word in sentence
    ]
    if "trigger_memory_update" in request.tools:
        updates = [{"memory_type": kind, "messages": [handle]} for handle, _, _, kind in found]
        return _call("trigger_memory_update", updates=updates)
    if "core_memory_append" in request.tools:
        lines = [{"label": "human", "line": s, "messages": [h]} for h, _, s, kind in found if kind == "core"]
        return _call("core_memory_append", lines=lines)
    if "semantic_memory_insert" in request.tools:
        items = [
            {"name": "note", "kind": "insight", "summary": s, "details": text, "messages": [h]}
            for h, text, s, kind in found
            if kind == "semantic"
        ]
        return _call("semantic_memory_insert", items=items)
    items = [
        {
            "summary": s,
            "details": text,
            "event_type": "trip",
            "actor": "user",
            "occurred_at": "2026-05-03",
            "messages": [h],
        }
        for h, text, s, kind in found
        if kind == "episodic"
    ]
    return _call("episodic_memory_insert", items=items)


def _call(name: str, **args: Any) -> Reply:
    return {"tool_calls": [{"name": name, "args": args}]}


class Turnstile:
    """A script that waits before it answers a call with a certain tool, until it is let through."""

    def __init__(self) -> None:
        self.tool = ""
        self.arrived = threading.Event()
        self.open = threading.Event()

    def __call__(self, request: ScriptedRequest) -> Reply:
        if self.tool in request.tools and not self.arrived.is_set():
            reply = script(request)
            self.arrived.set()
            assert self.open.wait(20)
            return reply
        return script(request)


@pytest.fixture
def turnstile() -> Turnstile:
    return Turnstile()


@pytest.fixture
async def memory(anna: Settings, empty: None, turnstile: Turnstile) -> AsyncIterator[AsyncMirix]:
    async with AsyncMirix(anna, model=ScriptedChatModel(script=turnstile)) as opened:
        yield opened


def picture() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), "white").save(stream, "PNG")
    return stream.getvalue()


async def live(memory: AsyncMirix, user_id: str) -> None:
    await memory.add("I build a harpsichord. Oda mends clocks.", user_id=user_id)
    await memory.add("我对花生过敏。", user_id=user_id, conversation="健康")
    await memory.add("The wifi password on Skerry is Kestrel-77-drum.", user_id=user_id, conversation="Skerry")
    await memory.add(image=picture(), title="Tide table", user_id=user_id, conversation="screens")
    await memory.add("We took the ferry.", user_id=user_id)


async def test_what_is_forgotten_stands_in_no_row_and_no_file(memory: AsyncMirix, scan: Scan) -> None:
    await live(memory, "anna")
    await live(memory, "boris")
    anna, boris = [await memory.parts.database.ensure_user(name, "UTC") for name in ("anna", "boris")]
    theirs = scan.dump(boris.user_id)
    for word in FORGOTTEN:
        assert any(word.casefold() in row.casefold() for rows in scan.dump(anna.user_id).values() for row in rows), word
    assert len(scan.pictures) == 2

    by_summary = {record.summary: record for record in await memory.get_all()}
    (entry,) = await memory.get_all(kinds=["vault"])
    (shown,) = await memory.messages("screens")
    forgotten = await memory.forget(
        by_summary["I build a harpsichord."].id, by_summary["我对花生过敏。"].id, entry.id, shown.id
    )
    assert (forgotten.messages, forgotten.pictures, forgotten.redacted) == (3, 1, 1)
    left = scan.dump(anna.user_id)
    for word in (*FORGOTTEN, entry.reference):  # type: ignore[attr-defined]
        assert [
            table for table, rows in left.items() if any(word.casefold() in row.casefold() for row in rows)
        ] == [], word
    assert len(scan.pictures) == 1

    assert scan.dump(boris.user_id) == theirs
    assert {record.summary for record in await memory.get_all()} == {"Oda mends clocks.", "We took the ferry."}
    answered = await memory.search("Who mends clocks?")
    assert "Oda mends clocks." in answered.hits[0].text
    assert [message.text for message in await memory.messages()] == ["[…] Oda mends clocks.", "We took the ferry."]


async def test_a_conversation_goes_whole(memory: AsyncMirix, scan: Scan) -> None:
    await live(memory, "anna")
    forgotten = await memory.forget_conversation("Skerry")
    assert (forgotten.messages, [trace.kind.value for trace in forgotten.memories]) == (1, ["vault"])
    assert scan("Skerry", "wifi") == {}
    with pytest.raises(NotFoundError, match="no conversation 'Skerry'"):
        await memory.forget_conversation("Skerry")
    again = await memory.add("The wifi password on Skerry is Kestrel-77-drum.", conversation="Skerry")
    assert not again.is_duplicate


# ---- users ----


async def test_a_user_goes_whole_and_only_the_number_stays(memory: AsyncMirix, scan: Scan, owner_url: str) -> None:
    await live(memory, "anna")
    await live(memory, "boris")
    await memory.add("We took the ferry again.", user_id="anna", wait=False)
    anna, boris = [await memory.parts.database.ensure_user(name, "UTC") for name in ("anna", "boris")]
    theirs = scan.dump(boris.user_id)
    forgotten = await memory.forget_user(user_id="anna")
    assert (forgotten.messages, forgotten.pictures) == (6, 1)
    assert {table for table, rows in scan.dump(anna.user_id).items() if rows} == {"forgotten_user"}
    assert scan("anna") == {}
    assert scan.dump(boris.user_id) == theirs
    assert len(scan.pictures) == 1
    with psycopg.connect(owner_url) as conn:
        rows = conn.execute("SELECT user_id, memories, messages, pictures FROM forgotten_user").fetchall()
    assert rows == [(anna.user_id, len(forgotten.memories), 6, 1)]
    with pytest.raises(NotFoundError, match="no user 'anna'"):
        await memory.forget_user(user_id="anna")
    assert await memory.get_all() == []


async def test_no_transaction_forgets_another_user(world: World) -> None:
    database = world.memory.parts.database
    with pytest.raises(psycopg.errors.RaiseException, match="no user"):
        async with database.transaction(None) as conn:
            await conn.execute("SELECT forget_user(0, 0, 0)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(world.user_id) as conn:
            await conn.execute("DELETE FROM app_user")
    assert await database.find_user("anna") is not None


# ---- work under way ----


async def _while_it_waits(turnstile: Turnstile, work: Callable[[], Any]) -> None:
    assert await asyncio.to_thread(turnstile.arrived.wait, 20)
    try:
        await work()
    finally:
        turnstile.open.set()


@pytest.mark.parametrize("tool", ["trigger_memory_update", "core_memory_append"])
async def test_a_message_that_is_being_read_can_be_forgotten(
    memory: AsyncMirix, turnstile: Turnstile, scan: Scan, tool: str
) -> None:
    turnstile.tool = tool

    async def forget() -> None:
        (message,) = await memory.messages()
        assert (await memory.forget(message.id)).messages == 1

    added, _ = await asyncio.gather(memory.add("I build a harpsichord."), _while_it_waits(turnstile, forget))
    assert added.changes == ()
    assert scan("harpsichord") == {}


async def test_the_rest_of_a_batch_is_read_anew(memory: AsyncMirix, turnstile: Turnstile, scan: Scan) -> None:
    turnstile.tool = "core_memory_append"

    async def forget() -> None:
        first, _ = await memory.messages()
        await memory.forget(first.id)

    chat = [{"role": "user", "content": text} for text in ("I build a harpsichord.", "Oda mends clocks.")]
    await asyncio.gather(memory.add(chat), _while_it_waits(turnstile, forget))
    assert scan("harpsichord") == {}
    assert [record.summary for record in await memory.get_all()] == ["Oda mends clocks."]
    assert (await memory.status()).waiting == 0


async def test_a_memory_that_managers_were_shown_can_be_forgotten(
    memory: AsyncMirix, turnstile: Turnstile, scan: Scan
) -> None:
    await memory.add("I build a harpsichord.")
    (line,) = await memory.get_all()
    turnstile.tool = "semantic_memory_insert"
    await asyncio.gather(memory.add("Oda mends clocks."), _while_it_waits(turnstile, lambda: memory.forget(line.id)))
    assert scan("harpsichord") == {}
    assert [record.summary for record in await memory.get_all()] == ["Oda mends clocks."]


async def test_a_user_can_be_forgotten_while_their_batch_is_read(
    memory: AsyncMirix, turnstile: Turnstile, scan: Scan
) -> None:
    turnstile.tool = "core_memory_append"
    await asyncio.gather(
        memory.add("I build a harpsichord."),
        _while_it_waits(turnstile, lambda: memory.forget_user(user_id="anna")),
        return_exceptions=False,
    )
    assert scan("harpsichord", "anna") == {}


async def test_forgetting_and_adding_at_once_never_lock_each_other_out(memory: AsyncMirix, scan: Scan) -> None:
    for number in range(3):
        added = await memory.add(f"I build harpsichord {number}.")
        (line,) = await memory.get_all(kinds=["core"])
        work = [memory.add(f"We took the ferry {number} {n}.", conversation=f"trip {n}") for n in range(3)]
        await asyncio.wait_for(
            asyncio.gather(memory.forget(line.id), memory.forget(*added.message_ids), *work, return_exceptions=True), 60
        )
        assert scan("harpsichord") == {}
    assert len(await memory.get_all(kinds=["episodic"])) == 9
