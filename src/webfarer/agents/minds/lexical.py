"""The dancer's decisions without a model: search, open what fits, walk where the answer must lie deeper.

A question about one thing is read against every page; one that leads over several ("the curator of the game featured
by the Foo Library") is followed name by name: what the nearest relation of a name says becomes the next name. For each
name it searches, opens what is about it, and then walks the likeliest site. Deterministic; it finds what pages state
and does not reason.
"""

import re
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import urlsplit

from webfarer.agents.dance import Act, Dance, Reading, Setting
from webfarer.agents.decisions import Draft, claims_from
from webfarer.agents.hops import Question, take_apart
from webfarer.agents.reading import Find, Reader, note_of, parts_of
from webfarer.core.text import is_chinese, words
from webfarer.core.types import Note, Page
from webfarer.models.base import ToolCall

_VISITS = 3  # pages opened at once
_ROUNDS = 3  # of visits, for one name
_WALKS = 2  # for one name
_HOPS = 4
_FOUND = 0.72
_WORTH = 0.6  # of the best fit
_SOURCES = 5
_SAYS = re.compile(r"[:：|]|\b(?:is|are|was|were)\b|(?:定为|[是为])(?!了)|\s(?=[\u3400-\u9fff]+$)")
_SITE = re.compile(r"\s+[-–—|·]\s+")
_FORMER = re.compile(
    r"\b(?:former|archived?|past|previous|older|old|superseded|obsolete|deprecated)\b|历史|往期|往届|旧版|以往|存档",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Z][\w&'’.+-]*(?:\s+(?:(?:of|de|for|and|the)\s+){0,2}[A-Z0-9][\w&'’.+-]*)*")


@dataclass(slots=True)
class _Hop:
    """The name that is followed now, and what was tried for it."""

    question: Question
    searched: bool = False
    rounds: int = 0
    walked: list[str] = field(default_factory=list)


class Lexical:
    """Decides by the words of the question and of the pages."""

    needs_model: ClassVar[bool] = False

    def __init__(self, setting: Setting) -> None:
        self._hop: _Hop | None = None
        self._chain: list[Note] = []
        self._tried: set[str] = set()

    async def act(self, dance: Dance) -> Act:
        """Return the next calls for the name that is followed, or the answer."""
        hop = self._hop or _Hop(_first(dance.question))
        while (find := _answering(hop.question, dance)) and hop.question.inner and len(self._chain) < _HOPS:
            note = note_of(find.unit)
            self._chain.append(note)
            hop = _Hop(hop.question.beyond(_value(note.text, hop.question), note.text))
        self._hop = hop
        calls = () if find else self._next(hop, dance)
        return Act(f"looking for: {hop.question.goal}", calls) if calls else Act(draft=await self.conclude(dance))

    async def read(self, page: Page, goal: str) -> Reading:
        """Return the passages of the page that fit the goal best."""
        reader = Reader(goal)
        reader.read(page)
        notes = [note_of(find.unit) for part in range(len(reader.parts)) for find in reader.finds(part)]
        quotes = tuple(dict.fromkeys(note.quote for note in notes))
        return Reading(page, goal, evidence=quotes, summary=" ".join(note.text for note in notes))

    async def conclude(self, dance: Dance) -> Draft:
        """Return what is said of the last name; when the chain broke before, what was found of it and no answer."""
        last = self._hop.question if self._hop else _first(dance.question)
        if not last.names or len(parts_of(dance.question)) > 1:
            return _reader(dance.question, dance).draft() or Draft("")
        find = None if last.inner else _answering(last, dance)
        notes = [note_of(find.unit), *self._chain] if find else self._chain
        pages = dict.fromkeys(note.quote.page for note in notes)
        return Draft(notes[0].text if find else "", claims_from(notes), tuple(dance.pages[page] for page in pages))

    def _next(self, hop: _Hop, dance: Dance) -> tuple[ToolCall, ...]:
        """Return what to do next for a name: search, open what is about it, walk; () when all was tried."""
        goal = hop.question.goal
        if "search" in dance.tools and not hop.searched:
            hop.searched = True
            queries = dict.fromkeys(query for query in (goal, hop.question.subject) if query)
            return (ToolCall("", "search", {"query": list(queries)}),)
        ranked = _candidates(hop.question, dance)
        if "visit" in dance.tools and hop.rounds < _ROUNDS:
            hop.rounds += 1
            worth = ranked[0][1] * _WORTH if ranked and "walk" in dance.tools else 0.0
            urls = [url for url, fit in ranked if url not in self._tried and fit >= worth][:_VISITS]
            if urls:
                self._tried.update(urls)
                return (ToolCall("", "visit", {"url": urls, "goal": goal}),)
        if "walk" in dance.tools and len(hop.walked) < _WALKS:
            for url, _ in ranked:
                host = urlsplit(url).netloc
                if host not in hop.walked:
                    hop.walked.append(host)
                    return (ToolCall("", "walk", {"url": url, "goal": goal}),)
        return ()


