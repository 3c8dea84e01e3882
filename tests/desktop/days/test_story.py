"""The invented day, without a screen: the same for the same seed, and its questions have their answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import pytest

from mirix.text.secrets import find_secrets
from mirix_desktop.days.gold import choose
from mirix_desktop.days.html import page_html
from mirix_desktop.days.mint import luhn_digit
from mirix_desktop.days.shapes import MARK, Story, marks_in, plain
from mirix_desktop.days.story import write_story

SEEDS = (1, 2, 3, 4, 5, 11)
# Facts whose words on the screen are not their value: events and names that have to be counted.
COUNTED = {"number of events", "number on the board"}


@pytest.fixture(scope="module", params=SEEDS)
def story(request: pytest.FixtureRequest) -> Story:
    return write_story(request.param)


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, Sequence):
        for inner in value:
            yield from texts(inner)


def shown(story: Story) -> list[str]:
    """Everything that any view or popup shows, with its marks."""
    found = [text for step in story.steps for text in texts([step.view.title, step.view.data, step.notification or ()])]
    return list(dict.fromkeys(found))


def test_the_same_seed_tells_the_same_day() -> None:
    assert write_story(7) == write_story(7)


def test_another_seed_tells_another_day() -> None:
    one, other = write_story(7), write_story(8)
    assert {fact.value for fact in one.facts} & {fact.value for fact in other.facts} < {
        fact.value for fact in one.facts
    }
    assert [step.at for step in one.steps] != [step.at for step in other.steps]


def test_a_day_has_as_many_shots_as_asked_for() -> None:
    assert [len(write_story(1, shots).steps) for shots in (8, 150, 400)] == [8, 150, 400]


def test_no_two_shots_share_a_second(story: Story) -> None:
    times = [step.at for step in story.steps if step.at is not None]
    assert len(times) == len(story.steps)
    assert all(one < other for one, other in pairwise(times))


def test_every_fact_secret_and_private_word_stands_on_the_screen(story: Story) -> None:
    marks = {identity for text in shown(story) for identity, _ in marks_in(text)}
    ids = [fact.id for fact in story.facts] + [secret.id for secret in story.secrets]
    assert {*ids, *(private.id for private in story.private)} == marks


def test_a_fact_stands_on_the_screen_as_its_value(story: Story) -> None:
    words = {(identity, text) for line in shown(story) for identity, text in marks_in(line)}
    for fact in story.facts:
        if fact.attribute not in COUNTED:
            assert {text for identity, text in words if identity == fact.id} == {fact.value}, fact


def test_what_is_counted_is_there_so_many_times(story: Story) -> None:
    for fact in story.facts:
        if fact.attribute in COUNTED:
            most = max(sum(identity == fact.id for identity, _ in marks_in(step.view.data)) for step in story.steps)
            assert most == int(fact.value), fact


def test_every_answer_is_the_value_of_its_fact(story: Story) -> None:
    facts = {fact.id: fact for fact in story.facts}
    for question in story.questions:
        assert set(question.facts) | set(question.older) <= set(facts)
        if question.kind in ("abstain", "vault"):
            assert not question.facts
        elif question.kind == "multi":
            assert question.answers[0] == facts[question.facts[-1]].value
        elif question.kind != "source" and not question.is_first_seen:
            assert question.answers[0] == facts[question.facts[0]].value, question


def test_no_question_tells_its_answer(story: Story) -> None:
    for question in story.questions:
        for answer in question.answers:
            assert not answer or answer.lower() not in question.text.lower(), question


def test_questions_differ(story: Story) -> None:
    assert max(Counter(question.text for question in story.questions).values()) == 1


def test_no_answer_stands_anywhere_but_at_its_mark(story: Story) -> None:
    unmarked = "\n".join(MARK.sub(" ", text) for text in shown(story))
    for fact in story.facts:
        is_key = fact.attribute == "blocked by"  # the number of a ticket, which has pages of its own
        if any(letter.isdigit() for letter in fact.value) and len(fact.value) > 3 and not is_key:
            assert not re.search(rf"(?<!\w){re.escape(fact.value)}(?!\w)", unmarked), fact


def test_values_of_one_shape_are_told_apart(story: Story) -> None:
    values = [fact.value for fact in story.facts if len(fact.value) > 3]
    assert max(Counter(values).values()) == 1


def test_an_update_names_the_value_it_replaces(story: Story) -> None:
    facts = {fact.id: fact for fact in story.facts}
    updates = [fact for fact in story.facts if fact.supersedes]
    assert len(updates) >= 7
    for fact in updates:
        older = facts[fact.supersedes or ""]
        assert (older.subject, older.attribute) == (fact.subject, fact.attribute)
        assert older.value != fact.value


def test_at_least_eight_secrets_are_shown_and_all_are_found_where_they_stand(story: Story) -> None:
    assert len(story.secrets) >= 8
    lines = [line for text in shown(story) for line in text.splitlines()]
    for secret in story.secrets:
        with_it = [line for line in lines if secret.value in plain(line)]
        assert with_it
        if secret.kind in ("card", "api_key"):
            assert secret.value in [span.value for span in find_secrets(secret.value)]
        else:
            assert all(
                secret.value in {plain(line)[s.start : s.end] for s in find_secrets(plain(line))} for line in with_it
            )


def test_cards_have_a_right_check_digit(story: Story) -> None:
    cards = [secret.value.replace(" ", "") for secret in story.secrets if secret.kind == "card"]
    assert cards
    assert all(len(card) == 16 and luhn_digit(card[:-1]) == card[-1] for card in cards)


def test_private_words_stand_in_private_windows_alone(story: Story) -> None:
    words = [private.text for private in story.private]
    private = [step for step in story.steps if step.view.window in ("private", "vault")]
    assert len(private) >= 10
    for step in story.steps:
        if step.view.window not in ("private", "vault"):
            text = " ".join(texts([step.view.title, step.view.url, step.view.data]))
            assert not any(word in text for word in words)


def test_a_fifth_of_the_day_is_in_chinese(story: Story) -> None:
    assert sum(step.view.language == "zh" for step in story.steps) >= len(story.steps) / 5


def test_forty_questions_are_of_every_kind_and_eight_are_in_chinese(story: Story) -> None:
    chosen = choose(story.questions, 40)
    assert len(chosen) == 40
    assert sum(question.language == "zh" for question in chosen) >= 8
    assert {question.kind for question in chosen} == {question.kind for question in story.questions}


def test_every_page_shows_its_marks_and_no_sign_of_them(story: Story) -> None:
    for step in story.steps:
        if step.view.url and not step.is_repeat and step.at:
            html = page_html(step.view, story.themes[step.view.app], me=story.student, now=step.at, blink=True)
            assert "⟦" not in html
            assert set(re.findall(r'data-m="(\w+)"', html)) == {identity for identity, _ in marks_in(step.view.data)}
