"""What a walk costs besides its pages and its model: CPU per step, throughput of many at once, memory that stays."""

import asyncio
import gc
import multiprocessing
import os
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from webfarer.agents.runs import Options as RunOptions
from webfarer.agents.runs import walk
from webfarer.core.config import Settings
from webfarer.evals.bench import Row
from webfarer.evals.benches._chain import QUESTION, REPLY, ROOT, chain_settings, chain_web
from webfarer.models.base import ChatModel
from webfarer.models.endpoint import Endpoint
from webfarer.models.scripted import Scripted
from webfarer.web.client import Web
from webfarer.worlds.endpoint import serve_endpoint

_CLICKS = 5  # of each of the walks that run at once
_CALLS = 2 * _CLICKS + 2  # it reads one page more than it clicks, and concludes
BATCHES = 3
_START_SECONDS = 30.0
_PROMPT = QUESTION * 50  # about as long as what the chat policy sends for a page of the chain


@asynccontextmanager
async def _chain(settings: Settings, pages: int) -> AsyncIterator[Web]:
    web = chain_web(settings, pages)
    with web.archive:
        async with web:
            yield web


async def step_rows(steps: int, rounds: int) -> list[Row]:
    """Return CPU milliseconds per step: with and without a model, with the trace in memory and in a file."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as home:
        settings = chain_settings(steps).model_copy(update={"home": Path(home)})
        async with _chain(settings, steps + 2) as web:
            for policy, recorded in (("chat", False), ("chat", True), ("lexical", False)):
                chosen = settings.model_copy(update={"policy": policy})
                options = RunOptions(settings=chosen, web=web, record=recorded)
                costs = []
                for _ in range(rounds + 1):  # the first one warms up
                    model = Scripted([REPLY] * (2 * steps + 2)) if policy == "chat" else None
                    began = time.process_time()
                    answer = await walk(ROOT, QUESTION, model=model, options=options)
                    costs.append(1000 * (time.process_time() - began) / answer.fare.steps)
                warm = costs[1:]
                rows.append(
                    {
                        "policy": f"{policy}, scripted model" if policy == "chat" else policy,
                        "trace": "file" if recorded else "memory",
                        "steps": steps,
                        "n": rounds,
                        "cpu_ms_per_step": round(statistics.median(warm), 2),
                        "least": round(min(warm), 2),
                        "most": round(max(warm), 2),
                    }
                )
    return rows


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many walks at once: how many, and how long the model takes for a reply."""

    walks: int
    latency: float


async def crowd_row(crowd: Crowd) -> Row:
    """Return the throughput of batches of walks beside two bounds.

    The ideal: every walk waits only for its own model calls. The ceiling: as many calls, as many at a time, by the
    bare openai client with the transport that the endpoint uses too.
    """
    settings = chain_settings(_CLICKS).model_copy(update={"policy": "chat"})
    ideal = _CALLS * crowd.latency
    seconds, memory, cpu = [], [], []
    with _stub(crowd.latency) as url:
        model = Endpoint("stub", base_url=url)
        async with _chain(settings, _CLICKS + 2) as web:
            for _ in range(BATCHES):
                began, cpu_began = time.perf_counter(), time.process_time()
                await _batch(crowd.walks, web, model)
                seconds.append(time.perf_counter() - began)
                cpu.append(time.process_time() - cpu_began)
                memory.append(_resident())
        await model.close()
        ceiling, ceiling_cpu = await _bare_calls(url, crowd.walks)
    best = min(seconds[1:])  # the first one opens the connections
    return {
        "latency_ms": round(1000 * crowd.latency),
        "walks": crowd.walks,
        "calls": crowd.walks * _CALLS,
        "ideal_s": round(ideal, 2),
        "seconds": round(best, 2),
        "of_ideal": round(ideal / best, 3),
        "ceiling_s": round(ceiling, 2),
        "of_ceiling": round(ceiling / best, 3),
        "calls_per_s": round(crowd.walks * _CALLS / best),
        "cpu_ms_per_call": round(1000 * min(cpu[1:]) / (crowd.walks * _CALLS), 2),
        "ceiling_cpu_ms_per_call": round(1000 * ceiling_cpu / (crowd.walks * _CALLS), 2),
        "rss_mb_batch_1": round(memory[0], 1),
        "rss_mb_growth_2": round(memory[1] - memory[0], 1),
        "rss_mb_growth_3": round(memory[2] - memory[1], 1),
    }


async def _bare_calls(url: str, callers: int) -> tuple[float, float]:
    """Return wall and CPU seconds of `callers` side by side, each making a walk's number of calls and nothing else."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0, http_client=DefaultAioHttpClient()) as client:

        async def calls(count: int) -> None:
            for _ in range(count):
                await client.chat.completions.create(model="stub", messages=[{"role": "user", "content": _PROMPT}])

        await asyncio.gather(*(calls(1) for _ in range(callers)))  # opens the connections
        began, cpu_began = time.perf_counter(), time.process_time()
        await asyncio.gather(*(calls(_CALLS) for _ in range(callers)))
        return time.perf_counter() - began, time.process_time() - cpu_began


async def _batch(walks: int, web: Web, model: ChatModel) -> None:
    options = RunOptions(settings=web.settings, web=web, record=False)
    answers = await asyncio.gather(*(walk(ROOT, QUESTION, model=model, options=options) for _ in range(walks)))
    spent = {answer.fare.calls for answer in answers}
    if spent != {_CALLS}:
        raise RuntimeError(f"walks of {_CALLS} calls were expected; these made {sorted(spent)}")


async def memory_row(walks: int) -> Row:
    """Return what the interpreter still holds of one batch of walks once the next one is over."""
    settings = chain_settings(_CLICKS).model_copy(update={"policy": "chat"})
    async with _chain(settings, _CLICKS + 2) as web:

        async def batch() -> None:
            models = (Scripted([REPLY] * _CALLS) for _ in range(walks))
            await asyncio.gather(*(_batch(1, web, model) for model in models))
            gc.collect()

        await batch()
        tracemalloc.start()
        try:
            await batch()
            first = tracemalloc.get_traced_memory()[0]
            await batch()
            second = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
    return {
        "walks": walks,
        "held_kb_after_1": round(first / 1e3, 1),
        "growth_kb_by_2": round((second - first) / 1e3, 1),
    }


def _resident() -> float:
    """Return this process's resident memory in MB; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def _stub(latency: float) -> Iterator[str]:
    """Run the stub endpoint in a process of its own, so that it takes no time of the walks' event loop."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve_stub, args=(there, latency), daemon=True)
    process.start()
    try:
        if not here.poll(_START_SECONDS):
            raise RuntimeError("the stub endpoint did not start")
        yield here.recv()
    finally:
        here.send("end")
        process.join(_START_SECONDS)
        process.close()


def _serve_stub(pipe: Connection, latency: float) -> None:
    async def serve() -> None:
        async with serve_endpoint(lambda body: REPLY, latency=latency) as stub:
            pipe.send(stub.url)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())
