"""Gemini's own REST protocol: generateContent and streamGenerateContent."""

from __future__ import annotations

import base64
from typing import Any

from mirix.models.fake_server import ServerReply, ServerRequest
from tests.models.profiles import KEY, Asked, Oddity, Profile, Refused, Said, check_schemas, dumps, packed

SIGNATURE = base64.b64encode(b"signed").decode()


class GeminiWire:
    def check(self, request: ServerRequest, profile: Profile, oddity: Oddity) -> None:
        if request.path not in (profile.path, profile.path.replace(":generate", ":streamGenerate") + "?alt=sse"):
            raise Refused(f"{request.path} is not found", status=404, kind="NOT_FOUND")
        if request.headers.get("x-goog-api-key") != KEY:
            raise Refused("API key not valid", status=400, kind="INVALID_ARGUMENT")
        check_schemas(_declarations(request))  # at all times: it knows no others
        before: list[str] = []
        for content in request.body["contents"]:
            parts = content["parts"]
            results = [part["functionResponse"]["name"] for part in parts if "functionResponse" in part]
            if results != before:
                raise Refused("the number of function response parts must equal that of function call parts")
            calls = [part for part in parts if "functionCall" in part]
            before = [part["functionCall"]["name"] for part in calls]
            if calls and oddity is Oddity.REASONING and not calls[0].get("thoughtSignature"):
                raise Refused("Function call is missing a thought_signature in functionCall parts")

    def read(self, request: ServerRequest) -> Asked:
        system = request.body.get("systemInstruction") or {}
        contents = [system, *request.body.get("contents", ())]
        parts = [part for content in contents for part in content.get("parts", ())]
        declared = _declarations(request)
        return Asked(
            tools=tuple(function["name"] for function in declared),
            text="\n".join(part["text"] for part in parts if "text" in part),
            results=tuple(dumps(part["functionResponse"]) for part in parts if "functionResponse" in part),
            schemas=tuple(function.get("parameters", {}) for function in declared),
            images=tuple(
                (_mime(part["inlineData"]), _decoded(part["inlineData"]["data"]))
                for part in parts
                if "inlineData" in part
            ),
            is_streaming=":streamGenerateContent" in request.path,
        )

    def write(self, said: Said, request: ServerRequest, profile: Profile, oddity: Oddity) -> ServerReply:
        parts: list[dict[str, Any]] = []
        calls = list(said.calls)
        if oddity is Oddity.REASONING:
            parts.append({"text": said.thoughts, "thought": True})
        text = profile.marks(calls) if oddity is Oddity.TEXT_CALL and calls else said.text
        parts += [{"text": text}] if text else []
        for number, (name, given) in enumerate(() if oddity is Oddity.TEXT_CALL else calls):
            arguments = packed(given, profile.packing) if oddity is Oddity.PACKED else given
            signed = {"thoughtSignature": SIGNATURE} if oddity is Oddity.REASONING and number == 0 else {}
            parts.append({"functionCall": {"name": name, "args": arguments}, **signed})
        # Where it makes a call it cannot read itself, there are no parts at all.
        content = {"role": "model", "parts": parts} if parts else {}
        reason = "STOP" if parts else "MALFORMED_FUNCTION_CALL"
        if ":streamGenerateContent" not in request.path:
            return ServerReply(body=dumps(_answer(content, reason)).encode())
        halves = [{"role": "model", "parts": [part]} for part in parts]
        events = [
            *(_answer(half, None) for half in halves),
            _answer({"role": "model", "parts": [{"text": ""}]}, reason),
        ]
        body = "".join(f"data: {dumps(event)}\r\n\r\n" for event in events)
        return ServerReply(body=body.encode(), headers={"Content-Type": "text/event-stream"})

    def error(self, refused: Refused) -> ServerReply:
        status = {401: "UNAUTHENTICATED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
        kind = status.get(refused.status, "INVALID_ARGUMENT")
        body = {"error": {"code": refused.status, "message": str(refused), "status": kind}}
        return ServerReply(status=refused.status, body=dumps(body).encode())


def _declarations(request: ServerRequest) -> list[Any]:
    """With the types of schemas in lower case: it takes both."""
    tools = request.body.get("tools") or ()
    return [_lower(function) for tool in tools for function in tool.get("functionDeclarations", ())]


def _lower(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: each.lower() if key == "type" and isinstance(each, str) else _lower(each)
            for key, each in value.items()
        }
    return [_lower(each) for each in value] if isinstance(value, list) else value


def _answer(content: dict[str, Any], reason: str | None) -> dict[str, Any]:
    candidate = {"content": content, "index": 0} | ({"finishReason": reason} if reason else {})
    usage = {"promptTokenCount": 120, "candidatesTokenCount": 30, "totalTokenCount": 150}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "any", "responseId": "1"}


def _decoded(data: str) -> bytes:
    return base64.urlsafe_b64decode(data) if set("-_") & set(data) else base64.b64decode(data)


def _mime(data: dict[str, str]) -> str:
    """By either name: it takes both."""
    return data.get("mimeType") or data["mime_type"]
