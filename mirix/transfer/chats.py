"""Chats from elsewhere, read: exports of ChatGPT and Claude, and JSON Lines. Pure; nothing is stored here.

- ChatGPT: `conversations.json`, a list of conversations. Each is a tree of nodes (`mapping`): asking again makes
  another branch, and the branch that ends in `current_node` is the one that was kept. System prompts, tool calls, tool
  results and hidden turns are left out: nobody said them.
- Claude: `conversations.json`, a list of conversations with `chat_messages` in order, `sender` human or assistant.
- JSON Lines: one turn a line, {"role"?, "content" or "text", "name"?, "at"?, "conversation"?, "id"?}; `role` is user
  where it is not told, `at` ISO 8601 with offset, `conversation` the name of the file where it is not told.

A zip is taken as it was downloaded: its conversations.json, or conversations-000.json and so on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from re import fullmatch
from typing import Any, Literal, cast, get_args
from zipfile import BadZipFile, ZipFile

from mirix.errors import InputError
from mirix.memory.message import Role

ChatFormat = Literal["chatgpt", "claude", "jsonl"]
MAX_FILE_BYTES = 2_000_000_000
UNTITLED = "untitled chat"


@dataclass(frozen=True, kw_only=True)
class Turn:
    role: Role
    text: str = field(repr=False)
    name: str | None = None  # of the speaker
    at: datetime | None = None  # aware
    id: str | None = None  # where it came from


@dataclass(frozen=True, kw_only=True)
class Chat:
    where: str  # for people: conversation 3 ('Trip to Bergen')
    title: str
    id: str | None  # where it came from; None: its name is all there is
    application: str | None
    turns: tuple[Turn, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A conversation or file that cannot be taken, and why."""

    where: str
    reason: str


class _Bad(Exception):
    """A conversation that cannot be read."""


