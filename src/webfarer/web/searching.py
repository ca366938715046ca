"""What a search engine is: a pure `request` and a pure `parse`; and the seam the engines stand in.

An engine never does I/O, reads no environment and keeps no state: keys, retries, rate limits, cache, length limits and
errors of transport are the business of :class:`webfarer.web.search.Search`, once for all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol

from webfarer.core.config import Settings
from webfarer.core.registry import Seam
from webfarer.core.types import Hit

SEARCHERS = Seam("webfarer.web.searchers", "engine", "search engine")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of an engine.

    Attributes:
        text: the words, already cut to what the engine takes.
        results: how many are wanted.
        sites: hosts (with optional path prefix) the results must lie in; () for anywhere.
        language: ISO 639-1, or "".
        since: only results not older than this year, or None.
    """

    text: str
    results: int = 10
    sites: tuple[str, ...] = ()
    language: str = ""
    since: int | None = None


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One HTTP request to an engine. What is in `secret` (header → value) is sent and never recorded."""

    url: str
    method: Literal["GET", "POST"] = "GET"
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ApiReply:
    """What the engine answered; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


class Engine(Protocol):
    """One search engine. Modules of the seam define `engine`, an object of this kind.

    Attributes:
        needs: name of the setting without which it cannot work ("serper_api_key"), or "".
        longest: longest query it takes, in characters.
    """

    needs: ClassVar[str]
    longest: ClassVar[int]

    def request(self, query: Query, settings: Settings) -> ApiRequest:
        """Return the request for `query`."""
        ...

    def parse(self, reply: ApiReply) -> list[Hit]:
        """Return the results, best first; an empty list when it found nothing.

        Raises:
            SearchError: the reply is a refusal of this engine's own kind. What any HTTP status means in general is
                decided before this is called, for statuses other than 200 only when this returns without raising.
        """
        ...
