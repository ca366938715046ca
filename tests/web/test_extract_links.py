"""Which links a page has, and what is known of each."""

import pytest

from webfarer.core.types import Link, Page
from webfarer.web.extract import ReadLimits, read_page
from webfarer.web.guard import canonical_url
from webfarer.web.links import Targets, humanised

URL = "https://site.example/a/b.html"


def read(html: str) -> Page:
    return read_page(html.encode(), url=URL, content_type="text/html")


def links(html: str) -> list[Link]:
    return list(read(html).links)


@pytest.mark.parametrize(
    ("element", "url"),
    [
        ("<a href='c.html'>x</a>", "https://site.example/a/c.html"),
        ("<a href='../c.html'>x</a>", "https://site.example/c.html"),
        ("<a href='../../../c.html'>x</a>", "https://site.example/c.html"),
        ("<a href='/c?q=1&amp;r=2'>x</a>", "https://site.example/c?q=1&r=2"),
        ("<a href='//other.example'>x</a>", "https://other.example/"),
        ("<a href=' HTTP://Other.Example:80/x y '>x</a>", "http://other.example/x%20y"),
        ("<map><area href=c.html alt=x></map>", "https://site.example/a/c.html"),
        ("<button onclick=\"location.href='/go'\">x</button>", "https://site.example/go"),
        ("<div onclick='window.location = \"go\"; return false'>x</div>", "https://site.example/a/go"),
        ("<span onclick=\"document.location.assign('/go')\">x</span>", "https://site.example/go"),
        ("<td onclick=\"window.open('/go', '_blank')\">x</td>", "https://site.example/go"),
        ("<a href=\"javascript:window.open('/go')\">x</a>", "https://site.example/go"),
        ("<a onclick=\"location='/go'\">x</a>", "https://site.example/go"),
        ("<div data-href='/go'>x</div>", "https://site.example/go"),
        ("<tr data-url='https://other.example/go'><td>x</tr>", "https://other.example/go"),
        ("<input type=button value=x onclick=\"location.href='/go'\">", "https://site.example/go"),
    ],
)
def test_targets(element: str, url: str) -> None:
    wrapped = f"<table>{element}</table>" if element.startswith(("<tr", "<td")) else element
    (link,) = links(wrapped)
    assert (link.url, link.label) == (url, "x")


@pytest.mark.parametrize(
    "element",
    [
        "<a href='#top'>x</a>",
        "<a href='b.html#top'>x</a>",
        "<a href=''>x</a>",
        "<a name=x>x</a>",
        "<a href='javascript:void(0)'>x</a>",
        "<a href='mailto:a@b.example'>x</a>",
        "<a href='tel:123'>x</a>",
        "<a href='data:text/html,x'>x</a>",
        "<a href='ftp://b.example/'>x</a>",
        "<a href='http://'>x</a>",
        "<a href='http://user:pass@b.example/'>x</a>",
        "<a href='http://[::1'>x</a>",
        "<button onclick=\"if (location == 'x') y()\">x</button>",
        "<div data-url='42'>x</div>",
        "<form method=get action=/go>x</form>",
    ],
)
def test_what_is_no_link(element: str) -> None:
    assert links(element) == []


def test_fragment_base_and_numbering() -> None:
    found = links(
        "<head><base href='/docs/'></head><a href='x.html#part'>one</a><a href='#y'>two</a><a href=z>three</a>"
    )
    assert [(link.id, link.url, link.fragment) for link in found] == [
        (1, "https://site.example/docs/x.html", "part"),
        (2, "https://site.example/docs/z", ""),
    ]


@pytest.mark.parametrize(
    ("inner", "label"),
    [
        ("<a href=/x>Annual\n <b>report</b></a>", "Annual report"),
        ("<a href=/x><code>json.dump</code></a>", "json.dump"),
        ("<a href=/x aria-label='Open menu' title=t></a>", "Open menu"),
        ("<a href=/x title='A title'><svg></svg></a>", "A title"),
        ("<a href=/x><img alt='Company logo'></a>", "Company logo"),
        ("<a href=/x><img alt='Photo'> Staff</a>", "Staff"),
        ("<a href=/reports/annual-report_2024.html></a>", "annual report 2024"),
        ("<a href=/%E5%B9%B4%E6%8A%A5/></a>", "年报"),
        ("<a href=https://other.example></a>", "other.example"),
        ("<a href=/x><div>12.03.</div><h3>News title</h3><p>Teaser text</p></a>", "News title"),
        ("<a href=/x><div>2024</div><div>Report</div></a>", "Report"),
    ],
)
def test_labels(inner: str, label: str) -> None:
    (link,) = links(f"<p>Some words</p><div>{inner}</div>")
    assert link.label == label


