"""Temperature: what to do next is drawn with it; reading, judging and concluding stay greedy."""

import json
from pathlib import Path

import pytest
from ask_kit import CITED, ROOM, Actor, place, search, visit
from system_kit import library, played
from walk_kit import TRUTH

from webfarer.agents.minds.chat import _ROLE as ASKING
from webfarer.agents.policies._chat_prompts import EXPLORE
from webfarer.agents.systems._reacting import _ROLE as REACTING
from webfarer.models.scripted import Scripted

WARM = (0.7, 0.9)


@pytest.mark.parametrize("thoughts", ["withheld", "kept"])
async def test_a_search_draws_its_steps_and_remembers_its_thoughts_when_told_to(tmp_path: Path, thoughts: str) -> None:
    async with place(tmp_path) as there:
        there.changes |= {"temperature": WARM[0], "top_p": WARM[1], "ask": {"thoughts": thoughts, "dialect": "tags"}}
        acts = [f"<think>idea {n}</think>\n{act}" for n, act in enumerate((search("room"), visit(there.url(ROOM))))]
        model = Actor(*acts, f"<answer>{CITED}</answer>").model()
        asked = await there.ask(model)
        assert asked.answer.text == TRUTH
        for messages, sampling in zip(model.asked, model.samplings, strict=True):
            warmth = WARM if messages[0].content.startswith(ASKING) else (0.0, 1.0)
            assert (sampling.temperature, sampling.top_p) == warmth
        last = "".join(message.content for message in model.asked[-1])
        assert ("idea 0" in last, "idea 1" in last) == (thoughts == "kept", thoughts == "kept")
        settings = asked["start"][0]["settings"]
        assert (settings["temperature"], settings["top_p"], settings["ask"]["thoughts"]) == (*WARM, thoughts)


@pytest.mark.parametrize("system", ["closed_book", "one_shot_rag", "rag_walker"])
@pytest.mark.parametrize("warmth", [WARM, (0.0, 1.0)])
async def test_who_decides_nothing_but_the_answer_draws_that(
    tmp_path: Path, system: str, warmth: tuple[float, float]
) -> None:
    model = Scripted(['{"sufficient": true, "answer": "13:45", "notes": []}'])
    async with library(tmp_path) as there:
        there.changes |= {"temperature": warmth[0], "top_p": warmth[1]}
        await played(there, system, model=model)
    assert [(sampling.temperature, sampling.top_p) for sampling in model.samplings] == [warmth]


@pytest.mark.parametrize(("system", "drawn"), [("walker", EXPLORE.role), ("react", REACTING)])
async def test_a_walk_draws_its_clicks(tmp_path: Path, system: str, drawn: str) -> None:
    script = ["Final Answer: none"] * 9 if system == "react" else Actor().model()._script
    model = Scripted(script)
    async with library(tmp_path) as there:
        there.changes |= {"temperature": WARM[0], "top_p": WARM[1]}
        await played(there, system, "click", model)
    warm = {messages[0].content.startswith(drawn) for messages in model.asked}
    assert True in warm
    for messages, sampling in zip(model.asked, model.samplings, strict=True):
        expected = WARM if messages[0].content.startswith(drawn) else (0.0, 1.0)
        assert (sampling.temperature, sampling.top_p) == expected, json.dumps(messages[0].content[:80])
