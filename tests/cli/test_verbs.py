"""Every command, once for people and once for programs."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run, RunJson

HOME = "I moved to Bergen last Friday."
SECRET = "The wifi password is Quartz!Pebble77"


def test_add_shows_the_memories_it_made(run: Run) -> None:
    shown = run("add", *HOME.split(), "--at", "2026-11-13T10:00:00+01:00")
    assert "core" in shown.stdout
    assert "2026-11-06" in shown.stdout
    assert "model calls" in shown.stderr


def test_add_seals_secrets_and_shows_their_captions_only(run: Run) -> None:
    shown = run("add", SECRET)
    assert "sealed as {{vault:" in shown.stdout
    assert "Quartz" not in shown.output


def test_add_document_names_routes_and_changes(run_json: RunJson) -> None:
    document = run_json("add", HOME)
    (batch,) = document["batches"]
    assert batch["state"] == "applied"
    assert {change["memory_kind"] for change in batch["changes"]} == set(batch["routes"])
    assert document["usage"]["model_calls"] >= 2


def test_add_of_what_was_added_before_changes_nothing(run: Run, run_json: RunJson) -> None:
    run("add", HOME, "--at", "2026-11-13T10:00:00+01:00")
    assert run_json("add", HOME, "--at", "2026-11-13T10:00:00+01:00")["duplicate"] is True
    assert "nothing changed" in run("add", HOME, "--at", "2026-11-13T10:00:00+01:00").stdout


def test_add_reads_standard_input(run: Run, run_json: RunJson) -> None:
    run("add", "-", stdin="我对花生过敏。\n")
    (hit, *_) = run_json("search", "花生")["results"]
    assert "花生" in hit["text"]


def test_add_takes_files_and_pictures(run_json: RunJson, tmp_path: Path) -> None:
    from PIL import Image

    note = tmp_path / "note.txt"
    note.write_text("The boiler is serviced by Hansen Heating every March.", encoding="utf-8")
    picture = tmp_path / "screen.png"
    Image.new("RGB", (200, 100), "white").save(picture)
    assert run_json("add", "--file", str(note))["batches"]
    assert run_json("add", "--image", str(picture), "--application", "Mail", "--title", "Inbox")["batches"]
    assert run_json("status")["messages"] == 2


def test_add_without_waiting_says_that_the_batch_waits(run_json: RunJson) -> None:
    document = run_json("add", HOME, "--no-wait")
    assert document["batches"][0]["state"] == "pending"
    assert document["batches"][0]["changes"] == []


def test_ask_answers_with_citations_and_the_time_of_their_messages(run: Run, run_json: RunJson) -> None:
    run("add", HOME, "--at", "2026-11-13T10:00:00+01:00", "--speaker", "Anna")
    shown = run("ask", "Where", "do", "I", "live?").stdout
    assert "Bergen" in shown
    assert "\n  [" in shown  # a citation on a line of its own
    assert "Anna, 2026-11-13 10:00" in shown
    document = run_json("ask", "Where do I live?")
    assert document["known"] is True
    assert document["citations"][0]["sources"][0]["speaker"] == "Anna"


def test_ask_reveals_only_when_it_is_told_to(run: Run) -> None:
    run("add", SECRET)
    assert "{{vault:" in run("ask", "What is the wifi password?").stdout
    assert "Quartz!Pebble77" in run("ask", "What is the wifi password?", "--reveal").stdout


def test_search_filters_and_explains(run: Run, run_json: RunJson) -> None:
    run("add", HOME, "--at", "2026-11-13T10:00:00+01:00")
    shown = run("search", "Bergen", "--explain").stdout
    assert "lexical #1" in shown
    kinds = {hit["memory_kind"] for hit in run_json("search", "Bergen", "--kind", "core")["results"]}
    assert kinds == {"core"}
    assert run_json("search", "Bergen", "--until", "2026-10-01", "--kind", "episodic")["results"] == []


def test_chat_remembers_statements_and_answers_questions(run: Run) -> None:
    shown = run("chat", stdin="I live in Bergen.\n/help\nWhere do I live?\n/quit\n")
    assert "new" in shown.stdout
    assert "\n  [" in shown.stdout
    assert "/quit ends" in shown.stderr


def test_chat_prints_one_document_a_line(run: Run) -> None:
    lines = run("chat", "--json", stdin="I live in Bergen.\nWhere do I live?\n").stdout.splitlines()
    first, second = map(json.loads, lines)
    assert first["answer"] is None
    assert "Bergen" in second["answer"]["answer"]


def test_status_counts_memories(run: Run, run_json: RunJson) -> None:
    assert "none yet" in run("status").stdout
    run("add", HOME)
    assert run_json("status", "--retry")["messages"] == 1
    assert "core 1" in run("status").stdout


def test_user_option_keeps_memories_apart(run: Run, run_json: RunJson) -> None:
    run("add", HOME, "--user", "anna")
    assert run_json("memory", "list")["results"] == []
    assert run_json("memory", "list", "--user", "anna")["results"] != []


def test_vault_lists_captions_and_reveals_one_value(run: Run, run_json: RunJson) -> None:
    run("add", SECRET)
    shown = run("vault", "list").stdout
    assert "wifi" in shown
    assert "Quartz" not in shown
    (entry,) = run_json("vault", "list")["results"]
    assert not {"ciphertext", "nonce", "wrapped_key"} & entry.keys()
    assert run("vault", "reveal", entry["reference"]).stdout == "Quartz!Pebble77\n"
    assert run("vault", "reveal", entry["id"][-6:], "--yes").stdout == "Quartz!Pebble77\n"
    assert run_json("vault", "reveal", entry["reference"])["value"] == "Quartz!Pebble77"


def test_memory_list_shows_a_table_or_a_tree_per_type(run: Run) -> None:
    run("add", HOME)
    run("add", "我妈妈住在塔科马,只喝茉莉花茶。")
    table, tree = run("memory", "list").stdout, run("memory", "list", "--tree").stdout
    assert "core 2" in table
    assert "└── " in tree
    assert "塔科马" in table


def test_memory_is_named_by_an_end_or_a_beginning_of_its_id(run: Run, run_json: RunJson) -> None:
    run("add", HOME)
    memory_id = run_json("memory", "list", "--kind", "core")["results"][0]["id"]
    for name in (memory_id, memory_id[-4:], memory_id[-8:-3], memory_id.upper()):
        assert run_json("memory", "show", name)["id"] == memory_id
    assert run_json("memory", "show", memory_id)["sources"][0]["text"] == HOME


def test_abbreviation_that_fits_two_memories_is_refused(run: Run, run_json: RunJson) -> None:
    run("add", HOME)
    run("add", "My sister Liv works at the harbour library.")
    # The first characters tell the time: memories of one minute share them.
    first = run_json("memory", "list")["results"][0]["id"]
    assert "give more of it" in run("memory", "show", first[:4], code=3).stderr


def test_edit_history_and_undo(run: Run, run_json: RunJson) -> None:
    run("add", HOME)
    memory_id = run_json("memory", "list", "--kind", "core")["results"][0]["id"]
    edited = run_json("memory", "edit", memory_id, "--set", "summary=Lives in Bergen", "--set", 'tags=["home"]')
    assert (edited["summary"], edited["tags"]) == ("Lives in Bergen", ["home"])
    assert "→ Lives in Bergen" in run("memory", "history", memory_id).stdout
    assert [entry["operation"] for entry in run_json("memory", "history", memory_id)["results"]] == ["insert", "update"]
    assert "Undone" in run("memory", "undo", memory_id).stdout
    assert run_json("memory", "show", memory_id)["summary"] != "Lives in Bergen"
    assert "trust" in run("memory", "show", memory_id).stdout
    assert "Corrected" in run("memory", "edit", memory_id, "--set", "pinned=true").stdout
    assert run_json("memory", "undo", memory_id)["results"]


def test_delete_archives_and_undo_brings_back(run: Run, run_json: RunJson) -> None:
    run("add", HOME)
    memory_id = run_json("memory", "list", "--kind", "core")["results"][0]["id"]
    assert "now archived" in run("memory", "delete", memory_id).stdout
    assert memory_id not in {found["id"] for found in run_json("memory", "list")["results"]}
    assert memory_id in {found["id"] for found in run_json("memory", "list", "--all")["results"]}
    run("memory", "undo", memory_id)
    assert run_json("memory", "delete", memory_id)["results"]
