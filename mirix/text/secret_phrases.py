"""Secrets that are told by the words around them: "the wifi password is …", "密码改成了…", "Passport no. …".

A label ("password", "door code", "护照号") is found first, then its value is looked for in this order:

1. after it: `label [for the cabin] is|:|改成 VALUE`, through gaps, leaders and line ends as forms and text recognisers
   give them, and on through lists ("codes: A, B and C");
2. before it: "VALUE is my password", "is VALUE still the code?", "VALUE是我的密码";
3. in the same sentence or the next: "the new one is VALUE", "改成VALUE", and any token that looks random.

How odd the value must look depends on how firmly it is pointed at (`secret_values`). Texts are folded. Each label looks
at a bounded window, so the work is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from mirix.text.secret_captions import caption_for
from mirix.text.secret_kinds import API_KEY, ENTRY_CODE, PASSWORD, Find
from mirix.text.secret_labels import IDENTIFIER_LABEL, PLACE, PLACE_WORD, Label, identifiers_in, labels_in
from mirix.text.secret_shapes import is_example, is_other_number
from mirix.text.secret_values import (
    Pointer,
    is_ordinary,
    is_placeholder,
    looks_random,
    looks_secret,
    read_code,
    read_password,
)

_QUALIFIER = (
    r"(?:\s++(?:for|of|on|to|at|in|from|here|behind|inside|there|by|under)\b[^\n.!?;:=。！？；]{0,60}?"
    r"|\s*+\([^()\n]{1,40}\)|\s*+（[^（）\n]{1,40}）)?"
)
_HAN_QUALIFIER = r"[^\n。！？；;:=，,A-Za-z0-9\"“「]{0,10}?(?:[A-Za-z]{2,12}[\u4e00-\u9fff]{0,6}?)?"
_SIGN = r"(?::|=>?|->|→|⇒|—>)"
_ENGLISH_VERB = (
    r"(?:['’]s|is|was|are|were|will be|should be|has been (?:changed|set|reset|updated) to|(?:got |has |was |is "
    r"|were )?"
    r"(?:changed|switched|updated|rotated) to|(?:is |was )?(?:now )?(?:set|reset) to|to be|becomes?|became|remains"
    r"|reads|says|goes|ends up as)"
)
_ADVERB = (
    r"(?:\s*+,?\s*+(?:(?:now|still|currently|just|simply|actually|again|always|the following|as follows|really"
    r"|literally|also|either|called"
    r"|和|all lower-?case|all caps|lower-?case|upper-?case|capital)\b[\s,:]*|[:=]\s*+))*"
)
_HAN_VERB = (
    r"(?:就是|还是|仍是|仍然是|依然是|应该是|可能是|现在是|一直是|已经是|是不是|用的是|设的是|改的是|写的是|写着"
    r"|变为|是|为|叫做?|"
    r"(?:我?已经?|刚|又|都|给)?(?:改|换|设|变|更新|重置|设置|调整|更改|修改)(?:成了?|为了?|到)|改了[,，]|=|:)"
)
_AFTER = re.compile(
    rf"(?P<close>[\"'*`)\]”」]{{0,3}})(?:{_QUALIFIER}(?:\s*+[\"'*`]{{0,2}}(?P<sign>{_SIGN})(?:\*\*|__)?(?=\s|[^*_]"
    rf"|\*\*\S)|\s*+(?P<verb>{_ENGLISH_VERB})(?![A-Za-z])){_ADVERB}"
    rf"|{_HAN_QUALIFIER}\s*+(?P<hansign>[:=])|{_HAN_QUALIFIER}\s*+(?P<hanverb>{_HAN_VERB})(?:现在|还|就|的"
    rf"|了)?\s*+[:]?)\s{{0,3}}",
    re.IGNORECASE,
)
_GAP = re.compile(
    r"(?P<close>[\"'*`)\]]{0,3})(?:[ \t]{2,}|[ ]?\t\s*+|\s*+[.…·_]{3,}\s*+|\s*+\|\s*+|[ \t]*\r?\n\s{0,6}"
    r"|\s++[-–—]{1,2}\s++|\s*+[（(]\s*+)"
)
_NEXT = re.compile(
    r"(?:(?<![A-Za-z0-9])|(?=[\s,，]))(?![:=])(?:[,，]\s?(?=(?:number|no|nr|号)\b))?\s?(?:(?:(?:to|as|still|now|again)\b|使用|用|还|仍)\s?)?(?=\S)"
)
# "the PIN for the blue card 2764": digits of their own, not a room's or a year's.
_FAR_DIGITS = re.compile(
    r"\s(?:for|of|on|to)\b[^\n.!?;:=,]{0,40}?(?<!room)(?<!flat)(?<!unit)(?<!house)(?<!number)(?<!step)(?<!page)(?<!b"
    r"uilding)"
    r"(?<!since)(?<!until)(?<!in)(?<!at)(?<!on)(?<!by)\s(?!(?:19|20)\d\d\b)(?=\d{4,8}[#*]?(?![\w]|[.,:/-]\d))",
    re.IGNORECASE,
)
_LIST_JOINT = re.compile(
    r"\s{0,2}(?:[,;、，；&]|\band\b|\bor\b|和|或|以及|->|→|\bto\b|改成|换成|,\s*+(?:and|or|then))\s{0,3}", re.IGNORECASE
)
_LINES_JOINT = re.compile(r"(?:\s{0,2}(?:[,;、，；/|•*-]|\band\b))?\s{0,6}(?:\d{1,2}[.)]\s++|[•*-]\s++)?")
_BULLET = re.compile(r"(?:\d{1,2}[.)]\s++|[•*-]\s++)")
_LIST_LIMIT = 32

_BETWEEN = (
    r"(?:(?:still|now|not|really|actually|just|also|always|the|my|our|your|his|her|their|its|a|an|new|old|current"
    r"|right|correct|main|same|only|[\w.’'-]+['’]s|[A-Za-z-]{2,14})\s++){0,6}"
)
_VALUE = r"(?P<value>[\"“「『'`][^\"”」』'`\n]{3,80}[\"”」』'`]|[!-~\u00a1-\u024f]{3,80})"
_EDGE = r"(?:^|[\s(\"“「，。,:;!！?？、])"
_ASKED_BEFORE = re.compile(
    rf"{_EDGE}(?:is|was|isn['’]t|does)\s++{_VALUE}\s++"
    rf"(?:still|now|really|actually|also|not|the|my|our|your|his|her|their|a|even|right as|used as"
    rf"|for)\s++{_BETWEEN}\Z",
    re.IGNORECASE,
)
_STILL = re.compile(r"\s++(?:still|really|actually|now) (?:my|the|our|your|his|her|their)\b", re.IGNORECASE)
_SAID_BEFORE = re.compile(
    rf"{_EDGE}{_VALUE}\s++(?:is|was|are|as|being|remains|isn['’]t|becomes|for)\s++{_BETWEEN}\Z", re.IGNORECASE
)
_HAN_BEFORE = re.compile(
    r"(?P<value>[\"“「『'`][^\"”」』'`\n]{3,80}[\"”」』'`]|[!-+.-~-]{3,80})\s*+[,，]?\s*+(?:这个|那个|还|就|才|不"
    r"|也|真的|仍|依然|好像|应该|以前|现在|一直)*"
    r"(?:是不是|是否是|是|为|当作|当成|当|做|作为|作|用作|用来做|用于|设为|设成|这个|那个|这串"
    r"|\()[^\n,，。！？!?；;]{0,14}\Z"
)
_SENTENCE_END = re.compile(r"(?:[.!?][\"”')]{0,2}(?=\s|$)|[。！？])\s{0,4}|\n\s{0,4}")
_CUE = re.compile(
    r"(?:\b(?:it|that|this|one|ones|mine|ours)(?:['’]s| is| was|['’]ll be| will be| used to be)(?: (?:now|still"
    r"|just|currently|simply|actually|again))?"
    r"|\b(?:changed?|changing|switch(?:ed)?|set|reset|updated?|rotated?|made|moved?)(?: (?:it|that|this|them|mine"
    r"|ours))?(?: back)? (?:from|to)|\bmade it"
    r"|\b(?:now|use|try|tried|using|enter|entered|type|typed|with|punch in|press|key in|dial)|\b(?:instead of"
    r"|rather than|not|used to be)|\bfrom|\bto"
    r"|\b(?:new|old|current|previous|other|second|first|last)(?: one| password| pin| code)?(?: is| was| will be)?"
    r"|(?:新|旧|老|现在|以前|原来|之前|正确|最新|目前)(?:的|密码)?(?:那个)?(?:是|为)?|(?:改|换|变|设|更新)(?:成"
    r"|为)了?|不?是|用|输入?|按|叫|从|到)"
    r"\s*+[:=,，]?\s*+(?=[!-~“「])",
    re.IGNORECASE,
)
# A question and, on the next line or in the next message, the bare answer.
_ANSWER = re.compile(r"[?？吗呢][ \t]*\n\s{0,4}(?=[!-~“「])")
_FOLLOW_CHARS = 300
_CUE_LIMIT = 12
# A key that is shown once stands some lines below the words that tell what it is.
_KEY_CHARS = 240
_GROUPED_KEY = re.compile(r"(?<![A-Za-z0-9-])(?=[A-Z-]{0,40}\d)[A-Z0-9]{4,6}(?:-[A-Z0-9]{4,6}){3,9}(?![A-Za-z0-9-])")
_PAIR = re.compile(
    r"(?:\b(?:user(?:name)?|login|account|id|e-?mail)s?\s{0,2}(?:/|and|&|\+|,)\s{0,2}(?:password|passwd|pass|pw"
    r"|pwd)|\bcred(?:ential)?s?|\blog[- ]?ins?|\bsign[- ]?in"
    r"|(?:账号|账户|用户名?|帐号|登录名)\s?[/和、及,，+]?\s?(?:密码|密碼|口令)|登录信息)(?:\s++(?:for|to|on|with|at"
    r"|details|data|in)\b[^\n:=.]{0,40}?)?\s*+"
    r"(?P<sign>[:=]|\bis\b|\bare\b|\bwith\b|\bas\b|分别是|分别为|是|为"
    r"|\s)\s{0,3}(?P<user>[\w.@+-]{2,60})(?:\s{0,3}[/|,，:、]\s{0,3}|\s++(?:and|和)\s++|\s{2,})(?P<next>\S)",
    re.IGNORECASE,
)
# "Spotify -> karin_n / Kite-6604-red": taken when the last part looks random.
_BARE_PAIR = re.compile(
    r"(?:->|→|:|=)\s{0,3}[\w.@+-]{2,60}\s{0,2}/\s{0,2}(?P<value>[!-.0-~\u00a1-\u024f]{8,64})(?=\s|$)"
)
_KEYPAD = re.compile(
    r"(?:\b(?:punch in|press|dial|key in|(?:unlock|open|(?:dis)?arm|lock)(?:s|ed)? (?:\w+ ){0,3}(?:with|by|using))"
    r"|按|输入|输"
    r"|拨)\s*+(?P<keyed>[#*]?\d{3,10}[#*]?)(?![\w:.-]*\d)"
    r"(?!\s(?!(?:and|or|at|to|on|in|then|for)\b)[A-Za-z])"
    r"|(?<![\w#*.,:/-])(?P<marked>\d{3,10}[#*])(?![\w#*])"
    r"|\b(?:chang|switch|reset|mov)\w*\s[^\n.!?]{0,40}?\bfrom (?P<old>\d{3,8}[#*]?) to (?P<new>\d{3,8}[#*]?)(?!\s?(?"
    r":[\d.,:%]|mm|cm|kg|euros?|dollars?))",
    re.IGNORECASE,
)
_PLACE_AND_DIGITS = re.compile(
    rf"\b{PLACE}(?: (?:door|gate|lock))?[ ,:]{{1,3}}(?P<value>\d{{3,8}}[#*]?)(?![\w/:-]|[.,]\d)", re.IGNORECASE
)


def find_labelled(text: str) -> Iterator[Find]:
    """Every labelled secret in folded text; spans may overlap one another."""
    paired: list[tuple[int, int]] = []
    for found in _PAIR.finditer(text):
        if find := _read_pair(text, found):
            paired.append((found.start(), find.end))
            yield find
    taken = iter([*paired, (len(text) + 1, len(text) + 1)])
    pair = next(taken)
    covered: dict[str, int] = {}
    for label, start, end in labels_in(text):
        while pair[1] <= start:
            pair = next(taken)
        if not pair[0] <= start < pair[1]:
            yield from _read_label(text, label, start, end, covered)
    for start, end in identifiers_in(text):
        yield from _read_label(text, IDENTIFIER_LABEL, start, end, covered)
    yield from _keypads(text)


def _read_label(text: str, label: Label, start: int, end: int, covered: dict[str, int]) -> Iterator[Find]:
    if is_example(text, start):
        return
    caption = (
        caption_for(text, label.kind, start, end)
        if label is not IDENTIFIER_LABEL
        else _identifier_caption(text[start:end])
    )
    span = _value_after(text, label, end)
    if span is None and label.roams:
        span = _value_before(text, label, start)
    spans = [span] if span else []
    if span and span[0] >= end and label is not IDENTIFIER_LABEL:
        spans += _rest_of_list(text, label, span)
    if label.roams:
        spans += _values_near(text, label, start, max(end, span[1] if span else end), covered)
    for value_start, value_end in spans:
        if not is_example(text, value_start) or value_start < start:
            yield Find(start=value_start, end=value_end, kind=label.kind, caption=caption)


def _value_after(text: str, label: Label, end: int) -> tuple[int, int] | None:
    if found := _AFTER.match(text, end):
        pointer = Pointer.SIGN if found["sign"] or found["hansign"] else Pointer.VERB
        start = found.end()
        if label is IDENTIFIER_LABEL:
            return _assigned(text, start)
        if pointer == Pointer.SIGN and label.kind in (PASSWORD, API_KEY) and _CODE_VALUE.match(text, start):
            return None
        direct = start - end <= 6
        if label.name in ("recovery", "one_time") and (bullet := _BULLET.match(text, start)):
            start = bullet.end()
        if pointer >= label.weakest and (label.name != "key" or start - end <= 24):
            span = label.read(text, start, pointer)
            if span or direct:
                return span
    if label.weakest > Pointer.NEAR:
        return None
    if (found := _GAP.match(text, end)) and (span := label.read(text, found.end(), Pointer.LAYOUT)):
        return span
    if (found := _NEXT.match(text, end)) and (span := label.read(text, found.end(), Pointer.NEAR)):
        return span
    if label.read is read_code and (found := _FAR_DIGITS.match(text, end)):
        return label.read(text, found.end(), Pointer.NEAR)
    return None


def _value_before(text: str, label: Label, start: int) -> tuple[int, int] | None:
    window_start = max(0, start - 120)
    window = text[window_start:start]
    ends = [found.end() for found in _SENTENCE_END.finditer(window)]
    if ends and ends[-1] < len(window):
        window_start += ends[-1]
        window = text[window_start:start]
    if not _LINKED.search(window):
        return None
    for pattern in (_ASKED_BEFORE, _SAID_BEFORE, _HAN_BEFORE):
        found = pattern.search(window)
        if not found:
            continue
        # "Is swordfish still my password?" points firmly enough for a plain word.
        pointer = (
            Pointer.VERB if pattern is _ASKED_BEFORE and _STILL.match(window, found.end("value")) else Pointer.NEAR
        )
        span = label.read(window[: found.end("value")], found.start("value"), pointer)
        if span and not is_other_number(text, window_start + span[0]):
            return window_start + span[0], window_start + span[1]
    return None


_LINKED = re.compile(
    r"\s(?:is|was|as|are|being|remains|isn['’]t|becomes|for|still|now|really|actually|also|not|the|my|our|your|his"
    r"|her|their|a|even)\s"
    r"|[是为当做作用设这(]",
    re.IGNORECASE,
)


def _rest_of_list(text: str, label: Label, first: tuple[int, int]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    end = first[1]
    while len(spans) < _LIST_LIMIT:
        end += 1 if text[end : end + 1] in tuple("\"'”」`") else 0
        joint = (_LINES_JOINT if label.name == "recovery" else _LIST_JOINT).match(text, end)
        span = label.read(text, joint.end(), Pointer.NEAR) if joint else None
        if span is None or not any(c.isdigit() for c in text[slice(*span)]):
            break
        spans.append(span)
        end = span[1]
    return spans


def _values_near(text: str, label: Label, start: int, end: int, covered: dict[str, int]) -> list[tuple[int, int]]:
    """Values told by a cue in this sentence or the next, and random-looking tokens in this sentence.

    `covered` remembers how far each label has looked: the same words are not gone through again for its next mention.
    """
    limit = min(len(text), end + _FOLLOW_CHARS)
    ends = [found.end() for found in _SENTENCE_END.finditer(text, end, limit)]
    sentence_end = ends[0] if ends else limit
    next_end = ends[1] if len(ends) > 1 else limit
    spans: list[tuple[int, int]] = []
    if next_end - covered.get(label.name, -_FOLLOW_CHARS) < (1 if len(ends) > 1 else _FOLLOW_CHARS // 3):
        return spans
    covered[label.name] = next_end
    answer_end = ends[3] if len(ends) > 3 else limit
    cues = islice(_CUE.finditer(text, end, next_end), _CUE_LIMIT)
    for cue in (*cues, *_ANSWER.finditer(text, end, answer_end)):
        span = label.read(text, cue.end(), Pointer.NEAR)
        if span and _is_telling(text, cue, span, label):
            spans.append(span)
    if label.kind is ENTRY_CODE:
        spans += [found.span("value") for found in _PLACE_AND_DIGITS.finditer(text, end, next_end)]
    if label.kind is API_KEY or label.name == "recovery":
        spans += _keys_below(text, end)
    if label.name in ("password", "passphrase", "api"):
        window_start = max(0, start - 80)
        begins = [found.end() for found in _SENTENCE_END.finditer(text, window_start, start)]
        for found in _RANDOM.finditer(text, begins[-1] if begins else window_start, min(sentence_end, end + 80)):
            token = found.group().rstrip(".,;:?!'\")")
            beside = found.start() >= end or found.end() <= start
            if beside and looks_random(token) and not is_other_number(text, found.start()):
                spans.append((found.start(), found.start() + len(token)))
    return spans


_RANDOM = re.compile(r"(?<![^\s\"'“「(:=，。、])[!#-&*+\-.0-9;?@A-Z^_a-z~]{8,64}")


def _keys_below(text: str, end: int) -> Iterator[tuple[int, int]]:
    limit = min(len(text), end + _KEY_CHARS)
    for found in _GROUPED_KEY.finditer(text, end, limit):
        yield found.span()
    for found in _RANDOM.finditer(text, end, limit):
        token = found.group().rstrip(".,;:?!'\")")
        if (
            len(token) >= 16
            and sum(c.isdigit() for c in token) >= 3
            and looks_random(token)
            and not is_other_number(text, found.start())
        ):
            yield found.start(), found.start() + len(token)


def _is_telling(text: str, cue: re.Match[str], span: tuple[int, int], label: Label) -> bool:
    value = text[slice(*span)]
    if is_other_number(text, span[0]):
        return False
    if not re.sub(r"[ #*-]", "", value).isdigit():
        return looks_secret(value) and len(value) >= 5
    if label.name == "api" or _YEAR.fullmatch(value):
        return False
    word = cue.group().strip(" \t\n\"“「'`:=,，").lower()
    return word not in _WEAK_CUES or (
        word in _CHANGE_CUES and _CHANGE.search(text, max(0, cue.start() - 60), cue.start()) is not None
    )


_YEAR = re.compile(r"(?:19|20)\d\d")
_CHANGE_CUES = frozenset(("to", "from", "从", "到"))
_WEAK_CUES = _CHANGE_CUES | {"with", "now", "not", "use", "using", "用", "是", "不是"}
_CHANGE = re.compile(r"\b(?:chang|switch|reset|updat)|改|换", re.IGNORECASE)


def _assigned(text: str, start: int) -> tuple[int, int] | None:
    """The literal on the right of `DB_PASSWORD=` or `"api_key":`; None for code, names and placeholders."""
    if _CODE_VALUE.match(text, start):
        return None
    span = read_password(text, start, Pointer.SIGN)
    if span and text[span[0] - 1] not in "\"'" and " " in text[slice(*span)]:
        return None
    return span


_CODE_VALUE = re.compile(
    r"(?:os|process|self|env|args|config|settings|this|request|req|response|res|options|opts|params|ctx|vault"
    r"|secrets|context|user|data"
    r"|get\w*|read\w*|load\w*)(?:\.[a-z_]|\[|\()|[A-Za-z_]\w*(?:\.\w+)*\([\w\"', .]*\)|f[\"']|\$[({]|\$[A-Z_]{3,}\b"
    r"|<[^>\n]*>|\{|\["
    r"|(?:str|int|bool|string|number|boolean|any|Optional|SecretStr|bytes|char|text|varchar)\b",
    re.IGNORECASE,
)


def _read_pair(text: str, found: re.Match[str]) -> Find | None:
    """The password of "user/pass: bob / hunter2"."""
    start = found.start("next")
    firm = found["sign"] in (":", "=") and "/" in found.group()
    span = read_password(text, start, Pointer.SIGN if firm else Pointer.NEAR)
    if (
        span is None
        or is_example(text, found.start())
        or is_placeholder(found["user"])
        or is_ordinary(text[slice(*span)])
    ):
        return None
    return Find(
        start=span[0], end=span[1], kind=PASSWORD, caption=caption_for(text, PASSWORD, found.start(), found.start())
    )


def _keypads(text: str) -> Iterator[Find]:
    """ "Press 4711# at the gate": digits to be keyed in, where the sentence names a door, a lock or an alarm."""
    for found in _KEYPAD.finditer(text):
        around = text[max(0, found.start() - 70) : found.end() + 50]
        if not PLACE_WORD.search(around):
            continue
        for name in ("keyed", "marked", "old", "new"):
            if found[name] and not is_other_number(text, found.start(name)):
                caption = caption_for(text, ENTRY_CODE, found.start(name), found.start(name))
                yield Find(start=found.start(name), end=found.end(name), kind=ENTRY_CODE, caption=caption)
    for found in _BARE_PAIR.finditer(text):
        value = found["value"].rstrip(".,;:?!")
        if looks_random(value):
            caption = caption_for(text, PASSWORD, found.start(), found.start())
            yield Find(
                start=found.start("value"), end=found.start("value") + len(value), kind=PASSWORD, caption=caption
            )


def _identifier_caption(name: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_.-]+", " ", name).strip()
    return words if len(words) <= 60 else ""
