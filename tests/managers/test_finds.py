"""A secret that only a manager recognises is cut from all that is stored, as if ingest had sealed it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.redaction import Cut
from mirix.system import AsyncMirix
from mirix.text.analyser import analyse
from mirix.text.secrets import find_secrets
from tests.scripts import (
    NOON,
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
    stored_text,
    texts,
    vault_item,
)

VALUE = "Puffin.Ledge.41"
TELLING = f"Say {VALUE} to Oda at the boat house and she lets you in."


TODAY = f"From today Oda waits for {VALUE} before she lets you in."


@pytest.mark.parametrize("text", [TELLING, TODAY, f"Oh, {VALUE} is a secret word, mind."])
def test_ingest_does_not_know_this_secret(text: str) -> None:
    """The control: what follows would prove nothing if it did."""
    assert find_secrets(text, before="The boat house password is {{vault:k7q2xx}}.") == []


def everywhere(value: str = VALUE) -> Any:
    """Every manager repeats the value in all it writes."""
    kinds = ("core", "episodic", "semantic", "resource", "vault")
    return scripted(
        routed(**{kind: ["e1"] for kind in kinds}),
        core=says(append(f"Says {value} at the boat house")),
        episodic=says(event(f"Learned {value}", outcome=f"knows {value}", keywords=[value])),
        semantic=says(knowledge(f"boat house {value}", f"Opens to {value}", tree_path=["boat", value])),
        resource=says(document(f"Note on {value}", "A note")),
        vault=says(entry(f"word for the boat house ({value})", value, "high", keywords=[value, "boat"])),
    )


async def entry_of(memory: AsyncMirix) -> VaultRecord:
    [record] = await memory.get_all(kinds=["vault"])
    assert isinstance(record, VaultRecord)
    return record


async def test_what_a_manager_found_is_nowhere_in_the_clear(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(everywhere())
    result = await memory.add(TELLING, title=f"on {VALUE}", uri=f"https://boat.example/{VALUE}")
    assert result.batches[0].problems == ()
    assert len(result.changes) == 5
    assert VALUE not in stored_text(rows)
    record = await entry_of(memory)
    assert await memory.reveal(record.id) == VALUE
    [message] = await memory.sources(record.id)
    assert message.text == TELLING.replace(VALUE, f"{{{{vault:{record.reference}}}}}")


async def test_the_message_is_found_by_what_the_value_is_and_no_longer_by_the_value(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix(everywhere())
    await memory.add([{"text": "Hello there."}, {"text": TELLING}, {"text": "Thanks."}])
    # The meta manager named e1; the value stands in e2 of the same batch.
    assert VALUE not in stored_text(rows)
    terms = set(analyse("puffin ledge puffin.ledge.41").terms)
    assert not terms & {term for row in rows("SELECT terms FROM document") for term in row["terms"]}
    assert rows("SELECT count(*) AS n FROM posting WHERE term = ANY (%s)", list(terms)) == [{"n": 0}]
    found = await memory.search("word for the boat house")
    assert any(hit.message and "{{vault:" in hit.message.text for hit in found.hits)


async def test_vectors_are_made_anew_for_the_message_and_its_neighbours(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(everywhere())
    turns = ["Good morning, harbour.", "Hello there, boats.", TELLING, "Thanks for that.", "Good night, harbour."]
    await memory.add([{"text": text} for text in turns])
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


async def test_a_sure_value_is_cut_from_earlier_batches_and_memories_too(open_mirix: OpenMirix, rows: Rows) -> None:
    early = says(knowledge("boat house", f"Opens to {VALUE}", keywords=[VALUE]))
    model = scripted(
        [routed(semantic=["e1"]), routed(vault=["e1"])], semantic=early, vault=says(entry("boat house", VALUE, "high"))
    )
    memory = await open_mirix(model)
    await memory.add(TELLING, at=NOON)
    assert VALUE in stored_text(rows), "the control: at first it stands there"
    await memory.add(f"Oh, {VALUE} is a secret word, mind.")
    assert VALUE not in stored_text(rows)
    record = await entry_of(memory)
    assert await texts(memory, "semantic") == [f"Opens to {{{{vault:{record.reference}}}}}"]
    assert (await memory.search("boat house")).hits


async def test_a_value_that_could_be_a_word_is_cut_from_its_own_batch_only(open_mirix: OpenMirix, rows: Rows) -> None:
    model = scripted([routed(), routed(vault=["e1"])], vault=says(entry("word for the boat house", "2026", "high")))
    memory = await open_mirix(model)
    await memory.add("Summer of 2026 in Tromsø.")
    await memory.add("Say 2026 at the boat house. I was born in 12026.")
    first, second = (row["text"] for row in rows("SELECT text FROM message ORDER BY position"))
    assert first == "Summer of 2026 in Tromsø."
    assert second.startswith("Say {{vault:") and second.endswith("I was born in 12026.")


async def test_a_found_value_that_is_known_stands_under_its_old_reference(open_mirix: OpenMirix, rows: Rows) -> None:
    model = scripted([routed(), routed(vault=["e1"])], vault=says(entry("boat house", VALUE, "high")))
    memory = await open_mirix(model)
    await memory.add(f"The boat house password is {VALUE}.")
    known = (await entry_of(memory)).reference
    # Ingest knows the value by its digest only where it is recognised as a secret.
    result = await memory.add(TELLING)
    assert result.changes == () and result.batches[0].problems == ()
    assert (await entry_of(memory)).reference == known
    assert VALUE not in stored_text(rows)
    assert f"Say {{{{vault:{known}}}}} to Oda" in stored_text(rows)


async def test_a_corrected_secret_is_cut_under_the_reference_of_its_entry(open_mirix: OpenMirix, rows: Rows) -> None:
    corrected = call("knowledge_vault_update", memory="m1", changes={"value": VALUE})
    model = scripted([routed(), routed(vault=["e1"])], vault=says(corrected))
    memory = await open_mirix(model)
    await memory.add("The boat house password is Plover-Crank-4172.")
    before = await entry_of(memory)
    await memory.add(f"No, at the boat house one says {VALUE}.")
    after = await entry_of(memory)
    assert (after.id, after.reference) == (before.id, before.reference)
    assert await memory.reveal(after.id) == VALUE
    assert VALUE not in stored_text(rows)


async def test_a_replaced_secret_gets_a_reference_of_its_own(open_mirix: OpenMirix, rows: Rows) -> None:
    replaced = call("knowledge_vault_supersede", memory="m1", item=vault_item("boat house", VALUE, "high"))
    model = scripted([routed(), routed(vault=["e1"])], vault=says(replaced))
    memory = await open_mirix(model)
    await memory.add("The boat house password is Plover-Crank-4172.")
    before = await entry_of(memory)
    await memory.add(TODAY)
    after = await entry_of(memory)
    assert after.reference != before.reference
    assert (await memory.get(before.id)).superseded_by == after.id
    assert await memory.reveal(after.id) == VALUE
    assert VALUE not in stored_text(rows)


async def test_what_only_waits_for_the_user_cuts_nothing(open_mirix: OpenMirix, rows: Rows) -> None:
    """No entry is made, so a reference would lead nowhere and the value be lost."""
    replaced = call("knowledge_vault_supersede", memory="m1", item=vault_item("boat house", VALUE, "high"))
    model = scripted([routed(), routed(vault=["e1"])], vault=says(replaced))
    memory = await open_mirix(model)
    await memory.add("The boat house password is Plover-Crank-4172.")
    result = await memory.add(TODAY, trust=2)
    assert result.batches[0].proposals == 1
    assert rows("SELECT text FROM message ORDER BY position")[-1]["text"] == TODAY


async def test_the_value_is_painted_over_in_the_picture_it_stands_in(open_mirix: OpenMirix, rows: Rows) -> None:
    image = Image.new("RGB", (900, 200), "white")
    pen = ImageDraw.Draw(image)
    pen.text((30, 30), "Boat house notes", fill="black", font=ImageFont.load_default(40))
    pen.text((30, 120), f"Say {VALUE}", fill="black", font=ImageFont.load_default(40))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    model = scripted(routed(vault=["e1"]), vault=says(entry("boat house", VALUE, "high")))
    memory = await open_mirix(model, ocr="rapidocr")
    result = await memory.add(image=buffer.getvalue(), source="chat")
    assert VALUE not in stored_text(rows) and "{{vault:" in rows("SELECT lines::text AS text FROM frame")[0]["text"]
    user = await memory.parts.database.ensure_user("anna", "UTC")
    stored = memory.parts.frames.read_bytes(user.user_id, result.message_ids[0])
    with Image.open(BytesIO(stored)) as kept:
        shown = np.asarray(kept.convert("L"))
    assert shown[30:80, 30:400].min() < 60, "the other line is legible"
    assert shown[125:165, 40:300].min() > 60, "the secret is not"


# ---- the cut itself ----


def test_a_cut_keeps_to_whole_values_and_takes_the_longest_first() -> None:
    cut = Cut(references={"Gull-18": "aaaa", "Gull-1826": "bbbb"}, terms={})
    assert cut.text("Gull-1826, Gull-18; xGull-18 Gull-182") == "{{vault:bbbb}}, {{vault:aaaa}}; xGull-18 Gull-182"
    assert cut.text("密码是Gull-18吧") == "密码是{{vault:aaaa}}吧"
    assert cut.json({"a": ["Gull-18", 3], "b": {"c": "Gull-1826"}}) == {
        "a": ["{{vault:aaaa}}", 3],
        "b": {"c": "{{vault:bbbb}}"},
    }


@pytest.mark.parametrize(
    ("value", "is_sure"), [("Puffin.Ledge.41", True), ("20481977", True), ("2026", False), ("Hurtigruten", False)]
)
def test_only_a_value_that_could_be_nothing_else_is_cut_everywhere(value: str, is_sure: bool) -> None:
    cut = Cut(references={value: "aaaa"}, terms={})
    assert (cut.everywhere.text(value) != value) is is_sure


async def test_a_reference_that_a_manager_was_not_shown_is_inert_in_what_it_writes(open_mirix: OpenMirix) -> None:
    """Else a reveal would put the value of any entry into an answer about another thing."""
    planted = says(knowledge("gate", "Green"))
    model = scripted([routed(), routed(semantic=["e1"])], semantic=planted)
    memory = await open_mirix(model)
    sealed = await memory.add("The wifi password is Grebe!Lantern27.")
    [secret] = sealed.changes
    record = await memory.get(secret.id)
    assert isinstance(record, VaultRecord)
    planted["tool_calls"][0]["args"]["items"][0]["details"] = f"It is {{{{vault:{record.reference}}}}}"
    await memory.add("The gate is green.")
    [gate] = await memory.get_all(kinds=["semantic"])
    assert gate.details == f"It is ((vault:{record.reference}))"
