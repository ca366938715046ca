"""Reads trajectories from the folder of an evaluation run: what its agents did, from their traces and its archive.

Walks and searches leave different events; here both become actions. Not a judge: what is worth keeping, rules decide.
Invariant: a trajectory follows from the folder alone; an attempt that cannot be read is left out and counted.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from webfarer.agents.provenance import Provenance, UnknownOrigin, key_of, urls_in
from webfarer.core.errors import FetchError, Refused, TraceError
from webfarer.core.trace import Event, read_events
from webfarer.core.types import Page
from webfarer.data.trajectory import Action, Said, Trajectory
from webfarer.evals.records import Folder, Plan, Result
from webfarer.evals.task import Item
from webfarer.models.base import Reply, Tool
from webfarer.models.dialogue import DIALECTS
from webfarer.web.archive import Archive
from webfarer.web.documents import page_of

_REPLY = TypeAdapter(Reply)
_PAGES_KEPT = 1000  # samples of one question read the same pages
_NO_TOOLS = "the server takes no tools: it answered without having seen them"
_NOT_DONE = "the run ended before this was done"


def trajectories(folder: Folder, skipped: Counter[str] | None = None) -> Iterator[Trajectory]:
    """Yield the trajectories of every attempt that has ended, item by item.

    Args:
        folder: of the run.
        skipped: counts the attempts that are left out: "unfinished", "damaged".

    Raises:
        ConfigError: it is no folder of a run.
    """
    skipped = Counter() if skipped is None else skipped
    plan, items = folder.plan, {item.id: item for item in folder.items()}
    skipped["unfinished"] += plan.items * plan.runs
    with Archive(folder.path / "archive.db") as archive:
        library = _Library(archive)
        for result in folder.results():
            skipped["unfinished"] -= 1
            try:
                events = read_events(folder.trace(result.run))
                told = _trajectory(plan, items[result.item], result, events, library)
            except (TraceError, KeyError, TypeError, ValueError):
                skipped["damaged"] += 1
            else:
                yield told


def _trajectory(plan: Plan, item: Item, result: Result, events: Sequence[Event], library: "_Library") -> Trajectory:
    told = _Told(events[0].data if events else {}, library)
    for event in events:
        told.hear(event)
    told.end()
    return Trajectory(plan, item, result, tuple(told.said.values()), tuple(told.actions), told.pages, told.hashes)


class _Library:
    """Pages of one archive; the same bytes at the same address are read once."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._pages: OrderedDict[tuple[str, str], Page | None] = OrderedDict()

    def page(self, record_id: str) -> tuple[Page | None, str]:
        """Return a page and the SHA-256 of its bytes; None and "" where the archive has nothing to read."""
        try:
            record = self._archive.record(record_id)
        except FetchError:
            return None, ""
        if record is None:
            return None, ""
        key = record.sha256, record.final_url
        if key not in self._pages:
            try:
                self._pages[key] = page_of(self._archive, record)
            except FetchError:
                self._pages[key] = None
            if len(self._pages) > _PAGES_KEPT:
                self._pages.popitem(last=False)
        page = self._pages[key]
        return page and replace(page, id=record_id), record.sha256


