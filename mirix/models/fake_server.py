"""An OpenAI-compatible server that answers from a script, over real HTTP on this machine: for tests.

    with FakeOpenAI([ServerReply(text="Hello.")]) as server:
        model = make_chat_model("openai:any", base_url=server.base_url)
        ...
    assert server.requests[0].text == "Hi"

What only a real connection can show is tested against it: streaming, retries, broken and missing answers, and what
leaves the machine (every request body is kept). It needs nothing but the standard library, and leaves no thread or
socket behind.
"""

from __future__ import annotations

import base64
import contextlib
import json
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias

EMBEDDING_DIMENSIONS = 64


@dataclass(frozen=True, kw_only=True)
class ServerReply:
    """One answer. The defaults make a good one; each further field spoils it in one way."""

    text: str | None = ""  # the content of the message; None is null, as next to tool calls
    tool_calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()  # (name, arguments); a str is sent as it is
    finish_reason: str | None = None  # None: "stop" or "tool_calls", as fits
    has_usage: bool = True  # False: a server that counts no tokens
    extra: Mapping[str, Any] = field(default_factory=dict)  # further fields of the message, e.g. reasoning_content
    status: int = 200  # anything else is an error in OpenAI's form, with `text` as its message
    headers: Mapping[str, str] = field(default_factory=dict)  # e.g. {"Retry-After": "1"}
    body: bytes | None = None  # sent instead of all of the above
    cut_after: int | None = None  # so many events of a stream, or bytes of a plain body; then the connection closes
    hangs: bool = False  # no answer until the server closes


