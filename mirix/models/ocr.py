"""Text in pictures: one protocol, two engines, one reading order.

    tesseract   the program `tesseract`, run once per picture: light (about 2 s and 125 MB for a dense screen)
    rapidocr    PP-OCR by onnxruntime, models inside its wheel: English and Chinese out of the box, five times the work
    none        no text is read; a vision model may still describe the picture

`auto` takes tesseract when it has English and Chinese, else rapidocr, else tesseract with what it has. (The binding
tesserocr would save little: it needs the same language files, and starting the program is a small part of the work.)

Engines find fragments in any order; `reading_order` makes lines of them, so that every engine's text reads alike. It
looks for columns first: an upright gap that several fragments share, whose sides stand beside each other (messages of a
chat, which alternate, are no columns) and are not cells of one table. What is left is read row by row.
"""

from __future__ import annotations

import importlib.util
import io
import logging
import shutil
import subprocess
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from PIL import ImageChops, ImageFilter
from PIL.Image import Resampling, composite

from mirix.config import environment_with, silence_libraries
from mirix.errors import ConfigError, ModelError
from mirix.text.chunks import is_cjk

if TYPE_CHECKING:
    from PIL.Image import Image

logger = logging.getLogger(__name__)

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels from the top left corner


@dataclass(frozen=True, kw_only=True)
class Line:
    text: str  # one line, no line breaks
    box: Box
    confidence: float  # 0..1, higher is surer

    @property
    def is_sure(self) -> bool:
        """Whether it counts as text. Below it, engines see letters in icons and textures, or fail at faint ones."""
        return self.confidence >= MIN_CONFIDENCE


MIN_CONFIDENCE = 0.4


class TextRecogniser(Protocol):
    @property
    def name(self) -> str:
        """Kept with what was read, e.g. `tesseract`."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes it reads well."""

    def read(self, image: Image) -> list[Line]:
        """Lines in reading order: columns apart, top to bottom, left to right; empty when there is no text.

        What it is not sure of comes last, as it was found. Raises ModelError when the engine fails.
        """


CHOICES = '"auto", "tesseract", "rapidocr" or "none"'
HOW_TO_INSTALL = "install `tesseract` with its language data (eng, chi_sim), or `pip install rapidocr onnxruntime`"


def make_recogniser(setting: str = "auto") -> TextRecogniser | None:
    """The recogniser a setting names; None for "none", and for "auto" when no engine is installed.

    Raises ConfigError for an unknown setting and for an engine that was named and is not installed.
    """
    match setting.strip().lower():
        case "none":
            return None
        case "auto":
            return _best_installed()
        case "tesseract":
            return Tesseract(_tesseract_program())
        case "rapidocr":
            return RapidOcr()
    raise ConfigError(f"unknown text recogniser {setting!r}: choose {CHOICES}")


def plain_recogniser() -> TextRecogniser | None:
    """The best engine that is installed, given pictures as they are; None without one. For comparison."""
    found = _best_installed()
    return Tesseract(_tesseract_program(), prepares=False) if isinstance(found, Tesseract) else found


def available() -> str | None:
    """None when English and Chinese can be read here, else what is missing and what to do."""
    found = _best_installed()
    if found is None:
        return f"no text is read from pictures: {HOW_TO_INSTALL}"
    missing = {"en": "English", "zh": "Chinese"}.keys() - found.languages
    return f"{found.name} cannot read {', '.join(sorted(missing))}: {HOW_TO_INSTALL}" if missing else None


def render_text(lines: Iterable[Line]) -> str:
    """The sure lines as plain text, one under the other, with an empty line where the page leaves room for one."""
    text = ""
    before: Line | None = None
    for line in lines:
        if not line.is_sure:
            continue
        if before is not None:
            text += "\n\n" if _gap_between(before, line) else "\n"
        text += line.text
        before = line
    return text


def _gap_between(above: Line, below: Line) -> bool:
    height = max(above.box[3] - above.box[1], below.box[3] - below.box[1])
    distance = below.box[1] - above.box[3]
    return distance > 1.5 * height or distance < -2 * height  # upwards: the next column begins


def _best_installed() -> TextRecogniser | None:
    tesseract = _tesseract_if_usable()
    if tesseract is not None and tesseract.languages >= {"en", "zh"}:
        return tesseract
    if RapidOcr.is_installed():
        return RapidOcr()
    return tesseract


