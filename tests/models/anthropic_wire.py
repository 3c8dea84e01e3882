"""Anthropic's Messages API, plain and streamed."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

from mirix.models.fake_server import ServerReply, ServerRequest
from tests.models.profiles import KEY, Asked, Oddity, Profile, Refused, Said, dumps, packed

SIGNATURE = "c2lnbmVk"


class AnthropicWire:
    def check(self, request: ServerRequest, profile: Profile, oddity: Oddity) -> None:
        if request.path != profile.path:
            raise Refused("not found", status=404, kind="not_found_error")
        if KEY not in (request.headers.get("x-api-key"), request.headers.get("authorization", "").split(" ")[-1]):
            raise Refused("invalid x-api-key", status=401, kind="authentication_error")
        if "anthropic-version" not in request.headers or not request.body.get("max_tokens"):
            raise Refused("anthropic-version and max_tokens are required")
        choice = request.body.get("tool_choice") or {}
        if profile.refuses_tool_choice and oddity is Oddity.REASONING and choice.get("type") in ("any", "tool"):
            raise Refused(profile.refuses_tool_choice)
        waiting: set[str] = set()
        for message in request.body["messages"]:
            if message["role"] not in ("user", "assistant"):
                raise Refused(f"messages: Unexpected role {message['role']!r}")
            blocks = [] if isinstance(message["content"], str) else message["content"]
            results = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
            if results != waiting:
                raise Refused("`tool_use` ids were found without `tool_result` blocks immediately after")
            waiting = {block["id"] for block in blocks if block["type"] == "tool_use"}
            thoughts = [block for block in blocks if block["type"] == "thinking"]
            if waiting and oddity is Oddity.REASONING and [each["signature"] for each in thoughts] != [SIGNATURE]:
                raise Refused("Expected `thinking` or `redacted_thinking`, but found `tool_use`")

    def read(self, request: ServerRequest) -> Asked:
        blocks = [*_blocks(request.body.get("system"))]
        for message in request.body.get("messages", ()):
            blocks += _blocks(message["content"])
        tools = request.body.get("tools", ())
        return Asked(
            tools=tuple(tool["name"] for tool in tools),
            text="\n".join(block["text"] for block in blocks if block["type"] == "text"),
            results=tuple(str(block["content"]) for block in blocks if block["type"] == "tool_result"),
            schemas=tuple(tool["input_schema"] for tool in tools),
            images=tuple(
                (block["source"]["media_type"], base64.b64decode(block["source"]["data"]))
                for block in blocks
                if block["type"] == "image"
            ),
            is_streaming=request.is_streaming,
        )

    def write(self, said: Said, request: ServerRequest, profile: Profile, oddity: Oddity) -> ServerReply:
        blocks: list[dict[str, Any]] = []
        calls = list(said.calls)
        if oddity is Oddity.REASONING:
            blocks.append({"type": "thinking", "thinking": said.thoughts, "signature": SIGNATURE})
        text = profile.marks(calls) if oddity is Oddity.TEXT_CALL and calls else said.text
        blocks += [{"type": "text", "text": text}] if text else []
        for number, (name, given) in enumerate(() if oddity is Oddity.TEXT_CALL else calls):
            arguments = packed(given, profile.packing) if oddity is Oddity.PACKED else given
            blocks.append({"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": arguments})
        reason = "tool_use" if blocks and blocks[-1]["type"] == "tool_use" else "end_turn"
        if not request.is_streaming:
            whole = {**_envelope(), "content": blocks, "stop_reason": reason, "usage": _usage(30)}
            return ServerReply(body=dumps(whole).encode())
        body = "".join(f"event: {event['type']}\ndata: {dumps(event)}\n\n" for event in _events(blocks, reason))
        return ServerReply(body=body.encode(), headers={"Content-Type": "text/event-stream"})

    def error(self, refused: Refused) -> ServerReply:
        body = {"type": "error", "error": {"type": refused.kind, "message": str(refused)}, "request_id": "req_1"}
        return ServerReply(status=refused.status, body=dumps(body).encode())


def _blocks(content: Any) -> list[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())


def _envelope() -> dict[str, Any]:
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "any", "stop_sequence": None}


def _usage(output: int) -> dict[str, int]:
    return {"input_tokens": 120, "output_tokens": output}


def _events(blocks: list[dict[str, Any]], reason: str) -> Iterator[dict[str, Any]]:
    start = {**_envelope(), "content": [], "stop_reason": None, "usage": _usage(1)}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, block in enumerate(blocks):
        empty = {"text": "", "thinking": "", "signature": ""}
        begin = block | {key: value for key, value in empty.items() if key in block}
        begin |= {"input": {}} if block["type"] == "tool_use" else {}
        yield {"type": "content_block_start", "index": index, "content_block": begin}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": _usage(30)}
    yield {"type": "message_stop"}


def _deltas(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if block["type"] == "text":
        half = len(block["text"]) // 2
        yield from ({"type": "text_delta", "text": piece} for piece in (block["text"][:half], block["text"][half:]))
    elif block["type"] == "thinking":
        yield {"type": "thinking_delta", "thinking": block["thinking"]}
        yield {"type": "signature_delta", "signature": block["signature"]}
    else:
        given = dumps(block["input"])
        pieces = ("", given[: len(given) // 2], given[len(given) // 2 :])
        yield from ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
