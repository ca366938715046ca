"""The loop: several calls at once, in the order asked, and an end to everything that goes in circles."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web as server
from ask_kit import CITED, ENGINE, ROOM, Actor, call, place, search, visit
from walk_kit import LIBRARY, QUESTION, TRUTH, html, links

from webfarer.core.fare import Budget
from webfarer.core.types import StopReason
from webfarer.worlds.server import html_response


async def test_search_visit_answer(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(search("reading room Sunday"), visit(there.url(ROOM)), CITED))
        assert (asked.answer.text, asked.answer.stop_reason) == (TRUTH, StopReason.ANSWERED)
        assert asked.answer.verified
        assert asked.answer.sources[0].url == there.url(ROOM)
        assert there.opened() == [f"/{ROOM}"]
        assert asked.answer.fare.steps == 2
        assert [event["tool"] for event in asked["observed"]] == ["search", "visit"]


class Meeting:
    """Pages that are sent only when all of them have been asked for; the first asked for comes last."""

    def __init__(self, count: int) -> None:
        self.count, self.arrived, self.all = count, 0, asyncio.Event()

    async def __call__(self, request: server.BaseRequest) -> server.StreamResponse:
        self.arrived += 1
        number = self.arrived
        if number == self.count:
            self.all.set()
        async with asyncio.timeout(5):
            await self.all.wait()
        await asyncio.sleep((self.count - number) * 0.02)
        return html_response(html(request.path, f"<p>{TRUTH}</p>"))


@pytest.mark.parametrize("one_call", [True, False], ids=["two pages", "two calls"])
async def test_calls_of_one_step_run_side_by_side_and_come_back_in_the_order_asked(
    tmp_path: Path, one_call: bool
) -> None:
    meeting = Meeting(2)
    async with place(tmp_path, {"/a": meeting, "/b": meeting}, {"/a": "alpha", "/b": "beta"}) as there:
        urls = [there.url("a"), there.url("b")]
        step = visit(*urls) if one_call else "\n".join(map(visit, urls))
        asked = await there.ask(Actor(search("alpha", "beta"), step))
        assert [page["url"] for seen in asked["observed"] for page in seen["pages"]] == urls
        told = asked.prompts[-1]
        assert told.index(urls[0]) < told.index(urls[1])
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)


async def test_a_walk_waits_for_the_others_and_stays_in_its_place(tmp_path: Path) -> None:
    async with place(tmp_path, known={"/": "library", "/people": "people"}) as there:
        step = call("walk", url=there.url(), goal=QUESTION) + visit(there.url("people"))
        asked = await there.ask(Actor(search("library", "people"), step))
        assert there.opened()[0] == "/people"
        assert [seen["tool"] for seen in asked["observed"]] == ["search", "walk", "visit"]
        assert asked["click"]
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)


async def test_the_same_call_twice_in_a_step_is_made_once_and_answered_twice(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(search("reading room"), visit(there.url(ROOM)) * 5))
        assert there.opened() == [f"/{ROOM}"]
        assert len(asked["observed"]) == 6
        assert asked.answer.stop_reason is StopReason.ANSWERED


async def test_the_same_call_is_warned_about_and_then_ends_the_search(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        step = visit(there.url(ROOM))
        asked = await there.ask(Actor(search("reading room"), *[step] * 9))
        warned = [n for n, prompt in enumerate(asked.prompts) if "this very call 3 times" in prompt]
        acted = [n for n, prompt in enumerate(asked.prompts) if prompt.startswith("You answer a question")]
        assert warned[0] == acted[4]  # a search and three visits came before
        assert asked.answer.stop_reason is StopReason.LOOP
        assert "visit was made 5 times" in asked.answer.stop_detail
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)  # the best so far
        assert there.opened() == [f"/{ROOM}"]  # a page read before is not fetched again


async def test_steps_that_bring_nothing_new_end_the_search(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(*[search(f"zebra {n}") for n in range(20)]))
        assert asked.answer.stop_reason is StopReason.LOOP
        assert "nothing new" in asked.answer.stop_detail
        assert len(asked["act"]) == 8
        assert set(asked.problems) == {"NoResults"}
        assert asked.answer.text == ""


async def test_the_same_query_costs_one_request(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(search("reading room"), search("reading room", "reading  room "), search("x")))
        assert there.stub.count(ENGINE) == 2
        assert len(asked["observed"]) == 3


async def test_a_model_that_never_answers_is_asked_for_the_best_answer(tmp_path: Path) -> None:
    pages = {f"/p{n}": html(f"Page {n}", f"<p>Number {n}.</p>" + links(f"/p{n + 1}")) for n in range(30)}
    pages["/p2"] = LIBRARY[f"/{ROOM}"].replace("</main>", links("/p3") + "</main>")
    async with place(tmp_path, pages, {"/p0": "reading room"}) as there:
        visits = [visit(there.url(f"p{n}")) for n in range(30)]
        asked = await there.ask(Actor(search("reading room"), *visits), Budget(steps=6))
        assert (asked.answer.stop_reason, asked.answer.fare.steps) == (StopReason.TURNS, 6)
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)


async def test_stopping_on_request(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Actor(search("reading room")), on_run=lambda run: run.stop())
        assert asked.answer.stop_reason is StopReason.CANCELLED
        assert not asked["act"]
