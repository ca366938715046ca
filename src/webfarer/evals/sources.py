"""Rows of the files that question sets are published in: JSONL, JSON, CSV, TSV, XLSX; from a path or from the hub.

What is wrong with a row is said with the file, the row's number and what was expected, so that it can be mended.
Not a schema: each task asks for the fields it needs, under the names they are spelt by in the copies that circulate.
Invariant: nothing is fetched unless no path is given, and never at import.
"""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from webfarer.core.errors import ConfigError, Refused, boundary
from webfarer.evals.task import Card, Item, Source
from webfarer.web.guard import canonical_url, with_scheme

_LONGEST_FIELD = 2**27
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_FORMATS = ".jsonl, .json, .csv, .tsv or .xlsx"
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    Attributes:
        number: from 1; of a JSONL file the line, of a table the row below its head.
        values: by name, as they stand there.
    """

    path: Path
    number: int
    values: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it stands, for messages."""
        return f"{self.path}, row {self.number}"

    def find(self, *names: str) -> Any:
        """Return the first value that is there under one of the names, or None; case, "_", "-" and " " do not count."""
        known = {_plain(name): value for name, value in self.values.items()}
        return next((known[_plain(name)] for name in names if known.get(_plain(name)) is not None), None)

    def get(self, *names: str) -> Any:
        """Return what :meth:`find` returns.

        Raises:
            ConfigError: the row has no such value.
        """
        value = self.find(*names)
        if value is None:
            there = ", ".join(list(self.values)[:_SHOWN]) or "nothing"
            raise ConfigError(f"{self.place}: no {names[0]!r}; it has {there}", row=self.number, key=names[0])
        return value

    def text(self, *names: str) -> str:
        """Return a value as text, spaces around it removed.

        Raises:
            ConfigError: the row has no such value, it is no text or number, or it is empty.
        """
        value = self.get(*names)
        if not isinstance(value, str | int | float):
            wrong = f"{self.place}: {names[0]!r} is no text but {type(value).__name__}"
            raise ConfigError(wrong, row=self.number, key=names[0])
        if not str(value).strip():
            raise ConfigError(f"{self.place}: {names[0]!r} is empty", row=self.number, key=names[0])
        return str(value).strip()

    def inner(self, name: str) -> "Row":
        """Return the object under `name`, as JSON or as text of it; the row itself where the copy is flat."""
        value = self.find(name)
        if isinstance(value, str):
            with boundary(ConfigError, f"{self.place}: {name!r} is no JSON", row=self.number, key=name):
                value = parsed(value)
        return Row(self.path, self.number, value) if isinstance(value, dict) else self


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def parsed(text: str) -> Any:
    """Return what JSON says; a lone surrogate, which no file can hold, becomes a question mark."""
    value = json.loads(text)
    if r"\ud" in text.lower():
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def address_of(url: str, place: str) -> str:
    """Return the address of a page, with https where it has no scheme.

    Args:
        url: as it is given.
        place: where, for messages.

    Raises:
        ConfigError: nothing can be opened there.
    """
    address = with_scheme(url)
    try:
        canonical_url(address)
    except Refused as error:
        raise ConfigError(f"{place}: {url[:200]!r} is no address of a page: {error.message}") from error
    return address


def rows(source: Source, card: Card) -> Iterator[Row]:
    """Yield the rows of the set's split, one at a time where the format allows it.

    Raises:
        ConfigError: no such file or split, or it cannot be read.
    """
    return read(locate(source, card))


def locate(source: Source, card: Card) -> Path:
    """Return the file of the split: the path itself, in the folder it names, or fetched from the hub.

    Raises:
        ConfigError: none of these.
    """
    if source.split and source.split not in card.files:
        known = ", ".join(card.files) or "no splits"
        raise ConfigError(f"{card.title} has no split {source.split!r}; known: {known}")
    name = card.files[source.split or next(iter(card.files))] if card.files else ""
    if source.path is None:
        return hub_file(card, name)
    places = [source.path / name, source.path / Path(name).name] if name and source.path.is_dir() else [source.path]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        looked = " nor ".join(map(str, places))
        raise ConfigError(f"{looked} is no file; give the published file of {card.title}, or its folder")
    return found


def hub_file(card: Card, name: str) -> Path:
    """Fetch a file of the set's hub, or take it from the hub's own cache.

    Raises:
        ConfigError: it has no hub, the extra is missing, or the hub does not give it.
    """
    if not card.hub or not name:
        raise ConfigError(f"{card.title} is on no hub that can be read; give its file with a path ({card.source})")
    try:
        from huggingface_hub import hf_hub_download
    except ImportError as error:
        raise ConfigError("the hub needs an extra: pip install 'webfarer[eval]'; or give the file's path") from error
    with boundary(ConfigError, f"{name} of {card.hub} cannot be fetched; give the file's path instead"):
        return Path(hf_hub_download(repo_id=card.hub, filename=name, repo_type="dataset"))


