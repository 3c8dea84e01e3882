"""What is known of eleven providers' wires, as servers on this machine: paths, keys, shapes of answers, refusals.

    Profile          what is particular to one provider, as data
    ProviderServer   answers as it would: a script says what the model means (`Said`), the wire says how that looks

Three protocols are spoken (`openai_wire.py`, `anthropic_wire.py`, `gemini_wire.py`). A server refuses what the real one
refuses: wrong path or key, a history that does not fit together, thoughts that are not given back.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeAlias

from mirix.models.fake_server import FakeOpenAI, ServerReply, ServerRequest

KEY = "key-of-nobody"
Call: TypeAlias = tuple[str, Mapping[str, Any]]  # name, arguments


class Oddity(StrEnum):
    """What a model or its server gets wrong."""

    NONE = "none"
    TEXT_CALL = "tool call as text"
    REASONING = "reasoning field"
    NO_STRICT_SCHEMA = "no strict schema"
    NO_PARALLEL_CALLS = "no parallel calls"
    EMPTY = "empty content"
    PACKED = "arguments string in string"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the model means to say."""

    text: str = ""
    calls: Sequence[Call] = ()
    thoughts: str = ""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request, whatever its protocol."""

    tools: tuple[str, ...]
    text: str  # of all messages
    results: tuple[str, ...]  # of tool calls
    schemas: tuple[Any, ...]  # of the tools' arguments
    images: tuple[tuple[str, bytes], ...]
    is_streaming: bool


class Refused(Exception):
    """The server's own words for a request it does not take."""

    def __init__(self, message: str, *, status: int = 400, kind: str = "invalid_request_error") -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


class Wire(Protocol):
    """A protocol."""

    def check(self, request: ServerRequest, profile: Profile, oddity: Oddity) -> None:
        """Raises Refused for what the provider does not take."""

    def read(self, request: ServerRequest) -> Asked: ...

    def write(self, said: Said, request: ServerRequest, profile: Profile, oddity: Oddity) -> ServerReply:
        """What the model said, in the provider's shape, plain or as a stream."""

    def error(self, refused: Refused) -> ServerReply: ...


@dataclass(frozen=True, kw_only=True)
class Profile:
    name: str
    wire: Wire
    setting: str  # MIRIX_CHAT_MODEL
    base: str  # path of MIRIX_MODEL_BASE_URL
    path: str  # where requests arrive, with the query
    marks: Callable[[Sequence[Call]], str]  # how its models write calls as text
    reasoning: str | None = "reasoning_content"  # the field, or the kind of block
    wants_reasoning_back: str | None = None  # its words where the thoughts of a call are missing
    refuses_tool_choice: str | None = None  # its words for a tool that is forced
    calls_once_unless_asked: bool = False  # several calls come only with parallel_tool_calls
    empty: Any = None  # its content where there is none
    packing: str = "twice"  # arguments: "twice" packed, an "object", or "nested" lists as strings
    identity: Callable[[str, int], str | None] = lambda name, number: f"call_{number}"
    indexes: Callable[[int], int | None] = lambda number: number  # of calls in a stream
    usage: str = "last"  # in a stream: in a "last" event, with the "reason", in its "choice", or "none"
    finish: Mapping[str, str] = field(default_factory=dict)  # its words for "stop" and "tool_calls"
    is_error_bare: bool = False  # the error without an object around it


class ProviderServer(FakeOpenAI):
    """One provider with one oddity. `script` says what the model means, by what it is asked."""

    def __init__(self, profile: Profile, script: Callable[[Asked], Said], oddity: Oddity = Oddity.NONE) -> None:
        self._profile, self._means, self._oddity = profile, script, oddity
        self._seen: Counter[str] = Counter()
        super().__init__()

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/v1") + self._profile.base

    @property
    def asked(self) -> list[Asked]:
        return [self._profile.wire.read(request) for request in self.requests]

    def answer(self, request: ServerRequest) -> ServerReply:
        profile, wire = self._profile, self._profile.wire
        with self._lock:
            self._requests.append(request)
        try:
            wire.check(request, profile, self._oddity)
            asked = wire.read(request)
            if self._oddity is Oddity.NO_STRICT_SCHEMA:
                check_schemas(asked.schemas)
            said = self._said(asked)
            if profile.calls_once_unless_asked and not request.body.get("parallel_tool_calls"):
                said = Said(text=said.text, calls=said.calls[:1], thoughts=said.thoughts)
            return wire.write(said, request, profile, self._oddity)
        except Refused as refused:
            return wire.error(refused)
        except Exception as error:  # noqa: BLE001 - the test's own code; raised again where the test sees it
            with self._lock:
                self._errors.append(error)
            return ServerReply(status=400, text=f"the script failed: {error}")

    def _said(self, asked: Asked) -> Said:
        said = self._means(asked)
        if self._oddity is Oddity.EMPTY:
            with self._lock:
                self._seen[asked.tools[0] if asked.tools else ""] += 1
                if self._seen[asked.tools[0] if asked.tools else ""] == 1:
                    return Said(thoughts="What was I asked?")
        return said


# ---- what servers refuse of schemas

