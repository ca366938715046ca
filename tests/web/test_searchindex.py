"""A Sphinx search index as a page that lists its site."""

import json

import pytest

from webfarer.agents.decisions import Click, Context, Walk
from webfarer.agents.policies.lexical import Lexical
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.web.extract import read_page
from webfarer.web.scope import Scope

URL = "https://docs.example/searchindex.js"
INDEX = {
    "docnames": ["index", "howto/wombats"],
    "titles": ["Welcome", "All about <em>wombats</em>"],
    "terms": {"burrow": 1, "hello": [0], "common": [0, 1]},
    "titleterms": {"wombat": [1]},
}


def script(index: object) -> bytes:
    return f"Search.setIndex({json.dumps(index)})".encode()


def test_every_document_is_a_link_with_all_its_words() -> None:
    page = read_page(script(INDEX), url=URL, content_type="text/javascript", page_id="p")
    first, second = page.links
    assert (first.url, second.url) == ("https://docs.example/index.html", "https://docs.example/howto/wombats.html")
    assert second.label == "All about wombats"
    assert set(second.context.split()) == {"wombat", "burrow", "common"}
    assert all(page.markdown[link.at : link.at + len(link.label)] == link.label for link in page.links)


@pytest.mark.parametrize(
    "body",
    [b"alert(1)", b"Search.setIndex({docnames:[1]})", script({**INDEX, "terms": {"x": [9]}}), script([]), script({})],
)
def test_anything_else_is_just_text(body: bytes) -> None:
    page = read_page(body, url=URL, content_type="text/javascript")
    assert page.links == ()
    assert page.markdown


def test_a_page_that_loads_the_index_links_to_it_and_the_scope_allows_it() -> None:
    html = b"<head><script src='searchindex.js'></script><script src='other.js'></script></head><p>Search here.</p>"
    page = read_page(html, url="https://docs.example/search.html", content_type="text/html")
    assert [link.url for link in page.links] == [URL]
    scope = Scope("https://docs.example/")
    assert scope.contains(URL)
    assert not scope.contains("https://docs.example/other.js")


async def test_the_lexical_walker_goes_where_the_index_says() -> None:
    walk = Walk("Where is the burrow?")
    root = "".join(f"<a href='/p{n}.html'>Page {n}</a>" for n in range(20)) + f"<a href='{URL}'>x</a>"
    walk.pages = [
        read_page(root.encode(), url="https://docs.example/", content_type="text/html", page_id="a"),
        read_page(script(INDEX), url=URL, content_type="text/javascript", page_id="b"),
    ]
    walk.path = walk.pages[:]
    walk.opened.update(page.url for page in walk.pages)
    move = await Lexical(Context(Run("r", Trace.create()))).choose(walk)
    assert isinstance(move, Click)
    assert move.link.url == "https://docs.example/howto/wombats.html"
