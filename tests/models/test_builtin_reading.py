"""Answers are quoted from the context with their number, or not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from mirix.models.builtin.prompt import Call, Item
from mirix.models.builtin.reading import answer_question
from mirix.models.builtin.topics import question_topics

START = datetime.fromisoformat("2026-03-02T08:00:00+01:00")

ENGLISH = (
    "Hello. I'm Petra Vance, 36, I repair accordions and I live in a narrowboat at Braunston.",
    "Be blunt with me and don't use emojis.",
    "Had the boiler man in today [2026-03-04]. Ferris, from Dunmore Heating. He charged 85 pounds.",
    "I can't have dairy, it gives me hives.",
    "My dog Tansy ate half a candle. The vet, Dr Okonjo, says to watch her.",
    "Bellows trick: first warm the wax to 60 degrees, then press the joint with a cork, and only then close the frame.",
    "Orla from the canal trust wants the mooring form by 27 March [2026-03-27].",
    "My cousin Orla is getting married on 6 June [2026-06-06] in Galway.",
    "Handed in the mooring form yesterday [2026-03-09].",
    "I've taken a flat at 12 Weaver's Court, Rugby.",
    "Ferris's number, for later: 01632 960 733.",
    "The Galway wedding is pushed back to 20 June [2026-06-20], the band had a clash.",
    "Wifi here: network Weaver12, password {{vault:k7q2}}.",
    "I drink oat milk flat whites these days. Used to be black coffee.",
)
CHINESE = (
    "你好,我叫江晚,三十六,修手风琴的,住在苏州平江路一个小院里。",
    "跟我讲话直接一点,别发表情。",
    "今天 [2026-03-04]修锅炉的费师傅来了,收了八百五,屋里总算热了。",
    "我喝牛奶会起疹子,推荐吃的别带奶。",
    "我的狗艾草吞了半根蜡烛,兽医欧阳医生说观察到周日。",
    "老马教的封风箱:先把蜡热到六十度,再用软木压住接缝,最后合框。",
    "表妹小雅八月八号 [2026-08-08]在扬州办婚礼,我去拉一曲。",
    "泊位表昨天 [2026-03-08]交了,提前两天。",
    "我不住小院了,在织女街十二号租了套房。",
    "费师傅电话记一下:139 0000 7733。",
    "这边的无线:名字 zhinv,密码 {{vault:k7q2}}。",
)


def ask(texts: tuple[str, ...], question: str, *, speaker: str, outdated: tuple[int, ...] = ()) -> str:
    items = tuple(
        Item(
            number=number,
            kind="message",
            at=START + timedelta(days=number - 1),
            role="user",
            speaker=speaker,
            name="",
            text=text,
            outdated=number in outdated,
        )
        for number, text in enumerate(texts, 1)
    )
    call = Call(
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
    return answer_question(call).text


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("What does Petra do for a living?", "I repair accordions"),
        ("What is the name of Petra's dog?", "Tansy"),
        ("How much did Ferris charge?", "85 pounds"),
        ("When did the boiler man come?", "4 March 2026 [3]"),
        ("On what date did Petra hand in the mooring form?", "9 March 2026 [9]"),
        ("When is cousin Orla's wedding?", "20 June 2026 [12]"),
        ("Where does Petra live now?", "12 Weaver's Court"),
        ("What food must Petra avoid?", "dairy"),
        ("How should the assistant talk to Petra?", "blunt"),
        ("What is the wifi password?", "{{vault:k7q2}} [13]"),
        ("What is Ferris's phone number?", "01632 960 733 [11]"),
        ("How do you seal the bellows joint?", "warm the wax to 60 degrees, then press the joint with a cork"),
        ("What coffee does Petra drink these days?", "oat milk flat whites"),
    ],
)
def test_english_questions_are_answered_by_a_short_quote(question: str, part: str) -> None:
    answer = ask(ENGLISH, question, speaker="Petra")
    assert part in answer
    assert answer.endswith("]")
    assert len(answer.split()) <= 30


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("江晚的狗叫什么?", "艾草"),
        ("谁来修的锅炉?", "费师傅"),
        ("泊位表是哪天交的?", "2026年3月8日 [8]"),
        ("江晚现在住哪里?", "织女街十二号"),
        ("江晚吃东西要避开什么?", "奶"),
        ("跟江晚说话要注意什么?", "直接一点"),
        ("无线密码是什么?", "{{vault:k7q2}} [11]"),
        ("费师傅的电话是多少?", "139 0000 7733 [10]"),
        ("风箱怎么封?", "先把蜡热到六十度"),
    ],
)
def test_chinese_questions_are_answered_by_a_short_quote(question: str, part: str) -> None:
    answer = ask(CHINESE, question, speaker="江晚")
    assert part in answer
    assert answer.endswith("]")


@pytest.mark.parametrize(
    "question",
    [
        "What is the name of Petra's mother?",
        "How much rent does Petra pay?",
        "Who is Yvette?",
        "When is Petra's birthday?",
    ],
)
def test_what_was_never_said_is_not_known(question: str) -> None:
    assert ask(ENGLISH, question, speaker="Petra") == "I don't know."


@pytest.mark.parametrize("question", ["江晚的母亲叫什么?", "江晚每月房租多少?", "江晚的生日是哪天?"])
def test_what_was_never_said_is_not_known_in_chinese_either(question: str) -> None:
    assert ask(CHINESE, question, speaker="江晚") == "我不知道。"


def memory_item(number: int, kind: str, name: str, text: str) -> Item:
    return Item(number=number, kind=kind, at=START, role="", speaker="", name=name, text=text, outdated=False)


def answer_from(items: tuple[Item, ...], question: str) -> str:
    call = Call(
        now=START,
        messages=(),
        memories=(),
        core=(("human", "I live in Lund with my wife."),),
        items=items,
        question=question,
        asked_at=START,
        is_final=True,
        searches=0,
        failed=(),
        is_repair=False,
    )
    return answer_question(call).text


def test_a_vault_entry_is_found_by_its_caption_and_given_as_reference() -> None:
    phone = memory_item(1, "vault", "Ferris's mobile number", "{{vault:k7q2}}")
    code = memory_item(2, "vault", "door code of the studio", "{{vault:z9x8}}")
    assert answer_from((phone, code), "What is Ferris's mobile number?") == "{{vault:k7q2}} [1]"
    assert answer_from((phone, code), "What is the door code of the studio?") == "{{vault:z9x8}} [2]"
    assert answer_from((phone, code), "What is the alarm code of the cellar?") == "I don't know."


def test_a_memory_is_about_what_it_is_named_after_and_is_not_said_twice() -> None:
    text = "She repairs violins in Cremona. — She repairs violins in Cremona."
    answer = answer_from((memory_item(1, "semantic", "Ottavia", text),), "What does Ottavia repair?")
    assert answer == "She repairs violins in Cremona. [1]"


def test_core_lines_answer_without_a_citation() -> None:
    assert answer_from((), "Where do I live?") == "I live in Lund with my wife."


def test_an_outdated_statement_gives_way_to_the_current_one() -> None:
    texts = ("The club meets on Mondays.", "The club meets on Fridays.")
    assert (
        ask(texts, "On which day does the club meet?", speaker="Petra", outdated=(2,))
        == "The club meets on Mondays. [1]"
    )


def test_topics_are_content_phrases_with_names() -> None:
    assert question_topics("When did Ola fix the heater in Bergen?")[0] == "Ola fix heater Bergen"
    assert "Bergen" in question_topics("When did Ola fix the heater in Bergen?")
    assert question_topics("小苗什么时候修的暖气?")[0].startswith("小苗")


def test_how_something_is_done_is_no_question_for_a_date() -> None:
    texts = (
        "To restart the kiln when it trips: open the flap, wait a minute, press the red key.",
        "I fired the kiln today [2026-03-03].",
    )
    answer = ask(texts, "How do I restart the kiln when it trips?", speaker="Petra")
    assert "open the flap, wait a minute, press the red key" in answer


def test_an_address_question_is_answered_by_the_newest_home() -> None:
    texts = (
        "My address is 4 Mill Lane.",
        "Please keep your answers short and answer in French when I write French.",
        "My new address is 9 Dyer's Yard, Tenbury.",
    )
    assert ask(texts, "What is my address now?", speaker="Petra").endswith("9 Dyer's Yard, Tenbury. [3]")


def test_a_visit_that_was_called_off_answers_whether_it_took_place() -> None:
    texts = ("国庆打算带我爸去桐城,十月一号 [2026-10-01]的火车。", "桐城去不成了,我爸发烧,票退了。")
    assert "去不成" in ask(texts, "国庆江晚和爸爸去桐城了吗?", speaker="江晚")


def test_a_stated_stretch_of_time_answers_how_long_before() -> None:
    texts = (
        "The splint came off today [2026-03-02], two weeks early.",
        "Pia's splint was put on in January [2026-01].",
    )
    assert (
        ask(texts, "How many weeks before its planned end did the splint come off?", speaker="Petra")
        == "two weeks early [1]"
    )


def test_half_of_a_double_question_is_answered_when_only_half_is_known() -> None:
    texts = ("My neighbour Ola Berg brought a plum cake.",)
    answer = ask(texts, "Who brought the plum cake, and when was the boat sold?", speaker="Petra")
    assert "Ola Berg" in answer


def test_a_line_of_a_screen_is_quoted_alone() -> None:
    item = Item(
        number=1, kind="message", at=START, role="user", speaker="", name="Ticket",
        text="Berth 7B (lower), deck 2\nQuiet area. There is a socket.\nTotal 40.00", outdated=False, is_screen=True,
    )  # fmt: skip
    call = Call(
        now=START, messages=(), memories=(), core=(), items=(item,), question="Which berth do I have?", asked_at=START,
        is_final=True, searches=0, failed=(), is_repair=False,
    )  # fmt: skip
    assert answer_question(call).text == "Berth 7B (lower), deck 2 [1]"


def test_the_name_of_a_relative_is_not_taken_from_somebody_elses_shop() -> None:
    texts = ("我爸跑长途,我妈在镇上开面馆,店名叫“一碗香”。", "我叔叔叫路远山。")
    assert ask(texts, "江晚的爸爸叫什么名字?", speaker="江晚") == "我不知道。"


def test_a_sentence_on_the_right_person_alone_is_no_answer() -> None:
    texts = ("Mrs Tamsin Polk from the lock house was moved to the upper cottage. She is thrilled.",)
    assert ask(texts, "What instrument does Tamsin Polk play?", speaker="Petra Vance") == "I don't know."
    assert ask(("我和室友鲁一鸣、苗小安报了个木工班。",), "鲁一鸣学什么专业?", speaker="江晚") == "我不知道。"


def test_of_two_codes_the_later_is_the_current_one() -> None:
    texts = (
        "The bike lock code is {{vault:aaaa}}.",
        "New lock on the bike: {{vault:bbbb}}.",
        "It rained.",
        "I drink tea.",
    )
    assert "{{vault:bbbb}}" in ask(texts, "What is the code of the bike lock now?", speaker="Petra Vance")


def test_a_word_in_capitals_is_no_name_that_has_to_occur() -> None:
    texts = ("The petty cash card: pin {{vault:k7q2}}.",)
    assert "{{vault:k7q2}}" in ask(texts, "What is the PIN of the petty cash card?", speaker="Petra Vance")


def test_a_home_told_over_two_sentences_is_the_newest() -> None:
    texts = ("home is 88 Weir Road, top floor", "we're in. 3 Cooper Gardens, boxes everywhere")
    assert "3 Cooper Gardens" in ask(texts, "Where does Petra live now?", speaker="Petra Vance")


@pytest.mark.parametrize(
    ("told", "question", "expected"),
    [
        ("My name is Robin.", "What is my name?", "Robin"),
        ("My name is Robin.", "Who am I?", "Robin"),
        ("Hello, I'm Petra Vance, 36.", "What am I called?", "Petra Vance"),
        ("I work as a welder at the Braunston yard.", "Where do I work?", "Braunston"),
        ("我叫江晚,修手风琴的。", "我叫什么名字?", "江晚"),
        ("上周五我搬到了扬州。", "我住在哪里?", "扬州"),
        ("我搬到了扬州。", "我现在住哪儿?", "扬州"),
    ],
)
def test_who_one_is_and_where_one_lives_and_works_is_known(told: str, question: str, expected: str) -> None:
    assert expected in ask((told, "The kettle is on."), question, speaker="User")


@pytest.mark.parametrize("told", ["My boat is called Robin.", "I'm Danish by birth", "我的狗叫艾草。"])
def test_what_something_else_is_called_is_not_ones_own_name(told: str) -> None:
    question = "我叫什么名字?" if told[0] == "我" else "What is my name?"
    assert ask((told, "The kettle is on."), question, speaker="User") in ("I don't know.", "我不知道。")


def test_a_memory_that_the_asked_one_told_speaks_of_them() -> None:
    told = replace(memory_item(1, "core", "", "I drink rooibos these days."), speaker="Petra")
    assert "rooibos" in answer_from((told,), "What does Petra drink now?")
    assert answer_from((replace(told, speaker="Ferris"),), "What does Petra drink now?").startswith("I don't know")


def test_a_secret_that_was_never_sealed_is_read_as_one() -> None:
    assert "Quartz-Lintel-58" in ask(
        ("Nice weather.", "The wifi password at the boathouse is Quartz-Lintel-58."),
        "What is the wifi password of the boathouse?",
        speaker="Petra",
    )
