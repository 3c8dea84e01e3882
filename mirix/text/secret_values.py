"""Reads the value that follows a label such as "password is": where it ends, and whether it is one at all.

"The password is Plover-Ledge-1907." holds a value, "the password is too long" and "password: required" do not. What
decides is the shape of the token (digits, symbols, capitals inside, quotes) together with how firmly the label points
at it (`Pointer`). All texts are folded (`folding`).
"""

from __future__ import annotations

import re
from enum import IntEnum
from itertools import pairwise


class Pointer(IntEnum):
    """How a label points at its value, weakest first."""

    NEAR = 1  # "password hunter2", "密码hunter2"
    LAYOUT = 2  # a gap, leaders or a new line, as in a form
    VERB = 3  # "password is hunter2", "密码改成hunter2"
    SIGN = 4  # "password: hunter2"


_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_TOKEN = re.compile(r"[!#-;=?-_a-~\u00a1-\u024f]{1,512}")
_CLOSERS = {
    '"': '"', "“": "”", "”": "”", "「": "」", "『": "』", "‘": "’", "'": "'", "`": "`", "«": "»", "„": "“",
    "【": "】", "《": "》",
}  # fmt: skip
_QUOTE_LIMIT = 160
# Longer tokens are neither names nor placeholders; also bounds the work of the patterns below.
_LONGEST_NAME = 200

