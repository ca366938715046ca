"""`webfarer crawl`: a site read into the archive, what it says of it, and the way on after a limit or a kill."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from cli_kit import LIBRARY, page, pages

from webfarer.web.archive import Archive
from webfarer.web.index import Index, index_path

HOURS = page("Hours", "<p>The observatory of Ashford opens at nine o'clock.</p><p><a href='/gone'>More</a></p>")


def searched(home, words):
    with Index(index_path(home / "archive.db")) as index:
        return [hit.title for hit in index.search(words)]


def test_a_site_is_read_and_can_be_searched(cli, home):
    with pages(root=LIBRARY, hours=HOURS) as site:
        result = cli("crawl", site.url)
    assert result.code == 0
    assert "2 pages read, 3 answers new in the archive" in result.out
    assert "1 not read: HttpStatus" in result.out
    assert "2 pages more can be searched, 2 in all" in result.out
    assert f"{site.url}hours" in result.err
    assert searched(home, "observatory") == ["Hours"]


def test_a_limit_is_named_and_a_second_crawl_fetches_only_what_is_new(cli):
    with pages(root=LIBRARY, hours=HOURS) as site:
        first = cli("crawl", site.url, "--max-pages", 1, "--quiet")
        assert "the limit on pages is reached; 1 known pages left" in first.out
        assert first.err == ""
        second = cli("crawl", site.url, "--depth", 1)
        assert "2 pages read, 1 answers new in the archive" in second.out
        third = cli("crawl", site.url, "--depth", 1, "--archive", "live")
        assert "2 pages read, 2 answers new in the archive" in third.out


def test_a_site_that_cannot_be_read_is_an_error(cli):
    result = cli("crawl", "http://127.0.0.1:9999/", "--max-seconds", 5)
    assert result.code == 1
    assert "no connection" in result.err
    assert cli("crawl", "ftp://a.test/").code == 1
    assert cli("crawl", "http://127.0.0.1:9999/", "--archive", "never").code == 2


@pytest.mark.slow
def test_a_crawl_that_was_killed_goes_on(cli, home):
    links = "".join(f"<p><a href='/p{n}'>Page {n}</a></p>" for n in range(60))
    bodies = {f"p{n}": page(f"Page {n}", f"<p>This is the page that has the number {n}.</p>") for n in range(60)}
    for name, body in bodies.items():
        bodies[name] = lambda body=body: time.sleep(0.02) or body
    with pages(root=page("All", links), **bodies) as site:
        command = [sys.executable, "-c", "from webfarer.apps.cli.main import main; main()", "crawl", site.url]
        with subprocess.Popen(command, env={**os.environ}, stderr=subprocess.PIPE, text=True) as crawl:
            for _ in range(20):
                assert crawl.stderr.readline().startswith(site.url)
            os.kill(crawl.pid, signal.SIGKILL)
        with Archive(home / "archive.db") as archive:
            kept = archive.count()
        assert 20 <= kept < 61
        result = cli("crawl", site.url, "--quiet")
        assert f"61 pages read, {61 - kept} answers new in the archive" in result.out
        assert "61 pages more can be searched" in result.out
        again = sum(times - 1 for times in Counter(site.requests).values())
        assert again <= 2, "only what was under way when it was killed: two requests to one host"
