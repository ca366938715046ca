"""The chat mind: what it tells the model at each step, and what it keeps of what the model says."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from ask_kit import CITED, ROOM, Actor, place, search, visit
from walk_kit import LIBRARY, QUESTION, TRUTH, fenced, html

from webfarer.agents.asking import Asking
from webfarer.agents.dance import MINDS, Setting
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import Trace

FOUND = search("reading room")


def test_it_needs_a_model_and_a_dialect_there_is() -> None:
    run = Run("r", Trace.create())
    with pytest.raises(ConfigError, match="needs a model"):
        MINDS.load("chat")(Setting(run))
    with pytest.raises(ConfigError, match="unknown dialect"):
        MINDS.load("chat")(Setting(run, Actor().model(), dialect="morse"))


@pytest.mark.parametrize("dialect", ["native", "tags", "react"])
async def test_each_dialect_comes_to_the_answer(tmp_path: Path, dialect: str) -> None:
    async with place(tmp_path) as there:
        there.changes["ask"] = {"dialect": dialect}
        answer = {"tags": f"<answer>{CITED}</answer>", "react": f"Final Answer: {CITED}"}.get(dialect, CITED)
        asked = await there.ask(Actor(FOUND, visit(there.url(ROOM)), answer))
        assert (asked.answer.text, asked.answer.verified) == (TRUTH, True)
        assert asked["malformed"] == []


async def test_question_addresses_and_what_is_left_are_told(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        where = Asking(start=(there.url(),))
        asked = await there.ask(Actor(FOUND, visit(there.url(ROOM)), CITED), Budget(steps=9, pages=7), where)
        conversation = [prompt for prompt in asked.prompts if prompt.startswith("You answer a question")]
        assert all(f"The user names this address: {there.url()}" in prompt for prompt in conversation)
        assert conversation[1].endswith(f"The question: {QUESTION}\nLeft: 8 steps, 7 pages.")
        assert conversation[2].endswith("Left: 7 steps, 6 pages.")
        for before, after in pairwise(conversation):
            assert after.startswith(before)  # a server's cache of the prefix serves every step


class Inventive(Actor):
    """Copies nothing, and sums up what is not there."""

    def read(self, parts: dict[str, str]) -> dict[str, object]:  # type: ignore[override]
        return {"rational": None, "evidence": [TRUTH, "The moon is green cheese.", TRUTH], "summary": None}


async def test_evidence_that_is_not_on_the_page_is_dropped_and_that_is_recorded(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        asked = await there.ask(Inventive(FOUND, visit(there.url(ROOM)), f"{TRUTH} [1] It is cheese [2]."))
        assert [event["quote"] for event in asked["evidence_dropped"]] == ["The moon is green cheese."]
        assert [claim.problem for claim in asked.answer.claims] == ["", "there is no evidence [2]"]


async def test_of_a_long_page_the_reader_is_shown_what_fits_the_goal(tmp_path: Path) -> None:
    filler = "".join(f"<p>Shelf {n} holds the books about item {n} and its makers.</p>" for n in range(3000))
    pages = {**LIBRARY, f"/{ROOM}": html("Reading room", f"{filler}<p>{TRUTH}</p>{filler}")}
    async with place(tmp_path, pages) as there:
        asked = await there.ask(Actor(FOUND, visit(there.url(ROOM)), CITED))
        assert asked.answer.verified
        shown = next(prompt for prompt in asked.prompts if prompt.startswith("You read one page"))
        assert len(fenced(shown)["page"]) < 25_000


async def test_what_the_last_answer_cannot_use_is_no_answer(tmp_path: Path) -> None:
    class Speechless(Actor):
        def conclude(self, parts: object) -> dict[str, object]:
            return {"answer": " "}

    async with place(tmp_path) as there:
        asked = await there.ask(Speechless(FOUND, visit(there.url(ROOM))), Budget(steps=2))
        assert (asked.answer.text, asked.answer.claims) == ("", ())
        assert json.loads(json.dumps(asked.events[-1].data))["answer"]["stop_reason"] == "turns"
