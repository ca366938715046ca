"""The archive: every body fetched, kept and content-addressed, so that a citation can be checked years later.

One SQLite file (WAL). A record is one answer of a server; its body lies once per content as a zstd blob. A commit is
made before the fetch counts as done, so a process killed at any moment finds what it paid for. Not a cache with
expiry: nothing is ever deleted here.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import zstandard

from webfarer.core.errors import ConfigError, NotReadable, boundary
from webfarer.web.database import connect
from webfarer.web.fetch import Response

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blobs (sha256 TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records (
  id TEXT PRIMARY KEY, url TEXT NOT NULL, final_url TEXT NOT NULL, status INTEGER NOT NULL, headers TEXT NOT NULL,
  redirects TEXT NOT NULL, sha256 TEXT NOT NULL REFERENCES blobs, fetched REAL NOT NULL, wire_bytes INTEGER NOT NULL,
  call TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_url ON records (url, fetched);
CREATE INDEX IF NOT EXISTS records_by_call ON records (call) WHERE call != '';
CREATE TABLE IF NOT EXISTS robots (origin TEXT PRIMARY KEY, text TEXT NOT NULL, fetched REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts (
  sha256 TEXT NOT NULL, reader TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (sha256, reader)
) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
_VERSION = 2  # 1 had no texts


Packed = tuple[Any, ...]
"""A record as it lies in the file, its body packed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One archived answer.

    Attributes:
        id: 16 hex digits made of all the others and the call; the page id that citations carry.
        url: the URL asked for; `final_url` the one that answered.
        fetched: Unix time.
        body: decoded bytes; `sha256` is theirs.
        wire_bytes: what it cost to receive.
    """

    id: str
    url: str
    final_url: str
    status: int
    headers: dict[str, str]
    redirects: tuple[str, ...]
    sha256: str
    fetched: float
    wire_bytes: int
    body: bytes

    @property
    def content_type(self) -> str:
        """The Content-Type header, or ""."""
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Entry:
    """A record without its body and headers."""

    id: str
    url: str
    final_url: str
    status: int
    fetched: float


class Archive:
    """The archive at `path` (in memory for None). Also the store of robots.txt files (a RobotsCache)."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        try:
            self._db = connect(path)
            self._prepare(path)
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"the archive {path} cannot be opened: {error}") from error
        self._pack = zstandard.ZstdCompressor(level=3)
        self._unpack = zstandard.ZstdDecompressor()

    def _prepare(self, path: Path | None) -> None:
        try:
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, 1, _VERSION):
                raise ConfigError(f"{path}: archive version {version}; this program reads {_VERSION}")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, ConfigError):
            self._db.close()
            raise

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
        """Return the number of records."""
        count: int = self._db.execute("SELECT count(*) FROM records").fetchone()[0]
        return count

    def keep(self, response: Response, call: str = "", *, fetched: float | None = None) -> Record:
        """Keep an answer. Committed when this returns; the same answer at the same time is kept once.

        Args:
            response: the answer.
            call: id of the call that fetched it.
            fetched: Unix time; now for None.

        Raises:
            ConfigError: it cannot be written (no space left, say).
        """
        fetched = round(time.time() if fetched is None else fetched, 6)
        sha = hashlib.sha256(response.body).hexdigest()
        row = (
            response.url,
            response.final_url,
            response.status,
            json.dumps(response.headers),
            json.dumps(response.redirects),
            sha,
            fetched,
            response.wire_bytes,
            call,
        )
        record_id = hashlib.sha256(json.dumps(row).encode()).hexdigest()[:16]
        with boundary(ConfigError, "the archive cannot be written"), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (sha, self._pack.compress(response.body)))
            self._db.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (record_id, *row))
        found = self.record(record_id)
        assert found is not None
        return found

    def record(self, record_id: str) -> Record | None:
        """Return the record of that id.

        Raises:
            NotReadable: its body is damaged; `latest` and `of_call` raise it too.
        """
        return self._one("id = ?", record_id)

    def latest(self, url: str) -> Record | None:
        """Return the newest record of the URL asked for."""
        return self._one("url = ? ORDER BY fetched DESC LIMIT 1", url)

    def of_call(self, call: str) -> Record | None:
        """Return what the call of that id fetched, if it came so far before its process died."""
        return self._one("call = ? ORDER BY fetched DESC LIMIT 1", call)

    def _one(self, where: str, value: str) -> Record | None:
        row = self._db.execute(
            "SELECT id, url, final_url, status, headers, redirects, records.sha256, fetched, wire_bytes, data"
            f" FROM records JOIN blobs ON blobs.sha256 = records.sha256 WHERE {where}",
            (value,),
        ).fetchone()
        if row is None:
            return None
        record_id, asked, final_url, status, headers, redirects, sha, fetched, wire_bytes, data = row
        try:
            body = self._unpack.decompress(data)
        except zstandard.ZstdError as error:
            raise NotReadable(f"the archive's record {record_id} is damaged: {error}", record=record_id) from error
        moves = tuple(json.loads(redirects))
        return Record(record_id, asked, final_url, status, json.loads(headers), moves, sha, fetched, wire_bytes, body)

    def packed(self, record_ids: Iterable[str]) -> list[Packed]:
        """Return records with their bodies for another archive to :meth:`take`; ids that are none are left out."""
        rows = (
            self._db.execute(
                "SELECT records.*, data FROM records JOIN blobs ON blobs.sha256 = records.sha256 WHERE id = ?", (each,)
            ).fetchone()
            for each in record_ids
        )
        return [row for row in rows if row]

    def take(self, packed: Iterable[Packed]) -> None:
        """Keep what :meth:`packed` of another archive gave, under the same ids.

        Raises:
            ConfigError: it cannot be written.
        """
        with boundary(ConfigError, "the archive cannot be written"), self._db:
            self._db.execute("BEGIN IMMEDIATE")
            for *row, data in packed:
                self._db.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (row[6], data))
                self._db.execute("INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def keep_text(self, sha256: str, reader: str, text: str) -> None:
        """Keep what `reader` ("pdf/1") made of the body `sha256`: its offsets must not move when the reader changes."""
        with boundary(ConfigError, "the archive cannot be written"):
            packed = self._pack.compress(text.encode("utf-8", "replace"))
            self._db.execute("INSERT OR REPLACE INTO texts VALUES (?, ?, ?)", (sha256, reader, packed))

    def text(self, sha256: str, reader: str) -> str | None:
        """Return what :meth:`keep_text` kept."""
        row = self._db.execute("SELECT data FROM texts WHERE sha256 = ? AND reader = ?", (sha256, reader)).fetchone()
        return self._unpack.decompress(row[0]).decode() if row else None

    def ids(self) -> list[str]:
        """Return the ids of all records, oldest first."""
        return [row[0] for row in self._db.execute("SELECT id FROM records ORDER BY fetched, id")]

    def entries(self) -> Iterator[Entry]:
        """Yield all records, oldest first."""
        for row in self._db.execute("SELECT id, url, final_url, status, fetched FROM records ORDER BY fetched, id"):
            yield Entry(*row)

    def newest(self) -> Iterable[Entry]:
        """Return of each URL that answered the newest record; failures that may have passed do not count."""
        passing = (408, 425, 429)
        lasting = (entry for entry in self.entries() if entry.status < 500 and entry.status not in passing)
        return {entry.final_url: entry for entry in lasting}.values()

    def stored(self) -> tuple[int, int]:
        """Return how many different bodies are kept, and their bytes as they lie in the file."""
        count, size = self._db.execute("SELECT count(*), coalesce(sum(length(data)), 0) FROM blobs").fetchone()
        return count, size

    def get(self, origin: str) -> tuple[str, float] | None:
        """Return the robots.txt of `origin` and the Unix time it was fetched (RobotsCache)."""
        row = self._db.execute("SELECT text, fetched FROM robots WHERE origin = ?", (origin,)).fetchone()
        return (row[0], row[1]) if row else None

    def put(self, origin: str, text: str, fetched: float) -> None:
        """Keep the robots.txt of `origin` (RobotsCache)."""
        self._db.execute("INSERT OR REPLACE INTO robots VALUES (?, ?, ?)", (origin, text, fetched))
