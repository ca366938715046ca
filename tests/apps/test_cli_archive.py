"""`webfarer archive`: what there is, out to a file, and in again elsewhere."""

import pytest
from cli_kit import LIBRARY, page, pages

from webfarer.web.archive import Archive

HOURS = page("Hours", "<p>The observatory of Ashford opens at nine o'clock.</p>")


@pytest.fixture
def filled(cli):
    """Crawl a site of two pages; return its host."""
    with pages(root=LIBRARY, hours=HOURS) as site:
        assert cli("crawl", site.url).code == 0
    return site.url.split("/")[2]


def test_stats_say_what_there_is(cli, filled):
    result = cli("archive", "stats")
    assert "2 answers of 2 URLs; 2 different bodies" in result.out
    assert "2 pages can be searched" in result.out
    assert f"2  {filled}" in result.out


def test_what_is_exported_answers_elsewhere(cli, filled, tmp_path, monkeypatch):
    file = tmp_path / "site.warc.gz"
    assert cli("archive", "export", file, "--site", filled).out == f"2 answers written to {file}\n"
    monkeypatch.setenv("WEBFARER_HOME", str(tmp_path / "elsewhere"))
    result = cli("archive", "import", file)
    assert "2 answers and 0 redirects are in the archive" in result.out
    assert "2 pages more can be searched" in result.out
    with Archive(tmp_path / "elsewhere" / "archive.db") as archive:
        record = archive.latest(f"http://{filled}/hours")
    assert record is not None
    assert b"observatory" in record.body


def test_one_run_is_exported(cli, filled, tmp_path, monkeypatch):
    with pages(root=HOURS) as site:
        cli("walk", site.url, "When does the observatory open?")
    run = cli("runs", "list").out.split()[0]
    file = tmp_path / "run.warc.gz"
    assert "1 answers written" in cli("archive", "export", file, "--run", run).out
    monkeypatch.setenv("WEBFARER_HOME", str(tmp_path / "elsewhere"))
    cli("archive", "import", file)
    with Archive(tmp_path / "elsewhere" / "archive.db") as archive:
        assert archive.latest(site.url) is not None


def test_nothing_is_overwritten_or_made_up(cli, filled, tmp_path):
    file = tmp_path / "site.warc.gz"
    assert cli("archive", "export", file, "--site", "nowhere.test").code == 2
    assert not file.exists()
    file.write_bytes(b"precious")
    result = cli("archive", "export", file)
    assert (result.code, file.read_bytes()) == (2, b"precious")
    assert "cannot be written: File exists" in result.err
    assert cli("archive", "import", tmp_path / "missing").code == 2


def test_a_broken_file_is_named_with_what_was_kept(cli, filled, tmp_path):
    file = tmp_path / "site.warc.gz"
    cli("archive", "export", file)
    file.write_bytes(file.read_bytes()[:-60])
    result = cli("archive", "import", file)
    assert result.code == 2
    assert "the file ends within a record; kept 1 pages" in result.err
