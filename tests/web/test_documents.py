"""PDF and office files as pages: what is read, what is kept, and what is said when nothing can be read."""

import asyncio
from collections.abc import Iterator

import pytest
from aiohttp import web as server
from document_kit import DRAFT, URL, office, record, scan

from webfarer.core.config import Settings, WebSettings
from webfarer.core.errors import NotReadable, TooLarge
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.evals.benches._read_documents import Draft, make_docx, make_pdf, make_pptx, make_xlsx
from webfarer.web import documents
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.documents import page_of, prepare
from webfarer.web.extract import read_page
from webfarer.web.fetch import Response
from webfarer.worlds.server import listen

TABLE = "| Item | Amount |\n| --- | --- |\n| Rent | 120 |\n| Food | 3.5 |"


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Archive() as opened:
        yield opened


def test_a_pdf_has_a_heading_for_each_page_and_its_paragraphs_whole(archive: Archive) -> None:
    page = page_of(archive, record(archive, make_pdf(DRAFT)))
    assert (page.title, page.date, page.language, page.url) == ("Annual report", "2024-02-29", "en", URL)
    assert page.markdown.startswith("## Page 1\n\n" + DRAFT.paragraphs[0])
    assert "\n\n## Page 2\n\n" + DRAFT.paragraphs[6] in page.markdown
    assert all(text in page.markdown for text in DRAFT.paragraphs)
    assert "Rent 120" in page.markdown
    (link,) = page.links
    assert (link.url, link.label, link.heading) == ("https://other.example/a", "our site", "Page 2")
    assert page.markdown[link.at :].startswith("our site")


def test_a_word_file_keeps_table_and_link(archive: Archive) -> None:
    page = page_of(archive, record(archive, make_docx(DRAFT), "application/zip"))
    assert (page.title, page.date) == ("Annual report", "2024-02-29")
    assert page.markdown.startswith("# Annual report\n\n" + "\n\n".join(DRAFT.paragraphs))
    assert TABLE in page.markdown
    assert [(link.url, link.label) for link in page.links] == [("https://other.example/a", "our site")]


def test_a_workbook_is_a_table_for_each_sheet(archive: Archive) -> None:
    page = page_of(archive, record(archive, make_xlsx(DRAFT, "Costs & more"), "application/octet-stream"))
    assert page.markdown == f"## Costs & more\n\n{TABLE}"


def test_slides_have_titles_points_tables_and_links(archive: Archive) -> None:
    page = page_of(archive, record(archive, make_pptx(DRAFT)))
    assert page.markdown.startswith(f"## Slide 1: Part 1\n\n{DRAFT.paragraphs[0]}\n\n## Slide 2: Part 2")
    assert TABLE in page.markdown
    assert page.links[0].url == "https://other.example/a"


def test_links_that_are_not_of_the_web_are_text(archive: Archive) -> None:
    draft = Draft(paragraphs=["See what there is to see."], link=("run me", "javascript:alert(1)"))
    page = page_of(archive, record(archive, make_docx(draft)))
    assert "run me" in page.markdown
    assert page.links == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (scan(), "is a scan.*OCR"),
        (make_pdf(Draft()), "the PDF holds no text"),
        (make_pdf(DRAFT)[:-900].replace(b"obj", b"job"), "damaged"),
        (office({"word/document.xml": b"<w:document"}), "damaged"),
        (make_xlsx(Draft()), "holds no text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted, or older than 2007"),
    ],
)
def test_what_cannot_be_read_says_why(archive: Archive, body: bytes, says: str) -> None:
    kept = record(archive, body, "application/pdf")
    with pytest.raises(NotReadable, match=says):
        page_of(archive, kept)
    assert archive.text(kept.sha256, "pdf/1") is None


def test_an_encrypted_pdf_says_so(archive: Archive) -> None:
    draft = make_pdf(DRAFT)
    encrypt = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O (%s) /U (%s) /P -4 >> /ID [(a)(b)] /Info" % (
        b"o" * 32,
        b"u" * 32,
    )
    with pytest.raises(NotReadable, match="encrypted and opens only with a password"):
        page_of(archive, record(archive, draft.replace(b"/Info", encrypt)))


