"""The search index: what was added is found, what was deleted is not, and a file keeps both however its writer ends."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.core.text import BM25, words
from webfarer.web import index as index_module
from webfarer.web.archive import Archive
from webfarer.web.fetch import Response
from webfarer.web.index import Document, Index, passages
from webfarer.web.snippets import MOST, snippet

RARE = st.text("bcdfghjkmnpqrtvwxz", min_size=5, max_size=9)
COMMON = st.sampled_from(["library", "opens", "garden", "rivers", "图书馆每天开放", "河流很长"])
TEXTS = st.lists(st.lists(COMMON, min_size=1, max_size=40).map(" ".join), min_size=1, max_size=8)


@pytest.fixture
def index() -> Iterator[Index]:
    with Index() as opened:
        yield opened


def document(name: str, text: str, host: str = "a.test", title: str = "Page", date: str = "") -> Document:
    return Document(name, f"https://{host}/{name}", title, text, "en", date)


def consistent(index: Index) -> bool:
    """Ask SQLite whether the postings agree with themselves."""
    index._db.execute("INSERT INTO terms (terms) VALUES ('integrity-check')")
    kept = index._db.execute("SELECT count(*) FROM terms_docsize").fetchone()
    return bool(kept == index._db.execute("SELECT count(*) FROM passages").fetchone())


@given(TEXTS, st.data())
def test_every_document_is_found_by_its_own_word_until_it_is_deleted(texts: list[str], data: st.DataObject) -> None:
    rare = data.draw(st.lists(RARE, min_size=len(texts), max_size=len(texts), unique_by=lambda word: words(word)[0]))
    gone = data.draw(st.sets(st.integers(0, len(texts) - 1)))
    with Index() as index:
        index.add(document(str(n), f"{text} {rare[n]}") for n, text in enumerate(texts))
        for n, word in enumerate(rare):
            assert [hit.page for hit in index.search(word)] == [str(n)]
        index.delete(str(n) for n in gone)
        assert index.count() == len(texts) - len(gone)
        for n, word in enumerate(rare):
            assert [hit.page for hit in index.search(word)] == ([] if n in gone else [str(n)])
        assert consistent(index)


@settings(max_examples=15)
@given(st.lists(st.lists(st.sampled_from([f"term{n}" for n in range(60)]), min_size=4, max_size=30), min_size=12))
def test_the_order_is_that_of_bm25_computed_by_hand(bags: list[list[str]]) -> None:
    bags = list({tuple(bag): bag for bag in bags}.values())  # pages of equal text are shown once
    reference = BM25()
    for bag in bags:
        reference.add([*words("Page"), *words(" ".join(bag))])
    # only what few passages hold: FTS5 gives the words of more than half of them next to no weight
    known = sorted({word for bag in bags for word in bag})
    asked = [word for word in known if sum(word in bag for bag in bags) * 4 <= len(bags)][:3]
    with Index() as index:
        index.add(document(str(n), " ".join(bag)) for n, bag in enumerate(bags))
        for word in asked:
            scores = reference.scores(words(word))
            found = [scores[int(hit.page)] for hit in index.search(word, len(bags))]
            assert found == pytest.approx(sorted((score for score in scores if score > 0), reverse=True))
        if asked:  # its weights of several words differ a little from ours
            scores = reference.scores(words(" ".join(asked)))
            assert scores[int(index.search(" ".join(asked))[0].page)] == pytest.approx(max(scores), rel=0.25)


def test_a_hit_shows_the_passage_that_speaks_for_it(index: Index) -> None:
    filler = "\n\n".join(f"Paragraph {n} tells of the garden and of many other things." for n in range(200))
    text = f"{filler}\n\n## Hours\n\n- The *observatory* opens at `nine`.\n\n{filler}"
    index.add([document("1", text, title="The town"), document("2", "nothing of the kind")])
    (hit,) = index.search("when does the observatory open?")
    assert (hit.page, hit.url, hit.title, hit.engine) == ("1", "https://a.test/1", "The town", "local")
    assert "The observatory opens at nine ." in hit.snippet
    assert len(hit.snippet) <= MOST


def test_titles_are_searched_and_chinese_is(index: Index) -> None:
    index.add([document("1", "some text", title="Observatory"), document("2", "天文台每天上午九点开门。游客很多。")])
    assert [hit.page for hit in index.search("observatory")] == ["1"]
    (hit,) = index.search("天文台几点开门")
    assert hit.page == "2"
    assert "九点开门" in hit.snippet


@pytest.mark.parametrize(
    ("sites", "found"),
    [
        ((), "12345"),
        (("a.test",), "12"),
        (("www.a.test",), "12"),
        (("https://a.test/docs",), "2"),
        (("a.test/doc",), ""),
        (("b.test", "a.test/docs/"), "23"),
        (("x.a.test", "test"), "5"),
        (("a.test:8000",), ""),
        (("_.test", "%"), ""),
    ],
)
def test_sites_are_hard(index: Index, sites: tuple[str, ...], found: str) -> None:
    urls = [
        "https://www.a.test/",
        "http://a.test/docs/x",
        "https://b.test/docs",
        "https://ba.test/",
        "https://x.a.test/",
    ]
    index.add(Document(str(n), url, "", f"observatory {n}") for n, url in enumerate(urls, 1))
    assert "".join(sorted(hit.page for hit in index.search("observatory", sites=sites))) == found


def test_a_year_keeps_only_pages_with_a_date_not_before_it(index: Index) -> None:
    dates = ["2019-12-31", "2020", "2021-05", ""]
    index.add(document(str(n), f"observatory {n}", date=date) for n, date in enumerate(dates))
    assert {hit.page for hit in index.search("observatory", since=2020)} == {"1", "2"}
    assert {hit.date for hit in index.search("observatory")} == set(dates)


def test_many_passages_of_one_page_do_not_crowd_out_the_others(index: Index) -> None:
    index.add(
        [
            document("long", "The observatory is an observatory.\n" * 5000),
            document("short", f"observatory {'x ' * 200}"),
        ]
    )
    assert {hit.page for hit in index.search("observatory", limit=2)} == {"long", "short"}


def test_a_page_read_again_takes_the_place_of_the_older(index: Index) -> None:
    index.add([document("1", "the old observatory")])
    index.add([Document("2", "https://a.test/1", "", "the new museum")])
    assert index.search("observatory") == []
    assert [hit.page for hit in index.search("museum")] == ["2"]
    assert index.count() == 1
    assert consistent(index)


def test_nothing_to_ask_for_finds_nothing(index: Index) -> None:
    index.add([document("1", "the observatory")])
    for query in ("", "of the", '" OR *', "NEAR(", "observatory AND NOT"):
        assert len(index.search(query)) <= ("observatory" in query)
    assert index.search("observatory", limit=0) == []


@given(st.text(max_size=400))
def test_any_query_and_any_text_will_do(text: str) -> None:
    with Index() as index:
        index.add([document("1", text)])
        assert len(index.search(text)) <= 1
        index.delete(["1"])
        assert index.search(text) == []
        assert consistent(index)


@given(st.text(st.sampled_from("ab. \n。河"), max_size=5000))
def test_passages_cover_the_text_in_order(text: str) -> None:
    spans = list(passages(text))
    assert "".join(text[start:stop] for start, stop in spans) == text
    assert all(0 < stop - start <= 1000 for start, stop in spans)


@given(st.text(max_size=2000), st.lists(st.text(max_size=5), max_size=5))
def test_a_snippet_is_short_and_on_one_line(passage: str, terms: list[str]) -> None:
    said = snippet(passage, terms)
    assert len(said) <= MOST
    assert "\n" not in said


def test_a_file_keeps_what_was_added_and_two_readers_see_it(tmp_path: Path) -> None:
    path = tmp_path / "below" / "index.db"
    with Index(path) as writer, Index(path) as reader:
        writer.add([document("1", "the observatory")])
        assert [hit.page for hit in reader.search("observatory")] == ["1"]
    with Index(path) as again:
        assert [hit.page for hit in again.search("observatory")] == ["1"]


def test_writers_that_open_a_new_index_together_lose_nothing(tmp_path: Path) -> None:
    start = threading.Barrier(4)

    def write(number: int) -> None:
        start.wait(20)
        with Index(tmp_path / "index.db") as index:
            for n in range(3):
                index.add([document(f"{number}-{n}", f"observatory {number}-{n}")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    with Index(tmp_path / "index.db") as index:
        assert len(index.search("observatory", limit=20)) == 12
        assert consistent(index)


def test_readers_go_on_while_a_writer_writes(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with Index(path) as index:
        index.add(document(str(n), f"observatory {n}") for n in range(20))
    ended = threading.Event()
    counts: list[int] = []

    def read() -> None:
        with Index(path) as reader:
            while not ended.is_set():
                counts.append(len(reader.search("observatory", limit=100)))

    thread = threading.Thread(target=read)
    thread.start()
    with Index(path) as writer:
        for batch in range(5):
            writer.add(document(f"{batch}-{n}", f"observatory {batch}-{n}") for n in range(20))
    ended.set()
    thread.join()
    assert set(counts) <= {20, 40, 60, 80, 100}  # a batch is seen whole or not at all


KILLED = """
    import sys
    from pathlib import Path
    from webfarer.web.index import Document, Index
    with Index(Path(sys.argv[1])) as index:
        for batch in range(10_000):
            names = [f"{batch}-{n}" for n in range(20)]
            texts = [f"observatory {name} " + "filler " * 300 for name in names]
            index.add(Document(n, f"https://a.test/{n}", "", text) for n, text in zip(names, texts))
            print(batch, flush=True)
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    for last in (1, 4):
        program = [sys.executable, "-c", textwrap.dedent(KILLED).replace("{batch}-", f"{last}.{{batch}}-"), str(path)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                if int(line) >= last:
                    break
            os.kill(writer.pid, signal.SIGKILL)
    with Index(path) as index:
        assert index.count() >= 20 * (2 + 5)
        assert index.count() % 20 == 0
        assert consistent(index)
        assert index.search("observatory")[0].page


def test_an_index_of_other_words_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "index.db"
    with Index(path) as index:
        index.add([document("1", "the observatory")])
    monkeypatch.setattr(index_module, "_words_version", lambda: "another")
    with Index(path) as index:
        assert index.count() == 0
        index.add([document("2", "the observatory")])
        assert consistent(index)


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    path.write_bytes(b"# notes\n" * 100)
    with pytest.raises(ConfigError, match="may be deleted"):
        Index(path)


def page(title: str, text: str) -> bytes:
    return f"<!doctype html><html lang=en><title>{title}</title><main><h1>{title}</h1><p>{text}</p></main>".encode()


def keep(archive: Archive, url: str, body: bytes, status: int = 200, fetched: float = 1.0) -> str:
    response = Response(url, url, status, {"content-type": "text/html"}, body, len(body))
    return archive.keep(response, fetched=fetched).id


def test_refreshing_follows_the_archive(index: Index) -> None:
    with Archive() as archive:
        keep(archive, "https://a.test/1", page("One", "The observatory opens at nine o'clock."))
        keep(archive, "https://a.test/2", page("Two", "The museum opens at ten o'clock."))
        keep(archive, "https://a.test/error", page("Sorry", "The observatory page does not exist."), 404)
        keep(archive, "https://a.test/picture", b"\x89PNG\r\n" + b"\0" * 100)
        assert index.refresh(archive) == 2
        assert index.refresh(archive) == 0
        assert [hit.url for hit in index.search("observatory")] == ["https://a.test/1"]
        newer = keep(archive, "https://a.test/1", page("One", "The aquarium opens at nine o'clock."), fetched=2.0)
        keep(archive, "https://a.test/2", page("Gone", "This page does not exist any more."), 410, 2.0)
        keep(archive, "https://a.test/1", page("Busy", "Come back later, please, we are busy."), 503, 3.0)
        keep(archive, "https://a.test/1", page("Old", "The planetarium opens at nine o'clock."), fetched=0.5)
        index.refresh(archive)
        assert [hit.page for hit in index.search("observatory museum aquarium planetarium")] == [newer]
        assert index.count() == 1


def test_refreshing_can_be_broken_off_and_taken_up_again(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_BATCH", 3)
    with Archive() as archive:
        for n in range(10):
            keep(archive, f"https://a.test/{n}", page(f"Page {n}", f"The observatory number {n} opens at nine."))
        answers = iter([False, False, True])
        assert index.refresh(archive, lambda: next(answers)) == 6
        assert index.refresh(archive) == 4
        assert len(index.search("observatory", limit=20)) == 10


def test_menus_and_footers_are_not_searched(index: Index) -> None:
    with Archive() as archive:
        body = (
            b"<!doctype html><html lang=en><title>T</title><nav><a href=/x>Observatory</a></nav><main><p>%s</p></main>"
        )
        keep(archive, "https://a.test/1", body % (b"The museum opens at ten o'clock on most days of the year. " * 5))
        index.refresh(archive)
    assert index.search("observatory") == []
    assert len(index.search("museum")) == 1


def test_two_pages_of_equal_text_are_one_hit(index: Index) -> None:
    index.add([document("1", "the observatory"), document("2", "the observatory", host="b.test")])
    assert len(index.search("observatory")) == 1


def test_a_database_without_full_text_search_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_SCHEMA", index_module._SCHEMA.replace("fts5", "no_such_module"))
    with pytest.raises(ConfigError, match="no_such_module"):
        Index()
