"""Short quotes: the part of a sentence that carries an answer, within the limit of a short reply."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mirix.models.builtin.language import BRACKET, HAN, content_terms, is_chinese, split_clauses
from mirix.models.builtin.signals import has

WORD_LIMIT = 25
HAN_LIMIT = 40
_BORDER_MARKS = " ,;:,;:—–-"

_CANDIDATES = {
    "count": (
        r"\d|[一二两三四五六七八九十百千万半]+(?=[个只条块元岁次人本张件斤公里米口]|$)|\b(?:one|two|"
        r"three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred|"
        r"thousand|dozen|half|once|twice)\b"
    ),
    "duration": (
        r"\d|[一二两三四五六七八九十百半]+(?:个)?(?:小时|分钟|天|周|星期|月|年)|\b(?:one|two|three|"
        r"four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|a|an|half)\b[\w -]{0,12}\b(?:minute|"
        r"hour|day|week|month|year)s?"
    ),
    "where": (
        r"\b(?:in|at|on|to|near|by|from|above|behind|opposite|into)\b (?:the |an? |my |our |his |her |"
        r"their )?\w|\b(?:street|road|square|floor|building|room)\b|在|到|路|街|楼|城|市|区|店|馆|室|"
        r"院|边"
    ),
    "home": r"\b(?:in|at|on|to|near|above|into) (?:the |an? )?[A-Z\d\w]|路|街|村|区|镇|楼|号|小院|院|苑|城|市",
    "employer": r"\b(?:at|for|in|with|joined) (?:the |a )?\w|在|公司|集团|单位|院|局|校|厂|店",
    "job": (
        r"\b(?:is|was|am|['’]m|['’]s|works?|worked|as) (?:now )?(?:an? |the )?\w+|"
        r"\bI \w+ .{2,40} for a living|"
        r"做(?!什么|手术).{1,8}[的,]|当.{1,8}|[是开].{0,10}(?:师|员|生|工|医|匠|司机|经理|教授|警|士|"
        r"店|铺|的)|工作|上班|教|修"
    ),
    "who": r"\b[A-Z][a-z]+|[\u4e00-\u9fff]",
    "name": r"\b[A-Z][a-z]+|[\u4e00-\u9fff]",
    "why": r"\b(?:because|since|so that|due to|as|to)\b|因为|所以|为了|由于|怕|免得",
    "secret": r"\{\{vault:",
    "exact": r"\{\{vault:|\d{3,}|@|https?:|\d+ [A-Z]",
    "when": (
        r"\[\d{4}|\d{4}-\d\d|\d{1,2}(?:st|nd|rd|th)?(?: of)? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|"
        r"Oct|Nov|Dec)|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* \d|"
        r"\b(?:in|since|of|until) (?:1[89]|20)\d\d\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?\b|"
        r"(?:周|星期|礼拜)[一二三四五六日天]|"
        r"[\d一二三四五六七八九十]月|[\d一二三四五六七八九十]+号"
    ),
    "money": (
        r"[$€£¥]\s?\d|\d[\d,.]* ?(?:k\b|pounds?|dollars?|euros?|kr|yuan|bucks|quid|francs?)|\b(?:for|"
        r"cost|costs|pay|paid|is|charged|at|from|to) \d[\d,.]*(?=[\s.,;!]|$)|"
        r"[\d一二两三四五六七八九十百千万]+(?:块|元|万|千|百)|[一二两三四五六七八九]百"
    ),
    "age": r"\b\d{2}\b|岁|[一二三四五六七八九]?十[一二三四五六七八九]?|\byears old\b|\bturn(?:ed|ing)\b",
}


# Kinds whose answer has a shape of its own: a quote that has it needs no neighbours.
_TELLING = frozenset({"count", "duration", "money", "age", "when"})


def carries(kind: str, text: str) -> bool:
    """Whether a text holds something of the sort a question of this kind asks for."""
    pattern = _CANDIDATES.get(kind)
    return pattern is None or re.search(pattern, text) is not None


def size_of(text: str) -> float:
    """Length as a share of the limit of a short reply (1.0 = just fits)."""
    if is_chinese(text):
        return len(re.sub(r"\s", "", text)) / HAN_LIMIT
    return len(text.split()) / WORD_LIMIT


def short_quote(sentence: str, terms: set[str], kind: str, room: float = 1.0) -> str:
    """The run of clauses that holds most of the question's words and an answer of its kind, no longer than `room`
    short replies.
    """
    text = BRACKET.sub("", sentence).strip() if kind != "when" else sentence.strip()
    if size_of(text) <= room:
        return _clean(text)
    clauses = split_clauses(text)
    best, best_score = "", -1.0
    for start in range(len(clauses)):
        for end in range(start + 1, len(clauses) + 1):
            run = _between(text, clauses[start], clauses[end - 1])
            if size_of(run) > room:
                break
            score = len(terms & set(content_terms(run))) + 0.8 * carries(kind, run) + 0.15 * (end - start)
            if score > best_score:
                best, best_score = run, score
    return _clean(best or _window(text, terms, room))


def fill_quote(sentences: Sequence[str], order: int, terms: set[str], kind: str, room: float) -> str:
    """A short quote of one sentence, with its neighbours as far as they fit: the answer often stands right beside
    the words of the question.
    """
    quote = short_quote(sentences[order], terms, kind, room)
    joint = "" if is_chinese(quote) else " "
    first, last = order, order
    if kind in _TELLING and carries(kind, quote):
        return quote
    while True:
        after = _neighbour(sentences[last + 1]) if last + 1 < len(sentences) else ""
        before = _neighbour(sentences[first - 1]) if first > 0 else ""
        if after and size_of(f"{quote}{joint}{after}") <= room:
            quote, last = f"{quote}{joint}{after}", last + 1
        elif before and size_of(f"{before}{joint}{quote}") <= room:
            quote, first = f"{before}{joint}{quote}", first - 1
        else:
            return quote


def _neighbour(sentence: str) -> str:
    """A sentence that may stand beside a quote; greetings and thanks tell nothing."""
    text = _clean(BRACKET.sub("", sentence))
    return "" if has("greeting", text) and size_of(text) < 0.25 else text


_VALUE_WORDS = (
    (r"phone|telephone|mobile|call|电话|手机", r"\d[\d ()+-]{5,}"),
    (r"e-?mail|邮箱", r"@"),
    (r"link|url|website|page|网址|链接|网站", r"https?:|www\.|\w\.\w{2,}/"),
    (r"address|street|postcode|地址|邮编", r"\d|号"),
    (r"number|reference|code|booking|serial|plate|号|编号", r"\d"),
)


def fits_value(question: str, entry_type: str, value: str) -> bool:
    """Whether a value is of the sort a question names: a telephone number for "phone", a link for "website"."""
    for words, shape in _VALUE_WORDS:
        if re.search(words, question, re.IGNORECASE):
            is_account = (
                entry_type == "account" and re.search(r"(?i)phone|telephone|mobile|电话|手机", question) is not None
            )
            return re.search(shape, value) is not None and not is_account
    return True


_ENTRY_WORDS = (
    (r"phone|telephone|mobile|e-?mail|address|postcode|电话|手机|邮箱|地址|邮编", "contact_info"),
    (r"link|url|website|page|网址|链接|网站", "bookmark"),
    (r"password|passcode|\bpin\b|api key|token|密码|口令|密钥|令牌", "credential"),
)


def fits_entry(question: str, entry_type: str) -> bool:
    """Whether a vault entry of a type may hold what a question names; an unknown type may hold anything."""
    for words, wanted in _ENTRY_WORDS:
        if re.search(words, question, re.IGNORECASE):
            return entry_type in {wanted, ""} or (
                wanted == "credential" and entry_type in {"api_key", "account", "other"}
            )
    return True


def is_open_value(question: str) -> bool:
    """Whether a question names a sort of value that is never sealed."""
    return any(re.search(words, question, re.IGNORECASE) for words, _ in _VALUE_WORDS[:4])


def _between(text: str, first: str, last: str) -> str:
    start = text.find(first)
    return text[start : text.find(last, start) + len(last)]


def _window(text: str, terms: set[str], room: float) -> str:
    """A run of words without clause borders: centred on the first of the question's words."""
    if HAN.search(text) and is_chinese(text):
        limit = int(HAN_LIMIT * room)
        at = min((text.find(term) for term in terms if term in text), default=0)
        start = max(0, min(at - limit // 3, len(text) - limit))
        return text[start : start + limit]
    tokens = text.split()
    limit = max(4, int(WORD_LIMIT * room))
    hits = [index for index, token in enumerate(tokens) if terms & set(content_terms(token))]
    start = max(0, min((hits[0] if hits else 0) - limit // 3, len(tokens) - limit))
    return " ".join(tokens[start : start + limit])


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(_BORDER_MARKS)
