"""A record to be, before it is known whether it is new: what the drafters of the six kinds have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mirix.models.builtin.language import plain, split_sentences
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.routing import kind_scores
from mirix.models.builtin.screens import without_bars

SUMMARY_LIMIT: Final = 240  # characters of a one-line summary
DETAILS_LIMIT: Final = 1200


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One record to be, with the statement it rests on."""

    item: dict[str, object]  # arguments of the tool, without messages
    statement: str  # the sentences that carry it
    message: Message
    handles: tuple[str, ...]  # evidence


Drafter = Callable[[Sequence[Message], NearestExamples], list[Draft]]


def make_draft(item: dict[str, object], statement: str, message: Message) -> Draft:
    """A draft that rests on one message."""
    return Draft(item=item, statement=statement, message=message, handles=(message.handle,))


def own_messages(messages: Sequence[Message]) -> list[Message]:
    """The messages that may be filed from: neither context nor what the assistant said, nor the bars of a screen."""
    own = [message for message in messages if not message.is_context and message.role != "assistant"]
    shown = [without_bars(message) if is_screen(message) else message for message in own]
    return [message for message in shown if message.text]


def telling_sentences(text: str) -> list[str]:
    """The sentences of a text that say anything."""
    return [sentence for sentence in split_sentences(text) if len(plain(sentence).strip()) > 3]


def scores_of(kind: str, sentences: Sequence[str], nearest: NearestExamples) -> list[float]:
    """How much each sentence carries a kind, as a margin: above 0 it does."""
    return [scores[kind] for scores in kind_scores(sentences, nearest)]


def is_screen(message: Message) -> bool:
    """Whether a text was read off a screen: with menus, clocks and lists that nobody said."""
    return message.source in {"screen", "web"}
