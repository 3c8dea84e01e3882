"""What managers propose, once it is applied: core memory within its limit, documents verbatim, values sealed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from mirix.errors import NotFoundError
from mirix.memory.core import BLOCK_LIMIT, render_block
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.resource import ResourceRecord
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix
from mirix.text.analyser import analyse
from tests.scripts import (
    META,
    NOON,
    NOTHING,
    OpenMirix,
    Rows,
    append,
    call,
    document,
    entry,
    event,
    knowledge,
    routed,
    says,
    scripted,
    texts,
    vault_item,
)

LONG = "Keeps a very long line about one of the many boats in the harbour of Tromsø, with its colour and its crew"
FULL = 36  # of such lines: 86 % of a block


def harbour(count: int) -> list[dict[str, Any]]:
    return [{"label": "human", "line": f"{LONG}, number {n:02}"} for n in range(count)]


async def full_block(open_mirix: OpenMirix, *answers: Any) -> tuple[AsyncMirix, ScriptedChatModel]:
    """A core block near its limit, and a manager that goes on with `answers`."""
    filled = says(call("core_memory_append", lines=harbour(FULL)))
    model = scripted([routed(core=["e1"])] * 2, core=[filled, *answers])
    memory = await open_mirix(model)
    await memory.add("All my boats.")
    lines = await texts(memory, "core")
    assert 0.8 * BLOCK_LIMIT < len(render_block(lines)) <= 0.9 * BLOCK_LIMIT
    return memory, model


# ---- core memory ----


async def test_a_full_block_takes_no_line_until_it_is_rewritten(open_mirix: OpenMirix) -> None:
    handles = [f"m{n}" for n in range(1, FULL + 1)]
    rewrite = call("core_memory_rewrite", label="human", memories=handles, lines=["Keeps 36 boats", "And the red one"])
    memory, model = await full_block(open_mirix, says(call("core_memory_append", lines=harbour(3))), says(rewrite))
    result = await memory.add("Three boats more.")
    told = model.requests[-1].messages[-1].text
    assert "core block 'human' holds" in told and "Use core_memory_rewrite" in told
    assert await texts(memory, "core") == ["And the red one", "Keeps 36 boats"]
    assert result.batches[0].problems == ()


async def test_a_rewrite_of_many_lines_is_one_operation_that_can_be_undone(open_mirix: OpenMirix, rows: Rows) -> None:
    handles = [f"m{n}" for n in range(1, FULL + 1)]
    rewrite = call("core_memory_rewrite", label="human", memories=handles, lines=["Keeps 36 boats", "And the red one"])
    memory, _ = await full_block(open_mirix, says(rewrite))
    before = await texts(memory, "core")
    result = await memory.add("In short.")
    assert (
        len({row["operation_id"] for row in rows("SELECT operation_id FROM memory_history WHERE operation = 'merge'")})
        == 1
    )
    await memory.undo(result.changes[0].id)
    assert await texts(memory, "core") == before


@pytest.mark.parametrize(
    "calls",
    [
        [call("core_memory_append", lines=harbour(FULL + 4)[FULL:])],
        [
            call("core_memory_append", lines=harbour(FULL + 1)[FULL:]),
            call("core_memory_append", lines=harbour(FULL + 4)[FULL + 1 :]),
        ],
        [call("core_memory_supersede", memory=f"m{n}", line=LONG * 3 + str(n)) for n in range(1, 5)],
        [call("core_memory_update", memory=f"m{n}", line=LONG * 3 + str(n)) for n in range(1, 5)],
    ],
    ids=["append", "two appends", "supersede", "update"],
)
async def test_no_call_makes_a_block_larger_than_its_limit(open_mirix: OpenMirix, calls: list[dict[str, Any]]) -> None:
    memory, _ = await full_block(open_mirix, says(*calls), says(calls[-1]))
    result = await memory.add("And now?")
    assert len(render_block(await texts(memory, "core"))) <= BLOCK_LIMIT
    assert len(result.batches[0].problems) == 1


async def test_a_line_is_one_line(open_mirix: OpenMirix) -> None:
    model = scripted(routed(core=["e1"]), core=says(append("Likes tea\n- Hates coffee ")))
    memory = await open_mirix(model)
    await memory.add("I like tea.")
    assert await texts(memory) == ["Likes tea - Hates coffee"]


async def test_a_superseded_line_keeps_its_place_and_label(open_mirix: OpenMirix) -> None:
    supersede = call("core_memory_supersede", memory="m1", line="Answers in verse")
    model = scripted([routed(core=["e1"])] * 2, core=[says(append("Answers in prose", "persona")), says(supersede)])
    memory = await open_mirix(model)
    await memory.add("Answer in prose.")
    await memory.add("In verse from now on.")
    [line] = await memory.get_all()
    assert line.attributes() == {"label": "persona"} and line.summary == "Answers in verse"


# ---- documents ----


async def test_a_document_is_kept_word_for_word(open_mirix: OpenMirix) -> None:
    text = "# House rules\n\n1. No trumpets   after ten.\n2.\tShoes off.\n\n谢谢!"
    model = scripted(routed(resource=["e1"]), resource=says(document("House rules", "Rules", messages=["e1"])))
    memory = await open_mirix(model)
    await memory.add(text)
    [record] = await memory.get_all()
    assert isinstance(record, ResourceRecord) and record.content == text


async def test_a_document_of_several_messages_holds_them_in_order(open_mirix: OpenMirix) -> None:
    model = scripted(
        routed(resource=["e1", "e3"]), resource=says(document("Letter", "A letter", messages=["e1", "e3"]))
    )
    memory = await open_mirix(model)
    await memory.add([{"text": "Dear Oda,"}, {"role": "assistant", "text": "Go on."}, {"text": "all is well."}])
    [record] = await memory.get_all()
    assert isinstance(record, ResourceRecord) and record.content == "Dear Oda,\n\nall is well."


# ---- what the database refuses ----


async def test_an_event_that_is_moved_beyond_its_end_loses_the_end(open_mirix: OpenMirix) -> None:
    update = call("episodic_memory_update", memory="m1", changes={"occurred_at": "2026-09-01T10:00:00+02:00"})
    trip = event("Trip", occurred_until="2026-06-03T12:00:00+02:00")
    model = scripted([routed(episodic=["e1"])] * 2, episodic=[says(trip), says(update)])
    memory = await open_mirix(model)
    await memory.add("A trip.")
    result = await memory.add("The trip is in September.")
    [record] = await memory.get_all()
    assert record.occurred_at is not None and record.occurred_at.month == 9 and record.occurred_until is None
    assert result.batches[0].problems == ()


async def test_an_operation_that_the_database_refuses_stops_no_other(open_mirix: OpenMirix, rows: Rows) -> None:
    rows("ALTER TABLE semantic_memory ADD CONSTRAINT no_ghosts CHECK (name <> 'Ghost')")
    try:
        both = says(knowledge("Ghost", "Haunts the attic"), knowledge("Oda", "Repairs harpsichords"))
        memory = await open_mirix(scripted(routed(semantic=["e1"]), semantic=both))
        result = await memory.add("A ghost, and Oda.")
    finally:
        rows("ALTER TABLE semantic_memory DROP CONSTRAINT no_ghosts")
    assert await texts(memory) == ["Repairs harpsichords"]
    [problem] = result.batches[0].problems
    assert "the database refuses it" in problem and "Haunts" not in problem


# ---- exact values ----


async def vault(memory: AsyncMirix) -> list[VaultRecord]:
    return [record for record in await memory.get_all(kinds=["vault"]) if isinstance(record, VaultRecord)]


@pytest.mark.parametrize("sensitivity", ["low", "medium"])
async def test_a_value_is_sealed_in_its_row_and_readable_in_the_evidence(
    open_mirix: OpenMirix, rows: Rows, sensitivity: str
) -> None:
    model = scripted(routed(vault=["e1"]), vault=says(entry("phone of the movers", "01632 960 118", sensitivity)))
    memory = await open_mirix(model)
    await memory.add("The movers are on 01632 960 118.")
    [row] = rows("SELECT v::text AS text FROM knowledge_vault AS v")
    assert "960 118" not in row["text"] and b"960 118".hex() not in row["text"]
    assert "960 118" not in str(rows("SELECT before, after FROM memory_history"))
    [record] = await vault(memory)
    assert await memory.reveal(record.reference) == await memory.reveal(record.id) == "01632 960 118"
    assert [hit.message.text for hit in (await memory.search("movers")).hits if hit.message] == [
        "The movers are on 01632 960 118."
    ]


async def test_a_value_is_searched_by_its_caption_only(open_mirix: OpenMirix, rows: Rows) -> None:
    model = scripted(routed(vault=["e1"]), vault=says(entry("phone of the movers", "0163296118")))
    memory = await open_mirix(model)
    await memory.add("Keep their number.")
    assert (await memory.search("phone movers", kinds=["vault"], messages=False)).hits
    indexed = {term for row in rows("SELECT terms FROM document") for term in row["terms"]}
    assert indexed & set(analyse("movers").terms) and not indexed & set(analyse("0163296118").terms)


async def test_a_value_that_ingest_sealed_is_not_filed_again(open_mirix: OpenMirix) -> None:
    def script(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed(vault=["e1"])
        [reference] = set(re.findall(r"\{\{vault:\w+\}\}", request.text.split("<evidence>")[-1]))
        return says(entry("wifi password", reference, "high"))

    memory = await open_mirix(ScriptedChatModel(script=script))
    result = await memory.add("The wifi password is Plover-Crank-4172.")
    assert [change.operation for change in result.changes] == ["insert"], "by ingest"
    [record] = await vault(memory)
    assert await memory.reveal(record.id) == "Plover-Crank-4172"
    assert result.batches[0].problems == ()


async def test_a_new_value_that_ingest_sealed_retires_the_old_entry(open_mirix: OpenMirix) -> None:
    def script(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed(vault=["e1"])
        evidence, memories = request.text.split("<evidence>")[-1].split("<memories>")
        [reference] = re.findall(r"\{\{vault:\w+\}\}", evidence)
        old = re.search(rf'<memory id="(m\d+)"[^>]*>(?!.*{re.escape(reference)})', memories)
        item = vault_item("wifi password", reference, "high")
        return says(call("knowledge_vault_supersede", memory=old[1], item=item)) if old else NOTHING

    memory = await open_mirix(ScriptedChatModel(script=script))
    await memory.add("The wifi password is Plover-Crank-4172.", at=NOON)
    await memory.add("The wifi password is now Tern-Anchor-2044.", at=NOON.replace(day=9))
    [current] = await vault(memory)
    assert await memory.reveal(current.id) == "Tern-Anchor-2044"
    [old] = await memory.get_all(kinds=["vault"], statuses=["superseded"])
    assert old.superseded_by == current.id and await memory.reveal(old.id) == "Plover-Crank-4172"


async def test_a_reference_of_nobody_is_a_problem_not_an_entry(open_mirix: OpenMirix) -> None:
    model = scripted(routed(vault=["e1"]), vault=says(entry("wifi password", "{{vault:zzzzzz}}", "high")))
    memory = await open_mirix(model)
    result = await memory.add("Keep it.")
    assert await vault(memory) == []
    assert "no reference of this user" in result.batches[0].problems[0]


async def test_a_corrected_value_is_sealed_anew_and_another_entry_is_not_copied(open_mirix: OpenMirix) -> None:
    corrected = call("knowledge_vault_update", memory="m1", changes={"value": "01632 960 119"})
    copied = call("knowledge_vault_update", memory="m1", changes={"value": "{{vault:zzzzzz}}"})
    model = scripted(
        [routed(vault=["e1"])] * 3, vault=[says(entry("phone", "01632 960 118")), says(corrected), says(copied)]
    )
    memory = await open_mirix(model)
    await memory.add("Their phone is 01632 960 118.")
    await memory.add("It ends on 9, their phone.")
    result = await memory.add("Their phone is that other one.")
    [record] = await vault(memory)
    assert await memory.reveal(record.id) == "01632 960 119"
    assert "in the vault already" in result.batches[0].problems[0]


async def test_another_users_reference_reveals_nothing(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    await memory.add("The wifi password is Plover-Crank-4172.")
    [record] = await vault(memory)
    await memory.add("Hello.", user_id="boris")
    with pytest.raises(NotFoundError):
        await memory.reveal(record.reference, user_id="boris")
