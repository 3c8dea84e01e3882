"""What the managers of the built-in model file: quotes with their fields, as tool calls."""

from __future__ import annotations

from dataclasses import replace
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


def test_steps_are_headed_by_the_words_that_introduce_them_and_end_with_their_message(nearest: NearestExamples) -> None:
    call = call_with(
        "Lovely weather for once.",
        "How to wax the skis: first scrape, then iron in the wax, finally brush.",
        "The ski lift stopped again at 2:10, I walked the last part.",
    )
    (item,) = filed("procedural", call, nearest)["items"]
    assert item["summary"] == "How to wax the skis"
    assert item["steps"] == ["scrape", "iron in the wax", "brush"]
    assert item["messages"] == ["e2"]


def test_what_was_done_once_is_no_procedure(nearest: NearestExamples) -> None:
    call = call_with("The pump failed at 3:20 last night. I went through the four steps and it ran again.")
    assert file_memory("procedural", call, nearest) == []


@pytest.mark.parametrize(
    "text",
    [
        "昨晚 [2026-11-12 18:00–24:00]郑禾来帮我修水管,我们吃了面。",
        "郑禾不吃葱,下次请客别放。",
        "Happy birthday to me!",
        "I moved today [2026-11-13]!",
        "Painted the fence: two coats, and none of it vegan.",
    ],
)
def test_single_occasions_and_other_people_are_no_core_facts(nearest: NearestExamples, text: str) -> None:
    assert file_memory("core", call_with(text), nearest) == []


def test_an_introduction_is_filed_so_that_one_fact_can_change_alone(nearest: NearestExamples) -> None:
    lines = filed("core", call_with("我叫郑禾,三十一,做木雕的,住在桐城北街。"), nearest)["lines"]
    assert [line["line"] for line in lines] == ["我叫郑禾,三十一,做木雕的", "住在桐城北街"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I live on Tanner Row, above a bakery.", "My new address is 3 Orchard Close, Tenbury."),
        ("I work at the county library.", "First day at the print works."),
        ("Coffee order for the record: cappuccino, no sugar.", "I switched from cappuccino to mint tea."),
        ("住在桐城北街的老院子。", "搬完了,南门大街十八号二栋301。"),
        ("我不喝奶茶,只喝绿茶,凉的。", "大夫说我睡得浅,绿茶停了,改喝大麦茶。"),
    ],
)
def test_a_slot_of_life_is_superseded_without_a_word_in_common(nearest: NearestExamples, old: str, new: str) -> None:
    known = Memory(handle="c1", kind="core", at="2026-01-01", name="human", text=old)
    operations = file_memory("core", call_with(new, memories=(known,)), nearest)
    assert "core_memory_supersede" in {operation.tool for operation in operations}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("I signed up for the choir last Friday [2026-11-06].", "I met the neighbour at the new place."),
        ("We're in! The van was late.", "Your library book is due in three days [2026-11-16]."),
    ],
)
def test_an_event_is_not_superseded_by_an_unrelated_one(nearest: NearestExamples, old: str, new: str) -> None:
    known = Memory(handle="m1", kind="episodic", at="2026-11-06", name="", text=old)
    operations = file_memory("episodic", call_with(new, memories=(known,)), nearest)
    assert {operation.tool for operation in operations} <= {"episodic_memory_insert"}


def test_a_plan_that_was_called_off_is_superseded(nearest: NearestExamples) -> None:
    known = Memory(
        handle="m1",
        kind="episodic",
        at="2026-12-05",
        name="",
        text="Booked the cabin at Loch Dunn for 5 December [2026-12-05]",
    )
    operation = filed(
        "episodic", call_with("The cabin at Loch Dunn is cancelled, the road is gone.", memories=(known,)), nearest
    )
    assert operation["tool"] == "episodic_memory_supersede"


def test_a_screen_gives_its_appointment_and_no_bare_clock_times(nearest: NearestExamples) -> None:
    text = (
        "Mail\n16:18\nHarbour Trust\nInbox (4)\n15:02\nGreen Grocers\nBuy two, get one free\n"
        "From: Harbour Trust <desk@harbour.example>\nTo: Dario\nDear Mr. Dario,\n"
        "The yearly chimney check of flat 2 will take place on:\nThursday, 3 December 2026\nbetween 9:00 and 11:00\n"
        "Kind regards,\nReply Forward"
    )
    call = call_with(text)
    message = replace(call.messages[0], source="screen", title="Notice of Harbour Trust – Inbox")
    items = filed("episodic", replace(call, messages=(message,)), nearest)["items"]
    assert [item["occurred_at"] for item in items] == ["2026-12-03T09:00:00+00:00"]
    assert items[0]["summary"].startswith(
        "Notice of Harbour Trust: The yearly chimney check of flat 2 will take place on:"
    )


@pytest.mark.parametrize(
    ("bar", "told"),
    [
        ("Applications  Browser  Terminal  Fri 13 Nov 09:12", "The kiln firing was moved to Friday, 20 November."),
        ("Not secure dashboard.example/settings x @\nv @ x +", "The kiln firing was moved to Friday, 20 November."),
        ("C  dashboard.example:8080/kiln?week=47  ☆", "See kiln.example/plan for the firing on 20 November."),
        ("应用程序 浏览器 终端 11月13日 09:11", "窑的烧制改到11月20日星期五,请大家准时到场。"),
        ("不安全 dashboard.example/settings ×", "窑的烧制改到11月20日星期五,请大家准时到场。"),
    ],
)
def test_the_bars_of_a_screen_are_not_filed(nearest: NearestExamples, bar: str, told: str) -> None:
    row = "Inbox  13 Nov 08:40\nTotal  €48.50"
    call = call_with(f"{bar}\n{told}\n{row}")
    [message] = call.messages
    seen = replace(call, messages=(replace(message, source="screen"),))
    [document] = filed("resource", seen, nearest)["items"]
    assert document["summary"].startswith(told[:20])
    assert "48.50" in document["summary"]
    for kind in ("core", "episodic", "semantic", "procedural"):
        assert not any(line in str(file_memory(kind, seen, nearest)) for line in bar.splitlines())
    bare = replace(call, messages=(replace(message, source="screen", text=bar),))
    assert file_memory("resource", bare, nearest) == []


def test_a_secret_told_is_no_event(nearest: NearestExamples) -> None:
    assert file_memory("episodic", call_with("The alarm code of the shed is {{vault:k7q2}}."), nearest) == []


@pytest.mark.parametrize(
    "text",
    [
        "Our baby boy Osric was born this morning [2026-11-13 06:00–12:00], 7lb exactly",
        "gave up the motorbike last month [2026-10], so i take the tram now",
        "im 17 and i dont eat meat",
        "我把牌戒了,中秋以后再没碰过。",
    ],
)
def test_a_message_that_resembles_facts_is_filed_though_its_form_does_not_tell(
    nearest: NearestExamples, text: str
) -> None:
    assert filed("core", call_with(text), nearest)


def test_steps_behind_a_colon_are_a_procedure_however_tersely_told(nearest: NearestExamples) -> None:
    text = "save this: unplug, wait a minute, plug in, hold the knob"
    assert len(filed("procedural", call_with(text), nearest)["items"][0]["steps"]) >= 3


def test_a_code_in_a_form_of_its_own_is_kept_and_a_year_is_none(nearest: NearestExamples) -> None:
    [item] = filed("vault", call_with("The new code on the paint store is 6602 then tick."), nearest)["items"]
    assert (item["value"], item["sensitivity"]) == ("6602", "high")
    assert not file_memory("vault", call_with("The new code of conduct is from 2019 and has 4500 words."), nearest)