def read_chats(kind: ChatFormat, path: Path) -> list[Chat | Problem]:
    """All conversations of a file, in its order; those that cannot be read as problems.

    Raises InputError for a file that cannot be read at all.
    """
    if kind not in get_args(ChatFormat):
        raise InputError(f"unknown format {kind!r}: there are {', '.join(get_args(ChatFormat))}")
    if kind == "jsonl":
        return _read_lines(_content(path), path)
    return [chat for name, content in _documents(path) for chat in _read_list(kind, _parsed(content, name), name)]


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder: name the file with the chats in it")
        if not path.is_file() and path.exists():
            raise InputError(f"{path} is no file with content: name the file with the chats in it")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InputError(f"{path} is larger than {MAX_FILE_BYTES // 10**9} GB: split it")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of the file, or of the conversations in a zip."""
    content = _content(path)
    if not content.startswith(b"PK\x03\x04"):
        yield path.name, content
        return
    del content
    try:
        with ZipFile(path) as archive:
            entries = [
                entry
                for entry in archive.infolist()
                if fullmatch(r"conversations(-\d+)?\.json", PurePosixPath(entry.filename).name)
            ]
            if not entries:
                raise InputError(f"{path.name} holds no conversations.json: it is no export of chats")
            if sum(entry.file_size for entry in entries) > MAX_FILE_BYTES:
                raise InputError(f"{path.name} unpacks to more than {MAX_FILE_BYTES // 10**9} GB")
            for entry in sorted(entries, key=lambda entry: entry.filename):
                yield f"{path.name}/{entry.filename}", archive.read(entry)
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise InputError(f"{path.name} is a damaged zip, or locked: {error}") from error


def _parsed(content: bytes, name: str) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is no JSON: byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{name} is damaged or cut off: {error.msg} in line {error.lineno}") from None
    except (RecursionError, ValueError):
        raise InputError(f"{name} is nested too deep, or holds a number without end") from None


def _read_list(kind: ChatFormat, value: Any, name: str) -> Iterator[Chat | Problem]:
    read: Callable[[Mapping[str, Any], str], Chat] = _chatgpt if kind == "chatgpt" else _claude
    if isinstance(value, dict) and ("mapping" in value or "chat_messages" in value):
        value = [value]
    if not isinstance(value, list):
        raise InputError(f"{name} is no list of conversations: give the conversations.json of the export, or its zip")
    for number, item in enumerate(value, 1):
        where = f"{name}, conversation {number}"
        if isinstance(item, dict):
            title = str(item.get("title") or item.get("name") or "")[:60]
            where += f" ({title!r})" if title else ""
        try:
            if not isinstance(item, dict):
                raise _Bad("it is no JSON object")
            chat = read(item, where)
        except _Bad as problem:
            yield Problem(where=where, reason=str(problem))
        else:
            if chat.turns:
                yield chat


# ---- ChatGPT ----


def _chatgpt(item: Mapping[str, Any], where: str) -> Chat:
    mapping = item.get("mapping")
    if not isinstance(mapping, dict):
        raise _Bad("it has no mapping of nodes" + (": try `mirix import claude`" if "chat_messages" in item else ""))
    chat_id = str(item.get("conversation_id") or item.get("id") or "") or None
    last = _epoch(item.get("create_time"))
    turns = []
    for node_id, message in _branch(mapping, item.get("current_node")):
        last = _epoch(message.get("create_time")) or last
        role = _path(message, "author", "role")
        text = _chatgpt_text(message)
        if role in ("user", "assistant") and text.strip() and _is_said(message):
            name = "ChatGPT" if role == "assistant" else None
            turns.append(
                Turn(role=cast(Role, role), text=text, name=name, at=last, id=str(message.get("id") or node_id))
            )
    title = str(item.get("title") or "") or UNTITLED
    return Chat(where=where, title=title, id=chat_id, application="ChatGPT", turns=tuple(turns))


def _branch(mapping: Mapping[str, Any], current: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The messages from the root to the current node, with the ids of their nodes."""
    if current is None:
        current = _last_leaf(mapping)
    found: list[tuple[str, Mapping[str, Any]]] = []
    seen: set[str] = set()
    while current is not None:
        node = mapping.get(current) if isinstance(current, str) else None
        if not isinstance(node, dict):
            raise _Bad(f"node {str(current)[:40]!r} is named but is not there")
        if current in seen:
            raise _Bad(f"node {current[:40]!r} is its own ancestor")
        seen.add(current)
        message = node.get("message")
        if isinstance(message, dict):
            found.append((current, message))
        elif message is not None:
            raise _Bad(f"the message of node {current[:40]!r} is no JSON object")
        current = node.get("parent")
    return found[::-1]


def _last_leaf(mapping: Mapping[str, Any]) -> str | None:
    """Where nothing tells the current branch: the end of the newest one."""
    nodes = [(name, node) for name, node in mapping.items() if isinstance(node, dict)]
    parents = {str(node.get("parent")) for _, node in nodes}
    leaves = [(name, node) for name, node in nodes if name not in parents]
    times = [(_number(_path(node, "message", "create_time")), name) for name, node in leaves]
    return max(times, key=lambda each: each[0])[1] if times else None


def _is_said(message: Mapping[str, Any]) -> bool:
    """Whether a person or the assistant said it to the other, and it was shown."""
    hidden = _path(message, "metadata", "is_visually_hidden_from_conversation")
    return not hidden and message.get("recipient") in (None, "all")


def _chatgpt_text(message: Mapping[str, Any]) -> str:
    if _path(message, "content", "content_type") not in (None, "text", "multimodal_text"):
        return ""
    parts = _path(message, "content", "parts")
    if not isinstance(parts, list):
        return ""
    texts = [part if isinstance(part, str) else _path(part, "text") for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str) and text.strip())


# ---- Claude ----


