"""What the assistant says of what was done to the memory: made by code, so that it never claims what was not done."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from typing import Literal

from mirix.chat.deed import Correction
from mirix.curation.forgetting import Forgotten
from mirix.memory.record import MemoryKind, one_line
from mirix.models.builtin.language import is_chinese

Language = Literal["en", "zh"]
LINE_CHARS = 160
LISTED = 20  # lines of what would go, or went

# What the chat agent answers when it does not know (agents/chat_agent.md): evidence of nothing.
UNKNOWN = frozenset({"I don't know.", "我不知道。"})

_YES_WORDS = """
yes y yep yeah yup sure ok okay confirm confirmed certainly absolutely
是 是的 好 好的 好啊 好吧 对 对的 嗯 嗯嗯 行 可以 确定 确认 没错 同意 删吧 删掉吧 忘掉吧 全部忘掉
"""
_YES_PHRASES = """
yes please/yes do it/yes do/yes i am sure/yes im sure/yes forget it/yes forget it all/yes forget them/yes delete it/
yes delete them/yes go ahead/please do/do it/go ahead/ok do it/okay do it/sure do it/im sure/i am sure/forget it all/
forget them all/delete them/delete it all
"""
_NO_WORDS = """
no n nope nah never cancel stop dont
不 不是 不要 不用 不行 别 算了 取消 不了 先不要 不忘
"""
_NO_PHRASES = "no thanks/no thank you/never mind/dont do it/do not/please dont/keep it/keep them"
_YES = frozenset([*_YES_WORDS.split(), *_YES_PHRASES.replace("\n", "").split("/")])
_NO = frozenset([*_NO_WORDS.split(), *_NO_PHRASES.split("/")])


class Saying(Enum):
    """A sentence in English and Chinese."""

    NOTHING_SAID = (
        "There is nothing right before this that could be forgotten, so nothing was. Say what it is about: "
        "“forget everything about …”.",
        "这句话前面没有可以忘掉的内容,所以什么都没有忘。请说明是关于什么的:“忘掉关于……的一切”。",
    )
    NOTHING_CITED = (
        "The last answer names no memory that could be forgotten, so nothing was. Say what it is about: "
        "“forget everything about …”.",
        "上一个回答没有引用任何记忆,所以什么都没有忘。请说明是关于什么的:“忘掉关于……的一切”。",
    )
    NOTHING_ABOUT = (
        "Nothing in memory holds “{about}”, so nothing was forgotten.",
        "记忆里没有关于“{about}”的内容,所以什么都没有忘。",
    )
    WOULD_GO = ("This would go for good, {count}:", "以下内容将被彻底忘掉,{count}:")
    AND_REPLIES = (
        "- and {count} of my replies that repeat it, this one included",
        "- 以及我重复这些内容的 {count} 条回复,包括这一条",
    )
    CONFIRM = (
        "Forget it? “Yes” does it; anything else keeps it.",
        "确定要忘掉吗?回答“是”才会执行,其他回答都会保留。",
    )
    NOT_FORGOTTEN = ("All of it stays: nothing was forgotten.", "全部保留,什么都没有忘。")
    FORGOTTEN = ("Forgotten for good: {count}.", "已彻底忘掉:{count}。")
    STAYED = (
        "These stay, because they rest on something else as well:",
        "以下记忆另有依据,因此保留:",
    )
    GONE_ALREADY = (
        "What was asked about is no longer there; nothing was forgotten.",
        "刚才问到的内容已经不在了,什么都没有忘。",
    )
    KEPT_OUT = ("That was not kept: it stands nowhere in memory.", "这句话没有记下,记忆里不会有它。")
    KEPT_OUT_ALONE = (
        "This turn was not kept. What you said before it stays; “forget that” takes it out.",
        "这句话没有记下。你之前说的话还在;说“忘掉刚才说的”可以把它去掉。",
    )
    KNOWN = (
        "What I know about you ({shown} of {total} memories):",
        "我所知道的关于你的事({total} 条记忆中的 {shown} 条):",
    )
    KNOWN_ABOUT = ("What I know about {about}:", "我所知道的关于“{about}”的事:")
    NOTHING_KNOWN = ("I know nothing about you yet.", "我还不知道任何关于你的事。")
    NOTHING_KNOWN_ABOUT = ("I know nothing about {about}.", "我不知道任何关于“{about}”的事。")
    CORRECTED = ("Corrected. Before: {before}\nNow: {after}", "已更正。原来:{before}\n现在:{after}")
    VALUE_CORRECTED = (
        "The sealed value of “{caption}” was corrected with it.",
        "已封存的“{caption}”的值也一并更正了。",
    )
    UNDO = ("`mirix memory undo {id}` takes that back.", "用 `mirix memory undo {id}` 可以撤销。")
    RESTATED = (
        "I could not tell which words of a memory are wrong, so I kept what you said as a new statement.",
        "我无法确定是哪条记忆里的哪几个字错了,所以把你的话当作新的内容记下了。",
    )
    REPLACED = ("It replaced: {before}\nNow: {after}", "它取代了:{before}\n现在:{after}")
    NOT_REPLACED = (
        "No memory was changed. Say it in full, such as “Oda lives in Tromsø”.",
        "没有改动任何记忆。请完整地再说一遍,例如“奥达住在特罗姆瑟”。",
    )
    WHAT_IS_RIGHT = (
        "Nothing was changed: tell me what is right (“that is wrong, it is …”), or “forget that”.",
        "没有改动任何内容:请告诉我正确的是什么(“不对,应该是……”),或者说“忘掉这个”。",
    )
    UNCLEAR = (
        "I did not understand what to do with the memory, so nothing was done and nothing was kept. Say it again in "
        "other words.",
        "我没有听懂要对记忆做什么,所以什么都没有做,也没有记下。请换个说法再说一遍。",
    )

    def said(self, language: Language, **values: object) -> str:
        return str(self.value[language == "zh"]).format(**values)


KIND_NAMES: Mapping[MemoryKind, tuple[str, str]] = {
    MemoryKind.CORE: ("Always in mind", "始终记着的"),
    MemoryKind.EPISODIC: ("What happened", "发生过的事"),
    MemoryKind.SEMANTIC: ("People, places, things", "人、地方和事物"),
    MemoryKind.PROCEDURAL: ("How to do things", "做法和步骤"),
    MemoryKind.RESOURCE: ("Documents", "文档"),
    MemoryKind.VAULT: ("Sealed, only by what they are", "已封存的内容(只列名称)"),
}
MESSAGES_NAME = ("What was said", "说过的话")


def language_of(text: str) -> Language:
    return "zh" if is_chinese(text) else "en"


def is_yes(turn: str) -> bool:
    """Whether a turn is a plain yes and nothing else."""
    return _is_among(turn, _YES)


def is_no(turn: str) -> bool:
    """Whether a turn is a plain no and nothing else."""
    return _is_among(turn, _NO)


def _is_among(turn: str, words: Collection[str]) -> bool:
    bare = re.sub(r"['’]", "", turn.casefold())
    return " ".join(re.sub(r"[\W_]", " ", bare).split()) in words or re.sub(r"[\W_]", "", bare) in words


def counted(memories: int, messages: int, language: Language, *, redacted: int = 0, pictures: int = 0) -> str:
    """`2 memories and 1 message`."""
    if language == "zh":
        parts = [f"{memories} 条记忆", f"{messages} 条消息"]
        parts += [f"{pictures} 张图片"] if pictures else []
        parts += [f"从另外 {redacted} 条消息中删去了相关的句子"] if redacted else []
        return "、".join(parts)
    parts = [_plural(memories, "memory", "memories"), _plural(messages, "message", "messages")]
    parts += [_plural(pictures, "picture", "pictures")] if pictures else []
    parts += [f"the sentences on it in {_plural(redacted, 'other message', 'other messages')}"] if redacted else []
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _plural(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def bullets(lines: Sequence[str], language: Language) -> str:
    """The lines as a list, the first LISTED of them."""
    shown = [f"- {one_line(line, LINE_CHARS)}" for line in lines[:LISTED]]
    left = len(lines) - len(shown)
    if left:
        shown.append(f"- …… 另有 {left} 条" if language == "zh" else f"- … and {left} more")
    return "\n".join(shown)


def forgotten_text(forgotten: Forgotten, language: Language, *, in_full: bool) -> str:
    """What went. Not `in_full` it names nothing of it: so it is kept in the conversation."""
    count = counted(
        len(forgotten.memories),
        forgotten.messages,
        language,
        redacted=forgotten.redacted,
        pictures=forgotten.pictures,
    )
    parts = [Saying.FORGOTTEN.said(language, count=count)]
    if in_full and forgotten.memories:
        parts.append(bullets([trace.summary for trace in forgotten.memories], language))
    if in_full and forgotten.kept:
        parts += [Saying.STAYED.said(language), bullets([trace.summary for trace in forgotten.kept], language)]
    return "\n".join(parts)


def corrected_text(correction: Correction, language: Language) -> str:
    """A memory before and after; of a sealed value only what it is."""
    if correction.kind is MemoryKind.VAULT:
        return Saying.VALUE_CORRECTED.said(language, caption=correction.after.partition(": {{vault:")[0])
    return Saying.CORRECTED.said(language, before=correction.before, after=correction.after)
