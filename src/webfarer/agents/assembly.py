"""Puts a report together: every claim checked once and numbered, sections that say nothing new merged, gaps told.

Mechanical only: nothing here asks a model or the web, and nothing that was written is left out. A claim has one number
in the whole report, whichever sections make it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from webfarer.agents.checking import claims_of
from webfarer.agents.decisions import Draft
from webfarer.agents.plans import PlannedSection
from webfarer.agents.reports import Section, Table, statements
from webfarer.agents.wording import wording
from webfarer.agents.writing import Cells, Prose
from webfarer.core.types import Claim, Conflict, StopReason
from webfarer.web.client import Web

_CUT_SHORT = (StopReason.CANCELLED, StopReason.BUDGET, StopReason.TIMEOUT, StopReason.TURNS, StopReason.FAILED)


class Ending(NamedTuple):
    """How research ended: the reason, and a line for people."""

    reason: StopReason
    detail: str = ""


def ending_of(endings: Sequence[Ending]) -> Ending:
    """Return how the research for one section ended: cut short when any of it was, else as the first of it did."""
    return min(
        (e for e in endings if e.reason in _CUT_SHORT), key=lambda e: _CUT_SHORT.index(e.reason), default=endings[0]
    )


class Assembly:
    """The sections so far and their claims.

    Args:
        web: holds the pages that quotes are looked up on.

    Attributes:
        claims: of all sections, checked.
        sections: what the report holds, in order.
    """

    def __init__(self, web: Web) -> None:
        self._web = web
        self._known: dict[tuple[str, ...], int] = {}
        self.claims: list[Claim] = []
        self.sections: list[Section] = []

    def add(self, planned: PlannedSection, prose: Prose, cells: Cells, ending: Ending) -> Section:
        """Take a section in and return it; one whose every statement stands in an earlier one becomes part of that."""
        paragraphs = tuple(self._numbers(paragraph) for paragraph in prose.paragraphs)
        reason, detail = ending
        if reason in (StopReason.ANSWERED, StopReason.NO_SOURCES):
            reason, detail = (StopReason.ANSWERED, "") if paragraphs or cells else (StopReason.NO_SOURCES, detail)
        section = Section(
            title=planned.title,
            question=planned.question,
            paragraphs=paragraphs,
            table=self._table(planned, cells),
            conflicts=tuple(Conflict(about=about, claims=self._numbers(sides)) for about, sides in prose.conflicts),
            stop_reason=reason,
            stop_detail=detail,
        )
        twin = next((n for n, other in enumerate(self.sections) if _adds_nothing(section, other)), None)
        if twin is None:
            self.sections.append(section)
            return section
        other = self.sections[twin]
        self.sections[twin] = other.model_copy(update={"also": (*other.also, section.question)})
        return self.sections[twin]

    def ending(self, pages: int) -> Ending:
        """Return how the whole report ended, after `pages` pages."""
        for number, section in enumerate(self.sections, 1):
            if section.stop_reason in _CUT_SHORT:
                return Ending(section.stop_reason, f"section {number}: {section.stop_detail}")
        if not self.claims:
            return Ending(StopReason.NO_SOURCES, f"nothing found on {pages} pages")
        return Ending(StopReason.ANSWERED)

    def text(self, question: str) -> str:
        """Return the report as plain text, its own words in the language of `question`; "" when nothing was found."""
        say = wording(question)
        blocks: list[str] = []
        for number, section in enumerate(self.sections, 1):
            blocks.append(f"{number}. {section.title}")
            blocks += [self._prose(paragraph) for paragraph in section.paragraphs]
            if section.table:
                blocks.append("\n".join(self._row_lines(section.table, say["not_found"])))
            if not section.numbers:
                blocks.append(say["nothing"])
        return "\n\n".join(blocks) if self.claims else ""

    def _prose(self, paragraph: Iterable[int]) -> str:
        return " ".join(said.text for said in statements(self.claims[number] for number in paragraph))

    def _row_lines(self, table: Table, not_found: str) -> Iterable[str]:
        for row, cells in zip(table.rows, table.cells, strict=True):
            values = (not_found if number is None else self.claims[number].text for number in cells)
            yield f"{row}: " + "; ".join(f"{name}: {value}" for name, value in zip(table.columns, values, strict=True))

    def _table(self, planned: PlannedSection, cells: Cells) -> Table | None:
        if planned.grid is None:
            return None
        rows, columns = planned.grid.rows, planned.grid.columns
        numbers = {at: self._numbers([claim])[0] for at, claim in cells.items()}
        filled = tuple(tuple(numbers.get((row, column)) for column in range(len(columns))) for row in range(len(rows)))
        return Table(rows=rows, columns=columns, cells=filled)

    def _numbers(self, claims: Sequence[Claim]) -> tuple[int, ...]:
        """Return the numbers of the claims, checked; one that was made before keeps its number."""
        numbers: dict[int, None] = {}
        for claim in claims_of(Draft("", tuple(claims)), self._web):
            number = self._known.setdefault(_saying(claim), len(self.claims))
            if number == len(self.claims):
                self.claims.append(claim)
            numbers[number] = None
        return tuple(numbers)


def _saying(claim: Claim) -> tuple[str, ...]:
    """Return what makes two claims one: a page that was fetched twice says the same twice."""
    return (claim.text, claim.quote.url, claim.quote.text) if claim.quote else (claim.text, claim.problem)


def _adds_nothing(section: Section, other: Section) -> bool:
    """Say whether all that `section` has to tell stands in `other`."""
    tells_more = section.table or section.conflicts or section.stop_reason is not StopReason.ANSWERED
    return not tells_more and set(section.numbers) <= set(other.numbers)
