"""Makes tests/fixtures/day anew: a part of a rendered day, and what is read in it.

    mirix-desktop make-day DAY --seed 2
    python -m tests.evaluation.screenshots.make_fixture DAY

It takes the shots that show the answers of one question of each type and language, the secrets, some private windows
and some on which nothing moved. Needs the programs of a day, and tesseract.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from mirix.config import load_settings
from mirix.evaluation.runner import throwaway_memory
from mirix.evaluation.screenshots.day import read_day
from mirix.evaluation.screenshots.run import Readers, evaluate_screenshotvqa

FIXTURE = Path(__file__).parents[2] / "fixtures" / "day"
EVERY = 4  # chosen shots: so often one that shows the same again
Json = dict[str, Any]


def choose(truth: Json, pairs: list[Json], files: list[str]) -> tuple[list[str], list[Json]]:
    """The shots to keep, in order, and the questions that can be answered from them."""
    repeats = set(truth["repeats"])
    facts = {fact["id"]: fact for fact in truth["facts"]}
    asked = list(
        {(pair["type"], pair["language"]): pair for pair in reversed(pairs) if pair["type"] != "multi"}.values()
    )
    chosen = {file for pair in asked for file in pair["older"][:1]}
    for pair in asked:
        chosen |= {_first(facts[name]["shots"], repeats) for name in pair["facts"]}
    chosen |= {secret["shots"][0]["file"] for secret in truth["secrets"]}
    private = [each["file"] for each in truth["private"] if each["file"] not in repeats]
    chosen |= {private[0], private[len(private) // 2], private[-1]}
    for file in sorted(chosen)[::EVERY]:
        following = files[files.index(file) + 1 :][:1]
        chosen |= set(following) & repeats
    return [file for file in files if file in chosen], sorted(asked, key=lambda pair: str(pair["id"]))


def _first(shots: list[Json], repeats: set[str]) -> str:
    return str(next(shot["file"] for shot in shots if shot["file"] not in repeats))


def write(day: Path, folder: Path) -> None:
    truth, asked = (json.loads((day / name).read_text(encoding="utf-8")) for name in ("truth.json", "qa_pairs.json"))
    lines = [json.loads(line) for line in (day / "shots.jsonl").read_text(encoding="utf-8").splitlines()]
    kept, pairs = choose(truth, asked["qa_pairs"], [line["file"] for line in lines])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in kept:
        with Image.open(day / file) as picture:
            picture.convert("RGB").save(folder / _small(file), "WEBP", lossless=True, quality=100, method=5)
    (folder / "shots.jsonl").write_text("".join(f"{_json(line)}\n" for line in _only(lines, kept)), encoding="utf-8")
    for each in (*truth["facts"], *truth["secrets"]):
        each["shots"] = _only(each["shots"], kept)
    truth["facts"] = [fact for fact in truth["facts"] if fact["shots"]]
    truth["private"] = _only(truth["private"], kept)
    truth["repeats"] = [_small(file) for file in truth["repeats"] if file in kept]
    for pair in pairs:
        for name in ("evidence", "older"):
            pair[name] = [_small(file) for file in pair[name] if file in kept]
        pair["boxes"] = {_small(file): boxes for file, boxes in pair["boxes"].items() if file in kept}
    (folder / "truth.json").write_text(_json(truth) + "\n", encoding="utf-8")
    (folder / "qa_pairs.json").write_text(_json(asked | {"qa_pairs": pairs}) + "\n", encoding="utf-8")


def _only(rows: list[Json], kept: list[str]) -> list[Json]:
    return [row | {"file": _small(row["file"])} for row in rows if row["file"] in kept]


def _small(file: str) -> str:
    return file.replace(".png", ".webp")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def remember_text(folder: Path) -> None:
    """Read all that the test will want read, into the files beside the pictures."""
    async with throwaway_memory(load_settings(embedding_model="hash")) as memory:
        await evaluate_screenshotvqa(memory, read_day(folder), Readers.installed(folder / "ocr.jsonl"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), FIXTURE)
    for old in FIXTURE.glob("ocr*.jsonl"):
        old.unlink()
    asyncio.run(remember_text(FIXTURE))
