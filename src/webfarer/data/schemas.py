"""Whether a value is what a JSON schema asks for: the part of JSON schema that pydantic writes for our prompts.

Strict where pydantic is tolerant: nothing is converted, no default filled in, nothing more than asked taken. Not a
validator of schemas. Invariant: a keyword that is not read here never makes a value wrong. Source: JSON Schema 2020-12.
"""

from collections.abc import Mapping
from typing import Any

_KINDS: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def misfit(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any] | None = None) -> str:
    """Return what is wrong with `value`; "" when it fits. `defs` are the definitions of the schema that holds this."""
    defs = schema.get("$defs", {}) if defs is None else defs
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if options := schema.get("anyOf"):
        wrong = [misfit(value, option, defs) for option in options]
        return "" if "" in wrong else wrong[0]
    kind = schema.get("type")
    if kind in _KINDS and (not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"{value!r:.80} is no {kind}"
    if value not in schema.get("enum", [value]):
        return f"{value!r:.80} is none of {schema['enum']}"
    if isinstance(value, list) and "items" in schema:
        return next(filter(None, (misfit(member, schema["items"], defs) for member in value)), "")
    return _member(value, schema, defs) if isinstance(value, dict) else ""


def _member(value: Mapping[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any]) -> str:
    """Return what is wrong with the members of an object."""
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            return f"there is no {name!r}"
    for name, inner in value.items():
        if name in properties:
            if wrong := misfit(inner, properties[name], defs):
                return f"{name}: {wrong}"
        elif schema.get("additionalProperties") is False:
            return f"{name!r:.80} is not asked for"
    return ""
