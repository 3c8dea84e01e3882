from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, SecretStr

from mirix.config import Settings
from mirix.errors import InputError
from mirix.evaluation.runner import for_each, read_items, throwaway_memory, zone_at
from mirix.models.fake import ScriptedChatModel


class Item(BaseModel):
    id: str


def test_items_are_read_from_lines_and_from_a_list(tmp_path: Path) -> None:
    lines, listed = tmp_path / "items.jsonl", tmp_path / "items.json"
    lines.write_text('{"id": "甲"}\n\n{"id": "b"}\n', encoding="utf-8")
    listed.write_text('[{"id": "甲"}, {"id": "b"}]', encoding="utf-8")
    assert (
        [item.id for item in read_items(lines, Item)] == [item.id for item in read_items(listed, Item)] == ["甲", "b"]
    )
    assert [item.id for item in read_items(lines, Item, limit=1)] == ["甲"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"id": "a"}\n\n{"id": 1}', "line 3: id"),
        ('{"id": "a"}\nnot json', "line 2 is neither"),
        ('{"id": "a"}\n["id"]', "line 2: it: "),
        ('{\n "id": "a"\n}', "has to stand in a list"),
        ('[{"id": "a"}, {"id": 1}]', "item 2: id"),
        ('[{"id": "a"}', "is neither"),
        ("[]", "holds no items"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_items(path, Item)


def test_a_mark_of_byte_order_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_text('[{"id": "甲"}]', encoding="utf-8-sig")
    assert [item.id for item in read_items(path, Item)] == ["甲"]


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_items(tmp_path / "nowhere.jsonl", Item)


async def test_results_keep_the_order_of_the_items() -> None:
    finished: list[int] = []

    async def work(number: int) -> int:
        for _ in range(10 - number):
            await asyncio.sleep(0)
        finished.append(number)
        return number * 10

    seen: list[tuple[str, int, int]] = []
    results = await for_each(
        [1, 2, 3], work, what="numbers", progress=lambda what, done, of: seen.append((what, done, of))
    )
    assert results == [10, 20, 30]
    assert finished == [3, 2, 1]
    assert seen == [("numbers", 1, 3), ("numbers", 2, 3), ("numbers", 3, 3)]


async def test_an_error_of_ours_comes_out_as_it_is() -> None:
    async def work(number: int) -> int:
        raise InputError("no such item") if number == 2 else RuntimeError("a mistake")

    with pytest.raises(InputError, match="no such item"):
        await for_each([2], work, what="numbers")
    with pytest.raises(ExceptionGroup):
        await for_each([9], work, what="numbers")


@pytest.mark.parametrize(
    "moment", ["2026-02-03T10:00:00+01:00", "2026-07-03T10:00:00+05:45", "2026-07-03T10:00:00-02:30"]
)
def test_a_zone_is_found_for_an_offset(moment: str) -> None:
    at = datetime.fromisoformat(moment)
    assert at.astimezone(ZoneInfo(zone_at(at))).utcoffset() == at.utcoffset()


@pytest.mark.slow
async def test_an_evaluation_has_a_database_and_a_folder_of_its_own(tmp_path: Path, model: ScriptedChatModel) -> None:
    settings = Settings(
        data_dir=tmp_path / "mine",
        database_url=SecretStr("postgresql://nobody@nowhere.invalid/x"),
        embedding_model="hash",
        user="me",
    )
    async with throwaway_memory(settings, model=model) as memory:
        folder = memory.parts.settings.data_dir
        await memory.add("The harbour is closed.")
        assert (await memory.status()).user == "evaluation"
    assert not (tmp_path / "mine").exists()
    assert not folder.exists()


@pytest.mark.slow
def test_being_terminated_takes_the_folder_along(tmp_path: Path, model: ScriptedChatModel) -> None:
    settings = Settings(data_dir=tmp_path / "mine", embedding_model="hash")
    before = signal.getsignal(signal.SIGTERM)
    folders: list[Path] = []

    async def work() -> None:
        async with throwaway_memory(settings, model=model) as memory:
            folders.append(memory.parts.settings.data_dir)
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(0)

    with pytest.raises(KeyboardInterrupt), asyncio.Runner() as runner:
        runner.run(work())
    assert [folder.exists() for folder in folders] == [False]
    assert signal.getsignal(signal.SIGTERM) is before
