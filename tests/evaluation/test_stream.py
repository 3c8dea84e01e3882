from __future__ import annotations

import json
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from mirix.cli import evaluate
from mirix.evaluation.lifelog import Person, Question, QuestionType, evaluate_lifelog
from mirix.evaluation.runner import read_items
from mirix.evaluation.stream.facts import occurrences
from mirix.evaluation.stream.language import LANGUAGES, load_language
from mirix.evaluation.stream.life import FULL, LifeMaker, make_lives, to_bytes
from mirix.system import AsyncMirix

SEED = 5
BOTH = pytest.mark.parametrize("lang", LANGUAGES)


@cache
def lives(seed: int = SEED, messages: int = FULL) -> dict[str, Person]:
    return {life.lang: life for life in make_lives(seed, messages)}


def asked(life: Person, *types: QuestionType) -> list[Question]:
    found = [question for question in life.questions if question.type in types]
    assert found
    return found


def said(life: Person, question: Question) -> list[str]:
    """The texts of the evidence, in order of time."""
    texts = {turn.id: turn.text for turn in life.messages}
    return [texts[name] for name in question.evidence]


def stands(value: str, text: str) -> bool:
    return bool(occurrences(value.removeprefix("a ").removeprefix("an "), text)) or value.casefold() in text.casefold()


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert to_bytes(make_lives(3, 200)) == to_bytes(make_lives(3, 200))
    assert to_bytes(make_lives(3, 200)) != to_bytes(make_lives(4, 200))


def test_a_life_is_the_same_alone_and_beside_another() -> None:
    assert make_lives(3, 200, ["en"]) == make_lives(3, 200)[:1]


@BOTH
@pytest.mark.parametrize("messages", [100, 450, FULL, 3_000])
def test_a_life_has_as_many_messages_as_asked_and_questions_to_match(lang: str, messages: int) -> None:
    life = lives(SEED, messages)[lang]
    unanswerable = sum(question.type is QuestionType.ABSTAIN for question in life.questions)
    assert len(life.messages) == messages
    share = min(1.0, messages / FULL)
    assert len(life.questions) - unanswerable >= int(300 * share)
    assert unanswerable >= int(50 * share)
    assert {question.type for question in life.questions} == set(QuestionType)


@BOTH
def test_messages_and_questions_are_in_order_of_time(lang: str) -> None:
    life = lives()[lang]
    times = [turn.at for turn in life.messages] + [question.asked_at for question in life.questions]
    assert all(one < other for one, other in pairwise(times))
    gaps = [(other - one).days for one, other in pairwise(turn.at for turn in life.messages)]
    assert max(gaps) >= 5
    assert (times[-1] - times[0]).days > 180


@BOTH
def test_questions_have_evidence_that_exists_unless_there_is_none(lang: str) -> None:
    life = lives()[lang]
    ids = [turn.id for turn in life.messages]
    spoken = {turn.id for turn in life.messages if turn.role == "user"}
    assert len(set(ids)) == len(ids)
    for question in life.questions:
        assert set(question.evidence) <= spoken
        assert (question.type is QuestionType.ABSTAIN) == (not question.evidence)
        assert question.answers


@BOTH
def test_answers_of_one_message_stand_in_it(lang: str) -> None:
    life = lives()[lang]
    for question in asked(life, QuestionType.SINGLE, QuestionType.VAULT, QuestionType.PREFERENCE):
        assert any(stands(question.answers[0], text) for text in said(life, question)), question


@BOTH
def test_steps_of_a_procedure_stand_in_its_messages_in_order(lang: str) -> None:
    life = lives()[lang]
    for question in asked(life, QuestionType.PROCEDURE):
        told = "".join(said(life, question)).casefold()
        places = [told.find(step.casefold()) for step in question.answers[0].replace("，", ", ").split(", ")]
        assert places == sorted(places) and places[0] >= 0, question


@BOTH
def test_an_update_ends_with_another_value_than_it_began_with(lang: str) -> None:
    life = lives()[lang]
    dropped = set(load_language(lang).talk.cancelled)
    days = 0
    for question in asked(life, QuestionType.UPDATE):
        texts = said(life, question)
        assert len(texts) == 2, question
        answer = question.answers[0]
        if answer in dropped:
            continue
        if len(question.answers) > 1:  # a day; told in words that hang on the day of the message
            days += 1
            continue
        first, last = (occurrences(answer, text) if lang == "en" else answer in text for text in texts)
        assert last, question
        assert not first or (lang == "zh" and len(answer) == 1), question
    assert days


@BOTH
def test_counts_are_the_number_of_their_messages(lang: str) -> None:
    counts = [question for question in asked(lives()[lang], QuestionType.MULTI) if question.answers[0].isdecimal()]
    assert counts
    # Two of a series may have shared a message.
    assert all(int(question.answers[0]) - len(question.evidence) in (0, 1) for question in counts)


@BOTH
def test_questions_are_asked_in_other_words_than_they_were_told(lang: str) -> None:
    language = load_language(lang)
    for each in language.facts:
        assert not set(each.ask) & {*each.tell, *each.change, *each.wrong}
    assert sum(len(each.ask) for each in language.facts) > 80


