"""The stand-in for search engines really ranks by words, and keeps to what it is told."""

import aiohttp
from hypothesis import given
from hypothesis import strategies as st
from search_kit import DOCUMENTS

from webfarer.core.text import words
from webfarer.worlds.searchserver import SearchIndex, serve_search, snippet
from webfarer.worlds.searchwires import Document

WORD = st.sampled_from("library bridge river garden iron ashford clock tower".split())
TEXT = st.lists(WORD, min_size=1, max_size=8).map(" ".join)


@given(texts=st.lists(TEXT, min_size=1, max_size=8), query=TEXT)
def test_what_is_found_holds_a_word_of_the_query(texts, query):
    documents = [Document(f"https://a.example/{n}", "", text) for n, text in enumerate(texts)]
    found = SearchIndex(documents).search(query, ())
    asked = set(words(query))
    assert {d.url for d in found} == {d.url for d in documents if asked & set(words(d.text))}


def test_better_matches_come_first():
    index = SearchIndex(DOCUMENTS)
    assert index.search("iron bridge", ())[0].title == "The bridge"
    assert index.search("opening hours library ashford", ())[0].url == DOCUMENTS[0].url
    assert [d.url for d in index.search("library", ["elsewhere.example"])] == [DOCUMENTS[3].url]
    assert [d.url for d in index.search("library", ["ashford.example/library"])] == [DOCUMENTS[2].url, DOCUMENTS[0].url]


async def test_what_is_no_engine_is_no_path_and_counts_as_nothing():
    async with serve_search(DOCUMENTS) as stub, aiohttp.ClientSession() as session:
        for path in ("/", "/searxng", "/searxng/other", "/altavista/search"):
            async with session.get(stub.url + path) as answer:
                assert answer.status == 404
        assert stub.asked == []


def test_a_snippet_shows_the_piece_that_fits_the_query():
    document = Document("u", "t", "Nothing here. The fox sleeps by day.\nIt hunts at night.")
    assert snippet(document, "when does the fox sleep") == "The fox sleeps by day. It hunts at night."
    assert snippet(Document("u", "t", ""), "fox") == ""


def test_titles_weigh_more_than_texts():
    index = SearchIndex([Document("a", "Owls", "The fox and others."), Document("b", "The fox", "Owls and others.")])
    assert [document.url for document in index.search("fox")] == ["b", "a"]
