"""A folder as a website: every file with text becomes a page, and nothing outside the folder ever does."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.config import load_settings
from webfarer.core.errors import ArchiveMiss, ConfigError, HttpStatus
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.corpus import Corpus, display_name, in_corpus, ingest, site_of
from webfarer.web.guard import canonical_url
from webfarer.web.index import Index
from webfarer.web.searchers.local import engine
from webfarer.web.searching import Query

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: not name.startswith(".")
)


def html(title: str, text: str, link: str = "") -> str:
    main = f"<h1>{title}</h1><p>{text}</p><a href='{link}'>On</a>"
    return f"<!doctype html><html lang=en><title>{title}</title><main>{main}</main></html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    top = tmp_path / "My Docs"
    (top / "guide").mkdir(parents=True)
    (top / "guide" / "index.html").write_text(html("Guide", "The observatory opens at nine.", "intro.html"))
    (top / "guide" / "intro.html").write_text(html("Intro", "The museum opens at ten.", "../notes.md"))
    (top / "notes.md").write_text("# Notes\n\nThe aquarium opens at eleven o'clock every day.\n")
    (top / "README").write_text("The planetarium opens at noon on every day of the year.\n")
    return top


@pytest.fixture
def archive(tmp_path: Path):
    with Archive(tmp_path / "archive.db") as opened:
        yield opened


async def found(archive: Archive, words: str, corpus: Corpus) -> list[str]:
    hits = await engine.find(Query(words, sites=(site_of(corpus),)), load_settings(), archive)
    return [display_name(hit.url) for hit in hits]


async def test_a_folder_is_searched_like_a_site(archive: Archive, folder: Path) -> None:
    corpus = ingest(archive, folder)
    assert corpus.host.startswith("my-docs-")
    assert corpus.host.endswith(".corpus.invalid")
    assert sorted(map(display_name, corpus.urls)) == [
        *("my-docs/README", "my-docs/guide/", "my-docs/guide/index.html", "my-docs/guide/intro.html"),
        "my-docs/notes.md",
    ]
    assert all(map(in_corpus, corpus.urls))
    assert await found(archive, "planetarium", corpus) == ["my-docs/README"]
    assert await found(archive, "aquarium", corpus) == ["my-docs/notes.md"]
    assert len(await found(archive, "observatory", corpus)) == 1  # the folder and its index file are one page


async def test_links_between_files_lead_to_files(archive: Archive, folder: Path) -> None:
    corpus = ingest(archive, folder)
    settings = load_settings(archive="replay")
    async with Web(settings, archive) as web:
        run = Run("run", Trace.create())
        guide = await web.open(run, f"https://{corpus.host}/guide/")
        intro = await web.open(run, guide.links[0].url)
        notes = await web.open(run, intro.links[0].url)
    assert [page.title for page in (guide, intro)] == ["Guide", "Intro"]
    assert "aquarium" in notes.markdown
    files = [corpus.file(page.url) for page in (guide, intro, notes)]
    assert files == [folder / "guide/index.html", folder / "guide/intro.html", folder / "notes.md"]
    assert corpus.file("https://a.test/notes.md") is None
    assert corpus.file(f"https://{corpus.host}/../../etc/passwd") is None


async def test_a_file_is_opened_in_every_mode_and_never_fetched(archive: Archive, folder: Path) -> None:
    corpus = ingest(archive, folder)
    for mode in ("live", "record", "replay"):
        async with Web(load_settings(archive=mode), archive) as web:
            run = Run(mode, Trace.create())
            assert (await web.open(run, corpus.urls[0])).id == corpus.pages[0]
            with pytest.raises(ArchiveMiss):
                await web.open(run, f"https://{corpus.host}/missing")
            assert run.ledger.fare.bytes == 0


def test_what_has_not_changed_is_not_kept_again(archive: Archive, folder: Path) -> None:
    first = ingest(archive, folder)
    records = archive.count()
    assert ingest(archive, folder) == first
    os.utime(folder / "notes.md", ns=(1, 1))  # touched, and the same
    assert ingest(archive, folder) == first
    assert archive.count() == records
    (folder / "notes.md").write_text("The aviary opens at two o'clock every single day.\n")
    second = ingest(archive, folder)
    assert archive.count() == records + 1
    assert [url for url, old, new in zip(first.urls, first.pages, second.pages, strict=True) if old != new] == [
        f"https://{first.host}/notes.md"
    ]


async def test_a_file_that_is_gone_is_found_no_more_and_may_come_back(archive: Archive, folder: Path) -> None:
    corpus = ingest(archive, folder)
    text = (folder / "notes.md").read_text()
    page = corpus.pages[corpus.urls.index(f"https://{corpus.host}/notes.md")]
    (folder / "notes.md").unlink()
    assert f"https://{corpus.host}/notes.md" not in ingest(archive, folder).urls
    assert await found(archive, "aquarium", corpus) == []
    assert archive.record(page) is not None  # what was cited can still be checked
    async with Web(load_settings(archive="replay"), archive) as web:
        with pytest.raises(HttpStatus, match="410"):
            await web.open(Run("run", Trace.create()), f"https://{corpus.host}/notes.md")
    records = archive.count()
    ingest(archive, folder)
    assert archive.count() == records
    (folder / "notes.md").write_text(text)
    ingest(archive, folder)
    assert await found(archive, "aquarium", corpus) == ["my-docs/notes.md"]


def test_hidden_large_textless_and_outside_files_are_left_out(archive: Archive, folder: Path) -> None:
    outside = folder.parent / "secret.txt"
    outside.write_text("The password is written here.\n")
    (folder / ".env").write_text("KEY=1\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("hidden\n")
    (folder / "large.txt").write_text("x" * 2000)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n")
    (folder / "program").write_bytes(b"\x7fELF\0\0")
    (folder / "out.txt").symlink_to(outside)
    (folder / "up").symlink_to(folder.parent)
    (folder / "circle").symlink_to(folder)
    (folder / "inside.md").symlink_to(folder / "notes.md")
    corpus = ingest(archive, folder, max_bytes=1000)
    names = {display_name(url).removeprefix("my-docs/") for url in corpus.urls}
    assert names == {"README", "guide/", "guide/index.html", "guide/intro.html", "inside.md", "notes.md"}
    assert corpus.skipped == 3


def test_a_folder_that_cannot_be_taken_is_refused(archive: Archive, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, why in (
        (folder / "notes.md", "no folder"),
        (tmp_path / "missing", "no folder"),
        (tmp_path / "empty", "text"),
    ):
        with pytest.raises(ConfigError, match=why):
            ingest(archive, path)


def test_folders_of_one_name_are_apart(archive: Archive, tmp_path: Path) -> None:
    hosts = set()
    for place in ("a", "b"):
        (tmp_path / place / "文档").mkdir(parents=True)
        (tmp_path / place / "文档" / "x.txt").write_text("The observatory opens at nine.")
        hosts.add(ingest(archive, tmp_path / place / "文档").host)
    assert len(hosts) == 2
    assert all(host.startswith("folder-") for host in hosts)


@given(st.lists(NAMES, min_size=1, max_size=3), st.sampled_from([".txt", ".html", ".md", ""]))
def test_any_name_makes_a_url_that_leads_back_to_the_file(
    tmp_path_factory: pytest.TempPathFactory, names, ending
) -> None:
    top = tmp_path_factory.mktemp("docs")
    path = Path(top, *names[:-1], names[-1] + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("The observatory opens at nine.")
    with Archive() as archive:
        corpus = ingest(archive, top)
        assert {corpus.file(url) for url in corpus.urls} == {path}
        assert all(canonical_url(url) == url for url in corpus.urls)
        with Index() as index:
            index.refresh(archive)
            assert len(index.search("observatory", sites=(site_of(corpus),))) == 1
