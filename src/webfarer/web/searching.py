"""What a search engine is, and the seam the engines stand in.

An engine that is asked over HTTP is a pure `request` and a pure `parse`: it never does I/O, reads no environment and
keeps no state. Keys, retries, rate limits, cache, breakers, scope and errors of transport are the business of
:class:`webfarer.web.search.Search`, once for all of them. An offline engine looks at what is on this machine.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeGuard

from webfarer.core.config import Settings
from webfarer.core.errors import SearchError
from webfarer.core.registry import Seam
from webfarer.core.types import Hit
from webfarer.web.archive import Archive

SEARCHERS = Seam("webfarer.web.searchers", "engine", "search engine")
LONGEST = 400
"""Most characters of any query, whatever the engine takes: what an agent asks is also a way out for what it knows."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an engine.

    Attributes:
        text: the words, already cut to what the engine takes.
        results: how many are wanted.
        sites: hosts (with optional path prefix) the results must lie in; () for anywhere. An engine narrows its search
            to them as far as it can; the client drops what lies outside.
        language: ISO 639-1, or "".
        since: only results not older than this year, or None; the client drops older ones whose date is known.
    """

    text: str
    results: int = 10
    sites: tuple[str, ...] = ()
    language: str = ""
    since: int | None = None


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One HTTP request to an API. What is in `secret` (header → value) is sent and never recorded nor shown."""

    url: str
    method: Literal["GET", "POST"] = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ApiReply:
    """What the API answered; header names in lower case, `wire_bytes` the size of what was received."""

    status: int
    headers: Mapping[str, str]
    body: str
    wire_bytes: int = 0


class Engine(Protocol):
    """A search engine asked over HTTP. Its module defines `engine`, an object of this kind.

    Attributes:
        needs: name of the setting without which it cannot work ("serper_api_key"), or "".
        longest: longest query it takes, in characters.
    """

    needs: ClassVar[str]
    longest: ClassVar[int]

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Return the request for `query`.

        Raises:
            NoResults: it cannot hold anything for this query (an encyclopaedia, asked for pages of another site).
        """
        ...

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Return the results of a reply with status 200, best first; an empty list when it found nothing.

        The hits are as :func:`webfarer.web.searchers._replies.hits` makes them; the client fills in `engine`.

        Raises:
            SearchError: it is a refusal all the same, or cannot be read.
        """
        ...

    def refusal(self, reply: ApiReply) -> SearchError | None:
        """Return what another status than 200 means here, or None when it means what it means everywhere.

        `detail["mend"]` of an error says what its reader can do about it.
        """
        ...


class OfflineEngine(Protocol):
    """A search engine on this machine; it sends nothing. Its module defines `engine`, an object of this kind.

    Attributes:
        offline: true.
        needs: as for :class:`Engine`.
        longest: as for :class:`Engine`.
    """

    offline: ClassVar[bool]
    needs: ClassVar[str]
    longest: ClassVar[int]

    async def find(self, query: Query, settings: Settings, archive: Archive) -> list[Hit]:
        """Return the results, best first; an empty list when it found nothing.

        Raises:
            SearchError: it cannot search.
        """
        ...


AnyEngine = Engine | OfflineEngine
_WITH_KEYS = ("searxng", "serper", "brave", "tavily")
_WITHOUT = ("duckduckgo", "wikipedia")


def is_offline(engine: AnyEngine) -> TypeGuard[OfflineEngine]:
    """Say of which of the two kinds an engine is."""
    return getattr(engine, "offline", False)


def configured(settings: Settings) -> tuple[str, ...]:
    """Return the ids of the engines the user chose, or has a key or URL for."""
    return settings.search.engines or tuple(
        name for name in _WITH_KEYS if lacking(SEARCHERS.load(name), settings) is None
    )


def chosen(settings: Settings) -> tuple[str, ...]:
    """Return the ids of the engines in the order they are asked.

    A run records this list as its setting `search.engines`, so that a replay without the keys takes the same way.
    """
    return settings.search.engines or (*configured(settings), *_WITHOUT)


def lacking(engine: AnyEngine, settings: Settings) -> str | None:
    """Return the setting the engine needs and does not have, or None."""
    if not engine.needs:
        return None
    value = getattr(settings, engine.needs)
    given = value if isinstance(value, str) else value.get_secret_value()
    return None if given.strip() else engine.needs


def base_of(engine_id: str, otherwise: str, settings: Settings) -> str:
    """Return the URL an engine's paths are appended to (no slash at its end)."""
    return (settings.search.bases.get(engine_id) or otherwise).rstrip("/")


def named_bases(settings: Settings) -> list[str]:
    """Return the base URLs the user named; their hosts may be private ones."""
    return [url for url in (settings.searxng_url, settings.serper_base_url, *settings.search.bases.values()) if url]


def cut(text: str, longest: int) -> str:
    """Return `text` cut to `longest` characters: between words, unless that would lose more than half of it."""
    if len(text) <= longest:
        return text
    head = text[: longest + 1]
    return head[: head.rfind(" ") if head.rfind(" ") * 2 > longest else longest].rstrip()


def with_operators(query: Query, longest: int, paths: bool = False) -> str:
    """Return the words of `query` with `site:` operators, `longest` characters at most.

    The operators take up to half of that; sites that do not fit are left out, and the client drops what lies outside.

    Args:
        query: what is asked.
        longest: most characters.
        paths: the engine takes a path behind the host.
    """
    sites = dict.fromkeys(f"site:{site if paths else site.partition('/')[0]}" for site in query.sites)
    operators = _alternatives(sites, longest // 2)
    return f"{cut(query.text, longest - len(operators) - 1)} {operators}" if operators else cut(query.text, longest)


def _alternatives(terms: Iterable[str], longest: int) -> str:
    kept: list[str] = []
    for term in terms:
        if len(" OR ".join([*kept, term])) + 2 > longest:
            break
        kept.append(term)
    return f"({' OR '.join(kept)})" if len(kept) > 1 else "".join(kept)
