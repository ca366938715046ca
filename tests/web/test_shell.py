"""Which pages are empty shells, and which say enough without their scripts."""

import pytest

from webfarer.web.extract import read_page
from webfarer.web.shell import needs_browser
from webfarer.worlds.scripts import MISDEEDS, SHELL

TEXT = "The archive opens at nine and closes at five, and on Mondays it stays closed for the whole of the day. " * 2
SCRIPT = "<script src=/app.js></script>"


def shell(html: str) -> bool:
    body = html.encode()
    return needs_browser(read_page(body, url="https://site.example/", content_type="text/html"), body, "text/html")


@pytest.mark.parametrize(
    "html",
    [
        SHELL,
        f"<div id=root></div>{SCRIPT}",
        f"<div id=app><p>Loading…</p></div>{SCRIPT}",
        f"<title>A title</title><app-root></app-root>{SCRIPT}",
        f"<header><nav><a href=/a>About us</a> <a href=/b>Contact</a></nav></header><main></main>{SCRIPT}",
        f"<nav><a href=/a>About</a></nav><div id=__next></div><footer>{TEXT}</footer>{SCRIPT}",
        f"<noscript>This site requires JavaScript.</noscript><p>Welcome</p><a href=/a>A</a>{SCRIPT}",
        f"<noscript>请启用 JavaScript 后继续</noscript><div id=app></div>{SCRIPT}",
        "<body><script>document.body.append('later')</script></body>",
        f"<p>加载中</p>{SCRIPT}",
    ],
)
def test_shells(html: str) -> None:
    assert shell(html)


@pytest.mark.parametrize(
    "html",
    [
        "<div id=root></div>",
        f"<main><h1>Archive</h1><p>{TEXT}</p></main>{SCRIPT}",
        f"<div id=root><h1>Archive</h1><p>{TEXT}</p></div>{SCRIPT}",
        f"<p>A short page</p><p><a href=/a>and a link</a></p>{SCRIPT}",
        f"<div id=app></div><p>{TEXT * 4}</p>{SCRIPT}",
        f"<noscript>Please enable JavaScript</noscript><p>{TEXT * 4}</p>{SCRIPT}",
        "<noscript>Please enable JavaScript</noscript><p>Nothing to run</p>",
        '<div id=root></div><script type="application/ld+json">{"a": 1}</script>',
        f"<title>Sign in</title><form><input type=password></form><div id=root></div>{SCRIPT}",
        f"<title>Just a moment...</title><p>Checking your browser</p><div id=root></div>{SCRIPT}",
        "just text, and the word <script is in it",
    ],
)
def test_pages_that_need_no_browser(html: str) -> None:
    assert not shell(html)


def test_hostile_pages_are_judged_like_others() -> None:
    assert all(isinstance(shell(html), bool) for html in MISDEEDS.values())
