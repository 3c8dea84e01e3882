"""The prompt of the demo, line by line; what stands on the terminal is what a newcomer reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import SecretStr

from mirix.blocking import Mirix
from mirix.cli.command import Invocation
from mirix.cli.demo_talk import Talk
from mirix.config import Settings
from mirix.errors import InputError
from mirix.models.builtin.conversation import is_question

Say = Callable[[str], str]
SECRET = "Plover!Gate51mist"


@pytest.fixture
def own(owner_url: str, tmp_path: Path, empty: None) -> Iterator[Mirix]:
    settings = Settings(
        database_url=SecretStr(owner_url),
        data_dir=tmp_path,
        embedding_model="hash",
        keyring="file",
        ocr="none",
        user="you",
        timezone="Europe/Oslo",
    )
    with Mirix(settings) as memory:
        yield memory


@pytest.fixture
def talk(own: Mirix) -> Talk:
    call = Invocation.of({"as_json": False, "debug": False})
    asked_at = datetime(2026, 11, 16, tzinfo=UTC)
    return Talk(call=call, own=own, week=own, asked_at=asked_at, zone=ZoneInfo("Europe/Oslo"), is_kept=False)


@pytest.fixture
def say(talk: Talk, capsys: pytest.CaptureFixture[str]) -> Say:
    """Types one line; what it shows, on one line."""

    def typed(line: str) -> str:
        capsys.readouterr()
        talk.turn(line)
        return " ".join(capsys.readouterr().out.split())

    return typed


def test_fact_shows_where_it_went_and_what_became_of_it(say: Say) -> None:
    shown = say("I live in Leeds.")
    assert "went to core 1" in shown
    assert "core new I live in Leeds." in shown


def test_date_is_shown_with_its_meaning_in_the_zone_of_who_types(say: Say) -> None:
    assert "last Friday → 2026-11-06 Fri" in say("/at 2026-11-11 I had lunch with Ada last Friday.")
    assert "昨天下午 → 2026-11-10 Tue 12:00–18:00" in say("/at 2026-11-11 昨天下午我去看了牙医。")


def test_secret_is_shown_by_its_reference_only(say: Say, own: Mirix) -> None:
    shown = say(f"The wifi password at home is {SECRET}")
    (entry,) = own.get_all(kinds=["vault"])
    assert f"{{{{vault:{entry.reference}}}}}" in shown  # type: ignore[attr-defined]
    assert SECRET not in shown
    assert SECRET not in say("/memories")
    assert say(f"/reveal {entry.reference}") == SECRET  # type: ignore[attr-defined]


def test_move_supersedes_and_the_past_can_be_asked_for(say: Say) -> None:
    say("/at 2026-11-02 I live in Leeds.")
    moved = say("/at 2026-11-10 I moved from Leeds to Bergen today.")
    assert "superseded I live in Leeds. held since 2026-11-02 00:00, until 2026-11-10 00:00" in moved
    assert "/as-of 2026-11-09" in moved
    assert "Bergen" in say("Where do I live?")
    before = say("/as-of 2026-11-09 Where do I live?")
    assert before.startswith("as of 2026-11-09 Mon I live in Leeds. [1]")


def test_undo_takes_a_whole_fact_back_and_again_the_one_before(say: Say) -> None:
    say("/at 2026-11-02 I live in Leeds.")
    say("/at 2026-11-10 I moved from Leeds to Bergen today.")
    assert say("/undo").startswith("core so again I live in Leeds.")
    assert "Leeds. [1]" in say("Where do I live?")
    assert say("/undo") == "core taken back I live in Leeds."
    assert say("/undo") == "Nothing is left to take back."


def test_unknown_answer_is_said_to_claim_nothing(say: Say) -> None:
    assert say("What is my cat called?") == "I don't know. No memory is cited, so nothing is claimed."


def test_same_fact_of_the_same_time_changes_nothing(say: Say) -> None:
    say("/at 2026-11-02 I live in Leeds.")
    assert "nothing changed" in say("/at 2026-11-02 I live in Leeds.")


def test_wrong_command_names_the_right_ones(say: Say) -> None:
    shown = say("/fog")
    assert "/as-of" in shown
    assert "/quit" in shown


@pytest.mark.parametrize("line", ["/as-of Where do I live?", "/at yesterday", "/reveal", "/reveal zzzz", "/nora"])
def test_command_without_what_it_needs_says_so(talk: Talk, line: str) -> None:
    with pytest.raises(InputError):
        talk.turn(line)


@pytest.mark.parametrize("line", ["Where do I live?", "where do I live", "我住在哪里？", "他是医生吗。"])
def test_question_is_told_from_a_fact(line: str) -> None:
    assert is_question(line)


@pytest.mark.parametrize("line", ["I live in Leeds.", "我住在利兹。", "Whatever happens, I row on Sundays."])
def test_fact_is_told_from_a_question(line: str) -> None:
    assert not is_question(line)
