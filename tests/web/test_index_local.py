"""The searcher over the archive: what was fetched is found at once, the event loop goes on, and scope is hard."""

import asyncio
import time
from pathlib import Path

import pytest

from webfarer.core.config import load_settings
from webfarer.core.errors import ConfigError
from webfarer.web import index as index_module
from webfarer.web.archive import Archive
from webfarer.web.fetch import Response
from webfarer.web.index import Index, index_path
from webfarer.web.searching import SEARCHERS, Query


def keep(archive: Archive, url: str, text: str) -> str:
    body = f"<!doctype html><html lang=en><title>{text}</title><main><p>{text} opens at nine every day.</p></main>"
    return archive.keep(Response(url, url, 200, {"content-type": "text/html"}, body.encode(), 1)).id


@pytest.fixture(params=["file", "memory"])
def archive(request: pytest.FixtureRequest, tmp_path: Path):
    with Archive(tmp_path / "archive.db" if request.param == "file" else None) as opened:
        yield opened


async def find(archive: Archive, text: str, **options: object) -> list[str]:
    hits = await SEARCHERS.load("local").find(Query(text, **options), load_settings(), archive)
    return [hit.page for hit in hits]


async def test_what_was_kept_a_moment_ago_is_found(archive: Archive) -> None:
    assert SEARCHERS.load("local").offline
    assert await find(archive, "observatory") == []
    first = keep(archive, "https://a.test/1", "The observatory")
    assert await find(archive, "observatory") == [first]
    second = keep(archive, "https://b.test/1", "Another observatory")
    assert set(await find(archive, "observatory")) == {first, second}
    assert await find(archive, "observatory", sites=("b.test",)) == [second]
    assert await find(archive, "observatory", sites=("c.test",)) == []
    assert len(await find(archive, "observatory", results=1)) == 1
    assert await find(archive, "observatory", since=2020) == []


async def test_searches_side_by_side_agree(archive: Archive) -> None:
    ids = {keep(archive, f"https://a.test/{n}", f"The observatory number {n}") for n in range(30)}
    found = await asyncio.gather(*(find(archive, "observatory", results=50) for _ in range(4)))
    assert all(set(pages) == ids for pages in found)


async def test_the_event_loop_goes_on_while_pages_are_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = index_module.page_of
    monkeypatch.setattr(index_module, "page_of", lambda *record: time.sleep(0.02) or read(*record))
    with Archive(tmp_path / "archive.db") as archive:
        for n in range(5):
            keep(archive, f"https://a.test/{n}", f"The observatory number {n}")
        search = asyncio.create_task(find(archive, "observatory"))
        turns = 0
        while not search.done():
            await asyncio.sleep(0)
            turns += 1
        assert len(await search) == 5
    assert turns > 100


async def test_a_search_that_is_given_up_stops_indexing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, read = asyncio.Event(), index_module.page_of
    loop = asyncio.get_running_loop()

    def slow(*record):
        loop.call_soon_threadsafe(reading.set)
        time.sleep(0.001)
        return read(*record)

    monkeypatch.setattr(index_module, "page_of", slow)
    with Archive(tmp_path / "archive.db") as archive:
        for n in range(250):
            keep(archive, f"https://a.test/{n}", f"The observatory number {n}")
        search = asyncio.create_task(find(archive, "observatory"))
        await reading.wait()
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        await loop.shutdown_default_executor()
        with Index(index_path(tmp_path / "archive.db")) as index:
            assert index.count() < 250


async def test_an_index_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "archive.index.db").mkdir()
    with (
        Archive(tmp_path / "archive.db") as archive,
        pytest.raises(ConfigError, match=r"archive\.index\.db cannot be opened"),
    ):
        await find(archive, "observatory")
