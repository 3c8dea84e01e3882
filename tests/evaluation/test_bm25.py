from __future__ import annotations

import bm25s
import numpy as np

from mirix.evaluation.bm25 import K1, B, PlainBM25
from mirix.text.analyser import tokens

DOCUMENTS = [
    "The harbour pilot rows out at dawn.",
    "A pilot and a pilot boat, and the harbour.",
    "花生过敏，别放花生。",
    "Nothing of the kind.",
    "",
]


def test_the_best_document_comes_first_and_strangers_not_at_all() -> None:
    index = PlainBM25(DOCUMENTS)
    assert index.rank("a pilot boat") == [1, 0]
    assert index.rank("谁对花生过敏?") == [2]
    assert index.rank("zeppelin") == []


def test_the_order_is_that_of_another_implementation() -> None:
    listed = [tokens(text) for text in DOCUMENTS]
    other = bm25s.BM25(method="lucene", k1=K1, b=B)
    other.index(listed, show_progress=False)
    for question in ("pilot harbour", "rows at dawn", "花生", "the kind of boat"):
        scores = other.get_scores(tokens(question))
        expected = [int(n) for n in np.argsort(-scores, kind="stable") if scores[n] > 0]
        assert PlainBM25(DOCUMENTS).rank(question) == expected


def test_without_documents_nothing_is_found() -> None:
    assert PlainBM25([]).rank("pilot") == []
