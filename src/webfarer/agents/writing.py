"""From what was found for a section to its statements and its table's cells, each with a quote or none.

A model writes from numbered evidence alone, and what it writes is taken apart again into statements with the quotes
they cite. What cites nothing at all is no section: a text without evidence was made up. Without a model a section is
what the searching agent quoted, and a cell is the best find that is about its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from webfarer.agents.asker import Asker, Part, Prompt, Text
from webfarer.agents.citing import CITING, draft_of
from webfarer.agents.dance import Dance
from webfarer.agents.plans import Grid
from webfarer.agents.reading import Reader, note_of
from webfarer.agents.research import Findings
from webfarer.agents.views import evidence_lines
from webfarer.core.errors import BudgetExceeded
from webfarer.core.run import Run
from webfarer.core.text import words
from webfarer.core.types import Claim, Conflict, Page

Cells = dict[tuple[int, int], Claim]
"""The cells that were found, by row and column from 0."""

_EVIDENCE_CHARS = 12_000
_FITTING = 0.6  # share of the words of a question that a find without a model must cover
_SURE = 0.7  # share of the words of row and column that a find without a model must cover
_WRITE = Prompt(
    "write",
    "You write one section of a report from evidence that was gathered on the web.",
    "Write the section that answers the question: one to four paragraphs with an empty line between them, in the "
    "language of the question; no heading, no list, no table, no links. Rely on the evidence alone, not on what you "
    f"know. {CITING}\n"
    'Reply with one JSON object and nothing else: {"text": "…"}. When the evidence answers no part: text is "".',
)
_FILL = Prompt(
    "fill",
    "You fill a table from evidence that was gathered on the web.",
    "For every cell that the evidence states, give the numbers of its row and column, the value, as short as it can "
    "be, and the number of the evidence that states it. Leave out the cells that no evidence states; never guess.\n"
    'Reply with one JSON object and nothing else: {"cells": [{"row": 1, "column": 1, "value": "…", "evidence": 3}]}.',
)


class _Written(BaseModel):
    text: Text = ""


class _Cell(BaseModel):
    row: int
    column: int
    value: Text = ""
    evidence: int


class _Filled(BaseModel):
    cells: list[_Cell] = []


@dataclass(frozen=True, slots=True)
class Prose:
    """Statements by paragraph, and those that contradict each other by what they disagree on; nothing checked yet."""

    paragraphs: tuple[tuple[Claim, ...], ...] = ()
    conflicts: tuple[tuple[str, tuple[Claim, ...]], ...] = ()

    @property
    def cites(self) -> bool:
        """Say whether anything of it has a quote."""
        return any(claim.quote for paragraph in self.paragraphs for claim in paragraph)


class Writer:
    """Writes sections with the means of `run`; `asker` is None without a model."""

    def __init__(self, run: Run, asker: Asker | None) -> None:
        self.run, self._asker = run, asker

    async def prose(self, question: str, found: Findings) -> Prose:
        """Return the section's text; empty when there is no evidence for any of it."""
        said = await self._write(question, found.dance) if self._asker else None
        written = _paragraphs(said, found.dance) if said else None
        prose = written if written and written.cites else _as_answered(found)
        if self._asker is None and not prose.cites:
            prose = _as_quoted(question, found.dance.pages)
        if prose.cites:
            return prose
        if made_up := [claim.text for paragraph in prose.paragraphs for claim in paragraph]:
            self.run.trace.emit("text_dropped", text=" ".join(made_up), why="it cites no evidence")
        return Prose()

    async def cells(self, question: str, grid: Grid, dance: Dance) -> Cells:
        """Return the cells that what was found states."""
        if self._asker is None:
            return _quoted_cells(grid, dance.pages)
        return await self._fill(question, grid, dance, self._asker) if dance.evidence else {}

    async def _write(self, question: str, dance: Dance) -> str | None:
        """Return what the model writes; None when there is nothing to write from, no means, or the model failed."""
        if self._asker is None or not dance.evidence:
            return None
        try:
            said = await self._asker.ask(_WRITE, _Written, question, lambda share: [_evidence(dance, share)])
        except BudgetExceeded:
            return None
        return said.text if said else None

    async def _fill(self, question: str, grid: Grid, dance: Dance, asker: Asker) -> Cells:
        rows, columns = (_numbered(names) for names in (grid.rows, grid.columns))
        asked = f"{question}\nThe table's rows:\n{rows}\nIts columns:\n{columns}"
        try:
            said = await asker.ask(_FILL, _Filled, asked, lambda share: [_evidence(dance, share)])
        except BudgetExceeded:
            return {}
        cells: Cells = {}
        for cell in said.cells if said else []:
            at, value = (cell.row - 1, cell.column - 1), " ".join(cell.value.split())
            inside = 0 <= at[0] < len(grid.rows) and 0 <= at[1] < len(grid.columns)
            if not inside or not value or not 0 < cell.evidence <= len(dance.evidence):
                self.run.trace.emit("cell_dropped", **cell.model_dump(), why="no such cell, value or evidence")
                continue
            cells.setdefault(at, Claim(text=value, quote=dance.evidence[cell.evidence - 1]))
        return cells


