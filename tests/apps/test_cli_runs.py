"""`webfarer runs`: what was recorded is listed, shown, replayed with the network off, and found by half an id."""

import hashlib
import socket

import pytest
from cli_kit import LIBRARY, pages

QUESTION = "When does the library of Ashford open?"


@pytest.fixture
def log(cli, home):
    """The log of one finished run, whose site is gone."""
    with pages(root=LIBRARY, hours=LIBRARY) as site:
        cli("walk", site.url, QUESTION)
    (path,) = (home / "runs").glob("*.jsonl")
    return path


def test_list_shows_each_run_with_its_end(cli, log):
    damaged = log.with_name("damaged.jsonl")
    damaged.write_text("{}\n")
    out = cli("runs", "list").out.splitlines()
    assert [line.split()[:2] for line in out] == [["damaged", "damaged"], [log.stem, "answered"]]
    assert QUESTION in out[1]


def test_show_tells_the_trace_and_the_answer(cli, log):
    out = cli("runs", "show", log.stem[:12]).out
    assert "page     Library" in out
    assert "“The library of Ashford opens at eight.”" in out
    assert cli("runs", "show", log.stem, "--json").out == log.read_text()


def test_show_of_a_broken_off_run_says_how_to_go_on(cli, log):
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:4]))
    assert "webfarer runs resume" in cli("runs", "show", log.stem).out


def test_replay_gives_the_same_bytes_with_the_network_off(cli, log, monkeypatch):
    def refuse(*args):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    result = cli("runs", "replay", log.stem)
    sha = hashlib.sha256(log.read_bytes()).hexdigest()
    events = len(log.read_bytes().splitlines())
    assert result.code == 0
    assert result.out.splitlines()[-1] == f"replayed {events} events, identical, sha256 {sha}"
    assert "The library of Ashford opens at eight." in result.out


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"opens at eight", b"opens at nine"),
        lambda raw: raw[: raw.rstrip().rfind(b"\n") + 1],
        lambda raw: raw + b'{"seq":999,"t":1,"type":"page","data":{}}\n',
        lambda raw: raw + b'{"seq":%d,"t":1,"type":"page","data":{}}\n' % len(raw.splitlines()),
    ],
    ids=["another claim", "no end", "a gap", "more"],
)
def test_a_recording_that_was_changed_does_not_replay(cli, log, change):
    raw = log.read_bytes()
    assert change(raw) != raw
    log.write_bytes(change(raw))
    result = cli("runs", "replay", log.stem)
    assert result.code == 1
    assert result.err.startswith("webfarer: ")
    assert "identical" not in result.out


@pytest.mark.parametrize("command", ["show", "replay", "resume"])
def test_an_unknown_id_is_wrong_usage(cli, log, command):
    result = cli("runs", command, "nope")
    assert result.code == 2
    assert "webfarer runs list" in result.err


def test_a_finished_run_resumes_to_its_answer(cli, log):
    before = log.read_bytes()
    assert cli("runs", "resume", log.stem).code == 0
    assert log.read_bytes() == before