_PLACEHOLDER = re.compile(
    r"""(?xi)
    .*\{\{.*                                  # a reference or a template
    | .*vault:[a-z0-9]{4,8}.*
    | <.*> | \$?\{.*\}\S* | \$\w+ | \$\(.*\)?.* | %\w+% | \[.*\]
    | [x*•●.·_#?-]{3,} | \S{0,4}[x*•●]{4,}\S{0,4}
    | .*(?:your|my|insert|enter|put|some|add|the)[_-](?:[a-z0-9]+[_-])*
      (?:key|token|secret|password|pass|pwd|here|value|pin|code).*
    | .*_here | .*example.* | .*placeholder.* | .*(?:redacted|dummy|sample).*
    | change[_-]?me\S* | (?:foo|bar|baz|foobar|abc|todo|tbd|n/?a|nil|null|none|undefined|true|false|string|str|int|bool)
    | pass(?:word|wd)? | pwd | secret | token | api[_-]?key | username:password | user:pass(?:word)?
    | 某+ | 待定 | 同上 | .*(?:填|替换|占位|示例|此处|这里|你的|您的).*
    | 0?1234(?:5(?:6(?:7(?:89?0?)?)?)?)? | (\d)\1{2,}                         # joke numbers
    """
)
# Names that carry a digit or a symbol and are no secret.
_ORDINARY = re.compile(
    r"""(?xi)
    \w+://.* | www\..* | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                              # addresses
    | (?:~|\.{1,2})?/(?:[\w.@-]+/)*[\w.@-]* | [a-z]:\\.* | [\w.-]+/(?:[\w.-]+/)*[\w-]+\.\w{1,5}     # paths
    | [\w.-]+\.(?:com|org|net|io|cn|example|invalid|test|dev|app|de|uk|fr|local|internal)(?::\d+)?(?:/.*)?
    | [\w()-]+\.(?:txt|md|pdf|docx?|xlsx?|csv|json|ya?ml|toml|ini|env|kdbx?|png|jpe?g|html?|py|js|ts|sh|zip|pem|key|log)
    | (?:19|20)\d\d[-/.年]\d{1,2}(?:[-/.月]\d{1,2})?日?\S* | \d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d
    | \d{1,2}[:.h]\d{2}(?::\d{2})?(?:am|pm)?[-–]?\S* | \d{1,2}(?:am|pm)
    | [$€£¥]\s*[\d.,]+\S* | [\d.,]+\s*(?:[$€£¥%]|usd|eur|gbp|cny|rmb|nok|kr|k|m)
    | \d{1,5}(?:st|nd|rd|th|s|x|d|h|min|mb|gb|tb|kb|px|mm|cm|km|kg|ghz|mhz|hz|bit|bits|%)
    | v?\d+(?:\.\d+){1,3}(?:-\w+)? | \d+[-–]\d+ | 24/7 | [a-z]\d
    | \d+[-–](?:[a-z]+[-–])*[a-z]+                                                 # 12-character
    | (?:wpa|wep|sha|md|aes|rsa|utf|base|oauth|https?|ipv|tls|ssl|mp|office|windows|win|ios|python|java|log|web|usb|ps
        |xbox|iphone|ipad|galaxy|pixel|macos|macbook\w*|es|vue|argon|scrypt|ubuntu|debian|android|chrome|firefox|wifi|wi-fi
        |postgres\w*|mysql|redis|gpt|claude|covid|level|lvl|room|step|part|page|version|chapter|day|week|user|team)
      [-_ ]?\d+\w*(?:[-._]\w+)?
    | 1password\S* | (?:2fa|mfa|u2f|totp|i18n|365|k8s|s3|ec2|9to5|3d|4k|5g|4g|b2b|p2p)\S*
    | [a-z]+[’']\S* | [a-z]+(?:/[a-z]+)+ | @\w+ | [a-z]+\(\)?.* | \S*&\w{2,5};\S*
    | (?:e\.g|i\.e|etc|a\.k\.a|vs|p\.s)\.?,?
    """
)
# Words that follow "password is" or "Password:" without being one.
_WORD_LIST = """
    a about above accepted after again all almost already also always an and another any anything as asked at
    available back bad based because been before being below best better between blank both broken but by called
    cancel case caps change changed changing clear clearly common complex confirm confirmation confidential continue
    correct created current currently default deleted denied different difficult disabled displayed down due each
    easy either email empty enabled encrypted enough enter entered error even every everything exactly expired
    expires failed fine first for forbidden forgot forgotten free from full gone good granted great guessable had
    hard has have having he help her here hers hidden hide his how however i if important in inactive incorrect info
    insecure inside instead into invalid is it its just kept known last later least less let letters like likely
    list locked login long longer lost made mandatory manual match maybe me mine minimum missing more most much must
    my name near needed never new next no nobody none not nothing now obvious obsolete of off often ok okay old on
    once one only open optional or other our ours out outdated over own password passwords past pending people per
    personal please possible pretty private probably protected provided public quite random rather ready really
    recommended recovery refused rejected remember remembered required reset revoked right safe same save saved says
    second secret secure secured security see send sensitive sent set shared short show shown sign similar simple
    since so some somebody someone something somewhere soon still stolen stored strength strong stuck submit super
    supposed sure taken temporary terrible that the their them then there these they this those three through tied
    to today together tomorrow too top true two typed under unique unknown unsafe until up updated upon us used
    useful useless user username using usually valid very via want was way we weak welcome well were what whatever
    when where whether which who why will with within without working works worse written wrong yes yesterday yet
    you your yours characters character digits digit numbers number symbol symbols policy field prompt cookies
    account accounts version admin-only self-explanatory case-sensitive top-secret well-known long-lived short-lived
    read-only birthday birthdate anniversary initials surname nickname maiden dog cat kids daughter son wife husband
    mother
"""
_WORDS = frozenset(_WORD_LIST.split())
_ENDINGS = ("ing", "ed", "ly", "able", "ible", "ive")
_JOINT_LIST = """
    and but so if when because please thanks thank or unless which that who then while for
"""
_JOINTS = frozenset(_JOINT_LIST.split())
_UNIT = re.compile(
    r"\s*+[-–]?\s*+(?:(?:characters?|chars?|digits?|letters?|symbols?|numbers?|words?|days?|weeks?|months?|years?"
    r"|hours?"
    r"|minutes?|mins?|seconds?|times?|attempts?|tries|people|percent|pm|am|users?|of (?:my|our|the|them|us)|or more"
    r"|bits?)\b"
    r"|%|[位个次天年月日号点分条种遍把人岁多组秒元块周])",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[ \t]*+(?:$|[,;!?，。；！？、()（）\n\r|]|\.(?:\s|$)|[-–—]{1,2}\s)")
_SPOKEN_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple|hash|star)"
_SPOKEN = re.compile(rf"{_SPOKEN_DIGIT}(?:[ ,-]{{1,2}}{_SPOKEN_DIGIT}){{2,15}}\b", re.IGNORECASE)
_SPOKEN_HAN = re.compile(
    r"[零〇一二三四五六七八九幺两]{4,16}(?![个位次年月日天号百千万])"
    r"|(?:[0-9一二三四五六七八九两]个[0-9零〇一二三四五六七八九]){1,4}"
)
_DIALLED = re.compile(
    r"(?:(?:left|right|[左右])\s?\d{1,3}(?:[,，、]?\s?(?=left|right|[左右])|)){2,6}(?!\d)", re.IGNORECASE
)
_DIGIT_GROUPS = re.compile(
    r"(?:\d{3}(?:[ -]\d{3}){1,4}|\d{4}(?:[ -]\d{4}){1,5}|\d{1,2}(?:[ -]\d{1,2}){2,5})(?![\w/:@#*]|[-.,]\d| \d)"
)
_HAN_PHRASE = re.compile(rf"[{_HAN}]{{2,16}}(?:[0-9A-Za-z@#$%^&*+_~!-]{{1,16}})?")
_HAN_TALK = re.compile(
    r"什么|多少|哪|吗|呢|不|没|忘|我|你|他|她|它|的|了|很|太|已|要|请|随机|默认|一样|谁|错|对|过期|生日|手机|在|被"
    r"|用|为|保密|秘密|密码|至少|以上|以下|以内|超过|长度|必须|应|见|联系"
)


