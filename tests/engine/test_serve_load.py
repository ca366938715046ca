"""Many streams at once, half of them broken off, with nonsense between them: the others must not notice."""

import asyncio
import gc
import random

import openai
import pytest
import tiny
import torch
from serving_kit import empty, engine_in, served

from webfarer.engine.chat import Chat
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.sequences import Sequence

STREAMS, TOKENS = 64, 60
NONSENSE = ["{", '{"model": "m"}', '{"model": "m", "messages": 3}', b"\xff", "[[[["]


def asked(number):
    return [{"role": "user", "content": f"{number} " * random.Random(number).randint(1, 40)}]


def params(number):
    """Every other stream draws with its own seed."""
    return {"temperature": 0.0} if number % 2 else {"temperature": 1.2, "seed": number}


@pytest.mark.slow
@pytest.mark.parametrize("cache", ["full", "scope:prompt=16,recent=8,heavy=8"])
async def test_survivors_say_what_they_say_alone(tmp_path, cache):
    folder = tiny.save(tiny.llama(dtype=torch.float64, layers=2), tmp_path)
    engine = engine_in(folder, rows=8, waiting=STREAMS, cache=cache, dtype=torch.float64)
    chat = Chat.load(folder)

    async def stream(server, number):
        """Return the text of a stream, or None when it was broken off."""
        stop_after = random.Random(-number).randint(0, 30) if number % 4 >= 2 else None
        text = ""
        async with await server.client.chat.completions.create(
            model="m", messages=asked(number), max_tokens=TOKENS, stream=True, **params(number)
        ) as chunks:
            count = 0
            async for chunk in chunks:
                text += chunk.choices[0].delta.content or ""
                count += 1
                if stop_after is not None and count > stop_after:
                    return None
        return text

    async def disturb(server, number):
        if number % 3 == 0:
            with pytest.raises(openai.BadRequestError, match="context"):
                await server.client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "x" * 600}], max_tokens=5
                )
        status, _, _ = await server.post("/v1/chat/completions", NONSENSE[number % len(NONSENSE)])
        assert status == 400

    async with served(engine, folder) as server:
        texts, _ = await asyncio.gather(
            asyncio.gather(*(stream(server, number) for number in range(STREAMS))),
            asyncio.gather(*(disturb(server, number) for number in range(30))),
        )
        async with server.http.get(f"{server.url}/metrics") as page:  # the engine's own counts, while it may be busy
            assert page.status == 200
    empty(engine)
    survivors = [number for number, text in enumerate(texts) if text is not None]
    assert len(survivors) >= STREAMS // 2
    for number in survivors:
        sampling = SamplingParams(max_tokens=TOKENS, **params(number))
        (alone,) = engine.generate([chat.prompt(asked(number)).tokens], sampling)
        assert texts[number] == alone.text
    gc.collect()
    assert not [thing for thing in gc.get_objects() if type(thing) is Sequence]
