from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from psycopg import AsyncConnection

from mirix.db.pool import Database, User
from mirix.memory.core import CoreRecord
from mirix.memory.episodic import EpisodicRecord
from mirix.memory.indexing import Indexer
from mirix.memory.procedural import ProceduralRecord
from mirix.memory.record import MemoryKind, Record
from mirix.memory.resource import ResourceRecord
from mirix.memory.semantic import SemanticRecord
from mirix.models.embed import HashEmbedder, Vectors
from mirix.retrieval.active import Filters, Retriever, SearchResult
from mirix.retrieval.fusion import Arm
from mirix.retrieval.hits import evidence_ranking
from tests.retrieval.conftest import START, Notebook

LATER = START + timedelta(days=30)


def texts(result: SearchResult) -> list[str]:
    return [hit.text for hit in result.hits]


async def test_search_finds_messages_and_memories_in_english_and_chinese(
    notebook: Notebook, retriever: Retriever
) -> None:
    said = await notebook.say("The kiln in the back room cracked again.")
    await notebook.say("Lunch was soup.")
    await notebook.say("后院的窑又裂了。", speaker="安娜")
    kept = await notebook.keep(SemanticRecord, name="Kiln", summary="A gas kiln bought second-hand in Drammen")
    english = await retriever.search(notebook.user, "What happened to the kiln?")
    assert {hit.id for hit in english.hits[:2]} == {said.id, kept.id}
    chinese = await retriever.search(notebook.user, "窑怎么了?")
    assert chinese.hits[0].text == "后院的窑又裂了。"
    assert chinese.hits[0].kind is None


async def test_search_ignores_other_users(notebook: Notebook, retriever: Retriever, database: Database) -> None:
    await notebook.say("The kiln cracked.")
    await notebook.keep(SemanticRecord, name="Kiln", summary="A gas kiln")
    stranger = await database.ensure_user("stranger", "UTC")
    assert (await retriever.search(stranger, "kiln")).hits == ()


async def test_a_search_for_nothing_finds_nothing(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("The kiln cracked.")
    assert (await retriever.search(notebook.user, "  ")).hits == ()
    assert (await retriever.search(notebook.user, "kiln", limit=0)).hits == ()


async def test_hidden_deleted_quarantined_and_expired_things_are_not_found(
    notebook: Notebook, retriever: Retriever
) -> None:
    await notebook.say("kiln kept hidden", standing="hidden")
    gone = await notebook.keep(SemanticRecord, name="Kiln", summary="kiln deleted")
    await notebook.delete(gone)
    await notebook.keep(SemanticRecord, name="Kiln", summary="kiln quarantined", status="quarantined")
    await notebook.keep(SemanticRecord, name="Kiln", summary="kiln expired", expires_at=START)
    await notebook.keep(SemanticRecord, name="Kiln", summary="kiln there", expires_at=datetime(2100, 1, 1, tzinfo=UTC))
    for filters in (Filters(), Filters(include_superseded=True), Filters(as_of=LATER)):
        found = await retriever.search(notebook.user, "kiln", filters=filters)
        assert texts(found) == ["kiln there"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(kinds=frozenset([MemoryKind.EPISODIC]), messages=False), {"kiln fired"}),
        (Filters(kinds=frozenset()), {"kiln said today", "kiln on the screen"}),
        (Filters(kinds=frozenset(), messages=False), set()),
        (Filters(messages=False), {"kiln fired", "kiln known"}),
        (Filters(tags=("pottery",)), {"kiln known"}),
        (Filters(source_kinds=frozenset(["screen"])), {"kiln on the screen"}),
        (Filters(application="MAIL"), {"kiln on the screen", "kiln known"}),
        (Filters(since=LATER), {"kiln said today", "kiln known"}),
        (Filters(until=START + timedelta(days=1)), {"kiln on the screen"}),
        (Filters(since=START + timedelta(days=5), until=LATER), {"kiln fired"}),
    ],
)
async def test_filters_say_what_may_be_found(
    notebook: Notebook, retriever: Retriever, filters: Filters, expected: set[str]
) -> None:
    seen = await notebook.say("kiln on the screen", source_kind="screen", application="Mail", at=START)
    await notebook.say("kiln said today", at=LATER)
    await notebook.keep(EpisodicRecord, summary="kiln fired", occurred_at=START + timedelta(days=9))
    await notebook.keep(
        SemanticRecord, seen, name="x", summary="kiln known", tags=["pottery", "home"], valid_from=LATER
    )
    assert set(texts(await retriever.search(notebook.user, "kiln", filters=filters))) == expected


