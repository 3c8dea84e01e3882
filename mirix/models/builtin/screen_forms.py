"""The form of what is asked for, as it stands on a screen: an amount, a clock time, a code, a room, a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mirix.models.builtin.language import BRACKET, HAN, content_terms, plain, stem
from mirix.models.builtin.questions import Question
from mirix.models.builtin.screen_lines import NAME

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_WEEKDAY = r"(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?"
_COUNTING = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_HAN_DIGITS = "一二两三四五六七八九十"
CLOCK = re.compile(
    r"(?<![\d:.])\d{1,2}[:：]\d\d(?![\d:])|\b\d{1,2} ?[ap]\.?m\b|\bo'clock\b"
    rf"|\b(?:half past|quarter (?:past|to)|noon|midnight)\b|\bat (?:\d{{1,2}}|{_COUNTING})\b"
    rf"|[\d{_HAN_DIGITS}]+ ?[点時时](?!子|候|间|内)",
    re.IGNORECASE,
)
DAY = re.compile(
    rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|\b{_MONTH}\.? \d{{1,2}}\b|\b{_WEEKDAY}\b"
    r"|\b\d{4}-\d\d-\d\d\b|\b\d{1,2}[./]\d{1,2}\b|\b(?:today|tomorrow|tonight|yesterday|next week|next month)\b"
    rf"|[\d{_HAN_DIGITS}]+ ?月(?: ?[\d{_HAN_DIGITS}]+ ?[日号])?|[\d{_HAN_DIGITS}]+ ?[日号](?!码|线)"
    r"|(?:周|星期|礼拜)[一二三四五六日天末]|[今明后昨]天|下周|下个?月"
)
_AMOUNT = re.compile(
    r"[$€£¥￥]\s?\d|\d[\d,.]* ?(?:euros?|dollars?|pounds?|yuan|kr|francs?|EUR|USD|GBP|CNY|RMB|CHF)\b"
    r"|\d[\d,.]* ?[元块万]|(?<![\d.:])\d[\d,]*\.\d\d(?![\d.:])"
)
_NUMBER = re.compile(
    rf"\d|\b(?:{_COUNTING}|dozen|hundred|thousand|twenty|thirty|forty|fifty)\b"
    rf"|[{_HAN_DIGITS}百千万半]+ ?[个只条张本件箱位人份次块元天年月周]",
    re.IGNORECASE,
)
_DURATION = re.compile(
    rf"(?:\d+|\b(?:an?|{_COUNTING}|half))[ -]?(?:an )?"
    r"(?:sec(?:ond)?|min(?:ute)?|h(?:ou)?r|day|night|week|month|year)s?\b"
    rf"|[\d{_HAN_DIGITS}半]+ ?个?(?:秒|分钟?|小时|天|日|周|星期|月|年)",
    re.IGNORECASE,
)
CODE = re.compile(
    r"\{\{vault:[^}]*\}\}|(?<![\w.,:/-])(?=[\w-]*\d)[A-Z\d][A-Za-z\d-]{2,}(?![\w%]|[.,:]\d)"
    r"|\+?\d[\d ()-]{6,}\d|\S+@\S+|https?://\S+"
)
_ROOM = re.compile(
    rf"(?!{_WEEKDAY} |{_MONTH} )[A-ZÀ-Þ]\w+ \d+(?:\.\d+)?\b(?!:)|\b[Rr]oom [A-Z\d]\w*"
    r"|\b[A-Z]-?\d{1,3}(?:\.\d+)?\b|\d{2,4} ?室|[\u4e00-\u9fff]{1,4}(?:厅|室|阁|轩)"
)
_NO_ROOM = re.compile(r"会议室|办公室|教室|储藏室|会议厅|餐厅|\broom\b(?! [A-Z\d])")
_PLACE = re.compile(
    r"(?<=[\w,&] )(?!I\b)[A-ZÀ-Þ][\w'’]+|\b(?:in|at|on|near|behind|opposite|under) (?:the |an? )?\w+"
    r"|\b(?:street|road|square|floor|building|room|desk)\b|在(?!线)|[路街楼城区店馆室厅院园]|号"
)
# What a shell writes before a command, as it is read: `root@vm:/srv#`, `[anna@vm srv]$`, `anna@vm ~ %`, `>`.
_PROMPT = re.compile(
    r"^\W{0,2}(?:[\w.-]+@[\w.-]+(?:[^\s#$%>]*(?: [~/A-Za-z][^\s#$%>]*)?) ?[#$%>]|(?:[#%>❯]{1,3}|\$(?! ?\d)))(?:\s+|$)"
)
_PERSON = re.compile(NAME.pattern)
_PERSON_HAN = re.compile(r"[\u4e00-\u9fff]{2,4}")

_ASKED = (
    (
        "source",
        r"\b(?:which|what) (?:app|application|program(?:me)?|window|web ?site|site|tool|software)\b"
        r"|哪(?:个|款|一个)(?:应用|程序|软件|窗口|网站|网页|工具)|什么(?:应用|程序|软件|网站)",
    ),
    ("command", r"\b(?:which|what)(?: \w+)? command\b|哪[条个]?命令|什么命令"),
    ("room", r"\b(?:which|what)(?: \w+)? (?:room|hall|desk)\b|哪(?:个|间)?(?:会议室|房间|教室|厅|办公室|包间)"),
    ("clock", r"\bwhat time\b|\bwhat hour\b|几点|几时|什么钟点"),
)
_NAMES_DAY = re.compile(
    rf"\b(?:on|for|this|next) {_WEEKDAY}\b|(?:周|星期|礼拜)[一二三四五六日天]|[今明后]天|\b(?:today|tomorrow)\b"
)
_OF_FORM = {"secret": "code", "exact": "code"}


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


_FORM_WORDS = {
    "source": _stems(
        "app application program programme window website page site tool software read write see wrote saw note look"
    ),
    "money": _stems("money much cost price pay paid charge charged amount"),
    "when": _stems("take place happen date day time"),
    "clock": _stems("take place happen begin start time have"),
    "who": _stems("say said tell told ask asked write wrote post suggest propose mention announce report person"),
    "command": _stems("command run make made type typed use"),
    "code": _stems("number have find"),
    "what": _stems("say said show shown write written stand"),
}
_FORM_WORDS_ZH = re.compile(
    r"原来|以前|之前|原先|最初|一开始|现在|目前|当前|最新|一共|总共|到底|具体|多少钱?|什么时[候间]|什么|多久|之内|以内"
    r"|哪(?:个|间|款|条|一个)?|几[\u4e00-\u9fff]?|会议室|应用程序|应用|程序|软件|窗口|网站|网页|命令|上午|下午|晚上|早上"
    r"|是谁|谁|(?:提议|提出|提到|说|写|发)的?(?=[?]?$)|(?:看到|看见|读到|记下|写下)(?:过|了|的)?"
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What form a question asks for."""

    form: str  # source, command, room, clock, when, money, count, duration, code, who, where, what
    counted: str  # the measure word of a Chinese 几, the noun of "how many"; "" where none is named


