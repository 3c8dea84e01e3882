"""The tagged text of a call is read back as records."""

from __future__ import annotations

from datetime import timedelta

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from mirix.models.builtin.moments import find_moments, write_moment
from mirix.models.builtin.prompt import parse_call

EVIDENCE = """<now>2026-11-13T10:00:00+01:00 Friday</now>
<evidence>
<message id="e1" at="2026-11-13T09:12:00+01:00" role="user" speaker="Ana &amp; Co" source="screen" context="true">
Two lines
of text
</message>
</evidence>
<memories>
<memory id="s1" type="semantic" at="2026-10-02" name="Harbour">old — details</memory>
</memories>"""

QUESTION = """<now>2026-11-13T10:00:00+01:00 Friday</now>
<core_memory>
<block label="human">
- Lives in Bergen
</block>
</core_memory>
<context>
[1] 2026-11-13 09:12 Ana &amp; Co (app="Mail" title="Re: a (new) flat" outdated="true"): I live in Oslo: at last.
  [9] 2026-11-13 09:12 Ana: in the old town
[2] 2026-11-12 (type="vault" caption="wifi password"): {{vault:k7q2}}
</context>
<question asked_at="2026-11-13T10:00:00+01:00">Where do I live?</question>
<final/>"""


def test_messages_keep_lines_attributes_and_context_mark() -> None:
    call = parse_call([SystemMessage("prompt"), HumanMessage(EVIDENCE)])
    (message,) = call.messages
    assert message.handle == "e1"
    assert message.speaker == "Ana & Co"
    assert message.text == "Two lines\nof text"
    assert message.is_context
    assert call.memories[0].name == "Harbour"


def test_questions_keep_core_lines_items_and_the_final_mark() -> None:
    call = parse_call([HumanMessage(QUESTION)])
    assert call.core == (("human", "Lives in Bergen"),)
    assert [item.outdated for item in call.items] == [True, False]
    assert call.items[0].speaker == "Ana & Co"
    assert call.items[0].name == "Re: a (new) flat"
    assert call.items[0].text == "I live in Oslo: at last.\n[9] 2026-11-13 09:12 Ana: in the old town"
    assert call.items[0].at is not None and (call.items[0].at.hour, call.items[0].at.utcoffset()) == (
        9,
        timedelta(hours=1),
    )
    assert call.items[1].name == "wifi password"
    assert call.question == "Where do I live?"
    assert call.is_final


def test_items_of_a_search_result_join_the_context() -> None:
    asked = AIMessage(content="", tool_calls=[{"name": "search_memory", "args": {"query": "x"}, "id": "c1"}])
    found = ToolMessage(content="[3] 2026-11-01 10:00 Ana: More.", tool_call_id="c1")
    call = parse_call([HumanMessage(QUESTION), asked, found])
    assert [item.number for item in call.items] == [1, 2, 3]
    assert call.searches == 1
    assert call.failed == ()


def test_only_calls_with_an_error_count_as_failed() -> None:
    calls = [{"name": "a_insert", "args": {"x": 1}, "id": "c1"}, {"name": "b_insert", "args": {}, "id": "c2"}]
    replies = [
        ToolMessage(content="ok", tool_call_id="c1"),
        ToolMessage(content="items.0: unknown handle", tool_call_id="c2"),
    ]
    call = parse_call([HumanMessage(EVIDENCE), AIMessage(content="", tool_calls=calls), *replies])
    assert [failed.name for failed in call.failed] == ["b_insert"]


def test_resolved_times_are_written_as_people_write_them() -> None:
    written = {
        "[2026-11-06]": ("6 November 2026", "2026年11月6日"),
        "[2026-11]": ("November 2026", "2026年11月"),
        "[2026-11-02–2026-11-08]": ("2 November 2026 to 8 November 2026", "2026年11月2日至2026年11月8日"),
    }
    for bracket, (english, chinese) in written.items():
        (moment,) = find_moments(f"then {bracket}")
        assert write_moment(moment, chinese=False) == english
        assert write_moment(moment, chinese=True) == chinese


def test_a_clock_range_up_to_midnight_is_read() -> None:
    (moment,) = find_moments("昨晚 [2026-11-12 18:00–24:00]")
    assert (moment.day, moment.until_clock is not None) == (12, True)


def test_a_bracket_that_is_no_date_of_the_calendar_is_passed_over() -> None:
    assert find_moments("[2026-13-45] [see page 4]") == []
