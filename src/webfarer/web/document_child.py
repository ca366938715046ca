"""Reads one PDF or office file to HTML, in a process of its own that can be killed: bytes on stdin, JSON on stdout.

Run by :mod:`webfarer.web.sandbox` as a file, so that it starts without importing anything of Webfarer. Before it looks
at the bytes it takes from itself all memory, CPU time and output that a document does not need. Nothing is decided
here but what the text is; how it becomes markdown is the HTML reader's business.
"""

import ctypes
import importlib
import io
import json
import math
import re
import resource
import signal
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any
from xml.etree import ElementTree

_CHARS = 4_000_000  # of HTML; the reader keeps a million characters of text
_UNPACKED = 200_000_000
_PARTS = 10_000
_BARE = 20
_HTTP = re.compile(r"https?://\S+", re.IGNORECASE)
_HYPHENS = "\x02\ufffe\u00ad"  # what PDFium gives for a hyphen that only ends a line
_SOFT = re.compile(f"[{_HYPHENS}]")
_ITEM = re.compile(r"[•▪–\-*◦]\s|\(?\d+[.)]\s|\d+(?:\.\d+)+\.?\s+[^\W\d_]")
_JUNK_TITLE = re.compile(r"untitled|(?:microsoft )?(?:word|powerpoint|excel)\b.*|.*\.\w{2,4}|\W*", re.IGNORECASE)
_CORE = "docProps/core.xml"
_DC, _TERMS = "{http://purl.org/dc/elements/1.1/}", "{http://purl.org/dc/terms/}"


class Unreadable(Exception):
    """The document cannot be read; the message says why."""


