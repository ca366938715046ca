"""What the tests of the server share: an engine over HTTP on loopback, and OpenAI's own client for it."""

from contextlib import asynccontextmanager
from typing import NamedTuple

import aiohttp
from openai import AsyncOpenAI

from webfarer.engine.chat import Chat
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.serving.endpoints import Endpoints
from webfarer.engine.serving.server import Door, listen

ASKED = [{"role": "user", "content": "Where?"}]


class Served(NamedTuple):
    url: str
    client: AsyncOpenAI
    http: aiohttp.ClientSession
    engine: Engine

    async def post(self, path, body, **headers):
        """Post a raw or a JSON body; return status, JSON and headers of the answer."""
        data = {"data": body, "headers": {"Content-Type": "application/json", **headers}}
        kind = {"json": body, "headers": headers} if isinstance(body, dict) else data
        async with self.http.post(self.url + path, **kind) as answer:
            return answer.status, await answer.json(), answer.headers


def engine_in(folder, **options):
    """Load a saved model; `limits` as keywords of their own."""
    limits = {name: options.pop(name) for name in ("rows", "waiting", "new") if name in options}
    return Engine.load(folder, limits=Limits(**limits), **options)


@asynccontextmanager
async def served(engine, folder, *, door=Door(drain_seconds=5), name="m", context=None):
    """Serve an engine; afterwards nothing is left in it."""
    endpoints = Endpoints(engine, Chat.load(folder), name=name, context=context)
    async with (
        listen(endpoints, door) as url,
        aiohttp.ClientSession() as http,
        AsyncOpenAI(base_url=f"{url}/v1", api_key=door.token or "none", max_retries=0) as client,
    ):
        yield Served(url, client, http, engine)
    empty(engine)


def empty(engine):
    """Check that nothing is left in the engine."""
    engine.check_integrity()
    stats = engine.stats()
    assert (stats.active, stats.waiting) == (0, 0)
