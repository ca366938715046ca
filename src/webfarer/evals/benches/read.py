"""Reading: how much of a page's or a document's text arrives, how much that is none of it, and how fast, beside others.

Recall is the share of the true words, clean the share of the given words that are true (what is missing to 1 is menus,
footers and invention), quotable the share of known passages that can be cited as they stand. The figures of the floors
file hold for every sample of every size; whatever lies below them is named in the headline, and fails the tests.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Row
from webfarer.evals.benches._read_formats import format_rows
from webfarer.evals.benches._read_pages import page_rows

FLOORS = Path(__file__).with_name("_read_floors.toml")
_OURS = "webfarer"


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"pages": 40, "documents": 2}

    sites: Path = Field(Path(".cache/sites"), description="Folder with unpacked documentation; may be missing.")
    pages: int = Field(400, ge=20, description="Pages of each kind.")
    documents: int = Field(10, ge=1, description="Generated documents of each format.")


def bench(options: Options) -> Findings:
    """Read the same pages and documents with every reader that is installed."""
    pages, documents = page_rows(options.sites, options.pages), format_rows(options.sites, options.documents)
    n = sum(row["n"] for row in pages + documents if isinstance(row["n"], int) and row["reader"] == _OURS)
    tables = {"Main text of pages": pages, "Documents": documents}
    return Findings(n, (options.seed,), tables, _headline(pages + documents))


def floors() -> dict[str, dict[str, float]]:
    """Return the least figures that count as reading, by kind of page or format, and by measure."""
    table: dict[str, dict[str, float]] = tomllib.loads(FLOORS.read_text())
    return table


def below_floors(rows: Sequence[Row]) -> list[str]:
    """Say which of our own figures lie below their floor."""
    return [
        f"{kind}: {measure} {figure} < {least}"
        for row in rows
        if row["reader"] == _OURS
        for kind in [str(row.get("pages") or row.get("format"))]
        for measure, least in floors()[kind].items()
        if isinstance(figure := row[measure], float) and figure < least
    ]


def _headline(rows: Sequence[Row]) -> str:
    said = [
        f"{row.get('pages') or row.get('format')}: recall {row['recall']:.3f}, clean {row['clean']:.3f}"
        + (f", {row['per_s']} a second" if row["reader"] == _OURS else "")
        for row in rows
        if row["reader"] == _OURS
    ]
    below = below_floors(rows)
    return f"read: {'; '.join(said)}" + (f". BELOW ITS FLOOR: {', '.join(below)}" if below else "")
