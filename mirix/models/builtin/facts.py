"""What is filed in core and semantic memory: lasting facts on the user, and knowledge on everybody and all else."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mirix.models.builtin.drafts import (
    DETAILS_LIMIT,
    SUMMARY_LIMIT,
    Draft,
    make_draft,
    own_messages,
    scores_of,
    telling_sentences,
)
from mirix.models.builtin.fields import is_for_assistant, keywords_of, semantic_kind, semantic_name, tidy
from mirix.models.builtin.language import VAULT_REFERENCE, is_chinese, plain, split_sentences
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.signals import has
from mirix.models.builtin.subjects import Subject, is_lasting, is_life_change, is_one_off, subject_of

_SURE = 0.05  # margin of a sentence that stands beside others
_SURE_ALONE = 0.15  # margin of a sentence that names nothing by its form and is filed all the same
_FLOOR = -0.25  # below it no sentence of a message is filed, even the best one
_OWN = frozenset({Subject.USER, Subject.FAMILY, Subject.ASSISTANT, Subject.OPEN})
_NAMES_OR_NOW = re.compile(r"\b(?:is|are|called|named) [A-Z]\w|\b(?:now|these days)\b|现在|如今|目前|叫(?!我)")
_STILL = re.compile(r"(?i)\b(?:now|no longer|any ?more|these days|still)\b|现在|如今|目前|不再|以后")
_CHEER = re.compile(r"(?i)^\W*(?:happy|merry|congrat\w*|thank|welcome|good (?:night|morning))\b|生日快乐|恭喜|谢谢|晚安")
_KNOWLEDGE_SIGNS = ("definition", "quoted_term", "name_is", "other_person", "project")


def draft_core(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """Lines on the user and their household, and wishes on how the assistant should behave."""
    drafts = []
    for message in own_messages(messages):
        sentences = telling_sentences(message.text)
        subjects = _resolved_subjects(sentences)
        scores = scores_of("core", sentences, nearest)
        allowed = [
            (score, sentence)
            for score, sentence, subject in zip(scores, sentences, subjects, strict=True)
            if _may_be_core(sentence, subject)
        ]
        best = max((score for score, _ in allowed), default=0.0)
        for score, sentence in allowed:
            if score < _SURE and score != best and not _is_plain_fact(sentence) and not is_life_change(sentence):
                continue
            line = tidy(sentence).rstrip(":;")
            if line and not VAULT_REFERENCE.fullmatch(line):
                label = "persona" if is_for_assistant(line) else "human"
                drafts.append(make_draft({"label": label, "line": line[:SUMMARY_LIMIT]}, sentence, message))
    return drafts


def draft_semantic(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """People, places, projects and words of one's own; a sentence that merely mentions one of them tells nothing."""
    drafts: list[Draft] = []
    for message in own_messages(messages):
        sentences = telling_sentences(message.text)
        scores = scores_of("semantic", sentences, nearest)
        best = max(scores, default=0.0)
        subject = ""
        mine: list[Draft] = []
        for score, sentence in zip(scores, sentences, strict=True):
            goes_on = bool(mine) and subject_of(sentence) is Subject.PRONOUN
            named = semantic_name(sentence)
            if not goes_on and (score < max(_FLOOR, min(_SURE, best)) or _is_mere_mention(sentence)):
                subject = named or subject
                continue
            name = subject if goes_on and subject else named or subject or semantic_name(message.text)
            name = _full_name(name, sentence)
            if not name:
                continue
            if mine and (goes_on or name == mine[-1].item["name"]):
                mine[-1] = _longer(mine[-1], sentence, name)
            else:
                mine.append(make_draft(_semantic_item(name, sentence), sentence, message))
            subject = str(mine[-1].item["name"])
        if not mine and sentences and best >= _SURE_ALONE:
            telling = sentences[scores.index(best)]
            if not _is_mere_mention(telling):
                mine.append(make_draft(_semantic_item(_topic_of(telling), telling), telling, message))
        drafts += mine
    return drafts


def _resolved_subjects(sentences: Sequence[str]) -> list[Subject]:
    """The subject of each sentence; a pronoun has that of the sentence before."""
    subjects: list[Subject] = []
    for sentence in sentences:
        subject = subject_of(sentence)
        if subject is Subject.PRONOUN:
            subject = next((s for s in reversed(subjects) if s is not Subject.USER), Subject.PRONOUN)
        subjects.append(subject)
    return subjects


def _may_be_core(sentence: str, subject: Subject) -> bool:
    text = plain(sentence)
    if "?" in text or has("hypothetical", text):
        return False
    if is_for_assistant(tidy(sentence)) and not has("past_event", text):
        return True
    if subject not in _OWN or _CHEER.search(text):
        return False
    if is_lasting(sentence) or is_life_change(sentence):
        return True
    return subject is not Subject.OPEN and (has("state_change", text) or _STILL.search(text) is not None)


def _is_plain_fact(sentence: str) -> bool:
    """A lasting statement on the user by its form, however short."""
    told = any(has(sign, sentence) for sign in ("i_am", "my_name_is", "works", "home", "health"))
    return told and has("first_subject", tidy(sentence))


def _is_mere_mention(sentence: str) -> bool:
    """Told of one occasion, or of what oneself did or wants: known names occur, nothing is said about them."""
    text = plain(sentence)
    if any(has(sign, text) for sign in ("definition", "quoted_term")):
        return False
    if "?" in text:
        return True
    explains = any(has(sign, text) for sign in _KNOWLEDGE_SIGNS)
    if subject_of(sentence) is Subject.USER:
        return not explains
    return is_one_off(sentence) and not has("name_is", text) and _NAMES_OR_NOW.search(text) is None


def _semantic_item(name: str, sentence: str) -> dict[str, object]:
    return {
        "name": name,
        "kind": semantic_kind(sentence, name),
        "summary": tidy(sentence)[:SUMMARY_LIMIT],
        "details": tidy(sentence)[:DETAILS_LIMIT],
        "keywords": keywords_of(sentence),
    }


def _topic_of(sentence: str) -> str:
    """What a sentence that names nobody is about: "our union", else its first words."""
    found = re.search(r"\b(?:our|my|the) ((?:[a-z-]+ )?[a-z-]{3,})\b", plain(sentence))
    if found is not None:
        return found.group(1)
    return re.split(r"[,:;。]", tidy(plain(sentence)))[0][:24]


def _longer(draft: Draft, sentence: str, name: str) -> Draft:
    """The same record with one more sentence."""
    joined = f"{draft.statement}{'' if is_chinese(draft.statement) else ' '}{sentence}"
    kind = draft.item["kind"] if draft.item["kind"] != "concept" else semantic_kind(joined, str(draft.item["name"]))
    full = _full_name(str(draft.item["name"]), sentence)
    item = {
        **draft.item,
        "name": full,
        "kind": kind,
        "details": tidy(joined)[:DETAILS_LIMIT],
        "keywords": keywords_of(joined),
    }
    return make_draft(item, joined, draft.message)


def _full_name(name: str, sentence: str) -> str:
    """The name as a whole where the sentence tells it whole: two people of one first name are two."""
    if not name or " " in name or is_chinese(name):
        return name
    found = re.search(rf"\b{re.escape(name)} (?:van |de |von )?[A-Z][\w'’-]+", plain(sentence))
    return found.group() if found and split_sentences(found.group())[0] == found.group() else name
