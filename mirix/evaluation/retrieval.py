"""Retrieval on conversations: is the evidence of a question among what was found, how early, at what cost?

conversations ─> each system ingests them ─> every question searched ─> measures over evidence turns, by category

No model is called. A question without evidence is not scored; categories whose questions have no answer (LoCoMo's
adversarial ones) are reported by themselves and stay out of the totals.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.table import Table

from mirix.evaluation.corpus import Conversation, Question
from mirix.evaluation.metrics import all_at, bootstrap, ndcg_at, recall_at, reciprocal_rank
from mirix.evaluation.runner import Progress, silent
from mirix.evaluation.systems import MemorySystem, Ranked

DEPTHS = (5, 10, 20, 30)
BUDGETS = (100, 200, 350, 500, 700, 1_000, 2_000)  # tokens of context
MAIN = 10  # the depth of the single figures


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What one system found for one question."""

    conversation: str
    question: Question
    ranked: Ranked

    def measures(self) -> dict[str, float]:
        ids, wanted = self.ranked.ids, self.question.evidence
        found = {f"recall@{k}": recall_at(ids, wanted, k) for k in DEPTHS}
        found[f"all@{MAIN}"] = float(all_at(ids, wanted, MAIN))
        found["mrr"] = reciprocal_rank(ids, wanted)
        found[f"ndcg@{MAIN}"] = ndcg_at(ids, wanted, MAIN)
        return found

    def recall_within(self, max_tokens: int) -> float:
        found, _ = self.ranked.within(max_tokens)
        return len(found & self.question.evidence) / len(self.question.evidence)

    def to_json(self) -> dict[str, Any]:
        ids = self.ranked.ids
        ranks = {key: ids.index(key) + 1 if key in ids else None for key in sorted(self.question.evidence)}
        return {
            "conversation": self.conversation,
            "question": self.question.id,
            "category": self.question.category,
            "ranks": ranks,
            "ms": round(self.ranked.ms, 2),
        }


