"""How adding the same again stays without effect after a move.

A batch is found again by a keyed digest of what was added (ingest/evidence.py), and that key belongs to one database.
So an export says how the digest comes about from the messages of the batch, where that can be told: the messages are
put together again as they came in, values of the vault in their places, and digested with each way of writing times
until it fits. What was added under a caller's own key, and pictures, cannot be told: their digest moves as it is, and
means something only where key and user are the same again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

from mirix.ingest.evidence import SealedMessage, content_key
from mirix.ingest.inputs import Incoming
from mirix.ingest.sealing import SealedText
from mirix.memory.envelope import Keyring
from mirix.memory.record import Scope
from mirix.text.secrets import find_references, reference_text
from mirix.transfer.document import BatchKey, ExportedMessage

UNTIMED, LOCAL = "untimed", "local"
MAX_OCCURRENCES = 20  # how often the same was news again, as far as it is looked for
# Offsets from UTC in use anywhere, in minutes, the nearest first.
_ODD = (-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825)
_OFFSETS = sorted([*(60 * hour for hour in range(-12, 15)), *_ODD], key=abs)
_WAYS = (UNTIMED, LOCAL, *(timezone(timedelta(minutes=offset)).tzname(None) for offset in _OFFSETS))
_NOTHING = SealedText(text="")


@dataclass(frozen=True, kw_only=True)
class KeyMaker:
    """Digests batches for one user of one database."""

    keyring: Keyring
    user_id: int
    values: Mapping[str, str]  # of the vault, by reference

    def recognise(self, digest: bytes, conversation: str, messages: Sequence[ExportedMessage]) -> BatchKey:
        """How a digest came about."""
        if self._can_be_told(messages):
            said, scope = [self._as_it_came_in(message) for message in messages], self._scope(messages)
            for times in _WAYS:
                made = self._digest(times, conversation, said, scope)
                for occurrence in range(MAX_OCCURRENCES if times == UNTIMED else 1):
                    found = self._again(made, occurrence)
                    if found == digest:
                        return BatchKey(times=times, occurrence=occurrence)
        return BatchKey(times=None, digest=digest.hex())

    def remake(self, key: BatchKey, conversation: str, messages: Sequence[ExportedMessage]) -> bytes | None:
        """The digest here; None where it cannot be told: its values were left out."""
        if key.times is None:
            return bytes.fromhex(key.digest or "") or None
        if not self._can_be_told(messages):
            return None
        said = [self._as_it_came_in(message) for message in messages]
        return self._again(self._digest(key.times, conversation, said, self._scope(messages)), key.occurrence)

    def _can_be_told(self, messages: Sequence[ExportedMessage]) -> bool:
        named = {reference for message in messages for text in _texts(message) for reference in find_references(text)}
        has_picture = any(message.mime.startswith("image/") for message in messages)
        return bool(messages) and not has_picture and named <= self.values.keys()

    def _digest(self, times: str, conversation: str, said: Sequence[Incoming], scope: Scope) -> bytes:
        group = [SealedMessage(incoming=_timed(one, times), sealed=_NOTHING, title=None, uri=None) for one in said]
        return self.keyring.digest(self.user_id, content_key(scope, conversation, group), "batch")

    def _scope(self, messages: Sequence[ExportedMessage]) -> Scope:
        return Scope(user_id=self.user_id, agent_id=messages[0].agent_id, run_id=messages[0].run_id)

    def _again(self, digest: bytes, occurrence: int) -> bytes:
        """The digest of the same said once more after it had been overtaken."""
        return self.keyring.digest(self.user_id, f"{digest.hex()}#{occurrence}", "batch") if occurrence else digest

    def _as_it_came_in(self, message: ExportedMessage) -> Incoming:
        return Incoming(
            role=message.role,
            speaker=message.speaker,
            text=self._filled(message.text),
            at=message.at,
            has_time=True,
            timezone=message.timezone,
            source_kind=message.source_kind,
            trust=message.trust,
            title=self._filled(message.title) if message.title else None,
        )

    def _filled(self, text: str) -> str:
        for reference in find_references(text):
            text = text.replace(reference_text(reference), self.values[reference])
        return text


def _texts(message: ExportedMessage) -> list[str]:
    return [text for text in (message.text, message.title) if text]


def _timed(incoming: Incoming, times: str) -> Incoming:
    """With its time as the caller wrote it."""
    if times == UNTIMED:
        return replace(incoming, has_time=False)
    zone = ZoneInfo(incoming.timezone) if times == LOCAL else _offset(times)
    return replace(incoming, at=incoming.at.astimezone(zone))


def _offset(name: str) -> timezone:
    """`UTC`, `UTC+05:30` …"""
    if name == "UTC":
        return UTC
    sign = -1 if name[3] == "-" else 1
    return timezone(sign * timedelta(hours=int(name[4:6]), minutes=int(name[7:9])))
