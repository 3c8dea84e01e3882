"""The tools that memory managers call, as data: a call is validated and becomes operations; nothing is written here.

Each memory has an item (what a manager may write of it); the verbs are the same for all: insert, update (it was wrong),
supersede (the world changed), merge, delete. Core memory has lines instead of items, so its verbs read append and
rewrite. Descriptions are prompt text: they are written for the model and the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    create_model,
)

from mirix.errors import OperationError
from mirix.memory.procedural import EntryType
from mirix.memory.record import MemoryKind
from mirix.memory.semantic import SemanticKind
from mirix.models.reply import ToolCall

Verb = Literal["insert", "update", "supersede", "merge", "delete"]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a manager proposes. Handles are those of one call: `e…` for messages, others for memories."""

    verb: Verb
    kind: MemoryKind
    targets: tuple[str, ...] = ()  # handles of existing memories
    items: tuple[Mapping[str, Any], ...] = ()  # columns of the new memories, or the changed ones of an update
    messages: tuple[str, ...] = ()  # handles of the evidence it rests on; empty: all that was shown
    valid_from: datetime | None = None  # since when the new value holds
    reason: str | None = None


def _aware(value: Any, info: ValidationInfo) -> Any:
    """ISO 8601, or a date alone; without an offset it is the user's local time."""
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"{value!r} is not an ISO 8601 time such as 2026-11-06T15:00:00+01:00 or a date") from None
    if not 1000 <= moment.year <= 3000:
        raise ValueError(f"{value!r} is not a time to remember: years from 1000 to 3000 are taken")
    zone: ZoneInfo = (info.context or {}).get("zone", ZoneInfo("UTC"))
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _on_one_line(value: Any) -> Any:
    return " ".join(value.split()) if isinstance(value, str) else value


When = Annotated[datetime, BeforeValidator(_aware)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
Line = Annotated[str, Field(min_length=1, max_length=1_000), BeforeValidator(_on_one_line)]
Name = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_on_one_line)]  # is indexed as a whole
Handles = Annotated[
    list[str], Field(description='handles of the messages it rests on, e.g. ["e1"]; left out: all shown')
]
_Keywords = Annotated[list[str], Field(description="search words that stand nowhere else in it")]
_TreePath = Annotated[list[str], Field(description='a path to sort it under, e.g. ["work", "atlas"]')]


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Item(_Arguments):
    """What every memory may carry."""

    memory_kind: ClassVar[MemoryKind]
    keywords: _Keywords = []
    tree_path: _TreePath = []
    messages: Handles = []


class CoreLine(_Arguments):
    label: Name = Field(
        description="human: facts about the user; persona: how the assistant behaves; or a block of the user's own"
    )
    line: Line = Field(description="one fact, on one line")
    messages: Handles = []


class EpisodicItem(Item):
    memory_kind = MemoryKind.EPISODIC
    summary: Line = Field(description="what happened or is planned, on one line")
    details: Text = Field(description="what the summary leaves out: names, places, figures, absolute dates")
    event_type: Line = Field(default="event", description="one word, e.g. meeting, trip, purchase, work, health")
    actor: Line = Field(default="user", description="who did it: user, assistant or a name")
    outcome: str | None = Field(default=None, description="how it ended, if that stands nowhere else")
    occurred_at: When = Field(description="when it happened or will happen: ISO 8601, or a date for that whole day")
    occurred_until: When | None = Field(default=None, description="when it ended, exclusive: the day after the last")


class SemanticItem(Item):
    memory_kind = MemoryKind.SEMANTIC
    name: Name = Field(description="what or whom it is about")
    kind: SemanticKind
    summary: Line = Field(description="what it is, on one line")
    details: Text = Field(description="all else that is known of it")


class ProceduralItem(Item):
    memory_kind = MemoryKind.PROCEDURAL
    entry_type: EntryType
    summary: Line = Field(description="what it is good for, when and how often, on one line")
    steps: list[Text] = Field(min_length=1, description="every step, in order, unshortened")


class ResourceItem(Item):
    memory_kind = MemoryKind.RESOURCE
    title: Line = Field(description="what one would call the document")
    resource_type: Line = Field(default="document", description="e.g. letter, mail, article, notes, recipe, code")
    summary: Line = Field(description="what it says, on one line; its text is copied from the messages word for word")


class VaultItem(Item):
    memory_kind = MemoryKind.VAULT
    entry_type: Literal["credential", "api_key", "contact_info", "bookmark", "account", "other"]
    summary: Line = Field(
        alias="caption", description="what the value is, without the value, e.g. phone number of the movers"
    )
    sensitivity: Literal["low", "medium", "high"] = Field(
        description="high: passwords, codes, keys, card, bank, identity numbers; medium: contacts, bookings; low: links"
    )
    value: Text = Field(description="the value, character for character")


ITEMS: dict[MemoryKind, type[Item]] = {
    item.memory_kind: item for item in (EpisodicItem, SemanticItem, ProceduralItem, ResourceItem, VaultItem)
}


