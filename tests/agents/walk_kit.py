"""What the tests of walks share: settings for this machine, small sites, a model that reads its prompts, logs."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from aiohttp import web

from webfarer.agents.decisions import Click, Draft, Enough, Move, Walk
from webfarer.agents.policies import _chat_prompts as prompts
from webfarer.core.config import Settings, load_settings
from webfarer.core.text import words
from webfarer.core.trace import Event, read_events
from webfarer.core.types import Answer, Note
from webfarer.models.base import Message
from webfarer.models.scripted import Scripted
from webfarer.worlds.server import Site, html_response, listen, not_found

QUESTION = "When does the reading room open on Sunday?"
TRUTH = "The reading room opens at 13:45 on Sunday."
_FENCE = re.compile(r"<untrusted-([0-9a-f]{16}) (\w+)>\n(.*?)\n</untrusted-\1>", re.DOTALL)

Served = str | Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def settings(home: Path, web: Mapping[str, Any] | None = None, **changes: Any) -> Settings:
    """Return settings that may fetch from 127.0.0.1, without pauses and retries; `changes` come on top."""
    local = {"allow_private": ("127.0.0.1",), "delay": 0, "retries": 0, **(web or {})}
    return load_settings(**{"home": home, "web": local, "policy": "", "model": "", "base_url": "", **changes})


def html(title: str, body: str) -> str:
    return f'<!doctype html><html lang="en"><title>{title}</title><main><h1>{title}</h1>{body}</main></html>'


def links(*paths: str) -> str:
    """Return a list of links, each labelled with the last part of its path."""
    return "<ul>" + "".join(f'<li><a href="{path}">{path.rpartition("/")[2]}</a></li>' for path in paths) + "</ul>"


LIBRARY = {
    "/": html("Town library", "<p>Welcome to the library.</p>" + links("/news", "/visit", "/people")),
    "/news": html("News", "<p>The roof was mended.</p>" + links("/news/old")),
    "/news/old": html("Old news", "<p>The roof leaked.</p>"),
    "/people": html("People", "<p>Six people work here.</p>"),
    "/visit": html("Visit", "<p>Everybody may come in.</p>" + links("/visit/parking", "/visit/reading-room")),
    "/visit/parking": html("Parking", "<p>There are forty spaces.</p>"),
    "/visit/reading-room": html("Reading room", f"<p>It has ninety seats.</p><p>{TRUTH}</p>"),
}


@asynccontextmanager
async def serve_pages(pages: Mapping[str, Served]) -> AsyncIterator[Site]:
    """Serve `pages` by path."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        page = pages.get(request.path)
        if page is None:
            return not_found()
        return html_response(page) if isinstance(page, str) else await page(request)

    async with listen(handle) as site:
        yield site


def fenced(text: str) -> dict[str, str]:
    """Return what stands between marks in a prompt, by source."""
    return {source: inside for _, source, inside in _FENCE.findall(text)}


def unfenced(text: str) -> str:
    """Return a prompt without what stands between marks."""
    return _FENCE.sub("", text)


def contents(messages: Sequence[Message | Mapping[str, Any]]) -> list[str]:
    return [message.content if isinstance(message, Message) else message["content"] for message in messages]


class Reader:
    """A model that knows the truth when it sees it: clicks the first link shown, notes and answers with `truth`.

    Called with the messages of the chat policy; each reply depends on these messages alone.
    """

    def __init__(self, truth: str = TRUTH) -> None:
        self.truth = truth

    def __call__(self, messages: Sequence[Message | Mapping[str, Any]]) -> str:
        system, user = contents(messages)[:2]
        parts = fenced(user)
        for prompt, reply in (
            (prompts.EXPLORE, self.choose),
            (prompts.NOTE, self.note),
            (prompts.JUDGE, self.judge),
            (prompts.CONCLUDE, self.conclude),
        ):
            if system.startswith(prompt.role):
                return json.dumps(reply(user, parts))
        return json.dumps({"known": False})

    def choose(self, user: str, parts: Mapping[str, str]) -> dict[str, Any]:
        if not parts.get("links"):
            return {"action": "enough"}
        return {"thought": "the first", "action": "click", "link": int(parts["links"].partition(".")[0])}

    def note(self, user: str, parts: Mapping[str, str]) -> dict[str, Any]:
        asked = set(words(user.partition("\n")[0]))
        lines = [line for line in parts["page"].split("\n")[3:] if len(asked & set(words(line))) >= 2]
        found = [line for line in parts["page"].split("\n") if self.truth in line]
        kept = found or lines[:1]
        return {"useful": bool(kept), "notes": [{"statement": line[:200], "quote": line[:200]} for line in kept]}

    def judge(self, user: str, parts: Mapping[str, str]) -> dict[str, Any]:
        at = [n for n, line in enumerate(parts["notes"].split("\n"), 1) if self.truth in line]
        return {"sufficient": bool(at), "answer": self.truth if at else "", "used": at}

    def conclude(self, user: str, parts: Mapping[str, str]) -> dict[str, Any]:
        return {"answer": f"Not clear: {parts['notes'][:80]}", "used": [1]}

    def model(self, calls: int = 300) -> Scripted:
        """Return a scripted model that replies so."""
        return Scripted([self] * calls)

    def reply(self, body: Mapping[str, Any]) -> str:
        """Reply as a stub endpoint."""
        return self(body["messages"])


@dataclass
class Script:
    """A policy that makes the given moves, then stops; a string stands for the click on the link to that path."""

    moves: list[str | Move | Callable[[Walk], Move]]
    draft: Draft = field(default_factory=lambda: Draft(""))
    needs_model: ClassVar[bool] = False
    seen: list[str] = field(default_factory=list)

    async def note(self, walk: Walk) -> list[Note]:
        self.seen.append(walk.page.url)
        return []

    async def judge(self, walk: Walk) -> Draft | None:
        raise AssertionError("nothing was noted")

    async def choose(self, walk: Walk) -> Move:
        if not self.moves:
            return Enough()
        move = self.moves.pop(0)
        if isinstance(move, str):
            page, link = next((page, link) for page in walk.pages for link in page.links if link.url.endswith(move))
            return Click(page, link)
        return move(walk) if callable(move) else move

    async def conclude(self, walk: Walk) -> Draft:
        return self.draft


def log(chosen: Settings, run_id: str) -> list[Event]:
    return read_events(chosen.home / "runs" / f"{run_id}.jsonl")


def kinds(events: Sequence[Event], kind: str) -> list[dict[str, Any]]:
    """Return the data of all events of that type."""
    return [event.data for event in events if event.type == kind]


def fetched(events: Sequence[Event]) -> list[str]:
    """Return the URLs of all fetches, in order."""
    return [call["request"]["url"] for call in kinds(events, "call") if call["kind"] == "fetch"]


def told(answer: Answer) -> dict[str, Any]:
    """Return what an answer says, without times and archive ids, which differ from run to run."""
    said = answer.model_dump(mode="json")
    del said["fare"]["seconds"]
    for quote in [claim["quote"] for claim in said["claims"] if claim["quote"]]:
        del quote["page"]
    for source in said["sources"]:
        del source["page"]
    return said
