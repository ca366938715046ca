"""Finding an answer in pages without a model: units (sentences, table rows, list items) ranked against the question.

A unit scores by the share of the question's word weight that it covers; a word counts in full in the unit itself, less
in its heading or its page's title, little elsewhere on the page. Shared by all policies that need no model. It finds
what is said, it does not reason: an answer that no single unit states is out of its reach.
"""

import math
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from webfarer.agents.decisions import Context, Draft, Walk, claims_from
from webfarer.core.text import words
from webfarer.core.types import Note, Page, Quote

_IN_HEADING, _ON_PAGE = 0.95, 0.25
_WEAK, _USEFUL, _LIKELY, _CERTAIN = 0.2, 0.45, 0.7, 0.9
_WRONG_KIND = 0.6  # a unit without a date is worth less to a question that asks when
_POINTER = 0.75
_SOURCES = 5
_LONGEST = 300
_TEASER = 60  # characters after a link that only say what it leads to
_SPLIT = re.compile(
    r"[,，;；]\s*(?:and|as well as|另外|此外|以及|并且|同时)[,，]?\s*(?=\S)|[?？;；]\s*(?=\S)|"
    r",?\s+and\s+(?=(?:when|where|who|what|which|how|in which|at what|on which|at which)\b)",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?？]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^a-z\s)\]}])|(?<=[。！？])")
_ROW = re.compile(r"^\|(.*)\|\s*$")
_RULE = re.compile(r"^[|\s:-]+$")
_MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DATE = rf"(?i)\d{{4}}-\d\d-\d\d|\d年|\d月|\d日|\b(?:{_MONTH})[a-z]*\.?\s+\d|\d(?:st|nd|rd|th)?\s+(?:{_MONTH})"
HOW = r"\bhow (?:many|much|long|large|big|old|far|deep|high|tall|wide|thick|heavy|fast|often|soon|late|early|small)\b"
"""Asks for a number; a page that gives it does not repeat the word."""
_KINDS: tuple[tuple[str, str], ...] = (
    (r"\bwhen\b|\bwhat day\b|\bwhich day\b|\bdate\b|\bdeadline\b|何时|什么时候|哪天|哪一天|日期", _DATE),
    (r"\bwhat time\b|几点|什么时间", r"(?i)\d{1,2}:\d\d|\d\s*(?:am|pm)\b|\d点"),
    (rf"{HOW}|多少|几|多大|多长|多久|多深|多高|多远|多快|多重", r"\d"),
    (r"\bwhos?e?m?\b", r"[A-Z][\w'-]+ (?:[a-z]{1,3} )?[A-Z][\w'-]+"),
    (r"谁", r"(?:^|[是为由：:|]) ?[\u4e00-\u9fff]{2,4} ?(?=$|[。，；|])"),
    (
        r"\bwhere\b|\bwhich (?:room|hall|office|building|address)\b|哪里|哪间|在哪|地点|地址|考场|会议室",
        r"(?<=\w\s)[A-Z]\w+|\b[A-Z]?\d+\b|\w*[楼室厅馆街路省市县区镇村州岛]",
    ),
    (r"\be-?mail\b|邮箱|电子邮件", r"\S@\S"),
)


def parts_of(question: str) -> list[str]:
    """Split a question into the questions it joins ("when …, and where …?"); one part when it joins none."""
    if not _ASKS.search(question):
        return [question.strip()]
    parts = [part.strip(" ?？。.,，") for part in _SPLIT.split(question)]
    return [part for part in parts if words(part)] or [question.strip()]


