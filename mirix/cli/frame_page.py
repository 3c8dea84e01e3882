"""The page that `--open` writes: what an answer or a search rests on, and its screenshots with the words in yellow.

    Answer, hits ─> Entry (plain values) ─> pictures ─> templates/frames.html.j2 ─> a file that only we may read

The page is whole in itself: no script, no font or picture from anywhere else; all text is escaped by the template.
"""

from __future__ import annotations

import os
import tempfile
import webbrowser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from mirix.cli.command import Invocation
from mirix.cli.show import hit_time, moment
from mirix.errors import InputError, NotFoundError, SealError
from mirix.memory.record import one_line

if TYPE_CHECKING:
    from mirix.blocking import Mirix
    from mirix.cli.page import Picture
    from mirix.curation.frames import KeptFrame
    from mirix.memory.message import Message
    from mirix.retrieval.answer import Answer
    from mirix.retrieval.hits import Hit
    from mirix.retrieval.places import FramePlace

FILE = "answer.html"  # in the data folder; the next page takes its place
_TEXT = 400  # characters of a hit
NO_PICTURE = "No screenshot stands behind this: it rests on what was said or written."
NOTHING = "The memory holds nothing on this."


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A citation or a hit."""

    n: int
    kind: str
    text: str
    source: str  # who said it, or the program, and when
    outdated: bool
    frame: FramePlace | None
    shot: int | None = None  # which of the pictures on the page is its own, from 1


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture on the page, with all places that answer."""

    numbers: tuple[int, ...]  # of the entries that rest on it
    when: str
    picture: Picture


def cited_entries(answer: Answer, sources: Mapping[int, Sequence[Message]], zone: ZoneInfo) -> list[Entry]:
    """What the numbers of an answer stand for."""
    found = []
    for citation in answer.citations:
        said = sources.get(citation.n, ())
        source = f"{said[0].application or said[0].speaker}, {moment(said[0].at, zone)}" if said else ""
        found.append(
            Entry(
                n=citation.n,
                kind=citation.kind.value if citation.kind else "message",
                text=citation.quote,
                source=source,
                outdated=citation.outdated,
                frame=citation.frame,
            )
        )
    return found


def found_entries(hits: Sequence[Hit], zone: ZoneInfo) -> list[Entry]:
    """What a search found."""
    return [
        Entry(
            n=number,
            kind=hit.kind.value if hit.kind else "message",
            text=one_line(hit.text, _TEXT),
            source=hit_time(hit, zone),
            outdated=hit.outdated,
            frame=hit.frame,
        )
        for number, hit in enumerate(hits, 1)
    ]


def show_page(
    call: Invocation, memory: Mirix, question: str, answer: str | None, entries: Sequence[Entry], zone: ZoneInfo
) -> Path:
    """Write the page and open it in the browser. Raises InputError where it cannot be written."""
    frames: dict[UUID, KeptFrame] = {}
    for place in dict.fromkeys(entry.frame for entry in entries if entry.frame):
        try:
            frames[place.message_id] = memory.frame(place.message_id)
        except (NotFoundError, SealError) as error:
            call.warn(f"a picture is left out: {error}")
    path = write_private(Path(call.settings.data_dir) / FILE, frames_page(question, answer, entries, frames, zone))
    if webbrowser.open(path.as_uri()):
        call.note(f"opened {path}")
    else:
        call.warn(f"no browser could be started: open {path}")
    return path


def frames_page(
    question: str, answer: str | None, entries: Sequence[Entry], frames: Mapping[UUID, KeptFrame], zone: ZoneInfo
) -> str:
    """The page. `answer` is None for a search."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from mirix.cli.page import language, linked, prose

    shots = _shots(entries, frames, zone)
    order = {number: place for place, shot in enumerate(shots, 1) for number in shot.numbers}
    environment = Environment(
        loader=PackageLoader("mirix.cli"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"prose": prose, "language": language}
    return environment.get_template("frames.html.j2").render(
        question=question,
        answer=None if answer is None else linked(answer, {entry.n: f"n{entry.n}" for entry in entries}),
        shots=shots,
        entries=[replace(entry, shot=order.get(entry.n)) for entry in entries],
        no_picture=NO_PICTURE if entries else NOTHING,
    )


def _shots(entries: Sequence[Entry], frames: Mapping[UUID, KeptFrame], zone: ZoneInfo) -> list[Shot]:
    """One for each picture, in the order of the entries."""
    from mirix.cli.page import drawn

    by_picture: dict[UUID, list[tuple[Entry, FramePlace]]] = {}
    for entry in entries:
        if entry.frame is not None and entry.frame.message_id in frames:
            by_picture.setdefault(entry.frame.message_id, []).append((entry, entry.frame))
    shots = []
    for message_id, resting in by_picture.items():
        place = resting[0][1]
        boxes = dict.fromkeys(box for _, each in resting for box in each.boxes)
        quotes = " … ".join(dict.fromkeys(entry.text for entry, _ in resting))
        shots.append(
            Shot(
                numbers=tuple(entry.n for entry, _ in resting),
                when=moment(place.at, zone),
                picture=drawn(frames[message_id], place.application, place.title, tuple(boxes), quotes),
            )
        )
    return shots


def write_private(path: Path, text: str) -> Path:
    """A file that nobody else may read, whole or not at all. Raises InputError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")  # mode 0600 from the start
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"the page cannot be written to {path}: {error.strerror}") from error
    return path.resolve()
