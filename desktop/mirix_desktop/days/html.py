"""Turns a view into the HTML of its page: the templates of `pages/`, with marks as elements of their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from mirix_desktop.days.shapes import MARK, Data, View, plain

_WORDS: Mapping[str, Data] = {
    "en": {
        "mail": "Mail", "chat": "Chat", "calendar": "Calendar", "tickets": "Tickets", "wiki": "Wiki",
        "dashboard": "Dashboard", "search": "Search", "from": "From:", "to": "To:", "reply": "Reply", "send": "Send",
        "write": "Write a message", "basket": "Basket", "buy": "Add to basket", "more": "People also look at",
        "updated": "Last changed:", "folders": ["Inbox", "Sent", "Drafts", "Archive", "Junk"],
        "days": ["Mon 16", "Tue 17", "Wed 18", "Thu 19", "Fri 20"],
        "boards": ["All open", "Mine", "Watching", "Closed"],
        "panels": ["Overview", "API keys", "Alerts"],
    },
    "zh": {
        "mail": "邮箱", "chat": "聊天", "calendar": "日历", "tickets": "工单", "wiki": "知识库", "dashboard": "看板",
        "search": "搜索", "from": "发件人:", "to": "收件人:", "reply": "回复", "send": "发送", "write": "输入消息",
        "basket": "购物车", "buy": "加入购物车", "more": "猜你喜欢", "updated": "最近更新:",
        "folders": ["收件箱", "已发送", "草稿", "归档", "垃圾邮件"], "days": ["周一", "周二", "周三", "周四", "周五"],
        "boards": ["全部", "我的", "关注", "已关闭"], "panels": ["概览", "密钥", "告警"],
    },
}  # fmt: skip
_NOTHING: Data = dict.fromkeys(
    ["mails", "mail", "draft", "rows", "ticket", "detail", "events", "sections", "small", "cards", "bars", "items"], ""
) | dict.fromkeys(["banner", "product", "heading", "button", "store", "updated"], "")


def _shown(value: object) -> object:
    """A text with its marks as elements; anything else as it is."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    parts: list[str] = []
    end = 0
    for found in MARK.finditer(value):
        parts += [
            escape(value[end : found.start()]),
            f'<span data-m="{found["id"]}">',
            escape(found["text"]),
            "</span>",
        ]
        end = found.end()
    return Markup("".join([*parts, escape(value[end:])]))


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    finalize=_shown,
    undefined=StrictUndefined,
)
_MARKER = """<!doctype html><title>{title}</title><body style="margin:0;background:#fff">
<div style="width:24px;height:24px;background:#f0f"></div>"""
START_HTML = """<!doctype html><meta charset="utf-8"><title>Start</title><body style="margin:0;background:#eef1ec;
font:17px Liberation Sans;color:#2a302b;display:grid;place-items:center;height:100vh"><div><h1>Good morning</h1>
<p style="background:#fff;border:1px solid #c9cfc9;border-radius:20px;padding:10px 200px 10px 20px">
Search the intranet</p>
<p>Canteen &nbsp; Rooms &nbsp; Forms &nbsp; People</p></div>"""


def page_html(view: View, theme: Data, *, me: str, now: datetime, blink: bool) -> str:
    """The page as it stands at a moment of the story; `blink`: the caret is there."""
    return _TEMPLATES.get_template(f"{view.app}.html").render(
        {
            **_NOTHING,
            **view.data,
            "title": plain(view.title),
            "language": "zh-CN" if view.language == "zh" else "en",
            "words": _WORDS[view.language],
            "theme": theme,
            "me": me,
            "now": now,
            "blink": blink,
        }
    )


def marker_html(title: str) -> str:
    """A white page with a magenta square in its corner: shows where a viewport stands on the screen."""
    return _MARKER.format(title=escape(title))
