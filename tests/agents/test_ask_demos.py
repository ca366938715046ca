"""Three questions on which web agents went wrong, asked of replicas of the sites, with and without a model.

The model is a stub behind a real endpoint that plays a reasonable one: it opens what fits, keeps the lines that answer,
and cites them. Each run is recorded and replayed with every server gone.
"""

import json
import re
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from walk_kit import contents, fenced, log, settings

from webfarer.agents.asking import Asking
from webfarer.agents.minds import chat
from webfarer.agents.runs import Options, ask, replay
from webfarer.core.config import Settings
from webfarer.core.fare import Budget
from webfarer.core.trace import Event
from webfarer.core.types import Answer, StopReason
from webfarer.worlds.endpoint import serve_endpoint
from webfarer.worlds.replica import REPLICAS, Replica, ServedReplica, serve_replica

BUDGET = Budget(pages=30, steps=60)
_EVIDENCE = re.compile(r'\[(\d+)\] "(.*?)"$', re.MULTILINE | re.DOTALL)

Act = tuple[str, dict[str, Any]]
WAYS: dict[str, Sequence[tuple[str, tuple[str, ...]]]] = {
    "model_docs": (
        ("search", ("gpt-3.5-turbo structured outputs json_schema", "Modelhouse guides")),
        ("visit", ("docs.modelhouse.test/guides/", "docs.modelhouse.test/models/gpt-3.5-turbo")),
        ("visit", ("docs.modelhouse.test/guides/structured-outputs",)),
    ),
    "research_index": (
        ("search", ("Meridian Lab latest publication", "Meridian Lab research index")),
        ("visit", ("www.meridianlab.test/research",)),
        ("visit", ("www.meridianlab.test/research?type=publication",)),
    ),
    "conference_site": (
        ("visit", ("2025.textmachines.test/",)),
        ("visit", ("2025.textmachines.test/calls/", "2025.textmachines.test/attend/")),
        ("visit", ("2025.textmachines.test/calls/industry-track", "2025.textmachines.test/attend/venue")),
    ),
}
"""What the model does before it answers, one step a line."""


class Actor:
    """Plays the model: `reply` answers a request by what it asks for and how far the conversation is."""

    def __init__(self, name: str, dialect: str, served: ServedReplica) -> None:
        self.truth = served.replica.truth
        self.native = dialect == "native"
        self.acts = [self._act(tool, what, served) for tool, what in WAYS[name]]

    def _act(self, tool: str, what: Sequence[str], served: ServedReplica) -> Act:
        if tool == "search":
            return tool, {"query": list(what)}
        return tool, {"url": [served.url(f"http://{at}") for at in what], "goal": served.replica.question}

    def reply(self, body: Mapping[str, Any]) -> str | dict[str, Any]:
        system, *rest = contents([{**message, "content": message["content"] or ""} for message in body["messages"]])
        if system.startswith(chat._READ.role):
            return json.dumps(self.read(fenced(rest[0])["page"]))
        assert self.native is bool(body.get("tools"))
        said = sum(message["role"] == "assistant" for message in body["messages"])
        return self.act(said) if said < len(self.acts) else self.answer("\n".join(rest))

    def read(self, page: str) -> dict[str, Any]:
        found = [line for line in page.split("\n") if any(part in line for part in self.truth)]
        return {"rational": "as asked", "evidence": found, "summary": found[0] if found else ""}

    def act(self, number: int) -> str | dict[str, Any]:
        tool, arguments = self.acts[number]
        if self.native:
            call = {"name": tool, "arguments": json.dumps(arguments)}
            return {"content": "Next.", "tool_calls": [{"id": f"c{number}", "type": "function", "function": call}]}
        written = json.dumps({"name": tool, "arguments": arguments})
        return f"<think>Next.</think>\n<tool_call>\n{written}\n</tool_call>"

    def answer(self, conversation: str) -> str:
        """Cite, for each part of the truth, the first evidence that holds it."""
        shown = [(number, text) for number, text in _EVIDENCE.findall(conversation)]
        cited = {part: next(number for number, text in shown if part in text) for part in self.truth}
        text = " and ".join(f"{part} [{number}]" for part, number in cited.items())
        return text if self.native else f"<think>Enough.</think>\n<answer>\n{text}\n</answer>"


def ban_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def banned(*arguments: Any, **options: Any) -> Any:
        raise AssertionError("a replay asked the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, banned)
    monkeypatch.setattr(socket, "getaddrinfo", banned)


async def asked(home: Path, name: str, dialect: str) -> tuple[Replica, Answer, set[str], Settings]:
    """Ask the question as run "r"; return the answer, the addresses the sites were asked for, and the settings."""
    replica: Replica = REPLICAS.load(name)
    async with serve_replica(replica) as served:
        search = {"engines": ("searxng",), "delay": 0, "retries": 0}
        chosen = settings(home, search=search, searxng_url=served.searxng, browser="never")
        asking = Asking(start=(served.url(replica.start),) if replica.start else ())
        if dialect:
            async with serve_endpoint(Actor(name, dialect, served).reply) as stub:
                by_model = {"model": "endpoint:stub", "base_url": stub.url}
                there = chosen.model_copy(
                    update={**by_model, "ask": chosen.ask.model_copy(update={"dialect": dialect})}
                )
                answer = await ask(
                    replica.question, budget=BUDGET, asking=asking, options=Options(settings=there, run_id="r")
                )
        else:
            answer = await ask(
                replica.question, budget=BUDGET, asking=asking, options=Options(settings=chosen, run_id="r")
            )
        opened = {f"http://{host}{path}" for host, site in served.sites.items() for path in site.requests}
    return replica, answer, opened, chosen


@pytest.mark.parametrize("dialect", ["", "native", "tags"], ids=["lexical", "native", "tags"])
@pytest.mark.parametrize("name", WAYS)
async def test_the_right_answer_within_the_budget_and_again_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, dialect: str
) -> None:
    replica, answer, opened, chosen = await asked(tmp_path, name, dialect)
    assert replica.right(answer.text), answer.text
    assert answer.stop_reason is StopReason.ANSWERED
    assert answer.verified
    assert answer.conflicts == ()
    assert {*replica.gold} <= opened
    assert 0 < answer.fare.pages <= 30
    assert 0 < answer.fare.steps <= 60
    assert (answer.fare.tokens > 0) is bool(dialect)
    before = (tmp_path / "runs" / "r.jsonl").read_bytes()
    ban_network(monkeypatch)
    events: list[Event] = []
    assert await replay("r", options=Options(settings=chosen, on_event=events.append)) == answer
    assert "".join(event.line() + "\n" for event in events).encode() == before
    assert (tmp_path / "runs" / "r.jsonl").read_bytes() == before
    assert log(chosen, "r")[-1].type == "end"


def test_every_replica_is_asked() -> None:
    assert set(WAYS) == set(REPLICAS.ids())
