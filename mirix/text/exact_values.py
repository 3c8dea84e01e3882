"""Finds values that are no secret but must be kept to the letter: telephone numbers, addresses, links, booking numbers.

Low sensitivity: contacts and links. Medium: numbers that someone will have to quote, and accounts that are no bank's.
They stay readable in the evidence; the knowledge vault keeps a copy. Texts are folded (`folding`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirix.text.secret_captions import caption_for
from mirix.text.secret_kinds import (
    CUSTOMER_NUMBER,
    HANDLE,
    LINK,
    MAIL_ADDRESS,
    POSTAL_ADDRESS,
    QUOTED_NUMBER,
    TELEPHONE,
    Find,
    SecretKind,
)
from mirix.text.secret_values import is_placeholder

_URL = re.compile(
    r"\b(?:https?|ftp|sftp|ssh|git|webcal|tel|geo)://[!#-;=?-_a-z~]{3,2000}|\bwww\.[\w-]{1,60}\.[!#-;=?-_a-z~]{2,2000}",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"(?<![\w.+@/:-])[\w.+-]{1,64}@[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){1,5}(?![\w@])", re.ASCII
)
_PHONE_WORD = (
    r"(?:tel(?:ephone)?|phone|mobile|cell|call|ring|text|fax|whatsapp|signal|landline|hotline|extension|ext"
    r"|number is|reach (?:me|him|her|them)"
    r"(?: (?:on|at))?|电话|手机|座机|热线|分机|传真|联系方式|号码|微信同号|打)"
)
_PHONES = (
    re.compile(r"(?<![\w+.])\+\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,5}){1,5}(?![\w]|[.-]\d)"),
    re.compile(r"(?<![\w+.,-])(?:\(\d{2,5}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w]|[.-]\d)"),
    re.compile(r"(?<![\w+.,$€£-])555[-. ]\d{4}(?![\w-])"),
    re.compile(r"(?<![\w+.,-])0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}(?![\w-])|(?<![\w+.,-])0[17]\d{9}(?!\w)"),
    re.compile(
        r"(?<![\w+.,-])1[3-9]\d(?:[ -]?\d{4}){2}(?![A-Za-z0-9_-])"
        r"|(?<![\w+.,-])[48]00[ -]?\d{3}[ -]?\d{4}(?![A-Za-z0-9_-])",
        re.ASCII,
    ),
    re.compile(r"(?<![A-Za-z0-9_+.,-])0\d{2,3}[- ]\d{7,8}(?:-\d{1,5})?(?![A-Za-z0-9_-])"),
)
_NAMED_PHONE = re.compile(
    rf"(?:\b|(?<=[\u4e00-\u9fff])){_PHONE_WORD}(?: (?:number|no\.?))?(?:\s*+(?:is|was|on|at|:|是|为|号码?)\s*+"
    rf"|\s){{1,3}}(?P<value>\(?\+?\d[\d() .-]{{4,18}}\d)(?![\w]|[.-]\d)",
    re.IGNORECASE,
)

_STREET = (
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Terrace|Close|Crescent"
    r"|Boulevard|Blvd|Row|Quay|Hill|Gardens?|Parade|Highway|Hwy|Mews|Walk|Wharf|Grove|Circle|Alley|Yard)"
)
_TOWN = r"[A-Z][a-z'’][A-Za-z'’-]{0,20}"
_ENGLISH_ADDRESS = re.compile(
    rf"(?:(?:Flat|Apt\.?|Apartment|Unit|Suite) \w{{1,5}},? )?(?<![\w.,$€£-])\d{{1,5}}[A-Za-z]?(?:[-/]\d{{1,4}}[A-Za-z"
    rf"]?)?,? (?:(?:[A-Z][\w'’.-]{{0,20}}|of|the) ){{1,4}}{_STREET}\b\.?"
    rf"(?:,? (?i:flat|apt\.?|apartment|unit|suite"
    rf"|floor) ?#?\w{{1,5}}\b)?(?:, (?:{_TOWN}(?: {_TOWN}){{0,2}}|[A-Z]{{2,3}}(?![A-Za-z0-9]))){{0,3}}"
    r"(?:,? (?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{4,5})\b)?"
)
_EUROPEAN_ADDRESS = re.compile(
    r"\b(?:[A-ZÅÄÖØÆÜ][\wåäöøæüéß.-]{1,24}(?:gata|gate|gaten|veien|vei|vegen|straße|strasse|str\.|weg|platz|gasse"
    r"|straat|laan|gatan|vägen|väg|allé|kade|gracht|tie|katu)"
    r"|(?:Rua|Via|Calle|Avenida|Plaza|Piazza|Praça|Largo|Rue|Carrer|Ulica"
    r"|ul\.)(?: [A-Za-zÀ-ÿ'’.-]{2,20}){1,4}),? \d{1,4}[A-Za-z]?\b"
    r"(?:,? \d{4,5}(?:-\d{3})?(?: [A-ZÅÄÖØÆÜ][\wåäöøæüé-]{1,20}){1,2})?"
)
_SHORT_STREET = re.compile(r"\b(?:St|Rd|Ave|Ln|Dr|Ct|Pl|Sq|Blvd|Hwy)\.\Z")
_HAN = r"[\u4e00-\u9fff]"
_CHINESE_ADDRESS = re.compile(
    rf"(?:(?:{_HAN}{{2,7}}(?:省|市|自治区))?(?:{_HAN}{{2,6}}[市区县])?{_HAN}{{1,8}}(?:路|街|巷|弄|大道|胡同|大街|里"
    rf"|道|村|镇|园|苑|小区|花园))"
    rf"{_HAN}{{0,6}}\d{{1,5}}(?:号|弄|巷)?(?:院|楼)?(?:[\d一二三四五六七八九十]{{1,5}}(?:号楼|号|栋|幢|座|单元|室|楼"
    rf"|层|弄|门)){{0,5}}(?:-?\d{{2,5}}室?)?"
)
_ADDRESS_LEAD = re.compile(
    r"^(?:.*(?:我们?|他们?|她们?|家|搬到了?|搬去|住在|住|地址|位于|寄到|寄往|公司|在|是|到|去|了|给|新家))(?=..)"
)

_QUOTED_LABEL = (
    r"(?:booking|reservation|confirmation|claim|case|reference|ref|tracking|parcel|shipment|waybill|order|policy"
    r"|contract|permit|invoice|record locator"
    r"|PNR|registration|licen[cs]e plate|number plate|plate|file|ticket|serial|application|complaint|insurance"
    r"|report|warranty|repair|dossier|docket)"
)
_QUOTED = re.compile(
    rf"\b(?i:{_QUOTED_LABEL}(?P<number> (?:reference|number|no\.?|nr\.?|code|id|ref))?)"
    r"(?: (?:for|with|at|of|from) [^\n.:;]{1,40}?)?"
    r"(?:\s*+(?::|#|\bis\b|\bwas\b|№|=)\s*+|[^\n?.!]{0,30}\?\s*+\n|\s++)(?:now |still )?#?"
    r"(?P<value>(?=[A-Z0-9/-]{0,24}\d|[A-Z]{6}\b)[A-Z0-9][A-Z0-9/-]{3,24}(?: (?=[A-Z0-9]*\d)[A-Z0-9]{2,6}){0,5})(?!["
    r"\w])"
)
_CHINESE_QUOTED = re.compile(
    r"(?:预订|预定|预约|订单|确认|报案|案件|理赔|保单|快递|运单|物流|取件|受理|挂号|工单|合同|发票|车牌|航班确认|票"
    r"|编|流水|登记|申请|报修|取货|提货|维修|回执)(?:单)?(?:号码?|编号|码)"
    r"\s*+(?:(?:就是|是|为|:)\s*+)?(?P<value>[A-Za-z0-9][A-Za-z0-9-]{3,30})"
)
_ACCOUNT = re.compile(
    r"\b(?:customer|client|member(?:ship)?|subscriber|frequent flyer|loyalty|library(?: card)?|patient|student"
    r"|employee|staff|utility|electricity|gas|water|broadband"
    r"|meter)(?: (?:account|card))?(?: (?:number|no\.?|id))(?:\s*+(?::|#|\bis\b|\bwas\b|=)\s*+"
    r"|\s++)#?(?P<value>(?=[A-Z0-9/-]{0,24}\d)[A-Z0-9][A-Z0-9/-]{3,24}(?: \d{2,6}){0,4})(?!\w)"
    r"|(?:客户|会员|学|工|用户|借书证|图书证|读者证|就诊卡|病历|户|电表|水表|燃气)(?:卡)?(?:号码?|编号)\s*+(?:(?:是"
    r"|为|:)\s*+)?(?P<value2>[A-Za-z0-9][A-Za-z0-9-]{3,24})",
    re.IGNORECASE,
)


_HANDLE = re.compile(
    r"(?:微信号?|QQ ?号?|\b(?:wechat|skype|telegram|discord|line|instagram|mastodon|signal)(?: id| name| handle)?)"
    r"\s*+(?:(?:is|是|为|:)\s*+)?(?P<value>@?(?=[\w.-]{0,30}[\d_@])[A-Za-z0-9][\w.-]{4,30}(?:@[\w.-]{3,40})?)(?![\w@])",
    re.IGNORECASE | re.ASCII,
)


def find_exact(text: str) -> Iterator[Find]:
    """Every such value in folded text; spans may overlap one another."""
    for found in _URL.finditer(text):
        end = found.start() + len(_without_stop(found.group()))
        yield Find(start=found.start(), end=end, kind=LINK)
    for found in _MAIL.finditer(text):
        yield Find(start=found.start(), end=found.end(), kind=MAIL_ADDRESS)
    yield from _telephones(text)
    yield from _addresses(text)
    for found in _HANDLE.finditer(text):
        yield Find(start=found.start("value"), end=found.end("value"), kind=HANDLE)
    for pattern, kind in ((_QUOTED, QUOTED_NUMBER), (_CHINESE_QUOTED, QUOTED_NUMBER), (_ACCOUNT, CUSTOMER_NUMBER)):
        yield from _numbers(text, pattern, kind)


def _telephones(text: str) -> Iterator[Find]:
    for pattern in _PHONES:
        for found in pattern.finditer(text):
            if 7 <= sum(character.isdigit() for character in found.group()) <= 15:
                yield Find(start=found.start(), end=found.end(), kind=TELEPHONE)
    for found in _NAMED_PHONE.finditer(text):
        if 5 <= sum(character.isdigit() for character in found["value"]) <= 15 and not _DATE.search(found["value"]):
            yield Find(start=found.start("value"), end=found.end("value"), kind=TELEPHONE)


_DATE = re.compile(r"(?:19|20)\d\d[-. ]\d\d?[-. ]\d\d?|\d\d?[-. ]\d\d?[-. ](?:19|20)\d\d")


def _addresses(text: str) -> Iterator[Find]:
    for pattern in (_ENGLISH_ADDRESS, _EUROPEAN_ADDRESS):
        for found in pattern.finditer(text):
            stop = found.group().endswith(".") and not _SHORT_STREET.search(found.group())
            yield Find(start=found.start(), end=found.end() - stop, kind=POSTAL_ADDRESS)
    for found in _CHINESE_ADDRESS.finditer(text):
        lead = _ADDRESS_LEAD.match(found.group())
        yield Find(start=found.start() + (lead.end() if lead else 0), end=found.end(), kind=POSTAL_ADDRESS)


def _numbers(text: str, pattern: re.Pattern[str], kind: SecretKind) -> Iterator[Find]:
    for found in pattern.finditer(text):
        name = "value" if found["value"] else "value2"
        value = found[name]
        if is_placeholder(value) or _DATE.fullmatch(value):
            continue
        # "report 2024", "order 66": without the word "number" a short number is no reference.
        digits = "".join(character for character in value if character.isalnum())
        if digits.isdigit() and len(digits) < (4 if found.groupdict().get("number") or pattern is not _QUOTED else 6):
            continue
        label = _LINK_WORDS.sub("", found.group()[: found.start(name) - found.start()])
        label_end = found.start() + len(label)
        caption = caption_for(text, kind, found.start(), label_end)
        yield Find(start=found.start(name), end=found.end(name), kind=kind, caption=caption)


_LINK_WORDS = re.compile(r"[\s:#=№]*(?:\b(?:is|was|now|still)\b|就是|是|为)?[\s:#=№]*(?:\b(?:now|still)\b)?[\s#]*\Z")


def _without_stop(url: str) -> str:
    url = url.rstrip(".,;:!?'*")
    while url.endswith(")") and url.count(")") > url.count("("):
        url = url[:-1].rstrip(".,;:!?'*")
    return url
