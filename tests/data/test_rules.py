"""The funnel's rules, each with trajectories it keeps and such that it drops; none speaks of a clean one."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from funnel_kit import (
    ACTIONS,
    CLEAN,
    PAGE,
    QUOTE,
    SEARCH,
    URL,
    asked,
    call,
    said,
    thinks,
    trajectory,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from webfarer.agents.systems._reacting import TOOLS as WALKING
from webfarer.core.specs import made
from webfarer.core.types import Claim, Page, StopReason
from webfarer.data.rule import RULES, STAGES, Jury
from webfarer.data.trajectory import Action, Trajectory
from webfarer.models.base import ToolCall
from webfarer.models.ruled import Ruled
from webfarer.models.structured import closed_schema

ZH = "榉木天文台是哪一年启用的？"
OTHER = "http://alder.test/other"


class Evidence(BaseModel):
    """What a reading is asked for."""

    evidence: list[str]


def problem(spec: str, of: Trajectory, jury: Jury = Jury()) -> str:
    return asyncio.run(made(RULES, spec).problem(of, jury))


def react(text: str, *actions: Action) -> Trajectory:
    return trajectory(said=(said(text, "react", WALKING),), actions=actions)


def reading(text: str) -> Trajectory:
    return trajectory(said=(replace(asked(text), sampling={"json_schema": closed_schema(Evidence)}),))


def native(name: str, arguments: dict[str, Any]) -> Trajectory:
    return trajectory(said=(said("", "native", tool_calls=(ToolCall("1", name, arguments),)),))


def acted(*actions: Action, **changes: Any) -> Trajectory:
    return trajectory(actions=(*ACTIONS, *actions), **changes)


clicked = Action("click", {"link": 3}, "there", 1)
LOOP = "the records must hold it somewhere so I look at all the records once more "
ZH_LOOP = "答案一定就在这些记录里面所以我再看一遍"
CLICK = "Thought: there\nAction: click\nAction Input: "

DROPPED: dict[str, dict[str, Trajectory]] = {
    "tags": {
        "is not closed": trajectory(thinks("t", call("search", SEARCH).removesuffix("\n</tool_call>"))),
        "<think> is not closed": trajectory(CLEAN[0].replace("</think>", "")),
        "</think> closes nothing": trajectory(CLEAN[0].removeprefix("<think>\n")),
        "<toolcall> is unknown": trajectory(CLEAN[0].replace("<tool_call>", "<toolcall>")),
        "<answer> is not closed": trajectory(thinks("t", "<answer>1931")),
        "not calls or one answer": trajectory(thinks("t", f"{call('search', SEARCH)}<answer>1931</answer>")),
        "after one thought": trajectory(f"<answer>1931</answer>{thinks('t', '')}"),
        "['think']": trajectory(thinks("t", "I am done.")),
        "missing": trajectory("1931"),
        "the answer is empty": trajectory(thinks("t", "<answer> </answer>")),
        "<tool_response> is unknown": trajectory(CLEAN[0] + "<tool_response>found</tool_response>"),
        "<tool_call> is not closed": trajectory(call("search", SEARCH).replace("</tool_call>", "") + CLEAN[0]),
        "its labels are ['Action']": react("Action: click"),
        "['Thought', 'Action Input']": react('Thought: so\nAction Input: {"link": 1}'),
    },
    "json": {
        "delimiter": trajectory(CLEAN[0].replace("}}", "}")),
        "Expecting property name": trajectory(CLEAN[0].replace('{"name"', "{name")),
        "NaN is no JSON": trajectory(CLEAN[0].replace('["Alder Observatory opened"]', "NaN")),
        "[1] is no object": trajectory("<tool_call>[1]</tool_call>"),
        "there is no 'arguments'": trajectory('<tool_call>{"name": "search"}</tool_call>'),
        "Expecting value: line 1": trajectory(said=(asked('```json\n{"evidence": []}\n```'),)),
        "Expecting": react(f"{CLICK}{{'link': 3}}"),
        "Extra data": trajectory(CLEAN[0].replace("}}", "}}}")),
        "too many levels": trajectory(CLEAN[0].replace('["Alder Observatory opened"]', "[" * 5000 + "]" * 5000)),
        "there is no 'evidence'": reading('{"foo": 1}'),
        "'more' is not asked for": reading('{"evidence": [], "more": 1}'),
        "evidence: 1 is no string": reading('{"evidence": [1]}'),
    },
    "tools": {
        "no tool 'calculator'": trajectory(call("calculator", SEARCH)),
        "no tool 'Search'": trajectory(call("Search", SEARCH)),
        "needs `goal`": trajectory(call("visit", {"url": [URL]})),
        "needs `query`": trajectory(call("search", {})),
        "not the arguments of search": trajectory(call("search", {"queries": ["a"]})),
        "'query': 'a'": trajectory(call("search", {"query": "a"})),
        "must be array": trajectory(call("search", {"query": {"a": 1, "b": 2}})),
        "'more': 1": native("search", {**SEARCH, "more": 1}),
        "no tool 'walk'": native("walk", {}),
        "needs `link`": react(f"{CLICK}{{}}"),
        "'link': '3'": react(f'{CLICK}{{"link": "3"}}'),
    },
    "finished": {
        "budget": trajectory(answer_stop_reason=StopReason.BUDGET),
        "loop": trajectory(answer_stop_reason=StopReason.LOOP),
        "no_sources": trajectory(answer_stop_reason=StopReason.NO_SOURCES, answer_text=""),
        "no answer": trajectory(answer_text=" "),
        "it failed: broke": trajectory(result_answer=None, result_error={"error": "ModelError", "message": "broke"}),
        "token limit": trajectory(said=(said(CLEAN[0], finish="length"),)),
        "1 calls of click were never": react(f'{CLICK}{{"link": 3}}\n{CLICK}{{"link": 4}}', clicked),
    },
    "right": {
        "the answer is wrong": trajectory(result_marks={"named": {"correct": 0.0}}),
        "named has not marked it": trajectory(result_marks={}),
    },
    "repetition": {
        "8 times": trajectory(thinks(LOOP * 8, call("search", SEARCH))),
        "6 times": trajectory(thinks(ZH_LOOP * 6, call("search", SEARCH))),
        "5 times": trajectory(*CLEAN, thinks("t", f"<answer>{LOOP * 5}</answer>")),
        "records": trajectory(said=(said("", "native", reasoning=LOOP * 8),)),
    },
    "actions": {
        "1 actions, fewer than 2": trajectory(actions=ACTIONS[:1]),
        "0 actions": trajectory(actions=()),
        "17 actions, more than 16": trajectory(actions=ACTIONS[:1] * 17),
    },
    "addresses": {OTHER: acted(Action("visit", {"url": [OTHER]}, "t", 3, unnamed=(OTHER,)))},
    "quotes": {
        "the page does not say: x": trajectory(actions=(replace(ACTIONS[1], invented=("x",)),)),
        "not on the page: opened": trajectory(answer_claims=(Claim(text="c", quote=QUOTE, problem="not on the page"),)),
        "was never read": trajectory(pages={}, hashes={}),
        "no quote for: bare": trajectory(answer_claims=(Claim(text="bare"),)),
    },
    "redundancy": {
        "the same call again: search": acted(replace(ACTIONS[0], step=3)),
        "2 pages were opened again": acted(
            Action("visit", {"url": [URL], "goal": "a"}, read=(URL,)),
            Action("visit", {"url": [URL], "goal": "b"}, read=(f"{URL}/",)),
        ),
        "3 of 5 actions": acted(*(Action("search", {"query": [str(n)]}, found=(URL,)) for n in range(3))),
    },
    "goal": {
        "lentil": acted(Action("search", {"query": ["Alder Observatory", "recipe for lentil soup"]}, "t", 3)),
        "北京天气": trajectory(
            actions=(Action("search", {"query": ["榉木天文台 启用", "明天北京天气预报"]}, "t", 1),), item_question=ZH
        ),
        "football": acted(Action("visit", {"url": [URL], "goal": "football results last weekend"}, "t", 3)),
        f"{OTHER} says nothing": acted(
            Action("click", {"url": OTHER}, "t", 3, read=(OTHER,)),
            pages={URL: PAGE, OTHER: Page(id="r2", url=OTHER, title="Soup", markdown="Lentils and cumin.")},
        ),
    },
    "rate": {
        "ISR 1/4": trajectory(item_parts=("1931", "1950", "1960", "1970")),
        "ISR 0/2": trajectory(item_data={"required": ["一九五〇年", "一九六〇年"]}),
        "ISE 1/12": trajectory(
            item_parts=("1931", "1950"), actions=tuple(Action("search", {}, step=n) for n in range(12))
        ),
    },
    "length": {
        "a thought of": trajectory(thinks("so it goes on and on " * 400, call("search", SEARCH))),
        "tokens, more than 32768": trajectory(
            said=(
                replace(said(CLEAN[0]), messages=({"role": "user", "content": "天文台" * 12_000},)),
                *map(said, CLEAN),
            )
        ),
        "57604 tokens": trajectory(
            said=(replace(asked("{}"), messages=({"role": "user", "content": "天文台" * 12_000},)),)
        ),
    },
    "thoughts": {
        "step 3 (search) has no thought": acted(Action("search", {}, " ", 3)),
        "an answer of": trajectory(answer_text="It was opened. " * 200),
    },
}
KEPT: dict[str, list[Trajectory]] = {
    "tags": [
        trajectory(call("search", {"query": ["what does </tool_call> mean"]})),
        trajectory(thinks("<tool_call> or <answer>?", call("search", SEARCH) * 2)),
        trajectory(thinks("答案是：", "<answer>一九三一年 <b>[1]</b></answer>")),
        trajectory(said=(said("anything <goes>", "native"),)),
        trajectory(said=(asked("<no"),)),
        react(f'{CLICK}{{"link": 3}}'),
        react("Final Answer: 1931\nQuote: opened in 1931"),
    ],
    "json": [
        trajectory(thinks("t", call("search", SEARCH).removesuffix("</tool_call>"))),
        trajectory(call("search", {"query": ['榉木天文台 "启用"']})),
        trajectory(said=(asked('{"evidence": []}'),)),
        react(f'{CLICK}{{"link": 3}}'),
    ],
    "tools": [
        trajectory(CLEAN[0].replace("}}", "}")),
        native("search", SEARCH),
        react(f'{CLICK}{{"link": 3}}\nAction: back\nAction Input: {{}}'),
    ],
    "repetition": [
        trajectory(*[thinks(LOOP, call("search", SEARCH))] * 9),
        trajectory(thinks(LOOP * 4, call("search", SEARCH))),
        trajectory(thinks(ZH_LOOP * 4, CLEAN[0])),
    ],
    "actions": [trajectory(actions=ACTIONS * 8)],
    "redundancy": [
        acted(*[Action("find", {"url": URL, "text": "1931"})] * 3),
        acted(Action("visit", {"url": [URL], "goal": "another"}, read=(URL,))),
    ],
    "goal": [
        acted(  # the next step of a chain: its name was read on a page before
            Action("click", {"url": OTHER}, "t", 3, read=(OTHER,)),
            pages={
                URL: Page(id="r1", url=URL, title="Alder Observatory", markdown="Its director is Nils Fendor."),
                OTHER: Page(id="r2", url=OTHER, title="Nils Fendor", markdown="Born in Calvale, 26 January 1940."),
            },
        ),
        acted(Action("search", {"query": ["History of 1931"]})),  # words of a page read before
        trajectory(
            actions=(Action("search", {"query": ["榉木天文台 启用年份"]}), ACTIONS[0]), item_question=f"{ZH} Alder"
        ),
        trajectory(
            actions=(Action("visit", {"url": [OTHER], "goal": "обсерватория"}, read=(OTHER,)),),
            item_question="Когда открыли обсерваторию?",
            pages={OTHER: Page(id="r2", url=OTHER, title="История", markdown="Обсерваторию открыли в 1931 году.")},
        ),
    ],
    "finished": [
        react(f'{CLICK}{{"link": 3}}\n{CLICK}{{"link": 4}}', clicked, clicked),
        trajectory(said=(replace(said(call("search", SEARCH) * 9), refused="too many"),)),
    ],
    "rate": [trajectory(item_parts=("1931", "1950"))],
}


@pytest.mark.parametrize(("rule", "reason"), [(rule, reason) for rule in DROPPED for reason in DROPPED[rule]])
def test_a_rule_drops_what_it_names(rule: str, reason: str) -> None:
    assert reason in problem(rule, DROPPED[rule][reason])


@pytest.mark.parametrize("rule", sorted({*KEPT, *DROPPED}))
def test_a_rule_keeps_the_rest(rule: str) -> None:
    assert [problem(rule, each) for each in (trajectory(), *KEPT.get(rule, ()))] == [""] * (1 + len(KEPT.get(rule, ())))


def test_every_rule_has_a_case_or_asks_and_no_two_have_one_place() -> None:
    rules = {name: made(RULES, name) for name in RULES.ids()}
    assert {name for name, rule in rules.items() if not rule.asks} == set(DROPPED)
    assert {name for name, rule in rules.items() if rule.asks} == {"judge", "screen"}
    places = [(rule.stage, rule.order) for rule in rules.values()]
    assert len(set(places)) == len(places)
    assert {stage for stage, _ in places} == set(STAGES)


def test_the_judge_and_the_screening_ask_their_model() -> None:
    jury = Jury(Ruled("overlap"))
    assert problem("judge", trajectory(), jury) == ""
    assert problem("judge", trajectory(answer_text="1932"), jury).startswith("incorrect")
    assert "off the goal, illogical" in problem("screen", trajectory(), jury)  # no rule is made for its properties


PIECES = [*CLEAN, "<think>", "</think>", "<answer>", "</answer>", "<tool_call>", "{", "x", "天"]


@given(st.lists(st.sampled_from(PIECES), max_size=8))
def test_whatever_a_model_wrote_no_rule_breaks_down(parts: list[str]) -> None:
    each = trajectory("".join(parts))
    assert all(isinstance(problem(name, each), str) for name in ("tags", "json", "tools", "repetition", "length"))


@given(st.integers(1, 12), st.integers(1, 30), st.integers(1, 12))
def test_a_run_of_words_is_counted_as_often_as_it_stands_there(n: int, times: int, most: int) -> None:
    each = trajectory(f"<answer>{' '.join([*map(str, range(n))] * times)}</answer>")
    assert bool(problem(f"repetition:n={n},most={most}", each)) == (times > most)
