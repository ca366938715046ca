"""What is known of a page as a whole: title, language, kind of bytes, regions, limits."""

import pytest

from webfarer.core.errors import NotReadable, Refused
from webfarer.core.types import Page, PageKind
from webfarer.web.extract import ReadLimits, read_page

URL = "https://site.example/a/b.html"
TEXT = "<p>" + "Some words of the article itself. " * 5 + "</p>"


def read(html: str, **options: object) -> Page:
    return read_page(html.encode(), url=URL, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("html", "title"),
    [
        ("<head><title> A\n title </title><meta property=og:title content=B></head><h1>C</h1>", "A title"),
        ("<head><title></title><meta property=og:title content='B  b'></head><h1>C</h1>", "B b"),
        ("<h1>C <i>c</i></h1><h1>D</h1>", "C c"),
        ("<head><noscript><img src=x></noscript><title>T</title></head>", "T"),
        ("stray text<title>T</title>", "T"),
        ("<p>none</p><svg><title>icon</title></svg>", "icon"),
        ("<p>none</p>", ""),
    ],
)
def test_title(html: str, title: str) -> None:
    assert read(html).title == title


@pytest.mark.parametrize(
    ("href", "canonical"),
    [
        ("/a/c.html#x", "https://site.example/a/c.html"),
        ("https://SITE.example/a/./c.html", "https://site.example/a/c.html"),
        ("https://evil.example/a/c.html", URL),
        ("javascript:x", URL),
        ("", URL),
    ],
)
def test_canonical_is_believed_on_the_same_host_only(href: str, canonical: str) -> None:
    assert read(f"<head><link rel=canonical href='{href}'></head>{TEXT}").canonical == canonical


def test_url_is_canonical_and_without_fragment() -> None:
    assert read_page(b"<p>x</p>", url="HTTPS://Site.example/a/../b#c").url == "https://site.example/b"
    with pytest.raises(Refused):
        read_page(b"<p>x</p>", url="file:///etc/passwd")


@pytest.mark.parametrize(
    ("html", "language"),
    [
        (f"<html lang=de-AT>{TEXT}", "de"),
        ("<p>The name of the first page is not known to us and that is it.", "en"),
        ("<p>Bonjour tout le monde, une page sans attribut.", ""),
        ("<p>这是一个关于预算的网页，包含几个链接。", "zh"),
        ("<p>これは日本語のページです。予算について説明します。", "ja"),
        ("<p>이것은 예산에 관한 한국어 페이지입니다.", "ko"),
        ("<p>Это страница о бюджете и о ссылках.", "ru"),
        ("<html lang=en><p>这是一个关于预算的网页，包含几个链接。", "zh"),
        (f"<html lang=zh-CN>{TEXT}<p>The rest of the page is in English and not in Chinese.", "en"),
        (f"<html lang=zh-CN>{TEXT}<p>运行命令。", "zh"),
        ("<html lang=uk><p>Сторінка про бюджет та посилання.", "uk"),
        ("<html lang=''><p>x", ""),
        ("<html lang='../..'><p>x", ""),
    ],
)
def test_language(html: str, language: str) -> None:
    assert read(html).language == language


def test_the_header_language_is_used_last() -> None:
    assert read("<p>Bonjour tout le monde.", language="fr-FR").language == "fr"
    assert read("<html lang=it><p>Ciao a tutti.", language="fr").language == "it"


REGIONS = [
    ("<nav>X</nav>", "nav"),
    ("<div role=navigation>X</div>", "nav"),
    ("<div class='navbar navbar-dark'>X</div>", "nav"),
    ("<div class=sphinxsidebar>X</div>", "nav"),
    ("<div class=related role=navigation>X</div>", "nav"),
    ("<div id=toc>X</div>", "nav"),
    ("<div class=sidebar>X</div>", "aside"),
    ("<aside>X</aside>", "aside"),
    ("<aside class='footnote brackets' role=note>X</aside>", "main"),
    ("<aside class=topic>X</aside>", "main"),
    ("<div id=left-sidebar>X</div>", "aside"),
    ("<header>X</header>", "header"),
    ("<div id=masthead>X</div>", "header"),
    ("<footer>X</footer>", "footer"),
    ("<div id=footer>X</div>", "footer"),
    ("<div role=contentinfo>X</div>", "footer"),
    ("<nav aria-label=Breadcrumb>X</nav>", "breadcrumb"),
    ("<ol class='breadcrumb'>X</ol>", "breadcrumb"),
    ("<div class=section-header>X</div>", "main"),
    ("<div class=navigate-carefully>X</div>", "main"),
    ("<article><header>X</header></article>", "main"),
    ("<main><footer>X</footer></main>", "main"),
    ("<div id=header><h1>X</h1></div>", "main"),
    ("<nav><div class=footer>X</div></nav>", "nav"),
    ("<header><nav>X</nav></header>", "nav"),
]


