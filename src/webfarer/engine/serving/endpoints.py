"""The endpoints over one engine: which sequences a request becomes, and how their events become its answer.

Knows nothing of sockets, tokens or shutdown: that is :mod:`webfarer.engine.serving.server`. Invariant: when a handler
ends, however it ends (answer, error, a client that hung up), none of its sequences goes on.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from webfarer.core.errors import ConfigError, EngineBusy, WebfarerError, boundary
from webfarer.engine.chat import Chat
from webfarer.engine.engine import Engine
from webfarer.engine.sampling import Event, Finished, Request
from webfarer.engine.sequences import Ticket
from webfarer.engine.serving.bodies import B, Body, ChatBody, CompletionBody, Fault, read_body
from webfarer.engine.serving.metrics import Metrics
from webfarer.engine.serving.replies import DONE, ChatChoice, Choice, Delta, Envelope, TextChoice, problem, sse

_STALLED_SECONDS = 60.0  # a client that sends or takes nothing for so long is dropped


class Flight:
    """The sequences of one HTTP request, whose events arrive in the event loop and are counted there."""

    def __init__(self, engine: Engine, metrics: Metrics) -> None:
        self._engine, self._metrics = engine, metrics
        self._since = time.perf_counter()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
        self._tickets: list[Ticket] = []

    def submit(self, requests: Sequence[Request]) -> None:
        """Put all of them in the engine's line."""
        for number, request in enumerate(requests):
            self._tickets.append(self._engine.submit(request, partial(self._heard, number)))

    async def events(self) -> AsyncIterator[tuple[int, Event]]:
        """Yield every event with its sequence's number, until all have finished."""
        left = len(self._tickets)
        while left:
            number, event = await self._events.get()
            left -= isinstance(event, Finished)
            yield number, event

    def cancel(self) -> None:
        """End what is not finished."""
        for ticket in self._tickets:
            ticket.cancel()

    def _heard(self, number: int, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._arrived, number, event)

    def _arrived(self, number: int, event: Event) -> None:
        self._metrics.heard(event, self._since)
        self._events.put_nowait((number, event))


