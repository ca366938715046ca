"""Published tables of results, and whether their totals are what their cells come to.

A total is computed from the cells as a report card's is, every question counting once. Where it differs by more than
rounding can explain, the report says by how much; so it does of a cell that is no share of its questions. Figures are
those of the papers, named in each file; nothing is mended.
"""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import BaseModel, ConfigDict, model_validator

from webfarer.core.errors import ConfigError
from webfarer.evals.bench import Row
from webfarer.evals.sheet import listed
from webfarer.evals.statistics import weighted

ROUNDING = 0.15
"""Percentage points: what cells of one decimal and a total that is cut, not rounded, can be off by, with room."""
_CELL_ROUNDING = 0.051


class PublishedRow(BaseModel):
    """A row as printed, in percent.

    Attributes:
        cells: in the order of the table's; () when they are not on file.
        actions: mean steps of right attempts, where given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    system: str
    setting: str
    overall: float
    cells: tuple[float, ...] = ()
    actions: float | None = None


class Published(BaseModel):
    """A published table; `items` says how many questions each cell has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    source: str
    cells: tuple[str, ...]
    items: tuple[int, ...]
    rows: tuple[PublishedRow, ...]

    @model_validator(mode="after")
    def _fits(self) -> "Published":
        if any(len(row.cells) not in (0, len(self.items)) for row in self.rows) or len(self.cells) != len(self.items):
            raise ValueError("every row needs a figure for every cell, or none at all")
        return self

    def overall(self, row: PublishedRow) -> float | None:
        """Return what the cells of a row come to; None when they are not on file."""
        return weighted(zip(row.cells, self.items, strict=True)) if row.cells else None

    def difference(self, row: PublishedRow) -> float:
        """Return computed less printed, 0 where rounding explains it or the cells are not on file."""
        computed = self.overall(row)
        apart = 0.0 if computed is None else computed - row.overall
        return apart if abs(apart) > ROUNDING else 0.0

    def impossible(self, row: PublishedRow) -> list[str]:
        """Return the cells that no whole number of right answers gives."""
        return [
            f"{name} {share:g} % of {count}"
            for name, share, count in zip(self.cells, row.cells, self.items, strict=False)
            if abs(100 * round(share * count / 100) / count - share) > _CELL_ROUNDING
        ]


def names() -> list[str]:
    """Return the names of the tables on file."""
    return sorted(path.name.removesuffix(".toml") for path in _folder().iterdir() if path.name.endswith(".toml"))


def published(name: str) -> Published:
    """Return a published table.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in names():
        raise ConfigError(f"no published table {name!r} is on file; there are: {', '.join(names())}")
    return Published.model_validate(tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8")))


def table(name: str) -> str:
    """Return a published table as markdown, computed totals beside the printed ones.

    Raises:
        ConfigError: there is none of that name.
    """
    found = published(name)
    counts = ", ".join(f"{cell} {count}" for cell, count in zip(found.cells, found.items, strict=True))
    parts = [f"# {found.title}, as published", found.source, f"Questions: {counts}; {sum(found.items)} in all."]
    return "\n\n".join([*parts, listed([_row(found, row) for row in found.rows])])


def _row(found: Published, row: PublishedRow) -> Row:
    computed, apart, impossible = found.overall(row), found.difference(row), found.impossible(row)
    remarks = [
        *([f"differs by {apart:+.2f}"] if apart else []),
        *(f"{cell} is no whole number of them" for cell in impossible),
        *([] if row.cells else ["cells not on file"]),
    ]
    return {
        "system": row.system,
        "setting": row.setting,
        **dict(zip(found.cells, (f"{share:g}" for share in row.cells), strict=False)),
        "printed": f"{row.overall:.2f}",
        "computed": "–" if computed is None else f"{computed:.2f}",
        "actions": "–" if row.actions is None else f"{row.actions:.2f}",
        "remark": "; ".join(remarks) or "agrees",
    }


def _folder() -> Traversable:
    return files("webfarer.evals") / "tables"
