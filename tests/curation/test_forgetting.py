"""Forgetting for good, on memories made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from mirix.curation.telling import GAP
from mirix.errors import InputError, NotFoundError
from mirix.memory.knowledge_vault import VaultRecord
from mirix.memory.record import Record
from mirix.text.analyser import term_id, tokens
from tests.curation.conftest import Scan, World


def ids(records: Sequence[Record]) -> set[UUID]:
    return {record.id for record in records}


# ---- memories ----


async def test_a_memory_goes_with_all_that_says_the_same_and_its_message(world: World, scan: Scan) -> None:
    said = await world.say("I mend harpsichords in Bergen.")
    line = await world.file("core", "Mends harpsichords in Bergen", said)
    twin = await world.file("semantic", "Anna mends harpsichords in Bergen", said, details="She mends harpsichords.")
    assert scan("harpsichord").keys() == {"harpsichord"}
    forgotten = await world.memory.forget(line.id)
    assert {trace.id for trace in forgotten.memories} == {line.id, twin.id}
    assert forgotten.messages == 1
    assert scan("harpsichord") == {}
    assert await world.memory.get_all(statuses=("active", "superseded", "archived")) == []


async def test_former_values_go_with_the_present_one(world: World, scan: Scan) -> None:
    first, second, third = [await world.say(f"My home is {town}.") for town in ("Molde", "Voss", "Bergen")]
    molde = await world.file("core", "Home: Molde", first)
    voss = await world.supersede(molde, "Home: Voss", second)
    bergen = await world.supersede(voss, "Home: Bergen", third)
    forgotten = await world.memory.forget(bergen.id)
    assert [trace.id for trace in forgotten.memories] == [molde.id, voss.id, bergen.id]
    assert scan("Molde", "Voss", "Bergen") == {}


async def test_a_former_value_goes_alone_and_the_others_close_ranks(world: World, scan: Scan) -> None:
    sources = [await world.say(f"My home is {town}.") for town in ("Molde", "Voss", "Bergen")]
    molde = await world.file("core", "Home: Molde", sources[0])
    voss = await world.supersede(molde, "Home: Voss", sources[1])
    bergen = await world.supersede(voss, "Home: Bergen", sources[2])
    await world.memory.forget(voss.id)
    assert scan("Voss") == {}
    left = await world.get(molde.id)
    assert (left.status, left.superseded_by) == ("superseded", bergen.id)
    assert left.valid_to == bergen.valid_from
    assert (await world.get(bergen.id)).status == "active"
    assert await world.texts() == ["My home is Molde.", "My home is Bergen."]


async def test_a_message_that_tells_more_loses_only_the_sentences_of_the_fact(world: World, scan: Scan) -> None:
    said = await world.say("I am allergic to walnuts. Oda mends clocks. 我对花生过敏。")
    allergy = await world.file("core", "Allergic to walnuts", said, keywords=["walnut"])
    clocks = await world.file(
        "semantic", "Oda mends clocks", said, details="I am allergic to walnuts. Oda mends clocks."
    )
    peanuts = await world.file("core", "对花生过敏", said)
    forgotten = await world.memory.forget(allergy.id)
    assert (forgotten.messages, forgotten.redacted, forgotten.kept) == (0, 1, ())
    assert await world.texts() == [f"{GAP} Oda mends clocks. 我对花生过敏。"]
    assert scan("walnut") == {}
    await world.memory.forget(peanuts.id)
    assert scan("花生", "过敏") == {}
    kept = await world.get(clocks.id)
    assert (kept.summary, kept.details) == ("Oda mends clocks", f"{GAP} Oda mends clocks.")
    assert ids(await world.memory.sources(clocks.id)) == {said}  # type: ignore[arg-type]


async def test_what_is_cut_is_not_found_any_more(world: World, owner_url: str) -> None:
    said = await world.say("I am allergic to walnuts. Oda mends clocks.")
    allergy = await world.file("core", "Allergic to walnuts", said)
    await world.file("semantic", "Oda mends clocks", said)
    with psycopg.connect(owner_url) as conn:
        term = [term_id(tokens("walnuts")[0])]
        assert conn.execute("SELECT count(*) FROM posting WHERE term = %s", term).fetchone() == (2,)
        before = conn.execute("SELECT embedding::text, window_embedding::text FROM message").fetchone()
        await world.memory.forget(allergy.id)
        conn.rollback()
        assert conn.execute("SELECT count(*) FROM posting WHERE term = %s", term).fetchone() == (0,)
        after = conn.execute("SELECT embedding::text, window_embedding::text FROM message").fetchone()
    assert before and after and before[0] != after[0] and before[1] != after[1]
    hits = (await world.memory.search("walnuts allergy")).hits
    assert not any("walnut" in hit.text for hit in hits)


async def test_a_message_whose_words_do_not_tell_the_fact_keeps_only_what_others_tell(world: World) -> None:
    said = await world.say("Stortorvet it is! Oda mends clocks.")
    home = await world.file("core", "Home address: the big market square", said)
    await world.file("semantic", "Oda mends clocks", said)
    await world.memory.forget(home.id)
    assert await world.texts() == [f"{GAP} Oda mends clocks."]


async def test_the_history_of_what_stays_tells_nothing_of_what_went(world: World, scan: Scan) -> None:
    said = await world.say("I am allergic to walnuts. Oda mends clocks.")
    allergy = await world.file("core", "Allergic to walnuts", said)
    clocks = await world.file("semantic", "Oda mends clocks", said, details="I am allergic to walnuts. Tall ones.")
    await world.memory.update(clocks.id, details="Clocks of all kinds.")
    assert "memory_history" in scan("walnuts")["walnuts"]
    await world.memory.forget(allergy.id)
    assert scan("walnut") == {}
    assert await world.memory.history(clocks.id)


async def test_undo_brings_nothing_back(world: World) -> None:
    said = await world.say("I am allergic to walnuts.")
    allergy = await world.file("core", "Allergic to walnuts", said)
    await world.memory.delete(allergy.id)
    await world.memory.forget(allergy.id)
    with pytest.raises(NotFoundError):
        await world.memory.undo(allergy.id)


# ---- messages ----


async def test_a_message_takes_what_rests_on_it_alone(world: World, scan: Scan) -> None:
    said, other = await world.say("I mend harpsichords."), await world.say("Oda mends clocks.")
    await world.file("core", "Mends harpsichords", said)
    clocks = await world.file("semantic", "Oda mends clocks", other)
    forgotten = await world.memory.forget(said)
    assert ([trace.summary for trace in forgotten.memories], forgotten.messages) == (["Mends harpsichords"], 1)
    assert scan("harpsichord") == {}
    assert ids(await world.memory.get_all()) == {clocks.id}


async def test_a_memory_stays_while_other_messages_say_the_same(world: World) -> None:
    first, second = await world.say("I mend harpsichords."), await world.say("As I said, I mend harpsichords.")
    line = await world.file("core", "Mends harpsichords", first, second)
    forgotten = await world.memory.forget(first)
    assert [trace.id for trace in forgotten.kept] == [line.id]
    assert (forgotten.memories, forgotten.messages) == ((), 1)
    assert [message.id for message in await world.memory.sources(line.id)] == [second]
    again = await world.memory.forget(second)
    assert [trace.id for trace in again.memories] == [line.id]


async def test_a_memory_goes_when_its_words_come_from_the_forgotten_message(world: World, scan: Scan) -> None:
    first, second = await world.say("I mend harpsichords."), await world.say("I live at the sea.")
    await world.file("core", "Mends harpsichords and lives at the sea", first, second)
    forgotten = await world.memory.forget(first)
    assert len(forgotten.memories) == 1
    assert scan("harpsichord") == {}
    assert await world.texts() == ["I live at the sea."]


async def test_what_was_folded_into_a_memory_that_goes_comes_back(world: World, scan: Scan) -> None:
    first, second = await world.say("I mend harpsichords."), await world.say("I live at the sea.")
    trade, home = (
        await world.file("core", "Mends harpsichords", first),
        await world.file("core", "Lives at the sea", second),
    )
    await world.merge([trade, home], "Mends harpsichords, lives at the sea")
    await world.memory.forget(first)
    assert scan("harpsichord") == {}
    assert await world.summaries() == ["Lives at the sea"]
    assert [message.id for message in await world.memory.sources(home.id)] == [second]
    assert [message.standing for message in await world.memory.messages()] == ["current"]


async def test_the_former_value_holds_again_when_the_message_that_changed_it_goes(world: World, scan: Scan) -> None:
    first, second = await world.say("My home is Molde."), await world.say("My home is Bergen now.")
    molde = await world.file("core", "Home: Molde", first)
    await world.supersede(molde, "Home: Bergen", second)
    assert [message.standing for message in await world.memory.messages()] == ["outdated", "current"]
    await world.memory.forget(second)
    assert scan("Bergen") == {}
    record = await world.get(molde.id)
    assert (record.status, record.valid_to, record.superseded_by) == ("active", None, None)
    assert [(m.text, m.standing) for m in await world.memory.messages()] == [("My home is Molde.", "current")]


async def test_the_neighbours_read_as_if_it_had_never_been_said(world: World, owner_url: str) -> None:
    before, secret, after = [await world.say(text) for text in ("One heron.", "Two walnuts.", "Three boats.")]
    for text in ("One heron.", "Three boats."):
        await world.say(text, conversation="as if")
    windows = "SELECT window_embedding::text FROM message WHERE text = %s ORDER BY position"
    with psycopg.connect(owner_url, autocommit=True) as conn:
        assert len(set(conn.execute(windows, ["One heron."]).fetchall())) == 2
        await world.memory.forget(secret)
        for text in ("One heron.", "Three boats."):
            found = conn.execute(windows, [text]).fetchall()
            assert len(found) == 2 and len(set(found)) == 1, text
    assert [message.id for message in await world.memory.messages()] == [before, after]


async def test_what_was_forgotten_may_be_said_again(world: World) -> None:
    first = await world.memory.add("I mend harpsichords.")
    assert (await world.memory.add("I mend harpsichords.")).is_duplicate
    await world.memory.forget(first.message_ids[0])
    again = await world.memory.add("I mend harpsichords.")
    assert not again.is_duplicate
    assert await world.texts() == ["I mend harpsichords."]


async def test_a_batch_that_loses_one_of_its_messages_keeps_the_others(world: World, scan: Scan) -> None:
    chat = [{"role": "user", "content": "I mend harpsichords."}, {"role": "user", "content": "Oda mends clocks."}]
    added = await world.memory.add(chat)
    await world.memory.forget(added.message_ids[0])
    assert await world.texts() == ["Oda mends clocks."]
    assert scan("harpsichord") == {}
    assert not (await world.memory.add(chat)).is_duplicate


@pytest.mark.parametrize("what", ["memory", "message"])
async def test_answers_that_cite_what_goes_go_with_it(world: World, scan: Scan, what: str) -> None:
    said = await world.say("I mend harpsichords.")
    line = await world.file("core", "Mends harpsichords", said)
    answer, other = await world.say("You mend harpsichords."), await world.say("It rains.")
    async with world.memory.parts.database.transaction(world.user_id) as conn:
        await conn.execute("UPDATE message SET cited = %s WHERE id = %s", [[line.id], answer])
    forgotten = await world.memory.forget(line.id if what == "memory" else said)
    assert forgotten.messages == 2
    assert scan("harpsichord") == {}
    assert [message.id for message in await world.memory.messages()] == [other]


async def test_an_answer_that_cites_what_is_cut_is_cut_and_stays_hidden(world: World, scan: Scan) -> None:
    said = await world.say("I mend harpsichords. Oda mends clocks.")
    line = await world.file("core", "Mends harpsichords", said)
    await world.file("semantic", "Oda mends clocks", said)
    answer = await world.say("You mend harpsichords. It rains.")
    async with world.memory.parts.database.transaction(world.user_id) as conn:
        hide = "UPDATE message SET cited = %s, standing = 'hidden' WHERE id = %s"
        await conn.execute(hide, [[said], answer])
    await world.memory.forget(line.id)
    assert scan("harpsichord") == {}
    assert [(m.text, m.standing) for m in await world.memory.messages()] == [
        (f"{GAP} Oda mends clocks.", "current"),
        (f"{GAP} It rains.", "hidden"),
    ]


# ---- the vault ----


async def entry_of(world: World) -> VaultRecord:
    (entry,) = await world.memory.get_all(kinds=["vault"])
    assert isinstance(entry, VaultRecord)
    return entry


async def test_a_vault_entry_stays_while_another_message_names_it(world: World) -> None:
    first = await world.say("The wifi password is Kestrel-77-drum.")
    entry = await entry_of(world)
    second = await world.say("Again: the wifi password is Kestrel-77-drum.")
    forgotten = await world.memory.forget(first)
    assert [trace.id for trace in forgotten.kept] == [entry.id]
    assert await world.memory.reveal(entry.reference) == "Kestrel-77-drum"
    assert [trace.id for trace in (await world.memory.forget(second)).memories] == [entry.id]
    assert await world.memory.get_all(kinds=["vault"]) == []


async def test_a_forgotten_vault_entry_leaves_no_message_that_names_it(world: World, scan: Scan) -> None:
    await world.say("The wifi password is Kestrel-77-drum.")
    entry = await entry_of(world)
    await world.say("Oda mends clocks. The wifi password is Kestrel-77-drum.", conversation="later")
    forgotten = await world.memory.forget(entry.id)
    assert forgotten.messages == 1
    assert await world.texts("later") == [f"Oda mends clocks. {GAP}"]
    assert scan(entry.reference, "wifi") == {}


# ---- all or nothing ----


async def test_an_unknown_id_forgets_nothing(world: World) -> None:
    said = await world.say("I mend harpsichords.")
    with pytest.raises(NotFoundError, match="no memory or message"):
        await world.memory.forget(said, uuid4())
    assert await world.texts() == ["I mend harpsichords."]
    with pytest.raises(InputError, match="nothing to forget"):
        await world.memory.forget()
    with pytest.raises(InputError, match="no id"):
        await world.memory.forget("harpsichords")


async def test_nobody_forgets_what_belongs_to_somebody_else(world: World) -> None:
    said = await world.say("I mend harpsichords.")
    await world.memory.add("Hello", user_id="boris")
    with pytest.raises(NotFoundError):
        await world.memory.forget(said, user_id="boris")
    assert await world.texts() == ["I mend harpsichords."]


async def test_the_audit_tells_what_was_forgotten_by_id_and_number(world: World, owner_url: str) -> None:
    said = await world.say("I mend harpsichords.")
    line = await world.file("core", "Mends harpsichords", said)
    await world.memory.forget(line.id)
    with psycopg.connect(owner_url) as conn:
        rows = conn.execute("SELECT actor, action, record_id, note FROM audit").fetchall()
    assert rows == [("user", "forget", line.id, "memories 1, messages 1, pictures 0, cut 0")]


async def test_proposals_and_copies_in_batches_go_too(world: World, scan: Scan, owner_url: str) -> None:
    added = await world.memory.add("I mend harpsichords. Oda mends clocks.")
    (said,) = added.message_ids
    line = await world.file("core", "Mends harpsichords", said)
    await world.file("semantic", "Oda mends clocks", said)
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute(
            "UPDATE batch SET replies = %s, problems = %s, error = 'harpsichords', changes = %s",
            [
                Jsonb({"meta": "harpsichords"}),
                Jsonb(["harpsichords are no place"]),
                Jsonb([{"id": str(line.id), "kind": "core", "operation": "insert", "summary": line.summary}]),
            ],
        )
        for operation in (
            {"targets": [str(line.id)], "sources": [], "records": []},
            {"targets": [], "sources": [str(said)], "records": [{"summary": "Mends harpsichords"}]},
            {"targets": [], "sources": [str(said)], "records": [{"summary": "Oda mends clocks"}]},
        ):
            conn.execute(
                "INSERT INTO proposal (user_id, id, kind, operation, reason) VALUES (%s, %s, 'core', %s, 'why')",
                [world.user_id, uuid4(), Jsonb(operation)],
            )
        await world.memory.forget(line.id)
        assert scan("harpsichord", str(line.id)) == {str(line.id): ["audit"]}
        assert conn.execute("SELECT count(*) FROM proposal").fetchone() == (1,)
