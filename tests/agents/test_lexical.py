"""What the policies without a model count as an answer, and where the lexical one goes first."""

import pytest

from webfarer.agents.decisions import Click, Context, Walk
from webfarer.agents.policies.lexical import _HUB_LABEL, Lexical
from webfarer.agents.reading import Reader, parts_of, units_of
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Page
from webfarer.web.extract import read_page

URL = "https://site.example/track.html"
TRACK = """<title>Networks Track</title><h1>Networks Track</h1><p>All about the Networks Track and its chair.</p>
<ul><li><a href="/chair.html">Chair of the Networks Track</a> who it is</li></ul>
<table><tr><th>Role</th><th>Who</th></tr><tr><td>Chair</td><td>Elena Sorensen</td></tr></table>
<p>The submission deadline is 3 May 2026. Coffee is served.</p>"""


def page(html: str, url: str = URL) -> Page:
    return read_page(html.encode(), url=url, content_type="text/html; charset=utf-8", page_id=url)


def reader(question: str, *pages: Page) -> Reader:
    made = Reader(question)
    for one in pages:
        made.read(one)
    return made


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("When is the deadline, and where is the venue?", ["When is the deadline", "where is the venue"]),
        ("截止日期是哪一天；另外，会议地点在哪里？", ["截止日期是哪一天", "会议地点在哪里"]),
        ("Who chairs the track and its workshops?", ["Who chairs the track and its workshops"]),
        ("It opens the file, and what it reads is kept.", ["It opens the file, and what it reads is kept."]),
    ],
)
def test_only_a_question_is_split_and_only_between_questions(question: str, parts: list[str]) -> None:
    assert parts_of(question) == parts


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Who is the chair of the Networks Track?", "Chair: Elena Sorensen"),
        ("When is the submission deadline of the Networks Track?", "The submission deadline is 3 May 2026."),
    ],
)
def test_the_answer_is_the_unit_that_says_it_not_one_that_repeats_the_question(question: str, answer: str) -> None:
    draft = reader(question, page(TRACK)).draft()
    assert draft is not None
    assert draft.text == answer
    quote = draft.claims[0].quote
    assert page(TRACK).markdown[quote.start :].startswith(quote.text)


def test_headings_are_no_units_and_every_unit_is_a_piece_of_the_page() -> None:
    units = units_of(page(TRACK))
    assert all(unit.text in unit.page.markdown and not unit.text.startswith("#") for unit in units)
    assert [bool(unit.leads) for unit in units if "Chair of" in unit.text] == [True]


def test_a_question_about_something_else_has_no_answer() -> None:
    draft = reader("How many kangaroos juggle bananas?", page(TRACK)).draft()
    assert draft is not None
    assert (draft.text, draft.claims) == ("", ())


@pytest.mark.parametrize("label", ["Index", "Table of Contents", "Full index on one page", "Site map", "目录"])
def test_labels_that_list_a_site(label: str) -> None:
    assert _HUB_LABEL.fullmatch(label)


@pytest.mark.parametrize("label", ["git-update-index(1)", "Indexing strategies", "Contents may settle in transit"])
def test_labels_that_only_sound_like_it(label: str) -> None:
    assert not _HUB_LABEL.fullmatch(label)


@pytest.mark.parametrize(("links", "first"), [(4, "wombats"), (20, "contents")])
async def test_a_listing_page_goes_first_only_where_there_are_many_links(links: int, first: str) -> None:
    more = "".join(f"<li><a href='/p{n}.html'>Page {n}</a>" for n in range(links))
    html = f"<a href='/contents.html'>Contents</a> <a href='/wombats.html'>Wombats</a><ul>{more}</ul>"
    walk = Walk("Where do wombats live?")
    walk.pages.append(page(html, "https://site.example/"))
    walk.path.append(walk.pages[0])
    move = await Lexical(Context(Run("r", Trace.create()))).choose(walk)
    assert isinstance(move, Click)
    assert move.link.url == f"https://site.example/{first}.html"
