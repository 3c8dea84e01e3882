"""Sentence vectors of the English examples, computed once and shipped beside them (`example_vectors.npy`).

Embedding a few hundred sentences takes seconds, which would delay the very first memory. The file holds the vectors
of one embedder (minilm); it is used only when the embedder at hand gives the same vector for a probe and the
examples are unchanged, else they are embedded at load. Written by `python -m mirix.models.builtin.vectors`.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EmbedTexts = Callable[[Sequence[str]], NDArray[np.float32]]
_FILE = "example_vectors.npy"
_DIGEST_ROW = 16  # bytes of the digest, kept as the first row


def example_vectors(texts: Sequence[str], embed: EmbedTexts) -> NDArray[np.float64]:
    """(len(texts), dimensions), rows unit length: from the file when it fits, else embedded now."""
    stored = _stored(texts)
    if stored is not None and texts:
        probe = np.asarray(embed(texts[:1]), dtype=np.float64)
        if probe.shape[1] == stored.shape[1] and float(probe[0] @ stored[0]) > 0.999:
            return stored
    return np.asarray(embed(texts), dtype=np.float64)


def _stored(texts: Sequence[str]) -> NDArray[np.float64] | None:
    place = resources.files(__package__).joinpath(_FILE)
    if not place.is_file():
        return None
    with resources.as_file(place) as path:
        rows = np.load(path, allow_pickle=False)
    if len(rows) != len(texts) + 1 or not np.array_equal(rows[0, :_DIGEST_ROW], _digest(texts)):
        return None
    vectors = rows[1:].astype(np.float64)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _digest(texts: Sequence[str]) -> NDArray[np.float16]:
    digest = hashlib.sha256("\n".join(texts).encode()).digest()[:_DIGEST_ROW]
    return np.frombuffer(digest, dtype=np.uint8).astype(np.float16)


def _write() -> None:
    from mirix.models.builtin.nearest import english_texts, load_examples
    from mirix.models.embed import make_embedder

    texts = english_texts([example.text for example in load_examples()])
    with tempfile.TemporaryDirectory() as folder:
        embedder = make_embedder("minilm", cache_dir=Path(folder), required=True)
        assert embedder is not None
        vectors = embedder.embed(texts).astype(np.float16)
    first = np.zeros((1, vectors.shape[1]), dtype=np.float16)
    first[0, :_DIGEST_ROW] = _digest(texts)
    np.save(Path(__file__).with_name(_FILE), np.vstack([first, vectors]))


if __name__ == "__main__":
    _write()
