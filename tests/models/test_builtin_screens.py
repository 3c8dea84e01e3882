"""Answers from screens: the line that holds what is asked for, in the form it is asked for, or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mirix.models.builtin.prompt import Call, Item
from mirix.models.builtin.reading import answer_question, better_query
from mirix.models.builtin.screen_lines import statements_of

START = datetime.fromisoformat("2026-03-02T08:00:00+01:00")

MAIL = """Applications Files Browser  Mon 2 Mar 08:00
v @ Your cabin at Tern Lodge  x  +
C  Not secure mail.example/inbox/17

Inbox
Sent
Archive
Osk Brandal 07:12
Timesheets are due on Friday [2026-03-06]

Your cabin at Tern Lodge
From: Tern Lodge, bookings
Booking code QX71BD
Guest  Mia Thorn

Arrival  9 April [2026-04-09]
Rate per night  €64.20
Please find our invoice INV-204 attached. It is due on 20 March [2026-03-20]."""

CHAT = """# weekend
# kiln

# weekend
Osk Brandal
Sounds good to me.
Lena Fisk
I booked Anchor & Vine for the crew supper, we are seven.
Osk Brandal
Does anybody want to share a boat?

Write a message"""

CALENDAR = """Mon 2  Tue 3  Wed 4

09:15  10:40  13:05
Kiln round  Budget talk  Weir survey
Elm 2.11  Ash 4.07  Elm 3.30

14:30  16:45  17:20
Fire drill  Kiln round  Book club
Elm 1.02  Ash 3.16  Elm 5.09"""

BOARD = """Ticket  Title  Assignee  Status
K-311  Tide table off by one hour  Lena Fisk  Open
K-320  Buoy names overlap  Osk Brandal  Open
K-334  Map does not load  Lena Fisk  Done"""

MOVED = """Moved: Weir survey
Event  Weir survey

New time Wednesday, 15:25 [2026-03-04 15:25]
New room Birch 1.08"""

ZH_CHAT = """# 装修组
罗一鸣
项目评审定在听雨厅 , 今天下午 3 点 一刻 [2026-03-02 15:15]开始 。
方小满
瓷砖  一共 9 箱 ,已经到货 。
罗一鸣
周五 [2026-03-06]聚餐吃酸汤鱼 ,大家有意见吗 ?

