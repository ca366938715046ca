"""Writes small PDF and office files whose text is known, byte by byte, so that reading them can be judged.

Only what a reader must understand is written; a word processor would add more. Not a library for making documents.
Source: ISO 32000-1 (PDF 1.4 syntax); ECMA-376 part 1 (WordprocessingML, SpreadsheetML).
"""

import io
import textwrap
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 80  # characters a line
_LEFT, _TOP, _STEP, _SIZE = 60, 760, 14, 11
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_S = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


@dataclass(frozen=True, slots=True)
class Draft:
    """What a document is to say.

    Attributes:
        title: for its properties.
        date: ISO 8601, for its properties.
        paragraphs: of text; one a page in PDF every `per_page`.
        table: rows of equal length, after the text.
        link: (text, URL) at the end.
        per_page: paragraphs on one page of a PDF.
    """

    title: str = "Title"
    date: str = "2024-02-29"
    paragraphs: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()
    link: tuple[str, str] | None = None
    per_page: int = 6


def make_pdf(draft: Draft) -> bytes:
    """Return a PDF with wrapped lines of Helvetica, ASCII only."""
    texts = [draft.paragraphs[at : at + draft.per_page] for at in range(0, len(draft.paragraphs), draft.per_page)] or [
        ()
    ]
    objects: list[bytes] = [b"", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for number, paragraphs in enumerate(texts):
        lines = [line for paragraph in paragraphs for line in [*textwrap.wrap(paragraph, _WIDTH), ""]]
        last = number == len(texts) - 1
        if last:
            lines += ["   ".join(row) for row in draft.table]
        annotation = b""
        if last and draft.link:
            lines.append(draft.link[0])
            low = _TOP - _STEP * (len(lines) - 1) - 4
            box = f"{_LEFT - 1} {low} {_LEFT + 7 * len(draft.link[0])} {low + _STEP}"
            action = f"/A << /S /URI /URI ({draft.link[1]}) >>"
            annotation = f"/Annots [<< /Type /Annot /Subtype /Link /Rect [{box}] {action} >>]".encode()
        shown = "".join(f"({_pdf_escaped(line)}) Tj 0 -{_STEP} Td\n" for line in lines)
        stream = f"BT /F1 {_SIZE} Tf {_LEFT} {_TOP} Td\n{shown}ET".encode("ascii")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> %s >>" % (len(objects), annotation)
        )
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>".encode()
    day = draft.date.replace("-", "")
    objects.append(f"<< /Title ({_pdf_escaped(draft.title)}) /CreationDate (D:{day}120000Z) >>".encode())
    return assemble_pdf(objects)


def assemble_pdf(objects: Sequence[bytes]) -> bytes:
    """Return the file of these objects: the first is the catalogue, the last the information dictionary."""
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects))
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def _pdf_escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def make_docx(draft: Draft) -> bytes:
    """Return a Word file: a heading, paragraphs, a table, a hyperlink."""
    rows = "".join(f"<w:tr>{''.join(f'<w:tc>{_word(cell)}</w:tc>' for cell in row)}</w:tr>" for row in draft.table)
    body = _word(draft.title, "Heading1") + "".join(map(_word, draft.paragraphs))
    body += f"<w:tbl>{rows}</w:tbl>" if rows else ""
    text, url = draft.link or ("", "")
    if draft.link:
        body += f'<w:p><w:hyperlink r:id="rId1"><w:r><w:t>{escape(text)}</w:t></w:r></w:hyperlink></w:p>'
    link = f'<Relationship Id="rId1" Type="{_OFFICE}/hyperlink" Target="{escape(url)}" TargetMode="External"/>'
    parts = {
        "word/document.xml": f"<w:document {_W} {_R}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": f"<Relationships {_RELATIONS}>{link if url else ''}</Relationships>",
    }
    return package("word/document.xml", parts, draft)


def _word(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


def make_xlsx(draft: Draft, sheet: str = "Sheet1") -> bytes:
    """Return a workbook with one sheet: the table; cells that read as numbers are numbers."""
    rows = "".join(f"<row>{''.join(map(_sheet_cell, row))}</row>" for row in draft.table)
    relation = f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    sheets = f'<sheets><sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets>'
    parts = {
        "xl/workbook.xml": f"<workbook {_S} {_R}>{sheets}</workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {_RELATIONS}>{relation}</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {_S}><sheetData>{rows}</sheetData></worksheet>",
    }
    return package("xl/workbook.xml", parts, draft)


def _sheet_cell(text: str) -> str:
    if text.replace(".", "", 1).isdigit():
        return f"<c><v>{text}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'


def package(main: str, parts: dict[str, str], draft: Draft) -> bytes:
    """Return an office file of `parts`, with the properties every one has."""
    dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    cp = 'xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    about = f"<dc:title>{escape(draft.title)}</dc:title><dcterms:created>{draft.date}T12:00:00Z</dcterms:created>"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    root = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="{main}"/>'
    default = '<Default Extension="xml" ContentType="application/xml"/>'
    every = {
        "[Content_Types].xml": f'<Types xmlns="{types}">{default}</Types>',
        "_rels/.rels": f"<Relationships {_RELATIONS}>{root}</Relationships>",
        "docProps/core.xml": f"<cp:coreProperties {cp} {dc}>{about}</cp:coreProperties>",
        **parts,
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in every.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}')
    return out.getvalue()


def make_pptx(draft: Draft) -> bytes:
    """Return slides: a title and points on each, the table on the last; written by python-pptx."""
    import pptx
    from pptx.util import Inches

    deck = pptx.Presentation()
    deck.core_properties.title = draft.title
    for number, text in enumerate(draft.paragraphs, 1):
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = f"Part {number}"
        slide.placeholders[1].text = text
    if draft.table:
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        size = (Inches(1), Inches(2), Inches(6), Inches(2))
        table = slide.shapes.add_table(len(draft.table), len(draft.table[0]), *size).table
        for y, row in enumerate(draft.table):
            for x, text in enumerate(row):
                table.cell(y, x).text = text
    if draft.link:
        run = slide.shapes.add_textbox(*size).text_frame.paragraphs[0].add_run()
        run.text, run.hyperlink.address = draft.link
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()
