"""Reading chats from elsewhere: the kept branch, what was said and nothing else, and where a file is wrong."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from mirix.errors import InputError
from mirix.transfer.chats import Chat, ChatFormat, Problem, read_chats

NOVEMBER = 1_794_561_120.25  # 2026-11-13T09:12:00.25Z


def node(parent: str | None, role: str, text: Any, at: float | None = None, **message: Any) -> dict[str, Any]:
    parts = text if isinstance(text, list) else [text]
    content = {"content_type": "text", "parts": parts}
    return {
        "parent": parent,
        "children": [],
        "message": {"author": {"role": role}, "content": content, "create_time": at} | message,
    }


def chatgpt_chat(**changes: Any) -> dict[str, Any]:
    mapping = {
        "root": {"parent": None, "children": ["sys"], "message": None},
        "sys": node("root", "system", "You are helpful."),
        "q": node("sys", "user", "Where do puffins nest?", NOVEMBER, id="m-q"),
        "a1": node("q", "assistant", "In trees.", NOVEMBER + 5),
        "a2": node("q", "assistant", "In burrows on cliffs.", NOVEMBER + 9, id="m-a2"),
        "tool": node("a2", "tool", "search results", NOVEMBER + 10),
        "call": node("tool", "assistant", "search(puffin)", NOVEMBER + 11, recipient="browser"),
        "hidden": node("call", "user", "profile", metadata={"is_visually_hidden_from_conversation": True}),
        "think": node("hidden", "assistant", "hm", content={"content_type": "thoughts", "thoughts": []}),
        "q2": node("think", "user", [{"content_type": "image_asset_pointer"}, "那只鸟在哪里?"], None, id="m-q2"),
    }
    chat = {"title": "Puffins", "conversation_id": "c-1", "create_time": NOVEMBER, "mapping": mapping}
    return chat | {"current_node": "q2"} | changes


def claude_chat(**changes: Any) -> dict[str, Any]:
    messages = [
        {"uuid": "u1", "sender": "human", "text": "Plan a hut trip", "created_at": "2026-11-13T09:12:00.5Z"},
        {
            "uuid": "u2",
            "sender": "assistant",
            "text": "flat text",
            "content": [
                {"type": "thinking", "thinking": "let me see"},
                {"type": "text", "text": "Three nights from Finse."},
                {"type": "tool_use", "name": "maps", "input": {}},
                {"type": "text", "text": "Take crampons."},
            ],
            "created_at": "2026-11-13T09:12:30+00:00",
        },
        {"uuid": "u3", "sender": "human", "text": "", "content": [], "created_at": "2026-11-13T09:13:00Z"},
    ]
    chat = {"uuid": "k-1", "name": "Huts", "created_at": "2026-11-13T09:11:00Z", "chat_messages": messages}
    return chat | changes


def saved(path: Path, value: Any) -> Path:
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def only(found: list[Chat | Problem]) -> Chat:
    (chat,) = found
    assert isinstance(chat, Chat), chat
    return chat


def test_chatgpt_gives_the_kept_branch_without_what_nobody_said(tmp_path: Path) -> None:
    chat = only(read_chats("chatgpt", saved(tmp_path / "conversations.json", [chatgpt_chat()])))
    assert (chat.title, chat.id, chat.application) == ("Puffins", "c-1", "ChatGPT")
    assert [(t.role, t.text, t.name, t.id) for t in chat.turns] == [
        ("user", "Where do puffins nest?", None, "m-q"),
        ("assistant", "In burrows on cliffs.", "ChatGPT", "m-a2"),
        ("user", "那只鸟在哪里?", None, "m-q2"),
    ]
    assert chat.turns[0].at == datetime(2026, 11, 13, 9, 12, 0, 250000, UTC)
    assert chat.turns[2].at == datetime(2026, 11, 13, 9, 12, 11, 250000, UTC), "untimed: no earlier than the one before"


def test_chatgpt_without_a_current_node_takes_the_newest_branch(tmp_path: Path) -> None:
    item = chatgpt_chat(current_node=None)
    item["mapping"] = {name: n for name, n in item["mapping"].items() if name in ("root", "sys", "q", "a1", "a2")}
    chat = only(read_chats("chatgpt", saved(tmp_path / "c.json", [item])))
    assert chat.turns[-1].text == "In burrows on cliffs."


def test_claude_gives_text_blocks_and_falls_back_to_text(tmp_path: Path) -> None:
    chat = only(read_chats("claude", saved(tmp_path / "conversations.json", [claude_chat()])))
    assert [(t.role, t.text, t.name, t.id) for t in chat.turns] == [
        ("user", "Plan a hut trip", None, "u1"),
        ("assistant", "Three nights from Finse.\nTake crampons.", "Claude", "u2"),
    ]
    assert chat.turns[0].at == datetime(2026, 11, 13, 9, 12, 0, 500000, UTC)


def test_a_zip_is_taken_as_it_was_downloaded(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("data/conversations-001.json", json.dumps([chatgpt_chat(title="Second")]))
        archive.writestr("data/conversations-000.json", json.dumps([chatgpt_chat(title="First")]))
        archive.writestr("data/user.json", "{}")
    found = read_chats("chatgpt", tmp_path / "export.zip")
    assert [chat.title for chat in found if isinstance(chat, Chat)] == ["First", "Second"]


def test_json_lines_give_conversations_in_order(tmp_path: Path) -> None:
    lines = [
        {"role": "user", "content": "早上好", "at": "2026-11-13T09:12:00+08:00", "conversation": "早晨", "name": "Wei"},
        {"text": "no role is mine"},
        {"role": "assistant", "text": "Good morning", "conversation": "早晨", "id": 7},
    ]
    path = saved(
        tmp_path / "diary.jsonl", "\ufeff".strip("\ufeff") + "\n\n".join(json.dumps(line) for line in lines) + "\n"
    )
    first, second = read_chats("jsonl", path)
    assert isinstance(first, Chat) and isinstance(second, Chat)
    assert (first.title, [t.text for t in first.turns]) == ("早晨", ["早上好", "Good morning"])
    assert (first.turns[0].name, first.turns[1].id) == ("Wei", "7")
    assert (second.title, second.turns[0].role) == ("diary", "user")


@pytest.mark.parametrize(
    ("kind", "item", "reason"),
    [
        ("chatgpt", chatgpt_chat(mapping=[]), "no mapping"),
        ("chatgpt", chatgpt_chat(current_node="gone"), "'gone' is named but is not there"),
        ("chatgpt", {"mapping": {"a": {"parent": "b"}, "b": {"parent": "a"}}, "current_node": "a"}, "its own ancestor"),
        ("chatgpt", {"mapping": {"a": {"parent": None, "message": 3}}, "current_node": "a"}, "no JSON object"),
        ("chatgpt", chatgpt_chat(create_time="yesterday"), "no time in seconds"),
        ("chatgpt", chatgpt_chat(create_time=1e18), "beyond what a calendar holds"),
        ("chatgpt", claude_chat(), "mirix import claude"),
        ("chatgpt", "text", "no JSON object"),
        ("claude", claude_chat(chat_messages={}), "no chat_messages"),
        ("claude", claude_chat(chat_messages=[{"sender": "robot"}]), "message 1 has the sender 'robot'"),
        ("claude", claude_chat(chat_messages=[3]), "message 1 is no JSON object"),
        ("claude", claude_chat(created_at="2026-11-13T09:11:00"), "no offset"),
        ("claude", claude_chat(created_at=7), "no ISO 8601"),
        ("claude", chatgpt_chat(), "mirix import chatgpt"),
    ],
)
def test_a_bad_conversation_is_told_and_the_others_are_read(
    tmp_path: Path, kind: ChatFormat, item: Any, reason: str
) -> None:
    good = chatgpt_chat(title="good") if kind == "chatgpt" else claude_chat(name="good")
    problem, chat = read_chats(kind, saved(tmp_path / "conversations.json", [item, good]))
    assert isinstance(problem, Problem) and isinstance(chat, Chat)
    assert reason in problem.reason and "conversation 1" in problem.where
    assert chat.title == "good"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"role": "king", "content": "x"}, "unknown role 'king'"),
        ({"role": "user"}, "no text"),
        ({"content": " "}, "no text"),
        ({"content": "x", "when": "now"}, "unknown key 'when'"),
        ({"content": "x", "at": "2026-11-13"}, "no offset"),
        ({"content": "x", "name": 3}, "name is no text"),
        ({"content": "x", "id": []}, "id is neither"),
    ],
)
def test_a_bad_line_keeps_its_conversation_out(tmp_path: Path, line: dict[str, Any], reason: str) -> None:
    lines = [{"content": "before"}, line, {"content": "elsewhere", "conversation": "other"}]
    problem, chat = read_chats("jsonl", saved(tmp_path / "a.jsonl", "\n".join(map(json.dumps, lines))))
    assert isinstance(problem, Problem) and isinstance(chat, Chat)
    assert problem.where == "a.jsonl, line 2" and reason in problem.reason
    assert chat.title == "other"


@pytest.mark.parametrize(
    ("kind", "content", "reason"),
    [
        ("chatgpt", b'[{"mapping": {', "damaged or cut off"),
        ("chatgpt", b"", "damaged or cut off"),
        ("chatgpt", b"\xff\xfe[", "not UTF-8"),
        ("chatgpt", b'{"users": []}', "no list of conversations"),
        ("chatgpt", b"[" * 200_000, "nested too deep"),
        ("chatgpt", b"[" + b"9" * 5_000 + b"]", "number without end"),
        ("claude", b"PK\x03\x04 and then nothing", "damaged zip"),
        ("jsonl", b'{"content": "a"}\n{"content": "b', "line 2"),
        ("jsonl", b'{"content": "a"}\n[1]', "line 2 is no JSON object"),
        ("jsonl", b"\n\n", "empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_that_says_where(
    tmp_path: Path, kind: ChatFormat, content: bytes, reason: str
) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_chats(kind, tmp_path / "file")


def test_missing_files_folders_and_zips_without_chats_are_errors(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("photos/1.json", "{}")
    for path, reason in ((tmp_path / "no", "no file"), (tmp_path, "folder"), (tmp_path / "other.zip", "no export")):
        with pytest.raises(InputError, match=reason):
            read_chats("chatgpt", path)
    with pytest.raises(InputError, match="unknown format"):
        read_chats("gemini", tmp_path)  # type: ignore[arg-type]
