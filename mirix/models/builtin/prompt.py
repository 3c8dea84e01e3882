"""What the built-in model reads: the tagged text of a call, as records.

The model sees the same messages as any other model. This module is the only one that knows the tags; the others work
on `Call`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from mirix.models.builtin.language import narrow

_ELEMENT = r"<{tag}\b([^>]*)>(.*?)</{tag}>"
_ATTRIBUTE = re.compile(r'([a-z_]+)="([^"]*)"')
# `[2] 2026-11-13 09:14 Anna (app="Mail"): text`; further lines of the text are set in by two blanks.
_ITEM = re.compile(
    r"^\[(?P<n>\d+)\](?: (?P<at>\d{4}-\d\d-\d\d(?: \d\d:\d\d)?))?(?: (?P<speaker>[^\n:]+?))??"
    r'(?: \((?P<further>[a-z_]+="[^"\n]*"(?: [a-z_]+="[^"\n]*")*)\))?: ?(?P<text>.*(?:\n  .*)*)',
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn, text or screen of the evidence."""

    handle: str  # "e1"
    at: datetime | None  # when it was said
    role: str  # user, assistant
    speaker: str  # name of who said it; "" when unknown
    source: str  # chat, screen, file …
    title: str  # window title or file name
    text: str
    is_context: bool  # only there to be understood


@dataclass(frozen=True, kw_only=True)
class Memory:
    """An existing memory that may be changed."""

    handle: str  # "s1"
    kind: str
    at: str
    name: str  # name, caption or label
    text: str  # "summary — details"
    entry_type: str = ""  # of a vault entry
    sensitivity: str = ""


SCREEN = "Screen"  # who "says" what was seen


