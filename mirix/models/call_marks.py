"""The marks by which models write tool calls as text, each turned into the same JSON. Pure: text in, text out.

Every family was trained on marks of its own, which its provider's server reads before anybody sees them. Where the
server does not know them, or the model wrote them wrongly, they arrive in the text:

    <tool_call>{"name": …, "arguments": …}</tool_call>                     Qwen, Hermes and kin
    [TOOL_CALLS][{"name": …}]  [TOOL_CALLS]name[ARGS]{…}                   Mistral
    <|python_tag|>{"name": …, "parameters": …}   <function=name>{…}</function>   Llama
    <function=name><parameter=key>value</parameter></function>             Qwen coder
    <tool_call>name<arg_key>key</arg_key><arg_value>value</arg_value>      GLM
    <|tool_call_begin|>functions.name:0<|tool_call_argument_begin|>{…}     Kimi
    <｜tool▁call▁begin｜>name<｜tool▁sep｜>{…}   function<｜tool▁sep｜>name ```json {…}```   DeepSeek
    <｜DSML｜invoke name="…"><｜DSML｜parameter name="…" string="true">…     DeepSeek
    <invoke name="…"><parameter name="…">…                                 Anthropic and kin
    ```tool_code print(default_api.name(key="value")) ```  [name(key="value")]   Gemini, Llama
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

Schemas = Mapping[str, Mapping[str, Any]]  # of the arguments, by the name of the tool

_BAR = r"[|｜‖]"
# Stands in for what parts a name from its arguments, so that the marks around both can go.
_PARTED = "\ue000"
_SEPARATOR = re.compile(
    rf"<{_BAR}tool_call_argument_begin{_BAR}>|<{_BAR}tool▁sep{_BAR}>|\[ARGS\]|\[CALL_ID\][^\[{{]*\[ARGS\]"
)
_OLD_DEEPSEEK = re.compile(rf"\bfunction{_PARTED}(?P<name>[\w.-]+)\s*(?:```json)?\s*(?=\{{)")
_NAMED = re.compile(rf"(?:functions\.)?(?P<name>[A-Za-z_][\w.-]{{0,63}}?)(?::\d+)?\s*{_PARTED}\s*(?=\{{)")
_WRAPPERS = re.compile(
    rf"</?(?:{_BAR}*DSML{_BAR}*)?(?:tool_calls?|function_calls?|tools)>"
    rf"|\[/?TOOL_CALLS\]|<\|python_tag\|>|<\|eom_id\|>|<{_BAR}(?:tool_calls?_\w+|tool▁[a-z▁]+|end▁of▁sentence){_BAR}>"
)
_FENCES = re.compile(r"^```[a-z_]*[ \t]*$", re.MULTILINE)
_TAGGED_JSON = re.compile(r"<function=(?P<name>[\w.-]+)>\s*(?P<arguments>\{.*?\})\s*</function>", re.DOTALL)
_TAGGED = re.compile(
    r"<tool_call>\s*(?P<glm>[\w.-]+)\s*(?P<glm_body><arg_key>.*?)</tool_call>"
    r"|<function=(?P<qwen>[\w.-]+)>(?P<qwen_body>\s*(?:<parameter=.*?)?)</function>"
    r"|<(?P<mark>[^<>/\s]*)invoke name=\"(?P<invoke>[\w.-]+)\">(?P<invoke_body>.*?)</[^<>\s]*invoke>",
    re.DOTALL,
)
_PAIR = re.compile(
    r"<arg_key>(?P<glm>.*?)</arg_key>\s*<arg_value>(?P<glm_value>.*?)</arg_value>"
    r"|<parameter=(?P<qwen>[^>]+)>(?P<qwen_value>.*?)</parameter>"
    r"|<[^<>/\s]*parameter name=\"(?P<invoke>[^\"]+)\"[^>]*>(?P<invoke_value>.*?)</[^<>\s]*parameter>",
    re.DOTALL,
)
_CODE = re.compile(r"^(?:```(?:tool_code|python)?)?\s*(?P<code>[\[\w].*?)\s*(?:```)?$", re.DOTALL)


def as_json(text: str, tools: Schemas) -> tuple[str, bool]:
    """The text with its marked calls as JSON, and whether anything but a code fence marked it as a call."""
    code = _python_calls(text, tools)
    if code:
        return code, True
    marked = _TAGGED_JSON.sub(lambda match: _call(match["name"], match["arguments"]), text)
    marked = _TAGGED.sub(lambda match: _tagged_call(match, tools), marked)
    marked = _SEPARATOR.sub(_PARTED, marked)
    is_marked = marked != text or _WRAPPERS.search(text) is not None
    marked = _OLD_DEEPSEEK.sub(lambda match: f"{match['name']}{_PARTED}", _WRAPPERS.sub("", marked))
    return _named_calls(_FENCES.sub("", marked)), is_marked


def _call(name: str, arguments: str) -> str:
    return f'{{"name": {json.dumps(name)}, "arguments": {arguments}}}'


def _tagged_call(match: re.Match[str], tools: Schemas) -> str:
    kind = next(kind for kind in ("glm", "qwen", "invoke") if match[kind])
    properties = tools.get(match[kind], {}).get("properties", {})
    arguments = {}
    for pair in _PAIR.finditer(match[f"{kind}_body"]):
        way = next(way for way in ("glm", "qwen", "invoke") if pair[way])
        key, value = pair[way].strip(), pair[f"{way}_value"]
        arguments[key] = _value(value, properties.get(key, {}))
    return _call(match[kind], json.dumps(arguments, ensure_ascii=False))


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """A value between tags: text where text is wanted, else JSON if it can be read."""
    if schema.get("type") == "string":
        return text.strip("\n")
    try:
        return json.loads(text, strict=False)
    except json.JSONDecodeError:
        return text.strip()


def _named_calls(text: str) -> str:
    """Names that are parted from the JSON behind them, together with it as one object."""
    decoder = json.JSONDecoder(strict=False)
    result, position = "", 0
    for match in _NAMED.finditer(text):
        if match.start() < position:
            continue  # within the arguments of the call before
        try:
            _, end = decoder.raw_decode(text, match.end())
        except (json.JSONDecodeError, RecursionError):
            continue
        result += text[position : match.start()] + _call(match["name"], text[match.end() : end])
        position = end
    return (result + text[position:]).replace(_PARTED, "")


def _python_calls(text: str, tools: Schemas) -> str | None:
    """Calls in Python, where the whole text is nothing else: `print(default_api.name(key="value"))`, `[name(…)]`."""
    match = _CODE.match(text.strip())
    if match is None or not any(f"{name}(" in text for name in tools) or len(text) > 100_000:
        return None
    try:
        statements = ast.parse(match["code"]).body
        calls = [call for statement in statements for call in _calls_of(statement)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not calls or any(name not in tools for name, _ in calls):
        return None
    return "\n".join(_call(name, json.dumps(arguments, ensure_ascii=False)) for name, arguments in calls)


def _calls_of(statement: ast.stmt) -> list[tuple[str, dict[str, Any]]]:
    """(name, arguments) of each call; raises ValueError where anything else is said."""
    if not isinstance(statement, ast.Expr):
        raise ValueError("no call")
    value = statement.value
    nodes = value.elts if isinstance(value, ast.List) else [value]
    calls = []
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print" and node.args:
            node = node.args[0]
        if not isinstance(node, ast.Call) or node.args:
            raise ValueError("no call by names")
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        calls.append((name, {each.arg or "": ast.literal_eval(each.value) for each in node.keywords}))
    return calls
