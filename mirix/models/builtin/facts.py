"""What is filed in core and semantic memory: lasting facts on the user, and knowledge on everybody and all else."""

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
from mirix.models.builtin.fields import is_for_assistant, keywords_of, semantic_kind, semantic_name, tidy
from mirix.models.builtin.language import (
    VAULT_REFERENCE,
    content_terms,
    is_chinese,
    is_past_form,
    plain,
    split_clauses,
    split_sentences,
)
from mirix.models.builtin.nearest import NearestExamples
from mirix.models.builtin.prompt import Message
from mirix.models.builtin.routing import kind_scores
from mirix.models.builtin.signals import has
from mirix.models.builtin.slots import is_unsettled, slot_of
from mirix.models.builtin.subjects import Subject, is_lasting, is_life_change, is_one_off, says_only_when, subject_of

_SURE = 0.05  # margin of a sentence that stands beside others
_PLAINLY = 0.3  # margin of a sentence that is knowledge whatever its form says
_SURE_ALONE = 0.15  # margin of a sentence that names nothing by its form and is filed all the same
_LINES_OF_DOCUMENT = 3  # line breaks; what is told of oneself has fewer
_FLOOR = -0.25  # below it no sentence of a message is filed, even the best one
_OWN = frozenset({Subject.USER, Subject.FAMILY, Subject.ASSISTANT, Subject.OPEN})
_NAMES_OR_NOW = re.compile(r"\b(?:is|are|called|named) [A-Z]\w|\b(?:now|these days)\b|现在|如今|目前|叫(?!我)")
_STILL = re.compile(r"(?i)\b(?:now|no longer|any ?more|these days|still)\b|现在|如今|目前|不再|以后")
_CHEER = re.compile(
    r"(?i)^\W*(?:happy|merry|congrat\w*|thank|welcome|good (?:night|morning))\b|生日快乐|恭喜|谢谢|晚安"
)
# Behind it a Chinese sentence says something of its subject.
_OPENS_WITH = re.compile(r"(?<=[\u4e00-\u9fff]{2})[是在的有,:;。]")
_KNOWLEDGE_SIGNS = ("definition", "quoted_term", "name_is", "other_person", "project")


