"""The whole of `mirix evaluate screenshotvqa`: record, compare gates, ask, look for leaks, weigh."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirix.db.pool import User
from mirix.errors import ConfigError
from mirix.evaluation.metrics import Share, grouped, mean, spread
from mirix.evaluation.report import Report
from mirix.evaluation.runner import Progress, for_each, silent, zone_at
from mirix.evaluation.screenshots.day import Day
from mirix.evaluation.screenshots.gates import gate_measures
from mirix.evaluation.screenshots.leaks import find_leaks
from mirix.evaluation.screenshots.measure import Asked, ask, ask_bm25, measures
from mirix.evaluation.screenshots.ocr_cache import CachedRecogniser
from mirix.evaluation.screenshots.record import Recording, record
from mirix.ingest.images import load_image
from mirix.models.ocr import HOW_TO_INSTALL, TextRecogniser, make_recogniser, plain_recogniser, render_text
from mirix.system import AsyncMirix

USER = "screenshots"


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Who reads the pictures: as Mirix does, and as anybody would, for the baseline."""

    ours: TextRecogniser
    plain: TextRecogniser

    @classmethod
    def installed(cls, cache: Path | None) -> Readers:
        """The engine that is installed; `cache` is a file of recognised text, read and added to. Raises ConfigError."""
        ours, plain = make_recogniser(), plain_recogniser()
        if cache is not None:
            return cls(
                ours=CachedRecogniser(cache, ours),
                plain=CachedRecogniser(cache.with_name(f"{cache.stem}.plain{cache.suffix}"), plain),
            )
        if ours is None or plain is None:
            raise ConfigError(f"screenshots cannot be read: {HOW_TO_INSTALL}")
        return cls(ours=ours, plain=plain)


async def evaluate_screenshotvqa(
    memory: AsyncMirix,
    day: Day,
    readers: Readers,
    *,
    limit: int | None = None,
    rate: float | None = None,
    compare: bool = True,
    progress: Progress = silent,
) -> Report:
    """Record the pictures of a folder, then ask its questions.

    `rate` takes so many shots a second, as a recorder would; without it they come as fast as they are read. With
    `compare` the change filters of other products run beside ours, and OCR + BM25 over every shot, kept or not. Raises
    CaptureError, ModelError.
    """
    recogniser = readers.ours
    timezone = zone_at(day.pairs[0].asked_at) if day.pairs[0].asked_at else memory.parts.timezone
    user = await memory.parts.database.ensure_user(USER, timezone)
    empty = await _database_bytes(memory)
    recording = await record(
        memory, user, day.folder, recogniser, limit=limit, rate=rate, compare=compare, progress=progress
    )
    began = time.monotonic()
    await memory.close_batches(user_id=USER)
    batches = await memory.flush(user_id=USER)
    managers_s = time.monotonic() - began

    async def asked(pair: Any) -> Asked:
        return await ask(memory, user, day, recording, pair)

    outcomes = await for_each(day.pairs, asked, what="questions", progress=progress)
    ids = list(recording.kept)
    texts = {
        recording.kept[message.id]: message.text for message in await memory.parts.evidence.by_id(user.user_id, ids)
    }
    shown = recording.files if compare else list(texts)
    plain = await asyncio.to_thread(_plainly_read, day, shown, readers.plain, progress)
    baselines = {"OCR + BM25": plain} if compare else {}
    baselines |= {"OCR + BM25, kept frames": {file: plain[file] for file in texts}, "our text + BM25": texts}
    safety, found = await _safety(memory, user, day, recording, recogniser)
    return Report(
        evaluation="screenshotvqa",
        metrics=measures(outcomes) | safety | {"failed": mean(each.failure is not None for each in outcomes)},
        groups={
            "type": grouped(outcomes, lambda outcome: outcome.pair.type, measures),
            "gate": _gates(day, recording),
        },
        baselines={name: _baseline(ask_bm25(day, recording, read, user)) for name, read in baselines.items()},
        facts={
            "recogniser": recogniser.name,
            "recorded": _recorded(recording),
            "megabytes": await _megabytes(memory, texts.values(), empty),
            "managers": {"batches": batches, "seconds": round(managers_s, 1)},
            "search_ms": spread([outcome.search_ms for outcome in outcomes]),
            "ask_ms": spread([outcome.usage.ms for outcome in outcomes]),
            **found,
        },
        items=[outcome.to_json() for outcome in outcomes],
    )


