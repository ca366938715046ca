"""PDF and office files whose text is known, read by Webfarer in its confined process and by pypdf.

Generated files carry the prose of a generated site; two real PDFs are manuals that come with their text beside them.
The time is by the clock, and for Webfarer includes starting the process; pypdf reads within this one.
"""

import gzip
import importlib
import io
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

from webfarer.core.errors import NotReadable
from webfarer.evals.bench import Row
from webfarer.evals.benches._read_documents import Draft, make_docx, make_pdf, make_pptx, make_xlsx
from webfarer.evals.benches._read_score import Score, score, summary
from webfarer.web.archive import Archive
from webfarer.web.documents import page_of
from webfarer.web.fetch import Response
from webfarer.worlds.types import WorldSpec
from webfarer.worlds.world import generate

_URL = "http://127.0.0.1/document"
_PARAGRAPHS = 24
_MANUALS = ("policy", "fhs-3.0")  # the same text is in the package debian-policy as PDF and as plain text
_LONG = 60
Read = Callable[[bytes], str]
Known = tuple[bytes, str, Sequence[str]]


def format_rows(sites: Path, count: int) -> list[Row]:
    """Return a row per format and reader."""
    drafts = list(islice(_drafts(), count))
    formats: dict[str, list[Known]] = {
        "pdf": [(make_pdf(draft), _text(draft), draft.paragraphs) for draft in drafts],
        "docx": [(make_docx(draft), _text(draft), [*draft.paragraphs, *_lines(draft)]) for draft in drafts],
        "xlsx": [(make_xlsx(draft), _cells(draft), _lines(draft)) for draft in drafts],
    }
    try:
        formats["pptx"] = [
            (make_pptx(draft), _text(draft), [*draft.paragraphs, *_lines(draft)]) for draft in drafts[:3]
        ]
    except ImportError:
        formats["pptx"] = []
    formats["pdf, manuals"] = list(_manuals(sites))
    return [row for name, known in formats.items() if known for row in _compare(name, known)]


def _drafts() -> Iterable[Draft]:
    """Yield documents that state the facts of a generated site, ASCII only, as the PDF's font demands."""
    for seed in range(1, 100):
        facts = [fact for fact in generate(WorldSpec("conference", seed)).facts if _plain(fact.entity, fact.value)]
        said = [f"The {one.attribute} of {one.entity} is {one.value}, as was said on page {one.page}." for one in facts]
        pairs = zip(said[::2], said[1::2], strict=False)
        paragraphs = [f"{one} {other} Whatever changes will be announced." for one, other in pairs][:_PARAGRAPHS]
        table = [("Subject", "Attribute", "Value"), *((one.entity, one.attribute, one.value) for one in facts[:20])]
        yield Draft(f"Facts {seed}", paragraphs=paragraphs, table=table, link=("the whole site", _URL))


def _plain(*texts: str) -> bool:
    return all(text.isascii() and "|" not in text for text in texts)


def _text(draft: Draft) -> str:
    return " ".join([draft.title, *draft.paragraphs, _cells(draft), "the whole site"])


def _cells(draft: Draft) -> str:
    return " ".join(cell for row in draft.table for cell in row)


def _lines(draft: Draft) -> list[str]:
    """Return the rows of the table as lines between pipes."""
    return [f"| {' | '.join(row)} |" for row in draft.table]


def _manuals(sites: Path) -> Iterable[Known]:
    for name in _MANUALS:
        pdf = next(sites.rglob(f"{name}.pdf.gz"), None)
        text = next(sites.rglob(f"{name}.txt.gz"), None)
        if pdf is not None and text is not None:
            truth = gzip.decompress(text.read_bytes()).decode("utf-8", "replace")
            blocks = [" ".join(block.split()) for block in truth.split("\n\n")]
            passages = [block for block in blocks if len(block) >= _LONG and block[0].isupper() and block[-1] == "."]
            yield gzip.decompress(pdf.read_bytes()), truth, [text for text in passages if not set(text) & set('*"<_`')]


def _compare(name: str, known: Sequence[Known]) -> list[Row]:
    sides: dict[str, Callable[[], Read]] = {"webfarer": lambda: _webfarer}
    if name.startswith("pdf"):
        sides["pypdf"] = _pypdf
    rows: list[Row] = []
    for side, load in sides.items():
        about: Row = {"format": name, "n": len(known), "reader": side}
        try:
            scores = [_scored(load(), *one) for one in known]
        except (ImportError, NotReadable) as error:
            rows.append(about | {"reader": f"{side} (not installed: {error})"})
            continue
        rows.append(about | summary(scores))
    return rows


def _scored(read: Read, body: bytes, truth: str, passages: Sequence[str]) -> Score:
    began = time.perf_counter()
    text = read(body)
    return score(text, truth, passages, time.perf_counter() - began)


def _webfarer(body: bytes) -> str:
    with Archive() as archive:
        return page_of(archive, archive.keep(Response(_URL, _URL, 200, {}, body, len(body)))).markdown


def _pypdf() -> Read:
    reader = importlib.import_module("pypdf").PdfReader
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every font that it does not know
    return lambda body: "\n".join(page.extract_text() for page in reader(io.BytesIO(body)).pages)
