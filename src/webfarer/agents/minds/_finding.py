"""What the pages read so far say of one question: the unit that states it, and those that contradict it.

Readers and page words are kept per goal and per page, since a mind asks the same again after every step. What counts as
a statement, a former page, a restriction or a contradiction is told by words alone: heuristics, each named below.
"""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from webfarer.agents.hops import Question, says_newest
from webfarer.agents.reading import Find, Reader, Unit, note_of
from webfarer.core.text import is_chinese, words
from webfarer.core.types import Page
from webfarer.web.dates import iso_date

FOUND = 0.72
_SOURCES = 5
_ALIKE = 0.05  # scores that differ by less say the same thing
_SAYS = re.compile(r"[:：|]|\b(?:is|are|was|were)\b|(?:定为|[是为])(?!了)|\s(?=[\u3400-\u9fff]+$)")
_SITE = re.compile(r"\s+[-–—|·]\s+")
_FORMER = re.compile(
    r"\b(?:former|archived?|past|previous|earlier|older|old|superseded|obsolete|deprecated)\b|"
    r"历史|往期|往届|旧版|以往|存档",
    re.IGNORECASE,
)
_LIMITS = re.compile(
    r"\b(?:only|solely|exclusively|limited to|except|unsupported|requires?|(?:or|and) (?:later|newer|above))\b|"
    r"\b(?:not|isn['’]t|aren['’]t|doesn['’]t|don['’]t|cannot|can['’]t)\b|仅|只[有能限支在]|不[支能可会再]|除外|限于|及以[上后]",
    re.IGNORECASE,
)
_SECOND_HAND = re.compile(
    r"\b(?:forums?|community|communities|threads?|discuss(?:ions?)?|comments?|blogs?|posts?)\b|论坛|社区|博客|问答|评论|贴吧",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?？]\W*$")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"[A-Z][\w&'’.+-]*(?:\s+(?:(?:of|de|for|and|the)\s+){0,2}[A-Z0-9][\w&'’.+-]*)*")


class Finder:
    """Knows all pages read; give it each page once it is read."""

    def __init__(self) -> None:
        self._pages: dict[str, Page] = {}
        self._readers: dict[str, Reader] = {}
        self._words: dict[str, tuple[list[str], list[str]]] = {}

    def know(self, pages: Iterable[Page]) -> None:
        """Take in pages; those known already cost nothing."""
        for page in pages:
            self._pages.setdefault(page.id, page)

    def reader(self, goal: str) -> Reader:
        """Return the reader of all pages for `goal`."""
        reader = self._readers.setdefault(goal, Reader(goal))
        for page in self._pages.values():
            reader.read(page)
        return reader

    def stating(self, question: Question, hosts: frozenset[str] = frozenset()) -> list[Find]:
        """Return the units that state what is asked, the one to answer with first; () when none does.

        Args:
            question: what is asked of its nearest name.
            hosts: where the units must stand; empty for anywhere.
        """
        if question.shape == "whether":
            return self._deciding(question, hosts)

        def fits(unit: Unit) -> bool:
            return (
                (not hosts or host_of(unit.page) in hosts)
                and not is_former(unit, question)
                and self._states(unit, question)
                and (question.shape != "newest" or bool(question.inner) or says_newest(unit.text))
                and (not question.inner or bool(value_in(note_of(unit).text, question)))  # it must name what is next
            )

        good = [find for find in self.reader(question.goal).finds(0, _SOURCES, fits) if find.score >= FOUND]
        return sorted(good, key=lambda find: (round(find.score, 1), find.unit.page.date), reverse=True)

    def _deciding(self, question: Question, hosts: frozenset[str]) -> list[Find]:
        """Return the units that say for what a property holds, or hold the name beside it.

        What restricts goes before what affirms one case, since it covers those that are not named; first hand goes
        before second hand (forums, blogs).
        """

        def fits(unit: Unit) -> bool:
            said = words(unit.text)
            about = is_restriction(unit.text) or any(holds(said, name) for name in question.names)
            return about and not _ASKS.search(unit.text) and (not hosts or host_of(unit.page) in hosts)

        goal = f"{' '.join(question.asked)}?"
        good = [find for find in self.reader(goal).finds(0, _SOURCES, fits) if find.score >= FOUND]
        return sorted(good, key=lambda find: _rank(find.unit), reverse=True)

    def _states(self, unit: Unit, question: Question) -> bool:
        """Say whether the unit says what is asked, and of the question's name and no other."""
        if not question.names:
            return True
        page, said = unit.page, words(unit.text)
        above = page.markdown.rfind("\n#", 0, unit.start) + 1
        heading = words(page.markdown[above : page.markdown.find("\n", above)]) if above else []
        topic, whole = self._words_of(page)
        itself, *others = question.names
        if not any(holds(text, itself) for text in (said, heading, topic)):
            return False
        wanted = set(words(" ".join(question.relation)))
        found = wanted & {*said, *heading}
        return all(holds(whole, name) for name in others) and len(found) * 2 > len(wanted)

    def _words_of(self, page: Page) -> tuple[list[str], list[str]]:
        if page.id not in self._words:
            self._words[page.id] = words(topic_of(page.title)), words(f"{page.title}\n{page.markdown}")
        return self._words[page.id]