class _Told:
    """What the events of one trace tell, in their order.

    An address is named by the task, by a result, by a page that was read, and by what a model was shown; never by a
    model's own words, nor by our complaint about them.
    """

    def __init__(self, start: Mapping[str, Any], library: _Library) -> None:
        self._library = library
        self._known = Provenance(start.get("question", ""), filter(None, [start.get("root"), *start.get("start", ())]))
        self._invented: set[str] = set()
        self._shown: set[str] = set()
        self._fetches: set[int] = set()
        self._calls: deque[int] = deque()  # places of the tool calls of this step that have brought nothing yet
        self._click: int | None = None  # place of the click that has brought nothing yet
        self._dropped: dict[str, list[str]] = {}  # quotes that are not on the page of that id
        self._step = 0
        self.said: dict[int, Said] = {}
        self.actions: list[Action] = []
        self.pages: dict[str, Page] = {}
        self.hashes: dict[str, str] = {}

    def hear(self, event: Event) -> None:
        """Take in one event; those that tell nothing of use are passed over."""
        data = event.data
        match event.type:
            case "call" if data["kind"] == "model":
                self._ask(event.seq, data["request"])
            case "call" if data["kind"] == "fetch":
                self._fetches.add(event.seq)
            case "result" if data["call"] in self.said:
                if "value" in data:
                    self._replied(data["call"], _REPLY.validate_python(data["value"]))
            case "result" if data["call"] in self._fetches and "value" in data:
                self._read(data["value"])
            case "malformed":
                self._refuse(data["text"], data["problem"])
            case "evidence_dropped":
                self._dropped.setdefault(data["page"], []).append(data["quote"])
            case "note_dropped" if self.actions:
                self._brought(len(self.actions) - 1, invented=(data["quote"],))
            case "act":
                self._step += 1
                calls = [self._do(call["tool"], call["arguments"], data["thought"]) for call in data["calls"]]
                self._calls = deque(calls)
            case "observed" if self._calls:
                self._observed(data)
            case "click":
                self._step += 1
                self._click = self._do("click", {name: data[name] for name in ("url", "label", "on")}, data["thought"])
            case "back":
                self._step += 1
                self._do("back", {"url": data["url"]}, data["thought"])
            case "page" | "nowhere":
                self._arrived(event.type, data)

    def end(self) -> None:
        """Say of what was decided and never done that it was not."""
        undone = [*self._calls, *([] if self._click is None else [self._click])]
        for place in undone:
            self._brought(place, problems=(_NOT_DONE,))

    def _ask(self, seq: int, request: Mapping[str, Any]) -> None:
        self.said[seq] = Said(seq, tuple(request["messages"]), tuple(request["tools"]), request["sampling"], None)
        for message in request["messages"]:
            text = message["content"]
            if message["role"] != "assistant" and text not in self._shown:
                self._shown.add(text)
                self._known.allow(*(url for url in urls_in(text) if key_of(url) not in self._invented))

    def _replied(self, seq: int, reply: Reply) -> None:
        said = self.said[seq]
        if "tools" in reply.degraded:  # the mind asks anew with tags, and only says of itself what it can carry out
            offered = [Tool(**tool) for tool in said.tools]
            called = DIALECTS.load("native").read(reply, offered).calls
            said = replace(said, tools=(), refused="" if called else _NO_TOOLS)
        self.said[seq] = replace(said, reply=reply)

    def _refuse(self, text: str, problem: str) -> None:
        """Take in why a reply could not be used; it is the last one that begins so."""
        for seq, said in reversed(self.said.items()):
            if said.reply is not None and not said.refused and said.reply.text[: len(text)] == text:
                self.said[seq] = replace(said, refused=problem)
                return

    def _read(self, value: Mapping[str, Any]) -> None:
        page, sha256 = self._library.page(value["record"])
        if page is not None:
            self.pages[value["url"]], self.hashes[value["url"]] = page, sha256
            self._known.saw(page)

    def _do(self, name: str, arguments: Mapping[str, Any], thought: str) -> int:
        """Take in a decision and return its place."""
        asked = arguments.get("url", [])
        urls = [asked] if isinstance(asked, str) else list(asked)
        unnamed = tuple(url for url in urls if not self._names(url))
        self._invented.update(map(key_of, unnamed))
        named = tuple(url for url in urls if url not in unnamed)
        self.actions.append(Action(name, arguments, thought, self._step, named, unnamed))
        return len(self.actions) - 1

    def _names(self, url: str) -> bool:
        try:
            self._known.check(url)
        except UnknownOrigin:
            return False
        except Refused:
            return True  # it was named, and may not be opened
        return True

    def _observed(self, data: Mapping[str, Any]) -> None:
        """Take in what the next call of this step brought."""
        self._known.allow(*data["hits"])
        self._brought(
            self._calls.popleft(),
            found=data["hits"],
            read=(page["url"] for page in data["pages"]),
            problems=(_problem(problem["what"], problem) for problem in data["problems"]),
            invented=(each for page in data["pages"] for each in self._dropped.pop(page["page"], ())),
        )

    def _arrived(self, kind: str, data: Mapping[str, Any]) -> None:
        """Take in where a click led, or where a walk that is a tool call began; that a run began is no action."""
        place = self._click if self._click is not None else self._begun(data["url"])
        self._click = None
        if place is None:
            return
        if kind == "nowhere":
            self._brought(place, problems=(_problem(data["url"], data),))
        else:
            self._brought(place, read=(data["url"],))

    def _begun(self, url: str) -> int | None:
        """Return the place of the walk that begins at an address; one that was refused begins nowhere."""
        calls = [(place, self.actions[place]) for place in self._calls]
        left = [(place, call) for place, call in calls if call.name == "walk" and not (call.read or call.problems)]
        there = [place for place, call in left if key_of(str(call.arguments.get("url", ""))) == key_of(url)]
        return next(iter([*there, *(place for place, call in left if not call.unnamed)]), None)

    def _brought(self, place: int, **more: Iterable[str]) -> None:
        """Add to fields of an action."""
        action = self.actions[place]
        added: dict[str, Any] = {name: (*getattr(action, name), *new) for name, new in more.items()}
        self.actions[place] = replace(action, **added)


def _problem(what: str, told: Mapping[str, Any]) -> str:
    return f"{told['error']}: {what}: {told['message']}"
