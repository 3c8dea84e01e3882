"""A conversation as it stands in its rows: what was said last, and what was asked. There is no other chat state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from uuid import UUID

from psycopg import sql

from mirix.db.pool import Database
from mirix.db.statements import statements
from mirix.memory.message import Message

RECENT = 16  # rows that are read
SHOWN = 8  # of them, those that a model is shown
_CHAT = statements("chat")


@dataclass(frozen=True, kw_only=True)
class Recent:
    """The last rows of a conversation, oldest first."""

    rows: Sequence[Message]
    asked: tuple[UUID, ...] = ()  # what the last row asks whether to forget: for the turn that comes now, and no other

    @property
    def shown(self) -> Sequence[Message]:
        return self.rows[-SHOWN:]

    @property
    def last_cited(self) -> list[UUID]:
        """What the last turn of the assistant rests on that rests on memory."""
        found = (
            recalled_by(self.rows, place) for place in reversed(range(len(self.rows))) if recalls(self.rows, place)
        )
        return next(found, [])

    @property
    def last_turn(self) -> list[Message]:
        """What the user said right before, all parts of it; nothing where something else came in between."""
        said = self._before_reply()
        if not said or said[-1].role != "user" or said[-1].standing == "hidden" or said[-1].source_kind != "chat":
            return []
        return [row for row in said if row.batch_id == said[-1].batch_id and row.role == "user"]

    @property
    def last_exchange(self) -> list[Message]:
        """The same with the reply to it."""
        turn = self.last_turn
        return [*turn, *self.rows[len(self._before_reply()) :]] if turn else []

    @property
    def answers_last(self) -> bool:
        """Whether the last row is such a turn."""
        return bool(self.rows) and recalls(self.rows, len(self.rows) - 1)

    def _before_reply(self) -> Sequence[Message]:
        """The rows without the reply at their end, which is one turn of the assistant, in one part or several."""
        if not self.rows or self.rows[-1].role != "assistant":
            return self.rows
        last = self.rows[-1].batch_id
        reply = sum(1 for _ in takewhile(lambda r: r.role == "assistant" and r.batch_id == last, reversed(self.rows)))
        return self.rows[: len(self.rows) - reply]


def recalls(rows: Sequence[Message], place: int) -> bool:
    """Whether a row is a turn of the assistant that rests on memory, not only on the turn that it replies to."""
    return rows[place].role == "assistant" and bool(recalled_by(rows, place))


def recalled_by(rows: Sequence[Message], place: int) -> list[UUID]:
    """What a row cites beside the turn that it replies to."""
    before = {row.id for row in takewhile(lambda row: row.role == "user", reversed(rows[:place]))}
    return [one for one in rows[place].cited if one not in before]


async def read_recent(database: Database, user_id: int, conversation: str) -> Recent:
    """The last rows; what they ask is taken with them, so that no second turn can answer it."""
    named = {"user_id": user_id, "name": conversation}
    columns = sql.SQL(", ").join(map(sql.Identifier, Message.__dataclass_fields__))
    async with database.transaction(user_id) as conn:
        cursor = await conn.execute(_CHAT["recent"].format(columns=columns), named | {"limit": RECENT})
        rows = [Message(**row) for row in reversed(await cursor.fetchall())]
        taken = {row["id"] for row in await (await conn.execute(_CHAT["take_questions"], named)).fetchall()}
    asked = rows[-1].cited if rows and rows[-1].id in taken else []
    return Recent(rows=rows, asked=tuple(asked))