输入消息"""

ZH_MAIL = """外壳报价
铝外壳的最新报价如下 :单价 31.60, 起订量 450 件 , 交货日期 4 月 8 日 。"""


def screen(number: int, text: str, title: str = "", application: str = "Browser", minutes: int = 0) -> Item:
    return Item(
        number=number,
        kind="message",
        at=START + timedelta(minutes=minutes),
        role="user",
        speaker="Screen",
        name=title,
        text=text,
        outdated=False,
        is_screen=True,
        application=application,
    )


def call(question: str, *items: Item) -> Call:
    return Call(
        now=START,
        messages=(),
        memories=(),
        core=(),
        items=items,
        question=question,
        asked_at=START,
        is_final=True,
        searches=0,
        failed=(),
        is_repair=False,
    )


def ask(question: str, *items: Item) -> str:
    return answer_question(call(question, *items)).text


DAY = (
    screen(1, MAIL, "Your cabin at Tern Lodge - Mia Thorn - Chromium", "Chromium"),
    screen(2, CHAT, "#weekend - Talk - Chromium", "Chromium", 10),
    screen(3, CALENDAR, "Week 10 - Calendar - Chromium", "Chromium", 20),
    screen(4, BOARD, "Board - Tickets - Chromium", "Chromium", 30),
    screen(5, ZH_CHAT, "#装修组 - Talk - Chromium", "Chromium", 40),
    screen(6, ZH_MAIL, "外壳报价 - Mia Thorn - Chromium", "Chromium", 50),
)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is the booking code of Tern Lodge?", "QX71BD [1]"),
        ("How much does one night at Tern Lodge cost?", "Rate per night €64.20 [1]"),
        ("On which day do I arrive at Tern Lodge?", "Arrival 9 April [1]"),
        ("When is the invoice of Tern Lodge due?", "It is due on 20 March. [1]"),
        ("Where is the crew supper?", "I booked Anchor & Vine for the crew supper, we are seven. [2]"),
        ("At what time is the budget talk on Tuesday?", "10:40 Budget talk Ash 4.07 [3]"),
        ("At what time is the kiln round on Tuesday?", "16:45 Kiln round Ash 3.16 [3]"),
        ("At what time is the kiln round on Monday?", "09:15 Kiln round Elm 2.11 [3]"),
        ("In which room is the budget talk?", "Budget talk Ash 4.07"),
        ("How many tickets on the board belong to Lena Fisk?", "2 [4]"),
        ("瓷砖一共有几箱?", "一共9箱"),
        ("周五聚餐吃什么?", "酸汤鱼"),
        ("项目评审下午几点开始?", "3点一刻"),
        ("项目评审在哪个会议室?", "听雨厅"),
        ("铝外壳的单价是多少?", "31.60"),
        ("铝外壳什么时候交货?", "4月8日"),
    ],
)
def test_a_value_is_quoted_with_its_label_from_the_screen_that_shows_it(question: str, answer: str) -> None:
    assert answer in ask(question, *DAY)


@pytest.mark.parametrize(
    "question",
    [
        "What is the booking code of my hotel in Tromsø?",
        "How much does the crew supper cost?",
        "At what time does the kiln meeting with Rasmus start?",
        "Who proposed the sailing race?",
        "Which room is the crew supper in?",
        "周五聚餐人均多少钱?",
        "铝外壳的订单号是多少?",
    ],
)
def test_what_no_line_holds_in_its_form_is_not_known(question: str) -> None:
    assert ask(question, *DAY) in ("I don't know.", "我不知道。")


def test_whoever_says_a_thing_is_named_with_it() -> None:
    assert ask("Who booked the place for the crew supper?", *DAY).startswith("Lena Fisk: I booked Anchor & Vine")
    assert ask("周五聚餐吃什么是谁提议的?", *DAY).startswith("罗一鸣")


def test_the_program_is_the_end_of_the_title_of_a_page_else_the_application() -> None:
    notes = screen(7, "THIS WEEK\n- oilskin jacket, size 52 long", "list.txt - Jotter", "Jotter")
    assert ask("In which application did I read about the crew supper?", *DAY) == "Talk [2]"
    assert ask("In which program did I write down the size of the jacket?", *DAY, notes) == "Jotter [7]"
    assert ask("In which application did I see the rate of Tern Lodge?", *DAY) == "Mail [1]"
    assert ask("我在哪个应用里看到聚餐吃酸汤鱼?", *DAY) == "Talk [5]"


def test_what_was_seen_later_counts_unless_it_is_asked_how_it_was_before() -> None:
    moved = screen(7, MOVED, "Moved: Weir survey - Mia Thorn - Chromium", "Chromium", 300)
    assert ask("In which room is the weir survey now?", *DAY, moved) == "New room Birch 1.08 [7]"
    assert ask("When is the weir survey on Wednesday?", *DAY, moved) == "New time Wednesday, 15:25 [7]"
    assert "Elm 3.30" in ask("In which room was the weir survey to be before?", *DAY, moved)


def test_the_same_line_on_another_screen_does_not_replace_a_different_due_date() -> None:
    later = screen(7, "Timesheets are due on Friday [2026-03-06]\nFrom: Tern Lodge, bookings", minutes=400)
    assert ask("When is the invoice of Tern Lodge due?", *DAY, later) == "It is due on 20 March. [1]"


def test_a_clause_is_answered_by_the_name_that_another_line_gives_it() -> None:
    chat = screen(7, "Osk Brandal\nK-334 is the one that blocks the harbour demo.", "#kiln - Talk", minutes=60)
    ticket = screen(8, "Assignee  Lena Fisk\nPriority  High", "K-334 Map does not load - Tickets", minutes=70)
    question = "Who works on the ticket that blocks the harbour demo?"
    assert ask(question, chat, ticket) == "Lena Fisk [8]"
    assert better_query(call(question, chat)) == "Who works on the ticket K-334"


def test_a_code_is_not_taken_from_above_the_thing_it_is_asked_of() -> None:
    order = screen(1, "付款成功\n订单号  7730915\n实付  ¥88.00\n\n猜你喜欢\n陶瓷花瓶  ¥20.00", "订单详情 - 小铺")
    assert ask("陶瓷花瓶的订单号是多少?", order) == "我不知道。"
    assert ask("小铺的订单号是多少?", order) == "7730915 [1]"


@pytest.mark.parametrize(
    "prompt",
    ["root@vmt/srv/h1#", "root@vm:/srv/h1# ", "[mia@tern lodge]$ ", "mia@tern ~ % ", "mia@tern4:~/a-7$ ", "❯ "],
)
def test_the_prompt_of_a_shell_is_no_answer_and_what_follows_it_is(prompt: str) -> None:
    line = "echo 'Trip: Tern Lodge, confirmation code RQ4-8820-K'"
    question = "What is the confirmation code of Tern Lodge?"
    assert ask(question, screen(1, f"{prompt} {line}", "Terminal", "xterm")) == "RQ4-8820-K [1]"
    shown = f"{prompt}\n{line}\nTern Lodge confirmation code  {prompt}"
    assert ask(question, screen(1, shown, "Terminal", "xterm")) == "RQ4-8820-K [1]"
    asked = "What does the tide survey at Tern Lodge find?"
    said = ask(asked, screen(1, f"{prompt} Tern Lodge tide survey finds seven buoys adrift", "Terminal", "xterm"))
    assert said == "Tern Lodge tide survey finds seven buoys adrift [1]"


def test_the_command_behind_a_prompt_is_found() -> None:
    shown = screen(1, "mia@tern:~/kiln$ make kiln-report", "Terminal", "xterm")
    assert ask("Which command makes the kiln report?", shown) == "make kiln-report [1]"


def test_an_amount_and_an_address_are_no_prompt() -> None:
    assert ask("What does the kiln repair cost?", screen(1, "$ 48.50 for the kiln repair")) == (
        "$ 48.50 for the kiln repair [1]"
    )
    shown = screen(1, "lena@tern.example 20 % off kiln repair for members", "Offer")
    assert "lena@tern.example" in ask("What is the email for the kiln repair offer?", shown)


def test_words_that_were_read_as_one_are_found() -> None:
    moved = screen(7, MOVED.replace("New room", "Newroom"), "Moved: Weir survey - Mia Thorn", minutes=300)
    assert ask("In which room is the weir survey now?", *DAY, moved) == "Newroom Birch 1.08 [7]"


def test_the_noun_that_is_asked_for_stands_in_the_line() -> None:
    text = "Your trip to Brevik\n\nTrain 77\n09:40  13:15\nOslo  Brevik\nPlatform 4\n\nSeat 31C (aisle), coach 2"
    assert ask("Which seat do I have on the train to Brevik?", screen(1, text, "Your trip to Brevik")) == (
        "Seat 31C (aisle), coach 2 [1]"
    )


def test_a_place_is_nobody() -> None:
    line = screen(1, "booked The Tin Kettle for the crew supper, we are seven.")
    assert ask("Who booked the place for the crew supper?", line) == "I don't know."


def test_a_day_that_is_named_from_the_day_of_the_screen_is_written_out() -> None:
    note = screen(1, "The parquet fitter comes tomorrow [2026-03-03]", "#general - Talk")
    assert ask("When does the parquet fitter come?", note) == ("The parquet fitter comes tomorrow (3 March 2026) [1]")


def test_bars_and_addresses_of_a_window_answer_nothing() -> None:
    bars = "Files Browser  Mon 2 Mar 08:00\nharbour.example/demo/42\n@ Harbour demo  x  +"
    assert ask("When is the harbour demo?", screen(1, bars, "Harbour demo - Wiki")) == "I don't know."
    assert ask("What is the number of the harbour demo?", screen(1, bars, "Harbour demo - Wiki")) == "I don't know."


def test_a_line_that_runs_on_is_one_statement() -> None:
    text = "Please bring the long ladder and the two buckets from\nthe boat shed to the quay.\n\nStatus  Open"
    said = [statement.text for statement in statements_of([screen(1, text)])]
    assert "Please bring the long ladder and the two buckets from the boat shed to the quay." in said
    assert any(each.label == "Status" and each.text == "Open" for each in statements_of([screen(1, text)]))


def test_what_was_said_is_not_lost_behind_what_was_seen() -> None:
    said = Item(
        number=9, kind="message", at=START, role="user", speaker="Mia", name="", text="My dentist is Dr Aune.",
        outdated=False,
    )  # fmt: skip
    assert "Dr Aune. [9]" in ask("Who is my dentist?", *DAY, said)
