"""HTML: one file that holds all it needs, loads nothing and runs nothing.

Every text is escaped; a Content-Security-Policy forbids even what a hole in that could ask for, and allows the one
style sheet by its hash.
"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import ClassVar

from webfarer.agents.outline import Block, Heading, Prose, Quoted, Reference, Remark, Rows, Said, Sides, outline
from webfarer.agents.rendering import clean, safe_link
from webfarer.agents.reports import Report
from webfarer.core.text import is_chinese

_STYLE = """
body { font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
h1, h2 { line-height: 1.25 } h2 { margin-top: 2.5rem }
blockquote { margin: .3rem 0 .3rem 1rem; padding-left: .8rem; border-left: 3px solid #ccc; color: #555 }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
.remark { color: #555; font-size: .9rem } .grave, .problem { color: #8a3b00; font-weight: 600 }
p, td, blockquote { overflow-wrap: anywhere }
@media (prefers-color-scheme: dark) {
  body { background: #16181b; color: #e6e6e6 } a { color: #8ab4f8 } .remark, blockquote { color: #aaa }
  .grave, .problem { color: #ffb27a } th, td, blockquote { border-color: #444 }
}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


class Html:
    """Renders HTML."""

    suffix: ClassVar[str] = ".html"
    needs: ClassVar[str] = ""

    def render(self, report: Report) -> bytes:
        """Return the file."""
        language = "zh" if is_chinese(report.question) else "en"
        lines = [
            "<!doctype html>",
            f'<html lang="{language}"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">',
            '<meta name="referrer" content="no-referrer">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(report.plan.title)}</title>",
            f"<style>{_STYLE}</style></head>",
            "<body><main>",
            *map(_block, outline(report)),
            "</main></body></html>\n",
        ]
        return "\n".join(lines).encode()


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{_text(text)}</h{level}>"
        case Remark(text, grave):
            return f'<p class="remark{" grave" if grave else ""}">{_text(text)}</p>'
        case Prose(said, quotes):
            return "\n".join([f"<p>{' '.join(map(_said, said))}</p>", *map(_quoted, quotes)])
        case Rows(header, rows, quotes):
            head = "".join(f'<th scope="col">{_text(name)}</th>' for name in header)
            body = "".join(
                f'<tr><th scope="row">{_text(name)}</th>{"".join(f"<td>{_said(cell)}</td>" for cell in cells)}</tr>\n'
                for name, cells in rows
            )
            table = f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>"
            return "\n".join([table, *map(_quoted, quotes)])
        case Sides(about, quotes):
            return "\n".join([f'<p class="grave">{_text(about)}</p>', *map(_quoted, quotes)])
        case Reference(number, title, date, place, url):
            link = escape(safe_link(url))
            name = f'<a href="{link}" rel="noopener noreferrer nofollow">{_text(title)}</a>' if link else _text(title)
            return f'<p id="source-{number}">[{number}] {name} {_text(date)} <small>{_text(place)}</small></p>'


def _said(said: Said) -> str:
    problem = f'<span class="problem">({_text(said.problem)})</span>' if said.problem else ""
    return " ".join(part for part in (_text(said.text), _marks(said.sources), problem) if part)


def _quoted(quote: Quoted) -> str:
    date = f" ({_text(quote.date)})" if quote.date else ""
    return f"<blockquote>{_marks([quote.source])} “{_text(quote.text)}”{date}</blockquote>"


def _marks(numbers: Iterable[int]) -> str:
    return "".join(f'<a href="#source-{number}">[{number}]</a>' for number in numbers)


def _text(text: str) -> str:
    return escape(clean(text))


renderer = Html()
