"""The report card: what runs of an evaluation come to, quality beside cost, rebuilt from their folders alone.

Not a run, and not a judge: it counts what traces hold. Missing and failed attempts stay in every denominator. Folders
that differ only in their shard are one run; all others stand beside each other. Whatever the clock or the machine
decides is kept apart, so that all else is the same whenever the same thing is run.
"""

from collections.abc import Sequence

from webfarer.evals._card_beside import curves, lines, names, notes, pairs
from webfarer.evals._card_figures import circumstances, entry
from webfarer.evals._card_reading import read
from webfarer.evals._card_tables import markdown, tables
from webfarer.evals._card_types import Card
from webfarer.evals.records import Folder

__all__ = ["Card", "card", "markdown", "tables"]


def card(folders: Sequence[Folder]) -> Card:
    """Return the report card of one or more runs.

    Raises:
        ConfigError: a folder cannot be read, or holds a run of another version of the format.
        TraceError: a trace in one is damaged.
    """
    runs = read(folders)
    named = names([run.plan for run in runs])
    entries = tuple(entry(run, name) for run, name in zip(runs, named, strict=True))
    return Card(
        entries=entries,
        pairs=pairs(entries, runs),
        curves=curves(entries),
        lines=lines(entries, runs),
        notes=notes(entries),
        circumstances=tuple(circumstances(run, name) for run, name in zip(runs, named, strict=True)),
    )