def _tesseract_if_usable() -> Tesseract | None:
    program = shutil.which("tesseract")
    try:
        return Tesseract(Path(program)) if program else None
    except (ConfigError, ModelError) as error:
        logger.warning("tesseract is installed but not used: %s", error, extra={"action": "recogniser_unusable"})
        return None


class Tesseract:
    """The program `tesseract`, version 4 or later, asked for sparse text: screens are no book pages."""

    name = "tesseract"
    TIMEOUT_S = 120.0
    # It was trained on print: dark letters, twice as high as on most screens. Read so, rendered desktops lose 0 of 44
    # marked words instead of 8, for the same work; pictures of more pixels have larger letters already.
    ENLARGED = 2
    ENLARGED_UP_TO = 3_000_000
    # Its names of languages and ours.
    LANGUAGES: ClassVar = {"eng": "en", "chi_sim": "zh", "chi_tra": "zh", "jpn": "ja", "deu": "de", "fra": "fr"}

    def __init__(self, program: Path, *, prepares: bool = True) -> None:
        """Asks the program for its languages. Raises ConfigError if it cannot be run or knows none of ours.

        Without `prepares` it is given pictures as they are: what other programs get from it (a baseline).
        """
        self._program = program
        self._prepares = prepares
        listed = self._run(["--list-langs"]).decode("utf-8", "replace").split()
        self._data = [name for name in self.LANGUAGES if name in listed]
        if not self._data:
            raise ConfigError(f"{program} has no language data: install for example tesseract-ocr-eng")
        self.languages = frozenset(self.LANGUAGES[name] for name in self._data)

    def read(self, image: Image) -> list[Line]:
        is_small = image.width * image.height <= self.ENLARGED_UP_TO
        scale = self.ENLARGED if self._prepares and is_small else 1
        picture = io.BytesIO()
        shown = _as_print(image, scale) if self._prepares else image.convert("RGB")
        shown.save(picture, "PNG", compress_level=1)
        data = "+".join(name for name in self._data if name in ("eng", "chi_sim")) or self._data[0]
        # Sauvola's thresholds are local: with one for all, letters on grey are lost beside a white page.
        how = ["-c", "tessedit_do_invert=0", "-c", "thresholding_method=2"] if self._prepares else []
        output = self._run(["stdin", "stdout", "-l", data, "--psm", "11", *how, "tsv"], picture.getvalue())
        return reading_order(_parse_tsv(output.decode("utf-8", "replace"), scale))

    def _run(self, arguments: list[str], given: bytes = b"") -> bytes:
        try:
            done = subprocess.run(
                [self._program, *arguments],
                input=given,
                capture_output=True,
                timeout=self.TIMEOUT_S,
                check=True,
                # Its threads wait for each other: a dense screen takes 1.5 s of work on one, and 5.9 s on two.
                env=environment_with(OMP_THREAD_LIMIT="1"),
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"tesseract did not finish within {self.TIMEOUT_S:.0f} s") from error
        except subprocess.CalledProcessError as error:
            reason = error.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise ModelError(f"tesseract failed: {' '.join(reason) or error}") from error
        except OSError as error:
            raise ConfigError(f"{self._program} cannot be run: {error}") from error
        return done.stdout


def _tesseract_program() -> Path:
    program = shutil.which("tesseract")
    if program is None:
        raise ConfigError("the program `tesseract` is not installed: for example apt install tesseract-ocr")
    return Path(program)


_GROUND = 8  # pixels: letters vanish in a picture made so much smaller, and what is left is the ground
_DARK = 128


def _as_print(image: Image, scale: int) -> Image:
    """In grey, `scale` times as large, and dark letters on a light ground wherever it is the other way round."""
    grey = image.convert("L")
    ground = grey.reduce(_GROUND).filter(ImageFilter.MedianFilter(5))
    is_dark = ground.point(lambda level: 255 if level < _DARK else 0).resize(grey.size, Resampling.NEAREST)
    even = composite(ImageChops.invert(grey), grey, is_dark)
    return even.resize((grey.width * scale, grey.height * scale), Resampling.BICUBIC) if scale > 1 else even


