"""ReAct and Reflexion, with a model that follows a script."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from ask_kit import Asked
from system_kit import library, played
from walk_kit import LIBRARY, TRUTH, contents, fenced, html, kinds, links, unfenced

from webfarer.core.errors import ModelUnavailable
from webfarer.core.fare import Budget
from webfarer.core.types import StopReason
from webfarer.models.base import Message
from webfarer.models.scripted import Line, Scripted

ANSWER = f"Thought: there it is.\nFinal Answer: At 13:45.\nQuote: {TRUTH}"
NONE = "Thought: not here.\nFinal Answer: none"
BACK = "Thought: nothing here.\nAction: back\nAction Input: {}"
REFLECTED = '{"supported": false, "lesson": "Look at the visit pages, PWNED."}'
SUPPORTED = '{"supported": true, "lesson": ""}'


def click(label: str) -> Line:
    """Return the action that opens the link with that label, wherever it stands among those shown last."""

    def act(messages: Sequence[Message]) -> str:
        shown = next(parts["links"] for each in messages[::-1] if "links" in (parts := fenced(each.content)))
        found = re.search(rf"^(\d+)\. {label}", shown, re.MULTILINE)
        assert found
        return f'Thought: {label}.\nAction: click\nAction Input: {{"link": {found[1]}}}'

    return act


WAY = [click("visit"), click("reading-room")]


async def react(home: Path, *script: Line, system: str = "react", steps: int = 8, root: str = "") -> Asked:
    """Play with a script; `root` is another first page."""
    model = Scripted(script)
    async with library(home, {**LIBRARY, **({"/": root} if root else {})}) as there:
        return await played(there, system, "click", model, budget=Budget(steps=steps))


async def test_it_clicks_reads_and_answers_with_a_checked_quote(tmp_path: Path) -> None:
    came = await react(tmp_path, *WAY, ANSWER)
    assert (came.answer.text, came.answer.stop_reason) == ("At 13:45.", StopReason.ANSWERED)
    assert [claim.verified for claim in came.answer.claims] == [True]
    assert (came.answer.fare.steps, came.answer.fare.pages, came.answer.fare.calls) == (2, 3, 3)
    assert [act["label"] for act in came["click"]] == ["visit", "reading-room"]
    assert "note" not in {event.type for event in came.events}


async def test_everything_seen_stays_in_the_conversation(tmp_path: Path) -> None:
    came = await react(tmp_path, *WAY, ANSWER)
    assert isinstance(came.model, Scripted)
    last = came.model.asked[-1]
    assert [message.role for message in last] == ["system", "user", *["assistant", "user"] * 3]
    seen = [fenced(message.content)["page"].partition("\n")[0] for message in last[3::2]]
    assert seen == ["Town library", "Visit", "Reading room"]
    assert all(message.content.startswith("Observation: ") for message in last[3::2])
    assert "Welcome" not in unfenced("\n".join(contents(last)))
    assert came.model.samplings[-1].stop == ("\nObservation:",)


async def test_a_quote_that_is_on_no_page_stays_unverified(tmp_path: Path) -> None:
    came = await react(tmp_path, "Final Answer: At noon.\nQuote: It opens at noon.\nQuote: Welcome to the library.")
    assert [(claim.verified, claim.problem) for claim in came.answer.claims] == [
        (False, "the quote is on no page"),
        (True, ""),
    ]


async def test_an_answer_without_a_quote_cites_nothing(tmp_path: Path) -> None:
    came = await react(tmp_path, "Final Answer: At noon.")
    assert [claim.problem for claim in came.answer.claims] == ["the answer cites nothing"]


async def test_none_is_no_answer(tmp_path: Path) -> None:
    came = await react(tmp_path, NONE)
    assert (came.answer.text, came.answer.stop_reason) == ("", StopReason.NO_SOURCES)


async def test_what_cannot_be_done_is_said_and_costs_no_step(tmp_path: Path) -> None:
    lost = 'Action: click\nAction Input: {"link": 99}'
    came = await react(tmp_path, lost, BACK, "nonsense", *WAY, BACK, click("parking"), ANSWER)
    assert [said["problem"] for said in came["malformed"]][:2] == ["that cannot be done from the page you see last"] * 2
    assert len(came["malformed"]) == 3
    assert came.answer.fare.steps == 4
    assert came.answer.text == "At 13:45."


async def test_no_usable_reply_ends_it(tmp_path: Path) -> None:
    came = await react(tmp_path, *["nonsense"] * 5, ANSWER)
    assert came.answer.stop_reason is StopReason.FAILED
    assert "5 times in a row" in came.answer.stop_detail
    assert came.answer.text == "At 13:45."  # asked for the last answer, it gives one


async def test_a_dead_link_is_an_observation(tmp_path: Path) -> None:
    gone = html("Town library", "<p>Welcome.</p>" + links("/gone", "/visit"))
    came = await react(tmp_path, click("gone"), *WAY, ANSWER, root=gone)
    assert [nowhere["error"] for nowhere in came["nowhere"]] == ["HttpStatus"]
    assert "led nowhere (HttpStatus)" in came.prompts[1]
    assert "gone" not in unfenced(came.prompts[1]).replace("Thought: gone.", "")
    assert came.answer.text == "At 13:45."


async def test_at_the_limit_the_answer_is_forced(tmp_path: Path) -> None:
    came = await react(tmp_path, *WAY, ANSWER, steps=2)
    assert (came.answer.text, came.answer.stop_reason) == ("At 13:45.", StopReason.TURNS)
    assert came.prompts[-1].endswith("that what you have read allows now.")


@pytest.mark.parametrize("dead", [ModelUnavailable("gone"), "no label at all"])
async def test_a_dead_model_at_the_limit_leaves_the_pages(tmp_path: Path, dead: Line) -> None:
    came = await react(tmp_path, click("visit"), dead, steps=1)
    assert (came.answer.text, came.answer.stop_reason) == ("", StopReason.TURNS)


async def test_a_dead_model_fails(tmp_path: Path) -> None:
    came = await react(tmp_path, ModelUnavailable("gone"), ModelUnavailable("gone"))
    assert (came.answer.stop_reason, came.answer.stop_detail) == (StopReason.FAILED, "gone")


async def reflexion(home: Path, *script: Line, steps: int = 8) -> Asked:
    return await react(home, *script, system="reflexion", steps=steps)


async def test_an_answer_with_support_is_not_tried_again(tmp_path: Path) -> None:
    came = await reflexion(tmp_path, *WAY, ANSWER, SUPPORTED)
    assert (came.answer.text, came.answer.fare.calls) == ("At 13:45.", 4)
    assert [said["supported"] for said in came["reflected"]] == [True]


async def test_a_second_try_knows_the_lesson_and_the_root(tmp_path: Path) -> None:
    came = await reflexion(tmp_path, click("news"), NONE, REFLECTED, *WAY, ANSWER, SUPPORTED)
    assert (came.answer.text, came.answer.stop_reason) == ("At 13:45.", StopReason.ANSWERED)
    assert [said["supported"] for said in came["reflected"]] == [False, True]
    second = came.prompts[3]
    assert "Look at the visit pages, PWNED." in fenced(second)["lessons"]
    assert "PWNED" not in unfenced(second)  # the model wrote it after reading pages
    assert came.answer.fare.pages == 4  # news, visit, reading room; the root once
    assert came.answer.fare.steps == 3
    assert came.answer.fare.calls == 7


async def test_it_ends_after_three_tries_with_the_last_answer_that_says_something(tmp_path: Path) -> None:
    guess = "Final Answer: At noon."
    came = await reflexion(tmp_path, guess, REFLECTED, "Final Answer: At one.", SUPPORTED, NONE)
    assert came.answer.text == "At one."  # nothing was quoted, so it had no support, whatever the model says
    assert [said["supported"] for said in came["reflected"]] == [False, False]


async def test_a_try_that_spends_the_budget_is_the_last(tmp_path: Path) -> None:
    came = await reflexion(tmp_path, *WAY, ANSWER, steps=2)
    assert (came.answer.text, came.answer.stop_reason) == ("At 13:45.", StopReason.TURNS)
    assert came["reflected"] == []


async def test_without_a_reflection_the_answer_stays(tmp_path: Path) -> None:
    came = await reflexion(tmp_path, "Final Answer: At noon.", *[ModelUnavailable("gone")] * 2)
    assert (came.answer.text, came["reflected"]) == ("At noon.", [])
    assert kinds(came.events, "degraded")[-1]["part"] == "reflect"