def _terse(schema: Any) -> Any:
    """A JSON schema without the titles that pydantic repeats from the names: they cost tokens and say nothing."""
    if isinstance(schema, list):
        return [_terse(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _terse(each) for name, each in value.items()} if key == "properties" else _terse(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
    }


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A tool as a model sees it, and what its calls mean."""

    name: str
    description: str
    arguments: type[BaseModel] = field(repr=False)
    operations: Callable[[Any], list[Operation]] = field(repr=False)

    def schema(self) -> dict[str, Any]:
        """The tool in OpenAI's form."""
        parameters = _terse(self.arguments.model_json_schema())
        parameters.pop("description", None)
        tool = {"name": self.name, "description": self.description, "parameters": parameters}
        return convert_to_openai_tool({"type": "function", "function": tool})

    def read(self, call: ToolCall, zone: ZoneInfo) -> list[Operation]:
        """The operations a call asks for. Raises OperationError, in words for the model, when it cannot be taken."""
        if call.error:
            raise OperationError(call.error)
        try:
            arguments = self.arguments.model_validate(dict(call.arguments), context={"zone": zone})
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:5]]
            raise OperationError(f"{self.name}: " + "; ".join(problems)) from None
        return self.operations(arguments)


def _columns(item: BaseModel, *, only_set: bool = False) -> dict[str, Any]:
    """An item as columns; a date alone as time of an event means that whole day."""
    values = item.model_dump(exclude={"messages"}, exclude_unset=only_set)
    start, end = values.get("occurred_at"), values.get("occurred_until")
    if start and end is None and start == start.replace(hour=0, minute=0, second=0, microsecond=0):
        values["occurred_until"] = start + timedelta(days=1)
    if start and end and end <= start:
        values["occurred_until"] = None
    return values


def _insert_tool(kind: MemoryKind, item: type[Item]) -> Tool:
    arguments = create_model("Insert", __base__=_Arguments, items=(list[item], Field(min_length=1)))  # type: ignore[valid-type]

    def operations(given: Any) -> list[Operation]:
        return [
            Operation(verb="insert", kind=kind, items=(_columns(one),), messages=tuple(one.messages))
            for one in given.items
        ]

    return Tool(
        name=f"{kind.table}_insert",
        description=f"File new memories in {kind.table}, as many items as there are.",
        arguments=arguments,
        operations=operations,
    )


def _update_tool(kind: MemoryKind, item: type[Item]) -> Tool:
    optional: dict[str, Any] = {
        name: (
            (Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation) | None,  # type: ignore[operator]
            Field(default=None, alias=info.alias, description=info.description),
        )
        for name, info in item.model_fields.items()
        if name != "messages"
    }
    changes = create_model("Changes", __base__=_Arguments, **optional)
    arguments = create_model(
        "Update", __base__=_Arguments, memory=(str, ...), changes=(changes, ...), messages=(Handles, [])
    )

    def operations(given: Any) -> list[Operation]:
        values = {name: value for name, value in _columns(given.changes, only_set=True).items() if value is not None}
        if not values:
            raise OperationError(f"{kind.table}_update: changes is empty; name the fields that change")
        return [
            Operation(
                verb="update", kind=kind, targets=(given.memory,), items=(values,), messages=tuple(given.messages)
            )
        ]

    return Tool(
        name=f"{kind.table}_update",
        description="Correct a memory that was wrong or lacks a detail: only the fields that change, each given whole.",
        arguments=arguments,
        operations=operations,
    )


def _supersede_tool(kind: MemoryKind, item: type[Item]) -> Tool:
    arguments = create_model(
        "Supersede",
        __base__=_Arguments,
        memory=(str, ...),
        item=(item, ...),
        valid_from=(
            When | None,
            Field(default=None, description="since when the new value holds; left out: since the message"),
        ),
        messages=(Handles, []),
    )

    def operations(given: Any) -> list[Operation]:
        return [
            Operation(
                verb="supersede",
                kind=kind,
                targets=(given.memory,),
                items=(_columns(given.item),),
                messages=tuple(given.messages or given.item.messages),
                valid_from=given.valid_from,
            )
        ]

    return Tool(
        name=f"{kind.table}_supersede",
        description="The world changed: a new memory takes the place of an old one, which stays as the past.",
        arguments=arguments,
        operations=operations,
    )


def _merge_tool(kind: MemoryKind, item: type[Item]) -> Tool:
    arguments = create_model(
        "Merge",
        __base__=_Arguments,
        memories=(Annotated[list[str], Field(min_length=1)], ...),
        item=(item, ...),
        messages=(Handles, []),
    )

    def operations(given: Any) -> list[Operation]:
        return [
            Operation(
                verb="merge",
                kind=kind,
                targets=tuple(given.memories),
                items=(_columns(given.item),),
                messages=tuple(given.messages or given.item.messages),
            )
        ]

    return Tool(
        name=f"{kind.table}_merge",
        description="Fold memories that say the same into one item that loses nothing.",
        arguments=arguments,
        operations=operations,
    )