@dataclass(frozen=True, kw_only=True)
class ServerRequest:
    path: str  # e.g. "/v1/chat/completions"
    headers: Mapping[str, str]  # names in lower case
    raw: bytes  # the whole body
    body: Mapping[str, Any]  # parsed; empty for a GET

    @property
    def is_streaming(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that were offered."""
        return tuple(tool["function"]["name"] for tool in self.body.get("tools", ()))

    @property
    def text(self) -> str:
        """All text of all messages, one part a line."""
        return "\n".join(part["text"] for part in self._parts() if part.get("type") == "text")

    @property
    def images(self) -> tuple[tuple[str, bytes], ...]:
        """(mime type, bytes) of every picture that came as a data URL."""
        urls = [part["image_url"]["url"] for part in self._parts() if part.get("type") == "image_url"]
        return tuple(_from_data_url(url) for url in urls if url.startswith("data:"))

    def _parts(self) -> Iterator[Mapping[str, Any]]:
        for message in self.body.get("messages", ()):
            content = message.get("content") or ""
            yield from [{"type": "text", "text": content}] if isinstance(content, str) else content


Script: TypeAlias = Sequence[ServerReply] | Callable[[ServerRequest], ServerReply]


class FakeOpenAI:
    """The server, as a context manager; it listens from construction on.

    `script` answers chat completions: in order, or as the callable decides (several threads may call it). `embeddings`
    does the same for vectors; without it every text gets a vector of its hash, the same on every machine.

    A request beyond the end of a script, or a script that raises, is answered with status 400, and leaving the `with`
    block raises the AssertionError: a test cannot overlook it.
    """

    def __init__(self, script: Script = (), *, embeddings: Script | None = None) -> None:
        self._scripts: dict[str, Script | None] = {"/v1/chat/completions": script, "/v1/embeddings": embeddings}
        self._answered = dict.fromkeys(self._scripts, 0)
        self._requests: list[ServerRequest] = []
        self._errors: list[Exception] = []
        self._lock = threading.Lock()
        self.closing = threading.Event()  # set when hanging answers are to end
        self._server = _Server(("127.0.0.1", 0), self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def base_url(self) -> str:
        """E.g. `http://127.0.0.1:40123/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def requests(self) -> tuple[ServerRequest, ...]:
        """Everything that was received, in order of arrival, whatever the path."""
        with self._lock:
            return tuple(self._requests)

    @property
    def chat_requests(self) -> tuple[ServerRequest, ...]:
        return tuple(request for request in self.requests if request.path == "/v1/chat/completions")

    def close(self) -> None:
        """Stop listening and wait for all threads. May be called twice."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        if error is None and self._errors:
            raise self._errors[0]

    def answer(self, request: ServerRequest) -> ServerReply:
        """The reply to a request, which is kept. Called by the server's threads."""
        with self._lock:
            self._requests.append(request)
            number = self._answered.get(request.path, 0)
            self._answered[request.path] = number + 1
        if request.path == "/v1/models":
            return ServerReply(body=_json({"object": "list", "data": [{"id": "fake", "object": "model"}]}))
        if request.path not in self._scripts:
            return ServerReply(status=404, text=f"there is nothing at {request.path}")
        script = self._scripts[request.path]
        if script is None:
            return ServerReply(body=_json(_embeddings(request.body)))
        try:
            if callable(script):
                return script(request)
            if number >= len(script):
                raise AssertionError(f"the script has {len(script)} replies, request {number + 1} is beyond its end")
            return script[number]
        except Exception as error:  # noqa: BLE001 - the test's own code; raised again where the test sees it
            with self._lock:
                self._errors.append(error)
            return ServerReply(status=400, text=f"the script failed: {error}")


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], fake: FakeOpenAI) -> None:
        self.fake = fake
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    # HTTP/1.0, the default: every connection ends with its answer, so none is left open behind a test.
    server: _Server

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _handle(self, raw: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = ServerRequest(path=self.path, headers=headers, raw=raw, body=json.loads(raw) if raw else {})
        reply = self.server.fake.answer(request)
        with contextlib.suppress(ConnectionError):  # the client gave up, as some tests want it to
            self._send(request, reply)

    def _send(self, request: ServerRequest, reply: ServerReply) -> None:
        if reply.hangs:
            self.server.fake.closing.wait()
            self.close_connection = True
            return
        if request.is_streaming and reply.body is None and reply.status == 200:
            self._start(reply, "text/event-stream")
            events = list(_events(request, reply))
            for event in events[: reply.cut_after]:
                self.wfile.write(event)
                self.wfile.flush()
            return
        body = _body(request, reply)
        self._start(reply, "application/json", length=len(body))
        self.wfile.write(body[: reply.cut_after])

    def _start(self, reply: ServerReply, content_type: str, *, length: int | None = None) -> None:
        self.send_response(reply.status)
        headers = {"Content-Type": content_type, **reply.headers}
        if length is not None:
            headers["Content-Length"] = str(length)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _body(request: ServerRequest, reply: ServerReply) -> bytes:
    if reply.body is not None:
        return reply.body
    if reply.status != 200:
        return _json({"error": {"message": reply.text, "type": "error", "code": reply.status}})
    message = {"role": "assistant", "content": reply.text, **reply.extra}
    if reply.tool_calls:
        message["tool_calls"] = list(_tool_calls(reply))
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(reply)}
    return _json(_completion(request, "chat.completion", [choice], usage=_usage(request, reply)))


def _events(request: ServerRequest, reply: ServerReply) -> Iterator[bytes]:
    """Server-sent events: the role, the text in two halves, one event per tool call, the reason, the usage, the end."""

    def event(choices: list[Mapping[str, Any]], usage: Mapping[str, int] | None = None) -> bytes:
        return b"data: " + _json(_completion(request, "chat.completion.chunk", choices, usage=usage)) + b"\n\n"

    def delta(value: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
        return event([{"index": 0, "delta": value, "finish_reason": finish_reason}])

    text = reply.text or ""
    yield delta({"role": "assistant", "content": "", **reply.extra})
    for half in (text[: len(text) // 2], text[len(text) // 2 :]):
        if half:
            yield delta({"content": half})
    for index, call in enumerate(_tool_calls(reply)):
        yield delta({"tool_calls": [{"index": index, **call}]})
    yield delta({}, _finish_reason(reply))
    usage = _usage(request, reply)
    if usage is not None and request.body.get("stream_options", {}).get("include_usage"):
        yield event([], usage)
    yield b"data: [DONE]\n\n"


def _completion(
    request: ServerRequest, kind: str, choices: list[Mapping[str, Any]], *, usage: Mapping[str, int] | None
) -> dict[str, Any]:
    model = request.body.get("model", "fake")
    return {"id": "fake-1", "object": kind, "created": 1, "model": model, "choices": choices, "usage": usage}


def _tool_calls(reply: ServerReply) -> Iterator[dict[str, Any]]:
    for number, (name, given) in enumerate(reply.tool_calls, start=1):
        arguments = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        yield {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _finish_reason(reply: ServerReply) -> str:
    return reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")


def _usage(request: ServerRequest, reply: ServerReply) -> dict[str, int] | None:
    if not reply.has_usage:
        return None
    sent, made = len(request.raw) // 4, len(reply.text or "") // 4 + 10 * len(reply.tool_calls)
    return {"prompt_tokens": sent, "completion_tokens": made, "total_tokens": sent + made}


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    given = body["input"]
    texts = [given] if isinstance(given, str) else given
    dimensions = body.get("dimensions", EMBEDDING_DIMENSIONS)
    as_text = body.get("encoding_format") == "base64"
    data = []
    for index, text in enumerate(texts):
        vector = hash_vector(str(text), dimensions)
        packed = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode("ascii")
        data.append({"object": "embedding", "index": index, "embedding": packed if as_text else vector})
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "model": body.get("model", "fake"), "data": data, "usage": usage}


def hash_vector(text: str, dimensions: int = EMBEDDING_DIMENSIONS) -> list[float]:
    """What the server answers for a text: counts of its words by hash, not scaled."""
    vector = [0.0] * dimensions
    for word in text.lower().split() or [""]:
        vector[zlib.crc32(word.encode()) % dimensions] += 1.0
    return vector


def _from_data_url(url: str) -> tuple[str, bytes]:
    head, _, data = url.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), base64.b64decode(data)


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
