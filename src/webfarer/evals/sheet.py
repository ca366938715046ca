"""Rows of figures as a table of markdown, and as one static HTML page.

The page loads nothing and runs nothing: no script, no font, no image, and a policy in it that forbids them; whatever
stands in a cell is escaped. It follows the reader's light or dark, and prints. Not a place for figures: whoever calls
computes them.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from webfarer.evals.bench import Row

_SHORT = 30
_FIGURE = re.compile(r"[-+–\d]")
_TINY = 0.0001
_SIGNS = re.compile(r"[\\|*`<>\[\]~]|\b_|_\b")  # an underscore within a word is none
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


def document(title: str, parts: Iterable[str]) -> str:
    """Return a page of HTML; `parts` are its body, the empty ones left out."""
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
    )
    return head + "\n".join(part for part in parts if part) + "\n</body></html>\n"


def notes(texts: Sequence[str]) -> str:
    """Return what the reader has to know first, as HTML; "" for nothing."""
    return f'<ul class="notes">{"".join(f"<li>{escape(text)}</li>" for text in texts)}</ul>' if texts else ""


def table(rows: Sequence[Row], before: Sequence[str] = ()) -> str:
    """Return rows as a table of HTML; `before` is the HTML of a first column without a name."""
    columns = columns_of(rows)
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    lines = ["".join(_cell(str(row.get(name, "–"))) for name in columns) for row in rows]
    if before:
        head, lines = f"<th></th>{head}", [f"<td>{first}</td>{line}" for first, line in zip(before, lines, strict=True)]
    return grid(head, lines)


def grid(head: str, lines: Iterable[str]) -> str:
    """Return a table of HTML made of cells."""
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(text: str) -> str:
    if len(text) > _SHORT:
        return f"<td>{escape(text)}</td>"
    return f'<td class="{"figure" if _FIGURE.match(text) else "short"}">{escape(text)}</td>'


def listed(rows: Sequence[Row]) -> str:
    """Return rows as a table of markdown; a column is any name that one of them has."""
    columns = columns_of(rows)
    body = [[escaped(str(row.get(name, "–"))) for name in columns] for row in rows]
    lines = [map(escaped, columns), ("---" for _ in columns), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the names of all columns, in the order of their first use."""
    return list(dict.fromkeys(name for row in rows for name in row))


def number(value: float) -> str:
    """Return a figure with three digits that count; of a large one, all before the point."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= _TINY else "<0.0001"


def escaped(text: str) -> str:
    """Return a text that stays in its cell of markdown and is no markup."""
    return _SIGNS.sub(r"\\\g<0>", " ".join(text.split()))