def test_at_points_to_the_label() -> None:
    page = read("<h1>x</h1><ul><li>go <a href=/1>one <i>more</i></a><li><a href=/2><code>two</code></a></ul>")
    assert [page.markdown[link.at : link.at + len(link.label)] for link in page.links] == ["one more", "two"]


@pytest.mark.parametrize(
    ("html", "context"),
    [
        ("<p>Read the <a href=/x>report</a> now.</p><p>Else.</p>", "Read the report now."),
        ("<ul><li><a href=/x>Fees</a> 2024<ul><li>deep</ul><li>next</ul>", "Fees 2024"),
        ("<dl><dt><a href=/x>fee</a><dd>What it costs.<dt>b<dd>c</dl>", "fee What it costs."),
        ("<dl><dt>fee<dd>See <a href=/x>here</a>.<dt>b<dd>c</dl>", "fee See here."),
        (
            "<table><tr><th>City<th>Page<tr><td>Oslo<td><a href=/x>more</a><tr><td>Bergen<td>-</table>",
            "Oslo | more",
        ),
        ("<h2>The <a href=/x>law</a></h2><p>Text", "The law"),
        ("<div>Loose <a href=/x>end</a> here</div><div>other</div>", "Loose end here"),
    ],
)
def test_context_is_the_block_around_the_link(html: str, context: str) -> None:
    (link,) = links(html)
    assert link.context == context


def test_a_long_context_is_cut_around_the_label() -> None:
    (link,) = links(f"<p>{'before ' * 100}<a href=/x>the label</a>{' after' * 100}</p>")
    assert "before the label after" in link.context
    assert 150 < len(link.context) <= 200
    assert set(link.context.split()) == {"before", "after", "the", "label"}


def test_headings_and_regions() -> None:
    html = """<nav><a href=/n>N</a></nav><main><h1>Top</h1><p><a href=/1>one</a> some text of the article</p>
        <h2>Sub <i>part</i></h2><p><a href=/2>two</a> and more text of the article</p></main>
        <footer><a href=/f>F</a></footer>"""
    assert [(link.label, link.heading, link.region) for link in links(html)] == [
        ("N", "", "nav"),
        ("one", "Top", "main"),
        ("two", "Sub part", "main"),
        ("F", "Sub part", "footer"),
    ]


def test_neighbours_named_in_the_head_come_first() -> None:
    html = "<head><link rel=next href=c.html title='Chapter 3'><link rel=stylesheet href=s.css></head><a href=d>D</a>"
    assert [(link.id, link.label, link.region) for link in links(html)] == [(1, "Chapter 3", "nav"), (2, "D", "main")]


def test_a_frameset_leads_to_its_frames() -> None:
    assert [
        link.url for link in links("<frameset><frame src=left.html name=left><frame src=right.html></frameset>")
    ] == [
        "https://site.example/a/left.html",
        "https://site.example/a/right.html",
    ]


def test_links_are_limited() -> None:
    html = "".join(f"<a href=/{n}>n{n}</a> " for n in range(30))
    page = read_page(html.encode(), url=URL, limits=ReadLimits(links=10))
    assert len(page.links) == 10
    assert page.truncated
    assert "n29" in page.markdown


@pytest.mark.parametrize(
    "base", ["https://s.example/a/b/c.html?q=/x/y", "https://s.example/", "http://s.example:81/a/"]
)
@pytest.mark.parametrize("path", ["x", "x.html", "d/e/f", "../x", "../../../../x", "~me/x-1_2", "x..y", "../d/x"])
def test_the_short_way_for_plain_paths_gives_the_canonical_url(base: str, path: str) -> None:
    assert Targets(base).resolve(path) == (canonical_url(path, base), "")


def test_humanised() -> None:
    assert humanised("https://s.example/a/Fees+and_more.php?x=1") == "Fees and more"
    assert humanised("https://s.example/") == "s.example"
