"""Vectors that come later: after an add with a remote embedder, after one without any, with another than before.

Nothing is lost or held up by an embedder that is away, and nothing that somebody writes meanwhile is overwritten.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psycopg
import pytest

from mirix.db.pool import User
from mirix.errors import ConfigError, ModelError, ModelUnavailable
from mirix.ingest.inputs import Origin, from_messages
from mirix.jobs.reembed import PORTION, PORTION_CHARACTERS, Reembedder
from mirix.memory.indexing import Indexer, Vector
from mirix.memory.record import Scope
from mirix.models.embed import Embedder, HashEmbedder, Vectors, is_mostly_latin
from mirix.models.fake import ScriptedChatModel
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest, hash_vector
from mirix.retrieval.fusion import Arm
from mirix.system import AsyncMirix
from tests.jobs.test_worker import until
from tests.scripts import NOON, OpenMirix, Rows, echo_script, texts

# Found by the parts of its words that it shares with them, which the words as such do not have in common.
FACT, NEARLY = "Oda repairs harpsichords.", "harpsichordist"
ECHO = ScriptedChatModel(script=echo_script)
CORRECTION = (
    "UPDATE semantic_memory SET name = 'Oda', summary = 'Tunes organs.', details = '', version = version + 1,"
    " embedding = NULL, embedding_model = NULL"
)
VECTORS = (
    "SELECT text, embedding_model AS model, embedding::text AS own, window_embedding::text AS around FROM message"
    " WHERE user_id = %s ORDER BY position"
)


async def say(memory: AsyncMirix, *said: str, name: str = "anna", conversation: str = "chat") -> User:
    """Put messages in that no manager reads."""
    user = await memory.parts.database.ensure_user(name, "Europe/Oslo")
    turns = [{"role": "user", "content": text, "name": ("Anna", "Bjarne")[at % 2]} for at, text in enumerate(said)]
    incoming = from_messages(turns, Origin(timezone="Europe/Oslo"), NOON)
    scope = Scope(user_id=user.user_id)
    await memory.parts.evidence.store(user, scope, incoming, conversation=conversation, infer=False)
    return user


async def arms_of(memory: AsyncMirix, query: str) -> list[set[Arm]]:
    return [set(hit.arms) for hit in (await memory.search(query, explain=True)).hits]


def models(rows: Rows, table: str = "message") -> list[str | None]:
    return [row["embedding_model"] for row in rows(f"SELECT embedding_model FROM {table} ORDER BY id")]  # noqa: S608


def served(request: ServerRequest, dimensions: int = 64) -> ServerReply:
    """What a server answers that has vectors of some width."""
    vectors = [hash_vector(text, dimensions) for text in request.body["input"]]
    data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(vectors)]
    return ServerReply(body=json.dumps({"object": "list", "model": "any", "data": data}).encode())


AWAY = ServerReply(status=500, headers={"retry-after-ms": "1"})


def remote(server: FakeOpenAI) -> dict[str, Any]:
    return {"embedding_model": "openai:any", "embedding_base_url": server.base_url}


class EnglishOnly(HashEmbedder):
    """Reads Latin script only, and does something before it answers."""

    name = "english"

    def __init__(self, before: Callable[[Sequence[str]], None] = lambda texts: None) -> None:
        self._before = before
        self.asked: list[str] = []

    def covers(self, text: str) -> bool:
        return is_mostly_latin(text)

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        self._before(texts)
        return super().embed(texts)


def reembedder(memory: AsyncMirix, embedder: Embedder) -> Reembedder:
    return Reembedder(memory.parts.database, Indexer(embedder, memory.parts.indexer.digest))


def as_vector(written: str) -> Vector:
    return np.array(json.loads(written), dtype=np.float32)


# ---- without an embedder, and later with one ----


async def test_what_came_in_without_an_embedder_is_found_by_meaning_once_it_is_reembedded(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    blind = await open_mirix(ECHO, embedding_model="none")
    await blind.add(FACT)
    assert models(rows) == models(rows, "semantic_memory") == [None]
    memory = await open_mirix(ECHO)
    assert (await memory.status()).lacking_vectors == 2
    assert await arms_of(memory, NEARLY) == []
    assert "2 of 2 messages and memories" in caplog.text and "run `mirix reembed`" in caplog.text
    done = await memory.reembed()
    assert (done.model, done.messages, done.windows, done.memories, done.skipped, done.left) == ("hash", 1, 1, 1, 0, 0)
    assert {Arm.DENSE} <= set.union(*await arms_of(memory, NEARLY))
    assert (await memory.status()).lacking_vectors == 0


async def test_reembedding_again_does_nothing_and_asks_for_nothing(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(embedding_model="none")
    user = await say(memory, FACT, "And clavichords.")
    embedder = EnglishOnly()
    assert (await reembedder(memory, embedder).run(user)).messages == 2
    before, asked = rows("SELECT t::text FROM message AS t"), len(embedder.asked)
    done = await reembedder(memory, embedder).run(user)
    assert (done.messages, done.windows, done.memories) == (0, 0, 0)
    assert rows("SELECT t::text FROM message AS t") == before and len(embedder.asked) == asked


async def test_late_vectors_are_those_that_would_have_been_made_at_once(open_mirix: OpenMirix, rows: Rows) -> None:
    said = ["Bjarne, the kiln cracked.", "Oh no, Anna! Which glaze?", "青瓷,真可惜。", "Order a new one, Bjarne."]
    memory, blind = await open_mirix(), await open_mirix(embedding_model="none")
    at_once, later = await say(memory, *said, name="anna"), await say(blind, *said, name="boris")
    await memory.reembed(user_id="boris")
    made, expected = rows(VECTORS, later.user_id), rows(VECTORS, at_once.user_id)
    assert made == expected
    assert all(row["own"] and row["around"] for row in made)


async def test_progress_is_told_to_the_end(open_mirix: OpenMirix) -> None:
    blind, memory = await open_mirix(embedding_model="none"), await open_mirix()
    await say(blind, *(f"Fact number {n}." for n in range(PORTION + 3)))
    told: list[tuple[int, int]] = []
    await memory.reembed(on_progress=lambda done, total: told.append((done, total)))
    assert told == [(PORTION, PORTION + 3), (PORTION + 3, PORTION + 3)]


async def test_long_texts_make_small_portions(open_mirix: OpenMirix, rows: Rows) -> None:
    """Or a batch would wait for minutes behind them."""
    memory = await open_mirix(embedding_model="none")
    user = await say(memory, *(f"Chapter {n}. " + "clay " * 500 for n in range(12)))
    late = reembedder(memory, EnglishOnly())
    first = PORTION_CHARACTERS // 2_500
    assert await late.catch_up(user) in (first - 1, first)
    made = models(rows)
    assert made == sorted(made, key=str), "the newest first: None sorts before the name"
    left = made.count(None)
    told: list[tuple[int, int]] = []
    done = await late.run(user, tell=lambda done, total: told.append((done, total)))
    assert (done.messages, done.left) == (left, 0) and told[-1] == (left, left)
    assert 0 < left < 12 and set(models(rows)) == {"english"}


async def test_reembedding_without_an_embedder_says_what_to_do(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(embedding_model="none")
    with pytest.raises(ConfigError, match=r"MIRIX_EMBEDDING_MODEL.*mirix doctor --fix"):
        await memory.reembed()


async def test_hidden_messages_get_no_vectors_and_stand_in_no_window(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(embedding_model="none")
    user = await say(memory, "The kiln cracked.", "Forgotten words.", "Order a new one.")
    rows("UPDATE message SET standing = 'hidden' WHERE position = 2")
    embedder = EnglishOnly()
    done = await reembedder(memory, embedder).run(user)
    assert (done.messages, done.left) == (2, 0)
    assert "Forgotten" not in "".join(embedder.asked)
    assert "The kiln cracked.\nOrder a new one." in embedder.asked


# ---- another embedder than before ----


async def test_vectors_of_two_embedders_stand_side_by_side_until_they_are_reembedded(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    first = await open_mirix(ECHO)
    await first.add(FACT)
    with FakeOpenAI() as server:
        second = await open_mirix(ECHO, **remote(server))
        await second.add("Nora tunes organs.")
        assert models(rows) == ["hash", "openai:any"], "those of another embedder are left alone"
        assert {Arm.DENSE} <= (await arms_of(first, "harpsichords"))[0], (
            "the old ones serve those who have the embedder"
        )
        assert {Arm.DENSE} <= (await arms_of(second, "organs"))[0]
        assert Arm.DENSE not in (await arms_of(second, "harpsichords repairs"))[0]
        await say(second, "Third.", "Fourth.")
        assert (await second.status()).lacking_vectors == 4  # two of them because a remote one is not asked at once
        history = rows("SELECT t::text FROM memory_history AS t ORDER BY seq")
        versions = rows("SELECT id, version, updated_at, summary FROM semantic_memory ORDER BY id")
        done = await second.reembed()
        assert (done.messages, done.memories) == (3, 1)
        assert {*models(rows), *models(rows, "semantic_memory")} == {"openai:any"}
        assert {Arm.DENSE} <= (await arms_of(second, "harpsichords"))[0]
    assert rows("SELECT t::text FROM memory_history AS t ORDER BY seq") == history
    assert rows("SELECT id, version, updated_at, summary FROM semantic_memory ORDER BY id") == versions


async def test_a_search_says_once_which_embedder_made_the_vectors_it_cannot_use(
    open_mirix: OpenMirix, caplog: pytest.LogCaptureFixture
) -> None:
    await say(await open_mirix(), FACT, "Nora tunes organs.")
    with FakeOpenAI() as server:
        memory = await open_mirix(**remote(server))
        for _ in range(2):
            await memory.search("organs")
    told = [record.getMessage() for record in caplog.records if "mirix reembed" in record.getMessage()]
    assert len(told) == 1 and "embedded by hash, not by openai:any" in told[0]


async def test_a_few_vectors_that_are_missing_are_not_worth_a_warning(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    memory = await open_mirix()
    await say(memory, FACT, "Nora tunes organs.", "Third.")
    rows("UPDATE message SET embedding = NULL, window_embedding = NULL, embedding_model = NULL WHERE position = 3")
    await memory.search("organs")
    assert "mirix reembed" not in caplog.text


async def test_a_message_beside_one_of_another_embedder_spoils_no_window(open_mirix: OpenMirix, rows: Rows) -> None:
    """The last message before gets a new neighbour; its window must not be of another embedder than its own vector."""
    memory = await open_mirix()
    await say(memory, FACT)
    await say(await open_mirix(embedding_model="minilm"), "Nora tunes organs.")
    assert models(rows) == ["hash", "minilm"]
    assert {Arm.DENSE} <= (await arms_of(memory, "harpsichords"))[0]
    assert rows("SELECT window_embedding FROM message WHERE position = 1") == [{"window_embedding": None}]
    await memory.reembed()
    assert rows("SELECT vector_dims(window_embedding) AS n FROM message") == [{"n": 512}] * 2


async def test_a_server_that_changed_its_dimensions_spoils_no_search_and_is_told(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    with FakeOpenAI() as server:
        await (await open_mirix(ECHO, **remote(server))).add(FACT)
    with FakeOpenAI(embeddings=lambda request: served(request, 32)) as server:
        memory = await open_mirix(ECHO, **remote(server))
        assert len((await memory.search("harpsichords")).hits) > 0
        assert "embedded by openai:any" in caplog.text and "run `mirix reembed`" in caplog.text
        done = await memory.reembed()
        assert (done.messages, done.memories) == (1, 1)
        assert rows("SELECT vector_dims(embedding) AS n, vector_dims(window_embedding) AS w FROM message") == [
            {"n": 32, "w": 32}
        ]
        assert {Arm.DENSE} <= (await arms_of(memory, "harpsichords"))[0]


async def test_a_server_that_changes_its_dimensions_meanwhile_is_told_with_what_to_run(
    open_mirix: OpenMirix, caplog: pytest.LogCaptureFixture
) -> None:
    width = [64]
    with FakeOpenAI(embeddings=lambda request: served(request, width[0])) as server:
        memory = await open_mirix(ECHO, **remote(server))
        await memory.add(FACT)
        width[0] = 32
        assert (await memory.search("harpsichords")).hits, "by its words"
        assert "answered with 32 dimensions, expected 64" in caplog.text and "mirix reembed" in caplog.text
        await say(memory, "Nora tunes organs.")
        with pytest.raises(ModelError, match="start again and run `mirix reembed`"):
            await memory.reembed()


# ---- a remote embedder ----


async def test_a_remote_embedder_is_asked_when_the_evidence_is_safe(open_mirix: OpenMirix, rows: Rows) -> None:
    stored: list[int] = []

    def embeddings(request: ServerRequest) -> ServerReply:
        stored.append(rows("SELECT count(*) AS n FROM message")[0]["n"])
        return served(request)

    with FakeOpenAI(embeddings=embeddings) as server:
        memory = await open_mirix(ECHO, **remote(server))
        await memory.add("The wifi password is otterwharf-88")
        assert stored and stored[0] == 1
        await memory.add(FACT)
        assert models(rows) == ["openai:any"] * 2
        assert models(rows, "knowledge_vault") == ["openai:any"]
        [first, second] = rows("SELECT vector_dims(window_embedding) AS n FROM message ORDER BY position")
        assert first == second == {"n": 64}
        assert "otterwharf" not in "".join(request.raw.decode() for request in server.requests)


async def test_vectors_are_made_where_no_manager_reads_and_where_their_model_fails(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    with FakeOpenAI() as server:
        memory = await open_mirix(ScriptedChatModel(script=lambda request: RuntimeError("no")), **remote(server))
        await memory.add(FACT, infer=False)
        assert models(rows) == ["openai:any"]
        with pytest.raises(RuntimeError):
            await memory.add("Nora tunes organs.")
        assert models(rows) == ["openai:any"] * 2


async def test_an_add_of_many_batches_has_all_its_vectors_when_it_returns(open_mirix: OpenMirix, rows: Rows) -> None:
    turns = [{"role": "user", "content": f"Fact number {n}."} for n in range(3 * PORTION)]
    with FakeOpenAI() as server:
        memory = await open_mirix(ECHO, **remote(server))
        await memory.add(turns)
    assert set(models(rows)) == {"openai:any"}


async def test_the_window_of_the_message_before_gains_its_new_neighbour(open_mirix: OpenMirix, rows: Rows) -> None:
    with FakeOpenAI() as server:
        memory = await open_mirix(ECHO, **remote(server))
        await memory.add("The kiln cracked.")
        await memory.add("Order a new one.")
    [row] = rows("SELECT window_embedding::text AS around FROM message WHERE position = 1")
    expected = np.array(hash_vector("The kiln cracked.\nOrder a new one."), dtype=np.float32)
    expected /= np.linalg.norm(expected)
    assert as_vector(row["around"]) == pytest.approx(expected, abs=1e-3)


async def test_an_embedder_that_is_away_holds_up_and_loses_nothing(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    is_back = threading.Event()
    with FakeOpenAI(embeddings=lambda request: served(request) if is_back.is_set() else AWAY) as server:
        memory = await open_mirix(ECHO, **remote(server))
        result = await memory.add(FACT)
        assert [change.summary for change in result.changes] == [FACT]
        assert models(rows) == models(rows, "semantic_memory") == [None]
        found = await memory.search("harpsichords")
        assert found.hits and found.dropped_arms == (Arm.DENSE,)
        told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        assert len(told) == 1 and "cannot be reached" in told[0] and "mirix reembed" in told[0]
        tried = len(server.requests)
        assert tried <= 3, "it is left alone for a while, not asked at every step"
        is_back.set()
        later = await open_mirix(ECHO, **remote(server))
        await later.add("Nora tunes organs.")
        assert models(rows) == models(rows, "semantic_memory") == ["openai:any"] * 2


async def test_an_edit_while_the_embedder_is_away_takes_the_old_vector_with_it(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    is_away = threading.Event()
    with FakeOpenAI(embeddings=lambda request: AWAY if is_away.is_set() else served(request)) as server:
        memory = await open_mirix(ECHO, **remote(server))
        [change] = (await memory.add(FACT)).changes
        is_away.set()
        await memory.update(change.id, summary="Oda repairs spinets.")
        assert rows("SELECT embedding, embedding_model FROM semantic_memory") == [
            {"embedding": None, "embedding_model": None}
        ]
        is_away.clear()
        assert (await memory.reembed()).memories == 1


async def test_the_worker_makes_all_vectors_that_are_to_come(open_mirix: OpenMirix, rows: Rows) -> None:
    with FakeOpenAI() as server:
        memory = await open_mirix(ECHO, **remote(server))
        await say(memory, *(f"Fact number {n}." for n in range(6 * PORTION)))
        await memory.add(FACT, wait=False)

        async def all_made() -> bool:
            return set(models(rows)) | set(models(rows, "semantic_memory")) == {"openai:any"}

        await until(all_made)


async def test_evidence_that_no_manager_reads_wakes_a_worker_for_its_vectors(open_mirix: OpenMirix, rows: Rows) -> None:
    with FakeOpenAI() as server:
        memory = await open_mirix(ECHO, **remote(server))
        await say(memory, FACT)
        await memory.parts.worker.start()

        async def is_made() -> bool:
            return models(rows) == ["openai:any"]

        await until(is_made)


# ---- interruptions, refusals, languages ----


async def test_a_server_that_goes_away_in_the_middle_is_gone_on_with_from_there(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    await say(await open_mirix(embedding_model="none"), *(f"Fact number {n}." for n in range(3 * PORTION)))
    left = [2]  # one asks for the width, one for the first portion
    lock = threading.Lock()

    def embeddings(request: ServerRequest) -> ServerReply:
        with lock:
            left[0] -= 1
            return served(request) if left[0] >= 0 else AWAY

    with FakeOpenAI(embeddings=embeddings) as server:
        memory = await open_mirix(**remote(server))
        with pytest.raises(ModelUnavailable, match=rf"{PORTION} are done, `mirix reembed` goes on from there"):
            await memory.reembed()
        assert models(rows).count("openai:any") == PORTION
        left[0] = 1_000
        assert (await memory.reembed()).messages == 2 * PORTION
        assert set(models(rows)) == {"openai:any"}
        sent = [text for request in server.requests for text in request.body["input"]]
        assert sent.count(f"Fact number {3 * PORTION - 1}.") == 1, "what was done is not paid for again"


async def test_a_language_that_the_embedder_does_not_read_is_told_and_not_tried_again(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix(embedding_model="none")
    user = await say(memory, FACT, "我上周五搬到了卑尔根。", "我住在港口附近。", conversation="a")
    embedder = EnglishOnly()
    done = await reembedder(memory, embedder).run(user)
    assert (done.messages, done.skipped, done.left) == (1, 2, 0)
    assert models(rows) == ["english"] * 3
    assert await reembedder(memory, embedder).catch_up(user) == 0
    again = await reembedder(memory, embedder).run(user)
    assert (again.messages, again.skipped) == (0, 2)
    assert not any("港口" in text for text in embedder.asked if text != FACT and "Oda" not in text)
    other = await reembedder(memory, HashEmbedder()).run(user)
    assert (other.messages, other.skipped) == (3, 0), "another embedder may read it"


async def test_texts_in_another_language_are_not_left_to_come_when_they_come_in(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    """Or a Chinese user of the default embedder would be told to reembed for ever."""
    memory = await open_mirix(ECHO, embedding_model="minilm")
    await say(memory, "我住在港口附近。")
    assert models(rows) == ["minilm"], "at once"
    await memory.add("我上周五搬到了卑尔根。")
    assert set(models(rows)) == {"minilm"}
    assert models(rows, "semantic_memory") == ["minilm"]
    assert (await memory.status()).lacking_vectors == 0
    assert (await memory.search("卑尔根")).hits
    await memory.search("harbour")
    assert "mirix reembed" not in caplog.text


async def test_a_text_that_the_server_refuses_does_not_hold_up_the_others(
    open_mirix: OpenMirix, rows: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    await say(await open_mirix(embedding_model="none"), FACT, conversation="a")
    await say(await open_mirix(embedding_model="none"), "poison", conversation="b")

    def embeddings(request: ServerRequest) -> ServerReply:
        is_poison = any("poison" in text for text in request.body["input"])
        return ServerReply(status=400, text="bad input") if is_poison else served(request)

    with FakeOpenAI(embeddings=embeddings) as server:
        memory = await open_mirix(**remote(server))
        done = await memory.reembed()
        assert (done.messages, done.skipped, done.left) == (1, 1, 0)
        asked = len(server.requests)
        assert (await memory.reembed()).skipped == 1
        assert len(server.requests) == asked
    assert "refuses some texts" in caplog.text


async def test_a_server_that_refuses_everything_is_an_error_and_marks_nothing(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    await say(await open_mirix(embedding_model="none"), FACT)
    replies = iter([True])  # when it is asked for its width
    refused = ServerReply(status=401, text="no key")
    with FakeOpenAI(embeddings=lambda request: served(request) if next(replies, False) else refused) as server:
        memory = await open_mirix(**remote(server))
        with pytest.raises(ModelError, match="refused the request"):
            await memory.reembed()
    assert models(rows) == [None]


# ---- others at work ----


async def test_an_edit_made_meanwhile_wins_over_the_stale_vector(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ECHO)
    [change] = (await memory.add(FACT)).changes
    calls = iter(["UPDATE message SET text = 'Oda tunes organs.'", CORRECTION])

    def edit(texts: Sequence[str]) -> None:
        if "harpsichords" in "".join(texts):  # the message first, then the memory
            rows(next(calls))

    user = await memory.parts.database.ensure_user("anna", "Europe/Oslo")
    embedder = EnglishOnly(edit)
    done = await reembedder(memory, embedder).run(user)
    assert (done.messages, done.memories, done.left) == (1, 1, 0)
    [record] = rows("SELECT embedding::text AS own, version FROM semantic_memory")
    [message] = rows("SELECT embedding::text AS own, window_embedding::text AS around FROM message")
    corrected = await memory.get(change.id)
    of_record, of_message = HashEmbedder().embed([corrected.embedding_text(), "Oda tunes organs."])
    assert "organs" in corrected.summary and record["version"] == 2
    assert as_vector(record["own"]) == pytest.approx(of_record, abs=1e-3)
    assert as_vector(message["own"]) == pytest.approx(of_message, abs=1e-3)
    assert as_vector(message["around"]) == pytest.approx(of_message, abs=1e-3)


async def test_a_neighbour_that_changed_meanwhile_leaves_no_trace_in_a_window(
    open_mirix: OpenMirix, rows: Rows
) -> None:
    memory = await open_mirix(embedding_model="none")
    user = await say(memory, "The kiln cracked.", "The code is otterwharf.")
    changed = threading.Event()

    def redact(texts: Sequence[str]) -> None:
        if not changed.is_set():
            changed.set()
            rows("UPDATE message SET text = 'The code is gone.' WHERE position = 2")

    assert (await reembedder(memory, EnglishOnly(redact)).run(user)).messages == 2
    [row] = rows("SELECT window_embedding::text AS around FROM message WHERE position = 1")
    [expected] = HashEmbedder().embed(["The kiln cracked.\nThe code is gone."])
    assert as_vector(row["around"]) == pytest.approx(expected, abs=1e-3)


async def test_a_row_that_somebody_holds_is_left_to_them_and_told(
    open_mirix: OpenMirix, rows: Rows, owner_url: str
) -> None:
    memory = await open_mirix(embedding_model="none")
    user = await say(memory, "The kiln cracked.", "Order a new one.")
    with psycopg.connect(owner_url) as other:
        other.execute("UPDATE message SET standing = 'outdated' WHERE position = 1")
        done = await reembedder(memory, HashEmbedder()).run(user)
        assert (done.messages, done.left) == (1, 1)
    assert (await reembedder(memory, HashEmbedder()).run(user)).messages == 1


async def test_others_are_not_reembedded(open_mirix: OpenMirix, rows: Rows) -> None:
    blind, memory = await open_mirix(embedding_model="none"), await open_mirix()
    await say(blind, FACT, name="anna")
    await say(blind, FACT, name="boris")
    assert (await memory.reembed(user_id="boris")).messages == 1
    assert models(rows) == [None, "hash"]
    assert await texts(memory) == []
