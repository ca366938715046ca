"""Word documents, by python-docx: text, tables, and links to the sources; no field, macro or remote picture.

python-docx escapes every text it is given. It comes with the extra `docs` and is imported only when a file is made.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any, ClassVar

from webfarer.agents.outline import Block, Heading, Prose, Quoted, Reference, Remark, Rows, Said, Sides, outline
from webfarer.agents.rendering import clean, safe_link
from webfarer.agents.reports import Report

_LINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_LONGEST_PROPERTY = 255  # of a core property, by the format


class Docx:
    """Renders .docx files."""

    suffix: ClassVar[str] = ".docx"
    needs: ClassVar[str] = "docx"

    def render(self, report: Report) -> bytes:
        """Return the file."""
        from docx import Document

        document = Document()
        document.core_properties.title = clean(report.plan.title)[:_LONGEST_PROPERTY]
        document.core_properties.author = "webfarer"
        for block in outline(report):
            _add(document, block)
        file = BytesIO()
        document.save(file)
        return file.getvalue()


def _add(document: Any, block: Block) -> None:
    match block:
        case Heading(level, text):
            document.add_heading(clean(text), level - 1)
        case Remark(text, grave):
            run = document.add_paragraph().add_run(clean(text))
            run.bold, run.italic = grave, not grave
        case Prose(said, quotes):
            paragraph = document.add_paragraph()
            for each in said:
                _say(paragraph, each)
            _quote(document, quotes)
        case Rows(header, rows, quotes):
            _table(document, header, rows)
            _quote(document, quotes)
        case Sides(about, quotes):
            document.add_paragraph().add_run(clean(about)).bold = True
            _quote(document, quotes)
        case Reference():
            _refer(document, block)


def _say(paragraph: Any, said: Said) -> None:
    paragraph.add_run(f"{clean(said.text)} {_marks(said.sources)} ")
    if said.problem:
        paragraph.add_run(f"({clean(said.problem)}) ").bold = True


def _quote(document: Any, quotes: Iterable[Quoted]) -> None:
    for quote in quotes:
        date = f" ({clean(quote.date)})" if quote.date else ""
        document.add_paragraph(f"{_marks([quote.source])} “{clean(quote.text)}”{date}", style="Intense Quote")


def _table(document: Any, header: tuple[str, ...], rows: Iterable[tuple[str, tuple[Said, ...]]]) -> None:
    table = document.add_table(rows=1, cols=len(header), style="Table Grid")
    for cell, name in zip(table.rows[0].cells, header, strict=True):
        cell.text = clean(name)
    for name, cells in rows:
        first, *others = table.add_row().cells
        first.text = clean(name)
        for cell, said in zip(others, cells, strict=True):
            _say(cell.paragraphs[0], said)


def _refer(document: Any, source: Reference) -> None:
    paragraph = document.add_paragraph(f"[{source.number}] ")
    link = safe_link(source.url)
    if link:
        _link(paragraph, clean(source.title), link)
    else:
        paragraph.add_run(clean(source.title))
    paragraph.add_run(f" {clean(source.date)} {clean(source.place)}")


def _link(paragraph: Any, text: str, url: str) -> None:
    """Add a link, for which python-docx has no call of its own."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(url, _LINK, is_external=True))
    link.append(paragraph.add_run(text)._r)
    paragraph._p.append(link)


def _marks(numbers: Iterable[int]) -> str:
    return "".join(f"[{number}]" for number in numbers)


renderer = Docx()
