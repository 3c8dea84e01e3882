"""`mirix-desktop demo`: an invented morning on a virtual screen is recorded, and asked about with the usual commands.

    make-day ─> DIR/day ─> mirix-desktop start --folder ─> mirix ask --open ─> DIR/answer-1.html, .png …
                                                        └─> DIR/kept: the pictures as they are stored

Nothing is touched but the folder that is named; the memory stays in it, to be looked at.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from mirix.errors import CaptureError, MirixError
from mirix_desktop.settings import environment_for

SHOTS = 60
QUESTIONS = 12
ASKED = ("single", "procedure", "vault", "abstain")  # one of each type, and one in Chinese
PAGE = "1280,1100"  # pixels of a picture of a page


def demo(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder, for all that the demo leaves.")] = Path(
        "demo-desktop"
    ),
    seed: Annotated[int, typer.Option(help="The same seed gives the same day.")] = 5,
) -> None:
    """Record an invented morning on a virtual screen, then ask about it: answers with the frame and the place on it."""
    console = Console()
    try:
        _demo(console, folder, seed)
    except MirixError as error:
        Console(stderr=True).print(f"[red]error: {error}[/red]", highlight=False)
        sys.exit(1)


def _demo(console: Console, folder: Path, seed: int) -> None:
    from mirix_desktop.days.render import render_day
    from mirix_desktop.days.story import ZONE, write_story

    if folder.exists() and any(folder.iterdir()):
        raise CaptureError(f"{folder} is not empty: name a new folder, or remove it")
    console.rule("1. An invented morning, on a virtual screen")
    day = render_day(write_story(seed, SHOTS), folder / "day", questions=QUESTIONS)
    console.print(f"{day.shots} shots of real programs in {folder / 'day'} ({day.seconds:.0f} s)")
    environment = environment_for(folder / "memory") | {"MIRIX_TIMEZONE": ZONE.key}
    console.rule("2. mirix-desktop start --folder day")
    _run([sys.executable, "-m", "mirix_desktop", "start", "--folder", str(folder / "day")], environment)
    console.rule("3. mirix ask --open")
    for number, pair in enumerate(_questions(folder / "day"), 1):
        console.print(f"\n[bold]{pair['question']}[/bold]")
        _run([sys.executable, "-m", "mirix.cli", "ask", "--open", pair["question"]], environment)
        console.print(f"[dim]{_gold(pair)}[/dim]", highlight=False)
        page = folder / f"answer-{number}.html"
        shutil.copyfile(folder / "memory" / "answer.html", page)
        _draw(page)
    kept = _keep_pictures(folder)
    console.rule("Left to look at")
    console.print(f"{folder}/answer-*.html and .png   each answer, and the frame it rests on with the words in yellow")
    console.print(f"{folder}/kept   {kept} pictures as they are stored: private windows and secrets painted over")
    console.print(f"MIRIX_DATA_DIR={folder / 'memory'} mirix search …   the memory itself")


def _run(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command as a user would. Raises CaptureError when it fails."""
    done = subprocess.run(command, env=dict(environment), check=False)
    if done.returncode:
        raise CaptureError(f"`{' '.join(command[1:])}` ended with {done.returncode}: see above")


def _questions(day: Path) -> Iterator[dict[str, Any]]:
    pairs = json.loads((day / "qa_pairs.json").read_text(encoding="utf-8"))["qa_pairs"]
    english = [pair for pair in pairs if pair["language"] == "en"]
    for kind in ASKED:
        yield from [pair for pair in english if pair["type"] == kind][:1]
    yield from [pair for pair in pairs if pair["language"] == "zh" and pair["type"] == "single"][:1]


def _gold(pair: Mapping[str, Any]) -> str:
    if not pair["evidence"]:
        return "It was never shown, or must not be told."
    return f"What stood on the screen: {pair['answer']}"


def _keep_pictures(folder: Path) -> int:
    """The frames as they are stored, opened."""
    from mirix import Mirix

    kept = folder / "kept"
    kept.mkdir()
    with Mirix(data_dir=folder / "memory") as memory:
        messages = memory.messages("screen", limit=SHOTS)
        for message in messages:
            (kept / f"{message.local_at:%Y%m%d_%H%M%S}.webp").write_bytes(memory.frame(message.id).webp)
    return len(messages)


def _draw(page: Path) -> None:
    """A picture of a page beside it, as a browser shows it."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        return
    picture = page.with_suffix(".png").resolve()
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking"]
    subprocess.run(
        [browser, *options, f"--window-size={PAGE}", f"--screenshot={picture}", page.resolve().as_uri()],
        check=False,
        capture_output=True,
        timeout=60,
    )
