"""Which existing memory a statement replaces, corrects or repeats; in doubt none."""

from __future__ import annotations

import pytest

from mirix.models.builtin.entries import replaced_entry
from mirix.models.builtin.prompt import Memory, Message
from mirix.models.builtin.superseding import find_change, find_deletion


def memory(text: str, name: str = "", handle: str = "m1") -> Memory:
    return Memory(handle=handle, kind="core", at="2026-01-01", name=name, text=text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I live in Oslo", "I moved to Bergen last Friday [2026-11-06]."),
        ("住在南宁", "我上周搬到佛山了。"),
        ("I drink black coffee every morning", "I drink tea now instead of coffee."),
        ("早上喝黑咖啡", "我现在不喝咖啡了,改喝绿茶。"),
        ("I work as a baker", "I got a new job, I work as a gardener now."),
    ],
)
def test_a_change_of_the_same_attribute_supersedes(old: str, new: str) -> None:
    other = memory("I am allergic to nuts", handle="m2")
    change = find_change(new, "", [other, memory(old)])
    assert change is not None
    assert (change.verb, change.memory.handle) == ("supersede", "m1")


def test_a_correction_updates_in_place() -> None:
    change = find_change("Actually I'm forty-two years old, not forty-one.", "", [memory("I'm forty-one years old")])
    assert change is not None
    assert change.verb == "update"


def test_a_repetition_changes_nothing() -> None:
    change = find_change("I live in Oslo.", "", [memory("I live in Oslo")])
    assert change is not None
    assert change.verb == "nothing"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("My sister Oda tunes organs", "My sister Oda tunes organs. [1]"),
        ("My shoe size is 40.", "my shoe size is 40 [1][2]!"),
        ("我姐姐叫小林。", "我姐姐叫小林【2】"),
        ("My sister Oda tunes organs in Bergen", "My sister Oda tunes organs [7]."),
    ],
)
def test_the_citation_of_an_answer_is_no_new_value(old: str, new: str) -> None:
    change = find_change(new, "", [memory(old)])
    assert change is not None
    assert change.verb == "nothing"


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("I live in Oslo", "My sister Ola moved to Bergen.", "Ola"),
        ("I am allergic to nuts", "I moved to Bergen.", ""),
        ("I live in Oslo", "I now have a dog called Rex.", ""),
        ("I work as a baker", "I live in Oslo now.", ""),
        ("住在南宁", "我表妹搬到北京了。", "表妹"),
    ],
)
def test_another_subject_or_attribute_is_left_alone(old: str, new: str, name: str) -> None:
    assert find_change(new, name, [memory(old, name="human")]) is None


def test_two_people_of_one_first_name_are_two() -> None:
    brandt = memory("Anna Brandt works in design", name="Anna Brandt")
    liu = memory("Anna Liu works in logistics", name="Anna Liu", handle="m2")
    change = find_change("Anna Liu left logistics, she works in sales now.", "Anna Liu", [brandt, liu])
    assert change is not None
    assert change.memory.handle == "m2"
    assert find_change("Anna Liu works in sales now.", "Anna Liu", [brandt]) is None


def test_forgetting_needs_the_words_of_the_memory() -> None:
    known = [memory("I live in Oslo"), memory("I am allergic to nuts", handle="m2")]
    found = find_deletion("Please forget that I live in Oslo.", known)
    assert found is not None
    assert found.handle == "m1"
    assert find_deletion("Forget what I said about the parrot.", known) is None
    assert find_deletion("I live in Oslo.", known) is None


def entry(handle: str, caption: str, reference: str, entry_type: str = "credential") -> Memory:
    return Memory(
        handle=handle,
        kind="vault",
        at="2026-01-01",
        name=caption,
        text=f"{caption}: {{{{vault:{reference}}}}}",
        entry_type=entry_type,
        sensitivity="high",
    )


def said(text: str) -> Message:
    return Message(
        handle="e1", at=None, role="user", speaker="", source="chat", title="", text=text, is_context=False
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        (
            "password (wifi Maplenet)",
            "password (network Oaknet)",
            "New router: Oaknet, {{vault:bbbb}}.",
        ),
        ("密码(无线 maple)", "密码(宽带 oak)", "换了宽带,密码 {{vault:bbbb}}。"),
        ("code (bike shed)", "code (bike shed)", "The code of the bike shed was changed to {{vault:bbbb}}."),
    ],
)
def test_a_new_secret_of_the_same_thing_replaces_the_old_entry(old: str, new: str, text: str) -> None:
    known = [entry("v1", old, "aaaa"), entry("v2", new, "bbbb"), entry("v3", "password (bank)", "cccc")]
    found = replaced_entry(new, "credential", said(text), known, but=frozenset({"v2"}))
    assert found is not None
    assert found.handle == "v1"


@pytest.mark.parametrize(
    ("old", "entry_type", "text"),
    [
        ("My address", "contact_info", "New router: network Oaknet, {{vault:bbbb}}."),
        ("password (bank)", "credential", "New router: network Oaknet, {{vault:bbbb}}."),
        ("password (wifi Maplenet)", "credential", "Grandma's router: network Oaknet, {{vault:bbbb}}."),
    ],
)
def test_an_entry_of_another_sort_or_beside_it_stays(old: str, entry_type: str, text: str) -> None:
    known = [entry("v1", old, "aaaa", entry_type)]
    assert replaced_entry("password (network Oaknet)", "credential", said(text), known, but=frozenset()) is None
