"""`webfarer doctor` asks each configured search engine once and says exactly what is wrong."""

import os

import pytest
from cli_kit import beside

from webfarer.worlds.searchserver import CAPTCHA, JSON_OFF, Fault, serve_search
from webfarer.worlds.searchwires import Document

NAMES = ("SEARXNG", "SERPER", "BRAVE", "TAVILY")


@pytest.fixture
def stub(monkeypatch):
    for name in [name for name in os.environ if name.startswith(NAMES)]:
        monkeypatch.delenv(name)
    with beside(serve_search([Document("https://a.example/", "Webfarer", "an agent")], key="right-key")) as stub:
        yield stub


def lines(result, start="search"):
    return [line for line in result.out.splitlines() if f" {start}" in line]


def test_without_any_engine_it_says_who_will_be_asked_and_asks_nobody(cli, stub, monkeypatch):
    monkeypatch.setenv("WEBFARER_SEARCH__BASES", f'{{"duckduckgo": "{stub.url}/duckduckgo"}}')
    result = cli("doctor")
    assert "duckduckgo and wikipedia will be asked, which need no key" in result.out
    assert result.code == 0
    assert stub.asked == []


def test_engines_that_answer_are_asked_once(cli, stub, monkeypatch):
    monkeypatch.setenv("SEARXNG_URL", f"{stub.url}/searxng")
    monkeypatch.setenv("SERPER_API_KEY", "right-key")
    monkeypatch.setenv("SERPER_BASE_URL", f"{stub.url}/serper")
    result = cli("doctor")
    assert result.code == 0
    assert ["answers" in line for line in lines(result, "search s")] == [True, True]
    assert stub.asked == [("searxng", "webfarer"), ("serper", "webfarer")]
    assert "right-key" not in result.out


@pytest.mark.parametrize(
    ("fault", "found", "mend"),
    [
        (JSON_OFF, "answers 403", "enable `json` under search.formats in its settings.yml"),
        (Fault(429, "Too Many Requests"), "its limiter keeps us out", "limiter.toml"),
        (Fault(500), "HTTP status 500", "start it, or correct its URL"),
        (Fault(302, location="https://login.example/"), "redirects to login.example", "correct its URL"),
    ],
)
def test_what_is_wrong_with_a_searxng(cli, stub, monkeypatch, fault, found, mend):
    monkeypatch.setenv("SEARXNG_URL", f"{stub.url}/searxng")
    stub.faults["searxng"] = [fault]
    result = cli("doctor")
    assert result.code == 1
    assert found in lines(result)[0]
    assert mend in " ".join(result.out.rpartition("→")[2].split())
    assert stub.count("searxng") == 1


def test_keys_that_are_refused_captchas_and_servers_that_are_down(cli, stub, monkeypatch):
    bases = f'{{"brave": "{stub.url}/brave", "duckduckgo": "{stub.url}/duckduckgo", "tavily": "http://127.0.0.1:1"}}'
    monkeypatch.setenv("WEBFARER_SEARCH__BASES", bases)
    monkeypatch.setenv("WEBFARER_SEARCH__ENGINES", '["brave", "duckduckgo", "tavily", "serper", "altavista"]')
    monkeypatch.setenv("BRAVE_API_KEY", "wrong-key")
    monkeypatch.setenv("TAVILY_API_KEY", "wrong-key")
    stub.faults["duckduckgo"] = [CAPTCHA]
    result = cli("doctor")
    text = " ".join(result.out.split())
    assert result.code == 1
    for said in (
        "brave refuses the key (HTTP 401) → correct BRAVE_API_KEY",
        "DuckDuckGo shows a CAPTCHA instead of results → wait a few minutes",
        "no connection to 127.0.0.1:1",
        "serper needs the setting serper_api_key → set SERPER_API_KEY",
        "unknown search engine 'altavista'",
    ):
        assert said in text
    assert "wrong-key" not in result.out
