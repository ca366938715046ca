"""The archive: what is kept comes back unchanged, contents are stored once, and a broken file is refused."""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError, NotReadable
from webfarer.web import archive as archive_module
from webfarer.web.archive import Archive
from webfarer.web.fetch import Response

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
RESPONSES = st.builds(
    Response,
    url=TEXT,
    final_url=TEXT,
    status=st.integers(100, 599),
    headers=st.dictionaries(TEXT, TEXT, max_size=3),
    body=st.binary(max_size=200) | st.sampled_from([b"<p>again</p>" * 200]),
    wire_bytes=st.integers(0, 2**40),
    redirects=st.lists(TEXT, max_size=3).map(tuple),
)


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as opened:
        yield opened


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test sets: the last number is the time."""
    times = [1000.0]
    monkeypatch.setattr(archive_module.time, "time", lambda: times[-1])
    return times


def response(url: str = "http://a.test/", body: bytes = b"hello", status: int = 200) -> Response:
    return Response(url, url, status, {"content-type": "text/html"}, body, len(body))


def blobs(archive: Archive) -> int:
    count: int = archive._db.execute("SELECT count(*) FROM blobs").fetchone()[0]
    return count


@given(st.lists(st.tuples(RESPONSES, st.sampled_from(["", "call-1", "call-2"])), min_size=1, max_size=5))
def test_what_is_kept_comes_back_unchanged(kept: list[tuple[Response, str]]) -> None:
    with Archive() as archive:
        records = [archive.keep(given, call) for given, call in kept]
        for (given_response, _), record in zip(kept, records, strict=True):
            assert archive.record(record.id) == record
            for name in ("url", "final_url", "status", "headers", "body", "wire_bytes", "redirects"):
                assert getattr(record, name) == getattr(given_response, name)
        assert blobs(archive) == len({given_response.body for given_response, _ in kept})


def test_a_file_holds_after_closing_what_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "below" / "archive.db"
    with Archive(path) as first:
        record = first.keep(response())
    with Archive(path) as second:
        assert second.record(record.id) == record
        assert record.content_type == "text/html"


def test_equal_contents_are_stored_once_under_several_records(archive: Archive) -> None:
    records = [archive.keep(response(f"http://a.test/{n}")) for n in range(5)]
    assert len({record.id for record in records}) == 5
    assert len({record.sha256 for record in records}) == blobs(archive) == 1


def test_the_latest_answer_of_a_url_counts(archive: Archive, clock: list[float]) -> None:
    assert archive.latest("http://a.test/") is None
    archive.keep(response(body=b"old"))
    clock.append(2000.0)
    archive.keep(response(body=b"new"))
    clock.append(1500.0)  # a clock that was set back
    archive.keep(response(body=b"between"))
    archive.keep(response("http://b.test/", b"another"))
    latest = archive.latest("http://a.test/")
    assert latest is not None
    assert (latest.body, latest.fetched) == (b"new", 2000.0)


def test_what_a_call_fetched_is_found_by_the_call(archive: Archive) -> None:
    archive.keep(response(body=b"one"), "run-key-0")
    archive.keep(response(body=b"two"), "run-key-1")
    archive.keep(response(body=b"nobody's"))
    found = [archive.of_call(f"run-key-{n}") for n in range(3)]
    assert [record and record.body for record in found] == [b"one", b"two", None]


def test_equal_answers_of_two_calls_in_the_same_millisecond_are_two_records(
    archive: Archive, clock: list[float]
) -> None:
    assert archive.keep(response(), "a").id != archive.keep(response(), "b").id


def test_robots_files_are_kept_per_origin(archive: Archive) -> None:
    assert archive.get("http://a.test") is None
    archive.put("http://a.test", "Disallow: /", 7.0)
    archive.put("http://a.test", "", 8.5)
    assert archive.get("http://a.test") == ("", 8.5)
    assert archive.get("http://b.test") is None


def test_archives_in_memory_are_apart() -> None:
    with Archive() as one, Archive() as two:
        record = one.keep(response())
        assert two.record(record.id) is None


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    Archive(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(ConfigError, match="version 99; this program reads 2"):
        Archive(path)


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"# notes\n" * 100), lambda path: path.mkdir()])
def test_what_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "archive.db"
    make(path)
    with pytest.raises(ConfigError, match=r"archive\.db cannot be opened"):
        Archive(path)
    assert path.is_dir() or path.read_bytes() == b"# notes\n" * 100


def test_a_damaged_body_is_an_error_of_the_tree(archive: Archive) -> None:
    record = archive.keep(response())
    archive._db.execute("UPDATE blobs SET data = x'00112233'")
    with pytest.raises(NotReadable, match=record.id):
        archive.record(record.id)


def test_writers_that_open_a_new_archive_together_lose_nothing(tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def keep_many(number: int) -> None:
        start.wait(20)
        with Archive(tmp_path / "archive.db") as archive:
            for n in range(10):
                archive.keep(response(f"http://a.test/{number}/{n}", b"shared"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep_many, range(4)))
    with Archive(tmp_path / "archive.db") as archive:
        assert all(archive.latest(f"http://a.test/{w}/{n}") for w in range(4) for n in range(10))
        assert blobs(archive) == 1