REFUSED_KEYWORDS = {"strict", "$schema", "$defs", "$ref", "additionalProperties", "anyOf", "oneOf", "allOf", "const"}
REFUSED_KEYWORDS |= {"default", "format", "title", "pattern", "minLength", "maxLength", "minItems", "maxItems"}


def check_schemas(schema: Any) -> None:
    """Raises Refused for a keyword that not every server knows."""
    if isinstance(schema, Mapping):
        unknown = REFUSED_KEYWORDS & schema.keys()
        if unknown:
            raise Refused(f"Invalid JSON payload received. Unknown name {min(unknown)!r}")
        if schema.get("type") == "object" and not isinstance(schema.get("properties"), Mapping):
            raise Refused("object schemas need properties")
        for key, value in schema.items():
            check_schemas(list(value.values()) if key == "properties" else value)
    elif isinstance(schema, list | tuple):
        for part in schema:
            check_schemas(part)


# ---- how models write calls


def dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def packed(arguments: Mapping[str, Any], way: str) -> Any:
    """Arguments as a model that packs them wrongly gives them."""
    nested = {key: dumps(value) if isinstance(value, list | dict) else value for key, value in arguments.items()}
    return {"twice": dumps(dumps(arguments)), "object": arguments, "nested": nested}[way]


def in_json(calls: Sequence[Call]) -> str:
    return "\n".join(dumps({"name": name, "parameters": arguments}) for name, arguments in calls)


def in_fence(calls: Sequence[Call]) -> str:
    each = [dumps({"name": name, "arguments": arguments}) for name, arguments in calls]
    return "I will do that.\n" + "\n".join(f"```json\n{call}\n```" for call in each)


def in_hermes_tags(calls: Sequence[Call]) -> str:
    each = (dumps({"name": name, "arguments": arguments}) for name, arguments in calls)
    return "\n".join(f"<tool_call>\n{call}\n</tool_call>" for call in each)


def in_mistral_marks(calls: Sequence[Call]) -> str:
    return "".join(f"[TOOL_CALLS]{name}[ARGS]{dumps(arguments)}" for name, arguments in calls)


def in_function_tags(calls: Sequence[Call]) -> str:
    return "\n".join(f"<function={name}>{dumps(arguments)}</function>" for name, arguments in calls)


def in_coder_tags(calls: Sequence[Call]) -> str:
    return "\n".join(
        f"<tool_call>\n<function={name}>\n"
        + "".join(f"<parameter={key}>\n{_bare(value)}\n</parameter>\n" for key, value in arguments.items())
        + "</function>\n</tool_call>"
        for name, arguments in calls
    )


def in_deepseek_marks(calls: Sequence[Call]) -> str:
    each = (f"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{dumps(args)}<｜tool▁call▁end｜>" for name, args in calls)
    return f"<｜tool▁calls▁begin｜>{''.join(each)}<｜tool▁calls▁end｜>"


def in_old_deepseek_marks(calls: Sequence[Call]) -> str:
    each = (
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{dumps(arguments)}\n```<｜tool▁call▁end｜>"
        for name, arguments in calls
    )
    return "<｜tool▁calls▁begin｜>" + "\n".join(each) + "<｜tool▁calls▁end｜>"


def in_dsml(calls: Sequence[Call]) -> str:
    inner = _invoked(calls, "｜DSML｜", ' string="{}"')
    return f"<｜DSML｜function_calls>\n{inner}\n</｜DSML｜function_calls>"


def in_anthropic_tags(calls: Sequence[Call]) -> str:
    return f"<function_calls>\n{_invoked(calls, '', '')}\n</function_calls>"


def _invoked(calls: Sequence[Call], mark: str, attribute: str) -> str:
    return "\n".join(
        f'<{mark}invoke name="{name}">\n'
        + "".join(
            f'<{mark}parameter name="{key}"{attribute.format(str(isinstance(value, str)).lower())}>{_bare(value)}'
            f"</{mark}parameter>\n"
            for key, value in arguments.items()
        )
        + f"</{mark}invoke>"
        for name, arguments in calls
    )


def in_kimi_marks(calls: Sequence[Call]) -> str:
    each = (
        f"<|tool_call_begin|>functions.{name}:{number}<|tool_call_argument_begin|>{dumps(arguments)}<|tool_call_end|>"
        for number, (name, arguments) in enumerate(calls)
    )
    return f"<|tool_calls_section_begin|>{''.join(each)}<|tool_calls_section_end|>"


def in_glm_tags(calls: Sequence[Call]) -> str:
    return "\n".join(
        f"<tool_call>{name}\n"
        + "".join(f"<arg_key>{key}</arg_key>\n<arg_value>{_bare(value)}</arg_value>\n" for key, value in args.items())
        + "</tool_call>"
        for name, args in calls
    )


def in_python(calls: Sequence[Call]) -> str:
    each = (f"{name}({', '.join(f'{key}={value!r}' for key, value in args.items())})" for name, args in calls)
    return "```tool_code\n" + "\n".join(f"print(default_api.{call})" for call in each) + "\n```"


def in_python_list(calls: Sequence[Call]) -> str:
    each = (f"{name}({', '.join(f'{key}={value!r}' for key, value in args.items())})" for name, args in calls)
    return f"[{', '.join(each)}]"


def _bare(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)
