"""A file of entries that only grows: one JSON object a line, on disk before the call that adds it returns.

For what people say, which must outlive a kill. Not a trace (:mod:`webfarer.core.trace`): nothing is replayed.
Invariant: no line is ever rewritten; one without an end, which a killed writer left, is no entry and is cut off.
"""

import fcntl
import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.jsonl import json_line

Entry = TypeVar("Entry", bound=BaseModel)


class Log(Generic[Entry]):
    """A log that is open to one process at a time.

    Args:
        path: the file; made where there is none.
        kind: what a line holds.
        busy: said to whoever opens it second.

    Raises:
        ConfigError: it cannot be written, a line is no entry, or it is open elsewhere.
    """

    def __init__(self, path: Path, kind: type[Entry], busy: str) -> None:
        with boundary(ConfigError, f"{path} cannot be written"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.entries = read_log(path, kind)
        except BlockingIOError as error:
            self._file.close()
            raise ConfigError(busy) from error
        except ConfigError:
            self._file.close()
            raise
        self._file.truncate(path.read_bytes().rfind(b"\n") + 1)

    def append(self, entry: Entry) -> None:
        """Add an entry."""
        line = json_line(entry.model_dump(mode="json", exclude_defaults=True))
        whole = self._file.seek(0, os.SEEK_END)
        with boundary(ConfigError, f"{self._file.name} cannot be written"):
            if self._file.write(line) < len(line):
                self._file.truncate(whole)
                raise ConfigError(f"{self._file.name} cannot be written: no space left")
            os.fsync(self._file.fileno())
        self.entries.append(entry)

    def close(self) -> None:
        """Let others open it."""
        self._file.close()


def read_log(path: Path, kind: type[Entry]) -> list[Entry]:
    """Return the entries of a log, which may be open elsewhere; [] where there is no file.

    Raises:
        ConfigError: a line is no entry.
    """
    if not path.exists():
        return []
    entries = []
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        try:
            entries.append(kind.model_validate_json(line))
        except ValidationError as error:
            name = kind.__name__.lower()
            raise ConfigError(f"{path}, line {number}: no {name}; mend or remove the line") from error
    return entries
