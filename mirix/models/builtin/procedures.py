"""What is filed in procedural and resource memory: how something is done, and documents that were handed over."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mirix.models.builtin.dictated import Dictation, find_dictations
from mirix.models.builtin.documents import document_title, document_type
from mirix.models.builtin.drafts import SUMMARY_LIMIT, Draft, make_draft, own_messages, scores_of
from mirix.models.builtin.fields import keywords_of, tidy
from mirix.models.builtin.language import plain, split_sentences
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.signals import has
from mirix.models.builtin.steps import Procedure, entry_type, find_procedure

_STEP_LIMIT = 800
_STEPS_TOLD = 3  # with as many behind a colon, a text that resembles procedures is one
_STEPS_OF_RECIPE = 4  # a recipe's form is its steps; fewer are a shopping list
_CONTINUES = re.compile(
    r"(?i)^\W*(?:(?:and )?(?:then|next|after that|finally|lastly|afterwards|and)\b|step \d|"
    r"\d+[.)])|^\W*(?:然后|接着|再|最后|之后|第[二三四五六七八九]步)"
)


def draft_procedural(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """Procedures, one to a message; a message that goes on with the steps of the one before belongs to it."""
    dictations = find_dictations(messages)
    dictated = {message.handle for each in dictations for message in each.messages}
    groups: list[list[Message]] = []
    for message in own_messages(messages):
        if message.handle in dictated:
            continue
        if groups and _CONTINUES.match(plain(message.text)):
            groups[-1].append(message)
        else:
            groups.append([message])
    drafts = [_procedure(group, nearest) for group in groups]
    return [*map(_dictated, dictations), *(draft for draft in drafts if draft is not None)]


def _dictated(told: Dictation) -> Draft:
    text = "\n".join(message.text for message in told.messages)
    item: dict[str, object] = {
        "entry_type": entry_type(text),
        "summary": tidy(told.heading)[:SUMMARY_LIMIT],
        "steps": [step[:_STEP_LIMIT] for step in told.steps],
        "keywords": keywords_of(text),
    }
    handles = tuple(message.handle for message in told.messages)
    return Draft(item=item, statement=text, message=told.messages[-1], handles=handles)


def draft_resource(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """Documents, one to a message. Their content is copied by code."""
    drafts = []
    for message in own_messages(messages):
        title = message.title or document_title(message.text)
        item: dict[str, object] = {
            "title": title[:120],
            "resource_type": document_type(message.text, message.title),
            "summary": tidy(" ".join(split_sentences(message.text)[:3]))[:SUMMARY_LIMIT],
            "keywords": keywords_of(message.text),
        }
        drafts.append(make_draft(item, message.text, message))
    return drafts


def _procedure(group: Sequence[Message], nearest: NearestExamples) -> Draft | None:
    text = "\n".join(message.text for message in group)
    found = find_procedure(text)
    has_heading = len(found.steps) >= _STEPS_TOLD and re.search(r":\s*\S", text) is not None
    is_sure = has_heading and scores_of("procedural", [text], nearest)[0] > 0.0
    if not (is_sure or _instructs(text, found)):
        return None
    item: dict[str, object] = {
        "entry_type": entry_type(text),
        "summary": tidy(found.heading or text)[:SUMMARY_LIMIT],
        "steps": [step[:_STEP_LIMIT] for step in found.steps] or [tidy(text)[:_STEP_LIMIT]],
        "keywords": keywords_of(text),
    }
    return Draft(item=item, statement=text, message=group[-1], handles=tuple(message.handle for message in group))


def _instructs(text: str, found: Procedure) -> bool:
    """Whether a text tells how something is done; what somebody did once, told in the past, instructs nobody."""
    if found.is_list or (document_type(text) == "recipe" and len(found.steps) >= _STEPS_OF_RECIPE):
        return True
    bare = " ".join(sentence for sentence in split_sentences(plain(text)) if not sentence.endswith("?"))
    in_order = any(has(sign, bare) for sign in ("ordered", "imperatives", "inline_numbers"))
    told_as_rule = has("standing", bare) or has("how_to", bare) or has("code", text)
    if len(found.steps) < 2:
        return told_as_rule
    return in_order or (told_as_rule and not (has("past_event", bare) and has("first_person", bare)))