@dataclass(frozen=True, kw_only=True)
class SystemReport:
    """The figures of one system: fractions from 0 to 1."""

    name: str
    searched: Sequence[Searched]
    unanswerable: Sequence[Searched]  # by themselves
    turns: int
    ingest_s: float

    def to_json(self, *, with_items: bool = False) -> dict[str, Any]:
        document: dict[str, Any] = {"n": len(self.searched), **_means(self.searched)}
        recalls = [each.measures()[f"recall@{MAIN}"] for each in self.searched]
        document[f"recall@{MAIN}_95"] = bootstrap(recalls).to_json()
        everything = [*self.searched, *self.unanswerable]
        document["by_category"] = {
            category: {"n": len(members), **_means(members), "recall_within_tokens": _curve(members)}
            for category, members in sorted(_by_category(everything).items())
        }
        document["recall_within_tokens"] = _curve(self.searched)
        document["context_tokens"] = _context_tokens(self.searched)
        document["ingest"] = {
            "messages": self.turns,
            "seconds": round(self.ingest_s, 1),
            "messages_per_s": round(self.turns / self.ingest_s, 1) if self.ingest_s else None,
        }
        p50, p95 = np.percentile([each.ranked.ms for each in everything], [50, 95])
        document["search_ms"] = {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
        if with_items:
            document["items"] = [each.to_json() for each in everything]
        return document


@dataclass(frozen=True, kw_only=True)
class RetrievalReport:
    """All systems of one run; the first is the one in question, the others its baselines."""

    dataset: str
    systems: Sequence[SystemReport]
    facts: Mapping[str, Any]

    def to_json(self, *, with_items: bool = False) -> dict[str, Any]:
        first, *others = self.systems
        return {
            "evaluation": self.dataset,
            **self.facts,
            "system": first.name,
            **first.to_json(with_items=with_items),
            "peak_memory_mb": peak_memory_mb(),
            "baselines": {each.name: each.to_json(with_items=with_items) for each in others},
        }

    def tables(self) -> list[Table]:
        """One table over all, one of recall at MAIN by category, one of recall within a budget of tokens."""
        documents = [(each.name, each.to_json()) for each in self.systems]
        measures = [*(f"recall@{k}" for k in DEPTHS), f"all@{MAIN}", "mrr", f"ndcg@{MAIN}"]
        whole = _table(f"{self.dataset}: evidence turns found", [*measures, "95 %", "search ms p50/p95", "messages/s"])
        for name, document in documents:
            interval = document[f"recall@{MAIN}_95"]
            whole.add_row(
                name,
                *(f"{document[measure]:.3f}" for measure in measures),
                f"{interval['low']:.3f}–{interval['high']:.3f}",
                f"{document['search_ms']['p50']:.1f}/{document['search_ms']['p95']:.1f}",
                f"{document['ingest']['messages_per_s'] or 0:.0f}",
            )
        categories = list(documents[0][1]["by_category"])
        by = _table(f"recall@{MAIN} by category", categories)
        within = _table("recall within so many tokens of context", [str(budget) for budget in BUDGETS])
        for name, document in documents:
            groups = [document["by_category"][category] for category in categories]
            by.add_row(name, *(f"{group[f'recall@{MAIN}']:.3f} ({group['n']})" for group in groups))
            within.add_row(name, *(f"{value:.3f}" for value in document["recall_within_tokens"].values()))
        return [whole, by, within]


async def evaluate_retrieval(
    dataset: str,
    conversations: Sequence[Conversation],
    systems: Sequence[MemorySystem],
    *,
    progress: Progress = silent,
    facts: Mapping[str, Any] | None = None,
) -> RetrievalReport:
    """Every system takes in every conversation, then searches every question, one at a time."""
    reports = [await _run(system, conversations, progress) for system in systems]
    return RetrievalReport(dataset=dataset, systems=reports, facts=facts or {})


async def _run(system: MemorySystem, conversations: Sequence[Conversation], progress: Progress) -> SystemReport:
    begin = time.monotonic()
    for done, conversation in enumerate(conversations, 1):
        await system.ingest(conversation)
        progress(f"{system.name}: conversations", done, len(conversations))
    ingest_s = time.monotonic() - begin
    asked = [(conversation, q) for conversation in conversations for q in conversation.questions if q.evidence]
    searched = []
    for done, (conversation, question) in enumerate(asked, 1):
        ranked = await system.search(conversation, question)
        searched.append(Searched(conversation=conversation.name, question=question, ranked=ranked))
        progress(f"{system.name}: questions", done, len(asked))
    return SystemReport(
        name=system.name,
        searched=[each for each in searched if each.question.is_answerable],
        unanswerable=[each for each in searched if not each.question.is_answerable],
        turns=sum(len(session) for conversation in conversations for session in conversation.sessions),
        ingest_s=ingest_s,
    )


def _means(searched: Sequence[Searched]) -> dict[str, float]:
    measured = [each.measures() for each in searched]
    return {name: round(float(np.mean([each[name] for each in measured])), 4) for name in measured[0]}


def _by_category(searched: Sequence[Searched]) -> dict[str, list[Searched]]:
    groups: dict[str, list[Searched]] = {}
    for each in searched:
        groups.setdefault(each.question.category, []).append(each)
    return groups


def _curve(searched: Sequence[Searched]) -> dict[str, float]:
    """Share of the evidence in what fits into so many tokens."""
    return {str(b): round(float(np.mean([each.recall_within(b) for each in searched])), 4) for b in BUDGETS}


def _context_tokens(searched: Sequence[Searched]) -> float:
    """What the entries that hold the first MAIN turns cost a reader, on average."""
    costs = []
    for each in searched:
        seen: set[str] = set()
        cost = 0
        for entry in each.ranked.entries:
            if len(seen) >= MAIN:
                break
            seen.update(entry.ids)
            cost += entry.tokens
        costs.append(cost)
    return round(float(np.mean(costs)), 1)


def peak_memory_mb() -> float | None:
    """The most memory this process held so far; None where the system does not say. The database is apart."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table
