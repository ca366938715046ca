"""What the mind without a model answers from pages it has read: the newest, restrictions, several parts, conflicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.agents.dance import Act, Dance, Setting
from webfarer.agents.minds.lexical import Lexical
from webfarer.agents.reading import Reader, note_of, units_of
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Hit, Page
from webfarer.models.base import Tool
from webfarer.web.extract import read_page

TOOLS = {name: Tool(name, "", {}) for name in ("search", "visit", "walk")}


def page(url: str, title: str, body: str, date: str = "", crumbs: str = "") -> Page:
    meta = f'<meta property="article:published_time" content="{date}">' if date else ""
    trail = f'<nav class="breadcrumb" aria-label="breadcrumb">{crumbs}</nav>' if crumbs else ""
    html = f"<title>{title}</title>{meta}{trail}<main><h1>{title.split(' - ')[0]}</h1>{body}</main>"
    return read_page(html.encode(), url=url, content_type="text/html; charset=utf-8", page_id=url)


def dance(question: str, *pages: Page, start: tuple[str, ...] = (), tools: tuple[str, ...] = ()) -> Dance:
    known = {one.id: one for one in pages}
    return Dance(question, {name: TOOLS[name] for name in tools}, start, pages=known)


async def act(known: Dance) -> Act:
    return await Lexical(Setting(Run("r", Trace.create()))).act(known)


async def said(question: str, *pages: Page, start: tuple[str, ...] = ()) -> str:
    """Return the answer from these pages; every claim is an exact quote of its page."""
    known = dance(question, *pages, start=start)
    draft = (await act(known)).draft
    assert draft is not None
    for claim in draft.claims:
        assert claim.quote is not None
        assert known.pages[claim.quote.page].markdown[claim.quote.start :].startswith(claim.quote.text)
    return draft.text


INDEX = "https://lab.example/research"
FILTERS = '<ul><li><a href="/research">All</a><li><a href="/research?type=paper">Papers</a></ul>'
EVERYTHING = page(
    INDEX,
    "Research - Foo Lab",
    FILTERS + '<ul><li><a href="/c">Gadget C</a> May 9, 2025<li><a href="/b">Study B</a> May 2, 2025</ul>',
)
PAPERS = page(
    f"{INDEX}?type=paper",
    "Research - Foo Lab",
    FILTERS + '<ul><li><a href="/b">Study B</a> May 2, 2025<li><a href="/a">Study A</a> 30 April 2025</ul>',
)
STUDY_A = page("https://lab.example/a", "Study A - Foo Lab", "<p>Paper</p><p>30 April 2025</p>", "2025-04-30")
NEWEST = "What is the latest paper by Foo Lab?"


async def test_the_newest_of_a_list_filtered_to_the_kind() -> None:
    assert await said(NEWEST, EVERYTHING, STUDY_A, PAPERS) == "Study B May 2, 2025"


async def test_what_is_not_said_to_be_of_the_kind_is_not_taken_for_it() -> None:
    assert await said(NEWEST, EVERYTHING) == ""
    assert await said(NEWEST, EVERYTHING, STUDY_A) == "Study A, Paper, 30 April 2025"


async def test_the_filter_is_opened_before_an_answer_is_given() -> None:
    known = dance(NEWEST, EVERYTHING, STUDY_A, tools=("visit",))
    assert [call.arguments["url"] for call in (await act(known)).calls] == [[PAPERS.url]]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("<article><h2><a href=/x>Study X</a></h2><p>June 3, 2025</p></article><p>May 1, 2025: a party</p>", "Study X"),
        (
            "<table><tr><td>2025-06-03<td><a href=/x>Study X</a><tr><td>2025-05-01<td><a href=/y>Y</a></table>",
            "Study X",
        ),
        (
            "<div><div>3 June 2025</div><div><a href=/x>Study X</a></div><div><a href=/y>Study Y</a></div></div>",
            "Study X",
        ),
    ],
    ids=["cards", "rows", "date above"],
)
async def test_lists_of_other_forms(body: str, answer: str) -> None:
    answered = await said(NEWEST, page("https://lab.example/papers", "Papers - Foo Lab", body))
    assert answer in answered
    assert "June" in answered or "2025-06-03" in answered


async def test_others_lists_do_not_count() -> None:
    other = page("https://bar.example/p", "Papers - Bar Lab", '<ul><li><a href="/z">Study Z</a> June 9, 2025</ul>')
    assert await said(NEWEST, other, PAPERS, EVERYTHING) == "Study B May 2, 2025"


async def test_the_newest_in_chinese() -> None:
    rows = '<ul><li><a href="/1">甲方案</a> 2025年3月1日<li><a href="/2">乙方案</a> 2025年4月16日</ul>'
    listing = page("https://lab.example/lw", "论文 - 子午实验室", rows)
    assert await said("子午实验室最新的论文是什么？", listing) == "乙方案 2025年4月16日"


GUIDE = page(
    "https://docs.example/tables",
    "Table output - Docs",
    "<p>Table output is neat.</p><p>Table output is supported only by quill-2 and later.</p>",
)
FORUM = page(
    "https://forum.example/t/1",
    "quill-1 table output - Forum",
    "<p>Does quill-1 support table output?</p><p>Yes, quill-1 supports table output, only try it.</p>",
)
MODEL = page("https://docs.example/quill-1", "quill-1 - Docs", "<p>quill-1 supports table input.</p>")
WHETHER = "Does quill-1 support table output?"


@pytest.mark.parametrize("pages", [(GUIDE, FORUM, MODEL), (FORUM, MODEL, GUIDE)])
async def test_a_restriction_decides_rather_than_hearsay(pages: tuple[Page, ...]) -> None:
    assert await said(WHETHER, *pages) == "Table output is supported only by quill-2 and later."


async def test_without_a_restriction_the_passage_that_names_both_answers_and_a_question_never() -> None:
    assert await said("Does quill-1 support table input?", GUIDE, FORUM, MODEL) == "quill-1 supports table input."
    assert "Does" not in await said(WHETHER, FORUM)
    assert await said("Does quill-1 support holograms and telepathy?", GUIDE, FORUM, MODEL) == ""


async def test_a_restriction_in_chinese() -> None:
    guide = page(
        "https://d.example/1", "函数调用 - 文档", "<p>函数调用很方便。</p><p>仅青鸟二号及以上支持函数调用。</p>"
    )
    assert await said("青鸟一号是否支持函数调用？", guide) == "仅青鸟二号及以上支持函数调用。"


CALL = page("https://conf.example/call", "Demo Track - Conf", "<p>The deadline is 3 May 2025.</p>")
HALL = page("https://conf.example/hall", "Venue - Conf", "<p>The venue is the Old Hall.</p>")
ELSEWHERE = page("https://other.example/v", "Venue - Other", "<p>The venue is the New Hall.</p>")
BOTH = "When is the Demo Track deadline, and where is the venue?"


async def test_each_part_of_a_question_is_answered_on_the_site_of_the_first() -> None:
    assert await said(BOTH, ELSEWHERE, CALL, HALL) == "The deadline is 3 May 2025.\nThe venue is the Old Hall."
    turned = "Where is the venue, and when is the Demo Track deadline?"
    assert await said(turned, ELSEWHERE, CALL, HALL) == "The venue is the Old Hall.\nThe deadline is 3 May 2025."
    assert await said(BOTH, ELSEWHERE, CALL) == "The deadline is 3 May 2025."
    assert await said(BOTH, ELSEWHERE) == ""


async def test_the_search_goes_on_until_every_part_has_a_find() -> None:
    known = dance(BOTH, CALL, tools=("search", "walk"))
    step = await act(known)
    assert step.draft is None
    assert step.calls[0].arguments == {"query": ["where is the venue?"]}


async def test_an_address_the_user_named_goes_before_a_search() -> None:
    known = dance(BOTH, start=("https://conf.example/",), tools=("search", "visit", "walk"))
    known.hits["https://other.example/"] = Hit(url="https://other.example/", title="Demo Track deadline")
    assert (await act(known)).calls[0].arguments["url"] == ["https://conf.example/"]


def chair(host: str, name: str, date: str, crumbs: str = "") -> Page:
    body = f"<p>The chair of the Foo Track is {name}.</p>"
    return page(f"https://{host}/", "Foo Track", body, date, crumbs)


async def test_of_two_that_disagree_the_newer_answers_and_the_conflict_is_told() -> None:
    old, new = chair("a.example", "Ann Old", "2023-05-01"), chair("b.example", "Bea New", "2025-02-01")
    for pages in ((old, new), (new, old)):
        draft = (await act(dance("Who is the chair of the Foo Track?", *pages))).draft
        assert draft is not None
        assert draft.text == "The chair of the Foo Track is Bea New."
        (conflict,) = draft.conflicts
        assert conflict.about == "Who is the chair of the Foo Track?"
        quotes = [draft.claims[number].quote for number in conflict.claims]
        assert [quote and quote.url for quote in quotes] == [new.url, old.url]
        assert [source.date for source in draft.sources] == ["2025-02-01", "2023-05-01"]


@pytest.mark.parametrize(
    "other",
    [
        chair("b.example", "Ann Old", "2025-02-01"),
        chair("b.example", "Bea New", "2022-02-01", crumbs="Home &gt; Former tracks"),
        page("https://b.example/", "Bar Track", "<p>The chair of the Bar Track is Bea New.</p>"),
    ],
    ids=["the same", "a former page", "another subject"],
)
async def test_no_conflict(other: Page) -> None:
    draft = (
        await act(dance("Who is the chair of the Foo Track?", chair("a.example", "Ann Old", "2023-05-01"), other))
    ).draft
    assert draft is not None
    assert (draft.text, draft.conflicts) == ("The chair of the Foo Track is Ann Old.", ())


async def test_conflicts_of_days_in_chinese() -> None:
    old = page("https://a.example/", "雁湖论坛", "<p>雁湖论坛的举办日期是2025年5月3日。</p>", "2024-11-02")
    new = page("https://b.example/", "雁湖论坛", "<p>雁湖论坛的举办日期是2025年6月7日。</p>", "2025-01-09")
    draft = (await act(dance("雁湖论坛的举办日期是哪一天？", old, new))).draft
    assert draft is not None
    assert "6月7日" in draft.text
    assert [draft.claims[number].text for number in draft.conflicts[0].claims] == [
        "雁湖论坛的举办日期是2025年6月7日。",
        "雁湖论坛的举办日期是2025年5月3日。",
    ]


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",), exclude_characters="<>&"), max_size=200)


@given(st.lists(TEXTS, max_size=5), TEXTS)
def test_quotes_are_exact_whatever_the_page_says(paragraphs: list[str], question: str) -> None:
    made = page("https://site.example/", "Foo", "".join(f"<p>{text}</p>" for text in paragraphs))
    reader = Reader(question)
    reader.read(made)
    finds = [find for part in range(len(reader.parts)) for find in reader.finds(part, 3)]
    for unit in (*units_of(made), *(find.unit for find in finds)):
        quote = note_of(unit).quote
        assert made.markdown[quote.start : quote.start + len(quote.text)] == quote.text == unit.text
    assert all(0 < find.score <= 1 + 1e-9 for find in finds)
