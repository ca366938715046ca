"""The tools, each through a run: what they bring, what they refuse, and that no argument breaks a run."""

from pathlib import Path

import pytest
from ask_kit import CITED, ENGINE, ROOM, Actor, call, place, search, visit
from hypothesis import given
from hypothesis import strategies as st
from walk_kit import LIBRARY, TRUTH, html, links

from webfarer.agents.asking import Asking
from webfarer.agents.dance import TOOLS, Dance
from webfarer.agents.tools.find import _around
from webfarer.core.errors import ConfigError
from webfarer.core.types import Page, Quote, StopReason

FOUND = search("reading room")


@pytest.mark.parametrize("name", TOOLS.ids())
def test_every_tool_says_what_it_is_and_what_it_takes(name: str) -> None:
    spec = TOOLS.load(name).spec
    assert spec.name == name
    assert spec.description.endswith(".")
    assert set(spec.parameters["required"]) == set(spec.parameters["properties"])
    assert all(schema["description"] for schema in spec.parameters["properties"].values())


async def test_find_quotes_the_page_word_for_word(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        room = there.url(ROOM)
        for wanted in ("13:45", "OPENS  at\n13:45", "reading room opens"):
            asked = await there.ask(Actor(FOUND, visit(room, goal="seats"), call("find", url=room, text=wanted), CITED))
            assert [claim.quote and claim.quote.text for claim in asked.answer.claims] == [TRUTH]
            assert asked.answer.verified
            assert there.opened().count(f"/{ROOM}") == 1
            there.site.requests.clear()


@pytest.mark.parametrize("url", ["ftp://x", "not a url", "http://[", "", "http://127.0.0.1:1/never", "\ud83d"])
async def test_find_on_what_was_not_read_is_a_problem_and_no_end(tmp_path: Path, url: str) -> None:
    async with place(tmp_path) as there:
        steps = [call("find", url=url or "x", text="a"), call("visit", url=[url or "x"], goal="a")]
        steps.append(call("walk", url=url or "x", goal="a"))
        asked = await there.ask(Actor(FOUND, *steps, visit(there.url(ROOM)), CITED))
        assert asked.problems == ["NotRead", "UnknownOrigin", "UnknownOrigin"]
        assert asked.answer.verified


async def test_words_that_are_not_there_are_said_not_to_be(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        room = there.url(ROOM)
        steps = [call("find", url=room, text=text) for text in ("(zebra|.*", "   x", "\\")]
        asked = await there.ask(Actor(FOUND, visit(room), *steps, CITED))
        assert "these words are not on the page" in asked.prompts[-1]
        assert asked.answer.verified


@given(st.text(alphabet="ab \n", max_size=60), st.text(alphabet="ab", min_size=1, max_size=3))
def test_the_surroundings_of_a_find_hold_it_and_end_with_its_line(text: str, wanted: str) -> None:
    at = text.find(wanted)
    if at >= 0:
        start, end = _around(text, at, at + len(wanted))
        assert 0 <= start <= at < at + len(wanted) <= end <= len(text)
        assert "\n" not in text[start:end]


async def test_no_more_than_five_pages_and_five_queries_at_once(tmp_path: Path) -> None:
    pages = {f"/p{n}": html(f"Page {n}", f"<p>Number {n}.</p>") for n in range(9)}
    async with place(tmp_path, pages, dict.fromkeys(pages, "page")) as there:
        queries = [f"page {n}" for n in range(9)]
        await there.ask(Actor(search(*queries, *queries), visit(*[there.url(f"p{n}") for n in range(9)])))
        assert there.stub.count(ENGINE) == 5
        assert sorted(there.opened()) == [f"/p{n}" for n in range(5)]


async def test_a_page_that_was_read_is_read_again_for_another_goal_without_a_fetch(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        room = there.url(ROOM)
        again = visit(room, room + "/", room + "#top", goal="something else")
        asked = await there.ask(Actor(FOUND, visit(room), again, CITED))
        assert there.opened() == [f"/{ROOM}"]
        assert asked.answer.fare.pages == 1
        assert sum(prompt.startswith("You read one page") for prompt in asked.prompts) == 2


@pytest.mark.parametrize(
    ("body", "problem"),
    [("", "empty"), ('<form><input type="password" name="p"></form><p>Log in</p>', "login")],
)
async def test_a_page_without_content_is_a_problem(tmp_path: Path, body: str, problem: str) -> None:
    page = f"<html><title>Sign in</title><body>{body}</body></html>"
    async with place(tmp_path, {**LIBRARY, "/bad": page}, {"/bad": "reading room"}) as there:
        asked = await there.ask(Actor(FOUND, visit(there.url("bad")), CITED))
        assert asked.problems == [problem]


async def test_a_walk_stays_on_the_host_and_its_pages_become_known(tmp_path: Path) -> None:
    async with place(tmp_path / "other") as other:
        pages = {**LIBRARY, "/": html("Town library", links(other.url("news"), "/visit", "/news"))}
        async with place(tmp_path, pages, {"/": "reading room"}) as there:
            steps = [
                call("walk", url=there.url(), goal="When does the reading room open?"),
                visit(there.url("news/old")),
            ]
            asked = await there.ask(Actor(FOUND, *steps, CITED))
            assert other.opened() == []
            assert asked.answer.verified
            assert asked.problems in ([], ["UnknownOrigin"])  # known only if the walk read the page that links to it


async def test_chosen_sites_bound_search_visit_and_walk(tmp_path: Path) -> None:
    async with place(tmp_path / "other") as other:
        known = {f"/{ROOM}": TRUTH, "/news": "reading room", other.url(ROOM): TRUTH}
        async with place(tmp_path, known=known) as there:
            step = visit(other.url(ROOM), there.url("news"), there.url(ROOM)) + call("walk", url=other.url(), goal="x")
            where = Asking(sites=(f"{there.url()}visit",), start=(other.url(),))
            asked = await there.ask(Actor(FOUND, step, CITED), asking=where)
            assert asked["observed"][0]["hits"] == [there.url(ROOM)]
            assert asked.problems == ["Refused", "Refused", "Refused"]
            assert other.opened() == []
            assert asked.answer.verified


async def test_a_tool_that_was_not_given_does_not_exist(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        where = Asking(tools=("visit",), start=(there.url(ROOM),))
        asked = await there.ask(Actor(FOUND, visit(there.url(ROOM)), CITED), asking=where)
        assert "there is no tool 'search'" in asked["malformed"][0]["problem"]
        assert there.stub.asked == []
        assert asked.answer.stop_reason is StopReason.ANSWERED
        with pytest.raises(ConfigError, match="unknown tool 'fly'"):
            await there.ask(Actor(), asking=Asking(tools=("fly",)))


def test_what_is_known_of_a_page_and_of_quotes() -> None:
    dance = Dance("q?", {})
    page = Page("p", "https://a.example/x", "", "one two")
    dance.pages[page.id] = page
    quote = Quote(page="p", url=page.url, text="two", start=4)
    assert [dance.cite(quote), dance.cite(quote)] == [1, 1]
    assert dance.page_at("a.example/x/#y") is page
    assert dance.page_at("https://a.example/") is dance.page_at("") is dance.page_at("https://[") is None
    draft = dance.as_found()
    assert (draft.text, [claim.quote for claim in draft.claims]) == ("two", [quote])
