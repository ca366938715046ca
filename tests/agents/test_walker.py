"""The walker over served sites: how it ends, what it counts, and what it does with links that lead nowhere."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web as server
from walk_kit import LIBRARY, QUESTION, TRUTH, Reader, Script, fetched, html, kinds, links, log, serve_pages, settings

from webfarer.agents.decisions import Back, Draft, Enough, Move, Walk
from webfarer.agents.runs import Options, replay, walk
from webfarer.agents.walker import Walker
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace
from webfarer.core.types import Answer, Claim, Quote, StopReason
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.worlds.faults import serve_faults
from webfarer.worlds.server import Site, not_found, serve
from webfarer.worlds.world import WorldSpec, generate

ROBOTS = bytes(not_found().body or b"")  # there is none


async def go(site: Site, script: Script, **limits: Any) -> tuple[Answer, Run]:
    """Walk with a scripted policy, in memory."""
    run = Run("r", Trace.create(), Budget(**limits))
    async with Web(settings(Path("nowhere")), Archive()) as web:
        return await Walker(run, web, script).walk(site.url, QUESTION), run


@pytest.mark.parametrize("read", [None, Reader()])
async def test_the_answer_its_sources_and_its_fare(tmp_path: Path, read: Reader | None) -> None:
    chosen = settings(tmp_path)
    async with serve_pages(LIBRARY) as site:
        answer = await walk(
            site.url, QUESTION, model=read and read.model(), options=Options(settings=chosen, run_id="r")
        )
    assert (answer.text, answer.stop_reason, answer.stop_detail) == (TRUTH, StopReason.ANSWERED, "")
    assert answer.verified
    assert answer.claims[0].quote is not None
    assert answer.claims[0].quote.text == TRUTH
    assert (answer.sources[0].url, answer.sources[0].title) == (site.url + "visit/reading-room", "Reading room")
    asked = [path for path in site.requests if path != "/robots.txt"]
    assert answer.fare.pages == len(asked) == len(set(asked))
    events = log(chosen, "r")
    assert [site.url.rstrip("/") + path for path in asked] == fetched(events)
    assert answer.fare.steps == len(kinds(events, "click")) + len(kinds(events, "back"))
    assert answer.fare.bytes == sum(len(LIBRARY[path].encode()) for path in asked) + len(ROBOTS)
    assert (answer.fare.calls > 0) == (answer.fare.tokens > 0) == (read is not None)
    assert answer == Answer.model_validate(events[-1].data["answer"])


@pytest.mark.parametrize("needs_model", [False, True])
async def test_a_generated_world_is_answered(tmp_path: Path, needs_model: bool) -> None:
    world = generate(WorldSpec("conference", 1, size=30, depth=3))
    question = world.questions[0]
    chosen = settings(tmp_path)
    model = Reader(question.answer).model() if needs_model else None
    async with serve(world) as site:
        budget = Budget(steps=40)
        answer = await walk(site.url, question.text, model=model, budget=budget, options=Options(settings=chosen))
    assert question.answer in answer.text
    assert answer.stop_reason is StopReason.ANSWERED
    assert answer.verified
    assert answer.sources[0].url.endswith(question.gold[0])


async def test_going_back_costs_a_step_and_no_fetch() -> None:
    script = Script(["/visit", Back("away"), Back("at the root already"), "/people"])
    async with serve_pages(LIBRARY) as site:
        answer, run = await go(site, script)
    assert site.requests == ["/robots.txt", "/", "/visit", "/people"]
    assert (answer.fare.steps, answer.fare.pages) == (4, 3)
    assert [event["url"] for event in kinds(run.trace.events, "back")] == [site.url] * 2


async def test_a_click_on_an_earlier_page_stands_there_again() -> None:
    paths: list[list[str]] = []

    def look(walk: Walk) -> Move:
        paths.append([page.title for page in walk.path])
        return Back()

    async with serve_pages(LIBRARY) as site:
        await go(site, Script(["/visit", "/parking", "/people", look, "/reading-room", look]))
    assert paths == [["Town library", "People"], ["Town library", "Visit", "Reading room"]]


async def test_links_that_lead_nowhere_are_observations() -> None:
    async def away(request: server.BaseRequest) -> server.StreamResponse:
        return server.Response(status=302, headers={"Location": f"{elsewhere.url}page"})

    async def inside(request: server.BaseRequest) -> server.StreamResponse:
        return server.Response(status=302, headers={"Location": "/people"})

    async def picture(request: server.BaseRequest) -> server.StreamResponse:
        return server.Response(body=b"\x89PNG", content_type="image/png")

    login = html("Sign in", "<p>Please sign in to continue.</p><form><input type=password></form>")
    dead = ["/gone", "/away", "/picture", "/login"]
    pages = {
        "/": html(
            "Home", "<p>Welcome to the library of the town.</p>" + links(*dead, "/moved", "http://127.0.0.1:9/x")
        ),
        "/away": away,
        "/picture": picture,
        "/login": login,
        "/moved": inside,
        "/people": LIBRARY["/people"],
    }
    script = Script([*dead, "/moved"])
    async with serve_pages({"/page": html("Elsewhere", "")}) as elsewhere, serve_pages(pages) as site:
        answer, run = await go(site, script)
    assert [(event["url"].rpartition("/")[2], event["error"]) for event in kinds(run.trace.events, "nowhere")] == [
        ("gone", "HttpStatus"),
        ("away", "ScopeRefused"),
        ("picture", "NotReadable"),
        ("login", "login"),
    ]
    assert script.seen == [site.url, site.url + "people"]
    assert (answer.stop_reason, answer.fare.steps, answer.fare.pages) == (StopReason.NO_SOURCES, 5, 6)


async def test_links_out_of_the_site_are_not_offered() -> None:
    offered: list[list[str]] = []

    def look(walk: Walk) -> Move:
        offered.append([link.url for link in walk.links(walk.page)])
        return Enough()

    body = links("/docs/a", "/other", "http://example.com/docs/b", "/docs/c.ps", "/docs/a#part", "/docs/", "/docs/d")
    async with serve_pages({"/docs/": html("Docs", body)}) as site:
        run = Run("r", Trace.create())
        async with Web(settings(Path("nowhere")), Archive()) as web:
            await Walker(run, web, Script([look])).walk(site.url + "docs/", QUESTION)
    assert offered == [[site.url + "docs/a", site.url + "docs/d"]]


async def test_a_page_with_the_same_text_is_read_once() -> None:
    same = html("Same", "<p>Exactly the same words on every day.</p>")
    pages = {"/": html("Home", links("/a", "/b", "/c")), "/a": same, "/b": same, "/c": same + "<p>Not quite.</p>"}
    script = Script(["/a", "/b", "/c"])
    async with serve_pages(pages) as site:
        answer, run = await go(site, script)
    assert script.seen == [site.url, site.url + "a", site.url + "c"]
    assert [event["new"] for event in kinds(run.trace.events, "page")] == [True, True, False, True]
    assert answer.stop_detail == "nothing found on 3 pages"


async def test_the_same_move_on_the_same_page_is_a_loop() -> None:
    async with serve_pages(LIBRARY) as site:
        answer, _ = await go(site, Script([Back()] * 50))
    assert answer.stop_reason is StopReason.LOOP
    assert "5 times" in answer.stop_detail
    assert answer.fare.steps == 4


async def test_nothing_found_is_an_answer_with_the_trail() -> None:
    async with serve_pages(LIBRARY) as site:
        answer, run = await go(site, Script(["/visit"]))
    assert (answer.text, answer.claims, answer.stop_reason) == ("", (), StopReason.NO_SOURCES)
    assert answer.stop_detail == "nothing found on 2 pages"
    assert len(kinds(run.trace.events, "page")) == 2


@pytest.mark.parametrize(
    ("path", "problem"),
    [("404", "answered 404"), ("login", "asks to log in"), ("image", "holds no text"), ("empty", "page is empty")],
)
async def test_a_first_page_that_cannot_be_read_fails_with_an_answer(tmp_path: Path, path: str, problem: str) -> None:
    async with serve_faults() as site:
        answer = await walk(site.url + path, QUESTION, options=Options(settings=settings(tmp_path)))
    assert (answer.text, answer.claims, answer.stop_reason) == ("", (), StopReason.FAILED)
    assert problem in answer.stop_detail


async def test_an_unreachable_site_fails_with_an_answer(tmp_path: Path) -> None:
    async with serve_pages({}) as site:
        pass
    answer = await walk(site.url, QUESTION, options=Options(settings=settings(tmp_path)))
    assert answer.stop_reason is StopReason.FAILED
    assert "no connection to 127.0.0.1" in answer.stop_detail
    assert (answer.fare.pages, answer.fare.steps) == (1, 0)


async def test_what_fails_the_check_is_shown_as_unverified() -> None:
    def quoting(text: str, start: int, page: str | None = None) -> Claim:
        return Claim(text=f"It says {text!r}", quote=Quote(page=page or "", url="u", text=text, start=start))

    class Quoting(Script):
        async def conclude(self, walk: Walk) -> Draft:
            page = walk.page
            at = page.markdown.index("mended")
            return Draft(
                "An answer.",
                (
                    quoting("mended", at, page.id),
                    quoting("mended", at + 1, page.id),
                    quoting("Mended", at, page.id),
                    quoting(" ", page.markdown.index(" "), page.id),
                    quoting("mended", at, "0123456789abcdef"),
                ),
            )

    async with serve_pages(LIBRARY) as site:
        answer, _ = await go(site, Quoting(["/news"]))
    assert [claim.verified for claim in answer.claims] == [True, False, False, False, False]
    assert [claim.problem for claim in answer.claims][1:4] == ["the quote is not on the page"] * 2 + [
        "the quote is empty"
    ]
    assert "does not hold" in answer.claims[4].problem
    assert not answer.verified
    assert answer.text == "An answer."


async def test_a_text_without_notes_is_an_unverified_claim() -> None:
    async with serve_pages(LIBRARY) as site:
        answer, _ = await go(site, Script([], Draft("I just know.")))
    assert [(claim.text, claim.verified, claim.problem) for claim in answer.claims] == [
        ("I just know.", False, "the answer cites nothing")
    ]
    assert answer.stop_reason is StopReason.ANSWERED


async def test_stopped_on_request_it_gives_the_best_so_far_and_replays_so(tmp_path: Path) -> None:
    """The stop is asked for by a listener in the middle of the walk."""
    chosen = settings(tmp_path)
    runs: list[Run] = []

    def stop_after_the_note(event: Any) -> None:
        if event.type == "note":
            runs[0].stop()

    options = Options(settings=chosen, run_id="r", on_run=runs.append, on_event=stop_after_the_note)
    async with serve_pages(LIBRARY) as site:
        answer = await walk(site.url, QUESTION, options=options)
        asked = list(site.requests)
        assert answer == await replay("r", options=Options(settings=chosen))
        assert site.requests == asked
    assert (answer.stop_reason, answer.text) == (StopReason.CANCELLED, TRUTH)
    assert "/visit/reading-room" in asked
    assert "/visit/parking" not in asked
    events = log(chosen, "r")
    assert [event.type for event in events[-2:]] == ["stop", "end"]


async def test_a_stop_before_the_first_move_keeps_the_root(tmp_path: Path) -> None:
    options = Options(settings=settings(tmp_path), on_run=lambda run: run.stop())
    async with serve_pages(LIBRARY) as site:
        answer = await walk(site.url, QUESTION, options=options)
        assert site.requests == ["/robots.txt", "/"]
    assert answer.stop_reason is StopReason.CANCELLED


async def test_limits_on_models_do_not_bind_a_walk_without_one(tmp_path: Path) -> None:
    options = Options(settings=settings(tmp_path))
    async with serve_pages(LIBRARY) as site:
        answer = await walk(site.url, QUESTION, budget=Budget(usd=0, tokens=0), options=options)
    assert (answer.stop_reason, answer.text) == (StopReason.ANSWERED, TRUTH)


@pytest.mark.slow
async def test_walks_side_by_side_share_a_web_and_nothing_else(tmp_path: Path) -> None:
    worlds = [generate(WorldSpec("conference", seed, size=20, depth=2)) for seed in range(2)]
    chosen = settings(tmp_path, budget={"steps": 6})

    async def one(web: Web, site: Site, number: int) -> tuple[Any, ...]:
        questions = worlds[number % 2].questions
        question = questions[number // 2 % len(questions)]
        model = Reader(question.answers[0]).model() if number % 3 == 0 else None
        answer = await walk(site.url, question.text, model=model, options=Options(settings=chosen, web=web))
        assert answer.question == question.text
        assert all(source.url.startswith(site.url) for source in answer.sources)
        quotes = [(claim.text, claim.quote and claim.quote.text, claim.verified) for claim in answer.claims]
        return answer.text, answer.stop_reason, quotes, answer.fare.steps, answer.fare.pages, answer.fare.calls

    async with serve(worlds[0]) as first, serve(worlds[1]) as second, Web(chosen) as web:
        sites = (first, second)
        together = await asyncio.gather(*(one(web, sites[number % 2], number) for number in range(20)))
        apart = [await one(web, sites[number % 2], number) for number in range(0, 20, 3)]
    assert together[::3] == apart
    assert len(set(map(str, together))) > 4
