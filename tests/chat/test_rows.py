"""Conversations are rows: they move with an export, and a talk goes on from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from mirix.errors import ModelError, ModelUnavailable
from tests.chat.conftest import conversational, heard, say, talk
from tests.scripts import OpenMirix, Rows, stored_text

ODA = "My sister Oda lives in Tromsø."


async def test_answers_move_with_what_they_cite(open_mirix: OpenMirix, rows: Rows, tmp_path: Path) -> None:
    memory = await open_mirix()
    await talk(memory, ODA, "Where does Oda live?", "Forget everything about Oda.")
    columns = "SELECT role, text, cited, asks, standing FROM message ORDER BY position"
    before = rows(columns)
    await memory.export(tmp_path / "a.json")
    await memory.forget_user(user_id="anna")
    assert rows(columns) == []
    await memory.restore(tmp_path / "a.json")
    assert rows(columns) == before and [row["asks"] for row in before][-1] and before[-1]["cited"]
    recalled = [row["text"] for row in before if row["standing"] == "hidden"]
    assert not {hit.text for hit in (await memory.search("Oda", limit=50)).hits} & set(recalled)
    assert (await say(memory, "yes")).done.action == "forgotten"
    assert "Tromsø" not in stored_text(rows)


async def test_a_turn_that_cannot_be_answered_forgets_nothing(open_mirix: OpenMirix, rows: Rows) -> None:
    hears = [heard("set_topics", topics=[], reply="Oh."), heard("keep_out", last_turn_too=True, topics=["x"])]
    memory = await open_mirix(conversational(hears, [ModelUnavailable("away")]))
    await say(memory, ODA)
    with pytest.raises(ModelError):
        await say(memory, "Leave that out, and what I said. What is x?")
    assert "Tromsø" in stored_text(rows)
