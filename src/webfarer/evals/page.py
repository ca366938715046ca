"""A report card as one static page: tables, figures, and every question with what came of it.

Loads nothing and runs nothing: no script, no font, no image, and a policy in the page that forbids them; whatever came
from questions or models is escaped. Follows the reader's light or dark, and prints. The tables are those of
:func:`webfarer.evals.card.tables`.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from webfarer.evals._card_tables import READING, columns_of, interval, plain, some, tables
from webfarer.evals._card_types import Card, Entry, Line
from webfarer.evals.bench import Row
from webfarer.evals.plots import Look, figures, look
from webfarer.evals.statistics import Estimate

_SHORT = 30
_FIGURE = re.compile(r"[-+–\d]")
_STYLE = """
:root{color-scheme:light dark;--ink:#1c1e21;--soft:#5b6068;--line:#d9dce1;--paper:#fff;--tint:#f4f6f8;--heat:42,140,74}
@media (prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a0a6af;--line:#3a3f47;--paper:#15171b;--tint:#1d2025}
svg{filter:brightness(1.25)}}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.2rem 4rem;max-width:76rem;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{max-width:60rem}
.soft,figcaption{color:var(--soft)}
.notes{border-left:4px solid #d99a1c;background:var(--tint);padding:.6rem 1rem .6rem 2rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}td.figure{text-align:right}
td.figure,td.short{white-space:nowrap}
tbody tr:hover{background:var(--tint)}td small{color:var(--soft);display:block}td.warm small{color:inherit}
figure{margin:1.4rem 0}figcaption{font-weight:600;margin-bottom:.4rem}
svg{width:100%;height:auto;font:11px system-ui,sans-serif;overflow:visible}
svg text{fill:var(--ink)}svg text.on{fill:#fff}
svg [stroke="#d8d8d8"]{stroke:var(--line)}svg [stroke="#333"]{stroke:var(--soft)}
summary{cursor:pointer;font-size:1.15rem;font-weight:600;margin:1.6rem 0 .6rem}
.yes{color:#2a8c4a}.no{color:#c8434e}.some{color:#c08410}td.mark{text-align:center;white-space:nowrap}
.chip{display:inline-block;min-width:1.5em;padding:0 .35em;border-radius:.6em;color:#fff;text-align:center}
@media print{body{max-width:none;padding:0;font-size:11px}figure,tr{break-inside:avoid}summary{break-after:avoid}}
"""


def page(card: Card) -> str:
    """Return the page."""
    shown, looks = tables(card), look(card)
    results = shown.pop("Results", [])
    heated = {f"Accuracy by {key}" for entry in card.entries for key in entry.cells}
    rest = [(title, rows) for title, rows in shown.items() if title not in heated]
    parts = [
        "<h1>Report card</h1>",
        f'<p class="soft">{_e(_about(card))}</p>',
        _notes(card.notes),
        "<h2>Results</h2>",
        _table(results, looks),
        *(f'<p class="soft">{_e(text)}</p>' for text in READING),
        *(f"<figure><figcaption>{_e(title)}</figcaption>{svg}</figure>" for title, svg in figures(card)),
        *_heat(card.entries),
        *(f"<h2>{_e(title)}</h2>{_table(rows)}" for title, rows in rest),
        *_unfinished(card.entries),
        *_questions(card, looks),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Report card: {_e(_about(card))}</title><style>{_STYLE}</style></head>\n<body>\n"
    )
    return head + "\n".join(part for part in parts if part) + "\n</body></html>\n"


def _about(card: Card) -> str:
    """Return in one line which questions, in which settings, and when."""
    titles = sorted({entry.title for entry in card.entries})
    settings = sorted({entry.setting for entry in card.entries})
    days = sorted({began[:10] for at in card.circumstances for began in at.started})
    when = " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))
    said = [", ".join(titles), f"setting {', '.join(settings)}", f"{len(card.lines)} questions"]
    return "; ".join([*said, *([when] if when else [])])


def _notes(notes: Sequence[str]) -> str:
    return f'<ul class="notes">{"".join(f"<li>{_e(note)}</li>" for note in notes)}</ul>' if notes else ""


def _table(rows: Sequence[Row], looks: Look | None = None) -> str:
    """Return a table; with `looks` a column before the others shows numbers and colors of the entries."""
    columns = columns_of(rows)
    chips = [_chip(*looks[str(row["system"])]) for row in rows] if looks else []
    head = "".join(f"<th>{_e(name)}</th>" for name in columns)
    lines = ["".join(_cell(row.get(name, "–")) for name in columns) for row in rows]
    if looks:
        head, lines = f"<th></th>{head}", [f"<td>{chip}</td>{line}" for chip, line in zip(chips, lines, strict=True)]
    return _grid(head, lines)


def _grid(head: str, lines: Iterable[str]) -> str:
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: object) -> str:
    text = str(value)
    if len(text) > _SHORT:
        return f"<td>{_e(text)}</td>"
    return f'<td class="{"figure" if _FIGURE.match(text) else "short"}">{_e(text)}</td>'


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
        yield f"<h2>Accuracy by {_e(key)}</h2>{_grid(f'<th>system</th>{head}', lines)}"


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
    head = "".join(f'<th title="{_e(name)}">{_chip(*shown)}</th>' for name, shown in looks.items())
    lines = (_question(line, card.entries) for line in card.lines)
    grid = _grid(f"<th>question</th>{head}", lines)
    yield f"<details><summary>{len(card.lines)} questions one by one</summary>{grid}</details>"


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
