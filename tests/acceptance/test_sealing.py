"""Fifty planted secrets come in by chat, by picture and in questions; afterwards none is to be found anywhere."""

from __future__ import annotations

import base64
import io
import json
import logging
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from PIL import Image, ImageDraw, ImageFont
from psycopg import sql

from mirix.config import Settings
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest
from mirix.system import AsyncMirix

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

# (what is said, the value in it). All invented; none opens anything.
CHAT = [
    ("The wifi password is Heron-Kettle-77.", "Heron-Kettle-77"),
    ("My laptop password is now tR4velling*Moose", "tR4velling*Moose"),
    ("pwd: Gx9!quartz_lamp", "Gx9!quartz_lamp"),
    ("The alarm code at the cabin is 481930.", "481930"),
    ("Door code for the bike shed: 7715#", "7715#"),
    ("My bank card PIN is 8046, please remember.", "8046"),
    ("Login for the tax portal: user jonna, password Fjord!Candle3", "Fjord!Candle3"),
    ("export ORCHARD_API_TOKEN=orch_9fK2mQx7TbLw4Zs8Vd", "orch_9fK2mQx7TbLw4Zs8Vd"),
    ("github token ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8", "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"),
    ("Our key is AKIAQX7LZ2MNB4VRT9WP for the bucket.", "AKIAQX7LZ2MNB4VRT9WP"),
    ("sk-proj-Zk93hTqLmN27xVbC81pRdYw40sGfJ6uE5aQo", "sk-proj-Zk93hTqLmN27xVbC81pRdYw40sGfJ6uE5aQo"),
    (
        "Slack: xoxb-284719305562-7731940528841-QpLmZr83TvXnYc51BdKs",
        "xoxb-284719305562-7731940528841-QpLmZr83TvXnYc51BdKs",
    ),
    ("glpat-Rw7Tq2LmXz9KcVb4NpYd is the deploy token", "glpat-Rw7Tq2LmXz9KcVb4NpYd"),
    ("database at postgres://harbour:Tide-Mill-902@db.harbour.example/prod", "Tide-Mill-902"),
    ("curl https://ferry:bell-Rope-55@api.ferry.example/v1", "bell-Rope-55"),
    ("My card is 5391 8204 7713 6649, valid till 09/29.", "5391 8204 7713 6649"),
    ("IBAN for the rent: DE75512108001245126199", "DE75512108001245126199"),
    ("My passport number is XK4471902.", "XK4471902"),
    ("Social security number 536-22-8174, for the form.", "536-22-8174"),
    ("Recovery code for the mail account: 9KQ4-TT2M-XW7B", "9KQ4-TT2M-XW7B"),
    ('The passphrase for the backup is "seven lanterns over Vik".', "seven lanterns over Vik"),
    ("The safe combination is 31-07-88.", "31-07-88"),
    ("SIM PUK: 83920174", "83920174"),
    ("The router admin password was changed to Moss&Granite19", "Moss&Granite19"),
    ("hf_QwErTyUiOpAsDfGhJkLzXcVbNm12345678 for the model hub", "hf_QwErTyUiOpAsDfGhJkLzXcVbNm12345678"),
    ("新家的无线密码是 Yinhe.2207.zhu。", "Yinhe.2207.zhu"),
    ("门禁密码:604812#", "604812#"),
    ("我的银行卡密码是 290517,别忘了。", "290517"),
    ("公司邮箱密码改成了 Qing_shan#88", "Qing_shan#88"),
    ("保险柜密码 73-20-15。", "73-20-15"),
    ("服务器口令:Baihe!tai9", "Baihe!tai9"),
    ("我的身份证号是 11010519491231002X。", "11010519491231002X"),
    ("护照号码:EB2947716", "EB2947716"),
    ("登录名 laoqin,密码 Huoche*1937", "Huoche*1937"),
    ("阿里云的 AccessKey 是 LTAI5tQ8mZx3VbNk7RwYp2Lc", "LTAI5tQ8mZx3VbNk7RwYp2Lc"),
    ("车库门的密码换成 5528 了", "5528"),
    ("支付密码是 617204", "617204"),
    ("解锁密码“snow-lotus-41”", "snow-lotus-41"),
    ("The key for the weather service is wx_live_7Tz2LqPv9KmB4RnC", "wx_live_7Tz2LqPv9KmB4RnC"),
    ("npm_Xq72LmTzVb94KcRwNp38YdGs51HfJu60EaQo is what CI uses", "npm_Xq72LmTzVb94KcRwNp38YdGs51HfJu60EaQo"),
]
PICTURE = [
    ("Admin password: Cobalt-Finch-26", "Cobalt-Finch-26"),
    ("Door code: 993174", "993174"),
    ("API key: zx_live_84hTqLmN27xVbC81pRdY", "zx_live_84hTqLmN27xVbC81pRdY"),
    ("Password: marble-Otter-58", "marble-Otter-58"),
    ("PIN: 470926", "470926"),
]
QUESTIONS = [
    ("Is Walrus-Piano-64 my old wifi password?", "Walrus-Piano-64"),
    ("My new password is Juniper%Drum7, how do I change it on the laptop?", "Juniper%Drum7"),
    ("我的密码还是 Lvcha-1982 吗?", "Lvcha-1982"),
    ("Which service does the key sk-live-Wm31TzQp94LxKv72NbRc belong to?", "sk-live-Wm31TzQp94LxKv72NbRc"),
    ("What can I open with the door code 662091?", "662091"),
]
MULTILINE = (
    "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n"
    "MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\n"
    "-----END PRIVATE KEY-----"
)


