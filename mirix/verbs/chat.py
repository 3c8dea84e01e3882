"""The verb of talking with the memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from langsmith.run_helpers import tracing_context

from mirix.chat.deed import Done
from mirix.ingest.inputs import check_time, clean_name
from mirix.memory.record import Scope
from mirix.results import AddResult, BatchResult, ChatReply
from mirix.verbs.opened import Opened


class ChatVerbs:
    async def chat(
        self: Opened,
        turn: str,
        *,
        conversation: str = "default",
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        at: datetime | None = None,
        reveal: bool = False,
        on_text: Callable[[str], None] | None = None,
    ) -> ChatReply:
        """Take a turn of a conversation: it is answered from memory and remembered, and does what it says.

        "What do you know about me?", "forget that", "don't remember this: …", "that is wrong, it is …", and the same
        in Chinese, are done by code within this user's memory; `done` tells what was done. More than a few things are
        only forgotten after a plain yes in the next turn. All state is in the rows of the conversation: any process may
        go on with it. `at` (aware; default now) is when it was said; `reveal` and `on_text` are those of `ask`.

        Raises InputError for an empty turn, ModelError when it could not be heard (then nothing was kept) or not
        answered (then it was).
        """
        user = await self._ensure_user(user_id, None)
        scope = Scope(
            user_id=user.user_id, agent_id=clean_name(agent_id, "agent_id"), run_id=clean_name(run_id, "run_id")
        )
        with tracing_context(enabled=False):
            taken = await self.parts.chatter.turn(
                user,
                scope,
                turn,
                conversation=clean_name(conversation, "conversation") or "default",
                at=check_time(at),
                on_text=on_text,
            )
        text, answer = taken.text, taken.answer
        if answer is not None and reveal:
            revealed = await self._revealed(user, replace(answer, text=text))
            text, answer = revealed.text, await self._revealed(user, answer)
        if answer is not None:
            self._gave_answer(user, replace(answer, text=text))
        batches = [
            BatchResult.of(batch, taken.outcomes.get(batch.id), waited=batch.id in taken.outcomes)
            for batch in taken.stored
        ]
        usage = sum((outcome.usage for outcome in taken.outcomes.values()), taken.usage)
        citations = taken.deed.citations if taken.deed else ()
        return ChatReply(
            text=text,
            citations=answer.citations if answer else citations,
            answer=answer,
            added=AddResult(batches=tuple(batches), usage=usage) if batches else None,
            done=taken.deed.done if taken.deed else Done(),
            usage=replace(usage, ms=taken.usage.ms),
        )
