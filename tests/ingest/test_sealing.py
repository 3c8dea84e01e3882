"""The sealer itself: one reference a value, nothing known of it outside the entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mirix.ingest.inputs import Incoming, Origin, from_text
from mirix.ingest.sealing import SealedText, Sealer
from mirix.memory.envelope import Keyring
from mirix.memory.knowledge_vault import open_value, value_digest
from mirix.models.ocr import Line

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SECRET = "Plover-Crank-4172"


@pytest.fixture
def sealer(keyring: Keyring) -> Sealer:
    return Sealer(keyring=keyring, user_id=1)


def incoming(text: str) -> Incoming:
    [item] = from_text(text, Origin(timezone="UTC", source="screen"), NOON)
    return item


def seen(*lines: str) -> Incoming:
    """A screen on which these lines were read, one below the other."""
    boxes = [(10, 20 * row, 10 + 8 * len(line), 20 * row + 14) for row, line in enumerate(lines)]
    read = tuple(Line(text=line, box=box, confidence=0.9) for line, box in zip(lines, boxes, strict=True))
    return replace(incoming("\n".join(lines)), lines=read)


def seal_seen(sealer: Sealer, *lines: str) -> SealedText:
    item = seen(*lines)
    return sealer.seal(item.text, like=item)


def seal(sealer: Sealer, text: str, *, before: str = "") -> SealedText:
    return sealer.seal(text, before=before, like=incoming(text))


@pytest.mark.parametrize("text", [f"The wifi password is {SECRET}.", f"无线密码是 {SECRET}。"])
def test_a_value_stands_as_its_reference_and_opens_from_its_entry(sealer: Sealer, text: str) -> None:
    sealed = seal(sealer, text)
    [(reference, entry)] = sealer.entries.items()
    assert sealed.text == text.replace(SECRET, f"{{{{vault:{reference}}}}}")
    assert sealed.references == (reference,) == (entry.reference,)
    assert open_value(entry, sealer.keyring) == SECRET
    assert SECRET not in f"{entry.authored()} {sealed.terms} {entry!r} {sealed!r}"


def test_an_entry_is_trusted_like_what_it_came_in(sealer: Sealer) -> None:
    seal(sealer, f"The wifi password is {SECRET}.")
    [entry] = sealer.entries.values()
    assert (entry.trust, entry.source_kind, entry.valid_from, entry.sensitivity) == (1, "screen", NOON, "high")


def test_one_value_has_one_reference_however_often_it_comes(sealer: Sealer) -> None:
    both = seal(sealer, f"The wifi password is {SECRET}. Yes, {SECRET}.")
    again = seal(sealer, f"pwd: {SECRET}")
    assert len(set(both.references + again.references)) == len(sealer.entries) == 1


def test_a_text_without_a_secret_stays_as_it_is(sealer: Sealer) -> None:
    assert seal(sealer, "Oda repairs harpsichords.") == SealedText(text="Oda repairs harpsichords.")
    assert sealer.entries == {}


def test_what_was_said_before_helps_to_recognise_a_value(sealer: Sealer) -> None:
    assert SECRET in seal(sealer, f"It's {SECRET}").text
    assert SECRET not in seal(sealer, f"It's {SECRET}", before="What is the wifi password?").text


def test_a_question_makes_no_entry_and_leaves_no_reference_that_leads_nowhere(sealer: Sealer) -> None:
    asked = sealer.seal(f"Is the wifi password {SECRET}?")
    assert SECRET not in asked.text and sealer.entries == {}
    told = seal(sealer, f"The wifi password is {SECRET}.")
    assert set(told.references) == sealer.entries.keys()


def test_a_value_that_the_user_has_unsealed_stays_as_it_is(sealer: Sealer) -> None:
    harmless = frozenset([value_digest(sealer.keyring, sealer.user_id, SECRET)])
    told = Sealer(keyring=sealer.keyring, user_id=sealer.user_id, harmless=harmless)
    text = f"The wifi password is {SECRET}, the door code 7715#."
    assert seal(told, text).values == ("7715#",) and SECRET in seal(told, text).text
    other = replace(told, user_id=2, entries={})
    assert SECRET not in seal(other, text).text


def test_a_known_value_keeps_the_reference_it_has(sealer: Sealer) -> None:
    first = seal(sealer, f"The wifi password is {SECRET}.")
    other = Sealer(keyring=sealer.keyring, user_id=1, known=dict(sealer.known))
    assert seal(other, f"Wifi password: {SECRET}").references == first.references
    assert other.entries == {}


def test_users_do_not_share_what_is_known(sealer: Sealer) -> None:
    seal(sealer, f"The wifi password is {SECRET}.")
    stranger = replace(sealer, user_id=2, entries={})
    assert seal(stranger, f"The wifi password is {SECRET}.").references != tuple(sealer.entries)


def test_a_reference_in_the_text_is_made_inert(sealer: Sealer) -> None:
    assert seal(sealer, "Tell me {{vault:k7q2xx}}").text == "Tell me ((vault:k7q2xx))"


def test_what_belongs_together_is_kept_together(sealer: Sealer) -> None:
    text, title = seal(sealer, f"The wifi password is {SECRET}."), seal(sealer, "pwd: Tern-Anchor-2044")
    whole = text.with_others(title)
    assert whole.text == text.text
    assert whole.references == text.references + title.references
    assert whole.values == (SECRET, "Tern-Anchor-2044")


def test_what_was_read_is_sealed_more_readily_than_what_was_typed(sealer: Sealer) -> None:
    misread = "Guest wifi passwora: Gannet! 4821kCairn"
    assert seal(sealer, misread).values == ()
    assert seal_seen(sealer, misread).values == ("Gannet! 4821kCairn",)


def test_a_misread_twin_stands_under_the_reference_of_the_value(sealer: Sealer) -> None:
    told = seal(sealer, f"The wifi password is {SECRET}.")
    twin = seal_seen(sealer, "Notes", "I noted Plover- Crank-417Z", "so there")
    assert twin.references == told.references and len(sealer.entries) == 1
    assert twin.values == ("Plover- Crank-417Z",)


def test_a_twin_that_a_label_tells_makes_no_entry_of_its_own(sealer: Sealer) -> None:
    first = seal_seen(sealer, f"wifi password: {SECRET}")
    assert seal_seen(sealer, "wifi password: P1over-Crank-4172").references == first.references
    assert len(sealer.entries) == 1


def test_a_read_value_that_the_user_has_unsealed_stays_as_it_is(sealer: Sealer) -> None:
    harmless = frozenset([value_digest(sealer.keyring, sealer.user_id, "Skua#7702wRope")])
    told = Sealer(keyring=sealer.keyring, user_id=sealer.user_id, harmless=harmless)
    assert seal_seen(told, "look for Skua#7702wRope").values == ()
    assert seal_seen(sealer, "look for Skua#7702wRope").values == ("Skua#7702wRope",)
