"""What dropping one slot a row costs: by policy, by how many slots there are, alone and right after attention.

Attention reads every slot, so what the drop then needs is no longer in the processor's caches; alone it is.
"""

import time

import torch

from webfarer.engine.memory import Attend, Memory
from webfarer.engine.policy import parse
from webfarer.engine.spec import Rotary, Spec

_ROWS, _LAYERS, _STEPS = 8, 4, 40


def eviction_us(policy: str, prompt: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the microseconds a layer's eviction takes at a full cache, one a round: alone, and after attention."""
    rotary = Rotary(torch.ones(16), 32)
    shape = {"heads": 8, "kv_heads": 2, "head_dim": 32, "hidden": 256, "vocab": 16, "context": 1 << 16}
    spec = Spec(
        name="random",
        layers=_LAYERS,
        **shape,
        scale=0.18,
        softcap=None,
        windows=(None,) * _LAYERS,
        rotary=(rotary,) * _LAYERS,
        dtype=torch.float32,
        device=torch.device("cpu"),
    )
    memory = Memory(spec, parse(policy), _ROWS)
    rows = [memory.open(prompt, _STEPS * 2 * rounds + 520) for _ in range(_ROWS)]
    with torch.inference_mode():
        _each(memory.prefill(rows, [prompt] * _ROWS), _ROWS * prompt)
        for _ in range(520):
            _each(memory.decode(), _ROWS)
        (plan,), (slots,) = memory.plans, memory.slots
        drop, spent = slots.drop, [0.0]

        def timed(*args: object) -> None:
            started = time.perf_counter()
            drop(*args)  # type: ignore[arg-type]  # handed on as they come
            spent[-1] += time.perf_counter() - started

        def alone() -> None:
            step = plan.step(slots.split, spec.device)
            slots.enter(step.places)
            timed(step, torch.rand(_LAYERS, _ROWS, 2, step.hi - step.pool))

        slots.drop = timed  # type: ignore[method-assign,assignment]  # measured from outside: no step pays for it
        for _ in range(rounds):
            for run in (alone, lambda: _each(memory.decode(), _ROWS)):
                for _ in range(_STEPS):
                    run()
                spent.append(0.0)
    times = [total / _STEPS / _LAYERS * 1e6 for total in spent[:-1]]
    return times[::2], times[1::2]


def _each(attend: Attend, count: int) -> None:
    """Attend to so many new tokens in every layer."""
    for layer in range(_LAYERS):
        attend(layer, torch.randn(count, 8, 32), torch.randn(count, 2, 32), torch.randn(count, 2, 32))
