"""Whatever the bytes are: a page or NotReadable, in bounded time, always the same, with true offsets."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import NotReadable
from webfarer.core.types import Page
from webfarer.web.extract import ReadLimits, read_page

URL = "https://site.example/a/b.html"
TAGS = """a b i p div span ul ol li dl dt dd table caption thead tr td th pre code h1 h2 blockquote nav main header
    footer aside article section form button select option script style template svg math title br hr img noscript
    frameset html head body textarea iframe dialog""".split()
ATTRIBUTES = [
    *("", " href=x.html", ' href="/y#z"', " href='#f'", " href=javascript:x", " hidden", ' style="display:none"'),
    *(" class=sidebar", " id=toc", " role=main", ' onclick="location.href=`/o`"', " data-url=/d", " colspan=3"),
    *(" rowspan=2", ' alt="an image"', ' title="a  title"', " start=7", " aria-label=label", ' x="<>" y=\'"\''),
]
TEXTS = [
    "word",
    " ",
    "\n",
    "two words",
    " a|b ",
    "`tick`",
    "\n\n",
    "年报",
    "\u200b",
    "&amp;",
    "&nbsp;",
    "# ",
    "- ",
    "<",
    "]]>",
]

tag = st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(ATTRIBUTES))
end = st.builds("</{}>".format, st.sampled_from(TAGS))
odd = st.sampled_from(["<!--", "-->", "<!-->", "<!doctype html>", "<?xml?>", "<![CDATA[x]]>", "</", "<a href='", "\0"])
soup = st.lists(st.one_of(tag, tag, end, st.sampled_from(TEXTS), odd), max_size=60).map("".join)


def check(page: Page) -> None:
    """Check what is true of every page."""
    edges = [0, *(span.end for _, span in page.spans)]
    assert [span.start for _, span in page.spans] == edges[:-1]
    assert all(before < after for before, after in pairwise(edges))
    assert edges[-1] == len(page.markdown)
    assert [link.id for link in page.links] == list(range(1, len(page.links) + 1))
    for link in page.links:
        assert 0 <= link.at <= len(page.markdown)
        assert link.label
        assert link.label == " ".join(link.label.split())
        assert len(link.context) <= 200
        assert link.url.startswith(("http://", "https://"))
        assert "#" not in link.url


@given(soup)
@settings(max_examples=150, deadline=None)
def test_tag_soup(html: str) -> None:
    body = html.encode()
    try:
        page = read_page(body, url=URL, content_type="text/html")
    except NotReadable:
        assert b"\0" in body
        return
    check(page)
    assert read_page(body, url=URL, content_type="text/html") == page


@given(
    st.binary(max_size=300),
    st.sampled_from(["text/html", "text/plain", "", "text/html; charset=gbk", "x;charset=utf-16"]),
)
@settings(max_examples=150, deadline=None)
def test_any_bytes(body: bytes, content_type: str) -> None:
    try:
        page = read_page(body, url=URL, content_type=content_type)
    except NotReadable:
        return
    check(page)


word = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=8)
phrase = st.lists(word, min_size=1, max_size=4).map(" ".join)
WRAPS = [
    "<p>{}</p>",
    "<li>{}</li>",
    "<div>{}</div>",
    "<h2>{}</h2>",
    "<td>{}</td>",
    "<pre>{}</pre>",
    "<dt>{}<dd>x",
    "<nav>{}</nav>",
]


@given(st.lists(st.tuples(st.sampled_from(WRAPS), phrase, phrase), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_visible_labels_lie_where_at_says(blocks: list[tuple[str, str, str]]) -> None:
    html = "".join(wrap.format(f"{text} <a href=/t>{label}</a> {text}") for wrap, text, label in blocks)
    page = read_page(html.encode(), url=URL, content_type="text/html; charset=utf-8")
    check(page)
    assert [link.label for link in page.links] == [label for _, _, label in blocks]
    assert all(page.markdown.startswith(link.label, link.at) for link in page.links)
    starts = [link.at for link in page.links]
    assert starts == sorted(set(starts))


@given(soup, st.integers(0, 300))
@settings(max_examples=60, deadline=None)
def test_a_limit_cuts_the_same_text(html: str, most: int) -> None:
    body = html.replace("\0", "").encode()
    whole = read_page(body, url=URL, content_type="text/html")
    cut = read_page(body, url=URL, content_type="text/html", limits=ReadLimits(markdown=most))
    check(cut)
    assert len(cut.markdown) <= most
    if len(whole.markdown) > most >= 20:
        assert cut.truncated
        assert cut.markdown == whole.markdown[:most]


HOSTILE = {
    "nested divs": "<div>" * 100_000 + "deep",
    "closed nested divs": "<div>" * 50_000 + "deep" + "</div>" * 50_000,
    "nested lists": "<ul><li>" * 30_000 + "deep",
    "nested tables": "<table><tr><td>" * 20_000 + "deep",
    "nested quotes with text": "<blockquote>deep" * 20_000,
    "unclosed tags": "<b><i a=1><p>deep" * 60_000,
    "formatting bomb": "<p>" + "".join(f"<b a={n}>" for n in range(20_000)) + "<p>deep" * 20_000,
    "wrong order": "<div><span></div>" * 40_000 + "deep",
    "table barriers": "<div><table><td></div>" * 20_000 + "deep",
    "one tag of attributes": "<p " + " ".join(f"a{n}" for n in range(100_000)) + ">deep",
    "attributes with brackets": "<p " + " ".join(f'a{n}="<>"' for n in range(60_000)) + ">deep",
    "open comments": "deep" + "<!--" * 200_000,
    "open scripts": "deep" + "<script>" * 100_000,
    "open quotes": "deep" + '<a href="' * 100_000,
    "no tag ends": "deep" + "<a " * 200_000,
    "comment tricks": "<!--><div>-->" * 60_000 + "deep",
    "attribute tricks": "<div><p title='</p></div>'>" * 30_000 + "deep",
    "nested handlers": "<div onclick=\"location='/x'\">" * 20_000 + "deep",
    "wide cells": "<table>" + "<tr><td colspan=9999>deep<td>x" * 10_000,
    "tall cells": "<table><tr>" + "<td rowspan=9999>deep" * 5_000 + "<tr><td>x" * 1_000,
    "lone brackets": "deep" + "<" * 300_000,
    "permalinks": "deep" + "<a href='#'>" * 60_000,
}


QUICK = ("nested divs", "formatting bomb", "comment tricks")


@pytest.mark.timeout(20)  # work that is not linear takes minutes on these
@pytest.mark.parametrize("name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in HOSTILE])
def test_hostile_markup_is_read(name: str) -> None:
    page = read_page(HOSTILE[name].encode(), url=URL, content_type="text/html")
    check(page)
    assert "deep" in page.markdown