def _parse_tsv(table: str, scale: int = 1) -> list[Line]:
    """Fragments from tesseract's table: the words of one of its lines, joined. Its pixels are `scale` to one."""
    groups: dict[tuple[str, ...], list[Line]] = {}
    for row in table.splitlines()[1:]:
        # level, page, block, paragraph, line, word, left, top, width, height, confidence (0..100), text
        cells = row.split("\t")
        if len(cells) != 12 or cells[0] != "5" or not cells[11].strip():
            continue
        left, top, width, height = (round(int(cell) / scale) for cell in cells[6:10])
        word = Line(
            text=cells[11].strip(),
            box=(left, top, left + width, top + height),
            confidence=min(max(float(cells[10]) / 100, 0.0), 1.0),
        )
        groups.setdefault(tuple(cells[1:5]), []).append(word)
    return [_joined(words) for words in groups.values()]


class RapidOcr:
    """PP-OCR through the package rapidocr, on one thread; one picture at a time."""

    name = "rapidocr"
    languages = frozenset({"en", "zh"})

    def __init__(self) -> None:
        if not self.is_installed():
            raise ConfigError("the text recogniser rapidocr is not installed: pip install rapidocr onnxruntime")
        self._lock = threading.Lock()
        self._engine: Any = None

    @staticmethod
    def is_installed() -> bool:
        return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime"))

    def read(self, image: Image) -> list[Line]:
        pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]  # it expects blue, green, red
        with self._lock:  # its settings are shared between calls, and a dense screen takes half a gigabyte
            engine = self._load()
            try:
                found = engine(pixels)
            except (RuntimeError, ValueError, TypeError, IndexError) as error:
                raise ModelError(f"rapidocr failed on a picture of {image.width} × {image.height}: {error}") from error
        if found.boxes is None or found.txts is None or found.scores is None:
            return []
        fragments = zip(found.boxes, found.txts, found.scores, strict=True)
        return reading_order(
            Line(text=text.strip(), box=_upright(corners), confidence=float(score))
            for corners, text, score in fragments
        )

    def _load(self) -> Any:
        if self._engine is None:
            silence_libraries()
            from rapidocr import RapidOCR

            detection, recognition = self._models()
            self._engine = RapidOCR(
                params={
                    "Global.log_level": "error",
                    "Global.use_cls": False,  # finds text that stands upside down: not on a screen
                    "Global.max_side_len": 4096,  # lines are cut from the whole picture …
                    "Det.limit_type": "max",
                    "Det.limit_side_len": 1920,  # … and found on a smaller one
                    "Det.model_path": str(detection),  # named, so that it never looks for them on the network
                    "Rec.model_path": str(recognition),
                    # One line at a time is a fifth faster than six padded to the longest, in half the memory.
                    "Rec.rec_batch_num": 1,
                    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                }
            )
        return self._engine

    @staticmethod
    def _models() -> list[Path]:
        spec = importlib.util.find_spec("rapidocr")
        folder = Path(spec.origin).parent / "models" if spec is not None and spec.origin else Path()
        found = [sorted(folder.glob(f"*_{part}_*.onnx")) for part in ("det", "rec")]
        if not all(found):
            raise ConfigError(f"the package rapidocr has no models in {folder}: install rapidocr>=3.10")
        return [models[-1] for models in found]


def _upright(corners: Any) -> Box:
    """The upright box around four corners (4, 2)."""
    left, top = np.min(corners, axis=0)
    right, bottom = np.max(corners, axis=0)
    return round(float(left)), round(float(top)), round(float(right)), round(float(bottom))


class FakeRecogniser:
    """Returns what it was told, one page per call, in order; for tests. The last page is repeated.

    A page is a text, whose lines are laid out 20 pixels apart, or the lines themselves.
    """

    name = "fake"
    languages = frozenset({"en", "zh"})

    def __init__(self, pages: Sequence[str | Sequence[Line]] = ("",)) -> None:
        self._pages = list(pages)
        self.sizes: list[tuple[int, int]] = []  # width and height of every picture that was read

    def read(self, image: Image) -> list[Line]:
        page = self._pages[min(len(self.sizes), len(self._pages) - 1)]
        self.sizes.append(image.size)
        if not isinstance(page, str):
            return list(page)
        return [
            Line(text=text, box=(0, 20 * row, 8 * len(text), 20 * row + 14), confidence=1.0)
            for row, text in enumerate(page.splitlines())
            if text.strip()
        ]


def reading_order(fragments: Iterable[Line]) -> list[Line]:
    """Lines in the order one reads them, fragments of one row joined; then the unsure fragments. Empty ones go."""
    kept = [fragment for fragment in fragments if fragment.text.strip()]
    rows = _ordered_rows([fragment for fragment in kept if fragment.is_sure])
    return [_joined(row) for row in rows] + [fragment for fragment in kept if not fragment.is_sure]


