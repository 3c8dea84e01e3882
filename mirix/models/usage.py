"""What a verb cost: every reply of Mirix carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mirix.models.reply import ModelReply


@dataclass(frozen=True, kw_only=True)
class Usage:
    """Sums over all model calls of a verb; embedding is not a model call."""

    model_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    ms: float = 0.0  # wall time, milliseconds

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            model_calls=self.model_calls + other.model_calls,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            ms=self.ms + other.ms,
        )

    @classmethod
    def of(cls, reply: ModelReply) -> Usage:
        return cls(model_calls=1, input_tokens=reply.input_tokens, output_tokens=reply.output_tokens, ms=reply.ms)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Usage:
        return cls(**value)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
