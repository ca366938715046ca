"""The dancer's decisions without a model: search, open what fits, walk where the answer must lie deeper.

Every question that is joined to another is followed on its own, name by name: what the nearest relation of a name says
becomes the next name. For each name it searches, opens what is about it, and then walks the likeliest site. It finds
what pages state and does not reason: a question for yes or no gets the passage that decides it. Deterministic.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar
from urllib.parse import urlsplit

from webfarer.agents.dance import Act, Dance, Reading, Setting
from webfarer.agents.decisions import Draft, claims_from
from webfarer.agents.hops import Question, take_apart
from webfarer.agents.minds._finding import (
    Finder,
    holds,
    host_of,
    is_restriction,
    is_second_hand,
    rivals,
    topic_of,
    value_in,
)
from webfarer.agents.minds._newest import Item, is_list_of, newest
from webfarer.agents.reading import Find, Reader, note_of, parts_of
from webfarer.core.text import is_chinese, words
from webfarer.core.types import Conflict, Note, Page
from webfarer.models.base import ToolCall

_VISITS = 3  # pages opened at once
_ROUNDS = 3  # of visits, for one name
_LISTS = 4  # opened for one name, however many rounds there were
_WALKS = 2  # for one name
_HOPS = 4
_WORTH = 0.6  # of the best fit
_PARTIAL = 0.5  # least score of what is given at the end of a search that found nothing better

_terms = lru_cache(maxsize=20_000)(words)  # the same labels are weighed at every step


@dataclass(slots=True)
class _Leg:
    """One of the questions that were joined: the name that is followed now, and what was tried for it.

    Attributes:
        found: what states the answer, best first.
        item: what answers a question for the newest.
        settled: nothing better is to be expected.
    """

    question: Question
    chain: list[Note] = field(default_factory=list)
    found: list[Find] = field(default_factory=list)
    item: Item | None = None
    settled: bool = False
    searched: bool = False
    rounds: int = 0
    lists: int = 0
    walked: list[str] = field(default_factory=list)

    def follow(self, question: Question, note: Note) -> None:
        """Go on with the name that `note` gives."""
        self.question, self.found = question, []
        self.chain.append(note)
        self.searched, self.rounds, self.lists, self.walked = False, 0, 0, []

    def notes(self) -> list[Note]:
        """Return what answers it, before what led there."""
        answer = [self.item.note()] if self.item else [note_of(find.unit) for find in self.found[:1]]
        return [*answer, *self.chain[::-1]] if answer else self.chain


class Lexical:
    """Decides by the words of the question and of the pages."""

    needs_model: ClassVar[bool] = False

    def __init__(self, setting: Setting) -> None:
        self._finder = Finder()
        self._legs: list[_Leg] = []
        self._tried: set[str] = set()

    async def act(self, dance: Dance) -> Act:
        """Return the next calls for the first question that is open and has some, or the answer."""
        self._advance(dance)
        for leg in self._in_turn():
            if not leg.settled and (calls := self._next(leg, dance)):
                return Act(f"looking for: {leg.question.goal}", calls)
        return Act(draft=await self.conclude(dance))

    async def read(self, page: Page, goal: str) -> Reading:
        """Return the passages of the page that fit the goal best."""
        reader = Reader(goal)
        reader.read(page)
        notes = [note_of(find.unit) for part in range(len(reader.parts)) for find in reader.finds(part)]
        quotes = tuple(dict.fromkeys(note.quote for note in notes))
        return Reading(page, goal, evidence=quotes, summary=" ".join(note.text for note in notes))

    async def conclude(self, dance: Dance) -> Draft:
        """Return what was found of every question; of one whose chain broke, what led there and no answer."""
        self._advance(dance)
        notes: list[Note] = []
        said: list[str] = []
        against: list[tuple[_Leg, Note]] = []
        for leg in self._legs:
            mine = leg.notes() or self._partial(leg)
            if leg.item or leg.found or not leg.chain:
                said += [note.text for note in mine[:1]]
            notes += mine
            against += [(leg, note_of(find.unit)) for find in rivals(leg.question, leg.found)]
        if not said:
            against = []
        conflicts = tuple(
            Conflict(about=leg.question.text, claims=(notes.index(leg.notes()[0]), len(notes) + number))
            for number, (leg, _) in enumerate(against)
        )
        stated = [*notes, *(note for _, note in against)]
        pages = dict.fromkeys(note.quote.page for note in stated)
        text = "\n".join(dict.fromkeys(said))
        return Draft(text, claims_from(stated), tuple(dance.pages[page] for page in pages), conflicts)

    def _partial(self, leg: _Leg) -> list[Note]:
        """Return the best find for a question that names nothing, though it says less than what is asked."""
        if leg.question.names or leg.question.shape or len(self._legs) > 1:
            return []
        finds = self._finder.reader(leg.question.goal).finds(0)
        return [note_of(find.unit) for find in finds if find.score >= _PARTIAL]

    def _advance(self, dance: Dance) -> None:
        """Look for answers in the pages read so far, and follow names as far as these lead."""
        self._legs = self._legs or [_Leg(question) for question in _questions(dance.question)]
        self._finder.know(dance.pages.values())
        for leg in self._in_turn():
            while not leg.settled and (hosts := self._hosts(leg, dance)) is not None:
                leg.found = self._finder.stating(leg.question, hosts)
                if not leg.found or not leg.question.inner:
                    break
                if len(leg.chain) == _HOPS:
                    leg.found = []  # it only leads on
                    break
                note = note_of(leg.found[0].unit)
                leg.follow(leg.question.beyond(value_in(note.text, leg.question), note.text), note)
            self._settle(leg, dance)

    def _in_turn(self) -> list[_Leg]:
        """Return the questions in the order of work: those that name something tell the others where to look."""
        return sorted(self._legs, key=lambda leg: not leg.question.names)

    def _hosts(self, leg: _Leg, dance: Dance) -> frozenset[str] | None:
        """Return where the answer must stand: a question that names nothing is about what the others are about.

        None means that this is not known yet; nothing, that it may stand anywhere.
        """
        if leg.question.names or len(self._legs) == 1:
            return frozenset()
        places = {urlsplit(url).netloc for url in dance.start}
        places |= {host_of(other.found[0].unit.page) for other in self._legs if other.settled and other.found}
        return frozenset(places) or None

    def _settle(self, leg: _Leg, dance: Dance) -> None:
        question = leg.question
        if question.shape == "newest" and not question.inner:
            leg.item = newest(question, dance.pages.values())
            leg.settled = bool(leg.item and leg.item.listed) and not next(self._lists(question, dance), "")
        elif question.shape == "whether":
            best = leg.found[0].unit if leg.found else None
            leg.settled = (
                best is not None and is_restriction(best.text) and not is_second_hand(best.page.url, best.page.title)
            )
        else:
            leg.settled = bool(leg.found) and not question.inner

    def _next(self, leg: _Leg, dance: Dance) -> tuple[ToolCall, ...]:
        """Return what to do next for a question: search, open what is about it, walk; () when all was tried."""
        question, goal = leg.question, leg.question.goal
        if "visit" in dance.tools and leg.lists < _LISTS and (url := next(self._lists(question, dance), "")):
            leg.lists += 1
            return self._visit([url], goal)
        named = {urlsplit(url).netloc for url in dance.start}
        if named and not leg.chain and not leg.searched and (calls := self._dig(leg, dance, named)):
            return calls
        if "search" in dance.tools and not leg.searched:
            leg.searched, leg.rounds = True, 0
            queries = dict.fromkeys(query for query in (goal, question.subject) if query)
            return (ToolCall("", "search", {"query": list(queries)}),)
        return self._dig(leg, dance)

    def _dig(self, leg: _Leg, dance: Dance, hosts: Collection[str] = ()) -> tuple[ToolCall, ...]:
        """Return what to open for a question, then where to walk, on `hosts` if there are any."""
        goal = leg.question.goal
        ranked = [
            (url, fit) for url, fit in _candidates(leg.question, dance) if not hosts or urlsplit(url).netloc in hosts
        ]
        if "visit" in dance.tools and leg.rounds < _ROUNDS:
            leg.rounds += 1
            worth = ranked[0][1] * _WORTH if ranked and "walk" in dance.tools else 0.0
            urls = [url for url, fit in ranked if url not in self._tried and fit >= worth][:_VISITS]
            if urls:
                return self._visit(urls, goal)
        if "walk" in dance.tools and len(leg.walked) < _WALKS:
            for url, _ in ranked:
                host = urlsplit(url).netloc
                if host not in leg.walked:
                    leg.walked.append(host)
                    return (ToolCall("", "walk", {"url": url, "goal": goal}),)
        return ()

    def _visit(self, urls: list[str], goal: str) -> tuple[ToolCall, ...]:
        self._tried.update(urls)
        return (ToolCall("", "visit", {"url": urls, "goal": goal}),)

    def _lists(self, question: Question, dance: Dance) -> Iterator[str]:
        """Yield lists of the kind that is asked for, on sites about its subject, that were not opened."""
        if question.shape != "newest" or question.inner:
            return
        kind = set(words(" ".join(question.asked)))
        read = {page.url for page in dance.pages.values()}
        for page in dance.pages.values():
            if all(holds(_terms(page.title), name) for name in question.names):
                for link in page.links:
                    if is_list_of(kind, link) and link.url not in self._tried and link.url not in read:
                        yield link.url


def _questions(question: str) -> list[Question]:
    """Return the questions that are joined in one, each taken apart."""
    parts = parts_of(question)
    if len(parts) == 1:
        return [take_apart(question)]
    mark = "？" if is_chinese(question) else "?"
    return [take_apart(f"{part}{mark}") for part in parts]


def _candidates(question: Question, dance: Dance) -> list[tuple[str, float]]:
    """Return addresses that may be about the question's name, best first, with their fit."""
    texts = dict.fromkeys(dance.start, ("", ""))
    for hit in dance.hits.values():
        texts[hit.url] = f"{topic_of(hit.title)} \n {hit.snippet}", hit.title
    for page in dance.pages.values():
        texts[page.url] = topic_of(page.title), page.title
        for link in page.links:
            texts.setdefault(link.url, (link.label, page.title))
    terms = set(words(f"{question.subject} {' '.join(question.relation)}" if question.subject else question.text))
    fit = {url: _fit(_terms(text), _terms(where), terms, question.names) for url, (text, where) in texts.items()}
    if question.shape:
        fit = {url: f and f + _promise(_terms(texts[url][0]), texts[url][1], question) for url, f in fit.items()}
    return sorted(((url, f) for url, f in fit.items() if f or url in dance.start), key=lambda c: (-c[1], len(c[0])))


def _fit(text: list[str], where: list[str], terms: set[str], names: list[list[str]]) -> float:
    """Return how well a text fits: its share of the terms, and the names it holds, `where` it stands included."""
    held = sum(holds(text, name) or (number > 0 and holds(where, name)) for number, name in enumerate(names))
    share = len(terms & set(text)) / max(1, len(terms))
    return share + held if share else 0.0


def _promise(label: list[str], title: str, question: Question) -> int:
    """Return what a link promises beyond its words.

    To a question for the newest: it stands on the subject's own site, by that site's name, and speaks of the kind. To
    one for yes or no: it names nothing but what may be true of the subject; a word alone names too much.
    """
    asked = set(words(" ".join(question.asked)))
    if question.shape == "newest":
        site = _terms(title.removeprefix(topic_of(title)))
        return any(holds(site, name) for name in question.names) * (1 + asked.issubset(label))
    return len(label) > 1 and asked.issuperset(label)


mind = Lexical
