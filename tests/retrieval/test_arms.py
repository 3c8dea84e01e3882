"""What the arms hand on: rows as columns, whether vectors may be lacking, and the planner as they found it."""

from __future__ import annotations

import pytest

from mirix.retrieval import arms
from mirix.retrieval.arms import Filters, Found, Probe
from mirix.retrieval.fusion import Arm
from mirix.text.analyser import query_terms
from tests.retrieval.conftest import Notebook


def by_words(*are_embedded: bool) -> Found:
    rows = [
        (1, 0, str(number), 2.0, 4.0, 1, each, None if number else "1.5") for number, each in enumerate(are_embedded)
    ]
    return Found.of(Arm.LEXICAL, rows)


BY_MEANING = Found.of(Arm.DENSE, [(1, 0, "0", 0.5, 0.25)])


def test_what_was_found_reads_the_same_in_rows() -> None:
    assert BY_MEANING.rows == [{"probe": 1, "kind": 0, "id": "0", "score": 0.5, "window_score": 0.25}]
    assert Found.of(Arm.DENSE, []).rows == []


def test_an_arm_that_found_nothing_has_no_scores() -> None:
    assert arms.scores_by_arm([BY_MEANING, by_words()]) == {Arm.DENSE: {"0": 0.5}, Arm.WINDOW: {"0": 0.25}}


def test_the_best_score_counts_where_two_probes_found_the_same() -> None:
    better = Found.of(Arm.DENSE, [(2, 0, "0", 0.75, 0.125)])
    assert arms.scores_by_arm([BY_MEANING, better]) == {Arm.DENSE: {"0": 0.75}, Arm.WINDOW: {"0": 0.25}}


def test_weights_are_read_from_the_first_row() -> None:
    held = arms.held([BY_MEANING, by_words(True, True)])
    assert (held.weights, held.terms) == ((1.5,), {"0": 1, "1": 1})


@pytest.mark.parametrize(
    ("found", "lacks"),
    [
        ([[by_words(True, True), BY_MEANING]], False),
        ([[by_words(True, False), BY_MEANING]], True),
        ([[by_words(True)], [BY_MEANING]], False),
        ([[by_words(True)]], True),
        ([[]], True),
    ],
)
def test_vectors_may_be_lacking_where_one_is_missing_or_nothing_is_found_by_meaning(
    found: list[list[Found]], lacks: bool
) -> None:
    assert arms.may_lack_vectors(found) is lacks


async def test_after_the_lexical_arm_the_planner_plans_again(notebook: Notebook) -> None:
    await notebook.say("the kiln in the harbour")
    probe = Probe(text="kiln", terms=tuple(query_terms("kiln")), vector=None, times=())
    values = arms.parameters(notebook.user.user_id, Filters(), probe, None)
    async with notebook.database.transaction(notebook.user.user_id) as conn:
        [found] = await arms.run_arms(conn, Filters(), [(Arm.LEXICAL, values)])
        row = await (await conn.execute("SHOW enable_seqscan")).fetchone()
        alone = await arms.run_arm(conn, Filters(), Arm.LEXICAL, values, frozenset())
        after = await (await conn.execute("SHOW enable_sort")).fetchone()
    assert [each["kind"] for each in found.rows] == [0] and alone.rows == found.rows
    assert (row, after) == ({"enable_seqscan": "on"}, {"enable_sort": "on"})
