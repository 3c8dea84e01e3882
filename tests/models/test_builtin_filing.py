"""What the managers of the built-in model file: quotes with their fields, as tool calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mirix.models.builtin.filing import file_batch, file_memory
from mirix.models.builtin.nearest import NearestExamples, plain_nearest
from mirix.models.builtin.prompt import Call, Memory, Message
from mirix.models.builtin.steps import split_steps

AT = datetime(2026, 11, 13, 9, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def nearest() -> NearestExamples:
    return plain_nearest()


def call_with(*texts: str, memories: tuple[Memory, ...] = (), context: tuple[int, ...] = ()) -> Call:
    messages = tuple(
        Message(
            handle=f"e{number}",
            at=AT,
            role="user",
            speaker="Dario",
            source="chat",
            title="",
            text=text,
            is_context=number in context,
        )
        for number, text in enumerate(texts, 1)
    )
    return Call(
        now=AT,
        messages=messages,
        memories=memories,
        core=(),
        items=(),
        question="",
        asked_at=None,
        is_final=False,
        searches=0,
        failed=(),
        is_repair=False,
    )


def filed(kind: str, call: Call, nearest: NearestExamples) -> dict[str, Any]:
    (operation,) = file_memory(kind, call, nearest)
    return {"tool": operation.tool, **operation.arguments}


def test_core_lines_tell_the_user_from_the_assistant(nearest: NearestExamples) -> None:
    call = call_with("By the way, I'm Dario and I repair clocks for a living. Please never use bullet points with me.")
    lines = filed("core", call, nearest)["lines"]
    assert [line["label"] for line in lines] == ["human", "persona"]
    assert lines[0]["line"].startswith("I'm Dario")
    assert lines[0]["messages"] == ["e1"]


def test_events_take_their_times_from_the_brackets(nearest: NearestExamples) -> None:
    call = call_with(
        "Dentist on Thursday at 14:30 [2026-11-19 14:30]. Yesterday [2026-11-12] I met Ola Berg for lunch."
    )
    items = filed("episodic", call, nearest)["items"]
    assert [item["occurred_at"] for item in items] == ["2026-11-19T14:30:00+00:00", "2026-11-12"]
    assert [item["event_type"] for item in items] == ["appointment", "meeting"]


def test_an_event_without_a_time_happened_when_it_was_told(nearest: NearestExamples) -> None:
    items = filed("episodic", call_with("钟表修好了,客人很高兴。"), nearest)["items"]
    assert items[0]["occurred_at"] == AT.isoformat()


@pytest.mark.parametrize(
    ("text", "name", "kind"),
    [
        ("My neighbour Ola Berg is a carpenter and has two goats.", "Ola Berg", "person"),
        ('At work a "ghost" is a sample without a tube.', "ghost", "concept"),
        ("Project Heron is the booking system for the ferries.", "Heron", "project"),
        ("报销找财务的小苗,她干了十年。", "小苗", "person"),
        ("海棠项目是公交刷卡系统。", "海棠项目", "project"),
    ],
)
def test_semantic_records_are_named_after_their_subject(
    nearest: NearestExamples, text: str, name: str, kind: str
) -> None:
    (item,) = filed("semantic", call_with(text), nearest)["items"]
    assert (item["name"], item["kind"]) == (name, kind)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        (
            "Reset: hold the key, wait for two beeps, then turn the dial.",
            ["hold the key", "wait for two beeps", "turn the dial"],
        ),
        ("Fix:\n1. pull the tray\n2. open the flap\n3. restart", ["pull the tray", "open the flap", "restart"]),
        ("热水器重启:先关总闸,等两分钟,再按红键,最后听滴声。", ["关总闸", "等两分钟", "按红键", "听滴声"]),
        ("报表:一、导出数据;二、贴进模板;三、发给科长。", ["导出数据", "贴进模板", "发给科长"]),
    ],
)
def test_steps_keep_their_order(text: str, steps: list[str]) -> None:
    assert split_steps(text) == steps


def test_one_procedure_told_in_turns_is_one_record(nearest: NearestExamples) -> None:
    call = call_with("To bake: mix flour and water, wait an hour.", "Then fold twice, bake for forty minutes.")
    (item,) = filed("procedural", call, nearest)["items"]
    assert item["messages"] == ["e1", "e2"]
    assert len(item["steps"]) >= 4


def test_documents_are_titled_but_not_retyped(nearest: NearestExamples) -> None:
    call = call_with("Subject: Roof repair\nDear tenants,\nthe roof will be repaired.\nKind regards,\nThe office")
    (item,) = filed("resource", call, nearest)["items"]
    assert item["title"] == "Roof repair"
    assert item["resource_type"] == "email"
    assert "content" not in item


def test_values_are_verbatim_and_sealed_ones_are_left_alone(nearest: NearestExamples) -> None:
    call = call_with("Nina's mobile is +49 1521 5550 133. The wifi password is {{vault:k7q2}}.")
    (item,) = filed("vault", call, nearest)["items"]
    assert item["value"] == "+49 1521 5550 133"
    assert "Nina" in item["caption"]
    assert file_memory("vault", call_with("The door code is {{vault:k7q2}}."), nearest) == []


def test_nothing_is_filed_from_context(nearest: NearestExamples) -> None:
    call = call_with("I live in Trieste.", "I'm allergic to nuts.", context=(1,))
    assert [line["messages"] for line in filed("core", call, nearest)["lines"]] == [["e2"]]


def test_a_changed_fact_supersedes_from_its_date(nearest: NearestExamples) -> None:
    known = Memory(handle="c1", kind="core", at="2026-01-01", name="human", text="I live in Oslo")
    call = call_with("I moved to Bergen last Friday [2026-11-06].", memories=(known,))
    operation = filed("core", call, nearest)
    assert operation["tool"] == "core_memory_supersede"
    assert (operation["memory"], operation["valid_from"]) == ("c1", "2026-11-06")


def test_a_moved_appointment_supersedes_from_when_it_was_said(nearest: NearestExamples) -> None:
    known = Memory(handle="m1", kind="episodic", at="2026-11-01", name="", text="牙医周四下午两点 [2026-11-19 14:00]")
    call = call_with("牙医改到周五下午三点了 [2026-11-20 15:00]。", memories=(known,))
    operation = filed("episodic", call, nearest)
    assert operation["tool"] == "episodic_memory_supersede"
    assert operation["valid_from"] == AT.isoformat()
    assert operation["item"]["occurred_at"] == "2026-11-20T15:00:00+00:00"


def test_one_call_for_all_kinds_files_them_all(nearest: NearestExamples) -> None:
    call = call_with(
        "I'm Dario and I repair clocks in Trieste with my wife.",
        "My neighbour Ola Berg is a carpenter.",
        "Yesterday [2026-11-12] I went to the flea market.",
    )
    tools = {operation.tool for operation in file_batch(call, nearest)}
    assert {"core_memory_append", "semantic_memory_insert", "episodic_memory_insert"} <= tools
