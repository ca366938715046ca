"""What dropping one slot a row costs, without attention: by policy and by how many slots there are."""

import time

import torch

from webfarer.engine.memory import Memory
from webfarer.engine.policy import parse
from webfarer.engine.spec import Rotary, Spec

_ROWS, _STEPS = 8, 40


def eviction_us(policy: str, prompt: int, rounds: int) -> list[float]:
    """Return the microseconds a layer's eviction takes at a full cache, one figure a round."""
    rotary = Rotary(torch.ones(16), 32)
    shape = {"layers": 1, "heads": 8, "kv_heads": 2, "head_dim": 32, "hidden": 256, "vocab": 16, "context": 1 << 16}
    spec = Spec(
        name="random",
        **shape,
        scale=0.18,
        softcap=None,
        windows=(None,),
        rotary=(rotary,),
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    memory = Memory(spec, parse(policy), _ROWS)
    rows = [memory.open(prompt, 4096) for _ in range(_ROWS)]
    with torch.inference_mode():
        memory.prefill(rows, [prompt] * _ROWS)(0, *_new(_ROWS * prompt))
        for _ in range(520):
            memory.decode()(0, *_new(_ROWS))
        drop, spent = memory.slots[0].drop, [0.0]

        def timed(*args: object) -> None:
            started = time.perf_counter()
            drop(*args)  # type: ignore[arg-type]  # handed on as they come
            spent[-1] += time.perf_counter() - started

        memory.slots[0].drop = timed  # type: ignore[method-assign,assignment]  # measured from outside: no step pays for it
        for _ in range(rounds):
            for _ in range(_STEPS):
                memory.decode()(0, *_new(_ROWS))
            spent.append(0.0)
    return [total / _STEPS * 1e6 for total in spent[:-1]]


def _new(count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return torch.randn(count, 8, 32), torch.randn(count, 2, 32), torch.randn(count, 2, 32)
