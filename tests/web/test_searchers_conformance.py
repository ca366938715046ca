"""What every module of the seam must keep to, whichever engine it is."""

import asyncio
import dataclasses
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from search_kit import DOCUMENTS, KEY, ONLINE, settings_for

from webfarer.core.config import Settings
from webfarer.core.errors import SearchError
from webfarer.core.types import Hit
from webfarer.web.guard import canonical_url
from webfarer.web.searching import SEARCHERS, ApiReply, ApiRequest, Query, is_offline
from webfarer.worlds.searchwires import WIRES

OFFLINE = [name for name in SEARCHERS.ids() if name not in ONLINE]
SITES = tuple(f"host{number}.example/a/long/path" for number in range(12))
TEXTS = st.text(min_size=1, max_size=600).filter(str.strip)
QUERIES = st.builds(
    Query,
    text=TEXTS,
    results=st.integers(1, 50),
    sites=st.sampled_from([(), ("en.wikipedia.org",), ("de.wikipedia.org", *SITES)]),
    language=st.sampled_from(["", "en", "zh", "ja", "xx", "../"]),
    since=st.sampled_from([None, 1999, 2024]),
)
WORTHLESS = ["", " ", "null", "[]", "0", '"text"', "{", "{}", '{"results": 1}', "[" * 100_000, "\x00", "1" * 5000]
WORTHLESS += ["<!doctype html><title>Nothing</title><h1>It works!</h1>", '{"error": {"code": 5}}', '{"message": "no"}']


def is_clean(hit: Hit) -> bool:
    marks = re.search(r"</?(b|strong|span)\b[^<>]*>|[\x00-\x1f\ud800-\udfff]", hit.title + hit.snippet)
    dated = not hit.date or re.fullmatch(r"\d{4}-\d\d-\d\d", hit.date)
    return hit.url == canonical_url(hit.url) and bool(hit.title) and marks is None and bool(dated)


def attempt(name: str, body: str, status: int = 200) -> list[Hit]:
    """Parse; an error of the search tree counts as nothing, any other fails the test."""
    try:
        return SEARCHERS.load(name).parse(ApiReply(status, {}, body))
    except SearchError:
        return []


def real_body(name: str) -> str:
    answer = WIRES[name].answer(DOCUMENTS, "https://wiki.example")
    return answer if isinstance(answer, str) else json.dumps(answer)


@pytest.mark.parametrize("name", SEARCHERS.ids())
def test_an_engine_names_a_setting_and_a_length(name):
    engine = SEARCHERS.load(name)
    assert engine.needs == "" or engine.needs in Settings.model_fields
    assert 100 <= engine.longest <= 10_000


@pytest.mark.parametrize("name", OFFLINE)
def test_an_offline_engine_finds_by_itself(name):
    engine = SEARCHERS.load(name)
    assert is_offline(engine)
    assert asyncio.iscoroutinefunction(engine.find)


@pytest.mark.parametrize("name", ONLINE)
@given(query=QUERIES)
def test_a_request_is_pure_and_plain_data(name, query):
    engine, settings = SEARCHERS.load(name), settings_for(None)
    query = dataclasses.replace(query, text=query.text[: engine.longest])
    try:
        first = engine.request(query, settings)
    except SearchError:
        assert query.sites  # only an engine that holds certain sites may decline
        return
    assert first == engine.request(query, settings)
    assert isinstance(first, ApiRequest)
    canonical_url(first.url)
    plain = dataclasses.asdict(dataclasses.replace(first, secret={}))
    assert json.loads(json.dumps(plain)) == plain
    assert KEY not in json.dumps(plain) + repr(first)
    strings = [value for part in (first.params, first.form, first.json) for value in (part or {}).values()]
    assert max(len(value) for value in strings if isinstance(value, str)) <= engine.longest


@pytest.mark.parametrize("name", ONLINE)
def test_a_key_travels_in_secret_and_nowhere_else(name):
    engine = SEARCHERS.load(name)
    request = engine.request(Query("library"), settings_for(None))
    assert bool(request.secret) == engine.needs.endswith("_key")
    assert all(KEY in value for value in request.secret.values())


@pytest.mark.parametrize("name", ONLINE)
def test_the_base_url_can_be_another(name):
    gateway = settings_for(None, bases={name: "https://gateway.example/v2/"})
    assert SEARCHERS.load(name).request(Query("library"), gateway).url.startswith("https://gateway.example/v2/")


@pytest.mark.parametrize("name", ONLINE)
def test_real_results_are_read_in_order(name):
    found = attempt(name, real_body(name))
    assert [hit.title for hit in found] == [document.title for document in DOCUMENTS] or name == "wikipedia"
    assert len(found) >= 4
    assert all(is_clean(hit) for hit in found)
    assert {hit.engine for hit in found} == {""}


@pytest.mark.parametrize("name", ONLINE)
def test_nothing_found_is_an_empty_list(name):
    answer = WIRES[name].answer([], "https://wiki.example")
    assert (
        SEARCHERS.load(name).parse(ApiReply(200, {}, answer if isinstance(answer, str) else json.dumps(answer))) == []
    )


@pytest.mark.parametrize("name", ONLINE)
@pytest.mark.parametrize("body", WORTHLESS, ids=range(len(WORTHLESS)))
def test_what_is_no_answer_is_an_error_and_never_no_results(name, body):
    with pytest.raises(SearchError) as caught:
        SEARCHERS.load(name).parse(ApiReply(200, {}, body))
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("name", [name for name in ONLINE if name != "duckduckgo"])
@given(share=st.floats(0, 0.999))
def test_a_cut_off_answer_is_an_error(name, share):
    body = real_body(name)
    with pytest.raises(SearchError):
        SEARCHERS.load(name).parse(ApiReply(200, {}, body[: int(share * len(body))]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("https://a.example/<b>x"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("name", ONLINE)
@given(value=JSON, data=st.data())
def test_wrong_types_anywhere_never_break_the_reading(name, value, data):
    answer = WIRES[name].answer(DOCUMENTS, "https://wiki.example")
    if isinstance(answer, dict):
        answer = json.loads(json.dumps(answer))
        spoil(answer, value, data)
        body = json.dumps(answer)
    else:
        at = data.draw(st.integers(0, len(answer)))
        body = answer[:at] + str(value) + answer[at + data.draw(st.integers(0, 200)) :]
    assert all(is_clean(hit) for hit in attempt(name, body))


def spoil(answer, value, data):
    """Put `value` into the place of something in `answer`."""
    node = answer
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys))
        inner = node[key]
        if not inner or not isinstance(inner, dict | list) or data.draw(st.booleans()):
            node[key] = value
            return
        node = inner


@pytest.mark.parametrize("name", ONLINE)
@given(body=st.text(max_size=300), status=st.sampled_from([200, 202, 400, 401, 403, 422, 429, 432, 500]))
def test_any_text_with_any_status(name, body, status):
    assert all(is_clean(hit) for hit in attempt(name, body))
    refused = SEARCHERS.load(name).refusal(ApiReply(status, {}, body))
    assert refused is None or isinstance(refused, SearchError)
