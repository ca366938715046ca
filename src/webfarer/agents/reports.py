"""What a report is: an answer that also has a plan, sections and tables.

Statements are the answer's claims, and everything else names them by number, as conflicts do; so the whole report was
checked when its claims were. What was not found is said: a section without statements, a cell without a claim. Not
how it looks (:mod:`webfarer.agents.rendering`).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from webfarer.agents.plans import Plan
from webfarer.core.errors import TraceError
from webfarer.core.trace import Event
from webfarer.core.types import Answer, Claim, Conflict, Source, StopReason


class Clarification(BaseModel):
    """What was unclear about the question.

    Attributes:
        question: what was asked back.
        answer: what the person said; "" when nobody did.
        assumption: what the report assumes without an answer.
    """

    model_config = ConfigDict(frozen=True)

    question: str
    answer: str = ""
    assumption: str = ""


class Table(BaseModel):
    """A table as it could be filled.

    Attributes:
        rows: what each row is about, as planned.
        columns: what was to be found out about each.
        cells: for each row and column the number of a claim, or None for "not found".
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]

    @property
    def absent(self) -> tuple[str, ...]:
        """The rows that were asked for and of which nothing was found."""
        return tuple(
            row for row, cells in zip(self.rows, self.cells, strict=True) if all(cell is None for cell in cells)
        )

    @property
    def filled(self) -> int:
        """How many cells were found."""
        return sum(cell is not None for cells in self.cells for cell in cells)


class Section(BaseModel):
    """One section; numbers are those of the report's claims, from 0.

    Attributes:
        title: from the plan.
        question: what it answers.
        also: questions of planned sections that would have said the same again.
        paragraphs: claims, paragraph by paragraph; () when nothing was found.
        table: the table that was planned, or None.
        conflicts: claims that contradict each other.
        stop_reason: how its research ended.
        stop_detail: one line for people.
    """

    model_config = ConfigDict(frozen=True)

    title: str
    question: str
    also: tuple[str, ...] = ()
    paragraphs: tuple[tuple[int, ...], ...] = ()
    table: Table | None = None
    conflicts: tuple[Conflict, ...] = ()
    stop_reason: StopReason
    stop_detail: str = ""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all its claims, each once."""
        cells = self.table.cells if self.table else ()
        groups = (*self.paragraphs, *cells, *(conflict.claims for conflict in self.conflicts))
        return tuple(dict.fromkeys(number for group in groups for number in group if number is not None))


class Report(Answer):
    """A report; as an answer it holds every section's text, claims, sources and conflicts.

    Attributes:
        plan: what it was to hold.
        clarification: what was unclear about the question, or None.
        sections: in the order of the plan.
        model: name of the model that wrote it; "" when none did, and the sections only quote.
    """

    plan: Plan
    clarification: Clarification | None = None
    sections: tuple[Section, ...] = ()
    model: str = ""

    def claims_in(self, section: Section) -> tuple[Claim, ...]:
        """Return the claims of one section."""
        return tuple(self.claims[number] for number in section.numbers)

    def sources_of(self, section: Section) -> tuple[Source, ...]:
        """Return the sources that one section cites."""
        cited = {claim.quote.url for claim in self.claims_in(section) if claim.quote}
        return tuple(source for source in self.sources if source.url in cited)


class Statement(NamedTuple):
    """A sentence, and the claims that give it its quotes."""

    text: str
    claims: tuple[Claim, ...]


def statements(claims: Iterable[Claim]) -> list[Statement]:
    """Return the sentences that `claims` make: neighbours with the same text are one with several quotes."""
    found: list[Statement] = []
    for claim in claims:
        if found and found[-1].text == claim.text:
            found[-1] = Statement(claim.text, (*found[-1].claims, claim))
        else:
            found.append(Statement(claim.text, (claim,)))
    return found


def read_report(events: Sequence[Event]) -> Report:
    """Return the report that a finished run's trace ends with.

    Raises:
        TraceError: the run has not ended, or made no report.
    """
    if not events or events[0].data.get("kind") != "report":
        raise TraceError("this run made no report")
    if events[-1].type != "end":
        raise TraceError("this run has not ended; go on with: webfarer runs resume")
    return Report.model_validate(events[-1].data["answer"])
