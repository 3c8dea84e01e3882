"""Steps of a procedure, in the order they were told."""

from __future__ import annotations

import re

from mirix.models.builtin.language import BRACKET, is_chinese, plain, split_sentences

_BORDER_MARKS = " \n;;,,。."
_NUMBERED = re.compile(
    r"(?:^|(?<=[\s:;。;,,]))(?:\(?\d{1,2}[.)、)](?!\d)|[①-⑨]|[一二三四五六七八九十][、.]|[A-H][.)](?= )|[-*•](?= ))\s*",
    re.MULTILINE,
)
_BORDER = re.compile(
    r"[;;。!]\s*|\n+|(?<=\w)[.!]\s+|,\s*(?:and )?(?:only )?(?:then|next|after that|finally|"
    r"and finally)\b[,:]?\s*|,\s*(?:and\s+)?(?=[a-z]+\b)|,?\s+then\s+|"
    r"[,,]\s*(?=然后|接着|再|最后|之后|才)|(?<=[\u4e00-\u9fff])[,,、](?=[\u4e00-\u9fff])"
)
_OPENING = re.compile(
    (
        r"^(?:first(?:ly)?|then|next|after that|finally|lastly|and|second(?:ly)?|third(?:ly)?|"
        r"step \d+:?)\b[,:]?\s*|^(?:首先|先|然后|接着|再|最后|之后)[,,]?"
    ),
    re.IGNORECASE,
)
_HEAD = re.compile(r"^(?P<head>[^::\n]{2,90}?)[::]\s*(?=\S)")


def split_steps(text: str) -> list[str]:
    """The steps as quoted pieces; one step when the text shows no order. Lists keep their lines, prose is cut at its
    clauses.
    """
    bare = text.strip()
    numbered = [piece.strip(_BORDER_MARKS) for piece in _NUMBERED.split(bare)]
    if len(numbered) >= 3:
        return [step for step in numbered[1:] if step]
    lines = [line.strip() for line in bare.splitlines() if line.strip()]
    if len(lines) >= 4:
        return _kept(lines[1:])
    head = _HEAD.match(bare)
    body = bare[head.end() :] if head else bare
    pieces: list[str] = []
    for sentence in split_sentences(body):
        pieces.extend(piece for piece in _BORDER.split(sentence) if piece)
    return _kept(pieces)


def _kept(pieces: list[str]) -> list[str]:
    joined: list[str] = []
    for piece in pieces:
        step = _OPENING.sub("", re.sub(r"\s+", " ", piece).strip(_BORDER_MARKS)).strip()
        if not step:
            continue
        # A scrap of one word belongs to the step before it ("air, weights, buckle" is one list).
        too_short = len(step) < 3 if is_chinese(step) else len(step.split()) < 2
        if too_short and joined:
            joined[-1] += ("、" if is_chinese(joined[-1]) else ", ") + step
        else:
            joined.append(step)
    return joined


def entry_type(text: str) -> str:
    """workflow, guide, script or rule."""
    bare = plain(BRACKET.sub("", text))
    if re.search(r"```|^#!|\$ \w+", bare, re.MULTILINE):
        return "script"
    if re.search(r"(?i)\b(?:whenever|always|never|from now on|every time|before you)\b|每次|一律|以后|凡是|规矩", bare):
        return "rule" if len(split_steps(text)) < 3 else "workflow"
    return "guide" if re.search(r"(?i)\bhow to|fix|reset|restart|to \w+ the\b|怎么|办法|修|重启", bare) else "workflow"
