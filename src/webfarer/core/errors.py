"""Every error Webfarer raises on purpose, in one tree.

::

    WebfarerError
    ├── ConfigError               the user's input or settings cannot work; says what to do
    │   └── UnknownPlugin         no such id in a seam; lists the known ones
    ├── BudgetExceeded            a limit would be passed; `meter` names it
    ├── FetchError                a page did not arrive
    │   ├── Refused               our own rules said no; nothing was sent
    │   │   ├── AddressRefused    private, loopback, metadata … address
    │   │   ├── RobotsRefused     robots.txt disallows it
    │   │   └── ScopeRefused      outside the site that was asked about
    │   ├── Unreachable           unknown host, refused connection, TLS failure, broken transfer
    │   ├── FetchTimeout          connect, first byte or total deadline passed
    │   ├── TooLarge              wire bytes, decoded bytes or expansion ratio passed
    │   ├── RedirectLoop          too many redirects, or a circle
    │   ├── HttpStatus            the server answered 4xx or 5xx; `status` holds it
    │   ├── NotReadable           no text we can read (an image, an archive, …)
    │   └── ArchiveMiss           replay mode and the archive does not hold it
    ├── SearchError               a search engine gave no results
    │   ├── NoResults             it answered, and found nothing
    │   ├── SearchRateLimited     too many requests, or the plan is used up
    │   ├── SearchAuth            the key is missing or refused
    │   ├── SearchBlocked         a CAPTCHA, a block page, or an interface that is turned off there
    │   └── SearchUnavailable     unreachable, 5xx, or an answer that cannot be read; may pass
    ├── ModelError                the chat model did not answer
    │   ├── ModelAuth             key refused
    │   ├── RateLimited           429 after every retry
    │   ├── ModelTimeout          deadline passed
    │   ├── ModelUnavailable      unknown host, refused connection, 5xx after every retry
    │   ├── ContextOverflow       the prompt does not fit the context window
    │   ├── EngineBusy            our own engine's waiting line is full
    │   └── BadReply              malformed even after the repair turn
    └── TraceError                a run's log cannot be used
        ├── ReplayMismatch        the run took another way than its recording
        ├── TraceVersion          written by another version of the format
        └── TraceLocked           another process is writing this run

Plugins raise plain errors; :func:`boundary` turns them into this tree once. Traces record them
(:meth:`WebfarerError.to_dict`) and give them back (:func:`from_dict`), so a replayed run fails exactly as it did.
"""

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any


class WebfarerError(Exception):
    """Root of the tree.

    `detail` holds JSON-able facts about the failure (url, status, …) and is recorded with it.
    `cost` holds what the failed attempt consumed, by meter name (see :class:`webfarer.core.fare.Fare`).
    """

    def __init__(self, message: str, *, cost: Mapping[str, float] | None = None, **detail: Any) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.cost: dict[str, float] = dict(cost or {})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: class name, message, detail."""
        return {"error": type(self).__name__, "message": self.message, "detail": self.detail}


class ConfigError(WebfarerError):
    """The user's input or settings cannot work."""


class UnknownPlugin(ConfigError):
    """No plugin of that id."""


class BudgetExceeded(WebfarerError):
    """A limit would be passed; `detail["meter"]` names it."""


class FetchError(WebfarerError):
    """A page did not arrive."""


class Refused(FetchError):
    """Our own rules said no; nothing was sent."""


class AddressRefused(Refused):
    """The address is not one of the public internet, or not one a client may use."""


class RobotsRefused(Refused):
    """robots.txt disallows the URL."""


class ScopeRefused(Refused):
    """The URL lies outside the site that was asked about."""


class Unreachable(FetchError):
    """Unknown host, refused connection, TLS failure or broken transfer."""


class FetchTimeout(FetchError):
    """A deadline of the fetch passed."""


class TooLarge(FetchError):
    """The body passed a size limit."""


class RedirectLoop(FetchError):
    """Too many redirects, or a circle."""


class HttpStatus(FetchError):
    """The server answered 4xx or 5xx."""


class NotReadable(FetchError):
    """The body holds no text that can be read."""


class ArchiveMiss(FetchError):
    """Replay mode, and the archive does not hold the URL."""


class SearchError(WebfarerError):
    """A search engine gave no results."""


class NoResults(SearchError):
    """The engine answered, and found nothing."""


class SearchRateLimited(SearchError):
    """Too many requests, or the plan is used up."""


class SearchAuth(SearchError):
    """The engine's key is missing or refused."""


class SearchBlocked(SearchError):
    """The engine shows a CAPTCHA or a block page, or its interface is turned off."""


class SearchUnavailable(SearchError):
    """The engine cannot be reached, fails, or gives an answer that cannot be read."""


class ModelError(WebfarerError):
    """The chat model did not answer."""


class ModelAuth(ModelError):
    """The key was refused."""


class RateLimited(ModelError):
    """Too many requests, after every retry."""


class ModelTimeout(ModelError):
    """The deadline passed."""


class ModelUnavailable(ModelError):
    """The endpoint cannot be reached or fails, after every retry."""


class ContextOverflow(ModelError):
    """The prompt does not fit the model's context window."""


class EngineBusy(ModelError):
    """The local engine's waiting line is full; try again later."""


class BadReply(ModelError):
    """The reply was malformed, also after the repair turn."""


class TraceError(WebfarerError):
    """A run's log cannot be used."""


class ReplayMismatch(TraceError):
    """The run took another way than its recording."""


class TraceVersion(TraceError):
    """The log was written by another version of the format."""


class TraceLocked(TraceError):
    """Another process is writing this run."""


def _tree(root: type[WebfarerError]) -> Iterator[type[WebfarerError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


def from_dict(record: Mapping[str, Any]) -> WebfarerError:
    """Rebuild an error from :meth:`WebfarerError.to_dict`; an unknown class becomes the root class."""
    known = {cls.__name__: cls for cls in _tree(WebfarerError)}
    return known.get(record["error"], WebfarerError)(record["message"], **record.get("detail", {}))


class boundary:
    """Classify whatever a plugin raises as `kind`, once; errors of the tree pass unchanged.

    A class, because it stands around every token: entering a generator's context takes five times as long.

    Args:
        kind: the class of the tree that stands for this boundary.
        what: what was being done, for the message ("parsing https://…").
        **detail: recorded with the error.
    """

    __slots__ = ("_detail", "_kind", "_what")

    def __init__(self, kind: type[WebfarerError], what: str, **detail: Any) -> None:
        self._kind, self._what, self._detail = kind, what, detail

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        if isinstance(error, Exception) and not isinstance(error, WebfarerError):
            raise self._kind(f"{self._what}: {type(error).__name__}: {error}", **self._detail) from error
