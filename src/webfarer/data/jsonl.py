"""Files of one kind of object: JSON, one object to a line, each with the version of its schema.

A file is written whole or not at all, and an error in reading names the line. Not a log (:mod:`webfarer.data.log`),
which grows line by line. Invariant: equal objects give equal bytes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from webfarer.core.errors import ConfigError
from webfarer.evals.records import whole
from webfarer.evals.sources import read

Kind = TypeVar("Kind", bound=BaseModel)
"""A schema; the default of its field `version` is the version that this program writes and reads."""


def write_lines(path: Path, objects: Iterable[BaseModel]) -> None:
    """Write a file of objects, whole or not at all."""
    with whole(path) as file:
        file.writelines(map(line_of, objects))


def line_of(one: BaseModel) -> bytes:
    """Return an object as a line of such a file."""
    return json_line({"version": _version(type(one)), **one.model_dump(mode="json", exclude_defaults=True)})


def json_line(value: Mapping[str, Any]) -> bytes:
    """Return a value as a line of JSONL; half a character (of a cut emoji), which has no UTF-8, as a question mark."""
    return f"{json.dumps(value, ensure_ascii=False)}\n".encode("utf-8", "replace")


def read_lines(path: Path, kind: type[Kind], what: str) -> Iterator[Kind]:
    """Yield the objects of a file.

    Args:
        path: the file.
        kind: what a line holds; `what` is that in words, for errors.

    Raises:
        ConfigError: it is missing, or a line is none of these, or of another version: with the line.
    """
    for line in read(path):
        version = line.values.get("version", _version(kind))
        if version != _version(kind):
            raise ConfigError(f"{line.place}: version {version} of the schema; this program reads {_version(kind)}")
        try:
            yield kind.model_validate(dict(line.values))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(map(str, first["loc"]))
            raise ConfigError(f"{line.place}: no {what}: {name}: {first['msg']}", row=line.number) from error


def _version(kind: type[BaseModel]) -> Any:
    return kind.model_fields["version"].default
