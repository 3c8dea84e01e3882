"""What it costs: start of the database, messages a second, model calls and tokens, disk. Times are of one run on one
machine: compare within a run only.

The model calls are counted at a server on this machine that answers as OpenAI does and names two memories for each
batch; the messages are those of the demo, in batches of ten.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.table import Table

from mirix.config import Settings
from mirix.db.embedded import open_embedded
from mirix.evaluation.runner import Progress, silent, throwaway_memory
from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest

BATCH = 10
STARTS = 5


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Figures by name; seconds, messages a second, counts, megabytes."""

    figures: dict[str, float]

    facts: Mapping[str, Any] = field(default_factory=dict)  # how it was run

    def to_json(self) -> dict[str, Any]:
        return {"evaluation": "speed", **self.facts, **{name: round(value, 4) for name, value in self.figures.items()}}

    def tables(self) -> Iterator[Table]:
        """One table: a figure a line, its unit at the end of its name."""
        table = Table(title="speed", title_justify="left", box=None, pad_edge=False)
        table.add_column("")
        table.add_column("", justify="right")
        for name, value in self.figures.items():
            table.add_row(name, f"{value:,.3f}" if value < 100 else f"{value:,.0f}")
        yield table


def week() -> list[dict[str, Any]]:
    """The chat messages of the demo as callers add them."""
    lines = files("mirix").joinpath("demo", "week.jsonl").read_text(encoding="utf-8").splitlines()
    turns = [json.loads(line) for line in lines]
    return [
        {"role": turn["role"], "name": turn["speaker"], "text": turn["text"], "at": datetime.fromisoformat(turn["at"])}
        for turn in turns
        if "text" in turn
    ]


async def measure_speed(settings: Settings, progress: Progress = silent) -> Speed:
    """All figures. Takes about a minute with the built-in model."""
    figures = await asyncio.to_thread(_starts)
    progress("measured", 1, 4)
    async with throwaway_memory(settings) as memory:
        turns = week()
        await memory.add(turns[0]["text"], user_id="warm", at=turns[0]["at"])
        figures["evidence_messages_per_s"] = await _rate(memory, turns, "evidence", wait=False)
        progress("measured", 2, 4)
        figures["whole_graph_messages_per_s"] = await _rate(memory, turns, "graph", wait=True)
    progress("measured", 3, 4)
    for mode in (False, True):
        figures |= await _model_costs(settings, single_call=mode)
    progress("measured", 4, 4)
    figures["install_mb"] = await asyncio.to_thread(_installed_mb)
    return Speed(figures=figures)


def _starts() -> dict[str, float]:
    """Seconds until the first connection: a new database, one that runs, one that was stopped."""
    cold, attach, warm = [], [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="mirix-speed-") as name:
            folder = Path(name)
            folder.chmod(0o711)  # as root the server runs as another account, which has to get in
            with open_embedded(folder / "postgres", idle_timeout_s=0.1) as first:
                cold.append(first.start_seconds)
                with open_embedded(folder / "postgres", idle_timeout_s=0.1) as second:
                    attach.append(second.start_seconds)
            time.sleep(1.0)
            with open_embedded(folder / "postgres", idle_timeout_s=0.1) as third:
                warm.append(third.start_seconds)
    return {
        "database_cold_start_s": statistics.median(cold),
        "database_warm_start_s": statistics.median(warm),
        "database_attach_s": statistics.median(attach),
    }


async def _rate(memory: Any, turns: list[dict[str, Any]], user: str, *, wait: bool) -> float:
    began = time.monotonic()
    for start in range(0, len(turns), BATCH):
        await memory.add(turns[start : start + BATCH], user_id=user, wait=wait)
    return len(turns) / (time.monotonic() - began)


async def _model_costs(settings: Settings, *, single_call: bool) -> dict[str, float]:
    """Model calls a batch and tokens an ingested message, as the server counts them."""
    with FakeOpenAI(_files_two) as server:
        given = {"chat_model": "openai:counted", "model_base_url": server.base_url, "single_call": single_call}
        async with throwaway_memory(settings.model_copy(update=given)) as memory:
            turns = week()[:BATCH]
            result = await memory.add(turns)
    mode = "single_call" if single_call else "fan_out"
    return {
        f"{mode}_model_calls_per_batch": float(result.usage.model_calls),
        f"{mode}_concerned_types": float(len(result.batches[0].routes)),
        f"{mode}_tokens_per_message": (result.usage.input_tokens + result.usage.output_tokens) / len(turns),
    }


def _files_two(request: ServerRequest) -> ServerReply:
    """A model that finds something for two memories in every batch."""
    if "trigger_memory_update" in request.tools:
        updates = [{"memory_type": kind, "messages": ["e1"]} for kind in ("core", "semantic")]
        return ServerReply(tool_calls=[("trigger_memory_update", {"updates": updates})], has_usage=False)
    calls: list[tuple[str, dict[str, Any]]] = []
    if "core_memory_append" in request.tools:
        calls.append(("core_memory_append", {"lines": [{"label": "human", "line": "Runs a data team"}]}))
    if "semantic_memory_insert" in request.tools:
        item = {"name": "Osprey", "kind": "project", "summary": "a timetable system", "details": "A timetable system."}
        calls.append(("semantic_memory_insert", {"items": [item]}))
    return ServerReply(text=None, tool_calls=calls, has_usage=False)


def _installed_mb() -> float:
    """Size of all that is installed beside Mirix in this environment."""
    site = Path(sysconfig.get_path("purelib"))
    return sum(path.stat().st_size for path in site.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6