def read(path: Path) -> Iterator[Row]:
    """Yield the rows of a file.

    Raises:
        ConfigError: it is missing, of an unknown format, or damaged: with the row.
    """
    kind = path.suffix.lower()
    if kind not in (".jsonl", ".json", ".xlsx", *_SEPARATORS):
        raise ConfigError(f"{path}: {kind or 'a file without suffix'} is not read, only {_FORMATS}; convert it first")
    if kind == ".xlsx":
        numbered: Iterable[tuple[int, Any]] = enumerate(_sheet(path), 1)
    else:
        numbered = _objects(path) if kind == ".json" else _lines(path) if kind == ".jsonl" else _table(path)
    yield from as_rows(path, numbered)


def as_rows(path: Path, numbered: Iterable[tuple[int, Any]]) -> Iterator[Row]:
    """Yield numbered values of a file as its rows.

    Raises:
        ConfigError: one is no object.
    """
    for number, value in numbered:
        if not isinstance(value, dict):
            raise ConfigError(f"{path}, row {number}: no object but {type(value).__name__}", row=number)
        yield Row(path, number, value)


def _lines(path: Path) -> Iterator[tuple[int, Any]]:
    number = 0
    with boundary(ConfigError, f"{path} cannot be read"), path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                with boundary(ConfigError, f"{path}, row {number}: no JSON", row=number):
                    value = parsed(line)
                yield number, value


def _objects(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a list, or the one object that is the file."""
    with boundary(ConfigError, f"{path} cannot be read as JSON"):
        value = parsed(path.read_text(encoding="utf-8-sig"))
    yield from enumerate(value if isinstance(value, list) else [value], 1)


def _table(path: Path) -> Iterator[tuple[int, Any]]:
    csv.field_size_limit(_LONGEST_FIELD)
    with boundary(ConfigError, f"{path} cannot be read"), path.open(encoding="utf-8-sig", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines, delimiter=_SEPARATORS[path.suffix.lower()]), 1):
            if None in row:
                raise ConfigError(f"{path}, row {number}: more cells than the head has columns", row=number)
            yield number, row


def _sheet(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a workbook's first sheet."""
    try:
        from python_calamine import CalamineWorkbook
    except ImportError as error:
        raise ConfigError(f"{path}: workbooks need an extra: pip install 'webfarer[docs]'") from error
    with boundary(ConfigError, f"{path} cannot be read as a workbook"):
        cells = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    for row in cells[1:]:
        yield dict(zip(map(str, cells[0]), map(_cell, row), strict=False)) if cells else {}


def _cell(value: Any) -> Any:
    """Return a year as it is seen: a workbook keeps 2024 as 2024.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def stable_id(*parts: str) -> str:
    """Return an id made of what an item says, for sets whose items have none."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def row_id(row: Row, *parts: str) -> str:
    """Return an id for a row of a set that may hold a question twice."""
    return f"{row.number}-{stable_id(*parts)[:8]}"


def checked(rows: Iterable[Row], make: Callable[[Row], Item | None]) -> list[Item]:
    """Return the items made of rows, each id once; None for a row leaves it out.

    Raises:
        ConfigError: a row makes no item, two make the same one, or none makes any: with the row.
    """
    seen: dict[str, Row] = {}
    items = []
    for row in rows:
        with boundary(ConfigError, f"{row.place} makes no question", row=row.number):
            item = make(row)
            if item is None:
                continue
            item.model_dump_json()  # what cannot be written fails here, not after the first answers are paid
        if item.id in seen:
            both = f"rows {seen[item.id].number} and {row.number} have the same id {item.id[:80]!r}"
            raise ConfigError(f"{row.path}: {both}; remove one of them", row=row.number, key="id")
        seen[item.id] = row
        items.append(item)
    if not items:
        raise ConfigError("no items: the file is empty, or the subset has none")
    return items


def drawn(items: Iterable[Item], source: Source, size: int) -> list[Item]:
    """Return the first of endless generated items: as many as are asked for, else `size`.

    Raises:
        ConfigError: a negative number is asked for, or drawn with.
    """
    if source.seed < 0 or source.size < 0:
        raise ConfigError(f"seed and size must not be negative, got {source.seed} and {source.size}")
    return list(islice(items, source.size or size))


def subset(source: Source, card: Card, known: Iterable[str]) -> str:
    """Return the subset that is asked for, "" for all.

    Raises:
        ConfigError: the set has no such subset.
    """
    names = list(known)
    if source.subset and source.subset not in names:
        raise ConfigError(f"{card.title} has no subset {source.subset!r}; known: {', '.join(names)}")
    return source.subset