def _evidence(dance: Dance, share: float) -> Part:
    return Part("The evidence:", "evidence", evidence_lines(dance, int(_EVIDENCE_CHARS * share)))


def _numbered(names: Sequence[str]) -> str:
    return "\n".join(f"{number}. {name}" for number, name in enumerate(names, 1))


def _paragraphs(text: str, dance: Dance) -> Prose:
    """Return the statements of each paragraph with the quotes they cite."""
    paragraphs: list[tuple[Claim, ...]] = []
    conflicts: list[tuple[str, tuple[Claim, ...]]] = []
    for block in text.split("\n\n"):
        draft = draft_of(block, dance.evidence)
        paragraph, opposed = _parted(draft.claims, draft.conflicts)
        paragraphs += [paragraph] if paragraph else []
        conflicts += opposed
    return Prose(tuple(paragraphs), tuple(conflicts))


def _as_answered(found: Findings) -> Prose:
    """Return the searching agent's own answer as one paragraph."""
    paragraph, conflicts = _parted(found.answer.claims, found.answer.conflicts)
    return Prose((paragraph,) if paragraph else (), tuple(conflicts))


def _as_quoted(question: str, pages: Mapping[str, Page]) -> Prose:
    """Return what fits the question best on the pages, when it fits well enough."""
    reader = Reader(question)
    for page in pages.values():
        reader.read(page)
    draft = reader.draft(_FITTING)
    return Prose((draft.claims,)) if draft else Prose()


def _parted(
    claims: Sequence[Claim], conflicts: Sequence[Conflict]
) -> tuple[tuple[Claim, ...], list[tuple[str, tuple[Claim, ...]]]]:
    """Return the claims that state something, and the sides of each conflict."""
    sides = {number for conflict in conflicts for number in conflict.claims}
    stated = tuple(claim for number, claim in enumerate(claims) if number not in sides)
    return stated, [(c.about, tuple(claims[number] for number in c.claims)) for c in conflicts]


def _quoted_cells(grid: Grid, pages: Mapping[str, Page]) -> Cells:
    """Return for each cell the best find on the pages that has every word of its row and most of its column."""
    cells: Cells = {}
    for column, asked in enumerate(grid.columns):
        for row, name in enumerate(grid.rows):
            reader = Reader(f"{asked} {name}")
            for page in pages.values():
                reader.read(page)
            for find in reader.finds(0, most=len(pages)):
                held = find.unit.heading | set(words(find.unit.text))
                if find.score >= _SURE and held.issuperset(words(name)):
                    note = note_of(find.unit)
                    cells[row, column] = Claim(text=note.text, quote=note.quote)
                    break
    return cells
