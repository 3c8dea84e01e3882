"""Where chats and files from elsewhere are handed over: stored as evidence, read by the managers, counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from mirix.db.pool import Database, User
from mirix.errors import DatabaseUnavailable, InputError, MirixError, ModelUnavailable
from mirix.ingest.evidence import Evidence
from mirix.ingest.inputs import Incoming
from mirix.jobs.drain import Drainer
from mirix.memory.envelope import Keyring
from mirix.memory.record import Scope
from mirix.transfer.chats import Problem

Tell = Callable[[int, int, str], None]  # done, of how many, what


@dataclass(frozen=True, kw_only=True)
class Brought:
    """What an import of chats or files brought."""

    added: int  # chats or files with something new
    known: int  # those that were there already
    messages: int  # new ones
    changes: int  # of memories, by the managers
    waiting: bool  # the managers have not read it yet
    problems: tuple[Problem, ...]  # what was not taken, or not read by the managers, and why


@dataclass(kw_only=True)
class Tally:
    """A `Brought` in the making."""

    added: int = 0
    known: int = 0
    messages: int = 0
    changes: int = 0
    problems: list[Problem] = field(default_factory=list)

    def result(self, *, waiting: bool) -> Brought:
        """Raises InputError when nothing at all could be taken."""
        if self.problems and not self.added and not self.known:
            first, more = self.problems[0], len(self.problems) - 1
            raise InputError(f"{first.where}: {first.reason}" + (f" (and {more} more)" if more else ""))
        return Brought(
            added=self.added,
            known=self.known,
            messages=self.messages,
            changes=self.changes,
            waiting=waiting and self.added > 0,
            problems=tuple(self.problems),
        )


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """Stores evidence and, if asked to, has the managers read it at once."""

    database: Database
    keyring: Keyring
    evidence: Evidence
    drainer: Drainer

    async def take(
        self,
        user: User,
        scope: Scope,
        incoming: Sequence[Incoming],
        tally: Tally,
        *,
        conversation: str,
        where: str,
        wait: bool,
        idempotency_key: str | None = None,
    ) -> None:
        """Store one chat or file. A batch that the managers fail on is kept, and told as a problem.

        Raises ModelUnavailable and DatabaseUnavailable: the next would fail as well, and the same import goes on later.
        """
        stored = await self.evidence.store(
            user, scope, incoming, conversation=conversation, idempotency_key=idempotency_key
        )
        new = [batch for batch in stored if batch.is_new]
        tally.added += bool(new)
        tally.known += not new
        tally.messages += sum(len(batch.message_ids) for batch in new)
        tally.changes += sum(len(batch.sealed) for batch in new)
        if not wait:
            return
        try:
            outcomes = await self.drainer.drain(user, [batch.id for batch in stored if not batch.is_applied])
        except (ModelUnavailable, DatabaseUnavailable):
            raise
        except MirixError as error:
            tally.problems.append(Problem(where=where, reason=f"kept, but not read by the managers: {error}"))
        else:
            tally.changes += sum(len(outcome.applied.changes) for outcome in outcomes.values())
