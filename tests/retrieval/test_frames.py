"""What was seen on a screen is found and cited with its picture, and shown to a model that sees."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import cast
from uuid import UUID

import pytest
from PIL import Image

from mirix.db.pool import Database
from mirix.ingest.inputs import Origin, from_image
from mirix.memory.changes import Changes
from mirix.memory.record import Scope
from mirix.memory.semantic import SemanticRecord
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest
from mirix.models.ocr import FakeRecogniser
from mirix.retrieval.frames import MOST_PICTURES, Framer
from mirix.retrieval.hits import Hit
from mirix.system import AsyncMirix
from tests.retrieval.test_context import said
from tests.scripts import NOON, OpenMirix, call, open_mirix, says, served

__all__ = ["open_mirix"]

POOL = "Harbour Pool\nYour locker is 47B, upper row\n泳道在三号馆"  # lines 20 pixels apart


def script(request: ScriptedRequest) -> Reply:
    if "set_topics" in request.tools:
        return says(call("set_topics", topics=["locker"]))
    return "Your locker is 47B [1]."


def served_script(request: ServerRequest) -> ServerReply:
    if "set_topics" in request.tools:
        return served(call("set_topics", topics=["locker"]))
    return ServerReply(text="47B [1].")


async def see(memory: AsyncMirix, page: str, *, minute: int = 0, width: int = 400) -> UUID:
    """A screen in the memory, which no manager reads."""
    file = BytesIO()
    Image.new("RGB", (width, 300), "white").save(file, "PNG")
    user = await memory.parts.database.ensure_user("anna", "Europe/Oslo")
    origin = Origin(timezone="Europe/Oslo", application="Browser", title="Pool", at=NOON + timedelta(minutes=minute))
    incoming = from_image(file.getvalue(), FakeRecogniser([page]), origin, NOON)
    [batch] = await memory.parts.evidence.store(
        user, Scope(user_id=user.user_id), [incoming], conversation="screens", infer=False
    )
    return batch.message_ids[0]


async def keep(memory: AsyncMirix, summary: str, *sources: UUID) -> None:
    """A memory that was made of what was seen."""
    user = await memory.parts.database.ensure_user("anna", "Europe/Oslo")
    record = SemanticRecord(user_id=user.user_id, name="locker", summary=summary, source_kind="screen", trust=1)
    [derived] = await memory.parts.indexer.derive([record])
    async with memory.parts.database.transaction(user.user_id) as conn:
        await Changes(conn=conn, user_id=user.user_id, actor="test").insert(record, derived, sources=sources)


async def test_a_screen_is_found_with_the_place_that_answers(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=script))
    seen = await see(memory, POOL)
    [hit] = (await memory.search("Which locker?")).hits
    assert hit.frame is not None
    assert (hit.frame.message_id, hit.frame.application, hit.frame.title) == (seen, "Browser", "Pool")
    assert (hit.frame.at, hit.frame.width, hit.frame.height) == (NOON, 400, 300)
    assert hit.frame.boxes == ((0, 20, 232, 34),)
    [chinese] = (await memory.search("泳道在几号馆?")).hits
    assert chinese.frame is not None and chinese.frame.boxes == ((0, 40, 48, 54),)


async def test_a_memory_leads_to_the_screen_that_shows_its_words(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=script))
    other, seen = await see(memory, "Nothing of note"), await see(memory, POOL, minute=1)
    await keep(memory, "Has locker 47B", other, seen)
    [hit] = (await memory.search("Which locker?", messages=False)).hits
    assert hit.frame is not None
    assert (hit.frame.message_id, hit.frame.boxes) == (seen, ((0, 20, 232, 34),))


async def test_what_was_said_has_no_picture(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=script))
    await memory.add("My locker is 47B.", infer=False)
    assert [hit.frame for hit in (await memory.search("locker")).hits] == [None]


async def test_nothing_is_looked_up_where_no_picture_can_be() -> None:
    hits: list[Hit] = [said(1, "My locker is 47B.")]
    framer = Framer(cast(Database, None))  # any query would fail
    assert list(await framer.hits(1, hits, "locker")) == hits


async def test_an_answer_cites_the_place_of_its_value(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=script))
    seen = await see(memory, POOL)
    [citation] = (await memory.ask("Which locker is mine?")).citations
    assert citation.frame is not None
    assert (citation.frame.message_id, citation.frame.boxes) == (seen, ((0, 20, 232, 34),))


@pytest.mark.parametrize("vision", [True, False])
async def test_pictures_reach_the_answering_model_only_when_it_sees(open_mirix: OpenMirix, vision: bool) -> None:
    with FakeOpenAI(served_script) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url, vision=vision)
        for number in range(MOST_PICTURES + 1):
            await see(memory, f"Locker {number} is in the upper row", minute=number, width=400 + number)
        await memory.add("The locker squeaks.", infer=False)
        answer = await memory.ask("Which locker is mine?")
        topics, asked = server.chat_requests
    assert topics.images == ()
    if not vision:
        assert asked.images == () and "image_url" not in asked.raw.decode()
        return
    assert [mime for mime, _ in asked.images] == ["image/png"] * MOST_PICTURES
    widths = [Image.open(BytesIO(data)).width for _, data in asked.images]
    shown = [item for item in answer.context.items if item.hit.message and item.hit.message.source_kind == "screen"]
    for item, width in zip(shown, widths, strict=False):
        assert f'<picture item="{item.n}"/>' in asked.text
        assert f"Locker {width - 400} " in item.text


async def test_a_picture_that_is_gone_does_not_cost_the_answer(open_mirix: OpenMirix) -> None:
    with FakeOpenAI(served_script) as server:
        memory = await open_mirix(chat_model="openai:any", model_base_url=server.base_url, vision=True)
        seen = await see(memory, POOL)
        user = await memory.parts.database.ensure_user("anna", "Europe/Oslo")
        memory.parts.frames.delete(user.user_id, seen)
        answer = await memory.ask("Which locker is mine?")
        assert [request.images for request in server.chat_requests] == [(), ()]
    assert answer.known
