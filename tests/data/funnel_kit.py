"""Trajectories made by hand, as the reader would give them: one clean search, and whatever a test changes of it."""

import json
from dataclasses import replace
from typing import Any

from webfarer.core.fare import Fare
from webfarer.core.types import Answer, Claim, Page, Quote, StopReason
from webfarer.data.trajectory import Action, Said, Trajectory
from webfarer.evals.records import Plan, Result
from webfarer.evals.task import Item
from webfarer.models.base import Reply, Tool, Usage
from webfarer.models.dialogue import DIALECTS

QUESTION = "When was the Alder Observatory opened?"
URL = "http://alder.test/history"
PAGE = Page(id="r1", url=URL, title="History of the Alder Observatory", markdown="# History\n\nIt was opened in 1931.")
QUOTE = Quote(page="r1", url=URL, text="opened in 1931", start=17)
STRING = {"type": "string"}
TOOLS = (
    Tool(
        "search",
        "Search.",
        {"type": "object", "properties": {"query": {"type": "array", "items": STRING}}, "required": ["query"]},
    ),
    Tool(
        "visit",
        "Open.",
        {
            "type": "object",
            "properties": {"url": {"type": "array", "items": STRING}, "goal": STRING},
            "required": ["url", "goal"],
        },
    ),
)
SEARCH = {"query": ["Alder Observatory opened"]}
VISIT = {"url": [URL], "goal": QUESTION}
ACTIONS = (
    Action("search", SEARCH, "I search.", 1, found=(URL,)),
    Action("visit", VISIT, "I read it.", 2, named=(URL,), read=(URL,)),
)
PLAN = Plan(task="questions", setting="search", agent="dancer", model="m", scorers=("named",), items=1, fingerprint="f")


def call(name: str, arguments: Any) -> str:
    """Return a call in the dialect "tags"."""
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments}, ensure_ascii=False)}\n</tool_call>"


def thinks(thought: str, rest: str) -> str:
    """Return a reply in the dialect "tags"."""
    return f"<think>\n{thought}\n</think>\n{rest}"


CLEAN = (
    thinks("I search.", call("search", SEARCH)),
    thinks("I read it.", call("visit", VISIT)),
    thinks("It says 1931.", "<answer>\n1931 [1]\n</answer>"),
)


def said(text: str, dialect: str = "tags", tools: tuple[Tool, ...] = TOOLS, **changes: Any) -> Said:
    """Return a deciding call of the model."""
    spoken = DIALECTS.load(dialect)
    messages = (
        {"role": "system", "content": f"You answer.\n\n{spoken.rules(tools)}\n\nCite."},
        {"role": "user", "content": QUESTION},
    )
    offered = tuple({"name": t.name, "description": t.description, "parameters": t.parameters} for t in tools)
    reply = Reply(text, usage=Usage(100, 20), **changes)
    return Said(1, messages, offered if spoken.native else (), {"json_schema": None}, reply)


def asked(text: str) -> Said:
    """Return a call that asks for JSON, which decides nothing."""
    return Said(9, ({"role": "system", "content": "You read."},), (), {"json_schema": {"type": "object"}}, Reply(text))


def trajectory(*texts: str, **changes: Any) -> Trajectory:
    """Return the clean trajectory with other replies, or other fields of it, its result, its answer or its item."""
    claims = (Claim(text="It was opened in 1931.", quote=QUOTE, verified=True),)
    answer = Answer(question=QUESTION, text="1931", claims=claims, stop_reason=StopReason.ANSWERED, run="q.1")
    answer = answer.model_copy(update={"fare": Fare(tokens=360, tokens_in=300, tokens_out=60, calls=3, usd=0.5)})
    answer = answer.model_copy(update=_taken(changes, Answer))
    result = Result(item="q", number=1, run="q.1", answer=answer, marks={"named": {"correct": 1.0}})
    result = result.model_copy(update=_taken(changes, Result))
    item = Item(id="q", question=QUESTION, answer="1931", cells={"type": "one"})
    item = item.model_copy(update=_taken(changes, Item))
    whole = Trajectory(
        PLAN, item, result, tuple(map(said, texts or CLEAN)), ACTIONS, pages={URL: PAGE}, hashes={URL: "0" * 64}
    )
    return replace(whole, **changes)


def _taken(changes: dict[str, Any], model: type[Answer] | type[Result] | type[Item]) -> dict[str, Any]:
    """Take the fields of a model out of the changes; `said` and the like stay for the trajectory."""
    prefix = {Answer: "answer_", Result: "result_", Item: "item_"}[model]
    return {name.removeprefix(prefix): changes.pop(name) for name in list(changes) if name.startswith(prefix)}
