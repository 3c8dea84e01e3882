"""Retrieval on conversations: is the evidence of a question among what was found, how early, at what cost?

conversations ─> each system ingests them ─> every question searched ─> measures over evidence turns, by category

No model is called. A question without evidence is not scored; categories whose questions have no answer (LoCoMo's
adversarial ones) are reported by themselves and stay out of the totals.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rich.table import Table

from mirix.errors import InputError
from mirix.evaluation.controls import Audit, shuffled
from mirix.evaluation.corpus import Conversation, Question, once
from mirix.evaluation.datasets import category_names
from mirix.evaluation.grids import Grid, fraction
from mirix.evaluation.metrics import Interval, all_at, bootstrap, ndcg_at, recall_at, reciprocal_rank
from mirix.evaluation.runner import Progress, silent
from mirix.evaluation.systems import MemorySystem, Ranked, SystemFailed

DEPTHS = (5, 10, 20, 30)
BUDGETS = (100, 200, 350, 500, 700, 1_000, 2_000)  # tokens of context
MAIN = 10  # the depth of the single figures


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What one system found for one question."""

    conversation: str
    turns: int  # of the conversation
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
    unlabelled: Sequence[Searched]  # of which the audit alone knows evidence
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
    audit: Audit | None = None
    failed: Sequence[SystemFailed] = ()  # of further systems

    def to_json(self, *, with_items: bool = False) -> dict[str, Any]:
        first, *others = self.systems
        return {
            "evaluation": self.dataset,
            **self.facts,
            "system": first.name,
            **first.to_json(with_items=with_items),
            "peak_memory_mb": peak_memory_mb(),
            **({"failed": [str(error) for error in self.failed]} if self.failed else {}),
            "baselines": {each.name: each.to_json(with_items=with_items) for each in others},
            "controls": _controls(self.systems),
            **({"audited": _audited(self.systems, self.audit)} if self.audit is not None else {}),
        }

    def differences(self) -> dict[str, Interval]:
        """By how much the first finds more than each of the others, question by question, in recall at MAIN."""
        first, *others = (
            (each.name, [one.measures()[f"recall@{MAIN}"] for one in each.searched]) for each in self.systems
        )
        return {name: bootstrap([a - b for a, b in zip(first[1], values, strict=True)]) for name, values in others}

    def tables(self) -> list[Table]:
        return [grid.table() for grid in retrieval_grids(self.to_json())]


async def evaluate_retrieval(
    dataset: str,
    conversations: Sequence[Conversation],
    systems: Sequence[MemorySystem],
    *,
    progress: Progress = silent,
    facts: Mapping[str, Any] | None = None,
    audit: Audit | None = None,
) -> RetrievalReport:
    """Every system takes in every conversation, then searches every question, one at a time.

    A further system that fails is left out of the report and named in its `failed`. Raises InputError where nothing can
    be scored or two systems have one name.
    """
    check_scorable(conversations)
    once(f"the memory system {system.name}" for system in systems)
    reports, failed = [], []
    for system in systems:
        try:
            reports.append(await _run(system, conversations, progress, audit))
        except SystemFailed as error:
            if not reports:
                raise
            failed.append(error)
    return RetrievalReport(dataset=dataset, systems=reports, facts=facts or {}, audit=audit, failed=failed)


def check_scorable(conversations: Sequence[Conversation]) -> None:
    """Raises InputError where no question has evidence and an answer."""
    if not any(q.evidence and q.is_answerable for each in conversations for q in each.questions):
        raise InputError("no question has both an answer and evidence among what was said: nothing can be scored")


