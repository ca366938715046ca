"""Markdown (CommonMark with tables), with everything that could be markup in a text escaped.

What looks like an address is shown as code, because many viewers make links of bare addresses.
"""

import re
from collections.abc import Iterable
from typing import ClassVar

from webfarer.agents.outline import Block, Heading, Prose, Quoted, Reference, Remark, Rows, Said, Sides, outline
from webfarer.agents.rendering import clean, safe_link
from webfarer.agents.reports import Report

_TOKEN = re.compile(r"([\s|]+)")
_ADDRESS = re.compile(r"[a-z]:\S|//\w|\w@\w|\w\.[a-z]{2}", re.IGNORECASE)  # bare hosts too: some viewers link them
_SIGN = re.compile(r"([\\`*_~\[\]|#${}])")
_LIST_MARK = re.compile(r"^(\d*)([-+.)])")
_TICKS = re.compile("`+")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class Markdown:
    """Renders Markdown."""

    suffix: ClassVar[str] = ".md"
    needs: ClassVar[str] = ""

    def render(self, report: Report) -> bytes:
        """Return the file."""
        return "\n\n".join(map(_block, outline(report))).encode() + b"\n"


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {_escaped(text)}"
        case Remark(text, grave):
            return f"**{_escaped(text)}**" if grave else f"*{_escaped(text)}*"
        case Prose(said, quotes):
            text = _LIST_MARK.sub(r"\1\\\2", " ".join(map(_said, said)))
            return "\n\n".join([text, *map(_quoted, quotes)])
        case Rows(header, rows, quotes):
            lines = [_row(map(_escaped, header)), _row("---" for _ in header)]
            lines += [_row([_escaped(name), *map(_said, cells)]) for name, cells in rows]
            return "\n\n".join(["\n".join(lines), *map(_quoted, quotes)])
        case Sides(about, quotes):
            return "\n\n".join([f"**{_escaped(about)}**", *map(_quoted, quotes)])
        case Reference(number, title, date, place, url):
            link = safe_link(url)
            name = f"[{_escaped(title)}](<{link}>)" if link else _escaped(title)
            return " ".join(
                part for part in (f"- {_marks([number])}", name, _escaped(date), _code(clean(place))) if part
            )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _said(said: Said) -> str:
    problem = f"**({_escaped(said.problem)})**" if said.problem else ""
    return " ".join(part for part in (_escaped(said.text), _marks(said.sources), problem) if part)


def _quoted(quote: Quoted) -> str:
    date = f" ({_escaped(quote.date)})" if quote.date else ""
    return f"> {_marks([quote.source])} “{_escaped(quote.text)}”{date}"


def _marks(numbers: Iterable[int]) -> str:
    return "".join(f"\\[{number}\\]" for number in numbers)


def _escaped(text: str) -> str:
    """Return `text` such that it is shown as it is and does nothing."""
    return "".join(_code(piece) if _ADDRESS.search(piece) else _plain(piece) for piece in _TOKEN.split(clean(text)))


def _plain(text: str) -> str:
    return _SIGN.sub(r"\\\1", text.translate(_ENTITIES))


def _code(text: str) -> str:
    fence = "`" * (1 + max(map(len, _TICKS.findall(text)), default=0))
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


renderer = Markdown()
