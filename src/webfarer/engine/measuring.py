"""What passes and drafts cost on this machine: a fraction of a second of trying, once, when an engine is made.

Timed with a full cache and short rows, so that what counts is the model, not its cache. Under the rule "same" only
the speed hangs on these numbers, never what is drawn.
"""

from collections.abc import Callable
from time import perf_counter

import torch

from webfarer.engine.drafting import Ask, Drafter
from webfarer.engine.lengths import Costs
from webfarer.engine.loading import Loaded
from webfarer.engine.memory import Memory
from webfarer.engine.policy import CachePolicy
from webfarer.engine.sampler import Row, sample
from webfarer.engine.sampling import SamplingParams
from webfarer.engine.sequences import Given
from webfarer.engine.trial import COMMITTED

_TIMES = 3
_LONG = 0.5
_ENOUGH = 2.0
"""Seconds: of one pass that is not repeated, and of all passes."""
_DEPTH = 4
_WIDEST = 8
_PROMPT = tuple([1] * 24)
_GREEDY = SamplingParams()


def measured(target: Loaded, drafter: Drafter, rows: int) -> Costs:
    """Measure passes of up to 8 tokens for each of `rows` rows, and drafts for one and for all of them, in seconds."""
    sizes = sorted({size for count in {1, rows} for size in (count, 2 * count, 4 * count, _WIDEST * count)})
    passes: list[tuple[int, float]] = []
    started = perf_counter()
    for size in sizes:
        passes.append((size, _least(_pass(target, size, rows))))
        if len(passes) > 2 and perf_counter() - started > _ENOUGH:
            break  # a large model: the line through the last points goes on
    drafts = [(count, _least(_draft(drafter, count)) / _DEPTH) for count in sorted({1, rows})]
    return Costs(tuple(passes), tuple(drafts))


def _least(action: Callable[[], float]) -> float:
    """Return the least of a few times; the first one warms up, and is enough where it takes long."""
    first = action()
    return first if first > _LONG else min(action() for _ in range(_TIMES))


def _pass(target: Loaded, size: int, rows: int) -> Callable[[], float]:
    """Return the timing of one pass over `size` tokens of as many rows as that takes."""
    width = -(-size // rows)
    count = -(-size // width)
    memory, decoder = Memory(target.spec, CachePolicy(), count), target.decoder
    with torch.inference_mode():
        for _ in range(count):
            row = memory.open(1, 8 * _WIDEST)
            attend = memory.prefill([row], [1])
            decoder.forward(*_ids([1], [0], target), attend)

    @torch.inference_mode()
    def once() -> float:
        start = perf_counter()
        if width == 1:
            positions = memory.positions
            attend = memory.decode()
        else:
            trial = memory.trial(width)
            attend = trial.attend([range(COMMITTED, width - 1)] * count)
            positions = trial.positions
        hidden = decoder.forward(*_ids([1] * len(positions), positions, target), attend)
        sample(decoder.logits(hidden), [Row(_GREEDY, Given(0.0))] * len(positions))
        if width > 1:
            trial.keep([[]] * count)
        return perf_counter() - start

    return once


def _draft(drafter: Drafter, count: int) -> Callable[[], float]:
    """Return the timing of one draft of `_DEPTH` tokens for each of so many rows."""

    @torch.inference_mode()
    def once() -> float:
        drafter.open([_PROMPT] * count, [2 * _DEPTH] * count)
        first, asks = ([Ask(_PROMPT, drawn, _GREEDY, (1,) * _DEPTH)] * count for drawn in ([1], [1, 1]))
        drafter.propose(first)  # reads the prompts
        drafter.settle(asks)
        start = perf_counter()
        drafter.propose(asks)
        seconds = perf_counter() - start
        drafter.settle(asks)
        for row in reversed(range(count)):
            drafter.close(row)
        return seconds

    return once


def _ids(tokens: list[int], positions: list[int], target: Loaded) -> tuple[torch.Tensor, torch.Tensor]:
    device = target.spec.device
    return torch.tensor(tokens, device=device), torch.tensor(positions, device=device)
