"""Searching: a query in, hits out; engine after engine until one answers, all of it in the run's trace.

Every attempt at an engine is one call of the run, and whatever depends on this session (cache, breakers, time) is
decided inside that call; so a replayed run takes the same way without them. Not a ranking: an engine's order stays.
Invariants: a query is at most 400 characters; no hit lies outside the sites asked for; no key reaches the trace.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from types import TracebackType
from typing import Any, Self, cast
from weakref import WeakValueDictionary

from webfarer.core.config import Settings
from webfarer.core.errors import (
    ConfigError,
    FetchError,
    NoResults,
    Refused,
    SearchAuth,
    SearchBlocked,
    SearchError,
    SearchRateLimited,
    SearchUnavailable,
    TooLarge,
    boundary,
)
from webfarer.core.run import Call, Outcome, Run
from webfarer.core.types import Hit
from webfarer.web.api import Api
from webfarer.web.archive import Archive
from webfarer.web.breaker import Breaker
from webfarer.web.corpus import in_corpus
from webfarer.web.fetch import retry_after
from webfarer.web.guard import with_scheme
from webfarer.web.language import language_of
from webfarer.web.politeness import Turns
from webfarer.web.scope import Blocklist, Scope
from webfarer.web.searching import (
    LONGEST,
    SEARCHERS,
    AnyEngine,
    ApiReply,
    Engine,
    OfflineEngine,
    Query,
    chosen,
    cut,
    is_offline,
    lacking,
    named_bases,
)

_GRACE = 0.05  # an attempt ends before the run's own deadline does, so that what it received is charged
_BACKOFF = 0.5
_KEPT = 1000
_NEVER = -1.0
_DAY = 86_400.0
_TELLING = (NoResults, SearchAuth, SearchBlocked, SearchRateLimited, SearchUnavailable, SearchError)
_Key = tuple[str, Query]


class Search:
    """The search engines of one session, shared by any number of runs; an async context manager.

    Args:
        settings: which engines, their keys, limits. `archive = "replay"` keeps it off the network.
        archive: what the engines on this machine search; None: those cannot be used.
        clock: monotonic seconds, for the breakers.

    Raises:
        ConfigError: no such engine, or a base URL that cannot be used.
    """

    def __init__(
        self, settings: Settings, archive: Archive | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._engines: dict[str, AnyEngine] = {name: SEARCHERS.load(name) for name in chosen(settings)}
        self._breakers = {name: Breaker(name, clock) for name in self._engines}
        self._blocked = Blocklist(settings.web.blocked)
        self._api = Api(settings.web, named_bases(settings), settings.connect_to)
        self._turns = Turns(settings.web.concurrency)
        self._cache: OrderedDict[_Key, list[Hit]] = OrderedDict()
        self._asking: WeakValueDictionary[_Key, asyncio.Lock] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.__aexit__(kind, error, trace)

    async def find(self, run: Run, text: str, *, sites: Sequence[str] = (), since: int | None = None) -> list[Hit]:
        """Ask the engines in their order, as part of `run`, and return what the first one that answers has found.

        Args:
            run: charged with the bytes received.
            text: the query; what is longer than the engine takes, or than 400 characters, is cut off.
            sites: hosts with optional path prefix; nothing else is returned. () for anywhere.
            since: only pages not known to be older than this year.

        Raises:
            SearchError: no engine answered, or none found anything; `detail["engines"]` says of each what happened.
            BudgetExceeded: no room for another call.
            ConfigError: a site that is no host.
        """
        query = self._query(text, sites, since)
        failures: dict[str, SearchError] = {}
        for name, engine in self._engines.items():
            asked = replace(query, text=cut(query.text, min(engine.longest, LONGEST)))
            request = {"engine": name, **_recorded(asked)}
            try:
                found = await run.call("search", request, partial(self._perform, name, asked), needs={"bytes": 0})
            except SearchError as error:
                failures[name] = error
            else:
                return [Hit.model_validate(hit) for hit in found]
        raise _verdict(query, failures)

    def _query(self, text: str, sites: Sequence[str], since: int | None) -> Query:
        text = " ".join(text.encode("utf-8", "replace").decode().split())
        if not text:
            raise NoResults("the query is empty", engines={})
        places = tuple(dict.fromkeys(map(_place, sites)))
        settings = self._settings.search
        return Query(text, settings.results, places, settings.language or language_of(text), since)

    async def _perform(self, name: str, query: Query, call: Call) -> Outcome:
        engine = self._engines[name]
        cost: dict[str, float] = {}
        if is_offline(engine):
            hits = _kept(name, query, await self._look(name, engine, query), self._blocked)
        else:
            hits, cost = await self._recall(name, cast(Engine, engine), query, call)
        if not hits:
            raise NoResults(f"{name} found nothing", cost=cost)
        return Outcome([hit.model_dump(mode="json") for hit in hits], cost)

    async def _look(self, name: str, engine: OfflineEngine, query: Query) -> list[Hit]:
        """Search on this machine; not kept, for what is there may grow with every page."""
        if self._archive is None:
            raise SearchUnavailable(f"{name} needs an archive, and none is open")
        with boundary(SearchUnavailable, f"searching with {name}"):
            return await engine.find(query, self._settings, self._archive)

    async def _recall(self, name: str, engine: Engine, query: Query, call: Call) -> tuple[list[Hit], dict[str, float]]:
        """Give the hits of this session's cache or, for one of those that ask the same at a time, of the engine."""
        if query.sites:  # a folder of this machine is nobody else's business, not even its name
            query = replace(query, sites=tuple(site for site in query.sites if not in_corpus(f"https://{site}")))
            if not query.sites:
                raise NoResults(f"{name} is not asked about files on this machine")
        key = (name, query)
        lock = self._asking.setdefault(key, asyncio.Lock())
        async with lock:
            if key in self._cache:
                return self._cache[key], {}
            if self._settings.archive == "replay":
                raise SearchUnavailable("replay: no search engine is asked; search the archive with the engine local")
            if setting := lacking(engine, self._settings):
                raise SearchAuth(f"{name} needs the setting {setting}", mend=f"set {setting.upper()}")
            with self._breakers[name].attempt():
                found, cost = await self._persist(name, engine, query, call.seconds - _GRACE)
            hits = self._cache[key] = _kept(name, query, found, self._blocked)
            if len(self._cache) > _KEPT:
                self._cache.popitem(last=False)
            return hits, cost

    async def _persist(
        self, name: str, engine: Engine, query: Query, seconds: float
    ) -> tuple[list[Hit], dict[str, float]]:
        """Try until the engine answers, or no try or time is left."""
        settings = self._settings.search
        clock = asyncio.get_running_loop().time
        deadline, spent, tries = _NEVER, 0.0, 0
        while True:
            async with self._turns.turn(name, settings.delay):
                if deadline == _NEVER:  # waiting for a turn does not count: the engine is not to blame for it
                    deadline = clock() + min(settings.seconds, seconds)
                try:
                    hits, received = await self._once(name, engine, query, max(0.0, deadline - clock()))
                    return hits, {"bytes": spent + received}
                except SearchError as error:
                    spent += error.cost.get("bytes", 0)
                    error.cost = {"bytes": spent}
                    wait = _wait(error, _BACKOFF * 2**tries)
                    if wait is None or tries >= settings.retries or clock() + wait >= deadline:
                        raise
            tries += 1
            await asyncio.sleep(wait)

    async def _once(self, name: str, engine: Engine, query: Query, seconds: float) -> tuple[list[Hit], float]:
        with boundary(SearchUnavailable, f"asking {name}"):
            request = engine.request(query, self._settings)
        try:
            reply = await self._api.send(request, seconds)
        except FetchError as error:
            raise SearchUnavailable(
                error.message,
                cost=error.cost,
                lasting=isinstance(error, Refused | TooLarge),
                cause=type(error).__name__,
            ) from error
        try:
            if reply.status != 200:
                raise engine.refusal(reply) or _general(name, engine, reply)
            with boundary(SearchUnavailable, f"reading the answer of {name}"):
                return engine.parse(reply), reply.wire_bytes
        except SearchError as error:
            error.cost = {"bytes": reply.wire_bytes}
            raise