@BOTH
def test_forms_and_words_are_many(lang: str) -> None:
    language = load_language(lang)
    forms = [
        *(form for fact in language.facts for form in (*fact.tell, *fact.change, *fact.wrong, *fact.ask)),
        *(form for past in language.events.past for form in (*past.tell, *past.ask)),
        *(form for plan in language.events.plan for form in (*plan.tell, *plan.moved, *plan.dropped, *plan.ask)),
        *(form for series in language.events.series for form in (*series.tell, *series.decoy, *series.ask)),
        *(form for secret in language.secrets for form in (*secret.tell, *secret.change, *secret.ask)),
        *(*language.talk.lead, *language.talk.tail, *language.talk.chat),
    ]
    assert len(set(forms)) > 400
    assert len(set(forms)) == len(forms)
    assert sum(len(set(words)) >= 30 for words in language.words.values()) >= 20
    assert all(len(set(words)) == len(words) for words in language.words.values())


@BOTH
def test_nearly_all_messages_differ(lang: str) -> None:
    texts = [turn.text for turn in lives(SEED, 3_000)[lang].messages]
    assert len(set(texts)) >= 0.9 * len(texts)


@BOTH
def test_no_slot_or_choice_is_left_open(lang: str) -> None:
    life = lives()[lang]
    for text in [turn.text for turn in life.messages] + [question.question for question in life.questions]:
        assert not set("[]{}|") & set(text), text
        assert "(n)" not in text and ">>" not in text, text


@pytest.mark.parametrize("seed", [1, 2])
def test_articles_fit_what_follows(seed: int) -> None:
    life = lives(seed)["en"]
    words = {word for name in ("car", "thing", "animal") for word in load_language("en").words[name]}
    texts = [turn.text for turn in life.messages] + [question.question for question in life.questions]
    texts += [answer for question in life.questions for answer in question.answers]
    follow = [found for text in texts for found in re.findall(rf"\b(an?) ({'|'.join(sorted(words))})", text)]
    assert len(follow) > 10
    assert not any("(n)" in text for text in texts)
    assert [each for each in follow if (each[0] == "an") != (each[1][0] in "aeiouAEIOU")] == []


@BOTH
@pytest.mark.parametrize("seed", [1, 2])
def test_nobody_is_asked_after_by_a_name_that_was_never_told(lang: str, seed: int) -> None:
    maker = LifeMaker(seed, 300, lang, set())
    life = maker.person()
    told = "\n".join(turn.text for turn in life.messages)
    answered = "\n".join(question.question for question in life.questions if question.evidence)
    full_name = maker.world.language.circle.name
    names = [full_name.format(**who.slots) for who in maker.world.circle.people if not who.is_family]
    assert [name for name in names if name in answered and name not in told] == []


@BOTH
def test_nothing_is_told_of_what_must_not_be_known(lang: str) -> None:
    life = lives()[lang]
    questions = asked(life, QuestionType.ABSTAIN)
    answered = {question.question for question in life.questions if question.evidence}
    assert not answered & {question.question for question in questions}


@BOTH
@pytest.mark.parametrize("seed", [1, 2])
def test_hidden_values_stand_nowhere(lang: str, seed: int) -> None:
    maker = LifeMaker(seed, FULL, lang, set())
    life = maker.person()
    told = "\n".join(turn.text for turn in life.messages)
    assert len(maker.hidden) >= 30
    assert [value for _, value in maker.hidden if occurrences(value, told)] == []


def test_no_secret_of_one_life_stands_in_another() -> None:
    english, chinese = lives().values()
    for one, other in ((english, chinese), (chinese, english)):
        told = "\n".join(turn.text for turn in other.messages)
        for question in asked(one, QuestionType.VAULT):
            assert not occurrences(question.answers[0], told)


def test_a_written_file_is_read_as_a_life_log(tmp_path: Path) -> None:
    app = typer.Typer()
    evaluate.register(app)
    out = tmp_path / "lives.json"
    options = ["--seed", "3", "--messages", "200", "--out", str(out), "--no-measure", "--json"]
    done = CliRunner().invoke(app, ["evaluate", "stream", *options])
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["messages"] == 200
    assert read_items(out, Person) == make_lives(3, 200)


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    app = typer.Typer()
    evaluate.register(app)
    done = CliRunner().invoke(app, ["evaluate", "stream", "--no-measure"])
    assert done.exit_code == 3
    assert "--out" in done.stderr


async def test_evidence_alone_calls_no_manager(memory: AsyncMirix) -> None:
    [life] = make_lives(SEED, 100, ["en"])
    part = life.model_copy(update={"messages": life.messages[:12], "questions": life.questions[:2]})
    part = part.model_copy(
        update={"questions": [each.model_copy(update={"evidence": [life.messages[0].id]}) for each in part.questions]}
    )
    report = await evaluate_lifelog(memory, [part], infer=False)
    assert report.metrics["evidence_recall@10"].n == 2
    assert await memory.get_all(user_id="person 0") == []
