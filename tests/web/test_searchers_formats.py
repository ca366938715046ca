"""What is particular to each engine, and the reading of titles, dates and addresses they share."""

import json

import pytest
from search_kit import settings_for

from webfarer.core.errors import NoResults, SearchAuth, SearchBlocked, SearchRateLimited, SearchUnavailable
from webfarer.web.searchers._replies import Row, day, hits, plain
from webfarer.web.searching import SEARCHERS, ApiReply, Query, chosen, cut, with_operators


def asked(name, **query):
    request = SEARCHERS.load(name).request(Query(**{"text": "library hours", **query}), settings_for(None))
    return dict(request.params or request.form or request.json)


def answered(name, body, status=200):
    return ApiReply(status, {}, body if isinstance(body, str) else json.dumps(body))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("<b>Opening</b> hours &amp; more", "Opening hours & more"),
        ("std::vector<int> in C++", "std::vector<int> in C++"),
        ("a\x00b\n\tc \ud800", "a b c"),
        ('<script src="x">alert(1)</script>', "alert(1)"),
        (None, ""),
        (["x"], ""),
    ],
)
def test_titles_and_snippets_are_plain_text(given, said):
    assert plain(given) == said


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("2024-03-05", "2024-03-05"),
        ("2024-03-05T10:20:30", "2024-03-05"),
        ("Mar 5, 2024", "2024-03-05"),
        ("5 Mar 2024", "2024-03-05"),
        ("Tue, 05 Mar 2024 10:00:00 GMT", "2024-03-05"),
        ("3 days ago", ""),
        ("2024-13-05", ""),
        ("", ""),
        (20240305, ""),
    ],
)
def test_dates(given, iso):
    assert day(given) == iso


def test_only_addresses_of_the_web_each_once():
    rows = [
        "https://a.example/x",
        "HTTPS://A.example:443/x#part",
        "ftp://a.example/",
        "javascript:alert(1)",
        "/x",
        None,
    ]
    rows += ["https://user:pw@a.example/", "https://b.example/%7Ex"]
    found = hits(Row(url, "", "") for url in rows)
    assert [hit.url for hit in found] == ["https://a.example/x", "https://b.example/~x"]
    assert found[0].title == "https://a.example/x"


def test_each_engine_narrows_by_its_own_means():
    sites = ("a.example/docs", "b.example")
    assert asked("searxng", sites=sites)["q"] == "library hours (site:a.example/docs OR site:b.example)"
    assert asked("serper", sites=sites)["q"] == "library hours (site:a.example/docs OR site:b.example)"
    assert asked("brave", sites=sites)["q"] == "library hours (site:a.example OR site:b.example)"
    assert asked("duckduckgo", sites=sites[:1])["q"] == "library hours site:a.example"
    assert asked("tavily", sites=sites)["include_domains"] == ["a.example", "b.example"]
    assert asked("serper", since=2024)["tbs"] == "cdr:1,cd_min:1/1/2024"
    assert asked("tavily", since=2024)["start_date"] == "2024-01-01"
    assert (asked("serper", language="zh")["hl"], asked("brave", language="zh")["search_lang"]) == ("zh-cn", "zh-hans")
    assert "search_lang" not in asked("brave", language="xx")


def test_operators_leave_room_for_the_words():
    query = Query("word " * 100, sites=tuple(f"host{n}.example" for n in range(40)))
    text = with_operators(query, 400)
    assert len(text) <= 400
    assert text.count("word") > 30
    assert text.count("site:") > 5
    assert text.endswith(")")


@pytest.mark.parametrize(
    ("text", "longest", "left"),
    [
        ("one two three", 13, "one two three"),
        ("one two three", 9, "one two"),
        ("one two three", 7, "one two"),
        ("a verylongwordwithoutend", 10, "a verylong"),
        ("没有空格的一句话", 4, "没有空格"),
    ],
)
def test_cutting_between_words(text, longest, left):
    assert cut(text, longest) == left


def test_brave_takes_fifty_words():
    text = asked("brave", text="w " * 190, sites=tuple(f"h{n}.example" for n in range(9)))["q"]
    assert len(text.split()) <= 50