def _ordered_rows(fragments: list[Line]) -> list[list[Line]]:
    gutter = _best_gutter(fragments)
    if gutter is None:
        return _rows(fragments)
    crossing = sorted((line for line in fragments if line.box[0] < gutter < line.box[2]), key=_top)
    beside = [line for line in fragments if not line.box[0] < gutter < line.box[2]]
    # Between two fragments that cross the gutter (headings) lies a region of two columns, or of none.
    result: list[list[Line]] = []
    for bridge in [*crossing, None]:
        region = [line for line in beside if bridge is None or _middle(line) < _middle(bridge)]
        beside = [line for line in beside if bridge is not None and _middle(line) >= _middle(bridge)]
        left = [line for line in region if line.box[2] <= gutter]
        right = [line for line in region if line.box[0] >= gutter]
        if _are_columns(left, right):
            result += _ordered_rows(left) + _ordered_rows(right)
        else:
            result += _rows(region)
        if bridge is not None:
            result.append([bridge])
    return result


def _best_gutter(fragments: Sequence[Line]) -> float | None:
    """The x that most gaps between neighbours on one height share, if its sides are columns."""
    if len(fragments) < 4:
        return None
    events: list[tuple[int, int]] = []
    for line in fragments:
        right_of_it = [other.box[0] for other in fragments if other.box[0] >= line.box[2] and _overlap(line, other) > 0]
        if right_of_it and min(right_of_it) - line.box[2] >= 1.2 * _height(line):
            events += [(line.box[2], 1), (min(right_of_it), -1)]
    events.sort()
    candidates: list[tuple[int, float]] = []
    depth = 0
    for (x, step), (following, _) in pairwise(events):
        depth += step
        if depth >= 2 and following > x:
            candidates.append((depth, (x + following) / 2))
    for _, gutter in sorted(candidates, reverse=True)[:5]:
        left = [line for line in fragments if line.box[2] <= gutter]
        right = [line for line in fragments if line.box[0] >= gutter]
        if _are_columns(left, right):
            return gutter
    return None


def _are_columns(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Whether two sides of a gap are read one after the other, and not row by row."""
    if min(len(left), len(right)) < 2:
        return False
    fewer, more = sorted((left, right), key=len)
    beside = sum(1 for line in fewer if any(_overlap(line, other) > 0.2 for other in more))
    level = sum(1 for line in fewer if any(_is_level(line, other) for other in more))
    if beside < 0.5 * len(fewer):
        return False  # they alternate, as the messages of a chat do
    # Cells of a table stand on the same height and are short; so do lines of prose, but they are long.
    prose = all(median((line.box[2] - line.box[0]) / _height(line) for line in side) >= 10 for side in (left, right))
    return prose or level < 0.8 * len(fewer)


def _rows(fragments: Iterable[Line]) -> list[list[Line]]:
    rows: list[list[Line]] = []
    for fragment in sorted(fragments, key=_middle):
        if rows and _overlap(fragment, rows[-1][0]) >= 0.5:
            rows[-1].append(fragment)
        else:
            rows.append([fragment])
    return [sorted(row, key=lambda line: line.box[0]) for row in rows]


def _joined(row: Sequence[Line]) -> Line:
    """One line from fragments in the order they are read."""
    text = row[0].text
    for left, right in pairwise(row):
        gap = (right.box[0] - left.box[2]) / _height(right)
        if gap > 2:
            text += "  "
        elif not (gap < 0.6 and is_cjk(left.text[-1]) and is_cjk(right.text[0])):
            text += " "
        text += right.text
    lefts, tops, rights, bottoms = zip(*(line.box for line in row), strict=True)
    characters = sum(len(line.text) for line in row)
    return Line(
        text=text,
        box=(min(lefts), min(tops), max(rights), max(bottoms)),
        confidence=sum(line.confidence * len(line.text) for line in row) / characters,
    )


def _top(line: Line) -> int:
    return line.box[1]


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _height(line: Line) -> int:
    return max(line.box[3] - line.box[1], 1)


def _overlap(one: Line, other: Line) -> float:
    """The common part of their heights, as a share of the smaller one: 0..1."""
    common = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    return max(common, 0) / min(_height(one), _height(other))


def _is_level(one: Line, other: Line) -> bool:
    return abs(_middle(one) - _middle(other)) <= 0.3 * min(_height(one), _height(other))
