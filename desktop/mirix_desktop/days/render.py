"""Records a story as it is played on a virtual screen: pictures, what they show, and the questions about them.

    for each step: stage ─> one shot through our own source, and where all marks are
                        ─> those that nothing covers are sightings ─> gold

The clock is the story's: pages, panel, file names and the times of the shots all tell it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mirix.errors import CaptureError
from mirix_desktop.days.geometry import common, is_whole, without
from mirix_desktop.days.gold import PrivateSighting, Sighting, answerable, choose, qa_pairs, truth
from mirix_desktop.days.screen import Placed, need_programs
from mirix_desktop.days.shapes import Step, Story
from mirix_desktop.days.stage import Stage
from mirix_desktop.folder import SHOTS, tell
from mirix_desktop.shots import Box, Shot, Window

_HIDDEN = ("private", "vault")
_PNG_LEVEL = 2


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a rendered day came to."""

    shots: int
    questions: int
    facts: int
    seconds: float


def render_day(story: Story, folder: Path, *, questions: int) -> Recorded:
    """Record the story into an empty or new folder: pictures, shots.jsonl, truth.json, qa_pairs.json.

    Raises CaptureError when a program is missing or the folder holds something.
    """
    need_programs()
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise CaptureError(f"{folder} is not empty: name a new folder")
    began = time.monotonic()
    sightings: list[Sighting] = []
    private: list[PrivateSighting] = []
    with Stage(story) as stage, (folder / SHOTS).open("w", encoding="utf-8") as lines:
        for number, step in enumerate(story.steps):
            shot, places = stage.play(step, blink=number % 2 == 0)
            file = f"{shot.at:%Y%m%d_%H%M%S}.png"
            shot.image.save(folder / file, compress_level=_PNG_LEVEL)
            lines.write(tell(shot, file) + "\n")
            seen, hidden = _look(file, step, shot, places, stage.ids)
            sightings += seen
            private += hidden
    asked = choose(answerable(story, sightings), questions)
    _write(folder / "truth.json", truth(story, sightings, private))
    _write(folder / "qa_pairs.json", qa_pairs(story, asked, sightings))
    found = {sighting.id for sighting in sightings}
    return Recorded(
        shots=len(story.steps),
        questions=len(asked),
        facts=sum(fact.id in found for fact in story.facts),
        seconds=time.monotonic() - began,
    )


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _look(
    file: str, step: Step, shot: Shot, places: dict[str, list[Placed]], ids: dict[str, int]
) -> tuple[list[Sighting], list[PrivateSighting]]:
    """What can be read on a shot, and which parts of it are private."""
    if shot.windows is None or step.at is None:
        raise CaptureError(f"{file}: the windows did not stand still, so nobody knows what can be seen")
    seen: list[Sighting] = []
    hidden: list[PrivateSighting] = []
    above: list[Box] = []
    names = {window: name for name, window in ids.items()}
    for window in shot.windows:
        name = names.get(window.id, "")
        visible = [placed for placed in places.get(name, ()) if is_whole(placed[2], above)]
        seen += [
            Sighting(file=file, at=step.at, seconds=step.seconds, id=identity, text=text, box=box, font_px=size)
            for identity, text, box, size in visible
        ]
        if name in _HIDDEN:
            hidden += _pieces(file, window, above, visible)
        above.append(window.box)
    return seen, hidden


def _pieces(file: str, window: Window, above: Sequence[Box], visible: Sequence[Placed]) -> Iterator[PrivateSighting]:
    for piece in without(window.box, above):
        inside = (text for identity, text, box, _ in visible if identity[0] == "p" and common(box, piece) == box)
        yield PrivateSighting(file=file, box=piece, marker=next(inside, ""))
