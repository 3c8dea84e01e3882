"""What a check of `mirix doctor` found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True)
class Finding:
    name: str
    level: Level
    words: str  # what was found, and what to do where it is not well
    needs: str | None = None  # the extra that --fix can install
    command: str | None = None  # to be copied from a line of its own
