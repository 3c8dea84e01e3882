"""Reads `agents/*.md`: one agent per file, YAML front matter and a prompt. No prompt text is in Python.

A prompt may hold two kinds of marks, both resolved here, once, when Mirix opens:

- `{{include:shared/evidence.md}}` puts in the text of another file of the same folder (one level deep), so that what
  several agents are told is written once;
- `{{name}}` puts in the limit `name` from the file's own front matter, so that prompt and code go by one number.

`{{vault:…}}` is none of ours: it stands in prompts as the reader will see it, and is left alone. Anything else in
double braces is an error, as is any unknown key.

Worked examples are fenced blocks that the model reads as they stand and that code can read too (the built-in model
learns from them, and a test files them): the input in the form of the human message, a line `=>`, then one tool call
a line as `{"name": …, "arguments": {…}}`, or the text of the reply.

Users bring their own prompts in a folder that holds only the files they change; the rest comes from ours. Which
memory kinds exist and that each tool exists is checked by `open()`, which knows both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mirix.errors import ConfigError
from mirix.resources import agents_dir

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_Positive = Annotated[int, Field(ge=1)]

_FRONT_MATTER = re.compile(r"\A---\n(?P<yaml>.*?)^---\n(?P<prompt>.*)\Z", re.DOTALL | re.MULTILINE)
_MARK = re.compile(r"\{\{(?!vault:)(?P<body>[^{}]*)\}\}")
_EXAMPLE = re.compile(r"^```example\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Numbers that both the prompt and the code go by. None where the agent has no such limit."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    block_characters: _Positive | None = None  # what one core block may hold, rendered
    append_below_percent: Annotated[int, Field(ge=1, le=100)] | None = None  # of block_characters; above it, rewrite
    rewrite_to_percent: Annotated[int, Field(ge=1, le=100)] | None = None  # of block_characters, after a rewrite
    topics: _Positive | None = None  # search phrases per question, at most
    search_rounds: _Positive | None = None  # how often the chat agent may search before it must answer


@dataclass(frozen=True, kw_only=True)
class ExampleCall:
    name: str  # of the tool
    arguments: Mapping[str, Any]  # as the model would send them


@dataclass(frozen=True, kw_only=True)
class Example:
    text: str  # the input, in the form of the human message (or the part of it that matters)
    calls: tuple[ExampleCall, ...]  # what the right answer calls; empty where it is plain text
    reply: str  # the text of the right answer; empty where it only calls tools


@dataclass(frozen=True, kw_only=True)
class AgentDefinition:
    name: str  # the file's name without .md
    role: str  # one line, for people
    memory: str | None  # the kind of memory it writes; None if it owns none
    tools: tuple[str, ...]  # names of the tools that are bound
    model: str | None  # a chat model of its own, such as "openai:gpt-4.1-nano"; None = the configured one
    limits: Limits
    prompt: str  # the system message, all marks resolved
    examples: tuple[Example, ...]  # the worked examples, as they stand in the prompt


class _FrontMatter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Name
    role: Annotated[str, Field(min_length=1)]
    memory: _Name | None
    tools: list[_Name]
    model: Annotated[str, Field(min_length=1)] | None = None
    limits: Limits = Limits()


def load_definitions(override: Path | None = None) -> Mapping[str, AgentDefinition]:
    """Every agent by name, from the files that come with Mirix and, before them, those in the folder `override`.

    Raises ConfigError, naming the file and the key, for anything that is not as described above; also for an agent file
    in `override` whose name is none of ours (most likely a slip of the pen, and it would never be read).
    """
    shipped = agents_dir()
    names = sorted(path.stem for path in shipped.glob("*.md"))
    if override is None:
        return {name: read_definition(name, [shipped]) for name in names}
    if not override.is_dir():
        raise ConfigError(f"the folder of agent files {str(override)!r} does not exist")
    for path in sorted(override.glob("*.md")):
        if path.stem not in names and path.stem.lower() != "readme":
            raise ConfigError(f"{path}: no agent is called {path.stem!r}; there are {', '.join(names)}")
    return {name: read_definition(name, [override, shipped]) for name in names}


def read_definition(name: str, folders: list[Path]) -> AgentDefinition:
    """Read `<name>.md`, and what it includes, from the first of `folders` that has it. Raises ConfigError."""
    path = _find(f"{name}.md", folders)
    if path is None:
        raise ConfigError(f"no agent file {name}.md in {', '.join(map(str, folders))}")
    match = _FRONT_MATTER.match(_read(path))
    if match is None:
        raise ConfigError(f"{path}: begins without front matter (a block of YAML between two lines `---`)")
    head = _front_matter(match["yaml"], path)
    if head.name != name:
        raise ConfigError(f"{path}: name: is {head.name!r}, but the file is called {path.name}")
    prompt = _resolve(match["prompt"].strip(), path, folders, head.limits)
    if not prompt:
        raise ConfigError(f"{path}: the prompt is empty")
    return AgentDefinition(
        name=head.name,
        role=head.role,
        memory=head.memory,
        tools=tuple(head.tools),
        model=head.model,
        limits=head.limits,
        prompt=prompt,
        examples=tuple(_examples(prompt, path, head.tools)),
    )


def _find(name: str, folders: list[Path]) -> Path | None:
    return next((path for folder in folders if (path := folder / name).is_file()), None)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # editors on Windows like to add a mark at the start
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def _front_matter(text: str, path: Path) -> _FrontMatter:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: the front matter is no valid YAML: {error}") from error
    try:
        head = _FrontMatter.model_validate(values)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc'])) or 'front matter'}: {each['msg']}" for each in error.errors())
        raise ConfigError(f"{path}: {'; '.join(problems)}") from error
    if len(set(head.tools)) < len(head.tools):
        raise ConfigError(f"{path}: tools: a tool is named twice")
    return head


def _resolve(prompt: str, path: Path, folders: list[Path], limits: Limits) -> str:
    values = {name: str(value) for name, value in asdict(limits).items() if value is not None}

    def fill(match: re.Match[str]) -> str:
        value = values.get(match["body"])
        if value is None:
            raise ConfigError(f"{path}: placeholder {match[0]} has no value: name it under `limits`")
        return value

    def include(match: re.Match[str]) -> str:
        name = match["body"].removeprefix("include:").strip()
        # Resolved paths are compared, so that no prompt can pull in a file from outside its folder.
        found = next(
            (
                f
                for folder in folders
                if (f := (folder / name).resolve()).is_file() and f.is_relative_to(folder.resolve())
            ),
            None,
        )
        if found is None:
            raise ConfigError(f"{path}: include: no file {name!r} in {', '.join(map(str, folders))}")
        text = _read(found).strip()
        if "{{include:" in text:
            raise ConfigError(f"{found}: include: an included file cannot include another")
        return text

    with_includes = re.sub(r"\{\{(?P<body>include:[^{}]*)\}\}", include, prompt)
    return _MARK.sub(fill, with_includes)


def _examples(prompt: str, path: Path, tools: list[str]) -> Iterator[Example]:
    for match in _EXAMPLE.finditer(prompt):
        text, arrow, answer = match["body"].partition("\n=>\n")
        if not arrow:
            raise ConfigError(f"{path}: example: lacks the line `=>` between input and answer")
        lines = answer.strip().splitlines()
        calls = tuple(_example_call(line, path, tools) for line in lines if line.startswith('{"'))
        reply = "\n".join(line for line in lines if not line.startswith('{"'))
        yield Example(text=text.strip(), calls=calls, reply=reply)


def _example_call(line: str, path: Path, tools: list[str]) -> ExampleCall:
    try:
        call = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: example: no valid JSON ({error}): {line[:80]}") from error
    if call.keys() != {"name", "arguments"} or not isinstance(call["arguments"], dict):
        raise ConfigError(f'{path}: example: a call is {{"name": …, "arguments": {{…}}}}, not {line[:80]}')
    if call["name"] not in tools:
        raise ConfigError(f"{path}: example: the tool {call['name']!r} is not among `tools`")
    return ExampleCall(name=call["name"], arguments=call["arguments"])
