"""Reads what stands behind a drafter's id: "longest=4,shared=true" becomes a dataclass of integers and truth values.

Not a schema of its own: the fields and their defaults are all there is to know. Invariant: what is not understood is a
ConfigError that lists what would be.
"""

import dataclasses
from typing import Any, TypeVar

from webfarer.core.errors import ConfigError

T = TypeVar("T")
_TRUTH = {"true": True, "false": False}


def read(options: type[T], argument: str, drafter: str) -> T:
    """Make `options`, a dataclass whose fields are all int or bool, from "name=value" pairs parted by commas.

    Raises:
        ConfigError: a pair cannot be read.
    """
    known: dict[str, Any] = {field.name: field.default for field in dataclasses.fields(options)}  # type: ignore[arg-type]
    values: dict[str, int | bool] = {}
    for pair in filter(None, (pair.strip() for pair in argument.split(","))):
        name, _, text = pair.partition("=")
        truth = isinstance(known.get(name), bool)
        if name not in known or not (text.lower() in _TRUTH if truth else text.isdecimal()):
            fields = ", ".join(f"{name}={str(value).lower()}" for name, value in known.items())
            raise ConfigError(f"drafter {drafter}: cannot read {pair!r}; known, with their defaults: {fields}")
        values[name] = _TRUTH[text.lower()] if truth else int(text)
    return options(**values)
