"""Arguments as a model gave them, made to fit a tool's JSON schema.

Models are trained with other tools than ours: `queries` for `query`, one string where a list is wanted, a list of one
where a string is. That much is put right; what is missing or of another kind altogether is an error the model is told.
Reads the part of JSON schema that tools use (types, unions, array items, required), nothing else.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from webfarer.models.base import Tool
from webfarer.models.dialects._json import values

_ALIASES = {
    "query": ("queries", "q", "keywords", "keyword", "search_query", "search_queries", "search_term", "search_terms"),
    "url": ("urls", "url_link", "url_links", "link", "links", "href", "uri", "page_url", "web_page", "website", "page"),
    "goal": (
        *("question", "info_to_extract", "information_to_extract", "purpose", "objective", "target"),
        *("instruction", "instructions", "intent", "task", "query", "prompt"),
    ),
    "text": (
        *("answer", "final_answer", "content", "response", "result"),
        *("pattern", "keyword", "keywords", "query", "string", "phrase"),
    ),
}
_WRAPPERS = ("arguments", "args", "parameters", "params", "input", "action_input", "kwargs")
_KINDS = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
_DEEPEST = 5


def fold(name: str) -> str:
    """Return `name` without case and punctuation: `URL-Link` and `url_link` are the same."""
    return re.sub(r"[\W_]+", "", name).lower()


def fit(arguments: Any, tool: Tool) -> dict[str, Any]:
    """Return `arguments` (an object, JSON text, or the one argument that matters) as the tool's schema has them.

    Raises:
        ValueError: something is missing or of the wrong kind; says what.
    """
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    required = tool.parameters.get("required", ())
    given = _unwrapped(arguments, properties, next(iter((*required, *properties)), ""))
    fitted: dict[str, Any] = {}
    for name, value in _renamed(given, properties).items():
        try:
            fitted[name] = _converted(value, properties[name])
        except ValueError as problem:
            raise ValueError(f"`{name}` of {tool.name} {problem}") from None
    for name in required:
        if fitted.get(name) in (None, "", []):
            raise ValueError(f"{tool.name} needs `{name}`; its arguments are {signature(tool)}")
    return fitted


def signature(tool: Tool) -> str:
    """Return the tool's name with its arguments and their kinds, as one line."""
    required = tool.parameters.get("required", ())
    parts = [
        f"{name}{'' if name in required else '?'}: {_kind_name(schema)}"
        for name, schema in tool.parameters.get("properties", {}).items()
    ]
    return f"{tool.name}({', '.join(parts)})"


def _unwrapped(arguments: Any, properties: Mapping[str, Any], main: str) -> dict[str, Any]:
    """Take JSON out of strings and arguments out of themselves; anything but an object is the main argument."""
    for _ in range(_DEEPEST):
        if isinstance(arguments, str):
            found, _end = values(arguments)
            if not found:
                break
            arguments = found[0]
        elif isinstance(arguments, dict) and not _known(arguments, properties):
            inner = [arguments[key] for key in _WRAPPERS if isinstance(arguments.get(key), dict | str)]
            if not inner:
                return arguments
            arguments = inner[0]
        else:
            break
    if isinstance(arguments, dict):
        return arguments
    return {main: arguments.strip() if isinstance(arguments, str) else arguments} if arguments and main else {}


def _known(arguments: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    return bool({fold(key) for key in arguments} & {fold(name) for name in properties})


def _renamed(given: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    left = {fold(key): value for key, value in given.items() if value is not None}
    named = {name: left.pop(fold(name)) for name in properties if fold(name) in left}
    for name in properties:
        for alias in _ALIASES.get(name, ()):
            if name not in named and fold(alias) in left:
                named[name] = left.pop(fold(alias))
    return named


def _options(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the schema, or the members of the union it is."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        yield from ({**schema, "type": kind} for kind in kinds)
    elif union := schema.get("anyOf") or schema.get("oneOf"):
        yield from union
    else:
        yield schema


def _kind_name(schema: Mapping[str, Any]) -> str:
    names = []
    for option in _options(schema):
        kind = option.get("type", "any")
        names.append(f"array of {_kind_name(option.get('items', {}))}" if kind == "array" else str(kind))
    return " or ".join(name for name in names if name != "null")


def _converted(value: Any, schema: Mapping[str, Any]) -> Any:
    options = list(_options(schema))
    kind = _KINDS.get(type(value), "null")
    options.sort(key=lambda option: option.get("type", kind) != kind)  # as it is, before anything is bent
    for option in options:
        try:
            return _bent(value, option)
        except ValueError:
            continue
    raise ValueError(f"must be {_kind_name(schema)}, not {json.dumps(value, ensure_ascii=False):.80}")


def _bent(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return `value` as the kind the schema names."""
    match schema.get("type"):
        case "array":
            return _array(value, schema.get("items", {}))
        case "string":
            return _string(value)
        case "integer" if not isinstance(value, bool):
            return int(str(_only(value)))
        case "number" if not isinstance(value, bool):
            return value if isinstance(value, int) else float(str(_only(value)))
        case "boolean" if str(value).lower() in ("true", "false"):
            return str(value).lower() == "true"
        case "object":
            value = values(value)[0][0] if isinstance(value, str) and values(value)[0] else value
            if isinstance(value, dict):
                return value
        case None:
            return value
    raise ValueError("another kind")


def _array(value: Any, items: Mapping[str, Any]) -> list[Any]:
    if isinstance(value, str) and value.lstrip().startswith("["):
        found, _ = values(value)
        value = found[0] if found else value
    if isinstance(value, dict) and len(value) == 1:
        return _array(next(iter(value.values())), items)
    members = value if isinstance(value, list) else [value]
    return [_converted(member, items) for member in members if member not in (None, "")]


def _string(value: Any) -> str:
    value = _only(value)
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    if not isinstance(value, str):
        raise ValueError("no string")
    return value


def _only(value: Any) -> Any:
    """Return what stands alone in lists and objects of one."""
    while isinstance(value, list | dict) and len(value) == 1:
        value = value[0] if isinstance(value, list) else next(iter(value.values()))
    if isinstance(value, list | dict):
        raise ValueError("not one value")
    return value
