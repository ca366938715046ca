"""`webfarer ask`: over a stub search engine and over a folder; what it prints, its scope, its exit codes."""

import json
import sys

import pytest
from cli_kit import beside, page, pages

from webfarer.apps.cli._exits import EXIT_CODES, USAGE
from webfarer.worlds.searchserver import Document, serve_search

QUESTION = "What is the default sampling interval of the Heron sensor?"
GUIDE = page("Heron sensor: setup", "<p>The default sampling interval of the Heron sensor is 15 minutes.</p>")
OTHER = page("Egret sensor: setup", "<p>The default sampling interval of the Egret sensor is 20 minutes.</p>")


@pytest.fixture
def web(monkeypatch):
    """Two sites and a SearXNG that knows both."""
    with pages(heron=GUIDE) as heron, pages(egret=OTHER) as egret:
        known = [
            Document(f"{heron.url}heron", "Heron sensor: setup", "Setting up the Heron sensor"),
            Document(f"{egret.url}egret", "Egret sensor: setup", "Setting up the Egret sensor"),
        ]
        with beside(serve_search(known)) as engine:
            monkeypatch.setenv("SEARXNG_URL", engine.bases()["searxng"])
            monkeypatch.setenv("WEBFARER_SEARCH__DELAY", "0")
            yield heron, egret, engine


@pytest.fixture
def folder(tmp_path):
    docs = tmp_path / "docs"
    (docs / "guide").mkdir(parents=True)
    (docs / "guide" / "setup.html").write_text(GUIDE)
    (docs / "egret.md").write_text("# Egret sensor\n\nThe default sampling interval of it is 20 minutes.\n")
    return docs


def ended(home):
    (log,) = (home / "runs").glob("*.jsonl")
    return json.loads(log.read_text().splitlines()[-1])["data"]["answer"]


def test_it_searches_reads_and_shows_the_quote_with_its_source(cli, home, web):
    heron, _, engine = web
    result = cli("ask", QUESTION, "--search", "searxng")
    assert result.code == EXIT_CODES["answered"]
    assert "15 minutes" in result.out
    assert "✓" in result.out
    assert f"{heron.url}heron" in result.out
    assert "search " in result.err, "the progress says what is searched"
    assert engine.count("searxng") >= 1
    assert all(claim["verified"] for claim in ended(home)["claims"])


def test_json_prints_the_trace_and_quiet_the_text(cli, home, web):
    result = cli("ask", QUESTION, "--search", "searxng", "--json")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [events[0]["type"], events[-1]["type"]] == ["start", "end"]
    assert {"act", "observed"} <= {event["type"] for event in events}
    assert result.err == ""
    assert "15 minutes" in cli("ask", QUESTION, "--search", "searxng", "--quiet").out


def test_a_site_bounds_what_is_opened(cli, home, web):
    heron, egret, engine = web
    place = heron.url.removeprefix("http://").strip("/")
    asked = "ask", "What is the default sampling interval of the Egret sensor?", "--search", "searxng"
    cli(*asked, "--site", place)
    assert engine.count("searxng") >= 1
    assert heron.requests
    assert not egret.requests
    cli(*asked)
    assert egret.requests, "without the bound it is opened"


def test_a_folder_is_the_web(cli, home, folder):
    result = cli("ask", QUESTION, "--corpus", folder)
    assert result.code == EXIT_CODES["answered"]
    assert "15 minutes" in result.out
    assert "docs/guide/setup.html" in result.out, "a file is shown as a file"
    assert ended(home)["fare"]["bytes"] == 0


def test_a_run_over_a_folder_replays(cli, home, folder):
    cli("ask", QUESTION, "--corpus", folder, "--quiet")
    replayed = cli("runs", "replay", ended(home)["run"])
    assert replayed.code == 0
    assert "identical" in replayed.err + replayed.out


def test_a_report_that_cannot_be_written_is_kept_and_the_error_says_where(cli, home, folder, tmp_path):
    (tmp_path / "report.md").mkdir()
    result = cli("ask", QUESTION, "--corpus", folder, "--out", "report.md")
    run = ended(home)["run"]
    assert result.code == USAGE
    assert f"webfarer runs show {run}" in result.err
    assert "15 minutes" in cli("runs", "show", run).out


def test_a_format_that_lacks_its_library_is_said_before_the_run(cli, home, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "docx", None)
    result = cli("ask", QUESTION, "--corpus", folder, "--out", "report.docx")
    assert result.code == USAGE
    assert 'pip install "webfarer[docs]"' in " ".join(result.err.split())
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--search", "altavista"], "altavista"),
        (["--set", 'ask.tools=["drill"]'], "drill"),
        (["--set", "ask.mind=chat"], "needs a model"),
        (["--set", "ask.mind"], "NAME=VALUE"),
        (["--set", "ask.mood=good"], "mood"),
        (["--corpus", "no-such-folder"], "no-such-folder"),
        (["--corpus", ".", "--site", "docs.python.org"], "exclude each other"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(cli, home, flags, says):
    result = cli("ask", QUESTION, *flags)
    assert result.code == USAGE
    assert says in result.err
    assert not list((home / "runs").glob("*")) if (home / "runs").exists() else True
