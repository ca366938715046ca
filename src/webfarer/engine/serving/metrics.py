"""The server's meters, in Prometheus' text format: requests, tokens, waiting times, and what the engine holds.

Counts per server, not per process: two servers in one process do not mix. Not the fare of a run, which has its own
ledger. Invariant: a label takes only values from the code, never a client's.
"""

import asyncio
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from webfarer.engine.engine import Engine
from webfarer.engine.sampling import Finished, Token

_WAITS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100)


class Metrics:
    """The meters of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("webfarer_requests", "HTTP requests.", ["endpoint", "status"], registry=registry)
        self._ended = Counter("webfarer_sequences", "Sequences, by why they ended.", ["reason"], registry=registry)
        self._prompt = Counter("webfarer_prompt_tokens", "Prompt tokens read.", registry=registry)
        self._read = 0  # those that the counter has
        self._drawn = Counter("webfarer_completion_tokens", "Tokens drawn.", registry=registry)
        self._evicted = Counter("webfarer_evictions", "Cache slots given up.", registry=registry)
        self._guessed = Counter("webfarer_drafted_tokens", "Guessed tokens that were checked.", registry=registry)
        self._stood = Counter("webfarer_accepted_tokens", "Guessed tokens that stood.", registry=registry)
        self._first = Histogram(
            "webfarer_first_token_seconds", "From request to first token.", buckets=_WAITS, registry=registry
        )
        self._whole = Histogram(
            "webfarer_sequence_seconds", "From request to last token.", buckets=_WAITS, registry=registry
        )
        self._active = Gauge("webfarer_sequences_active", "Sequences being drawn.", registry=registry)
        self._waiting = Gauge("webfarer_sequences_waiting", "Sequences waiting for a row.", registry=registry)
        self._cache = Gauge("webfarer_cache_bytes", "Allocated for keys and values.", registry=registry)
        self._known = Gauge("webfarer_known_bytes", "Keys and values kept of earlier prompts.", registry=registry)

    def heard(self, event: Token | Finished, since: float) -> None:
        """Count an event of a sequence that was asked for at `since` (`time.perf_counter`)."""
        seconds = time.perf_counter() - since
        if isinstance(event, Finished):
            self._whole.observe(seconds)
            self._ended.labels(event.reason).inc()
            self._drawn.inc(event.usage.completion_tokens)
            self._evicted.inc(event.usage.evictions)
            self._guessed.inc(event.usage.drafted)
            self._stood.inc(event.usage.accepted)
        elif event.index == 0:
            self._first.observe(seconds)

    async def page(self, engine: Engine) -> bytes:
        """Return all meters as Prometheus reads them."""
        stats = await asyncio.to_thread(engine.stats)  # waits for the end of the engine's round
        self._prompt.inc(max(0, stats.prompt_tokens - self._read))
        self._read = max(self._read, stats.prompt_tokens)
        self._active.set(stats.active)
        self._waiting.set(stats.waiting)
        self._cache.set(stats.cache_bytes)
        self._known.set(stats.known_bytes)
        return generate_latest(self._registry)