def draft_core(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """Lines on the user and their household, and wishes on how the assistant should behave."""
    drafts = []
    for message in own_messages(messages):
        told = _told_facts(_core_sentences(message, nearest)) or _told_facts(_likeliest(message, nearest))
        drafts += [_core_line(fact, message) for fact in told]
    return drafts


def _core_sentences(message: Message, nearest: NearestExamples) -> list[str]:
    sentences = telling_sentences(message.text)
    subjects = _resolved_subjects(sentences)
    scores = scores_of("core", sentences, nearest)
    allowed = [
        (score, sentence)
        for score, sentence, subject in zip(scores, sentences, subjects, strict=True)
        if _may_be_core(sentence, subject)
    ]
    best = max((score for score, _ in allowed), default=0.0)
    return [
        sentence
        for score, sentence in _with_their_pronouns(allowed, sentences)
        if score >= _SURE or score == best or _is_plain_fact(sentence) or is_life_change(sentence) or slot_of(sentence)
    ]


def _told_facts(sentences: Sequence[str]) -> list[str]:
    return [fact for sentence in sentences for fact in _facts_of(sentence) if _says_something(fact)]


def _likeliest(message: Message, nearest: NearestExamples) -> list[str]:
    """Where no sentence is a fact by its form: what of a message that resembles facts as a whole was told of oneself,
    all of it when it is short.
    """
    is_document = is_screen(message) or message.text.count("\n") >= _LINES_OF_DOCUMENT
    if is_document or kind_scores([message.text], nearest)[0]["core"] < 0.0:
        return []
    sentences = [
        sentence
        for sentence in telling_sentences(message.text)
        if "?" not in sentence and not has("hypothetical", plain(sentence))
    ]
    own = [
        sentence
        for sentence in sentences
        if subject_of(sentence) is not Subject.OTHER and not _CHEER.search(sentence) and not says_only_when(sentence)
    ]
    if not own:
        return []
    whole = ("" if is_chinese(message.text) else " ").join(sentences)
    if len(whole) <= SUMMARY_LIMIT:
        return [whole]
    scores = scores_of("core", own, nearest)
    return [own[scores.index(max(scores))]] if max(scores) > _FLOOR else []


def _facts_of(sentence: str) -> list[str]:
    """A sentence in which somebody introduces themselves, as the fact that may change and the rest: a later change of
    one must not take the other away.
    """
    clauses = split_clauses(sentence, "and")
    changing = [clause for clause in clauses if slot_of(clause)]
    if (
        len(clauses) < 2
        or len(changing) != 1
        or not any(has(sign, plain(sentence)) for sign in ("my_name_is", "i_am", "works"))
    ):
        return [sentence]
    # What follows without a subject belongs to the clause before it.
    at = clauses.index(changing[0])
    end = next((n for n in range(at + 1, len(clauses)) if has("first_subject", clauses[n])), at + 1)
    rest = [*clauses[:at], *clauses[end:]]
    joint = "," if is_chinese(sentence) else ", "
    others = [joint.join(rest)] if len(content_terms(" ".join(rest))) > 1 else []
    return [*others, joint.join(clauses[at:end])] if others else [sentence]


def _says_something(sentence: str) -> bool:
    line = tidy(sentence)
    tells = len(content_terms(line)) > 1 or is_for_assistant(line) or is_lasting(sentence)
    return bool(line) and tells and not VAULT_REFERENCE.fullmatch(line)


def _core_line(sentence: str, message: Message) -> Draft:
    line = tidy(sentence).rstrip(":;,")
    label = "persona" if is_for_assistant(line) else "human"
    return make_draft({"label": label, "line": line[:SUMMARY_LIMIT]}, sentence, message)


def draft_semantic(messages: Sequence[Message], nearest: NearestExamples) -> list[Draft]:
    """People, places, projects and words of one's own; a sentence that merely mentions one of them tells nothing."""
    drafts: list[Draft] = []
    for message in own_messages(messages):
        drafts += _knowledge_of(message, nearest)
    return drafts


def _knowledge_of(message: Message, nearest: NearestExamples) -> list[Draft]:
    sentences = telling_sentences(message.text)
    scores = scores_of("semantic", sentences, nearest)
    best = max(scores, default=0.0)
    subject, introduced = "", ""
    found: list[Draft] = []
    for score, sentence in zip(scores, sentences, strict=True):
        goes_on = bool(subject) and subject_of(sentence) is Subject.PRONOUN
        name = subject if goes_on else _full_name(semantic_name(sentence), sentence)
        mentions = score < max(_FLOOR, min(_SURE, best)) or _is_mere_mention(sentence)
        if found and name and name == found[-1].item["name"] and (goes_on or not mentions):
            found[-1] = _longer(found[-1], sentence)
        elif name and not mentions:
            # A pronoun needs the sentence that says who it is.
            whole = f"{introduced} {sentence}" if goes_on and introduced else sentence
            found.append(make_draft(_semantic_item(name, whole), whole, message))
        if name:
            subject, introduced = name, sentence
        if found and found[-1].item["name"] != subject and goes_on:
            subject = str(found[-1].item["name"])
    if not found and best >= _SURE_ALONE:
        telling = sentences[scores.index(best)]
        topic = _topic_of(telling)
        if topic and (not _is_mere_mention(telling) or best >= _PLAINLY):
            found.append(make_draft(_semantic_item(topic, telling), telling, message))
    return found


def _with_their_pronouns(allowed: Sequence[tuple[float, str]], sentences: Sequence[str]) -> list[tuple[float, str]]:
    """Sentences on a relative with the sentence that goes on with "she": one line, for it means nothing alone."""
    joined: list[tuple[float, str]] = []
    for score, sentence in allowed:
        order = sentences.index(sentence)
        before = sentences[order - 1] if order > 0 else ""
        if subject_of(sentence) is Subject.PRONOUN and before:
            if joined and joined[-1][1].endswith(before):
                joined[-1] = (max(score, joined[-1][0]), f"{joined[-1][1]} {sentence}")
                continue
            sentence = f"{before} {sentence}"
        joined.append((score, sentence))
    return joined


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
    if slot_of(sentence):
        return True
    if subject not in _OWN or _CHEER.search(text) or says_only_when(sentence):
        return False
    if (
        subject is Subject.OPEN
        and not is_chinese(text)
        and not (has("first_person", text) and not _opens_in_past(text))
    ):
        return False
    if is_lasting(sentence) or (is_life_change(sentence) and len(content_terms(sentence)) > 1):
        return True
    return subject is not Subject.OPEN and (
        (has("state_change", text) and not is_unsettled(text)) or _STILL.search(text) is not None
    )


def _opens_in_past(text: str) -> bool:
    """ "Painted my fence": the subject is left out, the verb tells of once."""
    return is_past_form(text.split()[0].strip(",.!")) if text.split() else False


def _is_plain_fact(sentence: str) -> bool:
    """A lasting statement on the user by its form, however short."""
    told = any(has(sign, sentence) for sign in ("i_am", "my_name_is", "works", "health"))
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
    """What a sentence that names nobody is about: "our union", 我们组; "" when it is about nothing of its own."""
    text = plain(sentence)
    own = re.search(
        r"\b(?:[Oo]ur|[Mm]y|[Tt]he) ((?:[a-z-]+ )?[a-z-]{3,})\b|我们([\u4e00-\u9fff]{1,4}?)(?=[的是有在,])", text
    )
    if own is not None:
        return own.group(1) or own.group(2)
    return _OPENS_WITH.split(tidy(text))[0][:12] if is_chinese(text) else re.split(r"[,:;]", tidy(text))[0][:24]


def _longer(draft: Draft, sentence: str) -> Draft:
    """The same record with one more sentence."""
    joined = f"{draft.statement}{'' if is_chinese(draft.statement) else ' '}{sentence}"
    name = _full_name(str(draft.item["name"]), sentence)
    kind = draft.item["kind"] if draft.item["kind"] != "concept" else semantic_kind(joined, name)
    told = {"name": name, "kind": kind, "details": tidy(joined)[:DETAILS_LIMIT], "keywords": keywords_of(joined)}
    return make_draft({**draft.item, **told}, joined, draft.message)


def _full_name(name: str, sentence: str) -> str:
    """The name as a whole where the sentence tells it whole: two people of one first name are two."""
    if not name or " " in name or is_chinese(name):
        return name
    found = re.search(rf"\b{re.escape(name)} (?:van |de |von )?[A-Z][\w'’-]+", plain(sentence))
    return found.group() if found and split_sentences(found.group())[0] == found.group() else name
