"""What can be secret: the record of a find, and the kinds of values with their words.

Kinds are data. `secret_shapes`, `secret_labels` and `exact_values` find them; `secrets` is the door.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Sensitivity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True)
class SecretSpan:
    """A value in a text: `text[start:end] == value`."""

    start: int
    end: int
    value: str = field(repr=False)
    # credential, api_key, account, contact_info, bookmark or other
    entry_type: str
    sensitivity: Sensitivity
    # What the value is, in the language of the text; never any part of a value.
    caption: str
    # More words under which it should be found, in English and Chinese.
    terms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SecretKind:
    entry_type: str
    sensitivity: Sensitivity = Sensitivity.HIGH
    english: str
    chinese: str
    terms: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Find:
    """A value in folded text, before overlaps are settled."""

    start: int
    end: int
    kind: SecretKind
    # Empty: the caption of the kind.
    caption: str = ""


PASSWORD = SecretKind(
    entry_type="credential", english="password", chinese="密码", terms=("password", "passcode", "login", "密码", "口令")
)
PIN = SecretKind(entry_type="credential", english="PIN", chinese="PIN码", terms=("pin", "code", "密码", "PIN码"))
ENTRY_CODE = SecretKind(
    entry_type="credential",
    english="access code",
    chinese="门禁密码",
    terms=("code", "door code", "access code", "密码", "门锁", "门禁"),
)
ONE_TIME_CODE = SecretKind(
    entry_type="credential",
    english="verification code",
    chinese="验证码",
    terms=("verification code", "recovery code", "2fa", "验证码", "恢复码"),
)
SEED_PHRASE = SecretKind(
    entry_type="credential",
    english="seed phrase",
    chinese="助记词",
    terms=("seed phrase", "recovery phrase", "wallet", "助记词", "钱包"),
)
API_KEY = SecretKind(
    entry_type="api_key", english="API key", chinese="API 密钥", terms=("api key", "token", "secret", "密钥", "令牌")
)
PRIVATE_KEY = SecretKind(
    entry_type="api_key", english="private key", chinese="私钥", terms=("private key", "ssh", "pem", "私钥", "密钥")
)
URL_LOGIN = SecretKind(
    entry_type="credential",
    english="password in a web address",
    chinese="网址里的密码",
    terms=("password", "login", "url", "密码", "登录", "网址"),
)
CARD = SecretKind(
    entry_type="account",
    english="card number",
    chinese="银行卡号",
    terms=("card number", "credit card", "bank card", "卡号", "银行卡", "信用卡"),
)
CARD_CHECK = SecretKind(
    entry_type="credential",
    english="card security code",
    chinese="卡片安全码",
    terms=("cvv", "cvc", "card", "安全码", "信用卡"),
)
IBAN = SecretKind(
    entry_type="account", english="IBAN", chinese="IBAN 账号", terms=("iban", "bank account", "银行账号", "账户")
)
BANK_ACCOUNT = SecretKind(
    entry_type="account",
    english="bank account number",
    chinese="银行账号",
    terms=("bank account", "account number", "银行账号", "账户"),
)
PASSPORT = SecretKind(
    entry_type="other", english="passport number", chinese="护照号", terms=("passport", "identity", "护照", "证件号")
)
IDENTITY = SecretKind(
    entry_type="other",
    english="identity number",
    chinese="证件号码",
    terms=("identity number", "id card", "身份证", "证件号"),
)
SOCIAL_SECURITY = SecretKind(
    entry_type="other",
    english="social security number",
    chinese="社保号",
    terms=("social security", "insurance number", "社保", "医保"),
)
TAX_NUMBER = SecretKind(
    entry_type="other", english="tax number", chinese="税号", terms=("tax number", "tax id", "税号", "纳税人识别号")
)

TELEPHONE = SecretKind(
    entry_type="contact_info",
    sensitivity=Sensitivity.LOW,
    english="telephone number",
    chinese="电话号码",
    terms=("phone", "telephone", "mobile", "number", "电话", "手机"),
)
MAIL_ADDRESS = SecretKind(
    entry_type="contact_info",
    sensitivity=Sensitivity.LOW,
    english="e-mail address",
    chinese="邮箱地址",
    terms=("email", "e-mail", "mail address", "邮箱", "邮件"),
)
HANDLE = SecretKind(
    entry_type="contact_info",
    sensitivity=Sensitivity.LOW,
    english="contact name",
    chinese="联系账号",
    terms=("wechat", "contact", "handle", "微信", "联系方式"),
)
POSTAL_ADDRESS = SecretKind(
    entry_type="contact_info",
    sensitivity=Sensitivity.LOW,
    english="address",
    chinese="地址",
    terms=("address", "street", "地址", "住址"),
)
LINK = SecretKind(
    entry_type="bookmark",
    sensitivity=Sensitivity.LOW,
    english="link",
    chinese="链接",
    terms=("link", "url", "bookmark", "website", "链接", "网址"),
)
QUOTED_NUMBER = SecretKind(
    entry_type="other",
    sensitivity=Sensitivity.MEDIUM,
    english="reference number",
    chinese="编号",
    terms=("reference", "booking", "number", "编号", "单号"),
)
CUSTOMER_NUMBER = SecretKind(
    entry_type="account",
    sensitivity=Sensitivity.MEDIUM,
    english="account number",
    chinese="账号",
    terms=("account", "customer number", "member", "账号", "会员号"),
)

# Words that a caption may hold, and those it should be found under as well.
TOPICS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("wifi", "wi-fi", "wlan", "router", "无线", "路由"), ("wifi", "wlan", "router", "无线", "路由器")),
    (("door", "gate", "lock", "garage", "门", "锁", "车库"), ("door", "lock", "gate", "门锁", "门禁")),
    (("alarm", "报警", "警报"), ("alarm", "报警")),
    (("safe", "保险柜", "保险箱"), ("safe", "保险箱")),
    (("mail", "邮箱", "邮件"), ("email", "邮箱")),
    (("bank", "银行", "网银"), ("bank", "银行")),
    (("phone", "sim", "手机", "锁屏"), ("phone", "手机")),
    (("laptop", "computer", "desktop", "电脑", "笔记本"), ("computer", "laptop", "电脑")),
    (("card", "信用卡", "银行卡"), ("card", "银行卡")),
    (("passport", "护照"), ("passport", "护照")),
)
