"""A report card as one static page: tables, figures, and every question with what came of it.

Loads nothing and runs nothing (:mod:`webfarer.evals.sheet`); whatever came from questions or models is escaped. The
tables are those of :func:`webfarer.evals.card.tables`.
"""

from collections.abc import Iterable, Sequence
from html import escape

from webfarer.evals._card_tables import READING, interval, plain, some, tables
from webfarer.evals._card_types import Card, Entry, Line
from webfarer.evals.plots import Look, figures, look
from webfarer.evals.sheet import document, grid, notes, table
from webfarer.evals.statistics import Estimate


def page(card: Card) -> str:
    """Return the page."""
    shown, looks = tables(card), look(card)
    results = shown.pop("Results", [])
    heated = {f"Accuracy by {key}" for entry in card.entries for key in entry.cells}
    rest = [(title, rows) for title, rows in shown.items() if title not in heated]
    parts = [
        "<h1>Report card</h1>",
        f'<p class="soft">{_e(_about(card))}</p>',
        notes(card.notes),
        "<h2>Results</h2>",
        table(results, [_chip(*looks[str(row["system"])]) for row in results]),
        *(f'<p class="soft">{_e(text)}</p>' for text in READING),
        *(f"<figure><figcaption>{_e(title)}</figcaption>{svg}</figure>" for title, svg in figures(card)),
        *_heat(card.entries),
        *(f"<h2>{_e(title)}</h2>{table(rows)}" for title, rows in rest),
        *_unfinished(card.entries),
        *_questions(card, looks),
    ]
    return document(f"Report card: {_about(card)}", parts)


def _about(card: Card) -> str:
    """Return in one line which questions, in which settings, and when."""
    titles = sorted({entry.title for entry in card.entries})
    settings = sorted({entry.setting for entry in card.entries})
    days = sorted({began[:10] for at in card.circumstances for began in at.started})
    when = " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))
    said = [", ".join(titles), f"setting {', '.join(settings)}", f"{len(card.lines)} questions"]
    return "; ".join([*said, *([when] if when else [])])


def _chip(number: int, hue: str) -> str:
    """Return an entry's number on its color, as the figures have it."""
    return f'<span class="chip" style="background:{hue}">{number}</span>'


def _heat(entries: Sequence[Entry]) -> Iterable[str]:
    """Yield a table for each key of the cells; the higher the accuracy, the stronger the color."""
    for key in dict.fromkeys(key for entry in entries for key in entry.cells):
        values = dict.fromkeys(cell.value for entry in entries for cell in entry.cells.get(key, ()))
        head = "".join(f"<th>{_e(value)}</th>" for value in values)
        lines = []
        for entry in entries:
            cells = {cell.value: cell.accuracy for cell in entry.cells.get(key, ())}
            shown = "".join(_warm(cells[value]) if value in cells else "<td>–</td>" for value in values)
            lines.append(f'<td class="short">{_e(entry.name)}</td>{shown}')
        yield f"<h2>Accuracy by {_e(key)}</h2>{grid(f'<th>system</th>{head}', lines)}"


def _warm(accuracy: Estimate) -> str:
    small = f"<small>{interval(accuracy)}, n {accuracy.items}</small>"
    return (
        f'<td class="warm" style="background:rgba(var(--heat),{0.7 * accuracy.mean:.2f})">{plain(accuracy)}{small}</td>'
    )


def _unfinished(entries: Sequence[Entry]) -> Iterable[str]:
    listed = [f"<li>{_e(entry.name)}: {_e(some(entry.unfinished))}</li>" for entry in entries if entry.unfinished]
    if listed:
        yield f"<h2>Not finished</h2><ul>{''.join(listed)}</ul>"


def _questions(card: Card, looks: Look) -> Iterable[str]:
    """Yield the questions one by one, a column for each entry."""
    head = "".join(f'<th title="{_e(name)}">{_chip(*chip)}</th>' for name, chip in looks.items())
    lines = (_question(line, card.entries) for line in card.lines)
    shown = grid(f"<th>question</th>{head}", lines)
    yield f"<details><summary>{len(card.lines)} questions one by one</summary>{shown}</details>"


def _question(line: Line, entries: Sequence[Entry]) -> str:
    about = ", ".join([line.item, *(value for value in line.cells.values() if value)])
    marks = "".join(_mark(line, entry) for entry in entries)
    return f"<td>{_e(line.question)}<small>{_e(about)}</small></td>{marks}"


def _mark(line: Line, entry: Entry) -> str:
    right = line.right.get(entry.name) if line.task == entry.title else None
    if right is None:
        return '<td class="mark"></td>'
    kind, sign = ("no", "✗") if right == 0 else ("yes", "✓") if right == entry.runs else ("some", "")
    return f'<td class="mark {kind}">{sign or f"{right}/{entry.runs}"}</td>'


def _e(text: str) -> str:
    return escape(text)
