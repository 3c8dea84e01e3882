"""What a group of verbs needs of AsyncMirix."""

from __future__ import annotations

from typing import Protocol

from mirix.db.pool import User
from mirix.parts import Parts
from mirix.retrieval.answer import Answer


class Opened(Protocol):
    @property
    def parts(self) -> Parts: ...
    async def _user(self, name: str | None) -> User: ...
    async def _ensure_user(self, name: str | None, timezone: str | None) -> User: ...
    async def _revealed(self, user: User, answer: Answer) -> Answer: ...
    def _gave_answer(self, user: User, answer: Answer) -> None: ...
