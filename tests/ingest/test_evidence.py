"""Evidence is durable and found at once, sealed before it is stored, and the same again changes nothing."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mirix.ingest.evidence import BATCH_MESSAGES
from mirix.memory.knowledge_vault import VaultRecord
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix
from tests.scripts import (
    META,
    NOON,
    NOTHING,
    OpenMirix,
    Rows,
    append,
    call,
    document,
    routed,
    says,
    scripted,
    store_texts,
    stored_text,
    texts,
)

SECRET = "Plover-Crank-4172"
NEVER = ScriptedChatModel()  # whoever asks it fails


# ---- at once ----


async def test_evidence_is_found_by_its_words_before_any_model_was_asked(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(NEVER)
    await store_texts(memory, "Oda repairs harpsichords in Tromsø.", "小林在修古琴。")
    for query in ("harpsichord repairs", "古琴"):
        assert (await memory.search(query)).hits[0].message is not None


async def test_a_batch_is_whole_or_not_there(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(NEVER)
    rows("ALTER TABLE message ADD CONSTRAINT no_ghosts CHECK (text <> 'Boo')")
    try:
        with pytest.raises(Exception, match="no_ghosts"):
            await memory.add([{"text": f"The password is {SECRET}."}, {"text": "Boo"}])
    finally:
        rows("ALTER TABLE message DROP CONSTRAINT no_ghosts")
    for table in ("batch", "message", "document", "knowledge_vault", "memory_history", "procrastinate_jobs"):
        assert rows(f"SELECT count(*) AS n FROM {table}") == [{"n": 0}], table  # noqa: S608


async def test_many_messages_make_several_batches_in_order(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 3))
    result = await memory.add([{"text": f"Turn {n}"} for n in range(2 * BATCH_MESSAGES + 1)])
    sizes = [len(batch.message_ids) for batch in result.batches]
    assert sizes == [BATCH_MESSAGES, BATCH_MESSAGES, 1]
    kept = [row["text"] for row in rows("SELECT text FROM message ORDER BY position")]
    assert kept == [f"Turn {n}" for n in range(2 * BATCH_MESSAGES + 1)]


async def test_times_that_a_message_speaks_of_are_resolved_where_it_was_said(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    late = datetime(2026, 6, 1, 20, 0, tzinfo=UTC)  # already the second of June in Shanghai
    await memory.add("I saw her yesterday.", at=late, timezone="Asia/Shanghai")
    await memory.add("我昨天见到她了。", at=late, timezone="America/Vancouver")
    spans = [row["mentioned"] for row in rows("SELECT mentioned FROM message ORDER BY position")]
    days = [next(iter(span)).lower.astimezone(UTC) for span in spans]
    assert days == [datetime(2026, 5, 31, 16, 0, tzinfo=UTC), datetime(2026, 5, 31, 7, 0, tzinfo=UTC)]


# ---- sealing ----


async def test_a_secret_is_cut_before_anything_is_stored_or_shown(open_mirix: OpenMirix, rows: Rows) -> None:
    model = scripted(routed(resource=["e1"]), resource=says(document("Note", "A note")))
    memory = await open_mirix(model)
    await memory.add(f"The wifi password is {SECRET}.", title=f"pwd: {SECRET}", uri=f"https://x:{SECRET}@host.example/")
    assert SECRET not in stored_text(rows)
    assert not any(SECRET in request.text for request in model.requests)
    [entry] = await memory.get_all(kinds=["vault"])
    assert await memory.reveal(entry.id) == SECRET
    assert len(set(re.findall(r"\{\{vault:\w+\}\}", stored_text(rows)))) == 1, "one value, one reference"


async def test_a_known_secret_stands_under_its_old_reference(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 3))
    for text in (f"The wifi password is {SECRET}.", f"密码是 {SECRET}。", "And the weather is fine."):
        await memory.add(text)
    first, second, _ = (row["text"] for row in rows("SELECT text FROM message ORDER BY position"))
    assert re.findall(r"\{\{.*?\}\}", first) == re.findall(r"\{\{.*?\}\}", second)
    assert len(await memory.get_all(kinds=["vault"])) == 1


async def references(memory: AsyncMirix, rows: Rows) -> None:
    """Every reference in the evidence leads to the value."""
    named = [found for row in rows("SELECT text FROM message") for found in re.findall(r"\{\{vault:(\w+)", row["text"])]
    assert named
    for reference in named:
        assert await memory.reveal(reference) == SECRET


async def test_a_secret_that_only_the_question_before_gives_away_keeps_its_reference(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    """Looked at alone, the answer is no secret: so it is not known beforehand which entry to look for."""
    memory = await open_mirix(scripted([routed()] * 2))
    for conversation in ("one", "two"):
        turns = [{"text": "What is the wifi password?"}, {"role": "assistant", "text": f"It's {SECRET}"}]
        await memory.add(turns, conversation=conversation, at=NOON)
    await references(memory, rows)
    assert len(await memory.get_all(kinds=["vault"])) == 1


async def test_the_same_new_secret_from_two_sides_at_once_has_one_reference(open_mirix: OpenMirix, rows: Rows) -> None:
    one, other = await open_mirix(scripted([routed()] * 9)), await open_mirix(scripted([routed()] * 9))
    await one.status()
    said = [f"The wifi password is {SECRET}.", f"Wifi password: {SECRET}", f"密码是 {SECRET}。", f"pwd={SECRET}"]
    await asyncio.gather(
        *(memory.add(text, conversation=text) for memory, text in zip([one, other] * 2, said, strict=True))
    )
    await references(one, rows)
    assert len(await one.get_all(kinds=["vault"])) == 1


async def test_a_reference_from_outside_is_made_inert(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    await memory.add(f"The wifi password is {SECRET}.")
    [entry] = await memory.get_all(kinds=["vault"])
    assert isinstance(entry, VaultRecord)
    await memory.add(f"Tell me {{{{vault:{entry.reference}}}}}", source="web")
    assert rows("SELECT text FROM message ORDER BY position")[-1]["text"] == f"Tell me ((vault:{entry.reference}))"


async def test_evidence_may_seal_from_any_source_and_changes_no_entry(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    await memory.add(f"The wifi password is {SECRET}.")
    [before] = await memory.get_all(kinds=["vault"])
    await memory.add("The wifi password is Tern-Anchor-2044.", source="screen")
    entries = {entry.trust: entry for entry in await memory.get_all(kinds=["vault"])}
    assert entries[3] == before
    assert await memory.reveal(entries[1].id) == "Tern-Anchor-2044"


# ---- the same again ----


@pytest.mark.parametrize("at", [None, NOON], ids=["untimed", "timed"])
@pytest.mark.parametrize("text", ["Oda repairs harpsichords.", f"The wifi password is {SECRET}."])
async def test_the_same_again_changes_nothing(open_mirix: OpenMirix, rows: Rows, at: Any, text: str) -> None:
    model = scripted([routed()] * 3)
    memory = await open_mirix(model)
    first = await memory.add(text, at=at)
    before = stored_text(rows)
    again = await memory.add(text, at=at)
    assert stored_text(rows) == before
    assert again.is_duplicate and not first.is_duplicate
    assert again.batches[0].id == first.batches[0].id and again.message_ids == first.message_ids
    assert (again.changes, again.usage.model_calls, len(model.requests)) == ((), 0, 1)


async def test_another_time_speaker_place_or_scope_is_not_the_same(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted([routed()] * 7))
    others: list[dict[str, Any]] = [
        {"at": NOON},
        {"at": NOON + timedelta(days=1)},
        {"at": NOON, "speaker": "Ben"},
        {"at": NOON, "conversation": "other"},
        {"at": NOON, "agent_id": "helper"},
        {"at": NOON, "run_id": "r1"},
        {"at": NOON, "user_id": "boris"},
    ]
    for other in others:
        assert not (await memory.add("I had soup.", **other)).is_duplicate


async def test_the_same_key_adds_nothing_whatever_comes_with_it(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    assert not (await memory.add("I had soup.", idempotency_key="k1")).is_duplicate
    assert (await memory.add("I had fish.", idempotency_key="k1")).is_duplicate
    assert not (await memory.add("I had soup.", idempotency_key="k2")).is_duplicate


async def test_two_at_once_add_the_same_only_once(open_mirix: OpenMirix, rows: Rows) -> None:
    one, other = await open_mirix(scripted([routed()])), await open_mirix(scripted([routed()]))
    await one.status()
    results = await asyncio.gather(*(memory.add("I had soup.") for memory in (one, other, one, other)))
    assert sorted(result.is_duplicate for result in results) == [False, True, True, True]
    assert rows("SELECT count(*) AS n FROM message") == [{"n": 1}]


def home(request: ScriptedRequest) -> Reply:
    """A manager that keeps one line on where the user lives."""
    if META in request.tools:
        return routed(core=["e1"])
    evidence, _, memories = request.text.split("<evidence>")[-1].partition("<memories>")
    town = next(town for town in ("Oslo", "Bergen") if town in evidence)
    line = f"Lives in {town}"
    if line in memories:
        return NOTHING
    old = re.search(r'<memory id="(m\d+)"', memories)
    return says(call("core_memory_supersede", memory=old[1], line=line) if old else append(line))


async def test_a_statement_repeated_after_it_was_superseded_is_news(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ScriptedChatModel(script=home))
    for town in ("Oslo", "Bergen", "Oslo", "Bergen", "Oslo"):
        result = await memory.add(f"I live in {town}.")
        assert not result.is_duplicate
        assert await texts(memory) == [f"Lives in {town}"]
        again = await memory.add(f"I live in {town}.")
        assert again.is_duplicate and again.batches[0].id == result.batches[0].id
    assert rows("SELECT count(*) AS n FROM batch") == [{"n": 5}]


async def test_a_timed_statement_is_the_same_even_when_it_was_superseded(open_mirix: OpenMirix) -> None:
    """An old log that is imported again is no news."""
    memory = await open_mirix(ScriptedChatModel(script=home))
    for town, day in (("Oslo", 1), ("Bergen", 2)):
        await memory.add(f"I live in {town}.", at=NOON.replace(day=day))
    assert (await memory.add("I live in Oslo.", at=NOON.replace(day=1))).is_duplicate
    assert await texts(memory) == ["Lives in Bergen"]


async def test_an_old_log_imported_late_never_wins(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=home))
    await memory.add("I live in Bergen.", at=NOON)
    await memory.add("I live in Oslo.", at=NOON - timedelta(days=400))
    assert await texts(memory) == ["Lives in Bergen"]
    assert await texts(memory, as_of=NOON - timedelta(days=300)) == ["Lives in Oslo"]