def is_placeholder(value: str) -> bool:
    return len(value) <= _LONGEST_NAME and _PLACEHOLDER.fullmatch(value) is not None


def is_ordinary(value: str) -> bool:
    """Whether the token is a known form of something else: an address, a date, a version, a file name."""
    return len(value) <= _LONGEST_NAME and (_ORDINARY.fullmatch(value) is not None or value.lower() in _WORDS)


def looks_secret(token: str) -> bool:
    """Whether the shape alone makes the token a likely password: letters with digits or symbols, or capitals inside."""
    if len(token) < 4 or not _ODD.search(token) or is_ordinary(token) or is_placeholder(token):
        return False
    letters = sum(character.isalpha() for character in token)
    digits = sum(character.isdigit() for character in token)
    symbols = sum(character in "!@#$%^&*_+=~?|<>:;/\\" for character in token)
    if digits and letters:
        return True
    if digits >= 3 and not letters and token.strip("#*").isdigit() and token[-1] in "#*":
        return True
    if symbols and len(token) >= 6 and (letters >= 3 or digits >= 4):
        # user_id and DB_HOST are names, Perch_in_June is none.
        is_name = re.fullmatch(r"[A-Za-z]+(?:[_/:?|][A-Za-z]+)*[_/:?|;]?", token)
        return not is_name or ("_" in token and token not in (token.lower(), token.upper()))
    inner = token[1:]
    if token.count("-") >= 2 and len(token) >= 10 and inner != inner.lower() and token != token.upper():
        return True
    return (
        len(token) >= 8
        and inner != inner.lower()
        and token != token.upper()
        and token.isalpha()
        and class_changes(token) >= 3
    )


_ODD = re.compile(r"[\d!@#$%^&*_+=~?|<>:;/\\]|[a-z][A-Z]|-.*-")


def looks_random(token: str) -> bool:
    """Stricter: good enough to be cut when a label stands only somewhere in the sentence."""
    if len(token) < 8 or not any(c.isdigit() for c in token) or not looks_secret(token):
        return False
    classes = (
        any(c.islower() for c in token),
        any(c.isupper() for c in token),
        any(c in "!@#$%^&*_+=~?" for c in token),
    )
    turns = len(re.findall(r"[A-Za-z](?=\d)|\d(?=[A-Za-z])", token))
    return sum(classes) >= 2 and (turns >= 2 or not token.isalnum())


