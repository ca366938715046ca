"""Markup that is rewritten before the parser sees it: shallow, balanced, and with the text it had."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.web.extract import read_page
from webfarer.web.tame import tame

URL = "https://site.example/a/b.html"
FILLER = f"<br title='{'x' * 100_000}'>"  # a tag long enough for a rewrite, and nothing to read


def depth(html: str) -> int:
    """Return the deepest nesting, insisting that every tag closes the one opened last."""
    stack: list[str] = []
    deepest = 0
    for close, name in re.findall(r"<(/?)([a-z0-9]+)", html):
        if close:
            assert stack.pop() == name
        elif name not in ("br", "img"):
            stack.append(name)
            deepest = max(deepest, len(stack))
    assert not stack
    return deepest


@pytest.mark.parametrize("html", ["", "plain", "<p>a<p>b", "<b a=1><!-- x --></i>" * 500, "<div>" * 14_000])
def test_ordinary_markup_is_left_alone(html: str) -> None:
    assert tame(html) is html


def test_old_markup_without_end_tags_reads_the_same() -> None:
    parts = [f"<li>item <b>{n}</b><p>more <i>text" for n in range(5_000)]
    long = read_page(f"<ul>{''.join(parts)}".encode(), url=URL).markdown
    short = read_page(f"<ul>{''.join(parts[:100])}".encode(), url=URL).markdown
    assert long.startswith(short)
    assert long.count("- item") == 5_000


names = st.sampled_from("div p span b ul li table tr td a code h1".split())
tags = st.one_of(
    names.map("<{}>".format), names.map("</{}>".format), st.sampled_from(["word ", "< ", "<!-- c -->", "<img x='>'>"])
)


@given(st.lists(tags, max_size=80).map("".join))
@settings(max_examples=80, deadline=None)
def test_the_rewritten_markup_is_balanced_and_keeps_the_words(html: str) -> None:
    rewritten = tame(FILLER + html)
    assert depth(rewritten) <= 256
    assert rewritten.count("word") == html.count("word")


def test_depth_is_bounded() -> None:
    assert depth(tame("<div><span>x" * 20_000)) == 256


def test_scripts_comments_and_endless_attributes_go_the_title_stays() -> None:
    head = "<title>a < b</title><script>'<div>'</script><!-- <div> --><style>x</style>"
    attributes = " ".join(f"a{n}" for n in range(3_000))
    rewritten = tame(f'{FILLER}{head}<p {attributes}>x</p><img alt="A dog" src="{"d" * 9_000}">')
    assert rewritten == '<br title=""><title>a < b</title><p>x</p><img alt="A dog" src="">'
