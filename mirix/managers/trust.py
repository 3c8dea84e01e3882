"""What evidence of some trust may do. Pure; enforced in code, whatever a model proposes (design, section 8).

The trust of an operation is the lowest of all evidence shown to the call, never of what it cites.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mirix.managers.tools import Operation
from mirix.memory.record import MemoryKind, Record, Trust
from mirix.text.instructions import looks_like_instruction

# The least trust that may write a memory by itself; core takes less as a proposal to the user.
NEEDED: Mapping[MemoryKind, Trust] = {
    MemoryKind.CORE: Trust.OWN,
    MemoryKind.EPISODIC: Trust.SEEN,
    MemoryKind.SEMANTIC: Trust.SEEN,
    MemoryKind.PROCEDURAL: Trust.GIVEN,
    MemoryKind.RESOURCE: Trust.SEEN,
    MemoryKind.VAULT: Trust.GIVEN,
}


@dataclass(frozen=True, kw_only=True)
class Verdict:
    outcome: Literal["apply", "propose", "quarantine", "refuse"]
    reason: str = ""


def allowed_kinds(trust: int) -> tuple[MemoryKind, ...]:
    """The memories whose managers are shown evidence of this trust."""
    return tuple(kind for kind in MemoryKind if trust >= min(NEEDED[kind], Trust.GIVEN))


def judge(operation: Operation, trust: int, targets: Sequence[Record], evidence: Sequence[str] = ()) -> Verdict:
    """Whether an operation on `targets` is applied, waits for the user, is quarantined or refused.

    `trust` is that of the evidence, `evidence` the texts it rests on: an order to the assistant is one, too, where the
    manager put it into other words.
    """
    if operation.kind not in allowed_kinds(trust):
        return Verdict(outcome="refuse", reason=f"evidence of trust {trust} may not write {operation.kind} memory")
    if operation.kind is MemoryKind.CORE and trust < NEEDED[MemoryKind.CORE]:
        return Verdict(outcome="propose", reason="core memory changes only by the user's own words or consent")
    higher = [target for target in targets if target.trust > trust]
    if operation.verb != "insert" and higher:
        return Verdict(
            outcome="propose", reason=f"it would change what has higher trust ({higher[0].trust} against {trust})"
        )
    if trust == Trust.SEEN and any(looks_like_instruction(text) for text in [*_texts(operation), *evidence]):
        outcome: Literal["quarantine", "refuse"] = "quarantine" if operation.items else "refuse"
        return Verdict(outcome=outcome, reason="it reads like an instruction to the assistant")
    return Verdict(outcome="apply")


def _texts(operation: Operation) -> list[str]:
    return [str(value) for item in operation.items for value in item.values() if isinstance(value, str | list)]
