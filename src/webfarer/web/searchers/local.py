"""Searches the archive on this machine: everything fetched, crawled, imported or read from a folder before.

Sends nothing. What the archive has gained since the last search is indexed first, in a thread, beside the archive's
own file; an archive in memory has its index in memory. `query.sites` bounds the results, hard.
"""

import asyncio
import threading
from pathlib import Path
from typing import ClassVar
from weakref import WeakKeyDictionary

from webfarer.core.config import Settings
from webfarer.core.errors import SearchUnavailable, boundary
from webfarer.core.types import Hit
from webfarer.web.archive import Archive
from webfarer.web.index import Index, index_path
from webfarer.web.searching import Query


class Local:
    """The engine."""

    offline: ClassVar[bool] = True
    needs: ClassVar[str] = ""
    longest: ClassVar[int] = 2000

    def __init__(self) -> None:
        self._in_memory: WeakKeyDictionary[Archive, Index] = WeakKeyDictionary()

    async def find(self, query: Query, settings: Settings, archive: Archive) -> list[Hit]:
        """Return the archived pages for `query`, best first; an empty list when there are none.

        Raises:
            ConfigError: the index cannot be opened or written.
        SearchUnavailable: it cannot be read.
        """
        with boundary(SearchUnavailable, "searching the archive"):
            if archive.path is None:  # such a database belongs to one thread
                if archive not in self._in_memory:
                    self._in_memory[archive] = Index()
                return _search(self._in_memory[archive], archive, query)
            stop = threading.Event()
            try:
                return await asyncio.to_thread(_search_file, archive.path, query, stop)
            finally:
                stop.set()  # a search that is given up must not go on indexing


def _search_file(path: Path, query: Query, stop: threading.Event) -> list[Hit]:
    with Archive(path) as archive, Index(index_path(path)) as index:
        return _search(index, archive, query, stop)


def _search(index: Index, archive: Archive, query: Query, stop: threading.Event | None = None) -> list[Hit]:
    index.refresh(archive, stop.is_set if stop else lambda: False)
    return index.search(query.text, query.results, query.sites, query.since)


engine = Local()
