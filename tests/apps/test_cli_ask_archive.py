"""`webfarer ask` over what was crawled, and over a WARC file that other software wrote."""

import io
import json

from cli_kit import page, pages
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from webfarer.apps.cli._exits import EXIT_CODES

HOME = page("Ashford", "<p>The town of Ashford.</p><p><a href='/library'>Library</a> <a href='/baths'>Baths</a></p>")
LIBRARY = page("Ashford library", "<p>The library of Ashford lends 84,000 books.</p>")
BATHS = page("Ashford baths", "<p>The baths of Ashford open at seven.</p>")
QUESTION = "How many books does the library of Ashford lend?"


def answer_of(home):
    log = max((home / "runs").glob("*.jsonl"))
    return json.loads(log.read_text().splitlines()[-1])["data"]["answer"]


def test_a_crawled_site_answers_without_the_network(cli, home):
    with pages(root=HOME, library=LIBRARY, baths=BATHS) as site:
        assert cli("crawl", site.url, "--max-pages", 10).code == 0
    result = cli("ask", QUESTION, "--search", "local", "--archive", "replay")
    assert result.code == EXIT_CODES["answered"]
    assert "84,000" in result.out
    assert all(claim["verified"] for claim in answer_of(home)["claims"])


def test_a_warc_from_elsewhere_answers(cli, home, tmp_path):
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    for path, body in (("", HOME), ("library", LIBRARY), ("baths", BATHS)):
        http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
        data, url = body.encode(), f"https://www.ashford.example/{path}"
        record = writer.create_warc_record(url, "response", io.BytesIO(data), length=len(data), http_headers=http)
        writer.write_record(record)
    (tmp_path / "town.warc.gz").write_bytes(buffer.getvalue())
    assert cli("archive", "import", tmp_path / "town.warc.gz").code == 0
    result = cli("ask", QUESTION, "--search", "local", "--archive", "replay", "--site", "www.ashford.example")
    assert result.code == EXIT_CODES["answered"]
    assert "84,000" in result.out
    assert answer_of(home)["sources"][0]["url"] == "https://www.ashford.example/library"


def test_what_was_asked_is_exported_and_answers_again_elsewhere(cli, home, tmp_path, monkeypatch):
    with pages(root=HOME, library=LIBRARY, baths=BATHS) as site:
        cli("walk", site.url, QUESTION)
    first = answer_of(home)
    assert cli("archive", "export", tmp_path / "run.warc.gz", "--run", first["run"]).code == 0
    monkeypatch.setenv("WEBFARER_HOME", str(tmp_path / "elsewhere"))
    assert cli("archive", "import", tmp_path / "run.warc.gz").code == 0
    cli("ask", QUESTION, "--search", "local", "--archive", "replay")
    assert "84,000" in answer_of(tmp_path / "elsewhere")["text"]
