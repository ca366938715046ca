"""Which addresses may be opened: those seen, exactly as they were seen, and nothing a model made up of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.agents.provenance import LONGEST_QUERY, Provenance, UnknownOrigin, key_of
from webfarer.core.errors import Refused
from webfarer.core.types import Link, Page

SEEN = "https://a.example/docs/page?id=7"


def page(*urls: str, url: str = "https://a.example/") -> Page:
    links = tuple(Link(number, target, "label") for number, target in enumerate(urls, 1))
    return Page("p", url, "", "", links, canonical=url)


@pytest.mark.parametrize(
    "url",
    [
        SEEN,
        SEEN + "#part",
        "http://a.example/docs/page?id=7",
        "HTTPS://A.EXAMPLE:443/docs/page?id=7",
        "a.example/docs/page?id=7",
        " https://a.example/docs/./page?id=7 ",
    ],
)
def test_spellings_of_one_address_lead_to_it_as_it_was_seen(url: str) -> None:
    known = Provenance()
    known.allow(SEEN)
    assert known.check(url) == SEEN


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/docs/page",
        "https://a.example/docs/page?id=7&q=secret",
        "https://a.example/docs/page?id=8",
        "https://a.example/docs/page/secret?id=7",
        "https://secret.a.example/docs/page?id=7",
        "https://a.example:8443/docs/page?id=7",
        "https://a.example@evil.test/docs/page?id=7",
        "https://user:secret@a.example/docs/page?id=7",
        "https://a.example.evil.test/docs/page?id=7",
        "https://evil.test/https://a.example/docs/page?id=7",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/html,x",
        "",
        "://",
        "https://",
        "\ud83d",
    ],
)
def test_anything_else_is_of_unknown_origin(url: str) -> None:
    known = Provenance()
    known.allow(SEEN)
    with pytest.raises(UnknownOrigin):
        known.check(url)


def test_links_of_a_page_that_was_read_are_known_and_links_of_links_are_not() -> None:
    known = Provenance()
    known.saw(page("https://b.example/x", "http://c.example/?q=1"))
    assert known.check("https://a.example") == "https://a.example/"
    assert known.check("https://b.example/x/") == "https://b.example/x"
    assert known.check("http://c.example/?q=1") == "http://c.example/?q=1"
    with pytest.raises(UnknownOrigin):
        known.check("https://b.example/")


@pytest.mark.parametrize(
    "question",
    [
        f"What does {SEEN} say?",
        f"See ({SEEN}).",
        f'See "{SEEN}", please',
        f"请看{SEEN}。",
        f"见《{SEEN}》",
        f"<{SEEN}>",
    ],
)
def test_addresses_in_the_question_are_the_users_own(question: str) -> None:
    assert Provenance(question).check(SEEN) == SEEN


def test_long_queries_are_for_people_only() -> None:
    long = "https://a.example/?q=" + "x" * LONGEST_QUERY
    known = Provenance()
    known.allow(long)
    with pytest.raises(Refused, match="query string"):
        known.check(long)
    known.grant(long)
    assert known.check(long) == long
    assert Provenance(start=[long]).check(long) == long


def test_chosen_sites_are_a_wall_for_known_addresses_too() -> None:
    known = Provenance("see http://b.example/x", sites=["a.example/docs"])
    known.allow(SEEN, "https://a.example/other")
    assert known.check(SEEN) == SEEN
    for url in ("http://b.example/x", "https://a.example/other", "https://a.example/docs/../other", "b.example"):
        with pytest.raises(Refused) as refused:
            known.check(url)
        assert not isinstance(refused.value, UnknownOrigin)  # nobody is asked about it
    assert (known.inside(SEEN), known.inside("https://a.example/docsx")) == (True, False)


URLS = st.builds(
    lambda host, path, query: f"http://{host}.example/{path}" + (f"?{query}" if query else ""),
    st.sampled_from("abc"),
    st.text(st.sampled_from("xy/%. é"), max_size=6),
    st.text(st.sampled_from("q=&1 +%"), max_size=6),
)


@given(st.lists(URLS, max_size=4), URLS)
def test_only_what_was_allowed_is_opened(seen: list[str], asked: str) -> None:
    known = Provenance()
    known.allow(*seen)
    if key_of(asked) in map(key_of, seen):
        assert key_of(known.check(asked)) == key_of(asked)
    else:
        with pytest.raises(UnknownOrigin):
            known.check(asked)
