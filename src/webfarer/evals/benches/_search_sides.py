"""The engines that are compared, each behind the same few methods: they get terms, and rank what holds any of them.

All see the same terms of the same passages with k1 = 1.2 and b = 0.75; of several passages of a page the best counts.
The last side is the index as it is used: it cuts, finds the terms, keeps the text and writes snippets as well.
"""

import importlib
import pickle
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from webfarer.core.text import words
from webfarer.evals.benches._search_texts import Text
from webfarer.web.index import Document, Index

K1, B = 1.2, 0.75
HITS = 10
_PASSAGES = HITS * 6
_HEAP = 100_000_000


class Side(ABC):
    """One engine, with its files in `folder`; `open` comes after `build`.

    Attributes:
        package: what must be installed for it, or "".
    """

    name: ClassVar[str]
    package: ClassVar[str] = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def build(self, texts: Sequence[Text]) -> None:
        """Index the texts and write the index to the folder."""

    @abstractmethod
    def open(self) -> None:
        """Read the index from the folder."""

    @abstractmethod
    def find(self, query: str) -> list[str]:
        """Return the URLs of the best pages."""


class ChangingSide(Side):
    """An engine whose index can change; the others index everything anew."""

    @abstractmethod
    def add(self, texts: Sequence[Text]) -> None:
        """Add pages."""

    @abstractmethod
    def delete(self, urls: Sequence[str]) -> None:
        """Delete pages."""


def first_pages(urls: Iterable[str]) -> list[str]:
    """Return the first different URLs."""
    return list(dict.fromkeys(urls))[:HITS]


class Fts5(ChangingSide):
    """SQLite's own full-text search, bare."""

    name = "SQLite FTS5"

    def build(self, texts: Sequence[Text]) -> None:
        """See Side."""
        self.open()
        self._db.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE pages (id INTEGER PRIMARY KEY, url TEXT);"
            "CREATE INDEX by_url ON pages (url);"
            """CREATE VIRTUAL TABLE terms USING fts5(body, tokenize="ascii tokenchars '_'");"""
        )
        self.add(texts)
        self._db.close()

    def open(self) -> None:
        """See Side."""
        self._db = sqlite3.connect(self.folder / "fts5.db", isolation_level=None)
        self._db.execute("PRAGMA synchronous = NORMAL")

    def find(self, query: str) -> list[str]:
        """See Side."""
        match = " OR ".join(f'"{term}"' for term in dict.fromkeys(words(query)))
        rows = self._db.execute(
            "SELECT url FROM terms JOIN pages ON pages.id = terms.rowid WHERE terms MATCH ?"
            " ORDER BY bm25(terms) LIMIT ?",
            (match, _PASSAGES),
        )
        return first_pages(row[0] for row in rows)

    def add(self, texts: Sequence[Text]) -> None:
        """See Side."""
        self._db.execute("BEGIN IMMEDIATE")
        for text in texts:
            for terms in self.units(text):
                number = self._db.execute("INSERT INTO pages VALUES (NULL, ?)", (text.url,)).lastrowid
                self._db.execute("INSERT INTO terms (rowid, body) VALUES (?, ?)", (number, terms))
        self._db.execute("COMMIT")

    def delete(self, urls: Sequence[str]) -> None:
        """See Side."""
        self._db.execute("BEGIN IMMEDIATE")
        for url in urls:
            self._db.execute("DELETE FROM terms WHERE rowid IN (SELECT id FROM pages WHERE url = ?)", (url,))
            self._db.execute("DELETE FROM pages WHERE url = ?", (url,))
        self._db.execute("COMMIT")

    def units(self, text: Text) -> tuple[str, ...]:
        """Return what is indexed of a page: its passages."""
        return text.passages


class Fts5Pages(Fts5):
    """The same with whole pages instead of passages."""

    name = "SQLite FTS5, whole pages"

    def units(self, text: Text) -> tuple[str, ...]:
        """Return the page in one piece."""
        return (" ".join(text.passages),)