class Html:
    """HTML under construction; `room` says whether more fits."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.length = 0
        self.truncated = False
        self.date = ""
        self.title = ""

    def add(self, html: str) -> bool:
        """Add markup; False when the limit is reached, and nothing was added."""
        if self.length + len(html) > _CHARS:
            self.truncated = True
            return False
        self.parts.append(html)
        self.length += len(html)
        return True

    def table(self, rows: Iterable[list[str]]) -> bool:
        """Add a table whose first row is its head."""
        added = self.add("<table>")
        for number, row in enumerate(rows):
            tag = "td" if number else "th"
            added = added and self.add(f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in row)}</tr>")
            if not added:
                break
        self.parts.append("</table>")
        return added


def anchor(text: str, url: str) -> str:
    """Return text as HTML, a link where `url` is one of the web."""
    return f'<a href="{escape(url)}">{escape(text)}</a>' if text and _HTTP.fullmatch(url) else escape(text)


# PDF


def read_pdf(body: bytes, out: Html) -> None:
    """Read every page: its lines joined to paragraphs, its link annotations where their text stands."""
    pdfium = importlib.import_module("pypdfium2")
    try:
        document = pdfium.PdfDocument(body)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise Unreadable("the PDF is encrypted and opens only with a password") from error
        raise Unreadable(f"the PDF is damaged: {error}") from error
    about = document.get_metadata_dict()
    out.title, out.date = about.get("Title", ""), about.get("ModDate") or about.get("CreationDate", "")
    chars = pictures = 0
    for number in range(len(document)):
        try:
            page = document[number]
            textpage = page.get_textpage()
            text = _paragraphs(textpage.get_text_range())
            links = list(_pdf_links(pdfium.raw, page, textpage))
        except pdfium.PdfiumError:
            out.add(f"<h2>Page {number + 1}</h2><p>[this page is damaged]</p>")
            continue
        if chars == 0 and text and _JUNK_TITLE.fullmatch(out.title.strip()):
            out.title = text.partition("\n")[0][:200]
        chars += len(text)
        if not text:
            pictures += any(True for _ in page.get_objects(filter=[pdfium.raw.FPDF_PAGEOBJ_IMAGE]))
        linked = "".join(f"<p>{line}</p>" for line in _linked(text, links).split("\n") if line)
        if not out.add(f"<h2>Page {number + 1}</h2>{linked}"):
            break
    if chars < _BARE:
        scan = "is a scan: pictures of pages without a text layer; it would need OCR" if pictures else "holds no text"
        raise Unreadable(f"the PDF {scan}")


def _paragraphs(raw: str) -> str:
    """Join lines that only the paper's width broke; what is left is one paragraph a line."""
    lines = [" ".join(line.split()) for line in raw.splitlines()]
    widths = sorted(map(len, filter(None, lines)))
    full = 0.75 * widths[len(widths) * 9 // 10] if widths else 0
    out: list[str] = []
    glue: str | None = None  # what joins the next line to the last, None when a paragraph ended there
    for line in lines:
        text = line.rstrip(_HYPHENS)
        if not line:
            glue = None
            continue
        if glue is not None and not _ITEM.match(line):
            out[-1] += ("" if _wide(out[-1][-1:]) and _wide(line) else glue) + text
        else:
            out.append(text)
        long = len(line) >= max(full, 40 if line.isascii() else 15)
        glue = "" if text != line else " " if long else None
    return _SOFT.sub("", "\n".join(filter(None, out)))


def _wide(char: str) -> bool:
    return "\u2e80" <= char[:1] <= "\u9fff" or "\uff00" <= char[:1] <= "\uffef"


def _pdf_links(raw: Any, page: Any, textpage: Any) -> Iterator[tuple[str, str]]:
    """Yield (text under it, URL) of every link annotation."""
    place, link = ctypes.c_int(0), raw.FPDF_LINK()
    document = page.pdf.raw
    while raw.FPDFLink_Enumerate(page.raw, ctypes.byref(place), ctypes.byref(link)):
        action = raw.FPDFLink_GetAction(link)
        if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_URI:
            continue
        size = raw.FPDFAction_GetURIPath(document, action, None, 0)
        buffer = ctypes.create_string_buffer(size)
        raw.FPDFAction_GetURIPath(document, action, buffer, size)
        box = raw.FS_RECTF()
        raw.FPDFLink_GetAnnotRect(link, box)
        under = textpage.get_text_bounded(box.left, box.bottom, box.right, box.top)
        yield " ".join(_SOFT.sub("", under).split()), buffer.value.decode("utf-8", "replace")


def _linked(text: str, links: list[tuple[str, str]]) -> str:
    """Return `text` as HTML with its links in place; those whose text is not found follow at the end."""
    out, at, left = "", 0, []
    for label, url in links:
        start = text.find(label, at) if label else -1
        if start < 0:
            left.append(f"\n{anchor(label or url, url)}")
            continue
        out += escape(text[at:start]) + anchor(label, url)
        at = start + len(label)
    return out + escape(text[at:]) + "".join(left)


# office files


def read_docx(body: bytes, out: Html) -> None:
    """Read the text between header and footer."""
    mammoth = importlib.import_module("mammoth")
    _properties(body, out)
    no_picture = mammoth.images.img_element(lambda _: {"src": ""})
    html = mammoth.convert_to_html(io.BytesIO(body), convert_image=no_picture).value
    for part in re.split(r"(?<=</p>)|(?<=</tr>)|(?<=</h\d>)", html):
        if not out.add(part):
            break


def read_pptx(body: bytes, out: Html) -> None:
    """Read slide by slide: title, text, tables, notes."""
    pptx = importlib.import_module("pptx")
    _properties(body, out)
    for number, slide in enumerate(pptx.Presentation(io.BytesIO(body)).slides, 1):
        title = slide.shapes.title
        name = " ".join(title.text_frame.text.split()) if title is not None else ""
        out.add(f"<h2>Slide {number}{': ' if name else ''}{escape(name)}</h2>")
        for shape in _shapes(slide.shapes):
            if title is None or shape.shape_id != title.shape_id:
                _shape(shape, out)
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if notes is not None and notes.text.strip():
            out.add(f"<p>Notes: {escape(notes.text)}</p>")
        if out.truncated:
            break


def _shapes(shapes: Any) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        else:
            yield shape


def _shape(shape: Any, out: Html) -> None:
    if getattr(shape, "has_table", False):
        out.table([[cell.text for cell in row.cells] for row in shape.table.rows])
    elif shape.has_text_frame:
        lines = ["".join(_run(run) for run in paragraph.runs) for paragraph in shape.text_frame.paragraphs]
        lines = [line for line in lines if line.strip()]
        items = "".join(f"<li>{line}</li>" for line in lines)
        out.add(f"<ul>{items}</ul>" if len(lines) > 1 else f"<p>{''.join(lines)}</p>")


def _run(run: Any) -> str:
    return anchor(run.text, run.hyperlink.address or "")


def read_sheet(body: bytes, out: Html) -> None:
    """Read every sheet as a table, without the empty rows and columns around it."""
    calamine = importlib.import_module("python_calamine")
    if zipfile.is_zipfile(io.BytesIO(body)):
        _properties(body, out)
    workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(body))
    empty = True
    for name in workbook.sheet_names:
        if not out.add(f"<h2>{escape(name)}</h2>"):
            break
        rows = [[_cell(value) for value in row] for row in workbook.get_sheet_by_name(name).to_python()]
        rows = [row for row in rows if any(row)]
        empty = empty and not rows
        if not out.table(rows):
            break
    if empty:
        raise Unreadable("the workbook holds no text")


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    return value.isoformat() if hasattr(value, "isoformat") else " ".join(str(value).split())