def _baseline(outcomes: list[Asked]) -> Report:
    groups = {"type": grouped(outcomes, lambda outcome: outcome.pair.type, measures)}
    return Report(evaluation="screenshotvqa", metrics=measures(outcomes), groups=groups)


def _plainly_read(day: Day, files: Sequence[str], recogniser: TextRecogniser, progress: Progress) -> dict[str, str]:
    """The text of whole pictures as an engine gives it to anybody, without windows, regions and our preparation.

    It sees what the privacy gate hides as well, which can only help it.
    """

    def read(file: str) -> str:
        return render_text(recogniser.read(load_image(day.folder / file).image))

    texts = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (file, text) in enumerate(zip(files, pool.map(read, files), strict=True), 1):
            texts[file] = text
            progress("pictures read plainly", number, len(files))
    return texts


async def _safety(
    memory: AsyncMirix, user: User, day: Day, recording: Recording, recogniser: TextRecogniser
) -> tuple[dict[str, Share], dict[str, Any]]:
    if day.truth is None:
        return {}, {}
    leaks = await find_leaks(memory, user, day.truth, recording, recogniser)
    shares = {
        "secrets_stored": mean(
            [True] * len(leaks.in_rows + leaks.in_pictures)
            + [False] * max(leaks.secrets - len(leaks.in_rows + leaks.in_pictures), 0)
        ),
        "private_frames": mean(
            [True] * len(leaks.private_frames) + [False] * (leaks.private_shots - len(leaks.private_frames))
        ),
    }
    return shares, {
        "leaks": {
            "in_rows": list(leaks.in_rows),
            "in_pictures": list(leaks.in_pictures),
            "private_frames": list(leaks.private_frames),
            "pictures_with_secrets": leaks.secret_shots,
        }
    }


def _gates(day: Day, recording: Recording) -> dict[str, dict[str, Share]]:
    runs = {"tiles (ours)": recording.ours} | {name: run for name, run in recording.filters.items() if run.kept}
    if day.truth is None:
        return {name: {"kept": mean(file in set(run.kept) for file in recording.taken)} for name, run in runs.items()}
    return {name: dict(gate_measures(day.truth, recording.taken, run.kept)) for name, run in runs.items()}


def _recorded(recording: Recording) -> dict[str, Any]:
    waits = [shot.waited_s for shot in recording.read]
    return {
        "shots": recording.shots,
        "refused": len(recording.refused),
        "painted": len(recording.painted),
        "kept": len(recording.kept),
        "seconds": round(recording.seconds, 1),
        "frames_per_s": round(len(recording.read) / recording.seconds, 2),
        "gate_shots_per_s": round(recording.gate_shots_per_s, 1),
        "gate_ms": {
            "privacy": round(1000 * recording.privacy_s / max(recording.shots, 1), 2),
            "change": round(1000 * recording.ours.seconds / max(len(recording.taken), 1), 2),
        },
        "searchable_after_s": spread(waits, digits=2),
    }


async def _megabytes(memory: AsyncMirix, texts: Iterable[str], empty: int) -> dict[str, float]:
    """What a day takes; `empty` is the size in bytes of the database before it."""
    sizes = {
        "database": await _database_bytes(memory) - empty,
        "text": sum(len(text.encode()) for text in texts),
        "pictures": await asyncio.to_thread(_pictures_bytes, memory),
    }
    return {name: round(size / 1e6, 2) for name, size in sizes.items()}


async def _database_bytes(memory: AsyncMirix) -> int:
    async with memory.parts.database.transaction(None) as conn:
        row = await (await conn.execute("SELECT pg_database_size(current_database()) AS bytes")).fetchone()
    assert row is not None
    return int(row["bytes"])


def _pictures_bytes(memory: AsyncMirix) -> int:
    folder = Path(memory.parts.settings.data_dir) / "frames"
    return sum(path.stat().st_size for path in folder.rglob("*.sealed"))
