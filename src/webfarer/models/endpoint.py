"""A chat model behind any OpenAI-compatible server: OpenAI, vLLM, SGLang, llama.cpp, Ollama, a gateway.

No streaming and no cache. One deadline bounds a call with all its tries; what a server lacks (JSON schemas, tools, a
seed) is learnt from its refusals, done without from then on and reported with each reply. A prompt that does not fit
the context window is refused here, because some servers drop its head without a word.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_exponential, wait_random

from webfarer.core.errors import (
    BadReply,
    ConfigError,
    ContextOverflow,
    ModelAuth,
    ModelError,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    WebfarerError,
)
from webfarer.core.run import Call
from webfarer.models import wire
from webfarer.models.base import Attempt, Message, Reply, Sampling, Tool
from webfarer.models.tokens import estimate_prompt

if TYPE_CHECKING:
    from openai import APIConnectionError, APIStatusError, AsyncOpenAI

OPENAI_URL = "https://api.openai.com/v1"
_NO_KEY = "none"  # local servers want a header and do not read it
_CONNECT_SECONDS = 5.0
_SPENT = ("insufficient_quota", "billing_hard_limit_reached")


@dataclass(frozen=True, slots=True)
class Patience:
    """How failed tries are repeated: how often in all, and the first and longest wait in seconds between two."""

    tries: int = 5
    first_wait: float = 0.5
    max_wait: float = 20.0


class _Again(Exception):
    """A failure that may pass; `after` is the wait the server asked for."""

    def __init__(self, error: ModelError, after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after = after


class Endpoint:
    """A model at a server; one per event loop.

    Args:
        name: the model's name there.
        base_url: the server's address, usually ending in /v1.
        api_key: "" for a server that wants none.
        context: context window in tokens.
        patience: how failed tries are repeated.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str = OPENAI_URL,
        api_key: str = "",
        context: int = 32_768,
        patience: Patience = Patience(),
    ) -> None:
        self.name = name
        self.context = context
        self.base_url = base_url
        self._api_key = api_key
        self._patience = patience
        self._lacks: set[str] = set()
        self._client: AsyncOpenAI | None = None

    def count(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Return the estimated number of prompt tokens."""
        return estimate_prompt(messages, tools)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return the model's reply; `call.id` is sent as idempotency key.

        Raises:
            ConfigError: the server does not know the model.
            ModelError: of the tree; `detail["attempts"]` holds the tries before.
        """
        prompt = self.count(messages, tools)
        if prompt + sampling.max_tokens > self.context:
            raise ContextOverflow(
                f"about {prompt} prompt tokens and {sampling.max_tokens} for the reply pass the context window of "
                f"{self.name}, {self.context} tokens",
                prompt=prompt,
            )
        attempts: list[Attempt] = []
        self._connect()  # the first time this imports the client, which is not to eat from the deadline
        try:
            async with asyncio.timeout(sampling.seconds):
                async for attempt in self._retrying(attempts, sampling.seconds):
                    with attempt:
                        reply = await self._try(messages, tools, sampling, call)
        except TimeoutError as error:
            raise self._failed(_timeout(sampling.seconds), attempts, prompt) from error
        except _Again as error:
            raise self._failed(error.error, attempts, prompt) from error
        degraded = wire.done_without(self._lacks, tools, sampling)
        return replace(reply, attempts=tuple(attempts), degraded=degraded)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    def _failed(self, error: ModelError, attempts: list[Attempt], prompt: int) -> ModelError:
        """Return `error` with the tries before it; a prompt that was read counts as paid, whatever came of it."""
        error.detail["attempts"] = [asdict(attempt) for attempt in attempts]
        if isinstance(error, ModelTimeout | BadReply):
            error.cost = {"tokens_in": prompt}
        return error

    def _retrying(self, attempts: list[Attempt], seconds: float) -> AsyncRetrying:
        first = self._patience.first_wait
        backoff = wait_exponential(first, max=self._patience.max_wait) + wait_random(0, first)

        def wait(state: RetryCallState) -> float:
            after = state.outcome.exception().after  # type: ignore[union-attr]
            return backoff(state) if after is None else float(after)

        def note(state: RetryCallState) -> None:
            error: ModelError = state.outcome.exception().error  # type: ignore[union-attr]
            attempts.append(Attempt(type(error).__name__, error.message, round(state.upcoming_sleep, 3)))

        return AsyncRetrying(
            retry=retry_if_exception_type(_Again),
            wait=wait,
            stop=stop_after_attempt(self._patience.tries) | stop_before_delay(seconds),
            before_sleep=note,
            reraise=True,
        )

    async def _try(
        self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling, call: Call | None
    ) -> Reply:
        """Send one request, again at once without a parameter that the server refuses."""
        from openai import APIConnectionError, APIStatusError, Timeout

        # half the deadline each, so that one hung connection leaves time for another try
        timeout = Timeout(sampling.seconds / 2, connect=min(_CONNECT_SECONDS, sampling.seconds))
        headers = {"Idempotency-Key": call.id} if call else {}
        while True:
            body = wire.request(self.name, messages, tools, sampling, self._lacks)
            try:
                answer = await self._connect().post(
                    "/chat/completions", cast_to=object, body=body, options={"headers": headers, "timeout": timeout}
                )
                return wire.reply(answer, self.count(messages, tools))
            except APIStatusError as error:
                lack = _lack(error, body)
                if lack is None:
                    raise self._refusal(error) from error
                self._lacks.add(lack)
            except APIConnectionError as error:
                raise _Again(self._unreached(error, sampling.seconds / 2)) from error
            except ValueError as error:
                raise _Again(BadReply(f"{self.base_url} sent no usable reply: {error}")) from error

    def _connect(self) -> "AsyncOpenAI":
        if self._client is None:
            from openai import AsyncOpenAI, DefaultAioHttpClient

            # its default transport looks through all open connections at each request; this one costs half at 200
            self._client = AsyncOpenAI(
                base_url=self.base_url,
                api_key=self._api_key or _NO_KEY,
                max_retries=0,
                http_client=DefaultAioHttpClient(),
            )
        return self._client

    def _unreached(self, error: "APIConnectionError", seconds: float) -> ModelError:
        """Return what kept the answer from coming; the transport calls refused and lost connections timeouts too."""
        cause = error.__cause__
        if cause is not None and isinstance(cause.__cause__, TimeoutError):
            return _timeout(seconds)
        return ModelUnavailable(f"{self.base_url} cannot be reached ({cause or error}); is the server running?")

    def _refusal(self, error: "APIStatusError") -> WebfarerError | _Again:
        """Return the error of our tree that stands for an answer other than 200."""
        status, said, code = error.status_code, _said(error), str(error.code or "")
        said = said.replace(self._api_key, "[key]") if self._api_key else said
        what = f"{self.base_url} answered {status}: {said}"
        if status in (401, 403):
            return ModelAuth(
                f"{what}. Set the key it expects as OPENAI_API_KEY (or WEBFARER_API_KEY), or another server as "
                "OPENAI_BASE_URL",
                status=status,
            )
        if status == 402 or code in _SPENT:
            return RateLimited(f"{what}. The account has no credit left", status=status)
        if status == 429:
            return _Again(RateLimited(what, status=status), _retry_after(error))
        if status in (408, 409) or status >= 500:
            return _Again(ModelUnavailable(what, status=status), _retry_after(error))
        if wire.overflows(said, code):
            return ContextOverflow(f"{what}. Is the setting `context` larger than the model's window?", status=status)
        if status == 404:
            return ConfigError(
                f"{what}. Is {self.name!r} the model's name there, and does the address end as it should (/v1)?"
            )
        return ModelError(what, status=status)


def _timeout(seconds: float) -> ModelTimeout:
    return ModelTimeout(f"no reply within {seconds:.0f} s")


def _said(error: "APIStatusError") -> str:
    body: Any = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or body or error.message)[:500]


def _lack(error: "APIStatusError", body: dict[str, Any]) -> str | None:
    said = _said(error)
    if error.status_code not in (400, 404, 422, 501) or wire.overflows(said, str(error.code or "")):
        return None
    return wire.missing(body, said, error.param or "")


def _retry_after(error: "APIStatusError") -> float | None:
    """Read how long the server asks to wait: milliseconds (OpenAI), seconds or a date (RFC 9110)."""
    headers = error.response.headers
    value, unit = headers.get("retry-after-ms"), 0.001
    if value is None:
        value, unit = headers.get("retry-after", ""), 1.0
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value) * unit
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no header, no date, a date without a zone
        return None