async def test_scopes_hide_what_belongs_to_other_agents_and_runs(notebook: Notebook, retriever: Retriever) -> None:
    for agent, visibility in (("a", "private"), ("b", "private"), ("b", "shared"), (None, "private")):
        await notebook.say(f"kiln said {agent} {visibility}", agent_id=agent, visibility=visibility)
        await notebook.keep(
            SemanticRecord, name="x", summary=f"kiln known {agent} {visibility}", agent_id=agent, visibility=visibility
        )
    found = await retriever.search(notebook.user, "kiln", filters=Filters(agent_id="a"), limit=20)
    assert {text.split(" ", 2)[2] for text in texts(found)} == {"a private", "b shared"}
    assert len(found.hits) == 4
    assert len((await retriever.search(notebook.user, "kiln", limit=20)).hits) == 8
    assert len((await retriever.search(notebook.user, "kiln", filters=Filters(run_id="r"), limit=20)).hits) == 2


async def moved(notebook: Notebook) -> tuple[Record, Record]:
    """Somebody who moved house, with the messages that told so."""
    first = await notebook.say("I live in Drammen, above the bakery.", at=START)
    old = await notebook.keep(SemanticRecord, first, name="home", summary="lives in Drammen above the bakery")
    second = await notebook.say("We moved, I live in Bergen now.", at=LATER)
    new = await notebook.supersede(old, second, summary="lives in Bergen", valid_from=LATER)
    return old, new


async def test_the_current_value_comes_before_the_outdated_evidence(notebook: Notebook, retriever: Retriever) -> None:
    old, new = await moved(notebook)
    found = await retriever.search(notebook.user, "Who lives in Drammen above the bakery?")
    assert old.id not in {hit.id for hit in found.hits}
    place = {hit.text: number for number, hit in enumerate(found.hits)}
    assert place["lives in Bergen"] < place["I live in Drammen, above the bakery."]
    outdated = found.hits[place["I live in Drammen, above the bakery."]]
    assert outdated.outdated
    assert outdated.superseded_by == new.id


async def test_past_values_are_found_on_demand_behind_the_current_one(notebook: Notebook, retriever: Retriever) -> None:
    old, new = await moved(notebook)
    newest = await notebook.supersede(new, summary="lives in Voss", valid_from=LATER + timedelta(days=30))
    filters = Filters(messages=False, include_superseded=True)
    found = await retriever.search(notebook.user, "lives in Drammen", filters=filters)
    assert found.hits[0].id == newest.id
    assert [(hit.outdated, hit.superseded_by) for hit in found.hits[1:]] == [(True, newest.id), (True, newest.id)]
    assert old.id in {hit.id for hit in found.hits}


async def test_as_of_tells_what_held_then_by_what_was_said_until_then(notebook: Notebook, retriever: Retriever) -> None:
    old, new = await moved(notebook)
    before = await retriever.search(notebook.user, "Where do I live?", filters=Filters(as_of=LATER - timedelta(days=1)))
    assert {hit.id for hit in before.hits if hit.record} == {old.id}
    assert not any(hit.outdated for hit in before.hits)
    assert "We moved, I live in Bergen now." not in texts(before)
    after = await retriever.search(notebook.user, "Where do I live?", filters=Filters(as_of=LATER + timedelta(days=1)))
    assert {hit.id for hit in after.hits if hit.record} == {new.id}
    assert [hit.text for hit in after.hits if hit.outdated] == ["I live in Drammen, above the bakery."]


async def test_dates_in_the_question_find_what_was_said_or_happened_then(
    notebook: Notebook, retriever: Retriever
) -> None:
    await notebook.say("Bought eggs.", at=datetime(2026, 5, 4, 9, tzinfo=UTC))
    await notebook.say("The exam is on 12 June.", at=datetime(2026, 5, 2, 9, tzinfo=UTC))
    await notebook.keep(
        EpisodicRecord, summary="Choir in the old church", occurred_at=datetime(2026, 5, 13, 18, tzinfo=UTC)
    )
    asked = datetime(2026, 5, 14, 9, tzinfo=UTC)
    for question, expected in (
        ("What happened yesterday?", "Choir in the old church"),
        ("昨天发生了什么?", "Choir in the old church"),
        ("Anything on 12 June 2026?", "The exam is on 12 June."),
        ("What did I do on 4 May 2026?", "Bought eggs."),
    ):
        found = await retriever.search(notebook.user, question, asked_at=asked, explain=True)
        assert found.hits[0].text == expected
        assert Arm.TEMPORAL in found.hits[0].arms


