"""A circuit breaker: who failed again and again is left alone for a while.

Closed: every call passes. Open: none does. Half-open, when the pause is over: one call passes, and its outcome closes
the breaker or opens it again. A refused key opens it for good. Not a retry: it never waits. Source: Nygard, "Release
It!", 2007.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from webfarer.core.errors import NoResults, SearchAuth, SearchError, SearchRateLimited, SearchUnavailable

FAILURES = 3
PAUSE = 60.0


class Breaker:
    """The breaker of one search engine.

    Args:
        name: of the engine, for messages.
        clock: monotonic seconds.
    """

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._failures = 0
        self._open_until = -math.inf
        self._trying = False
        self._last: SearchError | None = None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Let a call pass and learn from what it raises; finding nothing is no failure, being cancelled neither.

        Raises:
            SearchError: none may pass now. Of the class of the last failure; `detail["skipped"]` is true.
        """
        self._check()
        trial = self._failures >= FAILURES
        self._trying = trial
        try:
            yield
        except NoResults:
            self._failures = 0
            raise
        except SearchError as error:
            self._fail(error)
            raise
        else:
            self._failures = 0
        finally:
            if trial:
                self._trying = False

    def _check(self) -> None:
        left = self._open_until - self._clock()
        if left <= 0 and not self._trying:
            return
        kind = type(self._last) if self._last else SearchUnavailable
        again = "for this session" if left == math.inf else f"for {max(left, 0):.0f} s more"
        why = f" ({self._last.message})" if self._last else ""
        raise kind(
            f"{self._name} is not asked {again}{why}", **{**(self._last.detail if self._last else {}), "skipped": True}
        )

    def _fail(self, error: SearchError) -> None:
        self._failures += 1
        self._last = error
        if isinstance(error, SearchAuth):
            self._open_until = math.inf
        elif isinstance(error, SearchRateLimited) and error.detail.get("retry_after"):
            self._open_until = max(self._open_until, self._clock() + error.detail["retry_after"])
        if self._failures >= FAILURES:
            self._open_until = max(self._open_until, self._clock() + PAUSE)
