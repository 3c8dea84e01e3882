"""Steps of a procedure, in the order they were told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mirix.models.builtin.language import BRACKET, is_chinese, plain, split_sentences
from mirix.models.builtin.signals import has

_BORDER_MARKS = " \n;,。."
_NUMBERED = re.compile(
    r"(?:^|(?<=[\s:;。,]))(?:\(?\d{1,2}[.)、](?!\d)|[①-⑨]|[一二三四五六七八九十]、|[A-H][.)](?= )|[-*•◻☐](?= ))\s*",
    re.MULTILINE,
)
_ORDER = r"(?:and )?(?:only )?(?:then|next|after that|afterwards|finally|lastly)\b"
_BORDER = re.compile(
    rf"[;。!]\s*|\n+|(?<=\w)[.!]\s+|,\s*(?={_ORDER})|,?\s+(?=then\s)|,\s*(?:and\s+)?(?=[a-z]+\b)|"
    r",\s*(?=然后|接着|再|最后|之后|才)|(?<=[\u4e00-\u9fff])[,、](?=[\u4e00-\u9fff])"
)
_OPENING = re.compile(
    rf"^(?:{_ORDER}|first(?:ly)?\b|and\b|second(?:ly)?\b|third(?:ly)?\b|step \d+:?)[,:]?\s*|"
    r"^(?:首先|先|然后|接着|再|最后(?!一)|之后|第[一二三四五六七八九十]步)[,:]?",
    re.IGNORECASE,
)
_HEAD = re.compile(r"^(?P<head>(?:[^:\n]|(?<=\d):(?=\d)){2,110}?):\s*(?!\d\d\b)(?=\S)")
_PARTS = re.compile(r"\n\s*\n")
_FEWEST_LINES = 3


@dataclass(frozen=True, kw_only=True)
class Procedure:
    """How something is done."""

    heading: str  # the words that introduce the steps; "" when there are none
    steps: tuple[str, ...]
    is_list: bool  # the steps were written as a list


def split_steps(text: str) -> list[str]:
    """The steps of a text as quoted pieces."""
    return list(find_procedure(text).steps)


def find_procedure(text: str) -> Procedure:
    """Heading and steps of a text; one step when the text shows no order. Lists keep their lines, prose is cut at its
    clauses.
    """
    bare = text.strip()
    return _numbered(bare) or _listed(bare) or _told(bare)


def _numbered(text: str) -> Procedure | None:
    marks = list(_NUMBERED.finditer(text))
    if len(marks) < 2:
        return None
    ends = [mark.start() for mark in marks[1:]]
    pieces = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=False)]
    # What follows the last step after an empty line is no step.
    pieces.append(_PARTS.split(text[marks[-1].end() :])[0])
    steps = [re.sub(r"\s+", " ", piece).strip(_BORDER_MARKS) for piece in pieces]
    return Procedure(heading=_last_words(text[: marks[0].start()]), steps=tuple(filter(None, steps)), is_list=True)


def _listed(text: str) -> Procedure | None:
    """Lines below a line that ends with a colon."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    start = next((order for order, line in enumerate(lines) if line.endswith(":")), None)
    if start is None and len(lines) > _FEWEST_LINES and len(lines[0]) <= 90:
        start = 0
    if start is None or len(lines) - start - 1 < _FEWEST_LINES:
        return None
    return Procedure(heading=_last_words(lines[start]), steps=tuple(_kept(lines[start + 1 :])), is_list=True)


def _told(text: str) -> Procedure:
    sentences = split_sentences(text)
    start = _first_of_steps(sentences)
    heading, body = "", sentences[start:]
    head = _HEAD.match(body[0]) if body else None
    if head is not None:
        heading, body = head.group("head"), [body[0][head.end() :], *body[1:]]
        heading = _last_words(heading)
    elif start > 0:
        heading = _last_words(sentences[start - 1])
    pieces: list[str] = []
    for order, sentence in enumerate(body):
        told_once = has("past_event", plain(sentence)) and has("first_person", sentence)
        if sentence.endswith("?") or (order > 0 and told_once):
            continue
        pieces.extend(piece for piece in _BORDER.split(sentence) if piece)
    steps = _kept(pieces)
    return Procedure(
        heading=heading or (body[0].strip(_BORDER_MARKS) if body else ""), steps=tuple(steps), is_list=False
    )


def _first_of_steps(sentences: Sequence[str]) -> int:
    """Where the steps begin: what was said before them is no step."""
    for order, sentence in enumerate(sentences):
        text = plain(sentence)
        if _HEAD.match(sentence) or any(has(sign, text) for sign in ("ordered", "imperatives", "standing", "how_to")):
            return order
        if order + 1 < len(sentences) and _OPENING.match(plain(sentences[order + 1])):
            return order
    return 0


def _last_words(text: str) -> str:
    """The sentence that stands right before the steps."""
    lines = [line for line in text.strip().splitlines() if line.strip(" -*#`")]
    sentences = split_sentences(lines[-1]) if lines else []
    return sentences[-1].strip(" :;,-*#`") if sentences else ""


def _kept(pieces: Sequence[str]) -> list[str]:
    joined: list[str] = []
    for piece in pieces:
        quoted = re.sub(r"\s+", " ", piece).strip(_BORDER_MARKS)
        step = _OPENING.sub("", quoted).strip(_BORDER_MARKS)
        if not step:
            continue
        # A scrap of one word belongs to the step before it ("air, weights, buckle" is one list), unless it was told
        # as a step of its own ("finally brush").
        too_short = len(step) < 3 if is_chinese(step) else len(step.split()) < 2
        if too_short and joined and step == quoted:
            joined[-1] += ("、" if is_chinese(joined[-1]) else ", ") + step
        else:
            joined.append(step)
    return joined


def without_order(step: str) -> str:
    """A step without the word that says where it stands."""
    return _OPENING.sub("", step.strip()).strip(_BORDER_MARKS)


def entry_type(text: str) -> str:
    """workflow, guide, script or rule."""
    bare = plain(BRACKET.sub("", text))
    if re.search(r"```|^#!|\$ \w+", bare, re.MULTILINE):
        return "script"
    if re.search(r"(?i)\b(?:whenever|always|never|from now on|every time|before you)\b|每次|一律|以后|凡是|规矩", bare):
        return "rule" if len(split_steps(text)) < 3 else "workflow"
    return "guide" if re.search(r"(?i)\bhow to|fix|reset|restart|to \w+ the\b|怎么|办法|修|重启", bare) else "workflow"