class Tantivy(ChangingSide):
    """The engine in Rust that is modelled on Lucene."""

    name = "tantivy"
    package = "tantivy"

    def build(self, texts: Sequence[Text]) -> None:
        """See Side."""
        lib: Any = importlib.import_module(self.package)
        schema = lib.SchemaBuilder()
        schema.add_text_field("url", stored=True, tokenizer_name="raw")
        schema.add_text_field("body", tokenizer_name="whitespace", index_option="freq")
        lib.Index(schema.build(), path=str(self.folder))
        self.open()
        self.add(texts)

    def open(self) -> None:
        """See Side."""
        self._lib: Any = importlib.import_module(self.package)
        self._index = self._lib.Index.open(str(self.folder))

    def find(self, query: str) -> list[str]:
        """See Side."""
        make, some, schema = self._lib.Query, self._lib.Occur.Should, self._index.schema
        terms = [(some, make.term_query(schema, "body", term)) for term in dict.fromkeys(words(query))]
        searcher = self._index.searcher()
        found = searcher.search(make.boolean_query(terms), _PASSAGES).hits
        return first_pages(searcher.doc(address)["url"][0] for _, address in found)

    def add(self, texts: Sequence[Text]) -> None:
        """See Side."""
        writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        for text in texts:
            for terms in text.passages:
                writer.add_document(self._lib.Document(url=text.url, body=terms))
        self._commit(writer)

    def delete(self, urls: Sequence[str]) -> None:
        """See Side."""
        writer = self._index.writer(heap_size=_HEAP, num_threads=1)
        for url in urls:
            writer.delete_documents_by_term("url", url)
        self._commit(writer)

    def _commit(self, writer: Any) -> None:
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()


class Bm25s(Side):
    """A matrix of scores that are worked out beforehand."""

    name = "bm25s"
    package = "bm25s"

    def build(self, texts: Sequence[Text]) -> None:
        """See Side."""
        lib: Any = importlib.import_module(self.package)
        matrix = lib.BM25(k1=K1, b=B, method="lucene")
        matrix.index([terms.split() for text in texts for terms in text.passages], show_progress=False)
        matrix.save(str(self.folder), show_progress=False)
        urls = [text.url for text in texts for _ in text.passages]
        (self.folder / "urls").write_text("\n".join(urls))
        self.open()

    def open(self) -> None:
        """See Side."""
        self._matrix = importlib.import_module(self.package).BM25.load(str(self.folder))
        self._urls = (self.folder / "urls").read_text().split("\n")

    def find(self, query: str) -> list[str]:
        """See Side."""
        known = [term for term in dict.fromkeys(words(query)) if term in self._matrix.vocab_dict]
        if not known:
            return []
        most = min(_PASSAGES, len(self._urls))
        numbers, _ = self._matrix.retrieve([known], k=most, show_progress=False)
        return first_pages(self._urls[int(number)] for number in numbers[0])


class RankBm25(Side):
    """BM25 in Python and numpy; every passage is scored for every query."""

    name = "rank_bm25"
    package = "rank_bm25"

    def build(self, texts: Sequence[Text]) -> None:
        """See Side."""
        lib: Any = importlib.import_module(self.package)
        made = lib.BM25Okapi([terms.split() for text in texts for terms in text.passages], k1=K1, b=B)
        urls = [text.url for text in texts for _ in text.passages]
        (self.folder / "pickled").write_bytes(pickle.dumps((made, urls)))
        self._ranker, self._urls = made, urls

    def open(self) -> None:
        """See Side."""
        self._ranker, self._urls = pickle.loads((self.folder / "pickled").read_bytes())

    def find(self, query: str) -> list[str]:
        """See Side."""
        scores = self._ranker.get_scores(list(dict.fromkeys(words(query))))
        best = scores.argsort()[::-1][:_PASSAGES]
        return first_pages(self._urls[int(number)] for number in best)


class Shipped(ChangingSide):
    """The index of this package, from text to snippets."""

    name = "webfarer"

    def build(self, texts: Sequence[Text]) -> None:
        """See Side."""
        self.open()
        for at in range(0, len(texts), 100):
            self.add(texts[at : at + 100])
        self._index.close()

    def open(self) -> None:
        """See Side."""
        self._index = Index(self.folder / "index.db")

    def find(self, query: str) -> list[str]:
        """See Side."""
        return [hit.url for hit in self._index.search(query, HITS)]

    def add(self, texts: Sequence[Text]) -> None:
        """See Side."""
        self._index.add(Document(text.url, text.url, text.title, text.text) for text in texts)

    def delete(self, urls: Sequence[str]) -> None:
        """See Side."""
        self._index.delete(urls)


SIDES: tuple[type[Side], ...] = (Shipped, Fts5, Fts5Pages, Tantivy, Bm25s, RankBm25)