async def test_links_bring_in_the_neighbour_of_a_memory(notebook: Notebook, retriever: Retriever) -> None:
    atlas = await notebook.keep(SemanticRecord, name="Atlas", summary="project Atlas")
    owner = await notebook.keep(SemanticRecord, name="Ines", summary="plays squash on Mondays")
    await notebook.run(
        "INSERT INTO memory_link SELECT a.user_id, a.doc, b.doc, 'related' FROM document a, document b"
        " WHERE a.user_id = %(user_id)s AND b.user_id = a.user_id AND a.record_id = %(a)s AND b.record_id = %(b)s",
        {"a": owner.id, "b": atlas.id},
    )
    without_vectors = Retriever(notebook.database, Indexer(None, lambda user_id, text: b""))
    found = await without_vectors.search(notebook.user, "Atlas", explain=True)
    assert [hit.id for hit in found.hits] == [atlas.id, owner.id]


async def test_a_memory_stands_for_its_messages(notebook: Notebook, retriever: Retriever) -> None:
    said = await notebook.say("Ottilie is allergic to walnuts.")
    more = await notebook.say("Remember, Ottilie must not get walnuts, or she has to go to hospital at once!")
    kept = await notebook.keep(SemanticRecord, said, more, name="Ottilie", summary="Ottilie is allergic to walnuts")
    found = await retriever.search(notebook.user, "What is Ottilie allergic to?")
    assert [hit.id for hit in found.hits] == [kept.id, more.id]  # the first says nothing beyond the memory
    assert evidence_ranking(found.hits) == [said.id, more.id]


async def test_copies_are_shown_once(notebook: Notebook, retriever: Retriever) -> None:
    said = [await notebook.say("The boiler man comes on Thursdays at nine") for _ in range(4)]
    other = await notebook.say("The boiler is old")
    found = await retriever.search(notebook.user, "When does the boiler man come?")
    assert len(found.hits) == 2
    assert found.hits[1].id == other.id
    assert set(found.hits[0].source_ids) == {message.id for message in said}


