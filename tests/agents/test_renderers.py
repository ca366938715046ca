"""Every format shows all of a report, and nothing that a website or a model wrote is active in it."""

import io
import re
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest
from docx import Document
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser

from webfarer.agents.plans import Grid, Plan, PlannedSection
from webfarer.agents.rendering import RENDERERS, clean, renderer_for, safe_link
from webfarer.agents.reports import Clarification, Report, Section, Table
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Fare
from webfarer.core.types import Claim, Conflict, Quote, Source, StopReason

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=http://evil.test/p.png onerror=alert(1)>",
    "![x](http://evil.test/pixel.png)",
    "[click](javascript:alert(1))",
    "[click](http://evil.test 'x')",
    "<http://evil.test>",
    "see http://evil.test/a_b|c now",
    "www.evil.test",
    "//evil.test/x",
    "me@evil.test",
    "[a]: http://evil.test\n[a]",
    "```\n<b>",
    "`` ` http://evil.test` ``",
    "&lt;script&gt;&#106;",
    "</style></title></main><iframe src=//evil.test>",
    "a\n\n# Sources\n\n- [1](http://evil.test)",
    "1. one\n2. two",
    "- a\n+ b\n--- \n===",
    "| a | b |\n| --- | --- |\n| c | d |",
    '" onmouseover="alert(1)" \'',
    "\\[x](http://evil.test)\\",
    "x\x00\x1b[31m\ud800\u202egpj.exe\ufffe",
    "$\\href{javascript:alert(1)}{x}$ {{7*7}} ${x}",
    "*bold* _it_ ~~no~~ ^[note]",
]
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(), st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join))
URLS = ("https://a.test/one?q=1&r=(2)", "http://b.test/%E4%BD%A0/x<y>\"'`|z", "https://n-1.corpus.invalid/my/file.md")


def report(text: str, url: str = URLS[0]) -> Report:
    """Return a report in which everything that can be a string from outside is `text`."""
    quote = Quote(page="p", url=url, text=text or "q", start=0)
    other = quote.model_copy(update={"url": URLS[1], "text": f"{text}2"})
    claims = (
        Claim(text=text, quote=quote, verified=True),
        Claim(text=text, quote=other, verified=True),
        Claim(text=f"{text}!", problem=f"bad {text}"),
    )
    conflict = Conflict(about=text, claims=(0, 1))
    section = Section(
        title=text,
        question=text,
        also=(text,),
        paragraphs=((0, 1), (2,)),
        table=Table(rows=(text, "gone"), columns=(text, "size"), cells=((0, None), (None, None))),
        conflicts=(conflict,),
        stop_reason=StopReason.BUDGET,
        stop_detail=text,
    )
    empty = Section(title="Empty", question="?", stop_reason=StopReason.NO_SOURCES)
    grid = Grid(rows=(text, "gone"), columns=(text, "size"))
    return Report(
        question=text,
        text=text,
        claims=claims,
        sources=(
            Source(page="p", url=url, title=text, date=text),
            Source(page="q", url=URLS[1], title="", date="2024"),
        ),
        conflicts=(conflict,),
        stop_reason=StopReason.BUDGET,
        stop_detail=text,
        fare=Fare(tokens=1234, seconds=1.5),
        run="r",
        plan=Plan(title=text, sections=(PlannedSection(title=text, question=text, grid=grid),)),
        clarification=Clarification(question=text, assumption=text),
        sections=(section, empty),
        model=text,
    )


def as_html(name: str, made: Report) -> LexborHTMLParser:
    """Return what a browser gets of a report in HTML or Markdown."""
    text = RENDERERS.load(name).render(made).decode()
    return LexborHTMLParser(MarkdownIt("js-default", {"html": True}).render(text) if name == "markdown" else text)


def targets(page: LexborHTMLParser) -> set[str]:
    return {unquote(link.attributes["href"] or "") for link in page.css("a") if link.attributes["href"]}


@pytest.mark.parametrize("name", ["markdown", "html"])
@pytest.mark.parametrize("url", URLS)
@given(text=TEXTS)
def test_nothing_from_outside_is_active(name: str, url: str, text: str) -> None:
    made = report(text, url)
    page = as_html(name, made)
    assert not page.css("script, img, iframe, object, embed, svg, form, input, link, base, video, audio, button")
    allowed = {unquote(safe_link(source.url)) for source in made.sources}
    assert {target for target in targets(page) if not target.startswith("#source-")} <= allowed
    for node in page.css("*"):
        assert not any(key.startswith("on") or key in ("src", "srcset", "background") for key in node.attributes)
    if name == "html":
        assert len(page.css("style")) == 1
    elements = [node.tag for node in page.css("h1, h2, h3, h4, hr, pre, ol, code + pre")]
    assert elements == ["h1", "h2", "h2", "h2"]  # title, two sections, sources: none by an author's hand
    assert len(page.css("table")) == 1
    assert len(page.css("tbody tr")) == 2


