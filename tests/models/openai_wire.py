"""OpenAI's chat completions, as OpenAI and those who copy them speak it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mirix.models.fake_server import ServerReply, ServerRequest
from tests.models.profiles import KEY, Asked, Oddity, Profile, Refused, Said, dumps, packed

USAGE = {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}


class OpenAIWire:
    def check(self, request: ServerRequest, profile: Profile, oddity: Oddity) -> None:
        if request.path != profile.path:
            raise Refused(f"there is nothing at {request.path}", status=404)
        if not self.has_key(request):
            raise Refused("Incorrect API key provided", status=401, kind="authentication_error")
        body = request.body
        choice = body.get("tool_choice", "auto")
        if profile.refuses_tool_choice and oddity is Oddity.REASONING and choice != "auto":
            raise Refused(profile.refuses_tool_choice)
        if oddity is Oddity.NO_PARALLEL_CALLS:
            if "parallel_tool_calls" in body:
                raise Refused("Unsupported parameter: 'parallel_tool_calls' is not supported with this model.")
            if any(len(message.get("tool_calls") or ()) > 1 for message in body["messages"]):
                raise Refused("This model only supports single tool-calls at once!")
        self._check_history(request, profile, oddity)

    def has_key(self, request: ServerRequest) -> bool:
        return request.headers.get("authorization") == f"Bearer {KEY}"

    def _check_history(self, request: ServerRequest, profile: Profile, oddity: Oddity) -> None:
        waiting: list[str] = []
        for number, message in enumerate(request.body["messages"]):
            if message["role"] == "tool":
                if message["tool_call_id"] not in waiting:
                    raise Refused(f"no tool call of id {message['tool_call_id']!r} precedes message {number}")
                waiting.remove(message["tool_call_id"])
                continue
            if waiting:
                raise Refused(f"tool calls without results: {waiting}")
            calls = message.get("tool_calls") or ()
            waiting = [call["id"] for call in calls]
            if len(set(waiting)) < len(waiting):
                raise Refused("tool call ids must be unique")
            for call in calls:
                if not isinstance(json.loads(call["function"]["arguments"]), dict):
                    raise Refused("arguments must be an object")
            wanted = profile.wants_reasoning_back if oddity is Oddity.REASONING else None
            # The dots are for thoughts that were lost, and here none are.
            if calls and wanted and message.get(profile.reasoning or "") in (None, "", "…"):
                raise Refused(wanted.format(number))

    def read(self, request: ServerRequest) -> Asked:
        messages = request.body.get("messages", ())
        tools = [tool["function"] for tool in request.body.get("tools", ())]
        # A result is content like any other; only chat messages have parts.
        return Asked(
            tools=tuple(tool["name"] for tool in tools),
            text=request.text,
            results=tuple(message["content"] for message in messages if message["role"] == "tool"),
            schemas=tuple(tool.get("parameters", {}) for tool in tools),
            images=request.images,
            is_streaming=request.is_streaming,
        )

    def write(self, said: Said, request: ServerRequest, profile: Profile, oddity: Oddity) -> ServerReply:
        message = self._message(said, profile, oddity)
        reason = "tool_calls" if message.get("tool_calls") else "stop"
        reason = profile.finish.get(reason, reason)
        if request.is_streaming:
            events = [dumps(event) for event in self._events(message, reason, profile)]
            body = "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"])
            return ServerReply(body=body.encode(), headers={"Content-Type": "text/event-stream"})
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {} if profile.usage == "none" else {"usage": USAGE}
        return ServerReply(body=dumps({**_envelope("chat.completion"), "choices": [choice], **usage}).encode())

    def _message(self, said: Said, profile: Profile, oddity: Oddity) -> dict[str, Any]:
        content: Any = said.text or profile.empty
        message: dict[str, Any] = {"role": "assistant"}
        calls = list(said.calls)
        if oddity is Oddity.TEXT_CALL and calls:
            content, calls = profile.marks(calls), []
        if oddity in (Oddity.REASONING, Oddity.EMPTY) and said.thoughts:
            if profile.reasoning in ("reasoning_content", "reasoning"):
                message[profile.reasoning] = said.thoughts
            elif profile.reasoning == "tags":
                content = f"<think>\n{said.thoughts} {{not}} a call\n</think>\n\n{content or ''}"
        message["content"] = content
        if calls:
            message["tool_calls"] = [
                {
                    "id": profile.identity(name, number),
                    "type": "function",
                    "function": {
                        "name": name,
                        "arguments": packed(given, profile.packing) if oddity is Oddity.PACKED else dumps(given),
                    },
                }
                for number, (name, given) in enumerate(calls)
            ]
            if oddity is Oddity.PACKED and profile.packing == "nested":
                for call in message["tool_calls"]:
                    call["function"]["arguments"] = dumps(call["function"]["arguments"])
        return message

    def _events(self, message: dict[str, Any], reason: str, profile: Profile) -> Iterator[dict[str, Any]]:
        def event(delta: dict[str, Any], finish: str | None = None, **more: Any) -> dict[str, Any]:
            choice = {"index": 0, "delta": delta, "finish_reason": finish} | more.pop("choice", {})
            return {**_envelope("chat.completion.chunk"), "choices": [choice], **more}

        yield event({"role": "assistant", "content": profile.empty if isinstance(profile.empty, str) else ""})
        if profile.reasoning in message:
            for piece in _pieces(message[profile.reasoning or ""]):
                yield event({profile.reasoning: piece, "content": None})
        content = message.get("content")
        text = "".join(part["text"] for part in content) if isinstance(content, list) else content or ""
        for piece in _pieces(text):
            yield event({"content": piece})
        for number, call in enumerate(message.get("tool_calls", ())):
            index = {} if profile.indexes(number) is None else {"index": profile.indexes(number)}
            arguments = call["function"]["arguments"]
            pieces = _pieces(arguments if isinstance(arguments, str) else dumps(arguments))
            for first, piece in enumerate(pieces):
                known = {"name": call["function"]["name"]} if first == 0 else {}
                identity = {"id": call["id"], "type": "function"} if first == 0 else {}
                yield event({"tool_calls": [{**index, **identity, "function": {**known, "arguments": piece}}]})
        with_reason: dict[str, Any] = {"reason": {"usage": USAGE}, "choice": {"choice": {"usage": USAGE}}}
        yield event({}, reason, **with_reason.get(profile.usage, {}))
        if profile.usage == "last":
            yield {**_envelope("chat.completion.chunk"), "choices": [], "usage": USAGE}

    def error(self, refused: Refused) -> ServerReply:
        error = {"message": str(refused), "type": refused.kind, "param": None, "code": None}
        return ServerReply(status=refused.status, body=dumps({"error": error}).encode())


class AzureWire(OpenAIWire):
    """The same at a deployment's own path, with the key in a header of its own, and a filter's results in between."""

    def has_key(self, request: ServerRequest) -> bool:
        return request.headers.get("api-key") == KEY

    def _events(self, message: dict[str, Any], reason: str, profile: Profile) -> Iterator[dict[str, Any]]:
        results = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}]
        yield {**_envelope(""), "model": "", "choices": [], "prompt_filter_results": results}
        yield from super()._events(message, reason, profile)


class BareErrorWire(OpenAIWire):
    """vLLM: the error is the whole body."""

    def error(self, refused: Refused) -> ServerReply:
        body = {"object": "error", "message": str(refused), "type": "BadRequestError", "code": refused.status}
        return ServerReply(status=refused.status, body=dumps(body).encode())


def _envelope(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "any", "system_fingerprint": None}


def _pieces(text: str) -> list[str]:
    """The text as it comes: in thirds, so that every mark is cut somewhere."""
    third = max(len(text) // 3, 1)
    return [text[start : start + third] for start in range(0, len(text), third)]
