"""Shots of a screen: kept at once, read later, searchable, and in batches as a program was used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from mirix.db.pool import User
from mirix.errors import ConfigError, ModelError, SpoolFull
from mirix.ingest import spool as spool_module
from mirix.ingest.screens import ScreenReader, only_news
from mirix.memory.message import Message
from mirix.memory.record import new_id
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.models.ocr import FakeRecogniser, Line
from mirix.system import AsyncMirix
from tests.scripts import OpenMirix, Rows, open_mirix, rows

__all__ = ["open_mirix", "rows"]
BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
shown: list[ScriptedRequest] = []


def nothing(request: ScriptedRequest) -> Reply:
    shown.append(request)
    return {"tool_calls": [{"name": "trigger_memory_update", "args": {"updates": []}}]}


def drawn(size: tuple[int, int], number: int = 0) -> Image.Image:
    """A white picture with something on it: nobody reads a blank one."""
    image = Image.new("RGB", size, "white")
    image.paste((0, 0, 0), (5, 5, 20 + number, 15))
    return image


class Screens:
    """A recorder and its reader, whose recogniser reads what it is told."""

    def __init__(self, memory: AsyncMirix, user: User, rows: Rows) -> None:
        self.memory = memory
        self.user = user
        self.rows = rows
        self.taken = 0

    async def keep(self, application: str = "Mail", *, title: str = "Inbox", at: datetime | None = None) -> None:
        self.taken += 1
        await self.memory.keep_shot(
            drawn((200, 100), self.taken),
            at=at or BEGIN + timedelta(seconds=self.taken),
            application=application,
            title=title,
            monitor="left",
        )

    def reader(self, *pages: str) -> ScreenReader:
        parts = self.memory.parts
        return ScreenReader(parts.evidence, parts.spool, FakeRecogniser(pages))

    def states(self) -> list[str]:
        return [row["state"] for row in self.rows("SELECT state FROM batch ORDER BY position")]


@pytest.fixture
async def screens(open_mirix: OpenMirix, rows: Rows) -> Screens:
    shown.clear()
    memory = await open_mirix(ScriptedChatModel(script=nothing))
    return Screens(memory, await memory.parts.database.ensure_user("anna", "Europe/Oslo"), rows)


async def test_shot_is_searchable_once_it_is_read(screens: Screens) -> None:
    await screens.keep()
    (read,) = await screens.reader("The review is in room 214").read(screens.user)
    (hit, *_) = (await screens.memory.search("Which room is the review in?")).hits
    assert hit.id == read.message_id and hit.message is not None
    assert (hit.message.application, hit.message.title, hit.message.trust) == ("Mail", "Inbox", 1)
    assert (await screens.memory.frame(read.message_id)).boxes_of("review is in room 214")
    assert (await screens.memory.screen_health()).waiting == 0


async def test_waiting_shot_survives_and_is_encrypted(screens: Screens) -> None:
    await screens.keep(title="Payroll of March")
    (file,) = (screens.memory.parts.settings.data_dir / "spool").rglob("*.sealed")
    assert b"Payroll" not in file.read_bytes() and b"WEBP" not in file.read_bytes()
    again = ScreenReader(screens.memory.parts.evidence, screens.memory.parts.spool, FakeRecogniser(["Salaries"]))
    assert [read.title for read in await again.read(screens.user)] == ["Payroll of March"]


async def test_shot_read_twice_is_one_message(screens: Screens) -> None:
    await screens.keep()
    (file,) = (screens.memory.parts.settings.data_dir / "spool").rglob("*.sealed")
    content = file.read_bytes()
    await screens.reader("Lunch at noon").read(screens.user)
    file.write_bytes(content)  # a crash between storing and dropping
    await screens.reader("Lunch at noon").read(screens.user)
    assert len(screens.rows("SELECT 1 FROM message")) == 1
    assert not file.exists()


async def test_frames_of_a_program_gather_in_one_batch(screens: Screens) -> None:
    for _ in range(3):
        await screens.keep()
    await screens.reader("one", "one\ntwo", "one\ntwo\nthree").read(screens.user)
    assert screens.states() == ["gathering"]
    await screens.memory.close_batches()
    await screens.memory.flush()
    assert screens.states() == ["applied"] and len(shown) == 1


async def test_another_program_ends_the_batch(screens: Screens) -> None:
    await screens.keep("Mail")
    await screens.keep("Calendar")
    await screens.reader("letters", "dates").read(screens.user)
    assert screens.states() == ["pending", "gathering"]


async def test_twenty_frames_and_five_minutes_end_the_batch(screens: Screens) -> None:
    for _ in range(21):
        await screens.keep()
    await screens.keep(at=BEGIN + timedelta(minutes=7))
    await screens.reader("page").read(screens.user)
    assert screens.states() == ["pending", "pending", "gathering"]


async def test_batch_that_gathers_too_long_is_worked_off(screens: Screens) -> None:
    await screens.keep()
    await screens.reader("Minutes of Monday").read(screens.user)
    await screens.memory.flush()
    assert screens.states() == ["gathering"]
    screens.rows("UPDATE batch SET created_at = now() - interval '6 minutes'")
    await screens.memory.flush()
    assert screens.states() == ["applied"]


async def test_secret_is_in_no_row_and_no_picture(screens: Screens) -> None:
    await screens.memory.keep_shot(drawn((400, 60)), at=BEGIN)
    parts = screens.memory.parts
    line = Line(text="password: tulip-Harbor-4471", box=(10, 10, 210, 30), confidence=1.0)
    (read,) = await ScreenReader(parts.evidence, parts.spool, FakeRecogniser([[line]])).read(screens.user)
    found = screens.rows("SELECT text FROM message")
    assert "tulip" not in found[0]["text"] and "{{vault:" in found[0]["text"]
    frame = await screens.memory.frame(read.message_id)
    with Image.open(BytesIO(frame.webp)) as picture:
        assert picture.convert("RGB").getpixel((50, 20)) != (255, 255, 255)
        assert picture.convert("RGB").getpixel((300, 20)) == (255, 255, 255)


async def test_nothing_is_read_without_a_recogniser(screens: Screens) -> None:
    await screens.keep()
    parts = screens.memory.parts
    with pytest.raises(ConfigError, match="no secret on it would be found"):
        await ScreenReader(parts.evidence, parts.spool, None).read(screens.user)
    assert (await screens.memory.screen_health()).waiting == 1


async def test_shot_the_recogniser_cannot_read_does_not_block_the_others(screens: Screens) -> None:
    class Failing(FakeRecogniser):
        def read(self, image: Image.Image) -> list[Line]:
            if len(self.sizes) < 3:
                self.sizes.append(image.size)
                raise ModelError("it stumbled")
            return super().read(image)

    await screens.keep()
    await screens.keep(title="Second")
    parts = screens.memory.parts
    reader = ScreenReader(parts.evidence, parts.spool, Failing(["fine"]))
    for _ in range(2):
        with pytest.raises(ModelError):
            await reader.read(screens.user)
    assert [read.title for read in await reader.read(screens.user)] == ["Second"]


async def test_title_of_any_length_is_taken(screens: Screens) -> None:
    await screens.keep(title="无尽" * 5_000)
    (read,) = await screens.reader("the page").read(screens.user)
    (hit,) = (await screens.memory.search("the page")).hits
    assert hit.id == read.message_id and hit.message is not None and len(hit.message.title or "") == 1_000


async def test_full_spool_refuses_and_says_what_to_do(screens: Screens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "MOST_SHOTS", 1)
    await screens.keep()
    with pytest.raises(SpoolFull, match="pause the recorder"):
        await screens.keep()


async def test_forgetting_a_time_takes_frames_and_waiting_shots(screens: Screens) -> None:
    await screens.keep(at=BEGIN)
    await screens.keep(at=BEGIN + timedelta(minutes=30))
    await screens.reader("early", "late").read(screens.user)
    await screens.keep(at=BEGIN + timedelta(minutes=31))
    forgotten = await screens.memory.forget_screens(since=BEGIN + timedelta(minutes=20))
    assert (forgotten.messages, forgotten.pictures) == (1, 2)
    assert [row["text"] for row in screens.rows("SELECT text FROM message")] == ["early"]
    assert (await screens.memory.screen_health()).waiting == 0


async def test_forgotten_user_leaves_no_waiting_shot(screens: Screens) -> None:
    await screens.keep()
    await screens.memory.forget_user(user_id="anna")
    assert not list((screens.memory.parts.settings.data_dir / "spool").rglob("*.sealed"))


def test_managers_are_shown_what_is_new_of_a_screen() -> None:
    def screen(text: str, application: str = "Chat") -> Message:
        return Message(
            user_id=1,
            conversation_id=new_id(),
            batch_id=new_id(),
            speaker="Screen",
            source_kind="screen",
            application=application,
            text=text,
        )

    told = [
        screen("Ann: hi\nBo: hello"),
        screen("Ann: hi\nBo: hello\nAnn: 三点见"),
        screen("Ann: hi"),
        screen("Sum 12", "Sheets"),
    ]
    assert [message.text for message in only_news(told)] == ["Ann: hi\nBo: hello", "Ann: 三点见", "Sum 12"]


async def test_letters_nobody_could_look_through_are_hidden(screens: Screens) -> None:
    await screens.keep()
    parts = screens.memory.parts
    lines = [
        Line(text="Lunch at noon in the garden", box=(5, 5, 60, 15), confidence=0.95),
        Line(text="exp0rt KFY=wJa1rXUtn", box=(5, 40, 60, 50), confidence=0.2),
        Line(text="password? hunter2", box=(5, 60, 60, 70), confidence=0.5),
        Line(text="E) (x", box=(5, 80, 20, 90), confidence=0.1),
    ]
    (read,) = await ScreenReader(parts.evidence, parts.spool, FakeRecogniser([lines])).read(screens.user)
    frame = await screens.memory.frame(read.message_id)
    assert [line.text for line in frame.lines][:1] == ["Lunch at noon in the garden"]
    assert "exp0rt" not in str(screens.rows("SELECT text FROM message"))
    with Image.open(BytesIO(frame.webp)) as stored:
        shades = [stored.convert("L").getpixel((30, top)) for top in (10, 45, 65)]
        icon = stored.convert("L").getpixel((10, 85))
    assert [shade in range(80, 100) for shade in shades] == [False, True, True]
    assert icon == 255, "an icon is too little for a secret"
