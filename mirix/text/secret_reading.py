"""Secrets in text that was read from a picture, where checksums and exact words are too much to ask. Pure.

Recognisers take 0 for O and B for 8, lose letters, part what belongs together and put a label and its value on two
lines. So a second pass is laxer than `find_secrets`, and only for such text:

1. a label, one letter of which may be wrong, and what looks like its value: behind it, in the next cell, or below;
2. digits in groups as on a card, with or without a check digit, some of them letters;
3. tokens that look like keys or passwords by their mix of letters, digits and signs.

Order numbers, prices, dates, versions and commit ids are no values. Texts are folded (`folding`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import regex

from mirix.text.secret_cells import Box, Cell, Cells
from mirix.text.secret_kinds import API_KEY, CARD, ONE_TIME_CODE, PASSWORD, PIN, Find, SecretKind
from mirix.text.secret_shapes import is_example, is_other_number, is_test_card
from mirix.text.secret_values import class_changes, is_ordinary, is_placeholder

_DIGITS = "0-9OoQDIl|!SsBZzGgqT/"  # digits, and the letters that recognisers take them for
_EDGES = ".,;:?'\"“”‘’`()[]{}<>「」『』【】，。；：！？、（）|"
_LONGEST = 300  # characters behind a label
_SIGNS = "!@#$%^&*+~?"
_TOKEN = re.compile(r"[!-~\u00a1-\u024f]{1,200}")
_LEAD = re.compile(
    r"(?:[ _]*(?:id|no|nr|number)(?![A-Za-z]))?[\s:;.,=|>\"'“”‘’「」【】()（）*，。：_-]*"
    r"(?:(?:is|are|was|now|是|为|改成|改为)(?![A-Za-z])[\s:=]*)?",
    re.IGNORECASE,
)
_FIRM = re.compile(r"[ _]*(?:id|no|nr)?[ .]?[ \t]*[:;=]|\s*[是为]|[^\S\n]{2,}", re.IGNORECASE)
_SMALL_WORD = re.compile(r"[a-z][a-z'’-]+[.,;]?")
_TALK = re.compile(r"[A-Za-z][a-z]*[.,;:!?]*|[A-Z]{2,5}[.,;:]?")


def _is_password(value: str) -> bool:
    bare = "".join(value.split())
    if len(bare) < 4 or is_ordinary(bare) or is_placeholder(bare) or _AMOUNT.fullmatch(bare) or _CODE.search(value):
        return False
    digits, letters = _count(bare)
    inner = sum(c in _SIGNS for c in bare[1:-1])
    if digits == len(bare):
        return _YEAR.fullmatch(bare) is None
    return (digits > 0 and letters + inner > 0) or (letters >= 4 and inner > 0) or any(map(_is_jumbled, value.split()))


def _is_code(value: str) -> bool:
    """A PIN or one code of several: mostly digits, or capitals and digits in groups."""
    bare = re.sub(r"[\s-]", "", value)
    if not 4 <= len(bare) <= 24 or is_placeholder(bare) or _AMOUNT.fullmatch(value):
        return False
    digits, letters = _count(bare)
    if digits >= 2 and len(bare) <= 12 and len(re.findall(f"[{_DIGITS}]", bare)) >= 0.7 * len(bare):
        return _YEAR.fullmatch(bare) is None
    # Recovery codes are capitals and digits in groups; a few letters may have been read as small ones.
    if re.fullmatch(r"\w{3,12}(?:[ -]\w{3,12}){1,4}", value) and sum(c.islower() for c in value) <= 2:
        return digits > 0 or "-" in value
    return digits > 0 and letters > 0 and len(bare) >= 6 and not is_ordinary(value)


def _is_key(value: str) -> bool:
    bare = "".join(value.split())
    digits, letters = _count(bare)
    if len(bare) < 10 or digits < 1 or letters < 2 or is_ordinary(bare) or is_placeholder(bare):
        return False
    return re.fullmatch(r"[A-Za-z0-9_.~+/=|!-]+", bare) is not None and class_changes(bare) >= (3 if digits > 1 else 6)


def _is_provided(value: str) -> bool:
    """What begins as the keys of a provider do."""
    bare = "".join(value.split())
    return len(bare) >= 16 and _count(bare)[0] > 0 and re.fullmatch(r"[A-Za-z0-9_.~+/=|!-]+", bare) is not None


def _is_card(value: str) -> bool:
    bare = re.sub(r"[\s.-]", "", value)
    digits, _ = _count(bare)
    return 13 <= len(bare) <= 20 and digits >= max(0.75 * len(bare), 11) and not is_test_card(bare)


_CODE = re.compile(r"->|\w[(\[]|\) |[\"'`,][ ,]|\A--|[\w)]=[\"'(]")  # of a program
_YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"(?:19|20)\d\d[-/. ]\d\d?[-/. ]\d\d?|\d\d?:\d\d")
_AMOUNT = re.compile(
    r"[$€£¥][\d.,]+|\d+[$€£¥%]|\d*[.,:][\d.,:]*[$€£¥%]?|\d+(?:[.,:]\d+)+[$€£¥%]?|\d{1,4}[-/.]\d\d?[-/.]\d{1,4}|\d+[xX×]\d+"
)


@dataclass(frozen=True, kw_only=True)
class _Label:
    kind: SecretKind
    fits: Callable[[str], bool]
    needs_sign: bool = False  # the word alone says too little


_LABELS = {
    "password": _Label(kind=PASSWORD, fits=_is_password),
    "code": _Label(kind=ONE_TIME_CODE, fits=_is_code),
    "pin": _Label(kind=PIN, fits=_is_code),
    "key": _Label(kind=API_KEY, fits=_is_key),
    "lone": _Label(kind=API_KEY, fits=_is_key, needs_sign=True),
    "provider": _Label(kind=API_KEY, fits=_is_provided),
    "card": _Label(kind=CARD, fits=_is_card),
}
# One letter of a long word may be wrong.
_LABEL = regex.compile(
    r"""(?xi)
    (?P<password> (?<![a-z])(?:(?:password|passcode|passphrase){e<=1}|passwd|pwd|psk)s?(?![a-z])
      | [密蜜宓]\s?[码玛吗妈鸽石]|密\s?碼|口\s?令|暗号 )
    | (?P<code> (?<![a-z])(?:(?:recovery|verification|authentication|backup){e<=1}|back-up|security|one[- ]?time
        |2fa|mfa|login|access|door|gate|entry|alarm|unlock)\s?(?:[ck]\w{2,4}|\w[o0]d[ec]s?)(?![a-z])
      | (?<![a-z])(?:t?otp|cvv2?|cvc2?)(?![a-z])
      | (?:恢复|备用|备份|验证|校验|激活|授权|动态|安全|门禁|解锁)\s?[码玛吗] )
    | (?P<pin> (?<![a-z])(?-i:P[I1l|!]N|[Pp]in)(?:\s?(?:code|number|码))?s?(?![a-z])|p[i1l]n\s?码 )
    | (?P<key> (?<![a-z])(?:api|secret|access|private|deploy|licen[cs]e|service|client|signing|webhook|master|encryption
        |bearer|auth|personal|refresh|session)[ _-]?(?:access[ _-]?)?(?:k\wy|\wey|(?:token|secret){e<=1})s?(?![a-z])
      | [密秘]\s?[钥匙]|令\s?牌|私\s?钥 )
    | (?P<lone> (?<![a-z])(?<!public[ _-])(?:k[ec]y|t[o0]k[ec]n|secret)(?![a-z]) )
    | (?P<card> (?<![a-z])(?:card|visa|master\s?card|amex|maestro|union\s?pay|account\s(?:no|number))(?![a-z])
      | 卡\s?号|银行卡|信用卡|储蓄卡|借记卡|账\s?号|账户 )
    """
)
# Four groups of four, or 4-6-5; two letters of the one and one of the other may be wrong, lost or parted.
_GROUPED_CARD = regex.compile(
    r"(?e)(?<![\w.,-])(?:(?:\d{4}[ .-]\d{4}[ .-]\d{4}[ .-]\d{4}){e<=2}|(?:\d{4} \d{6} \d{5}){e<=1})(?![\w,-])"
)
_PROVIDER = re.compile(
    r"(?<![A-Za-z0-9])(?:[A4]K[I1l|][A4]|ASIA|LTA[I1l|]|AIza|gh[pousr][_ ]|github_pat|[sr]k[_ -](?:live|test|proj|ant)"
    r"|xox[abeprs]-|hf_|glpat-|npm_|pypi-|eyJ)(?=\S*\d|\S* )"
)
_KEY_TOKEN = re.compile(r"(?<![\w/.:@?&%-])[A-Za-z0-9][A-Za-z0-9_+-]{15,127}={0,2}(?![\w/@-])")
_PASSWORD_TOKEN = re.compile(
    r"(?<![^\s:=\"'“「(，。、])[A-Za-z0-9][!#-&*+\-0-9?@A-Z^_a-z~]{9,39}(?![^\s.,;:\"'”」)，。、])"
)


def find_misread(text: str, boxes: Sequence[Box] = ()) -> Iterator[Find]:
    """What is likely a secret in folded text of a picture; spans may overlap one another.

    `boxes` are those of the lines, one for each row of the text that is not empty.
    """
    cells = Cells(text, boxes)
    for cell in cells:
        for label in _LABEL.finditer(text, cell.start, cell.end):
            yield from _of_label(text, cells, cell, label)
    for groups in _GROUPED_CARD.finditer(text):
        start, end = _stripped(text, *groups.span())
        if _is_card(text[start:end]) and not _DATE.search(text, start, end) and not is_other_number(text, start):
            yield Find(start=start, end=end, kind=CARD)
    for cell in cells:
        yield from _by_shape(text, cell)


def _of_label(text: str, cells: Cells, cell: Cell, found: regex.Match[str]) -> Iterator[Find]:
    label = _LABELS[str(found.lastgroup)]
    end = found.end()
    if is_example(text, found.start()):
        return
    if span := _value(text, end, cell.end, label):
        if not label.needs_sign or _FIRM.match(text, end):
            yield Find(start=span[0], end=span[1], kind=label.kind)
            if span[1] == cell.end:
                yield from _rest(text, cells, cell, label, span)
        return
    if (_LEAD.match(text, end) or found).end() < cell.end:
        return  # other words stand behind it
    beside = cells.beside(cell)
    if beside and (span := _value(text, beside.start, beside.end, label, in_form=True)):
        yield Find(start=span[0], end=span[1], kind=label.kind)
        if span[1] == beside.end:
            yield from _rest(text, cells, beside, label, span)
        return
    is_column = len(cells.rows[cell.row]) > 1 or label.kind is ONE_TIME_CODE
    missed = 0
    for under in cells.below(cell):
        span = _value(text, under.start, under.end, label, in_form=True)
        if span:
            yield Find(start=span[0], end=span[1], kind=label.kind)
            if not is_column:
                yield from _rest(text, cells, under, label, span) if span[1] == under.end else ()
        missed = 0 if span else missed + 1
        if missed > 1 or not is_column:
            return


def _rest(text: str, cells: Cells, cell: Cell, label: _Label, span: tuple[int, int]) -> Iterator[Find]:
    """What a value that was broken at the end of its line goes on with."""
    value = text[slice(*span)]
    if label.kind is not API_KEY or len(value) < 16:
        return
    for under in cells.below(cell):
        found = _TOKEN.match(text, under.start, under.end)
        digits, letters = _count(found.group()) if found else (0, 0)
        if found is None or found.end() != under.end or not (digits and letters) or digits + letters < 4:
            return
        yield Find(start=under.start, end=under.end, kind=label.kind)


def _value(text: str, start: int, end: int, label: _Label, *, in_form: bool = False) -> tuple[int, int] | None:
    """What begins at `start` and looks like the value: a run of tokens up to plain talk, Chinese or the end."""
    end = min(end, start + _LONGEST)
    lead = _LEAD.match(text, start, end)
    at = lead.end() if lead else start
    tokens: list[tuple[int, int]] = []
    for found in _TOKEN.finditer(text, at, end):
        gap = text[tokens[-1][1] if tokens else at : found.start()]
        if gap.strip() or len(gap) > 3 or len(tokens) == 12:
            break
        tokens.append(found.span())
    # The longest run that ends with something odd: "Plover! 7648k" is one value, "671664 until Friday" holds one.
    talk = [number for number, span in enumerate(tokens) if number and _TALK.fullmatch(text[slice(*span)])]
    tokens = tokens[: talk[0]] if talk else tokens
    # "a PIN has 10000 combinations"; in a form, a small word may be the beginning of a value.
    is_talk = len(tokens) > 0 and _SMALL_WORD.fullmatch(text[slice(*tokens[0])]) is not None
    if is_talk and not _FIRM.match(text, start) and not (in_form and len(tokens) == 2):
        return None
    while tokens:
        first, last = tokens[0][0], tokens[-1][1]
        bare = text[first:last].rstrip(_EDGES)
        if bare and label.fits(bare) and not is_other_number(text, first):
            return first, first + len(bare)
        tokens.pop()
    return None


def _by_shape(text: str, cell: Cell) -> Iterator[Find]:
    """Keys and passwords that no label tells; two parts of a key, and the short piece between them, are one."""
    for prefix in _PROVIDER.finditer(text, cell.start, cell.end):
        span = _value(text, prefix.start(), cell.end, _LABELS["provider"])
        if span:
            yield Find(start=span[0], end=span[1], kind=API_KEY)
    for found in _KEY_TOKEN.finditer(text, cell.start, cell.end):
        if _is_mixed(found.group()) and not is_other_number(text, found.start()):
            yield Find(start=_piece_before(text, cell, found.start()), end=found.end(), kind=API_KEY)
            yield from _pieces(text, cell, found.end())
    for found in _PASSWORD_TOKEN.finditer(text, cell.start, cell.end):
        token = found.group().rstrip("?!.")
        digits, letters = _count(token)
        has_case = token != token.lower() and token != token.upper()
        is_odd = has_case and digits >= 3 and letters >= 4 and any(c in "!@#$%^&*+~" for c in token[1:-1])
        if is_odd and not is_ordinary(token) and not is_placeholder(token):
            yield Find(start=found.start(), end=found.start() + len(token), kind=PASSWORD)


def _pieces(text: str, cell: Cell, start: int) -> Iterator[Find]:
    """Where spaces were read into a key: short pieces behind it, up to the last that has letters and digits."""
    end = start
    for found in _TOKEN.finditer(text, start, cell.end):
        if found.start() - start > 60:
            break
        if _is_jumbled(found.group()):
            end = found.end()
    if end > start:
        yield Find(start=start - 1, end=end, kind=API_KEY)


def _piece_before(text: str, cell: Cell, start: int) -> int:
    """Where a key begins that was parted once before `start`."""
    begin = max(cell.start, start - 80)
    before = re.search(r"[A-Za-z0-9_+=-]{4,} \Z", text[begin:start])
    return begin + before.start() if before and _is_jumbled(before.group().rstrip()) else start


def _is_jumbled(token: str) -> bool:
    """Letters and digits in turns, or letters of both cases, as in no word."""
    digits, letters = _count(token)
    return len(token) >= 4 and letters > 0 and class_changes(token) >= (2 if digits else 4) and not is_ordinary(token)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    value = text[start:end]
    return start + len(value) - len(value.lstrip()), start + len(value.rstrip())


def _is_mixed(token: str) -> bool:
    digits, letters = _count(token)
    if re.fullmatch(r"[0-9a-f-]+|[0-9A-F-]+", token) or is_ordinary(token) or is_placeholder(token):
        return False
    if token == token.upper():
        return digits >= 3 and letters >= 5 and "-" not in token and class_changes(token) >= 5
    if max(map(len, re.split(r"[-_+]", token))) < 12:
        return False  # a name of many parts
    has_both = any(c.islower() for c in token) and any(c.isupper() for c in token)
    return has_both and digits >= 2 and len(set(token)) >= 10 and class_changes(token) >= 0.3 * len(token)


def _count(text: str) -> tuple[int, int]:
    """Digits and letters."""
    return sum(c.isdigit() for c in text), sum(c.isalpha() for c in text)
