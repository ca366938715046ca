"""An HTTP server that speaks OpenAI's API over one engine: who may ask, how errors look, how it starts and stops.

Not for strangers: it binds to this machine unless told otherwise, takes an optional token, and has no users or quotas.
A full line is answered with 503 and Retry-After, not with 429: nobody asked too often, the machine is busy; clients try
both again. Invariant: every error has OpenAI's shape, and no web page in somebody's browser can ask.
"""

import asyncio
import hmac
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from webfarer.core.errors import ConfigError, EngineBusy, WebfarerError, boundary
from webfarer.engine.serving.bodies import Fault
from webfarer.engine.serving.endpoints import Endpoints
from webfarer.engine.serving.replies import problem

LOOPBACK = frozenset(("127.0.0.1", "localhost", "[::1]", "::1"))
_RETRY_SECONDS = 1

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Door:
    """Where the server stands and who may come in.

    Attributes:
        host: address to bind to.
        port: 0 takes a free one.
        token: that every client has to send, or "".
        body_bytes: largest request.
        drain_seconds: time that requests under way get when the server is asked to stop.
    """

    host: str = "127.0.0.1"
    port: int = 0
    token: str = ""
    body_bytes: int = 8 * 2**20
    drain_seconds: float = 10.0

    def admit(self, request: web.Request) -> None:
        """Refuse who may not ask.

        Raises:
            Fault: a token is missing or wrong, or a web page in somebody's browser asks.
        """
        if request.path == "/health":
            return
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").encode("utf-8", "surrogateescape")
        if self.token and not hmac.compare_digest(given, self.token.encode()):
            raise Fault(
                "the token is missing or wrong: send `Authorization: Bearer …`", status=401, code="invalid_api_key"
            )
        host = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
        if self.host in LOOPBACK and not self.token and (host or request.host).lower() not in LOOPBACK:
            # a page whose name was made to point at this machine (DNS rebinding)
            raise Fault(f"this server answers for localhost, not for {request.host!r}", status=403)
        if request.method == "POST" and "Origin" in request.headers and not (self.token or self.host in LOOPBACK):
            # at an address that others reach no name can be told from a false one
            raise Fault("web pages may not ask this server without a token; start it with --token", status=403)
        if request.method == "POST" and request.content_type != "application/json":
            # browsers let any page send other types without asking
            raise Fault("send the body as `Content-Type: application/json`", status=415)


def application(endpoints: Endpoints, door: Door) -> web.Application:
    """Return the application behind `door`."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            with boundary(WebfarerError, "answering"):
                try:
                    door.admit(request)
                    response = await handler(request)
                except web.HTTPException as error:  # no such page, wrong method, body too large
                    raise Fault(error.reason, status=error.status) from error
        except WebfarerError as error:
            response = _refusal(error)
        resource = request.match_info.route.resource
        place = resource.canonical if resource else "other"
        endpoints.metrics.requests.labels(place, response.status).inc()
        return response

    app = web.Application(middlewares=[guarded], client_max_size=door.body_bytes)
    app.add_routes(endpoints.routes())
    return app


@asynccontextmanager
async def listen(endpoints: Endpoints, door: Door = Door()) -> AsyncIterator[str]:
    """Serve, engine included, within the block; yields the address."""
    runner = web.AppRunner(
        application(endpoints, door),
        access_log=None,
        handler_cancellation=True,  # a handler ends at once when its client hangs up
        shutdown_timeout=door.drain_seconds,
    )
    await runner.setup()
    endpoints.engine.start()
    try:
        await web.TCPSite(runner, door.host, door.port).start()
        address, bound = runner.addresses[0][:2]
        yield f"http://{f'[{address}]' if ':' in address else address}:{bound}"
    finally:
        await runner.cleanup()
        await asyncio.to_thread(endpoints.engine.stop)


async def serve(endpoints: Endpoints, door: Door, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests under way may end first. `announce` gets the address."""
    loop, stopping = asyncio.get_running_loop(), asyncio.Event()
    async with listen(endpoints, door) as url:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        try:
            announce(url)
            await stopping.wait()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)  # the next one ends the process at once


def _refusal(error: WebfarerError) -> web.Response:
    """Return the answer that stands for an error of the tree."""
    if isinstance(error, Fault):
        body = problem(error.message, error.status, code=error.code, param=error.param)
        return web.json_response(body, status=error.status)
    if isinstance(error, EngineBusy):
        headers = {"Retry-After": str(_RETRY_SECONDS)}
        return web.json_response(problem(error.message, 503, code="engine_busy"), status=503, headers=headers)
    status = 400 if isinstance(error, ConfigError) else 500
    return web.json_response(problem(error.message, status), status=status)
