"""The verbs, as programs call them: with await, without, from several threads, with scopes, and with bad input."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mirix.blocking import Mirix
from mirix.config import Settings
from mirix.errors import (
    ConfigError,
    ConflictError,
    DatabaseUnavailable,
    InputError,
    MirixError,
    NotFoundError,
)
from mirix.memory.record import MemoryKind, new_id
from mirix.models.fake import Reply, ScriptedChatModel, ScriptedRequest
from mirix.system import AsyncMirix
from tests.scripts import (
    META,
    NOON,
    OpenMirix,
    Rows,
    append,
    call,
    echo_script,
    entry,
    event,
    knowledge,
    open_mirix,
    routed,
    rows,
    says,
    scripted,
    semantic_item,
    texts,
)

__all__ = ["open_mirix", "rows"]

LIMIT_S = 30
ECHO = ScriptedChatModel(script=echo_script)


# ---- the verbs ----


async def test_evidence_alone_is_found_and_read_by_no_manager(open_mirix: OpenMirix) -> None:
    model = scripted(routed(semantic=["e1"]), semantic=says(knowledge("Oda", "Repairs harpsichords")))
    memory = await open_mirix(model)
    added = await memory.add("Oda repairs harpsichords in Bergen.", infer=False)
    assert (added.batches[0].state, added.changes, added.usage.model_calls) == ("applied", (), 0)
    assert await memory.flush() == 0
    found = await memory.search("harpsichords")
    assert [hit.id for hit in found.hits] == list(added.message_ids)


async def test_a_memory_goes_through_all_its_verbs(open_mirix: OpenMirix) -> None:
    model = scripted(routed(semantic=["e1"]), semantic=says(knowledge("Oda", "Repairs harpsichords")))
    memory = await open_mirix(model)
    added = await memory.add("Oda repairs harpsichords.", at=NOON)
    [change] = added.changes
    assert (await memory.get(change.id)).summary == "Repairs harpsichords"
    assert (await memory.get(str(change.id))).id == change.id
    assert [record.id for record in await memory.get_all(kinds=["semantic"])] == [change.id]
    assert change.id in {hit.id for hit in (await memory.search("harpsichords")).hits}
    assert [message.id for message in await memory.sources(change.id)] == list(added.message_ids)
    updated = await memory.update(change.id, summary="Tunes harpsichords", tags=["music"], version=1)
    assert (updated.version, updated.tags) == (2, ["music"])
    assert [record.id for record in await memory.get_all(tags=["music"])] == [change.id]
    assert len(await memory.delete(change.id)) == 1 and await memory.get_all() == []
    assert [record.status for record in await memory.undo(change.id)] == ["active"]
    history = await memory.history(change.id)
    assert [(one.operation, one.actor, one.is_undone) for one in history] == [
        ("insert", "semantic_memory_manager", False),
        ("update", "user", False),
        ("delete", "user", True),
        ("undo", "user", False),
    ]
    status = await memory.status()
    assert (status.user, status.messages, status.waiting, status.failed) == ("anna", 1, 0, 0)
    assert status.memories == {kind: int(kind is MemoryKind.SEMANTIC) for kind in MemoryKind}
    assert (status.embedding_model, status.recogniser, status.database) == ("hash", None, "MIRIX_DATABASE_URL")


async def test_a_question_is_answered_with_citations_and_values_only_when_asked_for(open_mirix: OpenMirix) -> None:
    def script(request: ScriptedRequest) -> Reply:
        if META in request.tools:
            return routed()
        if "set_topics" in request.tools:
            return says(call("set_topics", topics=["wifi password"]))
        reference = request.text.split("{{vault:")[-1].split("}}")[0]
        return f"It is {{{{vault:{reference}}}}} [1]."

    memory = await open_mirix(ScriptedChatModel(script=script))
    await memory.add("The wifi password is Plover-Crank-4172.")
    sealed = await memory.ask("What is the wifi password?")
    assert "{{vault:" in sealed.text and sealed.citations
    assert (await memory.ask("What is the wifi password?", reveal=True)).text.startswith("It is Plover-Crank-4172")


async def test_agents_and_runs_are_kept_apart_and_seen_together_without_a_name(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ECHO)
    await memory.add("The helper repairs harpsichords.", agent_id="helper", run_id="r1")
    await memory.add("The guide repairs harpsichords.", agent_id="guide")
    scopes: list[tuple[dict[str, str], int]] = [
        ({}, 2),
        ({"agent_id": "helper"}, 1),
        ({"agent_id": "helper", "run_id": "r1"}, 1),
        ({"agent_id": "helper", "run_id": "r2"}, 0),
        ({"run_id": "r1"}, 1),
        ({"agent_id": "nobody"}, 0),
    ]
    for scope, count in scopes:
        assert len(await memory.get_all(agent_id=scope.get("agent_id"), run_id=scope.get("run_id"))) == count, scope
        found = await memory.search("harpsichords", agent_id=scope.get("agent_id"), run_id=scope.get("run_id"))
        assert len({hit.id for hit in found.hits if hit.record}) == count, scope


async def test_users_do_not_see_each_other(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ECHO)
    added = await memory.add("Oda repairs harpsichords.")
    await memory.add("Boris plays the cello.", user_id="boris")
    assert await texts(memory, user_id="boris") == ["Boris plays the cello."]
    assert not [hit for hit in (await memory.search("harpsichords", user_id="boris")).hits if "Oda" in str(hit)]
    other: dict[str, Any] = {"user_id": "boris"}
    hidden = added.changes[0].id
    verbs: list[Callable[..., Any]] = [memory.get, memory.delete, memory.undo, memory.history, memory.reveal]
    for verb in verbs:
        with pytest.raises(NotFoundError):
            await verb(hidden, **other)
    with pytest.raises(NotFoundError):
        await memory.update(hidden, summary="mine", **other)


async def test_a_user_is_made_by_the_first_add_only(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ECHO)
    some = new_id()
    reads = [
        memory.search("x", user_id="nobody"),
        memory.ask("x", user_id="nobody"),
        memory.get(some, user_id="nobody"),
        memory.get_all(user_id="nobody"),
        memory.sources(some, user_id="nobody"),
        memory.update(some, user_id="nobody", summary="x"),
        memory.delete(some, user_id="nobody"),
        memory.undo(some, user_id="nobody"),
        memory.history(some, user_id="nobody"),
        memory.reveal("k7q2xx", user_id="nobody"),
        memory.status(user_id="nobody"),
        memory.flush(user_id="nobody"),
        memory.retry_failed(user_id="nobody"),
    ]
    for read in reads:
        with pytest.raises(NotFoundError, match="nobody"):
            await read
    assert await memory.get_all() == [], "the default user is always there"
    await memory.add("Hello.", user_id="nobody")
    assert (await memory.status(user_id="nobody")).messages == 1


async def test_the_zone_of_a_user_is_that_of_the_first_add(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ScriptedChatModel(script=lambda _: routed()))
    await memory.add("Hello.", user_id="chen", timezone="Asia/Shanghai")
    await memory.add("Hello again.", user_id="chen", timezone="Europe/Oslo")
    assert (await memory.status(user_id="chen")).timezone == "Asia/Shanghai"
    assert (await memory.status()).timezone == "Europe/Oslo"


async def test_nothing_is_found_where_there_is_nothing(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ECHO)
    missing = new_id()
    verbs: list[Callable[..., Any]] = [memory.get, memory.delete, memory.undo, memory.history, memory.reveal]
    for verb in verbs:
        with pytest.raises(NotFoundError):
            await verb(missing)
        with pytest.raises((InputError, NotFoundError)):
            await verb("no-id")
        with pytest.raises((InputError, NotFoundError)):
            await verb("x" * 36)
    with pytest.raises(NotFoundError):
        await memory.reveal("{{vault:k7q2xx}}")


async def test_an_update_of_an_old_version_is_a_conflict(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ECHO)
    [change] = (await memory.add("Oda repairs harpsichords.")).changes
    await memory.update(change.id, summary="Tunes them\x00")
    assert (await memory.get(change.id)).summary == "Tunes them"
    with pytest.raises(ConflictError):
        await memory.update(change.id, summary="Builds them", version=1)
    wrong: list[dict[str, Any]] = [{}, {"colour": "red"}, {"trust": 3}, {"summary": 3}, {"value": "x"}]
    for changes in wrong:
        with pytest.raises(InputError):
            await memory.update(change.id, **changes)


async def test_what_held_in_the_past_is_listed_as_of_then(open_mirix: OpenMirix) -> None:
    supersede = call("semantic_memory_supersede", memory="m1", item=semantic_item("Oda", "Tunes organs"))
    model = scripted(
        [routed(semantic=["e1"])] * 2, semantic=[says(knowledge("Oda", "Repairs harpsichords")), says(supersede)]
    )
    memory = await open_mirix(model)
    await memory.add("Oda repairs harpsichords.", at=NOON)
    await memory.add("Oda tunes organs now.", at=NOON.replace(month=9))
    assert await texts(memory) == ["Tunes organs"]
    assert await texts(memory, as_of=NOON.replace(month=7)) == ["Repairs harpsichords"]
    assert await texts(memory, statuses=["superseded"]) == ["Repairs harpsichords"]


# ---- bad input ----

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "exactly one of"),
    "two things": ({"content": "x", "image": b"x"}, "exactly one of"),
    "three things": ({"content": "x", "image": b"x", "file": "x"}, "exactly one of"),
    "an empty text": ({"content": ""}, "empty or blank"),
    "a blank text": ({"content": " \n\t"}, "empty or blank"),
    "only NUL": ({"content": "\x00"}, "empty or blank"),
    "a text beyond measure": ({"content": "x" * 11_000_000}, "1 MB"),
    "no messages": ({"content": []}, "empty"),
    "a number": ({"content": 3}, "not int"),
    "bytes": ({"content": b"x"}, "not bytes"),
    "a list of texts": ({"content": ["x"]}, "message 1 cannot be taken"),
    "an unknown role": ({"content": [{"role": "king", "content": "x"}]}, "message 1 cannot be taken"),
    "a naive time": ({"content": "x", "at": datetime(2026, 1, 1)}, "no time zone"),
    "the year 9999": ({"content": "x", "at": datetime(9999, 1, 1, tzinfo=UTC)}, "not a time of a life"),
    "a naive time of a message": ({"content": {"text": "x", "at": datetime(2026, 1, 1)}}, "no time zone"),
    "an unknown zone": ({"content": "x", "timezone": "Mars/Olympus"}, "unknown time zone"),
    "an unknown source": ({"content": "x", "source": "dream"}, "unknown source"),
    "too much trust": ({"content": "x", "source": "screen", "trust": 3}, "not possible"),
    "no picture": ({"image": b"no picture"}, "picture|image"),
    "a picture that is not there": ({"image": "/no/such/picture.png"}, "picture.png"),
    "a file that is not there": ({"file": "/no/such/file.md"}, "file.md"),
    "a folder": ({"file": "/"}, "/"),
    "an endless conversation": ({"content": "x", "conversation": "c" * 3000}, "conversation is longer"),
    "an endless agent": ({"content": "x", "agent_id": "a" * 3000}, "agent_id is longer"),
    "an endless title": ({"content": "x", "title": "t" * 3000}, "title is longer"),
    "no user": ({"content": "x", "user_id": ""}, "1 to 200"),
    "an endless user": ({"content": "x", "user_id": "u" * 201}, "1 to 200"),
    "a user with NUL": ({"content": "x", "user_id": "u\x00"}, "1 to 200"),
    "a user with a lone surrogate": ({"content": "x", "user_id": "u\ud800"}, "1 to 200"),
}


async def test_bad_input_is_told_and_stores_nothing(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ScriptedChatModel())
    for name, (arguments, words) in BAD.items():
        with pytest.raises(InputError, match=words):
            await memory.add(**arguments)
        assert rows("SELECT count(*) AS n FROM batch") == [{"n": 0}], name


async def test_odd_characters_are_taken_without_harm(open_mirix: OpenMirix, rows: Rows) -> None:
    memory = await open_mirix(ScriptedChatModel(script=lambda _: routed()))
    odd = "Har\x00psi\ud800chord \u202e\ufeff 🎹 👩‍🎨 \x1b[31m"
    await memory.add(odd, title=f"t{odd}", speaker=f"s{odd}", conversation=f"c{odd}", agent_id=f"a{odd}", uri=f"u{odd}")
    await memory.add([{"content": odd, "name": odd, "id": "x\x00"}])
    assert [row["text"] for row in rows("SELECT text FROM message ORDER BY position")] == [
        "Harpsi\ufffdchord \u202e\ufeff 🎹 👩‍🎨 \x1b[31m"
    ] * 2
    assert (await memory.search(odd)).hits


async def test_limits_and_kinds_that_cannot_be_meant_are_told(open_mirix: OpenMirix) -> None:
    memory = await open_mirix(ECHO)
    naive, far = datetime(2026, 1, 1), datetime(9999, 1, 1, tzinfo=UTC)
    lists: list[dict[str, Any]] = [{"limit": 0}, {"limit": -1}, {"offset": -1}, {"kinds": ["dream"]}, {"as_of": naive}]
    for wrong in lists:
        with pytest.raises(InputError):
            await memory.get_all(**wrong)
    searches: list[dict[str, Any]] = [{"limit": 0}, {"kinds": ["dream"]}, {"since": naive}, {"as_of": far}]
    for wrong in searches:
        with pytest.raises(InputError):
            await memory.search("x", **wrong)
    for empty in ("", "  ", "\x00"):
        with pytest.raises(InputError):
            await memory.search(empty)
        with pytest.raises(InputError):
            await memory.ask(empty)


# ---- open and close ----


async def test_a_closed_or_unopened_mirix_says_so_and_closes_twice(settings: Settings, empty: None) -> None:
    memory = AsyncMirix(settings)
    with pytest.raises(MirixError, match="not open"):
        await memory.add("x")
    await memory.open()
    assert await memory.open() is memory
    await memory.close()
    await memory.close()
    with pytest.raises(MirixError, match="not open"):
        await memory.search("x")
    async with memory:
        assert (await memory.status()).messages == 0


async def test_what_is_wrong_is_told_at_once_and_leaves_nothing_running(settings: Settings, tmp_path: Path) -> None:
    before = asyncio.all_tasks()
    wrong: list[tuple[dict[str, Any], type[MirixError]]] = [
        ({"chat_model": "nonsense"}, ConfigError),
        ({"embedding_model": "nonsense"}, ConfigError),
        ({"ocr": "nonsense"}, ConfigError),
        ({"agents_dir": tmp_path / "none"}, ConfigError),
        ({"database_url": SecretStr("host=127.0.0.1 port=1 connect_timeout=1")}, DatabaseUnavailable),
    ]
    for changes, error in wrong:
        with pytest.raises(error):
            await AsyncMirix(settings.model_copy(update=changes)).open()
    assert asyncio.all_tasks() == before


async def test_a_model_that_was_handed_over_is_not_closed(settings: Settings, empty: None) -> None:
    class Client:
        is_closed = False

        async def aclose(self) -> None:
            self.is_closed = True

    class Owned(ScriptedChatModel):
        http_async_client: Any = None

    client = Client()
    async with AsyncMirix(settings, model=Owned(http_async_client=client)) as memory:
        assert (await memory.status()).messages == 0
    assert not client.is_closed


# ---- without await ----


def mirix_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "mirix"]


@pytest.fixture
def open_sync(settings: Settings, empty: None) -> Iterator[Callable[..., Mirix]]:
    opened: list[Mirix] = []

    def open_one(model: ScriptedChatModel = ECHO, **changes: Any) -> Mirix:
        chosen = settings.model_copy(update={"ocr": "none", "user": "anna"} | changes)
        opened.append(Mirix(chosen, model=model))
        return opened[-1]

    yield open_one
    for memory in opened:
        memory.close()
    assert mirix_threads() == []


def test_every_verb_has_a_form_without_await() -> None:
    def verbs(type_: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(type_, inspect.isfunction) if name[0] != "_"}

    own_ways = {"open"}  # the constructor does it
    assert verbs(AsyncMirix) - own_ways == verbs(Mirix)


def test_it_works_in_a_script(open_sync: Callable[..., Mirix]) -> None:
    with open_sync() as memory:
        [change] = memory.add("Oda repairs harpsichords.").changes
        assert memory.get(change.id).summary == "Oda repairs harpsichords."
        assert memory.search("harpsichords").hits
        assert memory.status().messages == 1
        with pytest.raises(InputError):
            memory.add("")
        with pytest.raises(NotFoundError):
            memory.get(new_id())
    assert mirix_threads() == []


async def test_it_works_where_a_loop_is_running(open_sync: Callable[..., Mirix]) -> None:
    """As in a notebook."""
    memory = open_sync()
    assert memory.add("Oda repairs harpsichords.").changes
    assert memory.search("harpsichords").hits
    memory.close()


def test_several_threads_may_use_it(open_sync: Callable[..., Mirix]) -> None:
    memory = open_sync()
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda n: memory.add(f"Fact number {n}."), range(8)))
        assert all(result.changes for result in results)
        found = list(threads.map(lambda n: memory.search(f"fact number {n}"), range(8)))
    assert all(result.hits for result in found)
    assert len(memory.get_all()) == 8


def test_it_closes_twice_and_says_so_afterwards(open_sync: Callable[..., Mirix]) -> None:
    memory = open_sync()
    memory.close()
    memory.close()
    with pytest.raises(MirixError, match="is closed"):
        memory.add("x")


def test_a_call_that_waits_while_another_thread_closes_ends(open_sync: Callable[..., Mirix], rows: Rows) -> None:
    is_asked, may_answer = threading.Event(), threading.Event()

    def script(request: ScriptedRequest) -> Reply:
        is_asked.set()
        may_answer.wait(LIMIT_S)
        return echo_script(request)

    memory = open_sync(ScriptedChatModel(script=script))
    with ThreadPoolExecutor(2) as threads:
        waiting = threads.submit(memory.add, "Oda repairs harpsichords.")
        assert is_asked.wait(LIMIT_S)
        closing = threads.submit(memory.close)
        with pytest.raises(MirixError, match="closed by another thread"):
            waiting.result(LIMIT_S)
        may_answer.set()
        closing.result(LIMIT_S)
    assert rows("SELECT state, attempt FROM batch") == [{"state": "pending", "attempt": 0}]


def test_a_callback_that_calls_back_is_told_instead_of_hanging(open_sync: Callable[..., Mirix]) -> None:
    def script(request: ScriptedRequest) -> Reply:
        return says(call("set_topics", topics=["x"])) if "set_topics" in request.tools else "I don't know."

    memory = open_sync(ScriptedChatModel(script=script))
    told: list[str] = []

    def on_text(text: str) -> None:
        with pytest.raises(MirixError, match="callback"):
            memory.status()
        told.append(text)

    memory.ask("Who repairs harpsichords?", on_text=on_text)
    assert told


@pytest.mark.parametrize("changes", [{"chat_model": "nonsense"}, {"ocr": "nonsense"}, {"keyring": "elsewhere"}])
def test_what_is_wrong_at_the_start_leaves_no_thread(settings: Settings, changes: dict[str, Any]) -> None:
    given = {"database_url": settings.database_url, "data_dir": settings.data_dir, "embedding_model": "hash"}
    with pytest.raises(ConfigError):
        Mirix(**(given | {"keyring": "file"} | changes))
    assert mirix_threads() == []


def test_results_add_up(open_sync: Callable[..., Mirix]) -> None:
    both = says(append("Lives in Bergen", messages=["e1"]))
    model = scripted(
        routed(core=["e1"], episodic=["e1"], vault=["e1"]),
        core=both,
        episodic=says(event("Moved to Bergen")),
        vault=says(entry("phone of the movers", "01632 960 118")),
    )
    result = open_sync(model).add("I moved to Bergen, the movers were on 01632 960 118. My PIN is 8046.")
    assert sorted(change.kind.value for change in result.changes) == ["core", "episodic", "vault", "vault"]
    assert result.usage.model_calls == 4 and result.usage.ms > 0
    assert result.batches[0].routes == {MemoryKind.CORE: 1, MemoryKind.EPISODIC: 1, MemoryKind.VAULT: 1}