def _properties(body: bytes, out: Html) -> None:
    """Refuse a zip that would grow beyond all bounds; take title and date from the core properties."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        parts = archive.infolist()
        if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED:
            raise Unreadable("the file unpacks to more than can be read (a zip bomb?)")
        if any(part.flag_bits & 1 for part in parts):
            raise Unreadable("the file is encrypted")
        core = archive.read(_CORE) if _CORE in archive.namelist() else b""
    try:
        root = ElementTree.fromstring(core) if core else None
    except ElementTree.ParseError:
        return
    if root is not None:
        out.title = root.findtext(f"{_DC}title") or ""
        out.date = root.findtext(f"{_TERMS}modified") or root.findtext(f"{_TERMS}created") or ""


READERS: dict[str, Callable[[bytes, Html], None]] = {
    "pdf": read_pdf,
    "docx": read_docx,
    "pptx": read_pptx,
    "sheet": read_sheet,
}


def confine(memory: int, seconds: float, output: int) -> None:
    """Take from this process what it does not need, for good."""
    for limit, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, output),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        resource.setrlimit(limit, (value, value))
    whole = math.ceil(seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 1))  # at the soft limit comes SIGXCPU, which says why
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it
    signal.setitimer(signal.ITIMER_REAL, seconds)  # ends it even when nobody is left who would


def answer(kind: str, body: bytes) -> dict[str, Any]:
    """Return the document as HTML with title and date, or what is wrong with it."""
    out = Html()
    try:
        READERS[kind](body, out)
    except Unreadable as error:
        return {"error": str(error)}
    except ModuleNotFoundError as error:
        return {"missing": error.name}
    except (MemoryError, RecursionError) as error:
        return {"error": f"reading it takes more than is allowed ({type(error).__name__})"}
    html = "".join(out.parts)
    title = "" if _JUNK_TITLE.fullmatch(out.title.strip()) else out.title
    return {"html": html, "title": " ".join(title.split()), "date": out.date, "truncated": out.truncated}


def main() -> None:
    """Read stdin, write stdout; arguments: kind, memory, seconds, output."""
    kind, memory, seconds, output = sys.argv[1:]
    confine(int(memory), float(seconds), int(output))
    sys.stdout.write(json.dumps(answer(kind, sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
