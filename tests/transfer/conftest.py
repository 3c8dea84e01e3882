"""Two homes: a memory with a life in it, and an empty one with a key of its own."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from PIL import Image, ImageDraw, ImageFont

from mirix.config import Settings
from mirix.memory.record import Record
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix

NOON = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))
PASSPHRASE = "seven herons over the weir"
_MESSAGE = re.compile(r'<message id="(?P<handle>\w+)"[^>]*>\n(?P<text>.*?)\n</message>', re.DOTALL)
_MEMORY = re.compile(r'<memory id="(?P<handle>\w+)"[^>]*>(?P<text>.*?)</memory>', re.DOTALL)


def script(request: ScriptedRequest) -> Reply:
    """Files a message under the first of these words that stands in it; "moved" replaces what was filed of a place."""
    human = request.messages[-1].text
    messages = list(_MESSAGE.finditer(human))
    if "trigger_memory_update" in request.tools:
        words = {"place": "semantic", "ferry": "episodic", "call me": "core"}
        updates = [
            {"memory_type": kind, "messages": [m["handle"]]}
            for m in messages
            for w, kind in words.items()
            if w in m["text"]
        ]
        return _calls("trigger_memory_update", updates=updates)
    said = messages[-1]["text"]
    if "semantic_memory_insert" in request.tools:
        item = {"name": "place", "kind": "place", "summary": said, "details": said}
        known = _MEMORY.search(human)
        if "moved" in said and known:
            return _calls("semantic_memory_supersede", memory=known["handle"], item=item, valid_from="2026-05-05")
        return _calls("semantic_memory_insert", items=[item])
    if "episodic_memory_insert" in request.tools:
        item = {"summary": said, "details": said, "event_type": "trip", "actor": "user", "occurred_at": "2026-05-03"}
        return _calls("episodic_memory_insert", items=[item])
    return _calls("core_memory_append", lines=[{"label": "human", "line": said}])


def _calls(name: str, **args: Any) -> Reply:
    return {"tool_calls": [{"name": name, "args": args}]}


Home = Callable[[str], AsyncMirix]


@pytest.fixture
def model() -> ScriptedChatModel:
    return ScriptedChatModel(script=script)


@pytest.fixture
async def homes(settings: Settings, empty: None, tmp_path: Path, model: ScriptedChatModel) -> AsyncIterator[Home]:
    """Opens a memory whose user, key and folder are its own."""
    opened: dict[str, AsyncMirix] = {}

    def home(name: str) -> AsyncMirix:
        changed = settings.model_copy(update={"data_dir": tmp_path / name, "user": name, "ocr": "none"})
        return opened.setdefault(name, AsyncMirix(changed, model=model))

    yield home
    for memory in opened.values():
        await memory.close()


@pytest.fixture
async def old(homes: Home) -> AsyncMirix:
    """A memory with something of everything."""
    memory = await homes("old").open()
    await live(memory)
    return memory


@pytest.fixture
async def new(homes: Home) -> AsyncMirix:
    return await homes("new").open()


async def live(memory: AsyncMirix) -> None:
    """A small life: each way of writing times, a secret said twice and changed by hand, a picture, a file, a chat."""
    await say_it_all(memory)
    (entry,) = await memory.get_all(kinds=["vault"])
    await memory.update(entry.id, summary="wifi at the mill")
    places = await memory.get_all(kinds=["semantic"])
    await memory.update(places[0].id, tags=["home", "家"])
    trips = await memory.get_all(kinds=["episodic"])
    await memory.delete(trips[0].id)
    await memory.undo(trips[0].id)
    await memory.delete(trips[0].id)
    await use(memory, places[0])
    await memory.add("The heron is back at the weir.", at=NOON + timedelta(days=3), wait=False, conversation="later")
    await memory.parts.worker.stop()


async def use(memory: AsyncMirix, record: Record) -> None:
    """The memory was put in front of a model three times."""
    async with memory.parts.database.transaction(record.user_id) as conn:
        await conn.execute(
            "INSERT INTO memory_use (user_id, doc, use_count, last_used_at) SELECT user_id, doc, 3, %s FROM document"
            " WHERE record_id = %s",
            [NOON, record.id],
        )


async def say_it_all(memory: AsyncMirix) -> list[Any]:
    """What anybody might add again: returns the results."""
    return [
        await memory.add("My place is the old mill at Hallow Weir."),
        await memory.add("I moved: my place is the lighthouse on Skerry 9.", at=NOON),
        await memory.add("The wifi password at the mill is Kestrel-77-drum.", at=NOON.astimezone(INDIA)),
        await memory.add("Please remember: the wifi password is Kestrel-77-drum."),
        await memory.add(
            [
                {"role": "user", "name": "Ines", "content": "We took the ferry with Oda."},
                {"role": "assistant", "content": "好的,我记住了。"},
            ],
            at=NOON.astimezone(ZoneInfo("Europe/Oslo")),
            conversation="harbour",
            agent_id="desk",
        ),
        await memory.add("call me Ines", trust=2),
        await memory.add(image=picture("Tide table"), at=NOON, application="Charts", title="Tides"),
    ]


def picture(text: str, *, size: tuple[int, int] = (320, 120)) -> bytes:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((10, 30), text, fill="black", font=ImageFont.load_default(24))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
