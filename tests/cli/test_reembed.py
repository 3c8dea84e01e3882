"""`mirix reembed` at the terminal, and the lines elsewhere that say to run it."""

from __future__ import annotations

from tests.cli.conftest import Run, RunJson

NOTHING = {"model": "hash", "messages": 0, "windows": 0, "memories": 0, "skipped": 0, "left": 0}


def test_what_was_added_without_an_embedder_is_embedded_later(
    run: Run, run_json: RunJson, environment: dict[str, str | None]
) -> None:
    environment["MIRIX_EMBEDDING_MODEL"] = "none"
    run("add", "I moved to Bergen last Friday.")
    assert run_json("status")["lacking_vectors"] == 0, "without an embedder nothing is missing"
    environment["MIRIX_EMBEDDING_MODEL"] = "hash"
    lacking = run_json("status")["lacking_vectors"]
    assert lacking > 1
    assert f"hash, {lacking} messages and memories without its vectors: mirix reembed" in run("status").stdout
    assert "run `mirix reembed`" in run("search", "Bergen").stderr
    told = run("reembed").stdout
    assert told.startswith("1 message and ") and told.endswith(" embedded by hash.\n")
    assert "Nothing to do" in run("reembed").stdout
    assert run_json("reembed") == NOTHING
    assert run_json("status")["lacking_vectors"] == 0
    assert "reembed" not in run("status").stdout + run("search", "Bergen").stderr


def test_another_language_is_told(run: Run, environment: dict[str, str | None]) -> None:
    environment["MIRIX_EMBEDDING_MODEL"] = "none"
    run("add", "我住在港口附近。")
    environment["MIRIX_EMBEDDING_MODEL"] = "minilm"
    assert "in a language that minilm does not read" in run("reembed").stderr


def test_without_an_embedder_it_says_what_to_do(run: Run) -> None:
    told = run("reembed", "--embedding-model", "none", code=2).stderr
    assert told.count("\n") == 1 and "MIRIX_EMBEDDING_MODEL" in told and "mirix doctor --fix" in told


def test_an_unknown_or_missing_embedder_says_what_to_do(run: Run) -> None:
    assert "choose" in run("reembed", "--embedding-model", "word2vec", code=2).stderr
    assert "pip install fastembed" in run("reembed", "--embedding-model", "fastembed:any", code=2).stderr
