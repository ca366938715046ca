"""Budgets of a search: no limit is passed, whatever runs side by side or one inside the other; there is an answer."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from ask_kit import CITED, ROOM, Actor, Asked, Place, call, place, search, visit
from walk_kit import LIBRARY, TRUTH

from webfarer.core.fare import Budget, Price
from webfarer.core.types import StopReason
from webfarer.models.scripted import Scripted

KNOWN = dict.fromkeys(LIBRARY, "reading room")
STOPS = {
    "tokens": StopReason.BUDGET,
    "usd": StopReason.BUDGET,
    "pages": StopReason.BUDGET,
    "bytes": StopReason.BUDGET,
    "steps": StopReason.TURNS,
}


def busy(there: Place) -> Actor:
    """Search, read five pages at once, walk, and read the one that has it."""
    walk = call("walk", url=there.url(), goal="How many spaces for cars are there?")
    several = visit(*map(there.url, ["", "news", "news/old", "people", "visit"]))
    return Actor(search("reading room", "reading"), several, walk, visit(there.url(ROOM)), CITED)


def ended(asked: Asked, meter: str) -> None:
    """Check that the run ended well: in time, or at the limit on `meter`, with what it had."""
    answer = asked.answer
    assert asked.events[-1].type == "end"
    if answer.stop_reason is StopReason.ANSWERED:
        assert (answer.text, answer.verified) == (TRUTH, True)
    else:
        assert answer.stop_reason is STOPS[meter]
        assert meter in answer.stop_detail
        found = asked["observed"] and asked["observed"][-1]["evidence"]
        assert answer.verified == bool(found)


@pytest.mark.parametrize("limit", [0, 1, 200, 900, 2_000, 3_000, 5_000, 8_000, 12_000, 30_000])
async def test_tokens(tmp_path: Path, limit: int) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(busy(there), Budget(tokens=limit))
        assert asked.answer.fare.tokens <= limit
        ended(asked, "tokens")


@pytest.mark.parametrize("limit", [0.0, 0.001, 0.004, 0.01, 0.05])
async def test_money(tmp_path: Path, limit: float) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        there.changes["prices"] = {"scripted": Price(input=1, output=2)}
        asked = await there.ask(busy(there), Budget(usd=limit))
        assert asked.answer.fare.usd <= limit
        ended(asked, "usd")


@pytest.mark.parametrize("limit", range(10))
async def test_pages_and_what_the_server_saw(tmp_path: Path, limit: int) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(busy(there), Budget(pages=limit))
        assert len(there.opened()) == asked.answer.fare.pages <= limit
        ended(asked, "pages")


@pytest.mark.parametrize("limit", [0, 100, 700, 1_200, 2_000, 4_000])
async def test_bytes_by_no_more_than_the_calls_in_flight(tmp_path: Path, limit: int) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(busy(there), Budget(bytes=limit))
        results = [result["cost"].get("bytes", 0) for result in asked["result"]]
        assert asked.answer.fare.bytes == sum(results) <= limit + 5 * max([0, *results])
        ended(asked, "bytes")


@pytest.mark.parametrize("limit", range(12))
async def test_steps_those_of_a_walk_too(tmp_path: Path, limit: int) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        asked = await there.ask(busy(there), Budget(steps=limit))
        assert len(asked["act"]) + len(asked["click"]) + len(asked["back"]) == asked.answer.fare.steps <= limit
        ended(asked, "steps")


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_a_walk_keeps_to_its_own_limit_and_leaves_the_rest(tmp_path: Path, most: int) -> None:
    async with place(tmp_path, known=KNOWN) as there:
        there.changes["ask"] = {"walk_steps": most}
        asked = await there.ask(busy(there))
        assert len(asked["click"]) + len(asked["back"]) == most
        assert asked.answer.stop_reason is StopReason.ANSWERED
        assert asked.answer.fare.steps == 4 + most


async def test_the_reserve_pays_for_the_last_answer(tmp_path: Path) -> None:
    """Where the limit ends the search behind the evidence, a model words the answer, from what was held back."""
    worded = 0
    async with place(tmp_path, known=KNOWN) as there:
        for limit in range(3_000, 9_000, 500):
            lines = [search("reading room"), visit(there.url(ROOM)), *[search(f"zebra {n}") for n in range(99)]]
            asked = await there.ask(Actor(*lines), Budget(tokens=limit))
            assert asked.answer.fare.tokens <= limit
            assert asked.answer.stop_reason in (StopReason.BUDGET, StopReason.LOOP)
            if asked.answer.text:
                assert asked.answer.verified
                worded += asked.prompts[-1].startswith("You give the best answer")
    assert worded >= 6


async def test_time(tmp_path: Path) -> None:
    """A model that hangs is cut off; the evidence itself is the answer when no time is left to word one."""

    class Slow(Scripted):
        async def complete(self, *arguments: Any, **options: Any) -> Any:
            if len(self.asked) == 3:
                await asyncio.sleep(30)
            return await super().complete(*arguments, **options)

    async with place(tmp_path) as there:
        actor = Actor(search("reading room"), visit(there.url(ROOM)), CITED)
        asked = await there.ask(Slow([actor] * 9), Budget(seconds=0.6))
        assert asked.answer.stop_reason is StopReason.TIMEOUT
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)
