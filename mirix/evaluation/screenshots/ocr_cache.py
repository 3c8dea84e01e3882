"""Recognised lines kept in a file, so that the same pictures need reading once: for repeated runs, and for tests."""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from PIL.Image import Image

from mirix.errors import ModelError
from mirix.models.ocr import Line, TextRecogniser


class CachedRecogniser:
    """A recogniser that remembers. Without one behind it, it knows the pictures of its file and no others."""

    def __init__(self, path: Path, recogniser: TextRecogniser | None) -> None:
        self._path = path
        self._recogniser = recogniser
        self._known: dict[str, list[Line]] = {}
        self._writing = Lock()
        if path.exists():
            for row in map(json.loads, path.read_text(encoding="utf-8").splitlines()):
                self._known[row["picture"]] = [
                    Line(text=text, box=(box[0], box[1], box[2], box[3]), confidence=confidence)
                    for text, box, confidence in row["lines"]
                ]
        self.name = recogniser.name if recogniser else "remembered"
        self.languages = recogniser.languages if recogniser else frozenset({"en", "zh"})

    def read(self, image: Image) -> list[Line]:
        """As the recogniser behind it. Raises ModelError for a picture that nobody has read."""
        size = f"{image.width}x{image.height}".encode()
        key = blake2b(image.convert("RGB").tobytes(), digest_size=12, key=size).hexdigest()
        if key not in self._known:
            if self._recogniser is None:
                raise ModelError(f"this picture is not in {self._path}, and no text recogniser is there to read it")
            self._known[key] = self._recogniser.read(image)
            row = {"picture": key, "lines": [[line.text, line.box, line.confidence] for line in self._known[key]]}
            with self._writing, self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        return self._known[key]