def test_the_text_once_read_stays(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the libraries make of the bytes in ten years: offsets into the page stay true."""
    kept = record(archive, make_docx(DRAFT))
    page = page_of(archive, kept)
    monkeypatch.setattr(documents, "read_confined", lambda kind, body: {"html": "", "title": "", "date": ""})
    assert page_of(archive, kept) == page
    elsewhere = archive.keep(Response("http://b.example/", "http://b.example/", 200, {}, kept.body, 1))
    assert page_of(archive, elsewhere).url == "http://b.example/"
    assert page_of(archive, elsewhere).markdown == page.markdown


def test_without_the_libraries_the_extra_is_named(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(NotReadable, match=r"pip install 'webfarer\[docs\]'"):
        page_of(archive, record(archive, make_pdf(DRAFT)))


async def test_web_open_reads_documents_whatever_their_header_says(archive: Archive) -> None:
    bodies = {"/a": (make_pdf(DRAFT), "text/html"), "/b": (make_docx(DRAFT), "application/zip")}

    async def answer(request: server.BaseRequest) -> server.StreamResponse:
        body, kind = bodies.get(request.path, (scan(), "application/octet-stream"))
        return server.Response(body=body, content_type=kind)

    settings = Settings(web=WebSettings(allow_private=("127.0.0.1",), delay=0, robots=False))
    async with listen(answer) as site, Web(settings, archive) as web:
        run = Run("documents", Trace.create(), Budget())
        for path in bodies:
            page = await web.open(run, site.url.rstrip("/") + path)
            assert DRAFT.paragraphs[3] in page.markdown
            assert page.url == site.url.rstrip("/") + path
        with pytest.raises(NotReadable, match="scan"):
            await web.open(run, site.url + "scan")
        assert run.ledger.fare.pages == 3
        with pytest.raises(NotReadable, match="scan"):
            await prepare(archive, archive.latest(site.url + "scan"))


async def test_no_more_documents_are_read_at_once_than_there_are_cores(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = most = 0

    async def read(kind: str, body: bytes, confines: object) -> dict[str, object]:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        return {"html": "<p>Words enough for a page.</p>", "title": "", "date": "", "truncated": False}

    async def answer(request: server.BaseRequest) -> server.StreamResponse:
        return server.Response(body=make_pdf(Draft(title=request.path)))

    monkeypatch.setattr(documents, "read_confined_async", read)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    settings = Settings(web=WebSettings(allow_private=("127.0.0.1",), delay=0, robots=False, concurrency=8))
    async with listen(answer) as site, Web(settings, archive) as web:
        run = Run("many", Trace.create(), Budget())
        pages = await asyncio.gather(*(web.open(run, f"{site.url}{number}") for number in range(8)))
    assert [page.markdown for page in pages] == ["Words enough for a page."] * 8
    assert most == 2


async def test_a_huge_pdf_is_refused_by_its_announced_length(archive: Archive) -> None:
    async def answer(request: server.BaseRequest) -> server.StreamResponse:
        headers = {"Content-Type": "application/pdf", "Content-Length": str(2 * 10**9)}
        response = server.StreamResponse(headers=headers)
        await response.prepare(request)
        return response

    settings = Settings(web=WebSettings(allow_private=("127.0.0.1",), delay=0, robots=False, retries=0))
    async with listen(answer) as site, Web(settings, archive) as web:
        run = Run("huge", Trace.create(), Budget())
        with pytest.raises(TooLarge, match="announces 2000000000 bytes"):
            await web.open(run, site.url)
        assert run.ledger.fare.bytes == 0


def test_the_reader_of_pages_sends_documents_elsewhere() -> None:
    with pytest.raises(NotReadable, match="a pdf document"):
        read_page(make_pdf(DRAFT), url=URL, content_type="text/html")
