"""Chats become evidence once, whole, and again only where they have grown."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from mirix.errors import InputError, ModelUnavailable
from mirix.models.fake import ScriptedChatModel
from mirix.system import AsyncMirix
from mirix.transfer.inbox import Brought
from tests.transfer.conftest import PASSPHRASE, Home
from tests.transfer.test_chats import chatgpt_chat, claude_chat, node, saved


@pytest.fixture
async def memory(homes: Home) -> AsyncMirix:
    return await homes("reader").open()


def stored(owner_url: str, columns: str = "text") -> list[Any]:
    names = sql.SQL(", ").join(sql.Identifier(*name.split(".")) for name in columns.split())
    query = sql.SQL("SELECT {} FROM message m JOIN conversation c ON c.id = m.conversation_id ORDER BY m.position")
    with psycopg.connect(owner_url) as conn:
        rows = conn.execute(query.format(names)).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


async def test_chatgpt_keeps_title_times_speakers_and_trust(memory: AsyncMirix, owner_url: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "conversations.json", [chatgpt_chat()])
    brought = await memory.import_chats(path, "chatgpt")
    assert brought == Brought(added=1, known=0, messages=3, changes=0, waiting=False, problems=())
    rows = stored(owner_url, "c.name m.role m.speaker m.trust m.application m.source_kind")
    assert rows == [
        ("Puffins", "user", "User", 3, "ChatGPT", "chat"),
        ("Puffins", "assistant", "ChatGPT", 3, "ChatGPT", "chat"),
        ("Puffins", "user", "User", 3, "ChatGPT", "chat"),
    ]
    assert stored(owner_url, "m.at")[0] == datetime(2026, 11, 13, 9, 12, 0, 250000, UTC)
    assert (await memory.search("puffins burrows")).hits


async def test_the_same_again_changes_nothing_and_a_grown_chat_adds_what_is_new(
    memory: AsyncMirix, owner_url: str, tmp_path: Path
) -> None:
    chat = chatgpt_chat()
    path = saved(tmp_path / "conversations.json", [chat, chatgpt_chat(conversation_id="c-2")])
    await memory.import_chats(path, "chatgpt")
    again = await memory.import_chats(path, "chatgpt")
    assert (again.added, again.known, again.messages) == (0, 2, 0)
    chat["mapping"]["a9"] = node("q2", "assistant", "On Runde.", 1_794_565_000.0, id="m-a9")
    grown = chat | {"current_node": "a9", "title": "Puffins of Runde"}
    brought = await memory.import_chats(
        saved(tmp_path / "newer.json", [chatgpt_chat(conversation_id="c-2"), grown]), "chatgpt"
    )
    assert (brought.added, brought.known, brought.messages) == (1, 1, 1)
    assert stored(owner_url)[-1] == "On Runde."
    assert sorted(set(stored(owner_url, "c.name"))) == ["Puffins", "Puffins (c-2)"], "same titles are kept apart"
    assert stored(owner_url, "c.name")[-1] == "Puffins"


async def test_json_lines_without_ids_are_known_by_their_words(
    memory: AsyncMirix, owner_url: str, tmp_path: Path
) -> None:
    lines = [
        {"content": "ok"},
        {"content": "The wifi password is Kestrel-77-drum."},
        {"content": "ok"},
        {"content": "ok", "at": "2026-11-13T09:12:00+08:00"},
    ]
    path = saved(tmp_path / "talk.jsonl", "\n".join(map(json.dumps, lines)))
    assert (await memory.import_chats(path, "jsonl")).messages == 4
    assert (await memory.import_chats(path, "jsonl")).messages == 0
    changed = {"content": "The wifi password is Osprey-21-flute."}
    saved(path, "\n".join(map(json.dumps, [lines[0], changed, *lines[2:], {"content": "ok"}])))
    assert (await memory.import_chats(path, "jsonl")).messages == 2, "another value makes another sentence"
    assert (await memory.import_chats(path, "jsonl")).messages == 0
    assert "Kestrel" not in "".join(stored(owner_url)) and len(stored(owner_url)) == 6


async def test_an_interrupted_import_goes_on_where_it_stopped(
    memory: AsyncMirix, owner_url: str, tmp_path: Path, model: ScriptedChatModel
) -> None:
    turns = [{"content": f"Stone {n} of the long wall stands at mile {n}.", "id": n} for n in range(45)]
    path = saved(tmp_path / "wall.jsonl", "\n".join(map(json.dumps, turns[:25])))
    await memory.import_chats(path, "jsonl", wait=False)
    await memory.parts.worker.stop()
    saved(path, "\n".join(map(json.dumps, turns)))
    model.script = [ModelUnavailable("away")]
    with pytest.raises(ModelUnavailable):
        await memory.import_chats(path, "jsonl")
    model.script = lambda request: (
        "nothing to file"
        if len(request.tools) > 1
        else {"tool_calls": [{"name": "trigger_memory_update", "args": {"updates": []}}]}
    )
    brought = await memory.import_chats(path, "jsonl")
    assert (brought.known, brought.messages) == (1, 0), "all of it had been stored"
    assert stored(owner_url) == [turn["content"] for turn in turns]
    assert (await memory.status()).waiting == 0


async def test_long_turns_are_known_part_by_part(memory: AsyncMirix, owner_url: str, tmp_path: Path) -> None:
    text = " ".join(f"Lamp {n} of the harbour burns green." for n in range(900))
    path = saved(tmp_path / "long.jsonl", json.dumps({"content": text, "id": "x"}))
    first = await memory.import_chats(path, "jsonl", wait=False)
    await memory.parts.worker.stop()
    assert first.messages > 1
    with psycopg.connect(owner_url) as conn:
        conn.execute("DELETE FROM document WHERE record_id = (SELECT id FROM message ORDER BY position DESC LIMIT 1)")
        conn.execute("DELETE FROM message WHERE id = (SELECT id FROM message ORDER BY position DESC LIMIT 1)")
    assert (await memory.import_chats(path, "jsonl", wait=False)).messages == 1
    await memory.parts.worker.stop()
    assert len(stored(owner_url)) == first.messages


async def test_a_bad_chat_is_left_out_whole_and_told(memory: AsyncMirix, owner_url: str, tmp_path: Path) -> None:
    huge = claude_chat(uuid="k-2", name="Huge")
    huge["chat_messages"] = [*huge["chat_messages"], {"sender": "human", "text": "x" * 10_000_001, "uuid": "u9"}]
    far = claude_chat(uuid="k-3", name="Far", created_at="9999-01-01T00:00:00Z")
    far["chat_messages"] = [{"sender": "human", "text": "In the far future", "created_at": "9999-01-01T00:00:00Z"}]
    odd = claude_chat(uuid="k-4", name="Odd \x00\ud800")
    odd["chat_messages"] = [{"sender": "human", "text": "A\x00B \ud800 gull", "uuid": "\ud800"}]
    path = tmp_path / "conversations.json"
    path.write_text(json.dumps([huge, far, odd, claude_chat()]))
    brought = await memory.import_chats(path, "claude")
    assert [problem.where.split(", ")[1] for problem in brought.problems] == [
        "conversation 1 ('Huge')",
        "conversation 2 ('Far')",
    ]
    assert "1 MB" in brought.problems[0].reason and "9999" in brought.problems[1].reason
    assert brought.added == 2 and stored(owner_url)[0] == "AB \ufffd gull"
    assert (await memory.import_chats(path, "claude")).known == 2


async def test_nothing_that_can_be_taken_is_an_error(memory: AsyncMirix, owner_url: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "conversations.json", [claude_chat(chat_messages=3)])
    with pytest.raises(InputError, match="no chat_messages"):
        await memory.import_chats(path, "claude")
    assert stored(owner_url) == []


async def test_chats_are_known_after_a_move(memory: AsyncMirix, homes: Home, tmp_path: Path) -> None:
    path = saved(tmp_path / "conversations.json", [chatgpt_chat()])
    await memory.import_chats(path, "chatgpt")
    await memory.export(tmp_path / "life.json", passphrase=PASSPHRASE)
    moved = await homes("moved").open()
    await moved.restore(tmp_path / "life.json", passphrase=PASSPHRASE)
    assert (await moved.import_chats(path, "chatgpt")).messages == 0
