"""Sealing by hand: a secret that everybody missed is nowhere in the clear any more, and a false alarm comes back."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mirix.curation.late_sealing import EntryWish, LateSealer, SealingReport
from mirix.errors import ConflictError, InputError, NotFoundError
from mirix.memory.knowledge_vault import VaultRecord
from mirix.models.fake import ScriptedChatModel
from mirix.system import AsyncMirix
from mirix.text.analyser import analyse
from mirix.text.secrets import find_secrets
from tests.curation.conftest import Scan
from tests.scripts import (
    NOON,
    OpenMirix,
    Rows,
    append,
    document,
    entry,
    event,
    knowledge,
    procedure,
    routed,
    says,
    scripted,
    stored_text,
    texts,
)

VALUE, VALUE_ZH = "Puffin.Ledge.41", "Haiou.Zhou.41"
SAID = {
    VALUE: f"Say {VALUE} to Oda at the boat house and she lets you in.",
    VALUE_ZH: f"进船屋要对小渔说 {VALUE_ZH} 才行。",
}
BOTH = pytest.mark.parametrize("value", [VALUE, VALUE_ZH], ids=["en", "zh"])
KINDS = ("core", "episodic", "semantic", "procedural", "resource", "vault")
HELD_BY = {
    "message",
    "batch",
    "memory_history",
    "proposal",
    "core_memory",
    "episodic_memory",
    "semantic_memory",
    "procedural_memory",
    "resource_memory",
    "knowledge_vault",
}


@BOTH
def test_ingest_misses_this_secret(value: str) -> None:
    """The control: what follows would prove nothing if it did not."""
    assert find_secrets(SAID[value], before="Hello there.") == []


def repeating(value: str) -> ScriptedChatModel:
    """Every manager repeats the value in all it writes; of the second batch, by somebody else, core waits."""
    return scripted(
        [routed(**{kind: ["e2"] for kind in KINDS}), routed(core=["e1"])],
        core=[says(append(f"Says {value} at the boat house")), says(append(f"Uses {value}"))],
        episodic=says(event(f"Learned {value}", outcome=f"knows {value}", keywords=[value])),
        semantic=says(knowledge(f"boat house {value}", f"Opens to {value}", tree_path=["boat", value])),
        procedural=says(procedure(f"Enter with {value}", f"say {value}", "walk in")),
        resource=says(document(f"Note on {value}", "A note")),
        vault=says(entry(f"telephone of Oda ({value})", "555-0100")),
    )


async def spread(open_mirix: OpenMirix, value: str = VALUE) -> tuple[AsyncMirix, UUID]:
    """A memory all over which the value stands, and the message that brought it."""
    memory = await open_mirix(repeating(value))
    turns = ["Hello there, boats.", SAID[value], "Thanks for that.", "Good night, harbour."]
    result = await memory.add([{"text": text} for text in turns], title=f"on {value}", at=NOON)
    assert result.batches[0].problems == ()
    await memory.add(f"Oda wants {value}, always.", trust=2, speaker="Ben", at=NOON)
    [record] = await memory.get_all(kinds=["semantic"])
    await memory.update(record.id, details=f"Twice {value}: {value}.")
    return memory, result.message_ids[1]


async def entry_of(memory: AsyncMirix, report: SealingReport) -> VaultRecord:
    [sealed] = report.entries
    record = await memory.get(sealed.id)
    assert isinstance(record, VaultRecord)
    return record


# ---- sealing ----


@BOTH
async def test_what_is_sealed_by_hand_is_in_no_row_of_any_table(open_mirix: OpenMirix, scan: Scan, value: str) -> None:
    memory, message_id = await spread(open_mirix, value)
    assert set(scan(value)[value]) == HELD_BY, "the control: the scan finds it all over"
    report = await memory.seal(message_id, value)
    assert scan(value) == {}
    assert (report.messages, report.memories, report.elsewhere) == (5, 6, 0)
    record = await entry_of(memory, report)
    assert (record.trust, record.source_kind, record.sensitivity) == (3, "user", "high")
    assert await memory.reveal(record.reference) == value
    [*said] = await memory.sources(record.id)
    assert SAID[value].replace(value, f"{{{{vault:{record.reference}}}}}") in {message.text for message in said}


async def test_no_posting_and_no_vector_is_left_of_it(open_mirix: OpenMirix, rows: Rows) -> None:
    memory, message_id = await spread(open_mirix)
    terms = list(set(analyse("puffin ledge puffin.ledge.41").terms))
    held = "SELECT count(*)::int AS n FROM posting WHERE term = ANY (%s)"
    assert rows(held, terms)[0]["n"] > 10
    await memory.seal(message_id, VALUE)
    assert rows(held, terms) == [{"n": 0}]
    embedder = memory.parts.indexer.embedder
    assert embedder is not None
    kept = rows("SELECT text, embedding::text AS own, window_embedding::text AS around FROM message ORDER BY position")
    plain = [row["text"] for row in kept]
    windows = ["\n".join(plain[max(n - 1, 0) : n + 2]) for n in range(len(plain))]
    for row, own, around in zip(kept, embedder.embed(plain), embedder.embed(windows), strict=True):
        assert floats(row["own"]) == pytest.approx([float(x) for x in own], abs=2e-3)
        assert floats(row["around"]) == pytest.approx([float(x) for x in around], abs=2e-3)


def floats(text: str) -> list[float]:
    return [float(part) for part in text.strip("[]").split(",")]


async def test_the_message_is_found_by_the_caption_and_the_entry_keeps_it(open_mirix: OpenMirix) -> None:
    memory, message_id = await spread(open_mirix)
    report = await memory.seal(message_id, VALUE, caption="watchword for the gangway", entry_type="credential")
    record = await entry_of(memory, report)
    assert (record.summary, record.entry_type) == ("watchword for the gangway", "credential")
    found = await memory.search("gangway watchword")
    assert {message_id, record.id} <= {hit.id for hit in found.hits}


async def test_a_caption_that_is_not_given_never_tells_the_value(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add("The magic word is swordfish, swordfish alone.")
    record = await entry_of(memory, await memory.seal(said.message_ids[0], "swordfish"))
    assert "swordfish" not in f"{record.summary} {record.keywords}" and record.summary
    with pytest.raises(InputError, match="caption tells the value"):
        await memory.seal(said.message_ids[0], "magic", caption="the magic word")


async def test_keywords_and_names_made_of_its_parts_go_with_it(open_mirix: OpenMirix, scan: Scan) -> None:
    filed = knowledge("Ledge", f"Opens to {VALUE}", keywords=["puffin", "boat house", "Ledge 41"])
    memory = await open_mirix(scripted(routed(semantic=["e1"]), semantic=says(filed)))
    said = await memory.add(SAID[VALUE])
    await memory.seal(said.message_ids[0], VALUE)
    assert scan("puffin", "ledge") == {}
    assert "boat house" in (await memory.get_all(kinds=["semantic"]))[0].keywords


async def test_a_word_is_cut_from_its_batch_and_what_came_of_it_only(open_mirix: OpenMirix, rows: Rows) -> None:
    filed = [says(knowledge("Oda", "Wants to hear Tern")), says(knowledge("birds", "A Tern was seen"))]
    model = scripted([routed(semantic=["e1"]), routed(semantic=["e1"])], semantic=filed)
    memory = await open_mirix(model)
    first = await memory.add("Say Tern to Oda. Interns may not.", at=NOON)
    await memory.add("A Tern flew over the harbour.", at=NOON)
    oda = next(record for record in await memory.get_all() if record.summary.startswith("Wants"))
    await memory.update(oda.id, details="Tern, said aloud")
    report = await memory.seal(first.message_ids[0], "Tern")
    reference = f"{{{{vault:{report.entries[0].reference}}}}}"
    assert await texts(memory, "semantic") == ["A Tern was seen", f"Wants to hear {reference}"]
    said = [row["text"] for row in rows("SELECT text FROM message ORDER BY position")]
    assert said == [f"Say {reference} to Oda. Interns may not.", "A Tern flew over the harbour."]
    assert (report.messages, report.memories, report.elsewhere) == (1, 1, 1)
    oda_rows = rows("SELECT before::text AS b, after::text AS a FROM memory_history WHERE record_id = %s", oda.id)
    assert len(oda_rows) == 2 and "Tern" not in str(oda_rows)
    replies = rows("SELECT replies::text AS text FROM batch ORDER BY position")
    assert ["Tern" in row["text"] for row in replies] == [False, True]


@pytest.mark.parametrize("word", ["active", "semantic", "insert", "concept"])
async def test_a_word_that_is_also_one_of_ours_leaves_the_machinery_whole(open_mirix: OpenMirix, word: str) -> None:
    model = scripted(routed(semantic=["e1"]), semantic=says(knowledge("Oda", f"Wants to hear {word}")))
    memory = await open_mirix(model)
    said = await memory.add(f"Say {word} to Oda.", at=NOON)
    [told] = await memory.get_all(kinds=["semantic"])
    await memory.update(told.id, details="Soon.")
    report = await memory.seal(said.message_ids[0], word)
    record = await memory.get(told.id)
    assert record.summary == f"Wants to hear {{{{vault:{report.entries[0].reference}}}}}"
    assert (await memory.add(f"Say {word} to Oda.", at=NOON)).is_duplicate
    [restored] = await memory.undo(record.id)
    assert (restored.summary, restored.status) == (record.summary, "active") and restored.details != "Soon."


async def test_a_value_that_reads_like_a_date_is_no_longer_spoken_of(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add("Say 19 July 2031 to Oda.")
    mentioned = "SELECT isempty(mentioned) AS none FROM message"
    assert rows(mentioned) == [{"none": False}]
    await memory.seal(said.message_ids[0], "19 July 2031")
    assert rows(mentioned) == [{"none": True}]


async def test_a_value_that_is_in_the_vault_already_stands_under_its_old_reference(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted([routed(), routed()]))
    await memory.add(f"The boat house password is {VALUE}.")
    [known] = await memory.get_all(kinds=["vault"])
    said = await memory.add(SAID[VALUE])
    report = await memory.seal(said.message_ids[0], VALUE)
    assert [made.id for made in report.entries] == [known.id]
    assert len(await memory.get_all(kinds=["vault"])) == 1


async def test_what_a_manager_kept_as_harmless_becomes_a_secret(open_mirix: OpenMirix, scan: Scan) -> None:
    model = scripted(routed(vault=["e1"]), vault=says(entry(f"word ({VALUE}) for the boat house", VALUE, "medium")))
    memory = await open_mirix(model)
    said = await memory.add(SAID[VALUE])
    assert VALUE in scan(VALUE)
    [sealed] = (await memory.seal(said.message_ids[0], VALUE)).entries
    [record] = await memory.get_all(kinds=["vault"])
    assert isinstance(record, VaultRecord) and (record.id, record.sensitivity) == (sealed.id, "high")
    assert scan(VALUE) == {} and await memory.reveal(record.id) == VALUE


async def test_medium_sensitivity_keeps_a_copy_and_cuts_nothing(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add(SAID[VALUE])
    report = await memory.seal(said.message_ids[0], VALUE, sensitivity="medium")
    assert report.messages == 0 and await memory.reveal(report.entries[0].reference) == VALUE
    assert (await memory.messages())[0].text == SAID[VALUE]


async def test_several_values_are_sealed_together_or_not_at_all(open_mirix: OpenMirix, scan: Scan) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add(f"{SAID[VALUE]} To Nils say Skua.Rope.77.")
    with pytest.raises(InputError, match="does not hold this value"):
        await memory.seal(said.message_ids[0], [VALUE, "Gannet.12"])
    assert VALUE in scan(VALUE) and await memory.get_all(kinds=["vault"]) == []
    report = await memory.seal(said.message_ids[0], [VALUE, "Skua.Rope.77"])
    assert [await memory.reveal(made.reference) for made in report.entries] == [VALUE, "Skua.Rope.77"]
    assert scan(VALUE, "Skua.Rope.77") == {}


# ---- which value is meant ----


@BOTH
async def test_without_a_value_the_only_one_that_could_be_secret_is_sealed(open_mirix: OpenMirix, value: str) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add(SAID[value])
    assert await memory.seal_candidates(said.message_ids[0]) == [value]
    report = await memory.seal(said.message_ids[0])
    assert await memory.reveal(report.entries[0].reference) == value


@pytest.mark.parametrize(
    ("text", "said"), [("Oda was here.", "nothing"), (f"{SAID[VALUE]} To Nils say Skua.Rope.77.", "2 values")]
)
async def test_without_a_value_it_has_to_be_clear_which_is_meant(open_mirix: OpenMirix, text: str, said: str) -> None:
    memory = await open_mirix(scripted(routed()))
    added = await memory.add(text)
    with pytest.raises(InputError, match=f"^{said} in this message.*name the value"):
        await memory.seal(added.message_ids[0])


@pytest.mark.parametrize("wrong", ["Puffin.Ledge", "uffin.Ledge.41", "x", "{{vault:k7q2xx}}", "Gannet.12"])
async def test_what_the_message_does_not_hold_as_a_whole_is_refused_and_not_repeated(
    open_mirix: OpenMirix, wrong: str
) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add("Say Puffin.Ledge41 and uffin.Ledge.412 to Oda.")
    with pytest.raises(InputError) as refused:
        await memory.seal(said.message_ids[0], wrong)
    assert wrong not in str(refused.value) or len(wrong) == 1


async def test_unknown_messages_and_wrong_words_are_told(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add(SAID[VALUE])
    with pytest.raises(NotFoundError, match="no message"):
        await memory.seal(UUID(int=7), VALUE)
    with pytest.raises(InputError, match="entry_type is one of credential"):
        await memory.seal(said.message_ids[0], VALUE, entry_type="word")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="sensitivity is one of low"):
        await memory.seal(said.message_ids[0], VALUE, sensitivity="top")  # type: ignore[arg-type]
    await memory.parts.database.ensure_user("ben", "UTC")
    with pytest.raises(NotFoundError):
        await memory.seal(said.message_ids[0], VALUE, user_id="ben")


async def test_nothing_is_sealed_under_the_hands_of_a_manager(open_mirix: OpenMirix, rows: Rows) -> None:
    memory, message_id = await spread(open_mirix)
    rows("UPDATE batch SET state = 'running', lease_until = now() + interval '1 minute'")
    parts = memory.parts
    sealer = LateSealer(parts.database, parts.indexer, parts.keyring, parts.frames, wait_s=0)
    user = await parts.database.ensure_user("anna", "UTC")
    with pytest.raises(ConflictError, match="managers are at work"):
        await sealer.seal(user.user_id, message_id, [VALUE], EntryWish())
    assert VALUE in stored_text(rows)
    rows("UPDATE batch SET lease_until = now() - interval '1 minute'")
    await sealer.seal(user.user_id, message_id, [VALUE], EntryWish())
    assert VALUE not in stored_text(rows)


# ---- unsealing ----


async def contents(memory: AsyncMirix) -> list[dict[str, Any]]:
    return [record.authored() for record in await memory.get_all() if not isinstance(record, VaultRecord)]


@BOTH
async def test_unsealing_brings_all_of_it_back(open_mirix: OpenMirix, scan: Scan, rows: Rows, value: str) -> None:
    memory, message_id = await spread(open_mirix, value)
    said = "SELECT id, text, title, uri, mentioned::text, embedding, window_embedding FROM message ORDER BY position"
    told = "SELECT replies, changes FROM batch ORDER BY position"
    before = (rows(said), rows(told), await contents(memory), rows("SELECT operation FROM proposal"))
    words = rows("SELECT record_id, array(SELECT unnest(terms) ORDER BY 1) AS terms FROM document ORDER BY record_id")
    found = [hit.id for hit in (await memory.search(value)).hits]
    record = await entry_of(memory, await memory.seal(message_id, value))
    assert [hit.id for hit in (await memory.search(value)).hits] != found
    report = await memory.unseal(record.reference)
    assert (report.messages, report.memories, report.painted) == (5, 6, ())
    assert (rows(said), rows(told), await contents(memory), rows("SELECT operation FROM proposal")) == before
    assert (
        rows("SELECT record_id, array(SELECT unnest(terms) ORDER BY 1) AS terms FROM document ORDER BY record_id")
        == words
    )
    assert set(scan(value)[value]) == HELD_BY
    assert [hit.id for hit in (await memory.search(value)).hits] == found and len(found) > 5
    assert scan(record.reference, str(record.id)).get(record.reference) is None
    assert scan(str(record.id)) == {str(record.id): ["audit"]}, "the entry is gone, with its history"


async def test_a_false_alarm_of_ingest_is_not_raised_again(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 5))
    text = "The wifi password is Plover-Crank-4172."
    await memory.add(text, at=NOON)
    [alarm] = await memory.get_all(kinds=["vault"])
    assert "Plover" not in stored_text(rows)
    await memory.unseal(alarm.id)
    assert [message.text for message in await memory.messages()] == [text]
    assert (await memory.add(text, at=NOON)).is_duplicate
    await memory.add(text)
    await memory.add([{"text": "What is the wifi password?"}, {"text": "It's Plover-Crank-4172"}])
    assert await memory.get_all(kinds=["vault"]) == [] and "{{vault:" not in stored_text(rows)
    assert "Plover" in (await memory.search("Is Plover-Crank-4172 the wifi password?")).hits[0].text
    await memory.add("The door code is 7715#.")
    assert len(await memory.get_all(kinds=["vault"])) == 1, "other values are sealed as before"


async def test_sealing_again_takes_the_unsealing_back(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted([routed()] * 2))
    said = await memory.add("The wifi password is Plover-Crank-4172.")
    [alarm] = await memory.get_all(kinds=["vault"])
    await memory.unseal(alarm.id)
    assert len(rows("SELECT digest FROM harmless_value")) == 1
    await memory.seal(said.message_ids[0], "Plover-Crank-4172")
    assert rows("SELECT digest FROM harmless_value") == []
    await memory.add("pwd: Plover-Crank-4172")
    assert "Plover" not in stored_text(rows)


async def test_no_manager_files_as_a_secret_what_the_user_has_unsealed(open_mirix: OpenMirix, rows: Rows) -> None:
    model = scripted([routed(), routed(vault=["e1"])], vault=says(entry("boat house", VALUE, "high")))
    memory = await open_mirix(model)
    said = await memory.add(SAID[VALUE])
    report = await memory.seal(said.message_ids[0], VALUE)
    await memory.unseal(report.entries[0].reference)
    again = await memory.add(f"Again: {SAID[VALUE]}")
    assert again.changes == () and "it is no secret" in again.batches[0].problems[0]
    assert [row["text"] for row in rows("SELECT text FROM message ORDER BY position")][-1] == f"Again: {SAID[VALUE]}"


async def test_an_entry_that_had_two_values_is_not_put_back(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(scripted(routed()))
    await memory.add("The wifi password is Plover-Crank-4172.")
    [record] = await memory.get_all(kinds=["vault"])
    await memory.update(record.id, value="Tern-Anchor-2044")
    with pytest.raises(ConflictError, match="undo the correction"):
        await memory.unseal(record.id)
    await memory.undo(record.id)
    await memory.unseal(record.id)
    assert (await memory.messages())[0].text == "The wifi password is Plover-Crank-4172."


async def test_an_unknown_entry_is_told(open_mirix: OpenMirix) -> None:
    memory, _ = await spread(open_mirix)
    [record] = await memory.get_all(kinds=["semantic"])
    for wrong in ("zzzzzz", "{{vault:zzzzzz}}", record.id):
        with pytest.raises(NotFoundError, match="mirix vault list"):
            await memory.unseal(wrong)


async def test_the_audit_tells_of_both_and_never_a_value(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted(routed()))
    said = await memory.add(SAID[VALUE])
    record = await entry_of(memory, await memory.seal(said.message_ids[0], VALUE))
    await memory.unseal(record.reference)
    audit = rows("SELECT actor, action, record_id, note FROM audit ORDER BY seq")
    assert audit == [
        {"actor": "user", "action": action, "record_id": record.id, "note": None} for action in ("seal", "unseal")
    ]


# ---- pictures ----


def picture(*lines: str) -> bytes:
    image = Image.new("RGB", (1000, 260), "white")
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        pen.text((30, 30 + 90 * row), line, fill="black", font=ImageFont.load_default(40))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


async def legible(memory: AsyncMirix, message_id: UUID, row: int) -> bool:
    user = await memory.parts.database.ensure_user("anna", "UTC")
    with Image.open(BytesIO(memory.parts.frames.read_bytes(user.user_id, message_id))) as kept:
        return bool(np.asarray(kept.convert("L"))[35 + 90 * row : 70 + 90 * row, 40:300].min() < 60)


async def test_a_value_in_a_picture_is_painted_over_and_its_lines_come_back_without_the_pixels(
    open_mirix: OpenMirix, rows: Rows, scan: Scan
) -> None:
    memory = await open_mirix(scripted(routed()), ocr="rapidocr")
    said = await memory.add(image=picture("Boat house notes", f"Say {VALUE}"), source="chat")
    [message_id] = said.message_ids
    assert "frame" in scan(VALUE)[VALUE] and await legible(memory, message_id, 1)
    report = await memory.seal(message_id, VALUE)
    assert report.pictures == 1 and scan(VALUE) == {}
    assert await legible(memory, message_id, 0) and not await legible(memory, message_id, 1)
    back = await memory.unseal(report.entries[0].reference)
    assert back.painted == (message_id,)
    assert VALUE in rows("SELECT lines::text AS text FROM frame")[0]["text"]
    assert not await legible(memory, message_id, 1), "what was painted over is gone"


async def test_lines_that_ingest_sealed_come_back_too(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(scripted(routed()), ocr="rapidocr")
    said = await memory.add(image=picture("Settings", "Password: Marble-Otter-58"), source="chat")
    [alarm] = await memory.get_all(kinds=["vault"])
    assert "Otter" not in stored_text(rows)
    assert (await memory.unseal(alarm.id)).painted == said.message_ids
    assert "Marble-Otter-58" in rows("SELECT lines::text AS text FROM frame")[0]["text"]
    assert "Marble-Otter-58" in rows("SELECT text FROM message")[0]["text"]