class Unit(NamedTuple):
    """A piece of a page that can be an answer: where it stands, the words above it, the URL it leads to, if any."""

    page: Page
    start: int
    end: int
    heading: frozenset[str]
    leads: str = ""

    @property
    def text(self) -> str:
        """The unit, exactly as on the page."""
        return self.page.markdown[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Find:
    """The best unit for one part of the question; `score` is 1 when it covers every word."""

    unit: Unit
    score: float


class Reader:
    """Reads the pages of one walk; knows the best find for every part of the question so far."""

    def __init__(self, question: str) -> None:
        self.asks = bool(_ASKS.search(question))
        self.parts = parts_of(question)
        self.terms = [sorted(set(words(re.sub(HOW, " ", part, flags=re.IGNORECASE)))) for part in self.parts]
        kinds = _KINDS if self.asks else ()
        self._kinds = [[re.compile(k) for q, k in kinds if re.search(q, part, re.I)] for part in self.parts]
        self._wanted = {term for terms in self.terms for term in terms}
        self._units: list[Unit] = []
        self._own: list[frozenset[str]] = []  # words of the question in each unit
        self._postings: dict[str, list[int]] = defaultdict(list)
        self._of_kind: dict[tuple[int, int], bool] = {}
        self._page_words: dict[str, frozenset[str]] = {}
        self._read: set[str] = set()

    def read(self, page: Page) -> None:
        """Take in a page; a second time does nothing."""
        if page.id in self._read:
            return
        self._read.add(page.id)
        seen: set[str] = set()
        for unit in units_of(page):
            found = self._wanted.intersection(words(unit.text))
            for term in found:
                self._postings[term].append(len(self._units))
            seen |= found
            self._units.append(unit)
            self._own.append(frozenset(found))
        self._page_words[page.id] = frozenset(seen | self._wanted.intersection(words(page.title)))

    def weight(self, term: str) -> float:
        """Return the term's inverse frequency among the units read."""
        return math.log(1 + (len(self._units) + 1) / (len(self._postings.get(term, ())) + 0.5))

    def finds(self, part: int, most: int = 1, fits: Callable[[Unit], bool] | None = None) -> list[Find]:
        """Return the best units for part number `part` that `fits` lets pass, best first, at most one a page."""
        weights = {term: self.weight(term) for term in self.terms[part]}
        total = sum(weights.values()) or 1.0
        inside: dict[int, float] = defaultdict(float)
        for term, weight in weights.items():
            for number in self._postings.get(term, ()):
                inside[number] += weight
        # what stands above a unit can add to its score, but a unit without one word of the question is none
        best: dict[str, Find] = {}
        for number, _ in sorted(inside.items(), key=lambda item: (-item[1], item[0]))[:400]:
            find = self._score(number, part, weights, total)
            held = best.get(find.unit.page.id)
            if (held is None or find.score > held.score) and (fits is None or fits(find.unit)):
                best[find.unit.page.id] = find
        return sorted(best.values(), key=lambda find: -find.score)[:most]

    def _score(self, number: int, part: int, weights: dict[str, float], total: float) -> Find:
        unit = self._units[number]
        own = self._own[number]
        page = self._page_words[unit.page.id]
        score = 0.0
        for term, weight in weights.items():
            if term in own:
                score += weight
            elif term in unit.heading:
                score += weight * _IN_HEADING
            elif term in page:
                score += weight * _ON_PAGE
        score /= total
        if unit.leads:
            score *= _POINTER  # what it leads to says it better
        if not self._is_of_kind(number, part):
            score *= _WRONG_KIND
        return Find(unit, score)

    def _is_of_kind(self, number: int, part: int) -> bool:
        """Say whether a unit may answer that part: holds a date when it asks for one, and so on."""
        key = (number, part)
        if key not in self._of_kind:  # scores change with every page, this does not
            kinds = self._kinds[part]
            found = [match.group() for kind in kinds for match in kind.finditer(self._units[number].text)]
            # what the question names itself is not what it asks for
            self._of_kind[key] = not kinds or any(not self._wanted.issuperset(words(text)) for text in found)
        return self._of_kind[key]

    def missing(self, part: int) -> set[str]:
        """Return the words of part number `part` that its best find says neither itself nor above itself."""
        unit = next((find.unit for find in self.finds(part)), None)
        return set(self.terms[part]) - (unit.heading | set(words(unit.text)) if unit else set())

    def draft(self, least: float = _WEAK) -> Draft | None:
        """Return the answer made of the best find of every part; None when one of them scores less than `least`.

        By default the parts without a find worth the name are left out; the text is empty when all are.
        """
        best = [self.finds(part, _SOURCES) for part in range(len(self.parts))]
        good = [finds[0] for finds in best if finds and finds[0].score >= least]
        if least > _WEAK and len(good) < len(best):
            return None
        notes = tuple(note_of(find.unit) for find in good)
        ranked = sorted((find for finds in best for find in finds), key=lambda find: -find.score)
        text = " ".join(dict.fromkeys(note.text for note in notes))
        return Draft(text, claims_from(notes), tuple(find.unit.page for find in ranked))


class ReadingPolicy:
    """Base of the policies without a model: they differ in which link they choose, and read alike."""

    needs_model = False

    def __init__(self, context: Context) -> None:
        self.seed = context.seed
        self._reader: Reader | None = None
        self._noted: set[tuple[str, int]] = set()

    def reader(self, walk: Walk) -> Reader:
        """Return the reader of this walk, with all pages read so far."""
        if self._reader is None:
            self._reader = Reader(walk.question)
        for page in walk.pages:
            self._reader.read(page)
        return self._reader

    async def note(self, walk: Walk) -> list[Note]:
        """Return the finds that are the best so far and stand on the current page."""
        reader = self.reader(walk)
        notes: list[Note] = []
        for part in range(len(reader.parts)):
            for find in reader.finds(part):
                key = (find.unit.page.id, find.unit.start)
                if find.score >= _USEFUL and find.unit.page.id == walk.page.id and key not in self._noted:
                    self._noted.add(key)
                    notes.append(note_of(find.unit))
        return notes

    async def judge(self, walk: Walk) -> Draft | None:
        """Return the answer when one unit covers nearly every word of each part, or most and no link promises more."""
        reader = self.reader(walk)
        draft = reader.draft(_CERTAIN)
        # a page that says what was asked repeats a statement in full, a question never
        if draft is None and reader.asks and (likely := reader.draft(_LIKELY)):
            lacking = {term for part in range(len(reader.parts)) for term in reader.missing(part)}
            return None if self._promised(walk, lacking) else likely
        return draft

    def _promised(self, walk: Walk, terms: set[str]) -> bool:
        """Say whether the label of a link not opened yet holds one of the words."""
        return any(not terms.isdisjoint(words(link.label)) for page in walk.pages for link in walk.links(page))

    async def conclude(self, walk: Walk) -> Draft:
        """Return the best finds that are worth the name; the sources say where more may be found."""
        return self.reader(walk).draft() or Draft("")


def note_of(unit: Unit) -> Note:
    """Return the unit as a note: its own words, a table row as "first: second"."""
    text = unit.text
    row = _ROW.match(text)
    if row:
        cells = [cell.strip() for cell in row.group(1).split("|")]
        text = f"{cells[0]}: {', '.join(cell for cell in cells[1:] if cell)}" if len(cells) > 1 else cells[0]
    text = text.strip(" -*#>")
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return Note(text=cut, quote=Quote(page=unit.page.id, url=unit.page.url, text=unit.text, start=unit.start))


def units_of(page: Page) -> list[Unit]:
    """Split the main text of a page into units, in order; headings are no units, they stand above them."""
    crumbs = " ".join(page.markdown[span.start : span.end] for region, span in page.spans if region == "breadcrumb")
    title = frozenset(words(f"{page.title} {crumbs}"))
    heading = title
    header = ""
    leads = _leads(page)
    units: list[Unit] = []
    for start, end in _main(page):
        at = start
        for line in page.markdown[start:end].split("\n"):
            begin, at = at, at + len(line) + 1
            text = line.strip()
            if text.startswith("#"):
                heading = title | frozenset(words(text))
            if not text or text.startswith("#") or _RULE.match(text):
                continue
            if _ROW.match(text):
                above = heading | frozenset(words(header))
                header = header or text
                lead = begin + len(line) - len(line.lstrip())
                units.append(Unit(page, lead, lead + len(text), above, leads.get(begin, "")))
            else:
                header = ""
                units.extend(_sentences(page, begin, line, (heading, leads.get(begin, ""))))
    return units


def _leads(page: Page) -> dict[int, str]:
    """Return the offsets of the lines that begin with a link and say little else, with the link's URL."""
    found: dict[int, str] = {}
    for link in page.links:
        begin = page.markdown.rfind("\n", 0, link.at) + 1
        end = page.markdown.find("\n", link.at)
        rest = page.markdown[link.at + len(link.label) : end if end >= 0 else None]
        if not page.markdown[begin : link.at].strip(" |-*0123456789.") and len(rest) <= _TEASER:
            found[begin] = link.url
    return found


def _main(page: Page) -> list[tuple[int, int]]:
    found = [(span.start, span.end) for region, span in page.spans if region == "main"]
    return found or [(0, len(page.markdown))]


def _sentences(page: Page, begin: int, line: str, above: tuple[frozenset[str], str]) -> list[Unit]:
    units: list[Unit] = []
    at = 0
    for gap in [*_SENTENCE.finditer(line), None]:
        end = gap.start() if gap else len(line)
        piece = line[at:end]
        if piece.strip():
            lead = len(piece) - len(piece.lstrip())
            units.append(Unit(page, begin + at + lead, begin + at + len(piece.rstrip()), *above))
        at = gap.end() if gap else end
    return units
