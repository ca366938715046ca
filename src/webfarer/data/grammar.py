"""Statements of a website by grammar alone: no model reads the pages.

Grammars find what tables, entries of reference documentation, links and sentences state; then the whole site decides
what is kept: a name means one thing, a question has one answer and does not hold it, and no other page says the same.
What is stated in any other form is not found. Invariant: the same pages give the same statements.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from webfarer.core.registry import Seam
from webfarer.core.types import Page
from webfarer.data.grammars._blocks import read_blocks
from webfarer.data.grammars._elsewhere import Elsewhere
from webfarer.data.grammars._finding import Found, Sheet
from webfarer.data.grammars._phrases import page_phrase
from webfarer.data.grammars.crosslinks import page_names
from webfarer.data.grammars.entries import entry_names
from webfarer.data.grammars.tables import row_names
from webfarer.data.ground import Relation, Statement
from webfarer.data.question import Evidence
from webfarer.evals.scoring import normalise

GRAMMARS = Seam("webfarer.data.grammars", "grammar", "grammar")

Grammar = Callable[[Sheet], Iterator[Found]]
"""Yields what a page states in one form. Modules of the seam define `grammar`, one of these."""

_MOST = 20  # statements of a kind on a page
_ROWS = ("column", "listed")  # about rows of tables; not thinned out, because sets are taken from them
_LONE = ("opening", "closing")  # of sections, whose titles say little where another page has them as well


@dataclass(frozen=True, slots=True)
class Reading:
    """What a site states.

    Attributes:
        statements: in document order, page by page.
        relations: by key; without a way back to subjects where a statement of a value was left out.
        shown: noun phrases for pages and rows, whose bare names would not do in a sentence.
    """

    statements: tuple[Statement, ...]
    relations: Mapping[str, Relation]
    shown: Mapping[str, str]


def read(pages: Mapping[str, Page], language: str) -> Reading:
    """Return what pages of a site state, as far as they are in `language`."""
    names = page_names(pages)
    sheets = _sheets(pages, names, language)
    grammars: list[Grammar] = [GRAMMARS.load(name) for name in GRAMMARS.ids()]
    found = [(sheet, each) for sheet in sheets for grammar in grammars for each in grammar(sheet)]
    elsewhere = Elsewhere(pages)
    kept = [
        (sheet, each)
        for sheet, each in _thinned(_unambiguous(found, language))
        if not elsewhere.states(sheet.page.url, each.value if each.kind in _LONE else each.subject, each.value)
    ]
    statements = tuple(_statement(sheet.page, each) for sheet, each in kept)
    pages_shown = {name: page_phrase(name, language) for name in names.values()}
    rows_shown = {each.subject: f"“{each.subject}”" for _, each in kept if each.kind in _ROWS}
    lost = Counter((each.key, each.value) for _, each in found) - Counter((each.key, each.value) for _, each in kept)
    partial = {each.key for _, each in kept if (each.key, each.value) in lost}
    relations = {each.key: each.relation for _, each in kept}
    return Reading(
        statements,
        {key: _one_way(relation) if key in partial else relation for key, relation in relations.items()},
        rows_shown | pages_shown,
    )


def sifted(said: Sequence[Statement], pages: Mapping[str, Page]) -> list[Statement]:
    """Leave out of what was read by other means what has two answers, and what another page states as well."""
    elsewhere = Elsewhere(pages)
    answered: dict[tuple[str, str], set[str]] = {}
    for each in said:
        answered.setdefault((normalise(each.subject), each.relation), set()).add(each.evidence.url + each.value)
    return [
        each
        for each in said
        if len(answered[normalise(each.subject), each.relation]) == 1
        and not elsewhere.states(each.evidence.url, each.subject, each.value)
    ]


def _sheets(pages: Mapping[str, Page], names: Mapping[str, str], language: str) -> list[Sheet]:
    """Return the pages that have a name and are in the language, with what is known of the whole site."""
    blocks = {url: read_blocks(page) for url, page in pages.items() if url in names and page.language in ("", language)}
    told = Counter(names.values())
    for url, each in blocks.items():
        told.update((*entry_names(each, names[url], language), *row_names(each)))
    once = {name for name, count in told.items() if count == 1} - set(names.values())
    return [Sheet(pages[url], each, names[url], names, once, language) for url, each in blocks.items()]


def _unambiguous(found: list[tuple[Sheet, Found]], language: str) -> list[tuple[Sheet, Found]]:
    """Leave out what has two answers, what is stated word for word on two pages, and what gives its answer away."""
    answered = Counter((each.subject, each.key) for _, each in found)
    told = Counter(_said(sheet, each) for sheet, each in found)
    names = {sheet.name for sheet, _ in found}
    kept = []
    for sheet, each in found:
        subject = page_phrase(each.subject, language) if each.subject in names else each.subject
        question = normalise(each.relation.ask.replace("{x}", subject))
        once = answered[each.subject, each.key] == 1 and told[_said(sheet, each)] == 1
        if once and normalise(each.value) not in question and _fits(each):
            kept.append((sheet, each))
    return kept


def _thinned(found: Iterable[tuple[Sheet, Found]]) -> Iterator[tuple[Sheet, Found]]:
    """Yield statements in the order of the pages; of kinds that abound on a page, some from all parts of it."""
    for _, group in groupby(found, key=lambda pair: pair[0].page.url):
        ordered = sorted(group, key=lambda pair: (pair[1].start, pair[1].end, pair[1].key))
        counts, seen = Counter(each.kind for _, each in ordered), Counter[str]()
        for sheet, each in ordered:
            number, count = seen[each.kind], counts[each.kind]
            seen[each.kind] += 1
            if each.kind in _ROWS or count <= _MOST or number * _MOST // count != (number - 1) * _MOST // count:
                yield sheet, each


def _said(sheet: Sheet, each: Found) -> tuple[str, ...]:
    """Return what a statement says, apart from where."""
    text = normalise(sheet.page.markdown[each.start : each.end])
    return (each.kind, text, each.value) if each.subject == sheet.name else (each.kind, each.subject, each.key, text)


def _one_way(relation: Relation) -> Relation:
    """Return the relation without the phrases that hold only while none of its statements is missing."""
    return replace(relation, whose="", those="")


def _fits(each: Found) -> bool:
    return "{x}" not in each.subject + each.value and each.subject != each.value


def _statement(page: Page, each: Found) -> Statement:
    return Statement(each.subject, each.key, each.value, Evidence.at(page, each.start, each.end))
