"""Secrets that tell themselves by their shape: provider keys, private keys, web tokens, cards, IBANs, identity numbers.

No label is needed for these. What has a check digit is checked (python-stdnum), what is published as an example is left
alone, and a number that is said to be something else (an order, a parcel, a commit) is not taken. Texts are folded
(`folding`). Every pattern starts at a literal or at a word border and is bounded, so the work is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban, luhn
from stdnum.cn import ric
from stdnum.exceptions import ValidationError
from stdnum.us import ssn

from mirix.text.secret_kinds import (
    API_KEY,
    CARD,
    IBAN,
    IDENTITY,
    PASSWORD,
    PRIVATE_KEY,
    SOCIAL_SECURITY,
    URL_LOGIN,
    Find,
)
from mirix.text.secret_values import class_changes, is_placeholder, looks_secret

# Shapes as the providers print them; the caption names the provider.
_PROVIDER_KEYS: tuple[tuple[str, str], ...] = (
    ("Anthropic API key", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    ("OpenRouter API key", r"sk-or-(?:v1-)?[A-Za-z0-9]{16,}"),
    ("OpenAI API key", r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{16,}"),
    # DeepSeek, Moonshot, Alibaba DashScope and many compatible servers use the bare prefix too.
    ("API key", r"sk-[A-Za-z0-9]{16,}|sk-[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*-[A-Za-z0-9]{12,}"),
    ("AWS access key", r"(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9]{12,20}"),
    ("GitHub token", r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}"),
    ("GitLab token", r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_-]{16,}"),
    ("Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-\d-[A-Za-z0-9-]{10,}"),
    ("Slack webhook", r"(?<=hooks\.slack\.com/services/)T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{12,}"),
    ("Discord webhook", r"(?<=discord\.com/api/webhooks/)\d{15,20}/[A-Za-z0-9_-]{40,}"),
    ("Google API key", r"AIza[A-Za-z0-9_-]{30,40}"),
    ("Google OAuth secret", r"GOCSPX-[A-Za-z0-9_-]{20,}"),
    ("Google access token", r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("Stripe key", r"(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"),
    ("npm token", r"npm_[A-Za-z0-9]{20,}"),
    ("PyPI token", r"pypi-[A-Za-z0-9_-]{16,}"),
    ("Hugging Face token", r"hf_[A-Za-z0-9]{16,}"),
    ("Replicate token", r"r8_[A-Za-z0-9]{20,}"),
    ("Groq API key", r"gsk_[A-Za-z0-9]{20,}"),
    ("xAI API key", r"xai-[A-Za-z0-9]{20,}"),
    ("Perplexity API key", r"pplx-[A-Za-z0-9]{20,}"),
    ("Telegram bot token", r"\d{8,10}:AA[A-Za-z0-9_-]{30,40}"),
    ("SendGrid key", r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("Mailgun key", r"key-[0-9a-f]{32}"),
    ("Mailchimp key", r"[0-9a-f]{32}-us\d{1,2}"),
    ("Twilio key", r"(?:SK|AC)[0-9a-f]{32}"),
    ("Shopify token", r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{24,}"),
    ("Square token", r"(?:sq0(?:atp|csp|idp)-[A-Za-z0-9_-]{20,}|EAAA[A-Za-z0-9_-]{58,})"),
    ("DigitalOcean token", r"do[opr]_v1_[a-f0-9]{32,}"),
    ("Databricks token", r"dapi[a-f0-9]{32}(?:-\d)?"),
    ("Docker token", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    ("Doppler token", r"dp\.(?:pt|st|ct)\.[A-Za-z0-9._-]{30,}"),
    ("Vault token", r"hv[sbr]\.[A-Za-z0-9_-]{20,}"),
    ("Grafana token", r"glsa_[A-Za-z0-9]{20,}_[a-f0-9]{8}|glc_[A-Za-z0-9+/=]{32,}"),
    ("New Relic key", r"NRAK-[A-Z0-9]{20,}"),
    ("Notion token", r"(?:ntn|secret)_[A-Za-z0-9]{40,}"),
    ("Linear key", r"lin_(?:api|oauth)_[A-Za-z0-9]{30,}"),
    ("Figma token", r"figd_[A-Za-z0-9_-]{30,}"),
    ("Airtable token", r"pat[A-Za-z0-9]{14}\.[a-f0-9]{40,}"),
    ("Postman key", r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}"),
    ("Tailscale key", r"tskey-[a-z]+-[A-Za-z0-9]+-[A-Za-z0-9]{16,}"),
    ("Facebook token", r"EAA[A-Z][A-Za-z0-9]{60,}"),
    ("Azure storage key", r"(?<=AccountKey=)[A-Za-z0-9+/]{40,}={0,2}"),
    ("Azure shared access signature", r"(?<=SharedAccessKey=)[A-Za-z0-9+/]{30,}={0,2}"),
    ("Azure client secret", r"[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}"),
    ("Aliyun access key", r"LTAI[A-Za-z0-9]{12,26}"),
    ("Tencent Cloud secret id", r"AKID[A-Za-z0-9]{28,36}"),
    ("Volcengine access key", r"AKLT[A-Za-z0-9+/=_-]{24,}"),
    ("Zhipu API key", r"[0-9a-f]{32}\.[A-Za-z0-9]{16}"),
    ("age secret key", r"AGE-SECRET-KEY-1[A-Z0-9]{40,}"),
    ("JSON web token", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
)
_PROVIDER_KEY = re.compile(
    r"(?<![A-Za-z0-9_])(?=[A-Za-z0-9][A-Za-z0-9_.:~+/-]{11})(?:"
    + "|".join(f"(?P<k{i}>{pattern})" for i, (_, pattern) in enumerate(_PROVIDER_KEYS))
    + ")"
)
_PEM_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-\d:")
_PEM_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|Private-MAC: *[0-9a-f]+")
_PEM_LIMIT = 16_384
_PEM_BODY = re.compile(
    r"(?:(?:\s{1,6}|\\n)(?:[A-Za-z0-9+/=]{8,128}|(?:Proc-Type|DEK-Info|Version|Comment): [^\n]{1,100})"
    r"(?![A-Za-z0-9+/=]))+"
)

_URL_LOGIN = re.compile(
    r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,30}://[^\s/@:'\"<>]{0,100}:(?P<value>[^\s/'\"<>]{1,200})@(?=[\w\[])", re.I
)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,60}")
_URL_TOKEN = re.compile(
    r"[?&#;](?:[a-z]{1,12}[_-])?(?:token|api_?key|apikey|key|secret|sig|signature|auth|password|passwd|pwd"
    r"|session(?:id)?"
    r"|x-amz-signature|x-goog-signature|code)=(?P<value>[A-Za-z0-9%._~+/=-]{8,1000})",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(?:\b(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:bearer|basic|token|digest|apikey)\s+)?|\bbearer\s+"
    r"|\b(?:x-api-key|x-auth-token|private-token|api-key)[\"']?\s*:\s*[\"']?)(?P<value>[A-Za-z0-9._~+/=:-]{8,1000})",
    re.IGNORECASE,
)
_COOKIE = re.compile(
    r"\b(?:[a-z]{0,12}sess(?:ion)?(?:_?id)?|jsessionid|phpsessid|sid)=(?P<value>[A-Za-z0-9%._~+/=-]{16,500})", re.I
)
_SHELL = re.compile(
    r"\bcurl\b[^\n|]{0,200}?\s(?:-u|--user)[ =]?[\"']?[\w.@-]{1,60}:(?P<curl>[^\s\"']{3,100})"
    r"|\b(?:mysql|mysqldump|mariadb|sshpass)\b[^\n|]{0,120}?\s-p[\"']?(?P<mysql>[^\s\"']{3,100})"
    r"|\s--(?:password|passwd|passphrase|token|api-key|secret)(?:=|\s+)[\"']?(?P<option>[^\s\"']{3,200})"
)
_WIFI_QR = re.compile(r"\bWIFI:[^\n]{0,100}?\bP:(?P<value>(?:\\.|[^;\\\n]){3,100});")

_CARD = re.compile(
    r"(?<![\d.,-])(?<!\d )[2-6]\d{3}(?:([ -]?)\d{4}(?:\1\d{4}){2}(?:\1\d{3}|\d{1,2})?|([ -]?)\d{6}\2\d{4,5})(?![\d]"
    r"|[ -]\d|\.\d)"
)
# Beginnings and lengths of the card schemes (ISO/IEC 7812).
_CARD_SHAPE = re.compile(
    r"(?=\d{16}\Z)(?:4|5[1-5]|2[2-7]|6011|64[4-9]|65|35|81|60)\d+|(?=\d{19}\Z)(?:4|5[0678]|6[37])\d+"
    r"|3[47]\d{13}|3[068]\d{12}|62\d{14,17}"
)
_CARD_BRANDS = (
    ("4", "Visa"),
    ("5", "Mastercard"),
    ("2", "Mastercard"),
    ("34", "Amex"),
    ("37", "Amex"),
    ("62", "UnionPay"),
)
# Numbers that payment providers publish for tests.
_TEST_CARD_LIST = """
    4242424242424242 4111111111111111 4012888888881881 4000056655665556 4000000000000002 4000002500003155
    4222222222222 4000000000009995 4000000000000077 4000000000003220 4000000000000069 4000000000000127
    4917610000000000 4007000000027 4000002760003184 4000003800000446 4000000000000341 4988438843884305
    4166676667666746 4646464646464644 5555555555554444 5200828282828210 5105105105105100 5454545454545454
    5424000000000015 2223003122003222 2223000048410010 2223000048400011 2222400070000005 2222990905257051
    5577000055770004 5136333333333335 378282246310005 371449635398431 378734493671000 370000000000002
    374245455400126 6011111111111117 6011000990139424 6011981111111113 6011000000000012 30569309025904
    3056930009020004 38520000023237 36227206271667 36006666333344 3530111333300000 3566002020360505 3569990010095841
    6200000000000005 6200000000000047 6250941006528599 6205500000000000004