class _Delete(_Arguments):
    memory: str
    reason: Line = Field(description="why it has to go")


def _delete_tool(kind: MemoryKind) -> Tool:
    def operations(given: _Delete) -> list[Operation]:
        return [Operation(verb="delete", kind=kind, targets=(given.memory,), reason=given.reason)]

    return Tool(
        name=f"{kind.table}_delete",
        description="Take a memory away that the user wants gone or that should never have been filed.",
        arguments=_Delete,
        operations=operations,
    )


class _CoreAppend(_Arguments):
    lines: Annotated[list[CoreLine], Field(min_length=1)]


class _CoreRewrite(_Arguments):
    label: Name
    memories: Annotated[list[str], Field(min_length=1, description="handles of the lines that are rewritten")]
    lines: Annotated[list[Line], Field(min_length=1, description="the lines that take their place")]
    messages: Handles = []


class _CoreUpdate(_Arguments):
    memory: str
    line: Line
    messages: Handles = []


class _CoreSupersede(_CoreUpdate):
    valid_from: When | None = Field(
        default=None, description="since when the new line holds; left out: since the message"
    )


def _core_append(given: _CoreAppend) -> list[Operation]:
    return [
        Operation(
            verb="insert",
            kind=MemoryKind.CORE,
            items=({"label": x.label, "summary": x.line},),
            messages=tuple(x.messages),
        )
        for x in given.lines
    ]


def _core_rewrite(given: _CoreRewrite) -> list[Operation]:
    items = tuple({"label": given.label, "summary": line} for line in given.lines)
    return [
        Operation(
            verb="merge",
            kind=MemoryKind.CORE,
            targets=tuple(given.memories),
            items=items,
            messages=tuple(given.messages),
        )
    ]


def _core_update(given: _CoreUpdate) -> list[Operation]:
    items = ({"summary": given.line},)
    return [
        Operation(
            verb="update", kind=MemoryKind.CORE, targets=(given.memory,), items=items, messages=tuple(given.messages)
        )
    ]


def _core_supersede(given: _CoreSupersede) -> list[Operation]:
    return [
        Operation(
            verb="supersede",
            kind=MemoryKind.CORE,
            targets=(given.memory,),
            items=({"summary": given.line},),
            messages=tuple(given.messages),
            valid_from=given.valid_from,
        )
    ]


def _core_tools() -> list[Tool]:
    return [
        Tool(
            name="core_memory_append",
            description="Add lines to blocks of core memory.",
            arguments=_CoreAppend,
            operations=_core_append,
        ),
        Tool(
            name="core_memory_rewrite",
            description="Replace lines of a block by fewer or better ones that lose no fact.",
            arguments=_CoreRewrite,
            operations=_core_rewrite,
        ),
        Tool(
            name="core_memory_update",
            description="Correct a line that was wrong or lacks a detail.",
            arguments=_CoreUpdate,
            operations=_core_update,
        ),
        Tool(
            name="core_memory_supersede",
            description="The world changed: a new line takes the place of an old one, which stays as the past.",
            arguments=_CoreSupersede,
            operations=_core_supersede,
        ),
        _delete_tool(MemoryKind.CORE),
    ]


def _tools_of(kind: MemoryKind, item: type[Item]) -> list[Tool]:
    return [
        _insert_tool(kind, item),
        _update_tool(kind, item),
        _supersede_tool(kind, item),
        _merge_tool(kind, item),
        _delete_tool(kind),
    ]


TOOLS: dict[str, Tool] = {
    tool.name: tool for tool in [*_core_tools(), *(t for kind, item in ITEMS.items() for t in _tools_of(kind, item))]
}


def tools_of(names: Sequence[str], kinds: Sequence[MemoryKind]) -> tuple[str, ...]:
    """Those of the named tools that write one of some memories."""
    return tuple(name for name in names if name.startswith(tuple(kind.table for kind in kinds)))


class MemoryUpdate(_Arguments):
    memory_type: MemoryKind
    messages: Annotated[list[str], Field(min_length=1, description="handles of the messages that concern it")]


class TriggerMemoryUpdate(_Arguments):
    """Name the memories this evidence concerns, each with its messages. An empty list: nothing is worth keeping."""

    updates: list[MemoryUpdate]


TRIGGER_NAME = "trigger_memory_update"


def trigger_schema() -> dict[str, Any]:
    """The meta memory manager's one tool, in OpenAI's form."""
    parameters = _terse(TriggerMemoryUpdate.model_json_schema())
    tool = {"name": TRIGGER_NAME, "description": parameters.pop("description"), "parameters": parameters}
    return convert_to_openai_tool({"type": "function", "function": tool})


def tool_schemas(names: Sequence[str]) -> list[dict[str, Any]]:
    """The named tools in OpenAI's form."""
    return [TOOLS[name].schema() for name in names]
