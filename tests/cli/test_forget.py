"""The commands that forget, and those on conversations."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mirix.blocking import Mirix
from mirix.config import load_settings
from tests.cli.conftest import Run, RunJson

Say = Callable[[str, str], None]


@pytest.fixture
def say(run: Run, environment: dict[str, str | None]) -> Say:
    """Say something in a conversation, as a program does."""
    given: dict[str, object] = {
        name.removeprefix("MIRIX_").lower(): value
        for name, value in environment.items()
        if value and name.startswith("MIRIX_")
    }

    def add(text: str, conversation: str) -> None:
        with Mirix(load_settings(**given)) as memory:
            memory.add(text, conversation=conversation)

    return add


def test_a_memory_is_forgotten_by_its_id_and_told(run: Run, run_json: RunJson) -> None:
    run("add", "I am allergic to walnuts.")
    (line,) = run_json("memory", "list")["results"]
    shown = run("memory", "forget", line["id"][-8:])
    assert "Forgotten for good: 1 memory, 1 message." in shown.stdout
    assert "walnuts" in shown.stdout
    assert run_json("memory", "list", "--all")["results"] == []
    run("memory", "undo", line["id"], code=4)


def test_a_message_is_forgotten_by_the_id_that_the_conversation_shows(run: Run, run_json: RunJson, say: Say) -> None:
    say("I am allergic to walnuts.", "health")
    said = run_json("conversation", "show", "health")["results"][0]
    short = said["id"].replace("-", "")[-8:]
    assert short in run("conversation", "show", "health").stdout
    told = run_json("memory", "forget", short)
    assert (told["messages"], len(told["memories"]), told["kept"]) == (1, 1, [])
    assert run_json("conversation", "list") == {"results": []}


def test_what_is_not_there_cannot_be_forgotten(run: Run) -> None:
    run("add", "I am allergic to walnuts.")
    assert "nothing has an id like" in run("memory", "forget", "abcdef12", code=4).stderr
    assert "no conversation 'health'" in run("conversation", "forget", "health", code=4).stderr
    assert "no user 'nobody'" in run("forget-user", "nobody", "--yes", code=4).stderr


def test_conversations_are_listed_shown_and_forgotten(run: Run, run_json: RunJson, say: Say) -> None:
    say("I am allergic to walnuts.", "health")
    say("我住在海边。", "家")
    listed = run("conversation", "list").stdout
    assert "health" in listed and "我住在海边。" in listed
    assert "I am allergic to walnuts." in run("conversation", "show", "health").stdout
    assert "1 message" in run("conversation", "forget", "health", "--yes").stdout
    assert [one["name"] for one in run_json("conversation", "list")["results"]] == ["家"]
    run("conversation", "show", "health", code=4)


def test_a_user_is_forgotten_only_by_name_and_with_consent(run: Run, run_json: RunJson) -> None:
    run("add", "I am allergic to walnuts.", "--user", "anna")
    assert "--yes" in run("forget-user", "anna", code=3).stderr
    assert run_json("status", "--user", "anna")["messages"] == 1
    assert "the user 'anna'" in run("forget-user", "anna", "--yes").stdout