def rivals(question: Question, finds: list[Find]) -> Iterator[Find]:
    """Yield the finds that state as well as the first one does something else than it."""
    if question.shape or not finds:
        return
    first = finds[0]
    ours = _values(first.unit, question)
    for find in finds[1:]:
        theirs = _values(find.unit, question)
        if abs(find.score - first.score) <= _ALIKE and ours and theirs and ours.isdisjoint(theirs):
            yield find


def _values(unit: Unit, question: Question) -> set[str]:
    """Return what a statement gives besides the words of the question: its date, else its numbers, else its name."""
    text = note_of(unit).text
    if day := iso_date(text[:200]):
        return {day}
    numbers = set(_NUMBER.findall(text)) - set(_NUMBER.findall(f"{question.text} {question.subject}"))
    return numbers or {" ".join(words(value_in(text, question)))} - {""}


def is_restriction(text: str) -> bool:
    """Say whether a text says for what alone, or for what not, something holds."""
    return bool(_LIMITS.search(text))


def is_second_hand(url: str, title: str) -> bool:
    """Say whether a page is what anybody may write, by its address and title."""
    parts = urlsplit(url)
    return bool(_SECOND_HAND.search(f"{parts.netloc} {parts.path} {title}".replace("_", " ")))


def _rank(unit: Unit) -> tuple[bool, bool]:
    return not is_second_hand(unit.page.url, unit.page.title), is_restriction(unit.text)


def is_former(unit: Unit, question: Question) -> bool:
    """Say whether a unit stands among past things by its page's title or path, and the question is not about those."""
    page = unit.page
    crumbs = " ".join(page.markdown[span.start : span.end] for region, span in page.spans if region == "breadcrumb")
    return bool(_FORMER.search(f"{page.title} {crumbs}")) and not _FORMER.search(question.text)


def topic_of(title: str) -> str:
    """Return a title without the name of the site."""
    return _SITE.split(title)[0]


def host_of(page: Page) -> str:
    """Return the host a page is served from."""
    return urlsplit(page.url).netloc


def holds(text: list[str], name: list[str]) -> bool:
    """Say whether the terms of `name` stand in `text` side by side."""
    first, size = name[0], len(name)
    return any(text[at] == first and text[at : at + size] == name for at in range(len(text) - size + 1))


def value_in(text: str, question: Question) -> str:
    """Return the name that a statement gives besides the words of the question, or ""."""
    known = set(words(f"{question.text} {question.subject}"))
    for part in reversed([part.strip(" .。，,;；") for part in _SAYS.split(text)]):
        names: list[str] = _NAME.findall(part)
        for name in [part] if is_chinese(part) else names[::-1]:
            if words(name) and not known.issuperset(words(name)):
                return name
    return ""