def read_password(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    """The password that begins at `start`, or None. Half-open span without quotes, stops and markup."""
    for mark in ("***", "**", "__", "*"):
        if text.startswith(mark, start) and (close := text.find(mark, start + len(mark), start + 100)) > 0:
            inner = read_password(text[start:close], len(mark), Pointer.SIGN)
            return (start + inner[0], start + inner[1]) if inner else None
    if text[start : start + 1] in _CLOSERS:
        return _read_quoted(text, start, pointer)
    if spoken := (_SPOKEN.match(text, start) or _SPOKEN_HAN.match(text, start) or _DIALLED.match(text, start)):
        return spoken.span()
    if groups := _DIGIT_GROUPS.match(text, start):
        return groups.span() if not _DATE.match(text, start) and not _UNIT.match(text, groups.end()) else None
    found = _TOKEN.match(text, start)
    if not found:
        return None
    end = _trimmed_end(text, start, found.end(), pointer)
    token = text[start:end]
    if len(token) < 3 or is_placeholder(token) or text.startswith(":", end):
        return None
    if token.isdigit():
        enough = len(token) >= (3 if pointer == Pointer.SIGN else 4)
        return (start, end) if enough and not _UNIT.match(text, end) else None
    if looks_secret(token):
        return start, end
    if pointer <= Pointer.LAYOUT:
        return None
    return _read_plain(text, start, end, pointer)


def read_code(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    """A PIN, door code or one-time code that begins at `start`; what else looks like a password is taken too."""
    open_quote = text[start : start + 1]
    inner = start + 1 if open_quote in _CLOSERS else start
    found = _CODE.match(text, inner)
    if found:
        digits = sum(character.isdigit() for character in found.group())
        if is_placeholder(found.group().strip("#*")):
            return None
        enough = digits >= (3 if pointer >= Pointer.LAYOUT or "#" in found.group() or "*" in found.group() else 4)
        if enough and not _UNIT.match(text, found.end()) and not _DATE.match(text, inner):
            return found.span()
        if not any(character.isalpha() for character in found.group()):
            return None
    return read_password(text, start, pointer)


_CODE = re.compile(
    r"[#*]{0,2}(?:\d{1,4}(?:[- ]\d{1,4}){1,5}|\d{2,12}|[A-Za-z]{1,3}-?\d{2,8}[A-Za-z]?"
    r"|\d{1,8}[A-Za-z]{1,2}\d{0,6})[#*]{0,2}"
    r"(?![A-Za-z0-9_@/]|[:.,]\d|[-–]\w|\s?[-–]\s?\d)"
)
_DATE = re.compile(r"(?:19|20)\d\d[- /.]\d\d?[- /.]\d\d?|\d\d?[- /.]\d\d?[- /.](?:19|20)\d\d|\d\d?[:.]\d\d(?!\d)")


def read_combination(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    """Digits that end the clause: "the lock is 614", "the safe: 24-8-31"; never a price or a year."""
    found = _COMBINATION.match(text, start)
    return found.span() if found and _CLAUSE_END.match(text, found.end()) else None


_COMBINATION = re.compile(r"(?!(?:19|20)\d\d\b)(?:\d{3,8}[#*]?|\d{1,2}(?:[ -]\d{1,2}){2,5})(?![\w/:-]|[.,]\d)")


def read_token(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    """An API key or token: at least eight characters of letters, digits and `-_.~+/=`, or anything quoted that long."""
    if text[start : start + 1] in _CLOSERS:
        span = _read_quoted(text, start, Pointer.SIGN)
        return span if span and span[1] - span[0] >= 8 and " " not in text[slice(*span)] else None
    found = _KEY.match(text, start)
    if not found:
        return None
    end = _trimmed_end(text, start, found.end(), pointer)
    token = text[start:end]
    if len(token) < 8 or is_placeholder(token) or is_ordinary(token) or text.startswith("(", end):
        return None
    mixed = any(c.isdigit() for c in token) and any(c.isalpha() for c in token)
    return (start, end) if mixed or class_changes(token) >= 4 else None


_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.~+/=:-]{7,511}")


def read_number(text: str, start: int, *, fewest: int, most: int) -> tuple[int, int] | None:
    """An official number that begins at `start`: `fewest` to `most` capitals and digits, in one block or in groups."""
    block = _BLOCK.match(text, start)
    if block and fewest <= len(block.group()) <= most and sum(c.isdigit() for c in block.group()) >= 4:
        grouped = _GROUPS.match(text, start)
        if not (grouped and grouped.end() > block.end() and len(block.group()) <= 6):
            return None if _DATE.match(text, start) else block.span()
    found = _GROUPS.match(text, start)
    while found:
        characters = [c for c in found.group() if c.isalnum()]
        if len(characters) <= most:
            digits = sum(c.isdigit() for c in characters)
            usable = len(characters) >= fewest and digits >= 4 and not _MONTH.search(found.group())
            return found.span() if usable and not _UNIT.match(text, found.end()) else None
        cut = max(found.group().rfind(" "), found.group().rfind("-"))
        found = _GROUPS.match(text, start, start + cut) if cut > 0 else None
    return None


_MONTH = re.compile(_DATE.pattern + r"|\A\d\d?[-/. ](?:19|20)\d\d\Z")
_BLOCK = re.compile(r"[A-Z]{0,6}\d[A-Z0-9]{3,27}(?:-[A-Z0-9])?(?![A-Za-z0-9])")
_GROUPS = re.compile(
    r"(?:[A-Z]{1,3}[ -]?)?\d[A-Z0-9]{0,8}(?:(?: ?[-./·] ?| {1,2})(?:[A-Z]?\d[A-Z0-9]{0,8}"
    r"|[A-Z](?![A-Za-z]))){0,9}(?![A-Za-z0-9])"
)


def read_seed_phrase(text: str, start: int) -> tuple[int, int] | None:
    """12 to 24 short lower-case words, numbered or not."""
    found = _SEED.match(text, start)
    return found.span("words") if found else None


_SEED = re.compile(
    r"""["“'「`]?(?P<words>(?:\d{1,2}[.)]\s*)?[a-z]{3,8}(?:[\s,]{1,3}(?:\d{1,2}[.)]\s*)?[a-z]{3,8}){11,23})(?![a-z])"""
)


def read_phrase(text: str, start: int) -> tuple[int, int] | None:
    """A pass phrase of four to eight words up to the end of the clause, in quotes or not."""
    if text[start : start + 1] in _CLOSERS:
        return _read_quoted(text, start, Pointer.SIGN)
    found = _PHRASE.match(text, start)
    if not found or any(word.lower() in _FUNCTION_WORDS for word in found.group().split()):
        return None
    return found.span() if _CLAUSE_END.match(text, found.end()) else None


_PHRASE = re.compile(r"[A-Za-z0-9][\w'-]{1,20}(?:[ -][A-Za-z0-9][\w'-]{1,20}){3,7}(?![\w])")
_FUNCTION_WORD_LIST = """
    a an the is are was be been to of for with from at on in by and or but not no so too very that this it its my
    our your must should can cannot could will would has have had than then when where what why how who also still
    now
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


def read_han_phrase(text: str, start: int) -> tuple[int, int] | None:
    """A pass phrase in Chinese characters, letters or digits behind them included, up to the end of the clause."""
    found = _HAN_PHRASE.match(text, start)
    if not found or _HAN_TALK.search(found.group()) or not _CLAUSE_END.match(text, found.end()):
        return None
    return found.span()


def _read_quoted(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    close = text.find(_CLOSERS[text[start]], start + 1, start + _QUOTE_LIMIT)
    if close < 0:
        return read_password(text, start + 1, pointer) if text[start + 1 : start + 2] not in _CLOSERS else None
    value = text[start + 1 : close]
    begin = start + 1 + len(value) - len(value.lstrip())
    value = value.strip()
    if len(value) < 3 or "\n" in value or value.count(" ") > 7 or is_placeholder(value):
        return None
    if _ORDINARY.fullmatch(value) and not re.fullmatch(r"[\w.-]+", value):
        return None
    if pointer <= Pointer.NEAR and not (looks_secret(value) or (value.isdigit() and len(value) >= 4)):
        return None
    return begin, begin + len(value)


def _trimmed_end(text: str, start: int, end: int, pointer: Pointer) -> int:
    """Take sentence marks, closing brackets and quotes off the end of a token."""
    while end > start:
        last = text[end - 1]
        if (
            last in ".,;:?'"
            or (last == "!" and not _keeps_mark(text, end, pointer))
            or (last in ")]}>" and text.count(last, start, end) > text.count("([{<"[")]}>".index(last)], start, end))
            or (last in "*`_" and text[start - 1 : start] == last)
        ):
            end -= 1
        else:
            break
    return end


def _keeps_mark(text: str, end: int, pointer: Pointer) -> bool:
    """Whether "!" belongs to the value: after a colon or in a form, or where the sentence plainly goes on."""
    following = text[end : end + 2]
    return pointer in (Pointer.SIGN, Pointer.LAYOUT) or following[:1] in tuple(".,;") or following[1:].islower()


def _read_plain(text: str, start: int, end: int, pointer: Pointer) -> tuple[int, int] | None:
    """A password made of ordinary letters: one word that ends the clause, or several that are no sentence."""
    token = text[start:end]
    if token.lower() in _WORDS or is_ordinary(token) or not token[0].isalnum():
        return None
    if _CLAUSE_END.match(text, end) or _next_word(text, end) in _JOINTS:
        talk = pointer == Pointer.VERB and token.islower() and token.endswith(_ENDINGS)
        return None if talk or len(token) < 4 else (start, end)
    return _read_words(
        text, start, firm=pointer == Pointer.SIGN or not token[0].islower(), line=pointer == Pointer.SIGN
    )


def _read_words(text: str, start: int, *, firm: bool, line: bool) -> tuple[int, int] | None:
    """Two to eight words up to the end of the clause, none of them a word of plain talk.

    Unless `firm`, two and three words count only when the last holds a digit ("blue heron 42"); with `line`, after a
    colon, such a phrase may hold a small word ("seagulls at noon 7").
    """
    end, words = start, list[str]()
    for found in _WORD.finditer(text, start, start + 120):
        if found.start() - end > 1 or (word := found.group().rstrip(".,;:!?")).lower() in _JOINTS:
            break
        words.append(word)
        end = found.start() + len(word)
        if _CLAUSE_END.match(text, end):
            break
    ends_in_digit = 2 <= len(words) <= 5 and any(c.isdigit() for c in words[-1]) and (line or len(words[-1]) >= 2)
    small = _SMALL_WORDS if line and ends_in_digit else frozenset[str]()
    plain = [word for word in words if word.lower() not in small and not word.isdigit()]
    if not 2 <= len(words) <= 8 or any(is_ordinary(word) for word in plain):
        return None
    if not ends_in_digit and not firm and len(words) < 4:
        return None
    if not (_CLAUSE_END.match(text, end) or _next_word(text, end) in _JOINTS) or _UNIT.match(text, end):
        return None
    return start, end


_WORD = re.compile(r"[^\s，。；！？、()（）\"“”|]+")
_SMALL_WORDS = frozenset(("at", "in", "of", "on", "the"))
_NEXT_WORD = re.compile(r"\s+([A-Za-z]+)")


def _next_word(text: str, end: int) -> str:
    found = _NEXT_WORD.match(text, end)
    return found.group(1).lower() if found else ""


def class_changes(token: str) -> int:
    """Number of changes between small letters, capitals and digits."""
    kinds = ["l" if c.islower() else "u" if c.isupper() else "d" if c.isdigit() else "s" for c in token]
    return sum(one != other for one, other in pairwise(kinds))
