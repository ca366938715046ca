"""What the tests of asking share: a small web with a search engine, a model that follows a script, and runs."""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from walk_kit import LIBRARY, QUESTION, TRUTH, Reader, Served, contents, fenced, kinds, serve_pages, settings

from webfarer.agents.asking import Asking
from webfarer.agents.minds import chat
from webfarer.agents.runs import Options, ask
from webfarer.core.config import Settings
from webfarer.core.fare import Budget
from webfarer.core.trace import Event
from webfarer.core.types import Answer
from webfarer.models.base import ChatModel, Message
from webfarer.models.endpoint import Endpoint, Patience
from webfarer.models.scripted import Scripted
from webfarer.worlds.endpoint import ReplyTo, Stub, serve_endpoint
from webfarer.worlds.searchserver import Fault, SearchStub, serve_search
from webfarer.worlds.searchwires import Document
from webfarer.worlds.server import Site

ENGINE = "searxng"
CITED = f"{TRUTH} [1]"
ROOM = "visit/reading-room"

Messages = Sequence[Message | Mapping[str, Any]]
Line = str | Callable[[Messages], str]


def call(name: str, **arguments: Any) -> str:
    """Return a call as a model writes it that has no other way."""
    written = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"<tool_call>\n{written}\n</tool_call>"


def visit(*urls: str, goal: str = QUESTION) -> str:
    return call("visit", url=list(urls), goal=goal)


def search(*queries: str) -> str:
    return call("search", query=list(queries))


class Actor:
    """A model that follows a script in the conversation, and reads pages and sums up with open eyes.

    Each reply depends on the prompt alone, so that it serves resumed runs as well: the line is found by the number of
    things it has said. Behind the last line it answers with `truth`.
    """

    def __init__(self, *acts: Line, truth: str = TRUTH) -> None:
        self.acts, self.truth = acts, truth
        self.walker = Reader(truth)

    def __call__(self, messages: Messages) -> str:
        system = contents(messages)[0]
        if system.startswith(chat._ROLE):
            return self.act(messages)
        user = contents(messages)[1]
        for prompt, reply in ((chat._READ, self.read), (chat._LAST, self.conclude), (chat._SUM_UP, self.sum_up)):
            if system.startswith(prompt.role):
                return json.dumps(reply(fenced(user)), ensure_ascii=False)
        return self.walker(messages)

    def act(self, messages: Messages) -> str:
        said = sum((m.role if isinstance(m, Message) else m["role"]) == "assistant" for m in messages)
        line = self.acts[said] if said < len(self.acts) else f"{self.truth} [1]"
        return line if isinstance(line, str) else line(messages)

    def read(self, parts: Mapping[str, str]) -> dict[str, Any]:
        found = [line for line in parts["page"].split("\n") if self.truth in line]
        return {"rational": "looked", "evidence": found, "summary": "It is here." if found else "It is not here."}

    def conclude(self, parts: Mapping[str, str]) -> dict[str, Any]:
        known = [n for n, line in enumerate(parts["evidence"].split("\n"), 1) if self.truth in line]
        return {"answer": f"{self.truth} [{known[0]}]" if known else "Not clear [1]."}

    def sum_up(self, parts: Mapping[str, str]) -> dict[str, Any]:
        return {"summary": "Something was found [1]."}

    def model(self, calls: int = 200, context: int = 32_768) -> Scripted:
        """Return a scripted model that replies so."""
        return Scripted([self] * calls, context=context)

    def reply(self, body: Mapping[str, Any]) -> str:
        """Reply as a stub endpoint."""
        return self(body["messages"])


@dataclass
class Place:
    """A site and a search engine that knows it.

    Attributes:
        site: the site.
        stub: the search engine.
        home: where runs and the archive lie.
        changes: settings that differ from those of :func:`walk_kit.settings`.
    """

    site: Site
    stub: SearchStub
    home: Path
    changes: dict[str, Any] = field(default_factory=dict)

    def url(self, path: str = "") -> str:
        return self.site.url + path

    def settings(self, **changes: Any) -> Settings:
        engines = {"engines": (ENGINE,), "bases": self.stub.bases(), "delay": 0, "retries": 0, "seconds": 5}
        searching = {"search": engines, "searxng_url": self.stub.bases()[ENGINE], "browser": "never"}
        return settings(self.home, **{**searching, **self.changes, **changes})

    def opened(self) -> list[str]:
        """Return the paths the site was asked for, without its rules for robots."""
        return [path for path in self.site.requests if path != "/robots.txt"]

    async def ask(
        self,
        model: Actor | ChatModel | str | None,
        budget: Budget | None = None,
        asking: Asking = Asking(),
        question: str = QUESTION,
        **options: Any,
    ) -> "Asked":
        """Ask; the run is not recorded unless an id is given."""
        events: list[Event] = []
        made = {"settings": self.settings(), "record": "run_id" in options, "on_event": events.append, **options}
        chosen = model.model() if isinstance(model, Actor) else model
        answer = await ask(question, model=chosen, budget=budget, asking=asking, options=Options(**made))
        return Asked(answer, events, chosen)


@dataclass
class Asked:
    """What came of a question."""

    answer: Answer
    events: list[Event]
    model: ChatModel | str | None

    def __getitem__(self, kind: str) -> list[dict[str, Any]]:
        """Return the data of all events of that type."""
        return kinds(self.events, kind)

    @property
    def problems(self) -> list[str]:
        return [problem["error"] for seen in self["observed"] for problem in seen["problems"]]

    @property
    def prompts(self) -> list[str]:
        """What the model was asked, call by call."""
        assert isinstance(self.model, Scripted)
        return ["\n".join(contents(messages)) for messages in self.model.asked]


def document(url: str, text: str, title: str = "Reading room") -> Document:
    return Document(url, title, text)


@asynccontextmanager
async def place(
    home: Path,
    pages: Mapping[str, Served] = LIBRARY,
    known: Mapping[str, str] = {f"/{ROOM}": TRUTH},
    faults: Sequence[Fault | None] = (),
) -> AsyncIterator[Place]:
    """Serve `pages`, and a search engine that knows those in `known` by what it shows of them, with its `faults`.

    A path in `known` may also be a whole URL.
    """
    async with serve_pages(pages) as site:
        root = site.url.rstrip("/")
        documents = [document(path if "://" in path else root + path, text) for path, text in known.items()]
        async with serve_search(documents, {ENGINE: faults}) as stub:
            yield Place(site, stub, home)


@asynccontextmanager
async def behind_endpoint(reply: ReplyTo, key: str = "", **options: Any) -> AsyncIterator[tuple[Stub, Endpoint]]:
    """Serve a stub endpoint, and give the model that asks it, once for each call."""
    async with serve_endpoint(reply, **options) as stub:
        model = Endpoint("stub", base_url=stub.url, api_key=key, patience=Patience(tries=1))
        try:
            yield stub, model
        finally:
            await model.close()


class Saying:
    """A person who always says the same, and remembers what was asked."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    async def ask(self, question: str, choices: Sequence[str], shown: str) -> str:
        self.asked.append((question, shown))
        return self.answer
