"""Which of the six kinds of memory a message concerns: what the built-in model answers for the meta memory manager.

Per message: the nearest examples give scores, a few rules with a clear reading overrule them (exact values,
placeholders, games). The message before lends its meaning: an answer to the assistant's question is read with the
question, a game stays a game until it ends. Long messages that are no documents are also read sentence by sentence,
because one sentence among ten can be the fact worth keeping.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mirix.models.builtin.dictated import find_dictations
from mirix.models.builtin.language import HAN, plain, split_sentences
from mirix.models.builtin.nearest import KINDS, NearestExamples
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.signals import has
from mirix.models.builtin.slots import slot_of
from mirix.models.builtin.subjects import is_life_change
from mirix.models.builtin.values import exact_values, names_code, unnamed_codes

_SENTENCE_MARGIN = 0.12  # one sentence alone must be surer than a whole message
_JOINED_MARGIN = 0.05  # so must a text that is read with the question before it
_KEEP_SCREEN = re.compile(
    r"(?i)\b(?:keep|save|store|archive) (?:this|that|what|the|it)\b|\bfor later\b|"
    r"帮我.{0,4}[存收留]|[存收留](?:一下|下来|起来)这"
)
# What is handed over stands behind a colon, in quotation marks or on lines of its own, or is long.
_BODY = re.compile(r"\n|:\s*\S.{24,}|[\"“「『][^\"”」』]{24,}|(?s:^.{160,})|[\u4e00-\u9fff].{60,}")
_GAME_OVER = re.compile(
    r"(?i)\b(?:enough (?:of that|playing|games|for today)|back to (?:reality|normal|work)|seriously now|"
    r"joking aside|game over|end of (?:game|scene))\b|不玩了|言归正传|说正经的|到此为止|练习结束"
)


@dataclass(frozen=True, kw_only=True)
class Routed:
    """What one message concerns."""

    message: Message
    kinds: frozenset[str]


def route_messages(messages: Sequence[Message], nearest: NearestExamples) -> list[Routed]:
    """The kinds of each message that is worth keeping, in order; messages that concern nothing are left out."""
    routed: list[Routed] = []
    dictations = find_dictations(messages)
    opened = {each.messages[0].handle for each in dictations}
    told_on = {message.handle for each in dictations for message in each.messages[1:]}
    in_game = False
    previous: Message | None = None
    for message in messages:
        in_game = _still_in_game(message, in_game)
        kinds: set[str] = set()
        if message.role == "user" and not message.is_context and not in_game:
            kinds = _kinds_of(message, previous, nearest) | ({"procedural"} if message.handle in opened else set())
            if message.handle in told_on:  # a step says nothing by itself
                kinds = kinds & {"vault"} | {"procedural"}
        if kinds:
            routed.append(Routed(message=message, kinds=frozenset(kinds)))
        previous = message
    return routed


def kind_scores(texts: Sequence[str], nearest: NearestExamples, before: str = "") -> list[dict[str, float]]:
    """Margins of the six kinds for each text, read together with the question it answers."""
    alone = nearest.score(texts)
    if not before:
        return alone
    together = nearest.score([f"{before} {text}" if len(text) < 160 else text for text in texts])
    return [
        {kind: max(mine[kind], joined[kind] - _JOINED_MARGIN) for kind in KINDS}
        for mine, joined in zip(alone, together, strict=True)
    ]


def _still_in_game(message: Message, in_game: bool) -> bool:
    if message.role != "user":
        return in_game
    if in_game:
        return _GAME_OVER.search(message.text) is None
    return (
        has("role_play", message.text) and not has("keep_this", message.text) and not has("document_word", message.text)
    )


def _kinds_of(message: Message, previous: Message | None, nearest: NearestExamples) -> set[str]:
    before = ""
    if previous is not None and previous.role == "assistant" and previous.text.rstrip().endswith(("?", "?")):
        before = split_sentences(previous.text)[-1]
    text = message.text
    kinds = _above(kind_scores([text], nearest, before)[0], 0.0)
    sentences = split_sentences(text)
    if 2 < len(sentences) <= 12 and "resource" not in kinds:
        telling = [sentence for sentence in sentences if len(sentence) > 14 or HAN.search(sentence)]
        for scores in nearest.score(telling):
            kinds |= _above(scores, _SENTENCE_MARGIN) - {"resource", "vault"}
    if exact_values(text) or "{{vault:" in text:
        kinds.add("vault")  # what is sealed already may still replace an older entry
    elif not unnamed_codes(text):
        kinds.discard("vault")
    elif names_code(text):
        kinds.add("vault")
    return _overruled(kinds, message)


def _above(scores: dict[str, float], margin: float) -> set[str]:
    return {kind for kind, score in scores.items() if score > margin}


def _overruled(kinds: set[str], message: Message) -> set[str]:
    """Readings that leave no doubt, whatever the examples say."""
    text = plain(message.text)
    if has("joke_value", text) and not has("keep_document", text):
        kinds -= {"resource"} if exact_values(text) else {"resource", "vault"}
    if not has("hypothetical", text) and not has("joke_value", text):
        sentences = split_sentences(message.text)
        kinds |= {"core", "episodic"} if any(map(is_life_change, sentences)) else set()
        kinds |= {"core"} if any(map(slot_of, sentences)) else set()
    if has("placeholder", text):
        kinds.discard("vault")
    if has("hypothetical", text) and not has("time", text):
        kinds -= {"core", "semantic", "procedural"}
    is_screen = message.source in {"screen", "web"} or has("screen", text)
    if is_screen:
        kinds -= {"core", "procedural"}
    if "resource" in kinds and not _is_handed_over(text, is_screen, message.source == "file"):
        kinds.discard("resource")
    return kinds


def _is_handed_over(text: str, is_screen: bool, is_file: bool) -> bool:
    """A document has the form of one or is given to be kept; what merely stands on a screen was given by nobody."""
    if is_screen:
        return _KEEP_SCREEN.search(text) is not None
    if is_file or (has("keep_document", text) and _BODY.search(text) is not None):
        return True
    if has("list_lines", text) and has("how_to", text) and not any(has(form, text) for form in ("letter", "code")):
        # Steps told in talk are a procedure; nobody handed over a document.
        return False
    return text.count("\n") >= 3 or any(has(form, text) for form in ("letter", "code", "chat_thread", "quoted_block"))