def test_searxng_says_what_keeps_a_program_out():
    engine = SEARCHERS.load("searxng")
    off = engine.refusal(answered("searxng", "<h1>Forbidden</h1>", 403))
    assert isinstance(off, SearchBlocked)
    assert off.detail["mend"] == "enable `json` under search.formats in its settings.yml"
    assert "limiter" in engine.refusal(answered("searxng", "Too Many Requests", 429)).message
    with pytest.raises(SearchBlocked, match="google: Suspended: CAPTCHA"):
        engine.parse(answered("searxng", {"results": [], "unresponsive_engines": [["google", "Suspended: CAPTCHA"]]}))
    with pytest.raises(SearchUnavailable, match="bing: timeout"):
        engine.parse(answered("searxng", {"results": [], "unresponsive_engines": [["bing", "timeout"]]}))
    odd = {"results": [{"url": "https://a.example/", "title": "A"}], "unresponsive_engines": [["bing", "timeout"]]}
    assert len(engine.parse(answered("searxng", odd))) == 1


def test_plans_that_are_used_up_and_keys_that_are_wrong():
    credits = SEARCHERS.load("serper").refusal(answered("serper", {"message": "Not enough credits"}, 400))
    assert isinstance(credits, SearchRateLimited)
    for status in (432, 433):
        assert isinstance(SEARCHERS.load("tavily").refusal(answered("tavily", {}, status)), SearchRateLimited)
    token = {"error": {"code": "SUBSCRIPTION_TOKEN_INVALID", "detail": "The provided subscription token is invalid."}}
    assert isinstance(SEARCHERS.load("brave").refusal(answered("brave", token, 422)), SearchAuth)


def test_duckduckgo_drops_advertisements_and_knows_its_captcha():
    engine = SEARCHERS.load("duckduckgo")
    page = """<div class="result result--ad"><a class="result__a" href="https://ads.example/">Ad</a></div>
      <div class="result"><a class="result__a" href="https://duckduckgo.com/y.js?u=1">Ad in disguise</a></div>
      <div class="result">
        <a class="result__a" href="//duckduckgo.com/l/?uddg=https%3A%2F%2Fa.example%2Fx%3Fq%3D1">A</a>
      </div>
      <div class="result"><a class="result__a" href="https://b.example/">B</a></div>
      <div class="result"></div>"""
    assert [hit.url for hit in engine.parse(answered("duckduckgo", page))] == [
        "https://a.example/x?q=1",
        "https://b.example/",
    ]
    with pytest.raises(SearchBlocked):
        engine.parse(answered("duckduckgo", '<div class="anomaly-modal__mask"></div>'))
    assert isinstance(engine.refusal(answered("duckduckgo", "", 202)), SearchBlocked)


def test_wikipedia_in_the_language_of_the_query_or_of_the_site():
    engine, settings = SEARCHERS.load("wikipedia"), settings_for(None)

    def host(**query):
        return engine.request(Query("library", **query), settings).url.split("/")[2]

    assert host(language="zh") == "zh.wikipedia.org"
    assert host(language="nonsense.example/") == host() == "en.wikipedia.org"
    assert host(sites=("a.example", "fr.wikipedia.org/wiki")) == "fr.wikipedia.org"
    with pytest.raises(NoResults):
        engine.request(Query("library", sites=("wikipedia.org.example",)), settings)
    limited = {"error": {"code": "ratelimited", "info": "You've exceeded your rate limit."}}
    with pytest.raises(SearchRateLimited):
        engine.parse(answered("wikipedia", limited))
    with pytest.raises(SearchUnavailable, match="too long"):
        engine.parse(answered("wikipedia", {"error": {"code": "x", "info": "The query is too long"}}))


def test_the_order_when_none_is_chosen():
    everything = settings_for(None)
    assert chosen(everything) == ("searxng", "serper", "brave", "tavily", "duckduckgo", "wikipedia")
    assert chosen(settings_for(None, searxng_url="", serper_api_key=" ", brave_api_key="", tavily_api_key="")) == (
        "duckduckgo",
        "wikipedia",
    )
    assert chosen(settings_for(None, "wikipedia", "local")) == ("wikipedia", "local")
