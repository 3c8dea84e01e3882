"""The verbs of moving in and out, as a part of AsyncMirix: thin, like all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from langsmith.run_helpers import tracing_context

from mirix.db.pool import User
from mirix.ingest.inputs import clean_name
from mirix.memory.record import Scope
from mirix.transfer.chat_import import import_chats
from mirix.transfer.chats import ChatFormat
from mirix.transfer.folder import add_folder
from mirix.transfer.inbox import Brought, Inbox
from mirix.verbs.opened import Opened

if TYPE_CHECKING:
    from mirix.transfer.export import Exported
    from mirix.transfer.restore import Restored


class TransferVerbs:
    """`on_progress` is told how much is done, of how much, and for chats and folders what comes next."""

    async def export(
        self: Opened,
        file: str | Path,
        *,
        user_id: str | None = None,
        passphrase: str | None = None,
        pictures: bool = True,
        overwrite: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Exported:
        """Write everything of a user into a JSON file (its schema: mirix/transfer/document.py).

        Values of the vault and pictures are sealed under the passphrase; without one they are left out. Written to the
        audit. Raises InputError when the file cannot be written, SealError when a value cannot be opened.
        """
        from mirix.transfer.export import Exporter  # the models of the document take 0.15 s

        exporter = Exporter(database=self.parts.database, keyring=self.parts.keyring, frames=self.parts.frames)
        return await exporter.write(
            await self._user(user_id),
            Path(file),
            passphrase=passphrase,
            pictures=pictures,
            overwrite=overwrite,
            tell=on_progress,
        )

    async def restore(
        self: Opened,
        file: str | Path,
        *,
        user_id: str | None = None,
        passphrase: str | None = None,
        secrets: bool = True,
        merge: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Restored:
        """Read an export into a user, whole or not at all; ids stay as they are.

        Without `secrets` values and pictures stay out. A user who has memories already is refused (ConflictError);
        with `merge` what is not there yet is added. Raises InputError for what is no export, SealError for a wrong or
        missing passphrase.
        """
        from mirix.transfer.restore import Restorer

        parts = self.parts
        restorer = Restorer(database=parts.database, keyring=parts.keyring, indexer=parts.indexer, frames=parts.frames)
        return await restorer.read(
            await self._ensure_user(user_id, None),
            Path(file),
            passphrase=passphrase,
            secrets=secrets,
            merge=merge,
            tell=on_progress,
        )

    async def import_chats(
        self: Opened,
        file: str | Path,
        kind: ChatFormat,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        wait: bool = True,
        on_progress: Callable[[int, int, str], None] | None = None,
    ) -> Brought:
        """Add the conversations of an export of ChatGPT or Claude, or of a JSON Lines file; what is there stays.

        Raises InputError for a file that cannot be read, ModelError like `add`: the same import then goes on later.
        """
        inbox, user, scope = await _inbox(self, user_id, agent_id, run_id)
        with tracing_context(enabled=False):
            brought = await import_chats(inbox, user, scope, kind, Path(file), wait=wait, tell=on_progress)
        if brought.waiting:
            await self.parts.worker.start()
        return brought

    async def add_folder(
        self: Opened,
        folder: str | Path,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        wait: bool = True,
        on_progress: Callable[[int, int, str], None] | None = None,
    ) -> Brought:
        """Add the documents and screenshots in a folder and below, oldest first; what is there stays.

        Raises InputError where there is nothing to add, ModelError like `add`: the same call then goes on later.
        """
        inbox, user, scope = await _inbox(self, user_id, agent_id, run_id)
        with tracing_context(enabled=False):
            brought = await add_folder(
                inbox, self.parts.recogniser, user, scope, Path(folder), wait=wait, tell=on_progress
            )
        if brought.waiting:
            await self.parts.worker.start()
        return brought


async def _inbox(
    memory: Opened, user_id: str | None, agent_id: str | None, run_id: str | None
) -> tuple[Inbox, User, Scope]:
    user = await memory._ensure_user(user_id, None)
    parts = memory.parts
    scope = Scope(user_id=user.user_id, agent_id=clean_name(agent_id, "agent_id"), run_id=clean_name(run_id, "run_id"))
    return (
        Inbox(database=parts.database, keyring=parts.keyring, evidence=parts.evidence, drainer=parts.drainer),
        user,
        scope,
    )
