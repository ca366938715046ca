"""The full-text index over an archive: words in, pages out, with the passage that speaks for each.

One SQLite file beside the archive (FTS5, BM25 over passages); its terms are those of `core.text.words`, so English and
Chinese work alike. Derived data: what another version of the words wrote is dropped and read again from the archive.
Every change is one transaction, so a process killed at any moment leaves a whole index; readers never wait.
Source: sqlite.org/fts5.html, "contentless tables"; the choice is measured by `webfarer bench search`.
"""

import hashlib
import inspect
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import zstandard

from webfarer.core import text as core_text
from webfarer.core.errors import ConfigError, FetchError, boundary
from webfarer.core.text import is_chinese, words
from webfarer.core.types import Hit, Page, PageKind, Span
from webfarer.web import searchindex
from webfarer.web.archive import Archive
from webfarer.web.database import connect
from webfarer.web.documents import page_of
from webfarer.web.guard import with_scheme
from webfarer.web.snippets import snippet

ENGINE = "local"
_TABLES = ("meta", "seen", "documents", "passages", "terms")
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE seen (record TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE documents (
  id INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE, url TEXT NOT NULL UNIQUE, host TEXT NOT NULL, path TEXT NOT NULL,
  title TEXT NOT NULL, language TEXT NOT NULL, date TEXT NOT NULL, digest TEXT NOT NULL, text BLOB NOT NULL
);
CREATE TABLE passages (
  id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents, start INTEGER NOT NULL, stop INTEGER NOT NULL
);
CREATE INDEX passages_by_document ON passages (document);
CREATE VIRTUAL TABLE terms USING fts5(title, body, content='', tokenize="ascii tokenchars '_'");
"""
_PASSAGE = 1000  # characters; BM25 over whole pages loses the one sentence in a long page
_PASSAGE_ZH = 400
_BREAKS = ("\n", "。", ". ", " ")
_TITLE_WEIGHT = 1.0
_TERMS = 64  # distinct terms of a query that count
_PER_HIT = 6  # passages looked at for each hit wanted: several may be of one page
_BATCH = 100  # pages of one transaction


@dataclass(frozen=True, slots=True)
class Document:
    """What is indexed of one page.

    Attributes:
        id: archive id of the record it was read from.
        text: what is searched and shown.
        language: ISO 639-1, or "".
        date: ISO 8601, or "".
    """

    id: str
    url: str
    title: str
    text: str
    language: str = ""
    date: str = ""


class Index:
    """The index at `path` (in memory for None); an object is for one thread, the file for any number."""

    def __init__(self, path: Path | None = None) -> None:
        try:
            self._db = connect(path)
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"the search index {path} cannot be opened ({error}); it may be deleted") from error
        self._pack = zstandard.ZstdCompressor(level=3)
        self._unpack = zstandard.ZstdDecompressor()

    def _prepare(self) -> None:
        """Make the tables, anew where those there are hold another version of the words."""
        try:
            if self._is_current():  # asked first without a lock, so that readers wait for nobody
                return
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                if not self._is_current():
                    for name in _TABLES:
                        self._db.execute(f"DROP TABLE IF EXISTS {name}")
                    for statement in _SCHEMA.split(";"):
                        self._db.execute(statement)
                    self._set("words", _words_version())
        except sqlite3.Error:
            self._db.close()
            raise

    def _is_current(self) -> bool:
        there = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        return there is not None and self._meta("words") == _words_version()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def count(self) -> int:
        """Return the number of documents."""
        count: int = self._db.execute("SELECT count(*) FROM documents").fetchone()[0]
        return count

    def add(self, documents: Iterable[Document]) -> None:
        """Add documents, all or none; one takes the place of an older one of the same id or URL."""
        with self._change():
            for document in documents:
                self._put(document)

    def delete(self, ids: Iterable[str]) -> None:
        """Delete the documents of these records, all or none; unknown ids are left alone."""
        with self._change():
            for record in ids:
                self._remove("record = ?", record)

    def search(self, query: str, limit: int = 10, sites: Iterable[str] = (), since: int | None = None) -> list[Hit]:
        """Return the best pages for the words of `query`, best first, pages of equal text once.

        Args:
            query: in English or Chinese; any of its words may match.
            limit: most hits.
            sites: hosts (with or without "www.") and optional path prefix; only pages below these. () for all.
            since: year; only pages whose own date is not older.
        """
        terms = list(dict.fromkeys(words(query)))[:_TERMS]
        match = " OR ".join(f'"{term}"' for term in terms)
        most, hits = limit * _PER_HIT, list[Hit]()
        with self._db:
            self._db.execute("BEGIN")  # one view of the index, whatever is written meanwhile
            while match and limit > 0:
                rows = self._rows(match, most, tuple(sites), since)
                hits = self._hits(rows, terms, limit)
                if len(hits) == limit or len(rows) < most:
                    break
                most *= 8
        return hits

    def refresh(self, archive: Archive, stop: Callable[[], bool] = lambda: False) -> int:
        """Index what the archive holds by now: of each URL the newest record, if it is a page worth quoting.

        Args:
            archive: what is to be found.
            stop: asked between batches; what is left then is for the next time.

        Returns:
            How many pages the index gained.
        """
        size = str(archive.count())
        if self._meta("records") == size:  # nothing is ever deleted from an archive
            return 0
        newest = {entry.id for entry in archive.newest() if entry.status == 200}
        self.delete([row[0] for row in self._db.execute("SELECT record FROM documents") if row[0] not in newest])
        todo = sorted(newest - {row[0] for row in self._db.execute("SELECT record FROM seen")})
        before = self.count()
        for at in range(0, len(todo), _BATCH):
            if stop():
                return self.count() - before
            batch = todo[at : at + _BATCH]
            documents = [_document(archive, record) for record in batch]
            with self._change():
                for document in filter(None, documents):
                    self._put(document)
                self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?)", [(record,) for record in batch])
        with self._change():
            self._set("records", size)
        return self.count() - before

    @contextmanager
    def _change(self) -> Iterator[None]:
        """Make what is done within the block one transaction."""
        with boundary(ConfigError, "the search index cannot be written"), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            yield

    def _meta(self, name: str) -> str:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def _put(self, document: Document) -> None:
        self._remove("record = ? OR url = ?", document.id, document.url)
        host, path = _place(document.url)
        packed = self._pack.compress(document.text.encode("utf-8", "replace"))
        digest = hashlib.sha256(packed).hexdigest()[:16]
        known = (document.id, document.url, host, path, document.title, document.language, document.date, digest)
        number = self._db.execute("INSERT INTO documents VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*known, packed))
        for start, stop in passages(document.text):
            row = (number.lastrowid, start, stop)
            passage = self._db.execute("INSERT INTO passages VALUES (NULL, ?, ?, ?)", row).lastrowid
            terms = _terms(document.title), _terms(document.text[start:stop])
            self._db.execute("INSERT INTO terms (rowid, title, body) VALUES (?, ?, ?)", (passage, *terms))

    def _remove(self, where: str, *values: str) -> None:
        """Delete documents; a contentless table forgets a row when it is told what stood in it."""
        found = self._db.execute(f"SELECT id, title, text FROM documents WHERE {where}", values).fetchall()
        for number, title, packed in found:
            text = self._unpack.decompress(packed).decode()
            spans = self._db.execute("SELECT id, start, stop FROM passages WHERE document = ?", (number,)).fetchall()
            for passage, start, stop in spans:
                row = (passage, _terms(title), _terms(text[start:stop]))
                self._db.execute("INSERT INTO terms (terms, rowid, title, body) VALUES ('delete', ?, ?, ?)", row)
            self._db.execute("DELETE FROM passages WHERE document = ?", (number,))
            self._db.execute("DELETE FROM documents WHERE id = ?", (number,))

    def _rows(self, match: str, most: int, sites: tuple[str, ...], since: int | None) -> list[tuple[int, int, int]]:
        """Return (document, start, stop) of the best passages, best first."""
        where, values = _filter(sites, since)
        found = self._db.execute(
            "SELECT passages.document, passages.start, passages.stop FROM terms"
            " JOIN passages ON passages.id = terms.rowid JOIN documents ON documents.id = passages.document"
            f" WHERE terms MATCH ? {where} ORDER BY bm25(terms, {_TITLE_WEIGHT}, 1.0), terms.rowid LIMIT ?",
            (match, *values, most),
        )
        return found.fetchall()

    def _hits(self, rows: Iterable[tuple[int, int, int]], terms: list[str], limit: int) -> list[Hit]:
        hits: list[Hit] = []
        documents, texts = set[int](), set[str]()
        for number, start, stop in rows:
            if number in documents or len(hits) == limit:
                continue
            documents.add(number)
            record, url, title, date, digest, packed = self._db.execute(
                "SELECT record, url, title, date, digest, text FROM documents WHERE id = ?", (number,)
            ).fetchone()
            if digest in texts:
                continue
            texts.add(digest)
            said = snippet(self._unpack.decompress(packed).decode()[start:stop], terms)
            hits.append(Hit(url=url, title=title, snippet=said, date=date, engine=ENGINE, page=record))
        return hits


def index_path(archive_path: Path) -> Path:
    """Return where the index of the archive at `archive_path` lies."""
    return archive_path.with_name(f"{archive_path.stem}.index.db")


def main_text(page: Page) -> str:
    """Return the page's main text without menus and footers; the whole text where that leaves nothing."""
    main = [page.markdown[span.start : span.end] for region, span in page.spans if region == "main"]
    return "".join(main).strip() or page.markdown


def passages(text: str) -> Iterator[Span]:
    """Cut `text` at line ends, else sentence ends, into pieces that one statement and what it is about fit into."""
    size, start = _PASSAGE_ZH if is_chinese(text) else _PASSAGE, 0
    while start < len(text):
        stop = start + size
        if stop < len(text):
            ends = (text.rfind(mark, start + size // 2, stop) + len(mark) for mark in _BREAKS)
            stop = next((end for end in ends if end > start + size // 2), stop)
        yield Span(start, min(stop, len(text)))
        start = stop


def _terms(text: str) -> str:
    return " ".join(words(text))


@lru_cache(maxsize=1)
def _words_version() -> str:
    source = inspect.getsource(core_text) + inspect.getsource(passages)
    return hashlib.sha256(source.encode()).hexdigest()[:16]


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.netloc.lower().removeprefix("www."), f"{parts.path.rstrip('/')}/"


def _filter(sites: tuple[str, ...], since: int | None) -> tuple[str, list[str]]:
    """Return SQL that keeps to the sites and the years, and its values."""
    where, values = "", list[str]()
    if sites:
        places = [_place(with_scheme(site)) for site in sites]
        inside = "(documents.host = ? AND substr(documents.path, 1, length(?)) = ?)"
        where += f"AND ({' OR '.join([inside] * len(places))})"
        for host, path in places:
            values += [host, path, path]
    if since is not None:
        where += " AND documents.date >= ?"
        values.append(f"{since:04d}")
    return where, values


def _document(archive: Archive, record_id: str) -> Document | None:
    """Read one record; None when there is nothing in it to quote."""
    try:
        record = archive.record(record_id)
        page = page_of(archive, record) if record else None
    except FetchError:
        return None
    if record is None or page is None or page.kind is not PageKind.CONTENT or page.url.endswith(searchindex.NAME):
        return None
    date = page.date or _http_date(record.headers.get("last-modified", ""))
    return Document(record.id, page.url, page.title, main_text(page), page.language, date)


def _http_date(header: str) -> str:
    try:
        return parsedate_to_datetime(header).date().isoformat()
    except (ValueError, OverflowError):
        return ""