async def test_messages_come_with_those_beside_them(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("Good night", at=START - timedelta(days=1))
    await notebook.say("Which glaze was it?", at=START)
    await notebook.say("Celadon, from the tall jar", at=START + timedelta(minutes=1))
    await notebook.say("Thanks", at=START + timedelta(minutes=2))
    found = await retriever.search(notebook.user, "celadon jar", limit=1)
    assert [message.text for message in found.hits[0].neighbours] == ["Which glaze was it?", "Thanks"]
    first = await retriever.search(notebook.user, "which glaze", limit=1)
    assert [message.text for message in first.hits[0].neighbours] == ["Celadon, from the tall jar"]  # not last night


async def test_who_is_asked_about_is_who_said_it(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("I love sailing in the fjord", speaker="Anna")
    await notebook.say("I love sailing in the fjord too", speaker="Bjarne")
    assert (await retriever.search(notebook.user, "What does Bjarne love?")).hits[0].message.speaker == "Bjarne"  # type: ignore[union-attr]
    assert (await retriever.search(notebook.user, "What does Anna love?")).hits[0].message.speaker == "Anna"  # type: ignore[union-attr]


async def test_without_an_embedder_search_is_lexical(notebook: Notebook) -> None:
    await notebook.say("The kiln cracked.")
    lexical = Retriever(notebook.database, Indexer(None, lambda user_id, text: b""))
    found = await lexical.search(notebook.user, "kiln", explain=True)
    assert set(found.hits[0].arms) == {Arm.LEXICAL}


async def test_vectors_of_another_embedder_are_left_alone(notebook: Notebook, retriever: Retriever, user: User) -> None:
    await notebook.say("The kiln cracked.")
    await notebook.run(
        "UPDATE message SET embedding = '[1,0]'::halfvec, embedding_model = 'other' WHERE user_id = %(user_id)s", {}
    )
    found = await retriever.search(user, "kiln", explain=True)
    assert set(found.hits[0].arms) == {Arm.LEXICAL}


async def test_a_deadline_drops_arms_and_names_them_but_words_always_find(
    notebook: Notebook, retriever: Retriever
) -> None:
    await notebook.say("The kiln cracked on 3 March 2026.")
    for _ in range(3):
        hurried = await retriever.search(notebook.user, "kiln on 3 March 2026", deadline_ms=0)
        assert {Arm.DENSE, Arm.TEMPORAL} <= set(hurried.dropped_arms)
        assert texts(hurried) == ["The kiln cracked on 3 March 2026."]
    calm = await retriever.search(notebook.user, "kiln on 3 March 2026", deadline_ms=20_000)
    assert calm.dropped_arms == ()
    assert len(calm.hits) == 1


async def test_one_slow_ranking_costs_later_searches_no_arm(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("The kiln cracked on 3 March 2026.")
    retriever.pace.note(notebook.user.user_id, "rank", 60_000)
    found = await retriever.search(notebook.user, "kiln on 3 March 2026", deadline_ms=20_000)
    assert found.dropped_arms == ()
    assert len(found.hits) == 1


class _HangingEmbedder(HashEmbedder):
    """Answers when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = Event()
        self.asked = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += 1
        self.let_go.wait(10)
        return super().embed(texts)


async def test_an_embedder_that_took_too_long_is_not_waited_for_in_the_next_search(notebook: Notebook) -> None:
    await notebook.say("The kiln cracked.")
    embedder = _HangingEmbedder()
    hurried = Retriever(notebook.database, Indexer(embedder, lambda user_id, text: b""))
    for _ in range(3):
        found = await hurried.search(notebook.user, "kiln", deadline_ms=100)
        assert texts(found) == ["The kiln cracked."]
        assert Arm.DENSE in found.dropped_arms
    assert embedder.asked == 1
    embedder.let_go.set()
    assert (await hurried.search(notebook.user, "kiln")).dropped_arms == ()


async def test_an_arm_that_hangs_is_cancelled_and_the_rest_still_finds(
    notebook: Notebook, retriever: Retriever, owner_url: str
) -> None:
    await notebook.say("The kiln cracked.")
    async with await AsyncConnection.connect(owner_url) as other:
        await other.execute("LOCK TABLE posting IN ACCESS EXCLUSIVE MODE")  # whoever reads it waits
        for _ in range(3):
            found = await retriever.search(notebook.user, "kiln", deadline_ms=1_000)
            assert found.dropped_arms == (Arm.LEXICAL,)
            assert [hit.text for hit in found.hits] == ["The kiln cracked."]
            assert found.ms < 1_000
        await other.rollback()
    found = await retriever.search(notebook.user, "kiln")
    assert found.dropped_arms == ()


async def test_explain_tells_rank_and_score_of_every_arm(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("The kiln cracked.")
    await notebook.say("The kiln and the other kiln are cold.")
    found = await retriever.search(notebook.user, "kiln", explain=True)
    assert {hit.arms[Arm.LEXICAL].rank for hit in found.hits} == {1, 2}
    assert all(0 < hit.score <= 1 for hit in found.hits)
    assert not (await retriever.search(notebook.user, "kiln")).hits[0].arms


@pytest.mark.parametrize(
    ("record_type", "given"),
    [
        (CoreRecord, {"label": "human", "summary": "fires a kiln"}),
        (EpisodicRecord, {"summary": "kiln fired", "occurred_at": START}),
        (SemanticRecord, {"name": "kiln", "summary": "a kiln"}),
        (ProceduralRecord, {"summary": "how to fire the kiln", "steps": ["load", "heat"]}),
        (ResourceRecord, {"title": "kiln manual", "summary": "manual", "content": "Read this first."}),
    ],
)
async def test_every_memory_is_searched(
    notebook: Notebook, retriever: Retriever, record_type: type[Record], given: dict[str, Any]
) -> None:
    kept = await notebook.keep(record_type, **given)
    [hit] = (await retriever.search(notebook.user, "kiln")).hits
    assert (hit.id, type(hit.record)) == (kept.id, record_type)
    assert hit.kind is record_type.memory_kind


async def test_core_lines_come_block_by_block(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.keep(CoreRecord, label="persona", summary="answers briefly")
    await notebook.keep(CoreRecord, label="human", summary="second", position=2)
    await notebook.keep(CoreRecord, label="human", summary="first", position=1)
    await notebook.keep(CoreRecord, label="human", summary="secret of another agent", agent_id="b")
    lines = await retriever.core_lines(notebook.user, Filters(agent_id="a"))
    assert lines == []
    everything = await retriever.core_lines(notebook.user)
    assert [line for _, line in everything if not line.startswith("secret")] == ["first", "second", "answers briefly"]


@pytest.mark.parametrize(
    "hostile", ["'); DROP TABLE message; -- %(user_id)s {table}", "kiln \x00 \ud800 ￼", "kiln " * 50_000]
)
async def test_hostile_queries_are_only_words(notebook: Notebook, retriever: Retriever, hostile: str) -> None:
    await notebook.say("The kiln cracked.")
    await retriever.search(notebook.user, hostile)
    assert len((await retriever.search(notebook.user, "kiln")).hits) == 1


# ---- what a turn needs, unasked ----


async def test_a_turn_recalls_what_shares_no_word_with_it(notebook: Notebook, retriever: Retriever) -> None:
    allergy = await notebook.say("Nuts and I don't mix: an allergy, my throat swells.")
    for text in ("The tiles arrived.", "We rehearsed the second act.", "Rain all day.", "Paid the printer."):
        await notebook.say(text)
    found = await retriever.recall(notebook.user, "Pick me something from the menu.")
    assert allergy.id in evidence_ranking(found.hits)
    chinese = await notebook.say("腰果不能吃,一吃就过敏。", speaker="安娜")
    found = await retriever.recall(notebook.user, "帮我点个外卖。")
    assert found.hits[0].id == chinese.id


@pytest.mark.parametrize("turn", ["Good morning!", "Why do cats like boxes?", "猫为什么爱钻箱子?", "谢谢!"])
async def test_a_turn_that_needs_nothing_recalls_nothing(notebook: Notebook, retriever: Retriever, turn: str) -> None:
    await notebook.say("My cat sleeps in a box every morning. 猫爱箱子。")
    assert (await retriever.recall(notebook.user, turn)).hits == ()


async def test_a_person_the_memory_knows_makes_a_question_personal(notebook: Notebook, retriever: Retriever) -> None:
    turn = "Does Henrike like boxes?"
    said = await notebook.say("Henrike hates boxes.")
    assert (await retriever.recall(notebook.user, turn)).hits == ()
    await notebook.keep(SemanticRecord, said, name="Henrike Moen", kind="person", summary="a potter")
    assert (await retriever.recall(notebook.user, turn)).hits


async def test_every_recalled_hit_brings_evidence_of_its_own(notebook: Notebook, retriever: Retriever) -> None:
    said = [await notebook.say(f"I bake bread number {n} with rye.") for n in range(4)]
    for message in said:
        await notebook.keep(EpisodicRecord, message, summary=message.text, occurred_at=message.at)
    hits = (await retriever.recall(notebook.user, "I will bake rye bread.", limit=3)).hits
    assert len({source for hit in hits for source in hit.source_ids}) >= len(hits) == 3


async def test_what_is_outdated_is_recalled_only_behind_what_took_its_place(
    notebook: Notebook, retriever: Retriever
) -> None:
    old = await notebook.say("My usual: black filter coffee, large.")
    new = await notebook.say("I switched from black filter coffee to peppermint.", at=LATER)
    hits = (await retriever.recall(notebook.user, "I fancy a filter coffee from the café.", asked_at=LATER)).hits
    assert [hit.id for hit in hits] == [new.id, old.id]
    assert [hit.outdated for hit in hits] == [False, True]


async def test_dates_of_a_turn_count_from_when_it_is_said(notebook: Notebook, retriever: Retriever) -> None:
    await notebook.say("Choir every Wednesday.", at=START)
    match = await notebook.say("The surveyor comes on 12 March 2026.", at=START)
    found = await retriever.recall(notebook.user, "I might sleep in next Thursday.", asked_at=START, limit=1)
    assert found.hits[0].id == match.id


async def test_a_naming_beside_a_hit_comes_right_behind_it(notebook: Notebook, retriever: Retriever) -> None:
    bought = await notebook.say("Bought an old boat at the harbour.")
    await notebook.say("Lovely.", speaker="Assistant", role="assistant")
    named = await notebook.say("It's called Wren from now on.")
    for n in range(12):
        await notebook.say(f"The boat yard sent bill {n}.", conversation=f"mail {n}")
    found = await retriever.search(notebook.user, "What is the name of the old boat from the harbour?")
    assert [hit.id for hit in found.hits[:2]] == [bought.id, named.id]
    hidden = await retriever.search(
        notebook.user, "What is the name of the old boat from the harbour?", filters=Filters(until=named.at)
    )
    assert named.id not in [hit.id for hit in hidden.hits]
