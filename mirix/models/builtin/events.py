"""What is filed in episodic memory: what happened or is planned, each with its time."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mirix.models.builtin.drafts import (
    DETAILS_LIMIT,
    SUMMARY_LIMIT,
    Draft,
    is_screen,
    make_draft,
    own_messages,
    scores_of,
    telling_sentences,
)
from mirix.models.builtin.fields import actor_of, event_times, event_type, keywords_of, tidy
from mirix.models.builtin.language import VAULT_REFERENCE, content_terms, is_chinese, plain
from mirix.models.builtin.moments import find_moments
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.screens import screen_statements
from mirix.models.builtin.signals import has
from mirix.models.builtin.subjects import Subject, is_lasting_fact, subject_of

_MOST_OF_ONE = 4  # events of one message
_SHORT_MESSAGE = 200  # characters up to which a message is the detail of each of its events
_FULL_SENTENCE = 3  # words that tell something
_LEAD_IN = re.compile(
    r"(?i)^(?:please )?(?:keep|save|store|file|archive|here(?:'s| is| are)|fyi|forwarding|"
    r"note)\b[^.!?:]{0,80}:$"
)


def draft_episodic(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """The events that messages tell of; what is on a screen tells at most two."""
    drafts: list[Draft] = []
    for message in own_messages(messages):
        drafts += _screen_events(message) if is_screen(message) else _told_events(message, nearest)
    return drafts


def _told_events(message: Message, nearest: NearestExamples) -> list[Draft]:
    sentences = _whole_sentences(message.text)
    scores = scores_of("episodic", sentences, nearest)
    telling = [order for order, sentence in enumerate(sentences) if not _tells_no_event(sentence)]
    best = max((scores[order] for order in telling), default=0.0)
    groups: list[list[str]] = []
    for order in telling:
        if scores[order] < 0.0 and scores[order] != best:
            continue
        sentence = sentences[order]
        # A time opens an event of its own; what has no time belongs to the event before it.
        if not groups or (_is_dated(sentence) and any(map(_stands_alone, groups[-1]))):
            before = sentences[order - 1] if order > 0 else ""
            needs_subject = subject_of(sentence) is Subject.PRONOUN and before
            groups.append([before] if needs_subject and not any(before in group for group in groups) else [])
        groups[-1].append(sentence)
    return [_event(_joined(group), message, len(groups)) for group in groups[:_MOST_OF_ONE]]


def _stands_alone(sentence: str) -> bool:
    """Whether a sentence tells an event by itself: another time in the next one is that of another event."""
    return _is_dated(sentence) or (
        has("past_event", plain(sentence)) and len(content_terms(sentence)) >= _FULL_SENTENCE
    )


def _screen_events(message: Message) -> list[Draft]:
    """Appointments, deadlines and what else of meaning stands on a screen."""
    return [_event(statement, message, 0) for statement in screen_statements(message)]


def _event(statement: str, message: Message, events_told: int) -> Draft:
    """`events_told`: how many the message tells; what else it says is detail of the only one, or of each of a few."""
    start, end = event_times(statement, message.at)
    summary = tidy(statement).rstrip(":;")
    summary = summary[:1].upper() + summary[1:] if events_told else summary  # what stood behind a semicolon
    is_short = len(message.text) <= _SHORT_MESSAGE and events_told > 0
    details = tidy(message.text) if events_told == 1 or is_short else tidy(statement)
    item: dict[str, object] = {
        "summary": summary[:SUMMARY_LIMIT],
        "details": details[:DETAILS_LIMIT],
        "event_type": event_type(statement),
        "actor": actor_of(statement, message),
        "occurred_at": start or (message.at.isoformat() if message.at else ""),
        "keywords": keywords_of(statement),
    }
    if end:
        item["occurred_until"] = end
    return make_draft(item, statement, message)


def _whole_sentences(text: str) -> list[str]:
    """Sentences; what a semicolon joins stays together unless both parts have a time of their own."""
    joined: list[str] = []
    for sentence in telling_sentences(text):
        if joined and joined[-1].endswith(";") and not (_is_dated(joined[-1]) and _is_dated(sentence)):
            joined[-1] = _joined([joined[-1], sentence])
        else:
            joined.append(sentence)
    return joined


def _joined(sentences: Sequence[str]) -> str:
    return ("" if is_chinese("".join(sentences)) else " ").join(sentences)


def _is_dated(sentence: str) -> bool:
    return bool(find_moments(sentence))


def _tells_no_event(sentence: str) -> bool:
    text = plain(sentence).strip()
    if _LEAD_IN.match(text) and not has("past_event", text):
        return True
    if not content_terms(VAULT_REFERENCE.sub(" ", text)) or (has("greeting", text) and len(content_terms(text)) < 3):
        return True
    if text.endswith("?") and not _is_dated(sentence):
        return True
    is_secret = VAULT_REFERENCE.search(text) is not None
    return (is_secret and not has("past_event", text) and not _is_dated(sentence)) or is_lasting_fact(sentence)
