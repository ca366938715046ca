"""What the tests of reports share: small sites, a search engine that knows them, a model that reads its prompts."""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from walk_kit import Served, contents, fenced, html, serve_pages, settings

from webfarer.agents import planning, writing
from webfarer.agents.minds import chat
from webfarer.core.config import Settings
from webfarer.models.base import Message
from webfarer.models.scripted import Scripted
from webfarer.worlds.searchserver import SearchStub, serve_search
from webfarer.worlds.searchwires import Document

QUESTION = "When does the Northgate library open, and who runs the Eastwick museum?"
OPENS = "The Northgate library opens at 13:45."
RUNS = "The Eastwick museum is run by Ada Moreau."
PAGES: dict[str, Served] = {
    "/library": html("Northgate library", f"<p>{OPENS}</p><p>It has ninety seats.</p>"),
    "/museum": html("Eastwick museum", f"<p>{RUNS}</p><p>The Eastwick museum has forty rooms.</p>"),
}
PLAN = {
    "title": "Two houses",
    "sections": [
        {"title": "Opening", "question": "When does the Northgate library open?"},
        {"title": "Direction", "question": "Who runs the Eastwick museum?"},
    ],
}
TABLE = {
    "title": "Houses",
    "sections": [
        {
            "title": "At a glance",
            "question": "When do the Northgate library and the Southwold archive open?",
            "rows": ["Northgate library", "Southwold archive"],
            "columns": ["opens", "seats"],
        }
    ],
}
_EVIDENCE = re.compile(r'^\[(\d+)\] "(.*?)"', re.MULTILINE)
_URL = re.compile(r"http://127[^\s)]+")


@dataclass
class Clerk:
    """A model that searches for its question, visits the first results, and says again what the evidence says.

    Each reply depends on the messages alone. What it says to a prompt can be replaced, by the prompt's name.
    """

    plan: Mapping[str, Any] = field(default_factory=lambda: PLAN)
    instead: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, messages: Sequence[Message | Mapping[str, Any]]) -> str:
        said = contents(messages)
        if said[0].startswith(chat._ROLE):
            return str(self.instead["act"]) if "act" in self.instead else self.act(said)
        for prompt, reply in (
            (planning._CLARIFY, lambda user: {"unclear": False}),
            (planning._PLAN, lambda user: self.plan),
            (chat._READ, self.read),
            (chat._LAST, lambda user: {"answer": self.write(user)["text"]}),
            (writing._WRITE, self.write),
            (writing._FILL, self.fill),
        ):
            if said[0].startswith(prompt.role):
                given = self.instead.get(prompt.name, reply)
                return json.dumps(given(said[1]) if callable(given) else given, ensure_ascii=False)
        raise AssertionError(f"nobody expects this prompt: {said[0][:100]}")

    def act(self, said: Sequence[str]) -> str:
        question, seen = said[1], [text for text in said if text.startswith("<tool_response>")]
        if not seen:
            return _call("search", query=[question])
        found = _EVIDENCE.findall("\n".join(seen))
        if len(seen) > 1 or not _URL.search(seen[0]):
            told = " ".join(f"{text} [{number}]" for number, text in found)
            return f"<answer>\n{told or 'There is nothing.'}\n</answer>"
        return _call("visit", url=list(dict.fromkeys(_URL.findall(seen[0])))[:2], goal=question)

    def read(self, user: str) -> dict[str, Any]:
        lines = [line for line in fenced(user)["page"].split("\n")[2:] if line.endswith(".")]
        return {"rational": "there", "evidence": lines, "summary": "what it says"}

    def write(self, user: str) -> dict[str, Any]:
        asked = user.partition("\n")[0]
        found = [(n, text) for n, text in _EVIDENCE.findall(fenced(user)["evidence"]) if _shares(asked, text)]
        return {"text": "\n\n".join(f"{text} [{number}]" for number, text in found)}

    def fill(self, user: str) -> dict[str, Any]:
        rows, columns = (re.findall(r"^\d+\. (.*)$", part, re.M) for part in user.split("Its columns:", 1))
        columns = columns[: columns.index(next((c for c in columns if c in rows), columns[-1])) or None]
        cells = []
        for number, text in _EVIDENCE.findall(fenced(user)["evidence"]):
            for row, name in enumerate(rows, 1):
                for column, asked in enumerate(columns, 1):
                    if name in text and asked in text:
                        cells.append({"row": row, "column": column, "value": text[-6:-1], "evidence": int(number)})
        return {"cells": cells}

    def model(self, calls: int = 200) -> Scripted:
        """Return a scripted model that replies so."""
        return Scripted([self] * calls)

    def reply(self, body: Mapping[str, Any]) -> str:
        """Reply as a stub endpoint."""
        return self(body["messages"])


def _call(name: str, **arguments: Any) -> str:
    return f"<tool_call>\n{json.dumps({'name': name, 'arguments': arguments})}\n</tool_call>"


def _shares(asked: str, text: str) -> bool:
    return len(set(re.findall(r"[A-Z]\w+", asked)) & set(re.findall(r"[A-Z]\w+", text))) > 0


@dataclass
class Somebody:
    """A person who gives the next of some answers; what was asked is kept."""

    says: list[str]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def ask(self, question: str, choices: Sequence[str], shown: str) -> str:
        self.asked.append((question, shown))
        return self.says.pop(0)


@dataclass
class Place:
    """Served pages and the engine that knows them."""

    settings: Settings
    url: str
    requests: list[str]
    engine: SearchStub


@asynccontextmanager
async def place(home: Path, pages: Mapping[str, Served] = PAGES, **changes: Any) -> AsyncIterator[Place]:
    """Serve `pages`; an engine finds each by its text."""
    async with serve_pages(pages) as site:
        documents = [
            Document(f"{site.url}{path[1:]}", path, re.sub(r"<[^>]+>", " ", page))
            for path, page in pages.items()
            if isinstance(page, str)
        ]
        async with serve_search(documents) as engine:
            found = {
                "search": {"engines": ["searxng"], "delay": 0, "retries": 0},
                "searxng_url": engine.bases()["searxng"],
                "ask": {"dialect": "tags", **changes.pop("ask", {})},
            }
            yield Place(settings(home, **found, **changes), site.url, site.requests, engine)