async def _run(
    system: MemorySystem, conversations: Sequence[Conversation], progress: Progress, audit: Audit | None
) -> SystemReport:
    begin = time.monotonic()
    for done, conversation in enumerate(conversations, 1):
        await system.ingest(conversation)
        progress(f"{system.name}: conversations", done, len(conversations))
    ingest_s = time.monotonic() - begin
    asked = [
        (conversation, q)
        for conversation in conversations
        for q in conversation.questions
        if q.evidence or (audit is not None and audit.question(conversation.name, q).evidence)
    ]
    searched = []
    for done, (conversation, question) in enumerate(asked, 1):
        ranked = await system.search(conversation, question)
        turns = sum(1 for _ in conversation.turns)
        searched.append(Searched(conversation=conversation.name, turns=turns, question=question, ranked=ranked))
        progress(f"{system.name}: questions", done, len(asked))
    return SystemReport(
        name=system.name,
        searched=[each for each in searched if each.question.evidence and each.question.is_answerable],
        unanswerable=[each for each in searched if each.question.evidence and not each.question.is_answerable],
        unlabelled=[each for each in searched if not each.question.evidence],
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


def _controls(systems: Sequence[SystemReport]) -> dict[str, Any]:
    """What recall can be at best, and what it falls to with the labels of another question: to about chance."""
    searched = systems[0].searched
    labels = shuffled((each.conversation, each.question) for each in searched)
    return {
        "oracle": {
            f"recall@{k}": _mean([min(1.0, k / len(each.question.evidence)) for each in searched]) for k in DEPTHS
        },
        "chance": {f"recall@{k}": _mean([min(1.0, k / each.turns) for each in searched]) for k in DEPTHS},
        "shuffled": {
            system.name: {
                f"recall@{k}": _mean(
                    [
                        recall_at(each.ranked.ids, labels[key], k)
                        for each in system.searched
                        if (key := (each.conversation, each.question.id)) in labels
                    ]
                )
                for k in DEPTHS
            }
            for system in systems
        },
    }


def _audited(systems: Sequence[SystemReport], audit: Audit) -> dict[str, Any]:
    """The same rankings on corrected evidence."""
    found: dict[str, Any] = {}
    for system in systems:
        old = [*system.searched, *system.unanswerable, *system.unlabelled]
        new = [replace(each, question=audit.question(each.conversation, each.question)) for each in old]
        pairs = zip(old, new, strict=True)
        found["changed_evidence"] = sum(a.question.evidence != b.question.evidence for a, b in pairs)
        scored = [each for each in new if each.question.evidence and each.question.is_answerable]
        found.setdefault("systems", {})[system.name] = {"n": len(scored), **(_means(scored) if scored else {})}
    return found


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


# ---- tables ----


def retrieval_grids(document: Mapping[str, Any]) -> list[Grid]:
    """Over all, by category, within a budget of tokens, and the controls; from the report as a document."""
    named = {document["system"]: document, **document["baselines"]}
    measures = [*(f"recall@{k}" for k in DEPTHS), f"all@{MAIN}", "mrr", f"ndcg@{MAIN}"]
    categories = category_names(document["evaluation"], document["by_category"])
    whole = [
        [
            name,
            *(f"{each[measure]:.3f}" for measure in measures),
            f"{each[f'recall@{MAIN}_95']['low']:.3f}–{each[f'recall@{MAIN}_95']['high']:.3f}",
            f"{each['search_ms']['p50']:.1f}/{each['search_ms']['p95']:.1f}",
            f"{each['ingest']['messages_per_s'] or 0:,.0f}",
        ]
        for name, each in named.items()
    ]
    by = []
    for name, each in named.items():
        groups = [each["by_category"][category] for category in categories]
        by.append([name, *(f"{group[f'recall@{MAIN}']:.3f} ({group['n']})" for group in groups)])
    within = [[name, *(f"{v:.3f}" for v in each["recall_within_tokens"].values())] for name, each in named.items()]
    return [
        Grid(
            title="evidence turns found",
            columns=[
                *(measure.replace("recall", "r") for measure in measures),
                "95 %",
                "search ms p50/p95",
                "messages/s",
            ],
            rows=whole,
            note=f"{document['n']} questions with evidence and answer. r@k: recall; 95 %: of r@{MAIN}, by bootstrap.",
        ),
        Grid(
            title=f"recall@{MAIN} by category",
            columns=list(categories.values()),
            rows=by,
            note="In brackets how many questions. Categories without an answer stay out of the totals.",
        ),
        Grid(
            title="recall within so many tokens of context",
            columns=[f"{budget:,}" for budget in BUDGETS],
            rows=within,
            note="Whole entries, best first, as a reader would be shown them.",
        ),
        *_control_grids(document),
    ]


def _control_grids(document: Mapping[str, Any]) -> list[Grid]:
    controls = document["controls"]
    rows = {"oracle": controls["oracle"], "chance": controls["chance"]}
    rows |= {f"{name}, shuffled labels": each for name, each in controls["shuffled"].items()}
    columns = [f"recall@{k}" for k in DEPTHS]
    grids = [
        Grid(
            title="controls",
            columns=columns,
            rows=[[name, *(fraction(each[measure]) for measure in columns)] for name, each in rows.items()],
            note="oracle: a perfect ranking; shuffled: the evidence of another question of the conversation, which has "
            "to be near chance (–: there is no other question).",
        )
    ]
    if "audited" in document:
        audited = document["audited"]
        measures = [*columns, f"all@{MAIN}", "mrr"]
        grids.append(
            Grid(
                title="audited labels",
                columns=["n", *measures],
                rows=[
                    [name, str(each["n"]), *(fraction(each.get(measure)) for measure in measures)]
                    for name, each in audited["systems"].items()
                ],
                note=f"The same rankings; the audit changes the evidence of {audited['changed_evidence']} questions.",
            )
        )
    return grids