@pytest.mark.parametrize(("html", "region"), REGIONS)
def test_regions(html: str, region: str) -> None:
    page = read(TEXT + html + TEXT)
    at = page.markdown.index("X")
    assert [name for name, span in page.spans if span.start <= at < span.end] == [region]


def test_a_page_with_hardly_any_main_text_is_all_main() -> None:
    page = read(f"<nav>{TEXT}<a href=/x>x</a></nav><p>tiny</p>")
    assert page.spans == (("main", (0, len(page.markdown))),)
    assert page.links[0].region == "main"


@pytest.mark.parametrize(
    ("refresh", "url"),
    [
        ("0; url=/new", "https://site.example/new"),
        ("5;URL='new.html'", "https://site.example/a/new.html"),
        ("30; url=/new", None),
        ("5", None),
        ("0; url=b.html", None),
    ],
)
def test_an_empty_page_may_send_on(refresh: str, url: str | None) -> None:
    page = read(f'<head><meta http-equiv=Refresh content="{refresh}"></head><body></body>')
    assert [(link.url, link.label, link.region) for link in page.links] == ([(url, "refresh", "main")] if url else [])
    assert page.kind == (PageKind.CONTENT if url else PageKind.EMPTY)


def test_a_full_page_that_refreshes_stays() -> None:
    assert read(f'<head><meta http-equiv=refresh content="1; url=/new"></head>{TEXT}').links == ()


BINARY = [
    *(
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"GIF89a",
        b"PK\x03\x04",
        b"%PDF-1.7\n",
        b"\x1f\x8b\x08\0",
        b"\x7fELF",
    ),
    *(b"RIFF\0\0\0\0WEBP", b"SQLite format 3\0", b"\0\0\0 ftypisom", b"text\0with nul"),
]


@pytest.mark.parametrize("body", BINARY, ids=repr)
@pytest.mark.parametrize("content_type", ["text/html", "text/plain; charset=utf-8", ""])
def test_bytes_that_are_no_text_are_refused_whatever_the_header_says(body: bytes, content_type: str) -> None:
    with pytest.raises(NotReadable):
        read_page(body + b" and more", url=URL, content_type=content_type)


@pytest.mark.parametrize("content_type", ["text/plain", "text/x-log; charset=utf-8", "application/json", ""])
def test_plain_text(content_type: str) -> None:
    page = read_page(b"a < b\r\n# no heading, <b>no</b> tags\r\n", url=URL, content_type=content_type)
    assert page.markdown == "a < b\n# no heading, <b>no</b> tags"
    assert (page.links, page.title, page.spans) == ((), "", (("main", (0, len(page.markdown))),))


def test_markup_without_a_header_is_html() -> None:
    assert read("\n <!-- x --><p>Some text", content_type="").markdown == "Some text"
    assert read("<html><p>Some text", content_type="application/octet-stream").markdown == "Some text"


def test_xhtml_with_self_closed_elements() -> None:
    html = """<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE html>
        <html xmlns="http://www.w3.org/1999/xhtml" xml:lang="de">
        <head><title>T</title><script src="x.js"/></head><body><a id="x"/><p>Ein Text</p><br/><div/><p>Zwei</p></body>
        </html>"""
    page = read(html, content_type="application/xhtml+xml")
    assert (page.title, page.language, page.markdown) == ("T", "de", "Ein Text\n\nZwei")


def test_limits_cut_and_say_so() -> None:
    html = "".join(f"<p>Paragraph number {n} <a href=/{n}>link {n}</a></p>" for n in range(1000))
    whole = read(html)
    assert not whole.truncated
    by_text = read(html, limits=ReadLimits(markdown=500))
    assert by_text.truncated
    assert by_text.markdown == whole.markdown[:500]
    assert by_text.spans[-1][1].end == 500
    by_nodes = read(html, limits=ReadLimits(nodes=100))
    assert by_nodes.truncated
    assert whole.markdown.startswith(by_nodes.markdown)
    by_size = read(html, limits=ReadLimits(html=1000))
    assert by_size.truncated
    assert whole.markdown.startswith(by_size.markdown[:400])
    plain = read("word " * 1000, content_type="text/plain", limits=ReadLimits(markdown=100))
    assert plain.truncated
    assert len(plain.markdown) <= 100


def test_an_empty_body_is_an_empty_page() -> None:
    for content_type in ("text/html", "text/plain", ""):
        page = read_page(b"", url=URL, content_type=content_type, page_id="id")
        assert (page.markdown, page.links, page.spans, page.kind, page.id) == ("", (), (), PageKind.EMPTY, "id")
