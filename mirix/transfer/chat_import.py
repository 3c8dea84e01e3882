"""Chats from elsewhere become evidence: the user's own conversations (trust 3), the assistant's turns included.

A turn is there already when its id from elsewhere is (`<format>/<conversation>/<turn>`, kept as external_id), or, where
there is none, when the conversation of that name holds the same words by the same role (at the same time, if one is
told), each of them once. So the same file adds nothing, a newer export of the same chats adds what is new in them, and
an import that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from mirix.db.pool import Database, User
from mirix.db.statements import statements
from mirix.errors import InputError
from mirix.ingest.inputs import ChatMessage, Incoming, Origin, from_messages, storable
from mirix.memory.envelope import Keyring
from mirix.memory.knowledge_vault import VaultRecord, value_digest
from mirix.memory.record import Scope, now, one_line
from mirix.memory.reveal import entries_by_reference
from mirix.text.secrets import REFERENCE, escape_references
from mirix.transfer.chats import Chat, ChatFormat, Problem, Turn, read_chats
from mirix.transfer.inbox import Brought, Inbox, Tally, Tell

_TRANSFER = statements("transfer")
TITLE_CHARS = 150


@dataclass(frozen=True, kw_only=True)
class _Place:
    """What is there of a format already."""

    parts: Counter[str]  # messages by external id: a long turn is stored in parts
    chats: Mapping[str, str]  # conversation by the beginning of its external ids
    names: set[str]  # of all conversations


async def import_chats(
    inbox: Inbox, user: User, scope: Scope, kind: ChatFormat, path: Path, *, wait: bool, tell: Tell | None
) -> Brought:
    """Import a file of chats; each is added whole, or told as a problem.

    Raises InputError for a file that cannot be read or of which nothing can be taken.
    """
    chats = await asyncio.to_thread(read_chats, kind, path)
    place = await _place(inbox.database, user, kind)
    tally = Tally()
    for number, chat in enumerate(chats):
        if tell:
            tell(number, len(chats), chat.where if isinstance(chat, Problem) else chat.title)
        if isinstance(chat, Problem):
            tally.problems.append(chat)
        else:
            await _import_chat(inbox, user, scope, kind, chat, place, tally, wait)
    if tell:
        tell(len(chats), len(chats), "")
    return tally.result(waiting=not wait)


async def _import_chat(
    inbox: Inbox, user: User, scope: Scope, kind: ChatFormat, chat: Chat, place: _Place, tally: Tally, wait: bool
) -> None:
    begin = f"{kind}/{chat.id or chat.title}"
    name = _name(chat, begin, place)
    origin = Origin(timezone=user.timezone, application=chat.application, conversation=name)
    turns = [_turn_message(turn, begin) for turn in chat.turns]
    try:
        incoming = await asyncio.to_thread(from_messages, turns, origin, now())
    except InputError as error:
        tally.problems.append(Problem(where=chat.where, reason=str(error)))
        return
    said = await _said_in(inbox, user, name)
    first, new = _unknown(incoming, place.parts, said)
    place.names.add(name)
    if not new:
        tally.known += 1
        # What an interrupted import left is read now.
        if wait:
            await inbox.drainer.drain(user)
        return
    key = "\x1e".join(["import", kind, name, str(first), *(f"{i.role}\x1f{i.at}\x1f{i.text}" for i in new)])
    await inbox.take(user, scope, new, tally, conversation=name, where=chat.where, wait=wait, idempotency_key=key)


def _turn_message(turn: Turn, begin: str) -> ChatMessage:
    identity = f"{begin}/{turn.id}" if turn.id else None
    if identity and len(identity) > 200:
        identity = f"{begin.split('/')[0]}/{uuid5(NAMESPACE_URL, identity)}"
    return ChatMessage(
        role=turn.role, text=storable(turn.text), name=storable(turn.name), at=turn.at, id=storable(identity)
    )


def _name(chat: Chat, begin: str, place: _Place) -> str:
    """The conversation it is in already, or its title, told apart from others of the same title."""
    known = place.chats.get(begin)
    if known:
        return known
    title = one_line(storable(chat.title), TITLE_CHARS) or "untitled"
    if chat.id is None or title not in place.names:
        return title
    short = f"{title} ({chat.id[:8]})"
    return short if short not in place.names else f"{title} ({uuid5(NAMESPACE_URL, begin)})"


def _unknown(incoming: Sequence[Incoming], parts: Counter[str], said: _Said) -> tuple[int, list[Incoming]]:
    """What is not there yet, and where in the chat that begins."""
    left = parts.copy()
    new: list[Incoming] = []
    first = 0
    for number, item in enumerate(incoming):
        if item.external_id is not None:
            is_known = left[item.external_id] > 0
            left[item.external_id] -= 1
        else:
            is_known = said.take(item)
        if not is_known:
            first = first if new else number
            new.append(item)
    return first, new


class _Said:
    """What a conversation holds; each message stands for one turn."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], entries: Mapping[str, VaultRecord], keyring: Keyring) -> None:
        self._entries = entries
        self._keyring = keyring
        self._plain: defaultdict[tuple[str, str], list[datetime]] = defaultdict(list)
        self._sealed: list[tuple[str, str, datetime]] = []
        for row in rows:
            if REFERENCE.search(row["text"]):
                self._sealed.append((row["role"], row["text"], row["at"]))
            else:
                self._plain[row["role"], row["text"]].append(row["at"])

    def take(self, item: Incoming) -> bool:
        """Whether it was said; it counts once."""
        text = escape_references(item.text)
        times = self._plain.get((item.role, text), [])
        for at in times:
            if not item.has_time or at == item.at:
                times.remove(at)
                return True
        for index, (role, sealed, at) in enumerate(self._sealed):
            if role == item.role and (not item.has_time or at == item.at) and self._is_sealed_form(sealed, text):
                del self._sealed[index]
                return True
        return False

    def _is_sealed_form(self, sealed: str, text: str) -> bool:
        """Whether one is the other with its values cut; what a value was before somebody changed it, nobody knows."""
        pieces = REFERENCE.split(sealed)  # texts and, between them, references
        match = re.fullmatch("(.+?)".join(map(re.escape, pieces[::2])), text, re.DOTALL)
        if match is None:
            return False
        for reference, value in zip(pieces[1::2], match.groups(), strict=True):
            entry = self._entries.get(reference)
            if entry is None or not entry.ciphertext or entry.value_version > 1:
                continue
            if value_digest(self._keyring, entry.user_id, value) != entry.content_hmac:
                return False
        return True


async def _place(database: Database, user: User, kind: ChatFormat) -> _Place:
    async with database.transaction(user.user_id) as conn:
        parameters = {"user_id": user.user_id, "prefix": f"{kind}/"}
        rows = await (await conn.execute(_TRANSFER["imported_ids"], parameters)).fetchall()
        names = await (await conn.execute(_TRANSFER["conversation_names"], {"user_id": user.user_id})).fetchall()
    return _Place(
        parts=Counter(row["external_id"] for row in rows),
        chats={row["external_id"].rsplit("/", 1)[0]: row["name"] for row in rows},
        names={row["name"] for row in names},
    )


async def _said_in(inbox: Inbox, user: User, name: str) -> _Said:
    async with inbox.database.transaction(user.user_id) as conn:
        parameters = {"user_id": user.user_id, "name": name}
        rows = await (await conn.execute(_TRANSFER["said_in"], parameters)).fetchall()
        references = {reference for row in rows for reference in REFERENCE.findall(row["text"])}
        entries = await entries_by_reference(conn, user.user_id, list(references))
    return _Said(rows, entries, inbox.keyring)
