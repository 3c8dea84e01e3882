"""Search phrases of a question: what the built-in model answers as the topic maker."""

from __future__ import annotations

import re

from mirix.models.builtin.fields import names_in
from mirix.models.builtin.language import _HAN_QUESTION, STOPWORDS, is_chinese, plain

_LIMIT = 3


def question_topics(question: str) -> list[str]:
    """One to three phrases in the language of the question: its content words, then each half of a question that
    asks two things, then its names.
    """
    bare = plain(question).strip()
    topics = [_phrase(bare)]
    halves = re.split(r",? (?:and|or|but) |[,,]|和|还是|以及", bare)
    if len(halves) == 2:
        topics += [phrase for phrase in map(_phrase, halves) if len(phrase) > 3 and phrase != topics[0]]
    topics += names_in(bare)
    unique = list(dict.fromkeys(topic for topic in topics if topic))
    return unique[:_LIMIT] or [bare[:80] or "memory"]


def _phrase(text: str) -> str:
    if is_chinese(text):
        cut = _HAN_QUESTION.sub(" ", text)
        return re.sub(r"[\s??。,,!的了吗呢]+", " ", cut).strip()
    words = re.findall(r"[\w'’&.-]+", text)
    kept = [word.strip(".'’") for word in words if word.lower() not in STOPWORDS]
    return " ".join(word for word in kept if word)
