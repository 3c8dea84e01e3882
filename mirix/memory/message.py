"""Raw evidence: every turn, text or frame as it came in, sealed, and never edited but by redaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg.types.multirange import Multirange
from psycopg.types.range import Range

from mirix.memory.record import SourceKind, Trust, Visibility, new_id, now
from mirix.text.dates import find_mentions

Role = Literal["user", "assistant", "tool"]
Standing = Literal["current", "outdated", "hidden"]


@dataclass(frozen=True, kw_only=True)
class Message:
    """A row of `message` without its vectors. Times are aware."""

    user_id: int  # short key of the user
    id: UUID = field(default_factory=new_id)
    conversation_id: UUID
    batch_id: UUID
    agent_id: str | None = None
    run_id: str | None = None
    visibility: Visibility = "private"
    role: Role = "user"
    speaker: str
    source_kind: SourceKind = "chat"  # never "user": that marks memories made by hand
    application: str | None = None  # program on the screen
    title: str | None = None  # window or file title
    uri: str | None = None
    mime: str = "text/plain"
    text: str
    at: datetime = field(default_factory=now)
    timezone: str = "UTC"  # IANA name
    trust: int = Trust.OWN
    standing: Standing = "current"
    external_id: str | None = None  # the id it had where it came from
    created_at: datetime = field(default_factory=now)
    cited: list[UUID] = field(default_factory=list)  # what an answer of the assistant rests on: recalled, no evidence
    asks: bool = False  # whether to forget what it cites; a yes that follows at once does it
    position: int = 0  # order within the conversation; set by the database

    @property
    def local_at(self) -> datetime:
        """When it was said, on the clock of the place."""
        return self.at.astimezone(ZoneInfo(self.timezone))


def times_mentioned(messages: Iterable[Message]) -> Multirange[datetime]:
    """The times that messages speak of, resolved."""
    mentions = [m for message in messages for m in find_mentions(message.text, message.local_at, message.timezone)]
    return Multirange([Range(mention.range.start, mention.range.end) for mention in mentions])
