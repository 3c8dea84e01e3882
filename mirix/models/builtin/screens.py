"""What a screen tells, read out of recognised text: one or two statements among menus, clocks and lists.

A line that names a day is worth most (an appointment, a deadline, a journey), with the lines that complete it; where
no line does, the fullest line of prose stands for the screen. The window's title says what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from mirix.models.builtin.language import HAN, content_terms, is_chinese, plain
from mirix.models.builtin.moments import find_moments, find_written_dates
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.signals import has

_MOST = 2
_LINE_LIMIT = 200
_FEWEST_WORDS = 3  # of a line that tells of a failure or a confirmation
_FULL_LINE = 45  # characters of a line that may have been wrapped
_CLOCK = r"\d{1,2}[:.]\d{2}"
_ONLY_CLOCKS = re.compile(rf"^\W*(?:{_CLOCK}\W*)+$")
_ADDRESS_LINE = re.compile(
    r"(?i)^\W*(?:from|to|cc|bcc|sent|发件人|收件人|抄送)\s*:|^\S+@\S+$|^(?:https?://|www\.)?\S+\.\w+/\S*$|^https?:"
)
_ADDRESS = re.compile(r"(?i)\b(?:not ?secure|https?)\b|不安全|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,8}(?::\d+)?/\S*")
_WORD = re.compile(r"[^\W\d_]{3,}|[\u3400-\u9fff]{2}")
_PROMPT = re.compile(r"^(?:[\w.-]+@[\w.-]+[:\s]\S*\s?[$#%]|[$%>]\s|>>>\s|PS [A-Z]:\S*>)")
_FROM_LINE = re.compile(r"(?i)^(?:from|发件人)\s*:")
_OPENED = "\x00"  # stands for the head of the mail that is open
_CLOSING = re.compile(
    r"(?i)^(?:kind |best |warm )?regards\b|^yours \w+|^此致|^敬礼|^(?:reply|forward|archive|回复|转发)\b"
)
_HEAD = re.compile(r"(?i)^(?:dear|hi|hello|good (?:morning|afternoon))\b[^.]{0,40},$|^(?:您好|你好)")
_GOES_ON = re.compile(r"(?::|\b(?:on|at|by|until|from|the|of|for|between|will|before|after|and|to)|[,、在于至到前])$")
_COMPLETES = re.compile(rf"(?i)^(?:between|from|at|until|by)\b.*\d|^{_CLOCK}\s*(?:-|–|to|至)\s*{_CLOCK}")
_PLAN = re.compile(
    r"(?i)\b(?:due|deadline|appointment|inspection|meeting|depart\w*|arriv\w*|flight|train|"
    r"cancel\w*|moved|"
    r"expires?|valid|delivery|closed|open|starts?|take place|until|by|before)\b|截止|预约|会议|"
    r"航班|出发|到期|有效|改到|取消|开始|之前|前"
)
_TITLE_NOISE = re.compile(
    r"\s*[–—|-]\s*(?:Inbox|Sent|Drafts|Google Chrome|Mozilla Firefox|Microsoft Edge|收件箱|已发送)\b.*$|\s*\(\d+\)"
)


@dataclass(frozen=True, kw_only=True)
class _Statement:
    text: str
    order: int
    worth: float


def screen_statements(message: Message) -> list[str]:
    """At most two statements of a screen, best first; none where nothing but menus stands on it."""
    lines = _lines_of(message.text)
    dated = [statement for order in range(len(lines)) if (statement := _dated(lines, order, message.at)) is not None]
    chosen: list[_Statement] = []
    for statement in sorted(dated, key=lambda each: (-each.worth, each.order)):
        if len(chosen) < _MOST and not any(_overlap(statement, other) for other in chosen):
            chosen.append(statement)
    if not chosen:
        fullest = max(range(len(lines)), key=lambda order: _fullness(lines[order]), default=None)
        if fullest is None or _fullness(lines[fullest]) <= 0.0:
            return []
        chosen = [_Statement(text=lines[fullest], order=fullest, worth=1.0)]
    title = _TITLE_NOISE.sub("", message.title).strip()
    # In a mail program the list of mails stands before the mail that is open; the title is that of the mail.
    opened = next((order for order, line in enumerate(lines) if line == _OPENED), 0)
    return [_titled(title if s.order >= opened else "", s.text) for s in chosen]


def without_bars(message: Message) -> Message:
    """A screen without its lines that belong to the window or the desktop and say nothing."""
    kept = [line for line in message.text.splitlines() if not _is_bar(line, message.at)]
    return replace(message, text="\n".join(kept).strip())


def _is_bar(line: str, at: datetime | None) -> bool:
    """Marks and single letters, with an address among them or not; or the bar that shows what time it is."""
    text = plain(line).strip()
    rest = _ADDRESS.sub(" ", text)
    if text and not _WORD.search(rest) and (rest != text or not re.search(r"\d", rest)):
        return True
    if at is None or _PLAN.search(text) or text.endswith(tuple(".!?。！？")):
        return False
    day = rf"(?<!\d)0?{at.day}(?!\d)"
    clock = f"(?:{at:%H:%M}|{at - timedelta(minutes=1):%H:%M})"
    return re.search(rf"{day}.{{0,14}}{clock}|{clock}.{{0,14}}{day}", text) is not None


def _lines_of(text: str) -> list[str]:
    """The lines that say something; prose that was wrapped is one line again."""
    lines: list[str] = []
    for raw in text.splitlines():
        if _FROM_LINE.match(raw.strip()) and _OPENED not in lines:
            lines.append(_OPENED)
        line = _without_prompt(re.sub(r"\s+", " ", raw).strip(" •●◻○■|"))
        is_chrome = not line or _ONLY_CLOCKS.match(plain(line)) or _ADDRESS_LINE.match(line) or _CLOSING.match(line)
        if is_chrome or _HEAD.match(line):
            continue
        wraps = bool(lines) and line[0].islower() and len(lines[-1]) >= _FULL_LINE and lines[-1][-1] not in ".!?;:"
        if wraps:
            lines[-1] = f"{lines[-1]} {line}"
        else:
            lines.append(line)
    return lines


def _without_prompt(line: str) -> str:
    """A line of a terminal: a command says little, the remark behind one what it was for."""
    prompt = _PROMPT.match(line)
    if prompt is None:
        return line
    _, remark, text = line[prompt.end() :].partition("#")
    return text.strip(" ■") if remark else ""


def _dated(lines: Sequence[str], order: int, at: datetime | None) -> _Statement | None:
    """The statement round a line that names another day than that of the screen; None when it names none."""
    line = lines[order]
    days = _days_of(line, at)
    if not days or (at is not None and days <= {at.date()} and not _PLAN.search(plain(line))):
        return None
    parts = [line]
    is_bare = len(content_terms(re.sub(r"\d", "", plain(line)))) <= 3
    if order > 0 and (_GOES_ON.search(plain(lines[order - 1])) or (is_bare and _is_prose(lines[order - 1]))):
        parts.insert(0, lines[order - 1])
    if order + 1 < len(lines) and _COMPLETES.match(plain(lines[order + 1])):
        parts.append(lines[order + 1])
    text = " ".join(parts)
    worth = 1.0 + 0.8 * (_PLAN.search(plain(text)) is not None) + 0.3 * _is_prose(text) + 0.4 * (len(parts) > 1)
    if at is not None and max(days) < at.date():
        worth -= 1.0
    return _Statement(text=text[:_LINE_LIMIT], order=order, worth=worth)


def _days_of(line: str, at: datetime | None) -> set[date]:
    moments = [moment for moment in [*find_moments(line), *find_written_dates(line, at)] if moment.day is not None]
    return {date(moment.year, moment.month or 1, moment.day or 1) for moment in moments}


def _overlap(one: _Statement, other: _Statement) -> bool:
    return abs(one.order - other.order) <= 1 or one.text in other.text or other.text in one.text


def _is_prose(line: str) -> bool:
    if is_chinese(line):
        return len(HAN.findall(line)) >= 10
    return len(re.findall(r"\b[a-z]{2,}\b", plain(line))) >= 4


def _fullness(line: str) -> float:
    """How much a line says: its content words, less where it is a menu or mostly numbers; 0 for scraps."""
    bare = plain(line)
    terms = content_terms(re.sub(r"\d[\d:.,/-]*", " ", bare))
    telling = (
        re.search(r"(?i)\b(?:error|failed|fix|cannot|warning|confirmed|paid)\b|错误|失败|确认|成功", bare) is not None
    )
    if (
        not (_is_prose(line) or (telling and len(terms) >= _FEWEST_WORDS))
        or has("menu_noise", bare)
        or has("advert", bare)
    ):
        return 0.0
    return min(len(terms), 12) + 4.0 * telling + 2.0 * (re.search(r"[.!?。;]$", bare) is not None)


def _titled(title: str, statement: str) -> str:
    if not title or title.lower() in statement.lower():
        return statement
    return f"{title}: {statement}"
