"""What the tests of documents share: a record of some bytes, and files that mean harm."""

import io
import zipfile

from webfarer.evals.benches._read_documents import Draft, assemble_pdf
from webfarer.web.archive import Archive, Record
from webfarer.web.fetch import Response

URL = "http://site.example/report"
DRAFT = Draft(
    title="Annual report",
    date="2024-02-29",
    paragraphs=[
        f"Meeting number {n} was held in the spring to settle what the coming year may cost." for n in range(8)
    ],
    table=[["Item", "Amount"], ["Rent", "120"], ["Food", "3.5"]],
    link=("our site", "https://other.example/a"),
)


def record(archive: Archive, body: bytes, content_type: str = "text/html") -> Record:
    """Keep `body` as if a server had sent it."""
    return archive.keep(Response(URL, URL, 200, {"content-type": content_type}, body, len(body)))


def scan() -> bytes:
    """Return a PDF whose one page is a picture."""
    picture = b"<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 "
    draw = b"q 500 0 0 700 50 50 cm /Im Do Q"
    return assemble_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
            b"/Resources << /XObject << /Im 5 0 R >> >> >>",
            b"<< /Length %d >>\nstream\n%s\nendstream" % (len(draw), draw),
            picture + b"/Length 1 >>\nstream\n\x80\nendstream",
            b"<< /Title (Scan) >>",
        ]
    )


def office(parts: dict[str, bytes]) -> bytes:
    """Return a zip that looks like an office file and holds `parts`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in {"[Content_Types].xml": b"<Types/>", **parts}.items():
            archive.writestr(name, body)
    return out.getvalue()