def _general(name: str, engine: Engine, reply: ApiReply) -> SearchError:
    """Return what a status means everywhere."""
    status, message = reply.status, f"{name} answers with HTTP status {reply.status}"
    if status in (401, 403) and engine.needs.endswith("_key"):
        return SearchAuth(
            f"{name} refuses the key (HTTP {status})", status=status, mend=f"correct {engine.needs.upper()}"
        )
    if status in (401, 403):
        return SearchBlocked(message, status=status)
    if status in (402, 429):
        wait = retry_after(reply.headers.get("retry-after", ""), _NEVER)
        known: dict[str, Any] = {} if wait < 0 else {"retry_after": min(wait, _DAY)}
        return SearchRateLimited(f"{name} has had too many requests (HTTP {status})", status=status, **known)
    passing = status >= 500 or status in (408, 425)
    return SearchUnavailable(message, status=status, lasting=not passing)


def _wait(error: SearchError, otherwise: float) -> float | None:
    """Return the seconds after which another try makes sense, or None."""
    if isinstance(error, SearchRateLimited):
        wait: float | None = error.detail.get("retry_after")
        return wait
    return otherwise if isinstance(error, SearchUnavailable) and not error.detail.get("lasting") else None


def _recorded(query: Query) -> dict[str, Any]:
    facts = asdict(query)
    return {"query": facts.pop("text"), **facts, "sites": list(query.sites)}


def _place(site: str) -> str:
    """Return a site as host and path, in its one spelling."""
    try:
        return Scope(with_scheme(site)).root.partition("://")[2].rstrip("/")
    except Refused as error:
        raise ConfigError(f"{site!r} is no site: {error.message}; write a host, with a path if you like") from error


def _kept(name: str, query: Query, hits: Sequence[Hit], blocked: Blocklist = Blocklist()) -> list[Hit]:
    """Return the hits that keep to the sites and years of the query and are not blocked, as many as are wanted."""
    scopes = [Scope(f"https://{site}") for site in query.sites]
    kept = [hit for hit in hits if not scopes or any(scope.holds(hit.url) for scope in scopes)]
    kept = [hit for hit in kept if not blocked.holds(hit.url)]
    recent = [hit for hit in kept if query.since is None or not hit.date or int(hit.date[:4]) >= query.since]
    return [hit.model_copy(update={"engine": name}) for hit in recent[: query.results]]


def _verdict(query: Query, failures: Mapping[str, SearchError]) -> SearchError:
    """Return the most telling of the failures, with all of them in its message and detail."""
    kind = next(kind for kind in _TELLING if any(isinstance(error, kind) for error in failures.values()))
    told: dict[str, dict[str, Any]] = {
        name: {"error": type(error).__name__, "message": error.message, **error.detail}
        for name, error in failures.items()
    }
    parts = [f"{name}: {one['message']}" + (f" ({one['mend']})" if "mend" in one else "") for name, one in told.items()]
    return kind(f"no results for {query.text[:100]!r}: {'; '.join(parts)}", query=query.text, engines=told)
