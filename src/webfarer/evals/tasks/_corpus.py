"""A fixed corpus as a website: each document a page, found by an engine of its own; nothing else can be opened.

A corpus is a JSONL or JSON file of documents, or a folder of such files or of texts. JSONL stays on the disk, only the
place of each document is kept; JSON is read whole. Pages and index say the same. Limits: an index is written once for
a corpus, in the home folder, before the first question, in one process.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, TypedDict

from webfarer.core.errors import ConfigError, boundary
from webfarer.evals.sources import Row, parsed, read, stable_id
from webfarer.evals.task import Changes, Item
from webfarer.evals.tasks._local import Shelf, serve_shelves
from webfarer.worlds.types import PageSpec

_PLAIN = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[\w.~-]+(?:/[\w.~-]+)*", re.ASCII)
_TITLE = re.compile(r"^(?:---\s*\n)?\s*(?:title:\s*)?(.{1,200})", re.IGNORECASE)
_TEXTS = (".txt", ".md", ".html")
_IDS = ("docid", "doc_id", "id", "url")

Load = Callable[[], Mapping[str, Any]]


def address(host: str, document: str) -> str:
    """Return the address of a document, known by its id or URL."""
    return f"http://{host}{_path(document)}"


def _path(document: str) -> str:
    """Return a path one can read where that is possible without escapes, else a hash."""
    plain = document.partition("://")[2].rstrip("/") if "://" in document else document
    return f"/{plain if _PLAIN.fullmatch(plain) else stable_id(document)}"


class Corpus(TypedDict):
    """What the data of an item say of its corpus: `corpus` which one it is, `place` where it lies on this machine."""

    corpus: str
    place: str


def identified(path: Path) -> Corpus:
    """Return what items say of the corpus at `path`; the same for every copy of it, apart from the place.

    Raises:
        ConfigError: it is missing, or cannot be read.
    """
    digest = hashlib.sha256()
    with boundary(ConfigError, f"{path} cannot be read"):
        for file in _files(path):
            with file.open("rb") as content:
                digest.update(file.name.encode() + hashlib.file_digest(content, "sha256").digest())
    return Corpus(corpus=digest.hexdigest()[:16], place=str(path.resolve()))


def serve_corpus(host: str, items: Sequence[Item], home: Path, results: int) -> AbstractAsyncContextManager[Changes]:
    """Serve the corpus that the items name.

    Args:
        host: under which its documents are written.
        items: of one corpus.
        home: where its index is kept.
        results: of one search.

    Raises:
        ConfigError: it is missing, damaged, or holds a document twice.
    """
    documents = Documents(Path(items[0].data["place"]))
    kept = home / "corpora" / documents.fingerprint
    return serve_shelves({host: lambda: Shelf(documents, documents)}, results=results, kept=kept)


class Documents(Mapping[str, PageSpec]):
    """The documents of a corpus as pages by path, in their order.

    Attributes:
        fingerprint: another for every state of the files.
    """

    def __init__(self, path: Path) -> None:
        files = _files(path)
        state = [f"{file.resolve()}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files]
        self.fingerprint = hashlib.sha256("\n".join(state).encode()).hexdigest()[:16]
        self._loads: dict[str, Load] = {}
        for file in files:
            for name, load in _documents(file):
                if _path(name) in self._loads:
                    raise ConfigError(f"{file}: the document {name!r} is there twice")
                self._loads[_path(name)] = load

    def __getitem__(self, path: str) -> PageSpec:
        return PageSpec(_html(self._loads[path]()))

    def __iter__(self) -> Iterator[str]:
        return iter(self._loads)

    def __len__(self) -> int:
        return len(self._loads)


def _files(path: Path) -> list[Path]:
    kinds = (".jsonl", ".json", *_TEXTS)
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    files = [file for file in found if file.is_file() and file.suffix in kinds]
    if not files:
        raise ConfigError(f"{path} is no corpus: give a JSONL file of documents, or a folder of such files or of texts")
    return files


def _documents(file: Path) -> Iterator[tuple[str, Load]]:
    """Yield a file's documents, each as its id and how to read it."""
    if file.suffix in _TEXTS:
        yield file.stem, partial(_text, file)
    elif file.suffix == ".jsonl":
        with file.open("rb") as lines:
            number, at = 0, 0
            for number, line in enumerate(lines, 1):
                if line.strip():
                    with boundary(ConfigError, f"{file}, row {number}: no JSON", row=number):
                        row = Row(file, number, dict(parsed(line.decode("utf-8-sig"))))
                    yield row.text(*_IDS), partial(_line, file, at)
                at += len(line)
    else:
        for row in read(file):
            yield row.text(*_IDS), partial(dict, row.values)


def _text(file: Path) -> Mapping[str, Any]:
    return {"text": file.read_text(encoding="utf-8", errors="replace")}


def _line(file: Path, at: int) -> Mapping[str, Any]:
    with file.open("rb") as lines:
        lines.seek(at)
        value: dict[str, Any] = json.loads(lines.readline())
    return value


def _html(document: Mapping[str, Any]) -> bytes:
    text = str(document.get("text") or document.get("body") or document.get("contents") or "")
    match = _TITLE.match(text)
    title = str(document.get("title") or (match[1] if match else "")).strip()
    about = [str(document[name]) for name in ("source", "author", "published_at", "url") if document.get(name)]
    parts = [f"<p>{escape(part)}</p>" for part in (" · ".join(about), *text.split("\n")) if part.strip()]
    head = f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return f"{head}<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>".encode("utf-8", "replace")