def _first(question: str) -> Question:
    """Return what to follow first; a question that joins several is read as a whole."""
    whole = take_apart(question)
    return whole if len(parts_of(question)) == 1 else Question(question, whole.subject)


def _candidates(question: Question, dance: Dance) -> list[tuple[str, float]]:
    """Return addresses that may be about the question's name, best first, with their fit."""
    texts = dict.fromkeys(dance.start, ("", ""))
    for hit in dance.hits.values():
        texts[hit.url] = f"{_topic(hit.title)} \n {hit.snippet}", hit.title
    for page in dance.pages.values():
        texts[page.url] = _topic(page.title), page.title
        for link in page.links:
            texts.setdefault(link.url, (link.label, page.title))
    terms = set(words(f"{question.subject} {' '.join(question.relation)}" if question.subject else question.text))
    fit = {url: _fit(words(text), words(where), terms, question.names) for url, (text, where) in texts.items()}
    return sorted(((url, f) for url, f in fit.items() if f or url in dance.start), key=lambda c: (-c[1], len(c[0])))


def _fit(text: list[str], where: list[str], terms: set[str], names: list[list[str]]) -> float:
    """Return how well a text fits: its share of the terms, and the names it holds, `where` it stands included."""
    held = sum(_holds(text, name) or (number > 0 and _holds(where, name)) for number, name in enumerate(names))
    share = len(terms & set(text)) / max(1, len(terms))
    return share + held if share else 0.0


def _answering(question: Question, dance: Dance) -> Find | None:
    """Return the unit that states what is asked about the name, on a page about it; None when none does."""
    reader = _reader(question.goal, dance)
    if len(reader.parts) > 1:
        return reader.finds(0)[0] if reader.draft(_FOUND) else None
    good = [find for find in reader.finds(0, _SOURCES) if find.score >= _FOUND and _states(find, question)]
    good = [find for find in good if not _is_former(find.unit.page, question)]
    if question.inner:  # only what names something can be followed
        good = [find for find in good if _value(note_of(find.unit).text, question)]
    return max(good, key=lambda find: (round(find.score, 1), find.unit.page.date), default=None)


def _is_former(page: Page, question: Question) -> bool:
    """Say whether the page stands among past things by its own title or path, and the question is not about those."""
    crumbs = " ".join(page.markdown[span.start : span.end] for region, span in page.spans if region == "breadcrumb")
    return bool(_FORMER.search(f"{page.title} {crumbs}")) and not _FORMER.search(question.text)


def _topic(title: str) -> str:
    """Return a title without the name of the site."""
    return _SITE.split(title)[0]


def _reader(goal: str, dance: Dance) -> Reader:
    reader = Reader(goal)
    for page in dance.pages.values():
        reader.read(page)
    return reader


def _states(find: Find, question: Question) -> bool:
    """Say whether the unit says what is asked, and of the question's name and no other."""
    if not question.names:
        return True
    page, unit = find.unit.page, words(find.unit.text)
    above = page.markdown.rfind("\n#", 0, find.unit.start) + 1
    heading = words(page.markdown[above : page.markdown.find("\n", above)]) if above else []
    topic = words(_topic(page.title))
    itself, *others = question.names
    if not any(_holds(text, itself) for text in (unit, heading, topic)):
        return False
    text = words(f"{page.title}\n{page.markdown}")
    wanted = set(words(" ".join(question.relation)))
    said = wanted & {*unit, *heading}
    return all(_holds(text, name) for name in others) and len(said) * 2 > len(wanted)


def _holds(text: list[str], name: list[str]) -> bool:
    """Say whether the terms of `name` stand in `text` side by side."""
    first, size = name[0], len(name)
    return any(text[at] == first and text[at : at + size] == name for at in range(len(text) - size + 1))


def _value(text: str, question: Question) -> str:
    """Return the name that a statement gives besides the words of the question, or ""."""
    known = set(words(f"{question.text} {question.subject}"))
    for part in reversed([part.strip(" .。，,;；") for part in _SAYS.split(text)]):
        names: list[str] = _NAME.findall(part)
        for name in [part] if is_chinese(part) else names[::-1]:
            if words(name) and not known.issuperset(words(name)):
                return name
    return ""


mind = Lexical