def planted() -> list[str]:
    return [value for _, value in [*CHAT, *PICTURE, *QUESTIONS]]


def files_everything(request: ServerRequest) -> ServerReply:
    """A model that repeats what it is shown, so that whatever reached it would be stored again."""
    shown = request.text[-1500:]
    if "trigger_memory_update" in request.tools:
        return ServerReply(
            tool_calls=[("trigger_memory_update", {"updates": [{"memory_type": "semantic", "messages": ["e1"]}]})]
        )
    if "semantic_memory_insert" in request.tools:
        item = {"name": "echo", "kind": "concept", "summary": "what was said", "details": shown}
        return ServerReply(tool_calls=[("semantic_memory_insert", {"items": [item]})])
    if "set_topics" in request.tools:
        return ServerReply(tool_calls=[("set_topics", {"topics": ["password", "密码"]})])
    return ServerReply(text=f"I was asked: {shown[-200:]} [1]")


def screenshot() -> bytes:
    image = Image.new("RGB", (1000, 420), "white")
    pen = ImageDraw.Draw(image)
    for row, (line, _) in enumerate(PICTURE):
        pen.text((40, 30 + 75 * row), line, fill="black", font=ImageFont.load_default(34))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def spellings(value: str) -> Iterator[bytes]:
    """The value as it might have been written down."""
    plain = value.encode()
    yield from (plain, value.encode("utf-16-le"), plain.hex().encode(), base64.b64encode(plain).rstrip(b"="))
    yield urllib.parse.quote(value, safe="").encode()
    yield json.dumps(value).strip('"').encode()


def find_in(name: str, data: bytes, values: list[str]) -> list[str]:
    return [f"{value} in {name}" for value in values if any(spelling in data for spelling in spellings(value))]


async def test_no_planted_secret_is_found_anywhere(
    settings: Settings, owner_url: str, empty: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with FakeOpenAI(files_everything) as server:
        chosen = settings.model_copy(
            update={"chat_model": "openai:any", "model_base_url": server.base_url, "vision": True, "ocr": "rapidocr"}
        )
        async with AsyncMirix(chosen) as memory:
            for text, value in CHAT:
                result = await memory.add(text, at=NOON)
                assert any(change.kind == "vault" for change in result.changes), f"{value} was not sealed"
            await memory.add(MULTILINE, at=NOON)
            await memory.add(image=screenshot(), at=NOON, application="Settings", title="Accounts")
            for question, _ in QUESTIONS:
                await memory.ask(question)
            entries = await memory.get_all(kinds=["vault"], limit=200)
            values = [await memory.reveal(entry.id) for entry in entries]
            requests = b"\n".join(request.raw for request in server.requests)
            pictures = [data for request in server.requests for _, data in request.images]
    assert len(planted()) == 50
    assert set(values) >= {value for _, value in CHAT}, "what was sealed is opened as it was"
    assert len(set(values) & {value for _, value in PICTURE}) >= 4, "the picture was read"
    hits = find_in("model requests", requests, planted()) + find_in("logs", caplog.text.encode(), planted())
    long = [value for value in planted() if len(value) >= 6]  # four digits stand in any bytes by chance
    hits += find_in("database rows", dump(owner_url), long)
    for path in data_files(owner_url, settings.data_dir):
        hits += find_in(str(path), path.read_bytes(), [value for value in long if len(value) > 6])
    assert hits == []
    assert b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj" not in requests + dump(owner_url)
    assert pictures, "the vision model got the picture"
    assert not any(is_readable(picture) for picture in pictures), "its secrets were painted over"


def is_readable(picture: bytes) -> bool:
    """Whether dark letters are left at the place of the first secret."""
    image = Image.open(io.BytesIO(picture)).convert("L").crop((40, 30, 600, 80))
    darkest, _ = image.getextrema()
    return int(darkest) < 60  # type: ignore[arg-type]


async def test_the_scan_would_find_a_secret_that_was_stored(owner_url: str, empty: None, settings: Settings) -> None:
    """The control: what is no secret is found in the rows and in the files by the same search."""
    async with AsyncMirix(settings) as memory:
        await memory.add("The lighthouse keeper's parrot is called Bartholomew-Quill.", at=NOON)
    assert find_in("rows", dump(owner_url), ["Bartholomew-Quill"])
    assert any(
        find_in(str(path), path.read_bytes(), ["Bartholomew-Quill"])
        for path in data_files(owner_url, settings.data_dir)
    )


def dump(owner_url: str) -> bytes:
    """All rows of all tables as text; bytes stand as hex."""
    with psycopg.connect(owner_url) as conn:
        names = conn.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        ).fetchall()
        everything = sql.SQL("SELECT coalesce(string_agg(t::text, '|'), '') FROM {} AS t")
        rows = [conn.execute(everything.format(sql.Identifier(name))).fetchone() for (name,) in names]
    return "|".join(str(row[0]) for row in rows if row).encode()


def data_files(owner_url: str, data_dir: Path) -> list[Path]:
    """Every file of the database cluster (tables, indexes, write-ahead log, server log) and of the data folder."""
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute("CHECKPOINT")
        row = conn.execute("SHOW data_directory").fetchone()
    assert row is not None
    cluster = Path(row[0])
    assert (cluster / "PG_VERSION").exists()
    return [path for root in (cluster, data_dir) for path in root.rglob("*") if path.is_file()]
