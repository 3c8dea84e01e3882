"""The verbs of looking after a memory: conversations, forgetting, late sealing, review, new vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from mirix.checks import check_entry, check_id
from mirix.curation.conversations import Conversation, last_messages, list_conversations
from mirix.curation.forgetting import Forgetter, Forgotten
from mirix.curation.frames import KeptFrame, read_frame
from mirix.curation.late_sealing import EntryWish, LateSealer, SealingReport, UnsealingReport
from mirix.curation.review import ProposalEntry, QuarantinedEntry, Reviewer
from mirix.errors import InputError, NotFoundError
from mirix.ingest.inputs import clean_name
from mirix.jobs.reembed import Reembedded
from mirix.jobs.upkeep import keep_up
from mirix.managers.proposals import ProposalState
from mirix.memory.changes import Change
from mirix.memory.knowledge_vault import VaultEntryType, VaultSensitivity
from mirix.memory.message import Message
from mirix.memory.record import Record
from mirix.verbs.opened import Opened


class CurationVerbs:
    """Each call is one transaction: done whole, or not at all."""

    # ---- forgetting ----

    async def forget(self: Opened, *ids: UUID | str, user_id: str | None = None) -> Forgotten:
        """Take memories and messages out for good: there is no undo, and no trace but their number in the audit.

        Of a memory goes all that says the same: its twins, the values it superseded, its history, and the messages
        that only told of it; of a message all that rests on it alone. Raises InputError, NotFoundError, and
        ConflictError when others keep changing what is to be forgotten.
        """
        user = await self._user(user_id)
        return await _forgetter(self).forget(user.user_id, [check_id(one) for one in ids])

    async def forget_conversation(self: Opened, name: str, *, user_id: str | None = None) -> Forgotten:
        """Take a conversation out for good, with the memories that rest on it alone. Raises NotFoundError."""
        user = await self._user(user_id)
        return await _forgetter(self).forget_conversation(user.user_id, name)

    async def forget_user(self: Opened, *, user_id: str) -> Forgotten:
        """Take everything of a user out for good, pictures and the name included. Raises NotFoundError."""
        user = await self.parts.database.find_user(user_id)
        if user is None:
            raise NotFoundError(f"there is no user {user_id!r}: nothing is kept under that name")
        forgotten = await _forgetter(self).forget_user(user)
        await asyncio.to_thread(self.parts.spool.clear, user.user_id)
        return forgotten

    # ---- conversations ----

    async def conversations(self: Opened, *, user_id: str | None = None) -> list[Conversation]:
        """What was talked about under which name; the one spoken in last first."""
        user = await self._user(user_id)
        return await list_conversations(self.parts.database, user.user_id)

    async def messages(
        self: Opened, conversation: str = "default", *, user_id: str | None = None, limit: int = 50
    ) -> list[Message]:
        """The last messages of a conversation, oldest first. Raises NotFoundError."""
        if limit < 1:
            raise InputError("limit counts from 1")
        user = await self._user(user_id)
        return await last_messages(self.parts.database, user.user_id, conversation, limit)

    async def frame(self: Opened, message_id: UUID | str, *, user_id: str | None = None) -> KeptFrame:
        """The picture behind a message, secrets painted over, with the places of its lines. Raises NotFoundError."""
        user = await self._user(user_id)
        return await read_frame(self.parts.database, self.parts.frames, user.user_id, check_id(message_id))

    # ---- what waits for the user ----

    async def proposals(
        self: Opened, *, user_id: str | None = None, states: Sequence[ProposalState] = ("open",)
    ) -> list[ProposalEntry]:
        """Operations that trust did not allow and that wait for the user (or waited: `states`), oldest first."""
        user = await self._user(user_id)
        return await _reviewer(self).proposals(user.user_id, states)

    async def accept_proposal(self: Opened, proposal_id: UUID | str, *, user_id: str | None = None) -> list[Change]:
        """Carry a proposed operation out as the user's own; undo takes it back. Accepted again nothing changes.

        Returns what was written. Raises NotFoundError, and ConflictError when what it is about changed since, or was
        forgotten.
        """
        user = await self._user(user_id)
        return await _reviewer(self).accept(user.user_id, check_id(proposal_id))

    async def reject_proposal(self: Opened, proposal_id: UUID | str, *, user_id: str | None = None) -> None:
        """Leave everything as it is; the same is not asked again. Raises NotFoundError, ConflictError."""
        user = await self._user(user_id)
        await _reviewer(self).reject(user.user_id, check_id(proposal_id))

    async def quarantined(self: Opened, *, user_id: str | None = None) -> list[QuarantinedEntry]:
        """Memories that are kept apart because what they rest on reads like an order to the assistant."""
        user = await self._user(user_id)
        return await _reviewer(self).quarantined(user.user_id)

    async def accept_quarantined(self: Opened, memory_id: UUID | str, *, user_id: str | None = None) -> Record:
        """Let a memory out of quarantine: it is found, and counts as the user's own. Undo puts it back.

        Raises NotFoundError, ConflictError when it was rejected or deleted.
        """
        user = await self._user(user_id)
        return await _reviewer(self).admit(user.user_id, check_id(memory_id))

    async def reject_quarantined(self: Opened, memory_id: UUID | str, *, user_id: str | None = None) -> Record:
        """Archive a memory that is in quarantine. Undo puts it back. Raises NotFoundError, ConflictError."""
        user = await self._user(user_id)
        return await _reviewer(self).dismiss(user.user_id, check_id(memory_id))

    # ---- sealing by hand ----

    async def seal_candidates(self: Opened, message_id: UUID | str, *, user_id: str | None = None) -> list[str]:
        """What could be a secret in a message, in clear. Raises NotFoundError."""
        user = await self._user(user_id)
        return await _sealer(self).candidates(user.user_id, check_id(message_id))

    async def seal(
        self: Opened,
        message_id: UUID | str,
        value: str | Sequence[str] | None = None,
        *,
        user_id: str | None = None,
        caption: str | None = None,
        entry_type: VaultEntryType | None = None,
        sensitivity: VaultSensitivity = "high",
    ) -> SealingReport:
        """Seal what stands in a message and was not taken for a secret: everywhere, as if it had been from the start.

        Without a value the only one that could be a secret is meant. A short or plain value is cut from the batch of
        the message and what came of it, any other wherever it stands. Low and medium sensitivity keep a copy in the
        vault and cut nothing. Raises NotFoundError, InputError, and ConflictError while memory managers are at work.
        """
        user = await self._user(user_id)
        values = [value] if isinstance(value, str) else list(value or ())
        wish = EntryWish(caption=clean_name(caption, "caption"), entry_type=entry_type, sensitivity=sensitivity)
        return await _sealer(self).seal(user.user_id, check_id(message_id), values, wish)

    async def unseal(self: Opened, entry: UUID | str, *, user_id: str | None = None) -> UnsealingReport:
        """Undo a false alarm: the value stands again where its reference did, and is not sealed again.

        `entry` is a reference ("k7q2mn") or the id of an entry; the entry is gone for good. What was painted over in a
        picture stays so: see the result. Raises NotFoundError, SealError, ConflictError.
        """
        user = await self._user(user_id)
        return await _sealer(self).unseal(user.user_id, check_entry(entry))

    # ---- vectors ----

    async def reembed(
        self: Opened, *, user_id: str | None = None, on_progress: Callable[[int, int], None] | None = None
    ) -> Reembedded:
        """Make the vectors that are missing, or are of another embedder than the present one.

        Not one transaction: in small portions, each kept; after an interruption the same call goes on from there. A
        concurrent change of a memory wins. `on_progress` is told how much is done, of how much. Raises ConfigError
        without an embedder, ModelError when it fails.
        """
        done = await self.parts.reembedder.run(await self._user(user_id), tell=on_progress)
        await keep_up(self.parts.database.conninfo)
        return done


def _forgetter(memory: Opened) -> Forgetter:
    parts = memory.parts
    return Forgetter(parts.database, parts.indexer, parts.keyring, parts.frames)


def _reviewer(memory: Opened) -> Reviewer:
    parts = memory.parts
    return Reviewer(parts.database, parts.indexer, parts.keyring, parts.frames)


def _sealer(memory: Opened) -> LateSealer:
    parts = memory.parts
    return LateSealer(parts.database, parts.indexer, parts.keyring, parts.frames)
