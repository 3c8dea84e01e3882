"""Secrets that a manager found and ingest had missed: they are cut from the proposals before anything is made of them.

A find is a vault item of high sensitivity, given in the clear and about to be applied. All that the batch writes is
then made of texts in which its reference stands; `memory/redaction.py` does the same to what is stored already.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mirix.ingest.sealing import fresh_reference
from mirix.managers.manager import Proposal
from mirix.managers.tools import Operation
from mirix.managers.trust import judge
from mirix.memory.envelope import Keyring
from mirix.memory.knowledge_vault import VaultRecord, value_digest
from mirix.memory.record import MemoryKind
from mirix.memory.redaction import Cut
from mirix.text.secrets import escape_references, find_references, reference_text


@dataclass(frozen=True, kw_only=True)
class Find:
    value: str
    reference: str | None  # of the entry whose value is corrected; None: it needs one
    terms: tuple[str, ...]  # words its messages should be found by


def find_values(proposals: Sequence[Proposal], trust: int) -> list[Find]:
    """The secrets among what is going to be applied."""
    return [
        find
        for proposal in proposals
        for operation in proposal.operations
        if operation.kind is MemoryKind.VAULT
        for find in _finds(operation, proposal, trust)
    ]


def _finds(operation: Operation, proposal: Proposal, trust: int) -> Iterator[Find]:
    targets = [proposal.shown.memories[handle] for handle in operation.targets]
    if judge(operation, trust, targets).outcome != "apply":
        return
    changed = targets[0] if operation.verb == "update" else None
    for item in operation.items:
        value = item.get("value", "")
        old = changed if isinstance(changed, VaultRecord) else None
        sensitivity = item.get("sensitivity") or (old.sensitivity if old else None)
        if sensitivity == "high" and value and not find_references(value):
            caption = item.get("summary") or (old.summary if old else "")
            terms = (caption, *item.get("keywords", ()))
            yield Find(value=value, reference=old.reference if old else None, terms=terms)


def without_strange_references(proposal: Proposal) -> Proposal:
    """The proposal with vault references that its manager was not shown made inert: a reveal would fill them in."""
    known = proposal.shown.references
    operations = tuple(
        replace(operation, items=tuple(_without_strange(item, known) for item in operation.items))
        for operation in proposal.operations
    )
    return replace(proposal, operations=operations)


def _without_strange(value: Any, known: Collection[str]) -> Any:
    if isinstance(value, str):
        strange = [reference for reference in find_references(value) if reference not in known]
        for reference in strange:
            value = value.replace(reference_text(reference), escape_references(reference_text(reference)))
        return value
    if isinstance(value, Mapping):
        # What stands as a value is looked up, not shown.
        return {name: inner if name == "value" else _without_strange(inner, known) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_strange(inner, known) for inner in value]
    return value


def without_harmless(proposal: Proposal, harmless: Collection[bytes], keyring: Keyring, user_id: int) -> Proposal:
    """The proposal without entries for values that the user has said are no secrets."""

    def is_harmless(operation: Operation) -> bool:
        values = [item["value"] for item in operation.items if "value" in item]
        return any(value_digest(keyring, user_id, value) in harmless for value in values)

    if not harmless:
        return proposal
    kept = tuple(operation for operation in proposal.operations if not is_harmless(operation))
    told = ("the user has unsealed this value: it is no secret",) * (len(proposal.operations) - len(kept))
    return replace(proposal, operations=kept, problems=proposal.problems + told)


def cut_of(finds: Sequence[Find], known: Mapping[str, str]) -> Cut:
    """What to cut; `known` are the references of values that are in the vault already."""
    references: dict[str, str] = {}
    terms: dict[str, tuple[str, ...]] = {}
    for find in finds:
        reference = known.get(find.value) or find.reference or references.get(find.value) or fresh_reference()
        references[find.value] = reference
        terms[reference] = tuple(word for word in find.terms if word and find.value not in word)
    return Cut(references=references, terms=terms)


def without_finds(proposal: Proposal, cut: Cut, known: Mapping[str, str]) -> Proposal:
    """The proposal as if the values had never stood in the clear."""
    shown = replace(
        proposal.shown,
        evidence={handle: cut.message(message) for handle, message in proposal.shown.evidence.items()},
        memories={handle: cut.record(record) for handle, record in proposal.shown.memories.items()},
    )
    operations = tuple(
        replace(
            operation,
            items=tuple(_without(item, cut, known) for item in operation.items),
            reason=cut.text(operation.reason) if operation.reason else None,
        )
        for operation in proposal.operations
    )
    return replace(proposal, shown=shown, operations=operations, problems=tuple(map(cut.text, proposal.problems)))


def _without(item: Mapping[str, Any], cut: Cut, known: Mapping[str, str]) -> dict[str, Any]:
    """A vault item keeps its value, to be sealed under the reference that stands in the texts; one that is in the vault
    already only names it."""
    value = item.get("value", "")
    others = {name: cut.json(inner) for name, inner in item.items() if name != "value"}
    if value in known:
        return others | {"value": reference_text(known[value])}
    if value in cut.references:
        return others | {"value": value, "reference": cut.references[value]}
    return others | ({"value": value} if "value" in item else {})
