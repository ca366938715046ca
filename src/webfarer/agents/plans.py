"""A report's plan: its sections, each a question, with or without a table; and the text in which a person edits it.

The text is `# title`, then for each section `## title`, `Question: …` and, for a table, `Rows: a; b` and `Columns: …`.
:func:`read_plan` reads back what :func:`as_text` writes. Not how a plan is made (:mod:`webfarer.agents.planning`).
"""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from webfarer.core.text import words

_FIELD = re.compile(r"(question|rows|columns|问题|行|列)\s*[:：]\s*(.*)", re.IGNORECASE)
_FIELDS = {"问题": "question", "行": "rows", "列": "columns"}
_BETWEEN = re.compile(r"[;；]")


def _line(text: str) -> str:
    return " ".join(text.split())


def _title(text: str) -> str:
    return _line(text).lstrip("# ")


Line = Annotated[str, AfterValidator(_line)]
"""Text on one line."""
Title = Annotated[str, AfterValidator(_title)]
"""Text on one line that begins with no mark of a heading."""


class Grid(BaseModel):
    """A table that is asked for.

    Attributes:
        rows: what each row is about; every one is asked for.
        columns: what is to be found out about each.
    """

    model_config = ConfigDict(frozen=True)

    rows: tuple[str, ...]
    columns: tuple[str, ...]


class PlannedSection(BaseModel):
    """One section: a title, the question it answers, and its table, if any."""

    model_config = ConfigDict(frozen=True)

    title: Title
    question: Line
    grid: Grid | None = None


class Plan(BaseModel):
    """What a report is to hold, in order."""

    model_config = ConfigDict(frozen=True)

    title: Title
    sections: tuple[PlannedSection, ...]


def section_of(title: str, question: str, rows: Sequence[str], columns: Sequence[str]) -> PlannedSection | None:
    """Return the section; None without title and question, and a table only with rows and columns."""
    title, question = _title(title), _line(question)
    if not (title or question):
        return None
    names = [tuple(dict.fromkeys(filter(None, map(_name, given)))) for given in (rows, columns)]
    grid = Grid(rows=names[0], columns=names[1]) if all(names) else None
    return PlannedSection(title=title or question, question=question or title, grid=grid)


def _name(text: str) -> str:
    """Return a name as it can stand in a list that semicolons divide."""
    return " ".join(_BETWEEN.sub(",", text).split())


def as_text(plan: Plan) -> str:
    """Return the plan as text that a person can read and edit."""
    lines = [f"# {plan.title}"]
    for section in plan.sections:
        lines += ["", f"## {section.title}", f"Question: {section.question}"]
        if section.grid:
            lines += [f"Rows: {'; '.join(section.grid.rows)}", f"Columns: {'; '.join(section.grid.columns)}"]
    return "\n".join(lines)


def read_plan(text: str, title: str = "") -> Plan | None:
    """Return the plan that `text` holds, None when it holds no section; `title` stands in for one left out."""
    found: list[tuple[str, dict[str, str]]] = []
    for line in (raw.strip() for raw in text.splitlines()):
        if line.startswith("##"):
            found.append((line.lstrip("# "), {}))
        elif line.startswith("#"):
            title = line.lstrip("# ") or title
        elif line and found:
            field = _FIELD.match(line)
            name = field[1].lower() if field else "question"
            given = found[-1][1]
            name = _FIELDS.get(name, name)
            given[name] = f"{given.get(name, '')} {field[2] if field else line}".strip()
    sections = [
        section_of(
            name, given.get("question", ""), *(_BETWEEN.split(given.get(part, "")) for part in ("rows", "columns"))
        )
        for name, given in found
    ]
    kept = tuple(section for section in sections if section)
    return Plan(title=title or kept[0].title, sections=kept) if kept else None


def merged(plan: Plan) -> Plan:
    """Return the plan with sections that ask the same made one; tables of the same columns are joined."""
    kept: list[PlannedSection] = []
    for section in plan.sections:
        number = next((n for n, other in enumerate(kept) if _same(section, other)), None)
        if number is None:
            kept.append(section)
            continue
        grids = [grid for grid in (kept[number].grid, section.grid) if grid]
        if grids:
            rows = tuple(dict.fromkeys(row for grid in grids for row in grid.rows))
            kept[number] = kept[number].model_copy(update={"grid": Grid(rows=rows, columns=grids[0].columns)})
    return plan.model_copy(update={"sections": tuple(kept)})


def _same(one: PlannedSection, other: PlannedSection) -> bool:
    """Say whether two sections ask the same, up to the forms and order of words."""
    if one.grid and other.grid and one.grid.columns != other.grid.columns:
        return False
    terms = [set(words(section.question)) or {section.question} for section in (one, other)]
    return terms[0] == terms[1]
