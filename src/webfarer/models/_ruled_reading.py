"""How a model that plays by rule reads a prompt: the question, what websites wrote, and which of it fits the question.

Prompts are read as this program writes them: `Question:` lines, fenced parts by source, numbered notes and evidence.
A statement fits by the question's words that it holds, rare ones more; statements are chosen until another adds little.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

from webfarer.core.text import words
from webfarer.models.base import Message

_ABOVE, _NEARBY = 0.9, 0.25  # what a word counts in a heading or title, and elsewhere on the page
_USEFUL, _ENOUGH = 0.3, 0.6
_GAIN = 0.25  # least share of the question that a further statement has to add
_STATEMENTS = 3

_FENCED = re.compile(r"<untrusted-([0-9a-f]+) (\w+)>\n(.*?)\n</untrusted-\1>", re.DOTALL)
_QUESTION = re.compile(r"^Question: (.+)$", re.MULTILINE)
_ADDRESS = re.compile(r"https?://\S+")
_NOTE = re.compile(r'^(\d+)\. (.*) — "(.*)" \(.*\)$', re.MULTILINE)
_EVIDENCE = re.compile(r'^\[(\d+)\] "(.*?)"(?: \((.*)\))?$', re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s])|(?<=[。！？])|\n")
_TRAIL = re.compile(r"[\w)] [>›»] \w")
_RULE = re.compile(r"[|\s:-]*")


@dataclass(frozen=True)
class Statement:
    """Something a prompt shows, below what it stands, the words nearby, and its number where it has one."""

    text: str
    below: str
    nearby: frozenset[str] = frozenset()
    number: int = 0

    @cached_property
    def own(self) -> frozenset[str]:
        """Its own words."""
        return _terms(self.text)

    def shares(self, asked: frozenset[str]) -> dict[str, float]:
        """Return what share each word of the question counts here; nothing where it says none, or nothing else."""
        if self.own.isdisjoint(asked) or self.own <= asked:
            return {}
        levels = ((self.nearby, _NEARBY), (_terms(self.below), _ABOVE), (self.own, 1.0))
        return {word: share for terms, share in levels for word in sorted(terms & asked)}

    @property
    def plain(self) -> str:
        """A row of a table as "first: second", anything else without its marks."""
        cells = [cell.strip() for cell in self.text.strip().strip("|").split("|")]
        joined = f"{cells[0]}: {', '.join(filter(None, cells[1:]))}" if len(cells) > 1 else cells[0]
        return joined.strip(" -*#>")


class Prompt:
    """A prompt as it is read.

    Args:
        messages: the prompt.
        careless: says of what is asked and shown whether it is overlooked.

    Attributes:
        messages: the prompt.
        question: what is asked.
        parts: what websites wrote, by source, in the whole conversation.
        last: of these, what stands in the last message.
        ours: what is said outside the fences to the model, without the system's words.
        asked: the question's words; none when it is overlooked.
    """

    def __init__(self, messages: Sequence[Message], careless: Callable[[str], bool]) -> None:
        said = [message.content for message in messages if message.role in ("user", "tool")] or [""]
        self.messages = messages
        self.parts, self.last = _parts("\n".join(said)), _parts(said[-1])
        self.ours = _FENCED.sub("", "\n".join(said))
        found = _QUESTION.search(self.ours)
        self.question = found[1] if found else self.ours.partition("\n")[0]
        shown = "\n".join(text for texts in self.last.values() for text in texts)
        overlooked = careless(_ADDRESS.sub("", f"{self.question}\n{shown}"))
        self.asked = frozenset() if overlooked else _terms(self.question)

    @cached_property
    def _chosen(self) -> tuple[list[Statement], float]:
        """The statements that fit the question together, best first, and the share of it that they leave open."""
        shown = self._statements()
        left = {word: _rarity(word, shown) for word in sorted(self.asked)}
        whole = sum(left.values()) or 1.0
        rest = [
            (statement, {word: share * left[word] for word, share in statement.shares(self.asked).items()})
            for statement in shown
        ]
        chosen: list[Statement] = []
        while rest and len(chosen) < _STATEMENTS:
            gains = [sum(min(left[word], weight) for word, weight in weights.items()) for _, weights in rest]
            best = max(range(len(rest)), key=lambda n: (gains[n], sum(rest[n][1].values()), -n))
            if gains[best] < (_GAIN if chosen else _USEFUL) * whole or not gains[best]:
                break
            statement, weights = rest.pop(best)
            chosen.append(statement)
            left |= {word: max(0.0, left[word] - weight) for word, weight in weights.items()}
        return chosen, sum(left.values()) / whole

    @property
    def fitting(self) -> list[Statement]:
        """The statements that fit the question together, best first."""
        return self._chosen[0]

    @property
    def enough(self) -> bool:
        """Whether these leave little of the question open."""
        return bool(self.fitting) and self._chosen[1] <= 1 - _ENOUGH

    @property
    def answer(self) -> str:
        """What these say."""
        return " ".join(dict.fromkeys(statement.plain for statement in self.fitting))

    def _statements(self) -> list[Statement]:
        """Return numbered notes or evidence, and sentences and rows of whatever else is shown to be read."""
        found = {
            int(number): Statement(quote, about, number=int(number))
            for text in self.parts.get("notes", ())
            for number, about, quote in _NOTE.findall(text)
        }
        for text in (text for source in ("evidence", "page", "walk") for text in self.parts.get(source, ())):
            head = text.partition("\n")[0]
            for number, quote, where in _EVIDENCE.findall(text):
                found.setdefault(int(number), Statement(quote, where or head, number=int(number)))
        read = ("passages",) if found else ("page", "passages")  # a page with evidence in it was read before
        return [
            *found.values(),
            *(one for source in read for text in self.parts.get(source, ()) for one in _said(text)),
        ]


def _parts(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for _, source, inside in _FENCED.findall(text):
        found.setdefault(source, []).append(inside)
    return found


def _terms(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _rarity(word: str, statements: Sequence[Statement]) -> float:
    holding = sum(word in statement.own for statement in statements)
    return math.log(1 + (len(statements) + 1) / (holding + 0.5))


def _said(text: str) -> Iterator[Statement]:
    """Yield the sentences and rows of a page, below its title and their heading."""
    title, trail, heading, columns = text.partition("\n")[0], "", "", ""
    nearby = _terms(text)
    lines = [line for piece in _SENTENCE.split(text) if (line := piece.strip())]
    for line, following in zip_longest(lines, lines[1:], fillvalue=""):
        if line.startswith("# "):
            title, heading = line, ""
            trail = trail if title.strip("# ") in trail else ""  # of another page
        elif line.startswith("#"):
            heading = line
        elif _TRAIL.search(line):
            trail = line
        elif line.startswith("|") and following.startswith("|") and _RULE.fullmatch(following):
            columns = line
        elif line != title and not _RULE.fullmatch(line) and not _ADDRESS.fullmatch(line):
            below = (trail or title, heading, columns if line.startswith("|") else "")
            yield Statement(line, " ".join(filter(None, (part.strip("#| ") for part in below))), nearby)
