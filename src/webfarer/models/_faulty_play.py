"""How the model that knows the answers plays: search, visit what states the answer, click there where it must, answer.

What it does next follows from the conversation alone; it opens only addresses that were shown to it, and cites what it
was shown of the evidence. Not the faults (:mod:`webfarer.models._faults`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webfarer.models._ruled_reading import Prompt
from webfarer.models.base import Message

_VISITS = 5
_STARTS = "\nThe user names this address: "
_RESULT = re.compile(r"^\d+\. .* — (https?://\S+)", re.MULTILINE)
_HEAD = re.compile(r".* — (https?://\S+)")
_LINK = re.compile(r"^- (.*): (https?://\S+)$", re.MULTILINE)
_NUMBER = re.compile(r'^\[(\d+)\] "', re.MULTILINE)
_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
_LABEL = 80  # characters of a label that are shown

Calls = tuple[tuple[str, Mapping[str, Any]], ...]
"""Tools with their arguments."""


@dataclass(frozen=True, slots=True)
class Known:
    """A question whose answer is known.

    Attributes:
        question, answer: as they are.
        root: first page of the site, or "".
        gold: addresses of the pages that state it.
        paths: per page, labels of the links there from the first page.
        evidence: what these pages say, word for word.
    """

    question: str
    answer: str
    root: str = ""
    gold: tuple[str, ...] = ()
    paths: tuple[tuple[str, ...], ...] = ()
    evidence: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Known":
        """Return what a row of a file of questions tells."""
        return cls(
            row["question"],
            "; ".join(row.get("parts", ())) or row["answer"],
            row.get("root", ""),
            tuple(row.get("gold", ())),
            tuple(map(tuple, row.get("paths", ()))),
            tuple(each["text"] for each in row.get("evidence", ())),
        )

    def on(self, page: str) -> list[str]:
        """Return the evidence that stands on a page."""
        return list(dict.fromkeys(text for text in self.evidence if text in page))


@dataclass(frozen=True, slots=True)
class Move:
    """What is said in one reply: a thought, and calls or an answer."""

    thought: str
    calls: Calls = ()
    answer: str | None = None

    def text(self) -> str:
        """Return it in the dialect "tags"."""
        blocks = [f"<think>\n{self.thought}\n</think>"]
        for name, arguments in self.calls:
            call = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
            blocks.append(f"<tool_call>\n{call}\n</tool_call>")
        if self.answer is not None:
            blocks.append(f"<answer>\n{self.answer}\n</answer>")
        return "\n".join(blocks)


class Scene:
    """Where a conversation stands.

    Attributes:
        question: what is asked.
        steps: calls of every step so far that brought something.
        again: the last reply could not be used.
        evidence: numbers of the evidence that was shown.
        results: addresses that a search gave, in order.
        start: addresses the user named.
    """

    def __init__(self, messages: Sequence[Message]) -> None:
        asked, *named = messages[1].content.split(_STARTS)
        self.question, self.start = asked, tuple(url.strip() for url in named)
        turns = list(zip(messages[2::2], messages[3::2], strict=False))
        self.steps = [_calls(said.content) for said, seen in turns if seen.content.startswith("<tool_response>")]
        self.again = bool(turns) and not turns[-1][1].content.startswith("<tool_response>")
        parts = Prompt(messages, lambda shown: False).parts
        self.results = tuple(dict.fromkeys(url for text in parts.get("results", ()) for url in _RESULT.findall(text)))
        self._pages = {head[1]: text for text in parts.get("page", ()) if (head := _HEAD.match(text))}
        self.evidence = tuple(
            dict.fromkeys(number for text in self._pages.values() for number in _NUMBER.findall(text))
        )

    @property
    def visited(self) -> set[str]:
        """Addresses that were asked for."""
        return {url for calls in self.steps for name, given in calls if name == "visit" for url in given["url"]}

    @property
    def shown(self) -> tuple[str, ...]:
        """Addresses that may be opened."""
        links = (url for page in self._pages for url in self.links(page).values())
        return tuple(dict.fromkeys([*self.start, *self.results, *self._pages, *links]))

    def links(self, url: str) -> dict[str, str]:
        """Return the links that were shown of a page, by label."""
        return dict(_LINK.findall(self._pages.get(url, "").partition("Links:\n")[2]))


def play(known: Known, scene: Scene) -> Move:
    """Return what a model does that makes no fault."""
    if not scene.steps:
        thought = f"The question is: {known.question} I begin with a search."
        return Move(thought, (("search", {"query": [known.question]}),))
    missing = [url for url in known.gold if url not in scene.visited]
    ready = [url for url in missing if url in scene.shown][:_VISITS]
    if ready:
        thought = f"{len(ready)} of the addresses I was shown should state what is asked; I read them for that."
        return Move(thought, (("visit", {"url": ready, "goal": known.question}),))
    closer = dict(filter(None, (_closer(known, url, scene) for url in missing)))
    if closer:
        urls, labels = list(closer)[:_VISITS], ", ".join(dict.fromkeys(list(closer.values())[:_VISITS]))
        thought = f"The search did not show all the pages I need. From {urls[0]} the link “{labels}” should lead there."
        return Move(thought, (("visit", {"url": urls, "goal": f"{labels}: {known.question}"}),))
    marks = "".join(f"[{number}]" for number in scene.evidence)
    return Move(f"{len(scene.evidence)} pieces of evidence answer the whole question.", (), f"{known.answer} {marks}")


def _closer(known: Known, url: str, scene: Scene) -> tuple[str, str] | None:
    """Return the next page on the way to one that was not shown, and the link to look for there; None off the way."""
    at = known.root if known.root in scene.shown else ""
    for label in dict(zip(known.gold, known.paths, strict=False)).get(url, ()):
        if at not in scene.visited:
            return (at, label) if at else None
        at = scene.links(at).get(label[:_LABEL], "")
    return None


def _calls(said: str) -> Calls:
    calls = [json.loads(text) for text in _CALL.findall(said)]
    return tuple((call["name"], call["arguments"]) for call in calls)
