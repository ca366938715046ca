"""Plugins with numbers, as text: "repetition:n=10,most=4" is the plugin `repetition` with two of its fields set.

For seams whose plugins are frozen dataclasses with defaults. Not a config file. Invariant: what :func:`spec_of` writes,
:func:`made` reads back as an equal object.
"""

import dataclasses
import typing
from typing import Any

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam


def made(seam: Seam, spec: str) -> Any:
    """Return the plugin that `spec` describes.

    Raises:
        UnknownPlugin: no such plugin.
        ConfigError: an unknown or unreadable field, or values that cannot work together.
    """
    name, _, rest = spec.strip().partition(":")
    cls = seam.load(name)
    known = {f.name: f for f in dataclasses.fields(cls)}
    types = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for pair in filter(None, (p.strip() for p in rest.split(","))):
        key, equals, text = pair.partition("=")
        if not equals or key not in known:
            raise ConfigError(
                f"{seam.noun} {name}: {pair!r} is none of its parameters; known: "
                + (", ".join(f"{k}={f.default}" for k, f in known.items()) or "none")
            )
        values[key] = _value(text, types[key], f"{seam.noun} {name}: {key}")
    return cls(**values)


def spec_of(plugin: Any) -> str:
    """Return the plugin as :func:`made` reads it."""
    fields = dataclasses.fields(plugin) if dataclasses.is_dataclass(plugin) else ()
    values = {field.name: getattr(plugin, field.name) for field in fields}
    pairs = [f"{name}={value}" for name, value in values.items() if value is not None]
    return id_of(plugin) + (":" + ",".join(pairs) if pairs else "")


def extended(spec: str, **values: object) -> str:
    """Return a spec with more fields set; of a field that was set before, the new value counts."""
    pairs = ",".join(f"{name}={value}" for name, value in values.items())
    return f"{spec}{',' if ':' in spec else ':'}{pairs}" if pairs else spec


def id_of(plugin: Any) -> str:
    """Return the id of a plugin, which is the name of the module of its class."""
    return type(plugin).__module__.rpartition(".")[2]


def _value(text: str, hint: Any, what: str) -> Any:
    options = typing.get_args(hint) or (hint,)
    for option in options:
        if option is type(None) and text in ("none", ""):
            return None
        if option is bool and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if option is str or text == option:
            return text
        if option in (int, float):
            try:
                return option(text)
            except ValueError:
                continue
    kinds = ", ".join(o.__name__ if isinstance(o, type) else repr(o) for o in options)
    raise ConfigError(f"{what}={text!r} is not one of: {kinds}")
