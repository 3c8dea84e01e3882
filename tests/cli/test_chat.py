"""`mirix chat` as people and programs use it: piped, at a terminal, and with its own commands."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Run, RunJson

HOME = "I live at 12 Birch Lane in Bergen."
LIMIT_S = 90
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_each_piped_line_gets_a_reply(run: Run) -> None:
    shown = run("chat", stdin=f"{HOME}\n\nWhere do I live?\nForget everything about Bergen.\nyes\nWhere do I live?\n")
    assert "Noted." in shown.stdout and "new" in shown.stdout
    assert "\n  [" in shown.stdout, "the answer is cited"
    assert "This would go for good" in shown.stdout and "Forgotten for good" in shown.stdout
    assert shown.stdout.rstrip().endswith("I don't know.")
    assert shown.stderr == "", "no prompt, and no words beside the replies"


def test_json_is_one_line_a_turn_with_what_was_done(run: Run) -> None:
    lines = run("chat", "--json", stdin=f"{HOME}\nWhere do I live?\nThat is wrong, it is 14 Birch Lane.\nforget that\n")
    told, answered, corrected, forgotten = map(json.loads, lines.stdout.splitlines())
    assert told["done"]["action"] == "none" and told["added"]["batches"] and told["answer"] is None
    assert "Birch" in answered["reply"] and answered["answer"]["citations"]
    assert "14 Birch Lane" in corrected["done"]["corrections"][0]["after"]
    assert forgotten["done"]["forgotten"]["memories"] and forgotten["added"] is None
    assert {len({document["conversation"] for document in (told, answered, corrected, forgotten)})} == {1}


def test_a_conversation_is_one_a_day_unless_another_is_wanted(run: Run, run_json: RunJson) -> None:
    run("chat", stdin=f"{HOME}\n")
    again = json.loads(run("chat", "--json", stdin="Forget that.\n").stdout)
    assert again["done"]["action"] == "forgotten", "it goes on where the other process ended"
    further = [json.loads(run("chat", "--new", "--json", stdin="Hello\n").stdout)["conversation"] for _ in range(2)]
    named = json.loads(run("chat", "--conversation", "work", "--json", stdin="Hello\n").stdout)["conversation"]
    assert further == [f"{again['conversation']} (2)", f"{again['conversation']} (3)"] and named == "work"
    assert {one["name"] for one in run_json("conversation", "list")["results"]} == {
        again["conversation"],
        *further,
        named,
    }


def test_its_own_commands(run: Run) -> None:
    shown = run("chat", stdin=f"{HOME}\n/conversations\n/memories\n/help\n/dance\n/quit\nnever read\n")
    assert "chat 2" in shown.stdout and "core 1" in shown.stdout
    assert "don't remember this" in shown.stderr and "别记这个" in shown.stderr and "there is no /dance" in shown.stderr


def test_a_turn_that_fails_does_not_end_the_talk(run: Run) -> None:
    shown = run("chat", stdin="\x00\nHello\n")
    assert "warning" in shown.stderr and "Hello." in shown.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_at_a_terminal_the_last_turns_are_shown_when_a_conversation_goes_on(
    run: Run, environment: dict[str, str | None]
) -> None:
    run("chat", "--conversation", "home", stdin=f"{HOME}\n")
    screen = at_terminal(environment, ["chat", "--conversation", "home"], "Where do I live?\r", "/quit\r")
    assert "Going on with: home" in screen and "you  I live at 12 Birch Lane" in screen and "mirix  Noted." in screen
    assert "/help" in screen and re.search(r"\[\d+\] .*I live at 12 Birch Lane", screen), "the answer is cited"


def at_terminal(environment: dict[str, str | None], arguments: list[str], *typed: str) -> str:
    """What stands on the screen of somebody who types."""
    settings = {name: value for name, value in environment.items() if value is not None}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MIRIX_")}
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mirix.cli", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=kept | settings | {"TERM": "xterm", "COLUMNS": "100"},
        close_fds=True,
    )
    os.close(theirs)
    screen, waiting, deadline = "", list(typed), time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        ready, _, _ = select.select([ours], [], [], 1)
        try:
            screen += os.read(ours, 65536).decode(errors="replace") if ready else ""
        except OSError:
            break  # they closed their end
        if waiting and screen.count("> ") > len(typed) - len(waiting):
            os.write(ours, waiting.pop(0).encode())
    os.close(ours)
    assert process.wait(timeout=LIMIT_S) == 0, screen
    return _CONTROL.sub("", screen)