class Endpoints:
    """What can be asked of one engine.

    Args:
        engine: answers; its adapters can be asked for by their names.
        chat: the model's language.
        name: what clients call the model; "" for the last part of its folder.
        context: most tokens of prompt and answer together; None for the model's own limit.

    Raises:
        ConfigError: an adapter has the model's name.
    """

    def __init__(self, engine: Engine, chat: Chat, *, name: str = "", context: int | None = None) -> None:
        self.engine, self.metrics = engine, Metrics()
        self.name = name or Path(engine.spec.name).name
        self._language = chat
        self._context = min(engine.spec.context, context or engine.spec.context)
        self._created = int(time.time())
        if self.name in engine.adapters:
            raise ConfigError(f"an adapter has the model's name, {self.name!r}; call it something else")

    def routes(self) -> list[web.RouteDef]:
        """Return the endpoints with their addresses."""
        return [
            web.post("/v1/chat/completions", self._chat),
            web.post("/v1/completions", self._complete),
            web.get("/v1/models", self._models),
            web.get("/metrics", self._page),
            web.get("/health", self._health),
        ]

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await _read(request, ChatBody)
        self._expect(body.n)
        adapter, tools = self._adapter(body.model), body.offered()
        messages = [message.model_dump(exclude_none=True) for message in body.messages]
        prompt = await asyncio.to_thread(self._language.prompt, messages, tools)
        requests = self._requests(body, [prompt.tokens], adapter)
        names = [tool["function"]["name"] for tool in tools]
        choices: list[Choice] = [
            ChatChoice(index, self._language, self._language.reader(prompt, names), logprobs=bool(body.logprobs))
            for index in range(body.n)
        ]
        return await self._answer(request, body, requests, choices)

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await _read(request, CompletionBody)
        self._expect(body.n * len(body.prompt))
        adapter = self._adapter(body.model)
        encode = self._language.encode
        prompts = [tuple(p) if isinstance(p, list) else await asyncio.to_thread(encode, p) for p in body.prompt]
        requests = self._requests(body, prompts, adapter)
        logprobs = body.logprobs is not None
        choices: list[Choice] = [TextChoice(index, self._language, logprobs=logprobs) for index in range(len(requests))]
        return await self._answer(request, body, requests, choices)

    def _expect(self, sequences: int) -> None:
        """Refuse, before any work is done for it, what the engine's line has no place for.

        Raises:
            Fault: it never has.
            EngineBusy: it has none now.
        """
        if sequences > (most := self.engine.limits.waiting):
            raise Fault(f"n: {sequences} sequences in all are asked for, at most {most} are taken at once", param="n")
        if self.engine.full:
            raise EngineBusy(f"{most} requests are waiting already; try again when some are done")

    def _adapter(self, model: str) -> str | None:
        """Return the adapter that `model` names, None for the model itself."""
        if model == self.name or model in self.engine.adapters:
            return None if model == self.name else model
        known = ", ".join([self.name, *sorted(self.engine.adapters)])
        raise Fault(f"no model {model!r} here; there is {known}", status=404, code="model_not_found", param="model")

    def _requests(self, body: Body, prompts: Sequence[tuple[int, ...]], adapter: str | None) -> list[Request]:
        """Return what the engine is asked, `body.n` times each prompt."""
        requests = []
        for tokens in prompts:
            room = self._context - len(tokens)
            limit = body.limit(min(room, self.engine.limits.new or room))
            if room < 1 or limit > room:
                wanted = f" and {limit} for the answer" if room > 0 else ""
                raise Fault(
                    f"the prompt has {len(tokens)} tokens{wanted}; the maximum context length is {self._context}",
                    code="context_length_exceeded",
                    param="messages" if isinstance(body, ChatBody) else "prompt",
                )
            requests += [Request(tokens, body.params(choice, limit), adapter) for choice in range(body.n)]
        return requests

    async def _answer(
        self, request: web.Request, body: Body, requests: Sequence[Request], choices: Sequence[Choice]
    ) -> web.StreamResponse:
        """Run the sequences and answer, as a whole or as a stream."""
        kind = "chat.completion" if isinstance(body, ChatBody) else "text_completion"
        asked = sum(len(request.tokens) for request in requests[:: body.n])
        envelope = Envelope(kind, body.model, asked, body.n)
        flight = Flight(self.engine, self.metrics)
        try:
            flight.submit(requests)
            async with aclosing(self._deltas(flight, choices)) as deltas:
                if body.stream:
                    told = body.stream_options and body.stream_options.include_usage
                    return await _stream(request, envelope, deltas, partial(envelope.usage, choices) if told else None)
                async for _ in deltas:
                    pass
            return web.json_response(envelope.answer(choices))
        finally:
            flight.cancel()

    async def _deltas(self, flight: Flight, choices: Sequence[Choice]) -> AsyncGenerator[Delta, None]:
        """Yield what is new in any of the choices.

        Raises:
            Fault: the engine could not go on.
        """
        for choice in choices:
            if opening := choice.opening():
                yield opening
        async for number, event in flight.events():
            if isinstance(event, Finished) and event.reason in ("error", "cancelled"):
                raise Fault(event.error or "the server is stopping", status=500 if event.error else 503)
            if delta := choices[number].take(event):
                yield delta
            if isinstance(event, Finished):
                yield choices[number].closing()

    async def _models(self, request: web.Request) -> web.Response:
        entry = {"object": "model", "created": self._created, "owned_by": "webfarer", "max_model_len": self._context}
        adapters = [{"id": name, **entry, "parent": self.name} for name in sorted(self.engine.adapters)]
        return web.json_response({"object": "list", "data": [{"id": self.name, **entry}, *adapters]})

    async def _health(self, request: web.Request) -> web.Response:
        alive = self.engine.alive
        return web.json_response({"status": "ok" if alive else "engine stopped"}, status=200 if alive else 503)

    async def _page(self, request: web.Request) -> web.Response:
        page = await self.metrics.page(self.engine)
        return web.Response(body=page, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _read(request: web.Request, kind: type[B]) -> B:
    try:
        async with asyncio.timeout(_STALLED_SECONDS):
            raw = await request.read()
    except TimeoutError as error:
        raise Fault("the body did not arrive in time", status=408) from error
    return read_body(raw, kind)


async def _pieces(
    envelope: Envelope, deltas: AsyncIterator[Delta], usage: Callable[[], Delta] | None
) -> AsyncGenerator[bytes, None]:
    """Yield what is written into a stream; whatever goes wrong in making it is an error of the tree."""
    with boundary(WebfarerError, "answering"):
        async for delta in deltas:
            yield sse(envelope.chunk([delta]))
        if usage:
            yield sse({**envelope.chunk([]), "usage": usage()})
        yield DONE


async def _stream(
    request: web.Request, envelope: Envelope, deltas: AsyncIterator[Delta], usage: Callable[[], Delta] | None
) -> web.StreamResponse:
    """Answer with server-sent events; `usage` is told at the end when it is given."""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)

    async def send(data: bytes) -> None:
        async with asyncio.timeout(_STALLED_SECONDS):
            await response.write(data)

    try:
        await response.prepare(request)
        try:
            async with aclosing(_pieces(envelope, deltas, usage)) as pieces:
                async for piece in pieces:
                    await send(piece)
        except WebfarerError as error:  # the answer has begun: its status cannot tell any more
            await send(sse(problem(error.message, error.status if isinstance(error, Fault) else 500)))
    except (ConnectionError, TimeoutError):
        if request.transport is not None:
            request.transport.abort()
    return response