"""
_TEST_CARDS = frozenset(_TEST_CARD_LIST.split())
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,32}+")
_CHINESE_ID = re.compile(r"(?<!\d)[1-9]\d{5}(?:18|19|20)\d{9}[\dXx](?![\dA-Za-z])")
_SSN = re.compile(r"(?<![\d-])\d{3}-\d{2}-\d{4}(?![\d-])")
_BARE_TOKEN = re.compile(r"(?<![^\s\"'`“「(])[A-Za-z0-9][A-Za-z0-9_-]{23,127}={0,2}(?![^\s\"'`”」).,;，。；])")

_OTHER_NUMBER = re.compile(
    r"(?:\b(?:order|ticket|tracking|parcel|shipment|waybill|ref(?:erence)?|booking|reservation|confirmation|case"
    r"|claim|issue"
    r"|invoice|receipt|transaction|serial|imei|isbn|sku|part|item|model|build|commit|revision|sha\w*|md5|hash"
    r"|checksum|digest"
    r"|fingerprint|uuid|guid|id|etag|phone|tel|fax|mobile|public key|ssh-\w+|integrity|fedex|ups|dhl|meter|customer"
    r"|member\w*)"
    r"(?:['’]s)?[\s.:#]*(?:(?:numbers?|no|nr|id|code|is|was)[\s.:#=№-]*){0,3}[\s.:#=№-]*"
    r"|(?:订单|单|运单|快递|发票|流水|工单|编|序列|会员|客户|提交|哈希|校验|物流|电话|手机|合同|货)(?:号码?|值"
    r"|编号)?(?:是|为)?[\s:]*)\Z",
    re.IGNORECASE,
)
_EXAMPLE = re.compile(
    r"(?:(?<![@.\w-])(?:sample|dummy|fake|demo|example|placeholder|test (?=card|number))\s*(?:[\w.'’-]+\s+){0,3}"
    r"|(?<![@.\w-])(?:for example|e\.g\.|such as|like)[,:\s]*(?:(?:[\w.'’-]+)\s+){0,2}"
    r"|(?:示例|样例|演示|测试卡|例如|比如|譬如)(?:[^\s,，。；;!！?？]{0,8}))[\s:\"'“「`]*\Z",
    re.IGNORECASE,
)


def find_shapes(text: str) -> Iterator[Find]:
    """Every secret of a known shape in folded text; spans may overlap one another."""
    yield from _provider_keys(text)
    yield from _private_keys(text)
    for pattern, caption in ((_HEADER, ""), (_URL_TOKEN, ""), (_COOKIE, "session token")):
        for found in pattern.finditer(text):
            start, end = found.span("value")
            end = start + len(text[start:end].rstrip(".:"))
            if end - start >= 8 and looks_secret(text[start:end].replace("/", "_")):
                yield Find(start=start, end=end, kind=API_KEY, caption=caption)
    for found in _URL_LOGIN.finditer(text):
        if not is_placeholder(found["value"]):
            host = _HOST.match(text, found.end())
            caption = f"password for {host.group()}" if host else ""
            yield Find(start=found.start("value"), end=found.end("value"), kind=URL_LOGIN, caption=caption)
    for found in _SHELL.finditer(text):
        name = str(found.lastgroup)
        if not is_placeholder(found[name]):
            yield Find(start=found.start(name), end=found.end(name), kind=PASSWORD)
    for found in _WIFI_QR.finditer(text):
        yield Find(start=found.start("value"), end=found.end("value"), kind=PASSWORD, caption="wifi password")
    yield from _numbers(text)
    for found in _BARE_TOKEN.finditer(text):
        if _is_random(found.group()) and not is_other_number(text, found.start()) and not is_placeholder(found.group()):
            yield Find(start=found.start(), end=found.end(), kind=API_KEY)


def is_other_number(text: str, start: int) -> bool:
    """Whether the words right before `start` say that what follows is an order, a parcel, a commit or the like."""
    return _OTHER_NUMBER.search(text[max(0, start - 40) : start]) is not None


def is_example(text: str, start: int) -> bool:
    """Whether the words right before `start` say that what follows is only an example."""
    return _EXAMPLE.search(text[max(0, start - 60) : start]) is not None


def is_test_card(digits: str) -> bool:
    return digits in _TEST_CARDS


def _provider_keys(text: str) -> Iterator[Find]:
    for found in _PROVIDER_KEY.finditer(text):
        name = str(found.lastgroup)
        value = found.group().rstrip("-_.")
        if is_placeholder(value) or "EXAMPLE" in value:
            continue
        yield Find(
            start=found.start(), end=found.start() + len(value), kind=API_KEY, caption=_PROVIDER_KEYS[int(name[1:])][0]
        )


def _private_keys(text: str) -> Iterator[Find]:
    done = 0
    for begin in _PEM_BEGIN.finditer(text):
        if begin.start() < done:
            continue
        limit = min(len(text), begin.end() + _PEM_LIMIT)
        end = _PEM_END.search(text, begin.end(), limit)
        if end is None:
            # Cut off (a screen, a window that is too small): what still looks like the body is taken.
            end = _PEM_BODY.match(text, begin.end(), limit)
        done = end.end() if end else begin.end()
        done = begin.start() + len(text[begin.start() : done].rstrip())
        if done - begin.end() >= 16:
            yield Find(start=begin.start(), end=done, kind=PRIVATE_KEY)


def _numbers(text: str) -> Iterator[Find]:
    for found in _CHINESE_ID.finditer(text):
        if _is_chinese_identity(found.group()) and not is_other_number(text, found.start()):
            yield Find(start=found.start(), end=found.end(), kind=IDENTITY)
    for found in _SSN.finditer(text):
        if ssn.is_valid(found.group()) and not is_other_number(text, found.start()):
            yield Find(start=found.start(), end=found.end(), kind=SOCIAL_SECURITY)
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        plausible = _CARD_SHAPE.fullmatch(digits) and luhn.is_valid(digits) and digits not in _TEST_CARDS
        if plausible and len(set(digits)) > 3 and not is_other_number(text, found.start()):
            brand = next((name for prefix, name in _CARD_BRANDS if digits.startswith(prefix)), "")
            yield Find(start=found.start(), end=found.end(), kind=CARD, caption=f"{brand} card number".strip())
    for found in _IBAN.finditer(text):
        if end := _iban_end(found.group()):
            yield Find(start=found.start(), end=found.start() + end, kind=IBAN)


def _iban_end(candidate: str) -> int:
    """Length of the longest beginning of `candidate` that is a valid IBAN, ending with a group; 0 if there is none."""
    ends = [found.end() for found in re.finditer(r"[A-Z0-9]+", candidate)]
    return next((end for end in reversed(ends) if end >= 15 and iban.is_valid(candidate[:end], check_country=False)), 0)


def _is_chinese_identity(number: str) -> bool:
    """Whether birth date and check digit are right. The county is not looked up: the list of old codes has gaps."""
    try:
        ric.get_birth_date(number)
    except ValidationError:
        return False
    return bool(ric.calc_check_digit(number) == number[-1].upper())


def _is_random(token: str) -> bool:
    """Long, of all three classes, well mixed: no word, no path, no plain hash."""
    if not (any(c.islower() for c in token) and any(c.isupper() for c in token)) or sum(c.isdigit() for c in token) < 3:
        return False
    return class_changes(token) >= len(token) * 0.4 and len(set(token)) >= 14