@pytest.mark.parametrize("address", ["evil.com", "//evil.com", "www.evil.com", "https://evil.com", "me@evil.com"])
def test_markdown_shows_addresses_as_code_for_viewers_that_link_bare_ones(address: str) -> None:
    page = as_html("markdown", report(f"See {address}, it says."))
    assert all(f"{address}," in node.text() for node in page.css("h1 code, td code"))
    assert len(page.css("h1 code")) == 1


@pytest.mark.parametrize("name", ["markdown", "html"])
@given(text=TEXTS)
def test_texts_are_shown_as_they_are(name: str, text: str) -> None:
    made = report(text)
    page = as_html(name, made)
    heading = page.css_first("h1")
    assert heading is not None
    assert " ".join(heading.text().split()) == clean(made.plan.title)
    assert clean(text) in " ".join(page.css("blockquote")[0].text().split())


@settings(max_examples=5)
@given(text=TEXTS)
@example(text=" ".join(HOSTILE))
@example(text="x" * 9000)
def test_a_word_document_opens_and_links_to_sources_only(text: str) -> None:
    made = report(text)
    file = RENDERERS.load("docx").render(made)
    document = Document(io.BytesIO(file))
    assert any(clean(text) in paragraph.text for paragraph in document.paragraphs)
    assert [len(table.rows) for table in document.tables] == [3]
    with zipfile.ZipFile(io.BytesIO(file)) as parts:
        named = [name for name in parts.namelist() if name.endswith(".rels")]
        relations = [relation for name in named for relation in ElementTree.fromstring(parts.read(name))]
        body = parts.read("word/document.xml").decode()
        assert not [name for name in parts.namelist() if "vba" in name.lower()]
    outside = {relation.attrib["Target"] for relation in relations if relation.attrib.get("TargetMode") == "External"}
    assert outside == {safe_link(source.url) for source in made.sources}
    assert "<w:instrText" not in body
    assert "<w:drawing" not in body


def test_the_html_loads_nothing_and_forbids_the_rest() -> None:
    made = RENDERERS.load("html").render(report("x")).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', made)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#x27;", "'").split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", rules["style-src"])
    page = LexborHTMLParser(made)
    style = page.css_first("style")
    assert style is not None
    assert "url(" not in style.text()
    assert "@import" not in style.text()
    for link in page.css("a[href^=http]"):
        assert link.attributes["rel"] == "noopener noreferrer nofollow"
    assert made.index("Content-Security-Policy") < made.index("<title>")


@pytest.mark.parametrize("name", RENDERERS.ids())
def test_every_format_shows_everything(name: str) -> None:
    made = report("Some words.")
    file = RENDERERS.load(name).render(made)
    if name == "docx":
        document = Document(io.BytesIO(file))
        cells = [cell.text for row in document.tables[0].rows for cell in row.cells]
        text = "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])
    else:
        text = as_html(name, made).text()
    for shown in (
        "Nobody answered; this report assumes: Some words.",
        "The research ended early (budget): Some words..",
        "Sources disagree on: Some words.",
        "(2024)",
        "(unverified: bad Some words.)",
        "not found",
        "1 of 2 rows and 1 of 4 cells were found.",
        "Nothing was found for: gone.",
        "This also answers: Some words.",
        "2. Empty",
        "Nothing was found.",
        "[1][2]",
        "1,234 tokens, 1.5 seconds",
        "Written by Some words.",
    ):
        assert shown in text, shown


@pytest.mark.parametrize("name", RENDERERS.ids())
def test_a_format_is_a_renderer_and_deterministic(name: str) -> None:
    renderer = RENDERERS.load(name)
    assert re.fullmatch(r"\.[a-z]+", renderer.suffix)
    assert renderer_for(Path(f"x/Report{renderer.suffix.upper()}")) is renderer
    if name != "docx":  # a zip holds the time of day
        assert renderer.render(report("x")) == renderer.render(report("x"))


def test_a_report_speaks_the_language_of_its_question() -> None:
    text = RENDERERS.load("html").render(report("图书馆几点开门？")).decode()
    assert '<html lang="zh">' in text
    assert "未找到任何内容。" in text


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"\.docx, \.html, \.md"):
        renderer_for(Path("report.pdf"))


def test_without_python_docx_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(ConfigError, match=r"pip install \"webfarer\[docs\]\""):
        renderer_for(Path("report.docx"))


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.test/x?y=1#z", "https://a.test/x?y=1#z"),
        ("http://a.test/<b>\"'", "http://a.test/%3Cb%3E%22'"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//a.test/", ""),
        ("https://u:p@a.test/", ""),
        ("https://[bad/", ""),
        ("file:///etc/passwd", ""),
        ("", ""),
    ],
)
def test_only_plain_web_addresses_are_linked(url: str, safe: str) -> None:
    assert safe_link(url) == safe
