"""`webfarer walk`: what it prints in each manner, its exit codes, and that pages cannot command the terminal."""

import json
import os
import signal
import time
import unicodedata

import pytest
from cli_kit import LIBRARY, beside, page, pages

from webfarer.apps.cli._exits import EXIT_CODES, EXIT_HELP
from webfarer.core.types import StopReason
from webfarer.worlds.endpoint import serve_endpoint


def log_of(home):
    (log,) = (home / "runs").glob("*.jsonl")
    return log.read_bytes()


def answer_of(home):
    return json.loads(log_of(home).splitlines()[-1])["data"]["answer"]


def test_people_get_the_answer_its_sources_and_the_fare(cli, home, site, world):
    question = next(q for q in world.questions if q.kind == "single_source")
    result = cli("walk", site.url, question.text)
    answer = answer_of(home)
    assert result.code == EXIT_CODES[answer["stop_reason"]]
    assert question.answer in result.out
    assert "✓" in result.out
    for source in answer["sources"]:
        assert source["url"] in result.out
    assert f"{answer['fare']['pages']} pages, {answer['fare']['steps']} steps" in result.out
    assert answer["run"] in result.out
    titles = {source["title"] for source in answer["sources"]}
    assert any(title in result.err for title in titles), "the progress names the pages"


def test_json_prints_the_trace_and_nothing_else(cli, home, site, world):
    result = cli("walk", site.url, world.questions[0].text, "--max-pages", 3, "--json")
    assert result.out.encode() == log_of(home)
    events = [json.loads(line) for line in result.out.splitlines()]
    assert [events[0]["type"], events[-1]["type"]] == ["start", "end"]
    assert result.err == ""


def test_quiet_prints_the_text_of_the_answer_only(cli, home, site, world):
    result = cli("walk", site.url, world.questions[0].text, "--max-pages", 3, "--quiet")
    assert result.out == answer_of(home)["text"] + "\n"
    assert result.err == ""


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--max-pages", 2], EXIT_CODES["budget"]),
        (["--max-bytes", 3000], EXIT_CODES["budget"]),
        (["--max-steps", 1], EXIT_CODES["turns"]),
    ],
)
def test_the_exit_code_says_which_limit_ended_the_walk(cli, site, flags, code):
    assert cli("walk", site.url, "Which zebra quarrelled?", *flags).code == code


def test_a_slow_site_runs_into_the_time_limit(cli):
    with pages(root=lambda: time.sleep(0.6) or LIBRARY) as slow:
        assert cli("walk", slow.url, "When does it open?", "--max-seconds", 0.2).code == EXIT_CODES["timeout"]


def test_nothing_found_is_an_answer_of_its_own(cli):
    with pages(root=LIBRARY, hours=LIBRARY) as site:
        result = cli("walk", site.url, "Which zebra quarrelled?")
    assert result.code == EXIT_CODES["no_sources"]
    assert "No answer was found." in result.out


def test_every_stop_reason_has_an_exit_code_and_the_help_names_it(cli):
    assert set(EXIT_CODES) == set(StopReason)
    assert EXIT_HELP.split(";")[0] in " ".join(cli("walk", "--help").out.split())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["http://", "Why?"], "cannot start at"),
        (["http://127.0.0.1:1/", " "], "the question is empty"),
        (["http://127.0.0.1:1/", "Why?", "--policy", "clairvoyant"], "known: "),
        (["http://127.0.0.1:1/", "Why?", "--model", "openai:gpt-4o-mini"], "OPENAI_API_KEY"),
        (["http://127.0.0.1:1/", "Why?", "--archive", "maybe"], "setting archive"),
        (["http://127.0.0.1:1/", "Why?", "--max-seconds", "0"], "setting budget.seconds"),
        (["http://127.0.0.1:1/", "Why?", "--bogus"], "--bogus"),
        (["http://127.0.0.1:1/"], "question"),
    ],
)
def test_what_cannot_work_is_said_in_one_line_with_exit_code_2(cli, args, said):
    result = cli("walk", *args)
    assert result.code == 2
    assert said in result.err
    assert result.out == ""
    assert "Traceback" not in result.err