def _claude(item: Mapping[str, Any], where: str) -> Chat:
    messages = item.get("chat_messages")
    if not isinstance(messages, list):
        raise _Bad("it has no chat_messages" + (": try `mirix import chatgpt`" if "mapping" in item else ""))
    last = _iso(item.get("created_at"), "created_at")
    turns = []
    for number, message in enumerate(messages, 1):
        if not isinstance(message, dict):
            raise _Bad(f"message {number} is no JSON object")
        sender = message.get("sender")
        if sender not in ("human", "assistant"):
            raise _Bad(f"message {number} has the sender {str(sender)[:40]!r}, neither human nor assistant")
        last = _iso(message.get("created_at"), f"message {number}: created_at") or last
        text = _claude_text(message)
        if text.strip():
            role: Role = "user" if sender == "human" else "assistant"
            name = "Claude" if role == "assistant" else None
            turns.append(Turn(role=role, text=text, name=name, at=last, id=str(message.get("uuid") or number)))
    title = str(item.get("name") or "") or UNTITLED
    chat_id = str(item.get("uuid") or "") or None
    return Chat(where=where, title=title, id=chat_id, application="Claude", turns=tuple(turns))


def _claude_text(message: Mapping[str, Any]) -> str:
    """The text blocks of a turn (thinking and tools are not said); older exports have only `text`."""
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    texts = [_path(block, "text") for block in blocks if _path(block, "type") == "text"]
    said = "\n".join(text for text in texts if isinstance(text, str) and text.strip())
    plain = message.get("text")
    return said or (plain if isinstance(plain, str) else "")


# ---- JSON Lines ----

_KEYS = frozenset({"role", "content", "text", "name", "at", "conversation", "id"})


def _read_lines(content: bytes, path: Path) -> list[Chat | Problem]:
    """Conversations in the order of their first turns. A conversation with one bad line is not taken."""
    turns: dict[str, list[Turn]] = {}
    problems: dict[str, Problem] = {}
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        value = _parsed(line, f"{path.name}, line {number}")
        if not isinstance(value, dict):
            raise InputError(f"{path.name}, line {number} is no JSON object")
        given = value.get("conversation")
        conversation = given if isinstance(given, str) and given.strip() else path.stem
        said = turns.setdefault(conversation, [])
        try:
            said.append(_line_turn(value))
        except _Bad as problem:
            where = f"{path.name}, line {number}"
            problems.setdefault(conversation, Problem(where=where, reason=f"{problem}: {conversation!r} was not added"))
    if not turns:
        raise InputError(f"{path.name} is empty")
    return [
        problems.get(name)
        or Chat(where=f"{path.name}, {name!r}", title=name, id=None, application=None, turns=tuple(said))
        for name, said in turns.items()
    ]


def _line_turn(value: Mapping[str, Any]) -> Turn:
    unknown = sorted(value.keys() - _KEYS)
    if unknown:
        raise _Bad(f"unknown key {unknown[0]!r} (there are {', '.join(sorted(_KEYS))})")
    role = value.get("role", "user")
    if role not in get_args(Role):
        raise _Bad(f"unknown role {str(role)[:40]!r} (there are {', '.join(get_args(Role))})")
    text = value.get("content", value.get("text"))
    if not isinstance(text, str) or not text.strip():
        raise _Bad("no text in content or text")
    for name in ("name", "conversation"):
        if not isinstance(value.get(name), str | None):
            raise _Bad(f"{name} is no text")
    identity = value.get("id")
    if not isinstance(identity, str | int | None):
        raise _Bad("id is neither text nor number")
    at = _iso(value.get("at"), "at")
    return Turn(
        role=cast(Role, role), text=text, name=value.get("name"), at=at, id=None if identity is None else str(identity)
    )


# ---- values ----


def _path(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _epoch(value: Any) -> datetime | None:
    """Seconds since 1970. Rounded as they are written: a float holds microseconds of our time."""
    if value is None or isinstance(value, bool):
        return None
    if not isinstance(value, int | float):
        raise _Bad(f"{str(value)[:40]!r} is no time in seconds")
    try:
        return datetime.fromtimestamp(value, UTC) if value else None
    except (OverflowError, ValueError, OSError):
        raise _Bad(f"{value} is beyond what a calendar holds") from None


def _iso(value: Any, what: str) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise _Bad(f"{what} is no ISO 8601 time: {str(value)[:40]!r}") from None
    if moment.tzinfo is None:
        raise _Bad(f"{what} has no offset from UTC: {str(value)[:40]!r}")
    return moment