@dataclass(frozen=True, kw_only=True)
class Item:
    """One numbered entry of the answer context."""

    number: int
    kind: str  # memory kind or "message"
    at: datetime | None
    role: str
    speaker: str
    name: str  # name or caption
    text: str
    outdated: bool
    entry_type: str = ""  # of a vault entry or a procedure
    is_screen: bool = False
    application: str = ""  # of a screen


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn of a conversation."""

    role: str  # user, assistant
    kind: str  # of a turn of the assistant whose words are left out: answer, question, reply
    text: str


@dataclass(frozen=True, kw_only=True)
class FailedCall:
    """A tool call that came back with an error."""

    name: str
    arguments: dict[str, object]
    error: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """Everything one call to the model says."""

    now: datetime | None
    messages: tuple[Message, ...]
    memories: tuple[Memory, ...]
    core: tuple[tuple[str, str], ...]  # (label, line)
    items: tuple[Item, ...]
    question: str
    asked_at: datetime | None
    is_final: bool
    searches: int  # rounds of search that were already made
    failed: tuple[FailedCall, ...]
    is_repair: bool
    turns: tuple[Turn, ...] = ()  # of a conversation, the one that is heard last
    written: str = ""  # the human text as it stands; all that is read from it has narrow punctuation


def parse_call(messages: Sequence[BaseMessage]) -> Call:
    """Read a call. Unknown tags are ignored; a text without tags counts as a question."""
    written = "\n".join(_text_of(message) for message in messages if isinstance(message, HumanMessage))
    text = narrow(written)
    tool_messages = [message for message in messages if isinstance(message, ToolMessage)]
    failed = _failed_calls(messages)
    question, asked_at = _question(text)
    now_text = re.search(r"<now>\s*(\S+)", text)
    now = _time(now_text.group(1).split("<")[0]) if now_text else None
    shown = [body for _, body in _elements("context", text)]
    shown += [narrow(_text_of(message)) for message in tool_messages]
    return Call(
        now=now or asked_at,
        messages=tuple(_messages(text)),
        memories=tuple(_memories(text)),
        core=tuple(_core_lines(text)),
        items=tuple(item for each in shown for item in _items(each, now or asked_at)),
        question=question,
        asked_at=asked_at or now,
        is_final="<final/>" in text,
        searches=len(tool_messages),
        failed=failed,
        is_repair=bool(tool_messages),
        turns=tuple(_turns(text)),
        written=written,
    )


def _text_of(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    parts = (part if isinstance(part, str) else str(part.get("text", "")) for part in message.content)
    return "\n".join(parts)


def _elements(tag: str, text: str) -> list[tuple[dict[str, str], str]]:
    pattern = re.compile(_ELEMENT.format(tag=tag), re.DOTALL)
    return [(_attributes(match.group(1)), match.group(2).strip()) for match in pattern.finditer(text)]


def _attributes(text: str) -> dict[str, str]:
    return {name: html.unescape(value) for name, value in _ATTRIBUTE.findall(text)}


def _messages(text: str) -> list[Message]:
    return [
        Message(
            handle=given.get("id", ""),
            at=_time(given.get("at", "")),
            role=given.get("role", "user"),
            speaker=given.get("speaker", ""),
            source=given.get("source", "chat"),
            title=given.get("title", ""),
            text=body,
            is_context=given.get("context") == "true",
        )
        for given, body in _elements("message", text)
    ]


def _turns(text: str) -> list[Turn]:
    found = re.finditer(r"<turn\b([^>]*?)(?:/>|>(.*?)</turn>)", text, re.DOTALL)
    given = [(_attributes(match.group(1)), (match.group(2) or "").strip()) for match in found]
    return [Turn(role=each.get("role", "user"), kind=each.get("kind", ""), text=body) for each, body in given]


def _memories(text: str) -> list[Memory]:
    return [
        Memory(
            handle=given.get("id", ""),
            kind=given.get("type", ""),
            at=given.get("at", ""),
            name=given.get("name", "") or given.get("caption", "") or given.get("label", ""),
            text=body,
            entry_type=given.get("entry_type", "") if given.get("type") == "vault" else "",
            sensitivity=given.get("sensitivity", ""),
        )
        for given, body in _elements("memory", text)
    ]


def _core_lines(text: str) -> list[tuple[str, str]]:
    return [
        (given.get("label", ""), line.lstrip("-• ").strip())
        for given, body in _elements("block", text)
        for line in body.splitlines()
        if line.strip("-• ")
    ]


def _items(text: str, now: datetime | None) -> Iterator[Item]:
    for found in _ITEM.finditer(text):
        given = _attributes(found["further"] or "")
        speaker = given.get("speaker", "") or html.unescape(found["speaker"] or "")
        yield Item(
            number=int(found["n"]),
            kind=given.get("type", "message"),
            at=_in_zone(_time(found["at"] or ""), now),
            role=given.get("role", "" if "type" in given else "user"),
            speaker=speaker,
            name=given.get("name", "") or given.get("caption", "") or given.get("title", ""),
            text=found["text"].replace("\n  ", "\n").strip(),
            outdated=given.get("outdated") == "true",
            entry_type=given.get("entry_type", ""),
            is_screen=given.get("source") == "screen" or speaker == SCREEN,
            application=given.get("app", ""),
        )


def _question(text: str) -> tuple[str, datetime | None]:
    found = _elements("question", text)
    if found:
        given, body = found[-1]
        return body, _time(given.get("asked_at", ""))
    return ("", None) if "<" in text else (text.strip(), None)


def _failed_calls(messages: Sequence[BaseMessage]) -> tuple[FailedCall, ...]:
    calls = {
        str(call["id"]): call for message in messages if isinstance(message, AIMessage) for call in message.tool_calls
    }
    failed = []
    for message in messages:
        if not isinstance(message, ToolMessage) or message.tool_call_id not in calls:
            continue
        reply = _text_of(message).strip()
        call = calls[message.tool_call_id]
        if reply.lower().startswith("ok") or call["name"] == "search_memory":
            continue
        failed.append(FailedCall(name=call["name"], arguments=dict(call["args"]), error=reply))
    return tuple(failed)


def _in_zone(moment: datetime | None, now: datetime | None) -> datetime | None:
    """A local time with the offset that is in force where the question is asked."""
    return moment.replace(tzinfo=now.tzinfo) if moment and now and moment.tzinfo is None else moment


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
