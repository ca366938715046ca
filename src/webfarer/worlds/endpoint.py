"""A stand-in for an OpenAI-compatible server, over real HTTP on 127.0.0.1, for tests and benchmarks.

Answers what it is told to, fails when it is told to, and counts: requests received, and replies that would have been
paid for. A repeated `Idempotency-Key` gets the stored reply and is not paid twice. No model runs here, and nothing is
streamed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Say = str | dict[str, Any]
ReplyTo = Callable[[dict[str, Any]], Say] | Sequence[Say]

_SHUTDOWN_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Fault:
    """One request that goes wrong.

    Attributes:
        status: HTTP status.
        message: the error's text.
        code: the error's machine-readable code.
        retry_after: seconds for the Retry-After header.
        raw: a body sent as it is instead of the error.
        hang: seconds of silence before the answer.
        lost: the reply is made, stored and paid for, and then the connection breaks.
    """

    status: int = 500
    message: str = "internal error"
    code: str = ""
    retry_after: float | None = None
    raw: str | None = None
    hang: float = 0.0
    lost: bool = False


OVERFLOW = Fault(400, "This model's maximum context length is 4096 tokens.", "context_length_exceeded")
MALFORMED = Fault(200, raw='{"choices": [')


@dataclass(slots=True)
class Stub:
    """The server's book-keeping.

    Attributes:
        url: its base URL, ending in /v1.
        requests: the bodies received by /v1/chat/completions, in order.
        keys: the Idempotency-Key of each of these, "" for none.
        paid: replies that cost something.
    """

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    paid: int = 0
    _stored: dict[str, dict[str, Any]] = field(default_factory=dict)


@asynccontextmanager
async def serve_endpoint(
    reply: ReplyTo,
    *,
    latency: float = 0.0,
    faults: Sequence[Fault | None] = (),
    lacks: Collection[str] = (),
    key: str = "",
) -> AsyncIterator[Stub]:
    """Serve until the block ends.

    Args:
        reply: called with the request's body, or the replies in order: text, or a whole message with its fields
            ("content", "reasoning_content", "tool_calls", and "finish_reason").
        latency: seconds each reply takes.
        faults: what happens to the first requests, one each; None: nothing.
        lacks: parameters that are always refused: "json_schema", "response_format", "tools", "seed", …
        key: the bearer key that is asked for; "": none.
    """
    stub, script, planned = Stub(), None if callable(reply) else iter(reply), iter(faults)

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if key and request.headers.get("Authorization") != f"Bearer {key}":
            return _error(Fault(401, "Incorrect API key provided.", "invalid_api_key"))
        if request.path == "/v1/models":
            return web.json_response({"object": "list", "data": [{"id": "stub", "object": "model"}]})
        if request.path != "/v1/chat/completions" or request.method != "POST":
            return _error(Fault(404, f"no such path: {request.path}"))
        body = await request.json()
        stub.requests.append(body)
        same = request.headers.get("Idempotency-Key", "")
        stub.keys.append(same)
        fault = next(planned, None)
        await asyncio.sleep(fault.hang if fault and fault.hang else latency)
        if fault and not fault.lost and not fault.hang:
            return _error(fault)
        if refused := _refused(body, lacks):
            return _error(Fault(400, f"{refused} is not supported by this server", "unsupported_parameter"))
        answer = _answer(stub, body, same, lambda: reply(body) if callable(reply) else _next(script))
        if fault and fault.lost and request.transport is not None:
            request.transport.abort()
        return web.json_response(answer)

    runner = web.ServerRunner(web.Server(handle, access_log=None), shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stub.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield stub
    finally:
        await runner.cleanup()


def _next(script: Iterator[Say] | None) -> Say:
    said = next(script, None) if script is not None else None
    return "(the stub's replies are used up)" if said is None else said


def _answer(stub: Stub, body: dict[str, Any], key: str, say: Callable[[], Say]) -> dict[str, Any]:
    if key and key in stub._stored:
        return stub._stored[key]
    said = say()
    message = {"content": said} if isinstance(said, str) else dict(said)
    finish = message.pop("finish_reason", "stop")
    stub.paid += 1
    answer = {
        "id": f"chatcmpl-{stub.paid}",
        "object": "chat.completion",
        "model": body.get("model", ""),
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": _usage(body, message),
    }
    if key:
        stub._stored[key] = answer
    return answer


def _usage(body: dict[str, Any], message: dict[str, Any]) -> dict[str, int]:
    """Return a made-up but steady count: a token for every four characters."""
    sent = sum(len(str(part.get("content") or "")) for part in body["messages"]) // 4 + 1
    said = len("".join(str(value) for value in message.values())) // 4 + 1
    return {"prompt_tokens": sent, "completion_tokens": said, "total_tokens": sent + said}


def _refused(body: dict[str, Any], lacks: Collection[str]) -> str | None:
    used = {*body, body.get("response_format", {}).get("type", "")}
    return next((name for name in sorted(lacks) if name in used), None)


def _error(fault: Fault) -> web.Response:
    headers = {"Retry-After": f"{fault.retry_after:g}"} if fault.retry_after is not None else {}
    if fault.raw is not None:
        return web.Response(text=fault.raw, status=fault.status, headers=headers, content_type="application/json")
    error = {"message": fault.message, "type": "error", "code": fault.code or None, "param": None}
    return web.json_response({"error": error}, status=fault.status, headers=headers)
