"""The newest of a kind: items with dates on listing pages and on pages of their own, told apart by kind and subject.

An item is what a link names together with the date beside it. Its kind is said by itself, by its own page, or by the
list it stands in, which is of a kind when its title is, or when a link of that name leads to it (a filter). Only what
was read counts: a newer item on a page nobody opened is missed. Dates are the pages' own; no clock is asked.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from webfarer.agents.hops import Question
from webfarer.agents.minds._finding import holds, topic_of
from webfarer.core.text import words
from webfarer.core.types import Link, Note, Page, Quote
from webfarer.web.dates import iso_date

_LINES = 4  # between what is named and its date
_LONGEST = 300
_HEAD = 600  # characters of a page in which it says what it is
_LINE = re.compile(r"[^\n]+")


@dataclass(frozen=True, slots=True)
class Item:
    """Something dated: where it stands, from the first to the last character of its name and date.

    Attributes:
        listed: it stands in a list of its kind.
    """

    day: str
    page: Page
    start: int
    end: int
    url: str
    listed: bool = False

    @property
    def text(self) -> str:
        """What the page says of it, word for word."""
        return self.page.markdown[self.start : self.end]

    def note(self) -> Note:
        """Return it as a note, in one line."""
        lines = [line.strip(" -*#>|") for line in self.text.replace(" | ", ", ").split("\n")]
        said = ", ".join(line for line in lines if line)
        return Note(text=said, quote=Quote(page=self.page.id, url=self.page.url, text=self.text, start=self.start))


def newest(question: Question, pages: Iterable[Page]) -> Item | None:
    """Return the item with the latest date that is of the kind and subject asked for; None when there is none.

    What lists of the kind hold goes before what was met elsewhere: they alone show that nothing is newer.
    """
    pages = list(pages)
    kind = set(words(" ".join(question.asked)))
    lists = {link.url for page in pages for link in page.links if is_list_of(kind, link)}
    own = {page.url: page for page in pages}
    found: list[Item] = []
    for page in pages:
        if not _is_about(question, page):
            continue
        listed = page.url in lists or kind <= set(words(topic_of(page.title)))
        for item in (*_listed(page), *_itself(page)):
            target = own.get(item.url)
            said = kind <= set(words(item.text)) or (target is not None and kind <= set(words(_head(target))))
            if listed and item.url != page.url:
                found.append(Item(item.day, page, item.start, item.end, item.url, listed=True))
            elif said:
                found.append(item)
    return max(found, key=lambda item: (item.listed, item.day), default=None)


def is_list_of(kind: set[str], link: Link) -> bool:
    """Say whether a link's label is the kind and no more, as that of a filter or a section is."""
    return bool(kind) and set(words(link.label)) == kind


def _is_about(question: Question, page: Page) -> bool:
    """Say whether the page's title, or what stands above and around its text, names the subject."""
    frame = " ".join(page.markdown[s.start : s.end] for region, s in page.spans if region in ("header", "breadcrumb"))
    said = words(f"{page.title}\n{frame}")
    return all(holds(said, name) for name in question.names)


def _listed(page: Page) -> Iterator[Item]:
    """Yield the links in the page's main text that have a date in their line, below it, or in the line above."""
    lines = [match.span() for match in _LINE.finditer(page.markdown)]
    numbers = {start: number for number, (start, _) in enumerate(lines)}
    first: dict[int, Link] = {}
    for link in page.links:
        if link.region == "main" and link.label:
            first.setdefault(page.markdown.rfind("\n", 0, link.at) + 1, link)
    for begin, then in pairwise([*sorted(first), len(page.markdown) + 1]):
        link, number = first[begin], numbers.get(begin)
        if number is None:
            continue
        near = [span for span in lines[number : number + _LINES] if span[0] < then]
        dated = next(((span, day) for span in near if (day := iso_date(page.markdown[slice(*span)]))), None)
        if dated and dated[0][1] - begin <= _LONGEST:
            yield Item(dated[1], page, begin, dated[0][1], link.url)
        elif number and (day := _bare_date(page.markdown[slice(*lines[number - 1])])):
            yield Item(day, page, lines[number - 1][0], lines[number][1], link.url)


def _bare_date(line: str) -> str:
    """Return the date a line is made of; one with more than another word is no date line."""
    return iso_date(line) if len(line.split()) <= 5 else ""


def _itself(page: Page) -> Iterator[Item]:
    """Yield the page as an item, from its heading to the line that says its date."""
    if not page.date:
        return
    heading = re.search(r"^# .+$", page.markdown, re.MULTILINE)
    if not heading:
        return
    end = heading.end()
    for match in _LINE.finditer(page.markdown, end, min(len(page.markdown), end + _LONGEST)):
        if iso_date(match.group()) == page.date:
            end = match.end()
            break
    yield Item(page.date, page, heading.start(), end, page.url)


def _head(page: Page) -> str:
    """Return what a page says first of itself: its path through the site and the beginning of its text."""
    crumbs = " ".join(page.markdown[s.start : s.end] for region, s in page.spans if region == "breadcrumb")
    main = next((span.start for region, span in page.spans if region == "main"), 0)
    return f"{crumbs}\n{page.markdown[main : main + _HEAD]}"