def asked_form(question: Question) -> Asked:
    """The form that what answers must have."""
    for form, words in _ASKED:
        if re.search(words, question.text, re.IGNORECASE):
            return Asked(form=form, counted="")
    if question.kind == "when":
        return Asked(form="clock" if _NAMES_DAY.search(question.text) else "when", counted="")
    if question.kind == "count" and re.search(
        r"\bmoney\b|\bleft\b.*\bbudget\b|\bbudget\b|单价|总价|金额|费用|余额|预算", question.text
    ):
        return Asked(form="money", counted="")
    counted = re.search(r"(?i)\bhow many ([a-z]+)|[几](?P<zh>[\u4e00-\u9fff])", question.text)
    noun = (counted["zh"] or counted[1] or "") if counted is not None and question.kind == "count" else ""
    known = {"money", "count", "duration", "who", "where", "how_to", "why", "yes_no", "manner", "limit"}
    form = question.kind if question.kind in known else _OF_FORM.get(question.kind, "what")
    return Asked(form=form, counted=noun)


def asked_terms(question: Question, asked: Asked) -> tuple[str, ...]:
    """The terms that a screen must hold. The words for the form itself are left out: an amount need not stand beside
    the word "cost", and whoever says a thing is named, not said to say it."""
    if question.chinese:
        bare = _FORM_WORDS_ZH.sub(" ", question.text)
        return tuple(dict.fromkeys(content_terms(bare, question=True)))
    words = _FORM_WORDS.get(asked.form, frozenset())
    return tuple(term for term in question.terms if term not in words)


def holds_form(asked: Asked, text: str, question: str) -> bool:
    """Whether a line holds a thing of the form that is asked for, and not one that the question names."""
    bare = BRACKET.sub("", text)
    if asked.form == "clock":
        return CLOCK.search(bare) is not None
    if asked.form == "when":
        return any(found.group() not in question for pattern in (DAY, CLOCK) for found in pattern.finditer(bare))
    if asked.form == "money":
        return _AMOUNT.search(bare) is not None
    if asked.form == "duration":
        return any(found.group() not in question for found in _DURATION.finditer(bare))
    if asked.form == "count":
        return any(found.group() not in question for found in _NUMBER.finditer(bare)) and _counts(asked, bare)
    if asked.form == "code":
        return any(found.group() not in question for found in CODE.finditer(bare))
    if asked.form == "room":
        return any(found.group() not in question for found in _ROOM.finditer(_NO_ROOM.sub(" ", bare)))
    if asked.form == "where":
        return any(found.group() not in question for found in _PLACE.finditer(plain(bare)))
    if asked.form == "command":
        return command_in(bare) != ""
    return True


def without_prompt(text: str) -> str:
    """A line without the prompt of a shell before it, which answers nothing."""
    return _PROMPT.sub("", text)


def command_in(text: str) -> str:
    """The command on a line of a terminal, without its prompt; "" where there is none."""
    found = re.match(r"[\w~/@:.()\[\] -]*[$#%>] ?(?P<command>\S.*)$", text) or re.match(
        r"(?P<command>\.{0,2}/[a-z][\w./-]*(?: .*)?)$", text
    )
    return found["command"].strip() if found is not None else ""


def person_in(text: str, question: str, chinese: bool) -> str:
    """A person a line names whom the question does not."""
    for found in _PERSON.finditer(plain(text)):
        if found.group() not in question:
            return found.group()
    if chinese and HAN.search(text):
        whole = _PERSON_HAN.fullmatch(plain(text).strip())
        return whole.group() if whole is not None and whole.group() not in question else ""
    return ""


def codes_in(text: str, question: str) -> list[str]:
    """What looks like a code or a number to keep, in order."""
    return [
        found.group() for found in CODE.finditer(BRACKET.sub("", without_prompt(text))) if found.group() not in question
    ]


def _counts(asked: Asked, text: str) -> bool:
    """Whether a number stands before what is counted."""
    if not asked.counted:
        return True
    if HAN.match(asked.counted):
        return re.search(rf"[\d一二两三四五六七八九十百千万半] ?{asked.counted}", text) is not None
    noun = re.escape(asked.counted[:-1] if asked.counted.endswith("s") else asked.counted)
    number = r"(?:\d[\d,.]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty)"
    return re.search(rf"(?i)\b{number} (?:\w+ )?{noun}|\b{noun}\w*:? +{number}\b", text) is not None
