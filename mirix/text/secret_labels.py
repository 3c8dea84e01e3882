"""The words that announce a secret ("password", "door code", "护照号"), and how the value of each kind is read.

`labels_in` finds them in folded text; `secret_phrases` looks for the value around each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mirix.text.secret_kinds import (
    API_KEY,
    BANK_ACCOUNT,
    CARD,
    CARD_CHECK,
    ENTRY_CODE,
    IBAN,
    IDENTITY,
    ONE_TIME_CODE,
    PASSPORT,
    PASSWORD,
    PIN,
    SEED_PHRASE,
    SOCIAL_SECURITY,
    TAX_NUMBER,
    SecretKind,
)
from mirix.text.secret_shapes import is_test_card
from mirix.text.secret_values import (
    Pointer,
    looks_random,
    read_code,
    read_combination,
    read_han_phrase,
    read_number,
    read_password,
    read_phrase,
    read_seed_phrase,
    read_token,
)

Reader = Callable[[str, int, Pointer], tuple[int, int] | None]


@dataclass(frozen=True, kw_only=True)
class Label:
    name: str
    kind: SecretKind
    read: Reader
    # Whether values are also looked for before the label and in the next sentence.
    roams: bool = False
    # The weakest pointer that counts.
    weakest: Pointer = Pointer.NEAR


def _number(fewest: int, most: int) -> Reader:
    def read(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
        lead = _NUMBER_LEAD.match(text, start)
        return read_number(text, lead.end() if lead else start, fewest=fewest, most=most)

    return read


_NUMBER_LEAD = re.compile(r"(?:(?:number|no\.?|nr\.?|#|号码?)\s*+:?\s*+)?[\"'“「`(*]{0,2}", re.IGNORECASE)


def _read_password_or_phrase(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    return read_password(text, start, pointer) or (read_han_phrase(text, start) if pointer >= Pointer.VERB else None)


def _read_passphrase(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    return (read_phrase(text, start) if pointer >= Pointer.VERB else None) or read_password(text, start, pointer)


def _read_random(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    span = read_password(text, start, Pointer.NEAR)
    return span if span and looks_random(text[slice(*span)]) else None


def _read_check_code(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    found = _CHECK_CODE.match(text, start)
    return found.span() if found else None


_CHECK_CODE = re.compile(r"\d{3,4}(?![\w/]|[.,-]\d)")


def _read_seed(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    return read_seed_phrase(text, start)


def _read_card(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    span = read_number(text, start, fewest=13, most=19)
    digits = "".join(c for c in text[slice(*span)] if c.isalnum()) if span else ""
    return span if digits.isdigit() and not is_test_card(digits) else None


def _read_iban(text: str, start: int, pointer: Pointer) -> tuple[int, int] | None:
    found = _LOOSE_IBAN.match(text, start)
    return found.span() if found else None


_LOOSE_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])")

PLACE = (
    r"(?:front|back|side|main|outer|inner|garden|patio)?[ -]?(?:doors?|gates?|garages?|alarm|lock|padlock|lock ?box"
    r"|safe|entry"
    r"|entrance|buildings?|keypad|lockers?|access|unlock(?:ing)?|disarm|key ?safe|key ?box|elevator|lift|shed|cabin"
    r"|bike|suitcase"
    r"|luggage|intercom|parking|barrier|cellar|basement|lobby|stairwell|storage|house|flat|apartment|office|gym"
    r"|vault|strongbox"
    r"|attic|barn|workshop|studio|darkroom|vestibule|turnstile|courtyard|archive|cabinet|chest|cupboard|store ?room)"
)
_ENGLISH_LABELS = {
    "seed": r"(?:seed|recovery|mnemonic|backup|secret recovery) (?:phrase|words)|mnemonic",
    "recovery": (
        r"(?:(?:2fa|mfa|two[- ](?:factor|step)) )?(?:recovery|backup|rescue|emergency|scratch) (?:codes?|keys?)"
    ),
    "one_time": r"(?:(?:verification|authenti?cation|auth|log-?in|sign-?in|one[- ]time|2fa|mfa"
    r"|two[- ](?:factor|step)|sms"
    r"|security"
    r"|activation|passcode) (?:pass)?codes?|(?:two[- ](?:factor|step)|2fa|mfa) backup|otp|totp(?: secret)?)",
    "card_check": r"cvv2?|cvc2?|cv2|card (?:security|verification) (?:code|number|value)",
    "entry": PLACE
    + r"(?: (?:door|lock|key|pad|entry|access|gate))?(?:['’]s)? (?:pass)?(?:codes?|combinations?|combos?)",
    "pin": r"pin(?:[- ]?(?:codes?|numbers?|no\.?))?|pins|puk(?: code)?",
    "card": r"(?:(?:credit|debit|bank|payment|visa|master ?card|amex|american express|maestro|union ?pay)(?: card)?"
    r"|card)"
    r"(?: (?:numbers?|no\.?|nr\.?|#))|card|(?:visa|master ?card|amex|american express|credit|debit)(?: card)?|maestro",
    "iban": r"iban(?:[- ](?:number|no\.?))?",
    "bank": r"(?:bank |checking |savings |current |giro )?(?:account|acct|a/c)\.? ?(?:numbers?|no\.?|nr\.?|#)"
    r"|bank account"
    r"|(?:savings|checking|giro) account|sort code|routing (?:number|no\.?)|bsb",
    "passport": r"passport(?: (?:numbers?|no\.?|nr\.?|#|id))?",
    "social": r"social security(?: (?:numbers?|no\.?|#))?|ssn|national insurance(?: (?:numbers?|no\.?))?|ni (?:number"
    r"|no\.?)|nino"
    r"|social insurance(?: (?:numbers?|no\.?))?|sin(?= (?:number|is|no))(?: number| no\.?)?"
    r"|(?:nhs|medicare|health (?:card|insurance)) (?:numbers?|no\.?)",
    "identity": r"(?:national |personal |government )?(?:id(?:entity)?|identification)(?: card)?"
    r" (?:numbers?|no\.?|nr\.?|#)"
    r"|national id(?:entity)?|id card|identity card|(?:driver['’]?s?|driving) licen[cs]e(?: (?:numbers?|no\.?|#))?"
    r"|residence permit(?: (?:numbers?|no\.?))?|personnummer|fødselsnummer|personal (?:number|code)|cpr(?: number)?"
    r"|bsn|dni|nie",
    "tax": r"(?:tax(?:payer)?|vat|fiscal)[ -]?(?:identification |reference |registration )?(?:numbers?|no\.?|id|code)"
    r"|tin(?= (?:is|number))|itin"
    r"|steuer-?id|codice fiscale|utr",
    "password": r"(?:[a-z0-9]{0,16}_)*pass ?(?:words?|codes?|wd)|pwds?|pswd|psk|pw"
    r"|(?:network|wi-?fi|wlan|wpa[23]?|network security) ?(?:security )?(?:key|code)s?",
    "api": r"(?:(?:api|access|secret|private|signing|encryption|master|webhook|licen[cs]e|product|activation|deploy"
    r"|consumer|client"
    r"|session|bearer|auth(?:orization)?|refresh|personal access|subscription|storage|app|service|bot|bitlocker"
    r"|publish(?:ing)?"
    r"|server|project|account|admin|live|prod(?:uction)?|staging)[ -]){1,3}(?:access |secret )?(?:keys?|tokens?"
    r"|secrets?)|tokens?"
    r"|(?:api|app|access|secret|client|auth)(?:key|secret|token)",
    "key": r"keys?|secrets?",
    "code": r"(?:pass)?codes?|combination|combo",
    "passphrase": r"pass ?phrases?",
    "account": r"accounts?|acct\.?|a/c",
    "pass": r"pass",
    "lock": r"(?:pad)?locks?|lock ?box|key ?safe|safe|keypad",
    "wifi": r"wi-?fi(?!:[STP]:)|wlan",
}
_CHINESE_LABELS = {
    "seed": r"助记词|助記詞|恢复短语|恢复词|种子短语",
    "recovery": r"(?:备用|备份|恢复|救援|紧急)(?:验证)?(?:代)?码",
    "one_time": r"(?:短信|邮箱|登录|动态)?(?:验证码|驗證碼|校验码|动态码|动态口令|授权码|激活码)",
    "card_check": r"(?:卡片?|信用卡)?(?:背面)?的?安全码|(?i:cvv)码?",
    "entry": r"(?:门禁|开门|解锁|开锁|门锁|房门|大门|入户|报警|撤防|布防"
    r"|电梯|车库|柜门|储物柜|钥匙盒|锁)的?(?:代|号)?码",
    "pin": r"(?i:pin) ?码",
    "card": r"(?:银行卡|信用卡|借记卡|储蓄卡|工资卡)(?:的?(?:卡号|号码|账号|号))?|卡号?",
    "bank": r"(?:银行|对公|收款|开户|公积金)的?(?:账户|帐户|账号|帐号|户口)(?:号码?|账号)?|(?:账户|帐户)号码?",
    "passport": r"护照(?:号码?|编号)?|護照(?:號碼?)?",
    "social": r"(?:社保|社会保障|医保|社保卡|医保卡|公积金)(?:卡)?(?:号码?|账号|编号)",
    "identity": r"身份证(?:件)?(?:号码?)?|身份證(?:號碼?)?|证件号码?|(?:驾驶证|驾照|港澳通行证|通行证|居住证"
    r"|军官证|台胞证"
    r"|户口本)(?:号码?|编号)?",
    "account": r"账号|帐号|账户|帐户",
    "tax": r"税号|纳税人识别号|个税编号|统一社会信用代码",
    "password": r"密码|密碼|口令|暗号|暗號|密語|密语",
    "api": r"密钥|秘钥|密匙|金鑰|令牌|(?i:(?:app|access) ?(?:key|secret))",
}
# Names in code and configuration: DB_PASSWORD, api_key, clientSecret, smtp.passwd
_IDENTIFIER = (
    r"[A-Za-z0-9_.-]{0,40}(?:password|passwd|passphrase|_pwd|-pwd|_pass|-pass|secret|token|api[_-]?key|apikey"
    r"|access[_-]?key|private[_-]?key"
    r"|secret[_-]?key|secretkey|auth[_-]?key|encryption[_-]?key|signing[_-]?key|account[_-]?key"
    r"|credentials?)(?:[_-]?(?:value|\d{1,2}))?"
)
_NO_IDENTIFIER = re.compile(
    r"(?i).*(?:max|min|num|count|n|total|prompt|completion|input|output|next|page|continuation|csrf|eos|bos"
    r"|pad)[_-]?tokens?|.*public.*"
)

_SPEC: tuple[tuple[str, SecretKind, Reader, bool, Pointer], ...] = (
    ("seed", SEED_PHRASE, _read_seed, False, Pointer.NEAR),
    ("recovery", ONE_TIME_CODE, read_code, True, Pointer.NEAR),
    ("one_time", ONE_TIME_CODE, read_code, True, Pointer.NEAR),
    ("card_check", CARD_CHECK, _read_check_code, False, Pointer.NEAR),
    ("entry", ENTRY_CODE, read_code, True, Pointer.NEAR),
    ("pin", PIN, read_code, True, Pointer.NEAR),
    ("card", CARD, _read_card, True, Pointer.NEAR),
    ("iban", IBAN, _read_iban, True, Pointer.NEAR),
    ("bank", BANK_ACCOUNT, _number(6, 24), True, Pointer.NEAR),
    ("passport", PASSPORT, _number(6, 14), True, Pointer.NEAR),
    ("social", SOCIAL_SECURITY, _number(6, 20), True, Pointer.NEAR),
    ("identity", IDENTITY, _number(6, 24), True, Pointer.NEAR),
    ("tax", TAX_NUMBER, _number(6, 24), True, Pointer.NEAR),
    ("password", PASSWORD, _read_password_or_phrase, True, Pointer.NEAR),
    ("api", API_KEY, read_token, True, Pointer.NEAR),
    ("passphrase", PASSWORD, _read_passphrase, True, Pointer.NEAR),
    ("key", API_KEY, read_token, True, Pointer.VERB),
    ("code", ENTRY_CODE, read_code, True, Pointer.NEAR),
    ("account", BANK_ACCOUNT, _number(8, 24), False, Pointer.NEAR),
    ("lock", ENTRY_CODE, read_combination, False, Pointer.VERB),
    ("pass", PASSWORD, read_password, False, Pointer.SIGN),
    ("wifi", PASSWORD, _read_random, False, Pointer.SIGN),
)
LABELS = {
    name: Label(name=name, kind=kind, read=read, roams=roams, weakest=weakest)
    for name, kind, read, roams, weakest in _SPEC
}


def _alternatives(patterns: dict[str, str]) -> str:
    return "|".join(f"(?P<{name}>{patterns[name]})" for name in LABELS if name in patterns)


# One scan per script: the alternatives of the English one are tried at the beginning of a word only.
_ENGLISH_LABEL = re.compile(
    rf"(?<![A-Za-z0-9_])(?=[A-Za-z2])(?:{_alternatives(_ENGLISH_LABELS)})(?![A-Za-z0-9_])", re.IGNORECASE | re.ASCII
)
_CHINESE_LABEL = re.compile(rf"(?=[\u4e00-\u9fffA-Za-z])(?:{_alternatives(_CHINESE_LABELS)})")
_IDENTIFIERS = re.compile(rf"(?<![A-Za-z0-9_.?&;-]){_IDENTIFIER}(?=[\"']?\s{{0,4}}(?:=>?|:)\s{{0,4}}\S)", re.IGNORECASE)

# "password manager", "密码箱": no label for a value.
_NOT_A_LABEL = re.compile(
    r"[ -](?:managers?|resets?|polic(?:y|ies)|prompts?|fields?|hints?|protect\w*|less|recovery|rules?|requirements?"
    r"|strength|generators?"
    r"|change|boxes|hash(?:es|ing)?|cracking|sharing|hygiene|rotation|expir\w+|photos?|control|renewal|office"
    r"|holder|covers?|limit"
    r"|screen|page|form|vaults?|length|history|list|economy|ring|usage|count|budget|of conduct|review|base|freeze"
    r"|words?|holders?)\b"
    r"|(?:管理器|箱|本|学|保护|强度|重置|找回|提示|规则|策略|锁(?![的是密代]))",
    re.IGNORECASE,
)
IDENTIFIER_LABEL = Label(name="identifier", kind=API_KEY, read=read_password, weakest=Pointer.SIGN)

PLACE_WORD = re.compile(rf"\b(?:{PLACE}|keypad|disarm\w*|unlock\w*)\b|门|锁|报警|柜", re.IGNORECASE)


def labels_in(text: str) -> Iterator[tuple[Label, int, int]]:
    """Every label of plain language and its span, by start."""
    labels = [*_ENGLISH_LABEL.finditer(text), *([] if text.isascii() else _CHINESE_LABEL.finditer(text))]
    for found in sorted(labels, key=lambda found: found.start()):
        label = LABELS[str(found.lastgroup)]
        if not _NOT_A_LABEL.match(text, found.end()) and not _is_other_word(text, found, label):
            yield label, found.start(), found.end()


def identifiers_in(text: str) -> Iterator[tuple[int, int]]:
    """The spans of names such as DB_PASSWORD that are assigned to."""
    for found in _IDENTIFIERS.finditer(text):
        if not _NO_IDENTIFIER.fullmatch(found.group()):
            yield found.span()


def _is_other_word(text: str, found: re.Match[str], label: Label) -> bool:
    """Words that are labels only in company: "pin" is a verb too, "code" needs a door, "account" a bank."""
    start, end = found.span()
    around = text[max(0, start - 60) : end + 60]
    if label.name == "pin" and found.group() in ("pin", "Pin"):
        return _PIN_OF_CHIP.search(text[max(0, start - 8) : start]) is not None and not _POINTS.match(text, end)
    if label.name == "code":
        return _OTHER_CODE.search(text, max(0, start - 12), start) is not None or not (
            PLACE_WORD.search(around) or _SIGN_IN_WORD.search(around)
        )
    if label.name == "account":
        return not _BANK_WORD.search(around)
    if label.name == "bank" and _UTILITY_WORD.search(text[max(0, start - 40) : end + 30]):
        return not _BANK_WORD.search(around)
    return False


_POINTS = re.compile(r"(?: (?:for|of|on|to) [^\n.!?:=]{1,40}?)?(?: is| was|['’]s|\s?[:=])", re.IGNORECASE)
_PIN_OF_CHIP = re.compile(r"(?:gpio|\bto|\bcan|safety|\bthe)\s\Z", re.IGNORECASE)
_OTHER_CODE = re.compile(
    r"\b(?:error|status|promo|discount|zip|area|country|exit|qr|bar|source|dress|coupon|voucher|postal|product"
    r"|colou?r|booking|gift)[ -]\Z",
    re.IGNORECASE,
)
_SIGN_IN_WORD = re.compile(
    r"\b(?:verif(?:y|ication)|log[- ]?in|sign[- ]?in|authenticat\w+|one-time)\b|验证|登录", re.IGNORECASE
)
_BANK_WORD = re.compile(
    r"\b(?:banks?|iban|bic|swift|sort code|transfer|savings)\b|银行|开户|转账|汇款|支行|户名|工资", re.IGNORECASE
)
_UTILITY_WORD = re.compile(
    r"\b(?:electric\w*|gas|water|broadband|internet|energy|power|customer|client|member\w*|library|loyalty|frequent"
    r"|flyer|insurance"
    r"|council|utility|phone|mobile|subscri\w+|user|email|log-?in)\b|客户|会员|水费|电费|燃气|宽带",
    re.IGNORECASE,
)