def test_a_refused_key_ends_the_walk_in_one_line(cli, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    with pages(root=LIBRARY, hours=LIBRARY) as site, beside(serve_endpoint(["hello"], key="right")) as stub:
        args = ["--model", "openai:stub", "--base-url", stub.url, "--quiet"]
        result = cli("walk", site.url, "When does it open?", *args)
    assert (result.code, result.out) == (1, "")
    assert len(result.err.splitlines()) == 1
    assert "OPENAI_API_KEY" in result.err
    assert "sk-wrong" not in result.err


def test_a_site_that_is_not_there_is_a_failed_walk(cli):
    result = cli("walk", "http://127.0.0.1:1/", "Why?")
    assert result.code == EXIT_CODES["failed"]
    assert "the first page cannot be read" in result.out


def test_flags_change_a_setting_and_leave_the_rest(cli, home, monkeypatch):
    monkeypatch.setenv("WEBFARER_WEB__RETRIES", "1")
    cli("walk", "http://127.0.0.1:1/", "Why?", "--ignore-robots", "--max-pages", 4, "--allow-private", "x.test")
    settings = json.loads(log_of(home).splitlines()[0])["data"]["settings"]
    assert (settings["budget"]["pages"], settings["budget"]["steps"]) == (4, 15)
    assert (settings["web"]["robots"], settings["web"]["retries"]) == (False, 1)
    assert settings["web"]["allow_private"] == ["x.test"]


ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold red]zebra[/] [link=file:///]x[/link] \u202edesrever\x08"


@pytest.mark.parametrize("manner", [[], ["--quiet"], ["--json"]])
def test_a_hostile_page_can_neither_command_the_terminal_nor_write_markup(cli, home, manner):
    hostile = page(ATTACK, f"<h1>{ATTACK}</h1><p>The zebra hall {ATTACK} opens at eight.</p><a href='/no'>{ATTACK}</a>")
    with pages(root=hostile) as site:
        result = cli("walk", site.url, "When does the zebra hall open?", *manner)
        shown = cli("runs", "show", answer_of(home)["run"])
    for text in (*result[1:], *shown[1:]):
        bad = {ch for ch in text if unicodedata.category(ch) in ("Cc", "Cf") and ch != "\n"}
        assert not (bad - {"\u202e"} if manner == ["--json"] else bad)
    assert "[bold red]zebra[/]" in result.out


def interrupt():
    """Press Ctrl-C, and wait until the command has seen it."""
    os.kill(os.getpid(), signal.SIGINT)
    give_up = time.monotonic() + 10
    while signal.getsignal(signal.SIGINT) is not signal.default_int_handler and time.monotonic() < give_up:
        time.sleep(0.01)
    return LIBRARY


def test_the_first_ctrl_c_ends_the_run_with_the_best_answer_so_far(cli):
    with pages(root=LIBRARY, hours=interrupt) as site:
        result = cli("walk", site.url, "When does the library at Ashford with the zebra open its hours?")
    assert result.code == EXIT_CODES["cancelled"]
    assert "The library of Ashford opens at eight." in result.out
    assert "stopping after what is under way" in result.err


def test_the_second_ctrl_c_breaks_the_run_off_and_it_can_be_resumed(cli, home):
    hits = 0

    def interrupt_twice():
        nonlocal hits
        hits += 1
        if hits == 1:
            interrupt()
            os.kill(os.getpid(), signal.SIGINT)
        return LIBRARY

    with pages(root=LIBRARY, hours=interrupt_twice) as site:
        broken = cli("walk", site.url, "When does the library at Ashford with the zebra open its hours?")
        assert broken.code == 130
        assert "webfarer runs resume" in broken.err
        run = broken.err.split()[-1]
        assert b'"type":"end"' not in log_of(home)
        resumed = cli("runs", "resume", run)
    assert resumed.code == EXIT_CODES["answered"]
    assert site.requests.count("/") == 1, "what was fetched before is not fetched again"
