"""The checks of `webfarer doctor`: each says what it found and, when something is wrong, how to mend it."""

import os
import platform
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any, Literal

from webfarer import __version__
from webfarer.agents.decisions import POLICIES
from webfarer.apps.cli._browser_check import browser_check
from webfarer.apps.cli._model_check import model_problem
from webfarer.apps.cli._origins import origins
from webfarer.apps.cli._search_check import search_problem
from webfarer.core.config import Settings, load_settings
from webfarer.core.errors import ConfigError, FetchError
from webfarer.web.archive import Archive
from webfarer.web.fetch import Fetcher
from webfarer.web.searching import chosen, configured
from webfarer.worlds.server import html_response, listen

_EXTRA = re.compile(r"""^([\w.-]+)[^;]*;.*\bextra == ["']([\w-]+)["']""")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report; `mend` says what to do about a warning or a problem."""

    state: Literal["ok", "warning", "problem"]
    what: str
    found: str
    mend: str = ""


async def checks(**flags: Any) -> AsyncIterator[Check]:
    """Yield every check; `flags` are settings given on the command line."""
    where = f"{platform.system()} {platform.machine()}"
    yield Check("ok", "webfarer", f"{__version__}, Python {platform.python_version()}, {where}")
    for extra in _extras():
        yield extra
    try:
        settings = load_settings(**flags)
    except ConfigError as error:
        yield Check("problem", "settings", error.message, "correct it; nothing else can be checked before")
        return
    yield Check("ok", "settings", "; ".join(origins(settings, flags)) or "all at their defaults")
    for check in (*_home(settings), _policy(settings), *_manners(settings)):
        yield check
    yield await _fetch(settings)
    state, found, mend = await browser_check(settings)
    yield Check(state, "browser", found, mend)
    yield await _model(settings)
    async for check in _search(settings):
        yield check


def _extras() -> Iterator[Check]:
    extras: dict[str, list[str]] = {}
    for requirement in (requires("webfarer") or []) if _installed("webfarer") else []:
        if found := _EXTRA.match(requirement):
            extras.setdefault(found[2], []).append(found[1])
    for extra, packages in extras.items():
        missing = [package for package in packages if not _installed(package)]
        state = f"not installed: {', '.join(missing)} (pip install 'webfarer[{extra}]')" if missing else "installed"
        yield Check("ok", f"extra {extra}", state)


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _home(settings: Settings) -> Iterator[Check]:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        problem = f"{settings.home} cannot be written: {error.strerror}"
        yield Check("problem", "home", problem, "choose another folder: --home DIR or WEBFARER_HOME")
        return
    yield Check("ok", "home", str(settings.home))
    try:
        Archive(settings.home / "archive.db").close()
    except ConfigError as error:
        yield Check("problem", "archive", error.message, "move that file away, or choose another home")
    else:
        yield Check("ok", "archive", "opens")


def _policy(settings: Settings) -> Check:
    name = settings.policy or ("chat" if settings.model else "lexical")
    known = POLICIES.ids()
    if name not in known:
        return Check("problem", "policy", f"there is no policy {name!r}", f"set WEBFARER_POLICY to {', '.join(known)}")
    if name == "chat" and not settings.model:
        return Check("problem", "policy", "chat needs a model, and none is set", "set WEBFARER_MODEL, or no policy")
    return Check("ok", "policy", name)


def _manners(settings: Settings) -> Iterator[Check]:
    web = settings.web
    yield Check("ok", "user agent", f"{web.user_agent} ({web.contact})" if web.contact else web.user_agent)
    if web.robots:
        yield Check("ok", "robots.txt", "obeyed")
    else:
        yield Check("warning", "robots.txt", "not asked", "set web.robots = true unless the sites are your own")
    if web.allow_private:
        hosts = ", ".join(web.allow_private)
        yield Check("warning", "guard", f"lets pages lead to {hosts}", "empty web.allow_private when done with them")
    proxy = next((name for name in _PROXIES if os.environ.get(name)), None)
    if proxy:
        yield Check("warning", "proxy", f"{proxy} is set, but pages are fetched without a proxy", "connect directly")


async def _fetch(settings: Settings) -> Check:
    async def handle(request: object) -> Any:
        return html_response("<p>ok</p>")

    web = settings.web.model_copy(update={"allow_private": ("127.0.0.1",)})
    try:
        async with listen(handle) as site, Fetcher(web) as fetcher:
            answer = await fetcher.fetch(site.url, seconds=10)
    except (FetchError, OSError) as error:
        return Check("problem", "fetch", f"a page on 127.0.0.1 did not arrive: {error}", "look for a local firewall")
    return Check("ok", "fetch", f"a page on 127.0.0.1 arrived, {len(answer.body)} bytes")


async def _model(settings: Settings) -> Check:
    if not settings.model:
        return Check("ok", "model", "none; the lexical policy answers, which needs no key")
    problem = await model_problem(settings)
    if problem:
        return Check("problem", "model", f"{settings.model}: {problem[0]}", problem[1])
    return Check("ok", "model", f"{settings.model} is there")


async def _search(settings: Settings) -> AsyncIterator[Check]:
    engines = configured(settings)
    if not engines:
        found = f"no engine is configured; {' and '.join(chosen(settings))} will be asked, which need no key"
        yield Check("ok", "search", found)
    for engine in engines:
        problem = await search_problem(settings, engine)
        if problem:
            yield Check("problem", f"search {engine}", problem[0], problem[1])
        else:
            yield Check("ok", f"search {engine}", "answers")
