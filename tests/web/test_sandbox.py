"""The process that reads risky formats: whatever it does, here it is an error of the tree, and nothing stays behind."""

import asyncio
import io
import os
import zipfile
from pathlib import Path

import pytest
from document_kit import DRAFT, office
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import FetchError, FetchTimeout, NotReadable, TooLarge
from webfarer.evals.benches._read_documents import Draft, make_docx, make_pdf, make_xlsx
from webfarer.web import sandbox
from webfarer.web.sandbox import Confines, read_confined, read_confined_async

SHORT = Confines(seconds=0.3)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put another program in the place of the reader."""

    def replace(text: str) -> None:
        path = tmp_path / "child.py"
        path.write_text(text)
        monkeypatch.setattr(sandbox, "_CHILD", path)

    return replace


def children() -> set[str]:
    listed = Path(f"/proc/self/task/{os.getpid()}/children")  # Linux has it
    return set(listed.read_text().split()) if listed.exists() else set()


@pytest.fixture(autouse=True)
def no_child_stays():
    before = children()  # other tests of this process may have left helpers of multiprocessing
    yield
    assert children() <= before


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("import time; time.sleep(60)", FetchTimeout, "more than 0.3 s"),
        (
            "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True: pass",
            FetchTimeout,
            "more than 0.3 s",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", NotReadable, "crashed .SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", NotReadable, "crashed .SIGKILL"),
        ("raise SystemExit(3)", NotReadable, "damaged"),
        ('print(\'{"html": "half an answ\')', NotReadable, "gave no answer"),
        ("print('[1]')", NotReadable, "gave no answer"),
        ("", NotReadable, "gave no answer"),
    ],
)
@pytest.mark.slow
async def test_a_child_that_misbehaves(program, text: str, error: type[FetchError], says: str) -> None:
    program(text)
    confines = SHORT if error is FetchTimeout else Confines()
    with pytest.raises(error, match=says):
        read_confined("pdf", b"", confines)
    with pytest.raises(error, match=says):
        await read_confined_async("pdf", b"", confines)


async def test_the_event_loop_goes_on_and_cancelling_kills_the_child(program) -> None:
    program("import time; time.sleep(60)")
    reading = asyncio.create_task(read_confined_async("pdf", b"x" * 1_000_000))
    ticks = 0
    for _ in range(5):
        await asyncio.sleep(0.01)
        ticks += 1
    assert not reading.done()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert ticks == 5


def test_the_child_gets_no_secrets(program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    program("import json, os; print(json.dumps({'html': ' '.join(os.environ.values())}))")
    assert "sk-secret" not in read_confined("pdf", b"")["html"]


def bomb() -> bytes:
    """Return an office file of 300 kB whose document unpacks to 300 MB."""
    return office({"word/document.xml": b" " * 300_000_000})


@pytest.mark.parametrize(
    ("kind", "body", "says"),
    [
        ("docx", bomb(), "zip bomb"),
        ("docx", office({f"word/{n}": b"" for n in range(10_001)}), "zip bomb"),
        ("docx", office({"word/document.xml": b"<a>" * 50_000}), "damaged|more than is allowed|crashed"),
        ("docx", make_docx(DRAFT)[:-30], "damaged"),
    ],
)
@pytest.mark.slow
def test_office_files_that_mean_harm(kind: str, body: bytes, says: str) -> None:
    with pytest.raises(NotReadable, match=says):
        read_confined(kind, body)


def test_an_entity_that_doubles_itself_is_not_followed() -> None:
    entities = "".join(f'<!ENTITY e{n} "&e{n - 1};&e{n - 1};">' for n in range(1, 40))
    laughs = f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><x>&e39;</x>'.encode()
    body = io.BytesIO(make_xlsx(DRAFT))
    with zipfile.ZipFile(body, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("docProps/core.xml", laughs)
    read = read_confined("sheet", body.getvalue())
    assert read["title"] == ""
    assert "Rent" in read["html"]


def test_memory_and_output_are_bounded() -> None:
    with pytest.raises(FetchError):
        read_confined("sheet", _far_cell(), Confines(memory=600_000_000))
    with pytest.raises(TooLarge, match="longer than is kept"):
        read_confined("pdf", make_pdf(DRAFT), Confines(output=100))


def _far_cell() -> bytes:
    """Return a workbook of two cells with all the others between them."""
    body = make_xlsx(Draft(table=[["A", "B"]]))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name).replace(b"<row>", b'<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c>')
            new.writestr(name, text)
    return out.getvalue()


@pytest.mark.slow
@given(data=st.data(), kind=st.sampled_from(["pdf", "docx", "sheet"]))
@settings(max_examples=25)
def test_damaged_files_are_read_or_refused(data: st.DataObject, kind: str) -> None:
    body = bytearray({"pdf": make_pdf, "docx": make_docx, "sheet": make_xlsx}[kind](DRAFT))
    for _ in range(data.draw(st.integers(1, 20))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = read_confined(kind, bytes(body))
    except (NotReadable, TooLarge, FetchTimeout):
        return
    assert isinstance(read["html"], str)
