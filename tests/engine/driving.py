"""Drives a Memory with made-up queries, keys and values: what a decoder would do, without one.

Not a model: a token's vectors depend on its sequence, layer and position only, so a sequence gets the same vectors
alone and among others, whatever a policy dropped.
"""

from dataclasses import dataclass, field

import numpy as np
import torch

from webfarer.engine.memory import Memory
from webfarer.engine.policy import CachePolicy
from webfarer.engine.spec import Rotary, Spec


def spec(*, dtype: torch.dtype = torch.float64, layers: int = 3, dim: int = 8, **changed: object) -> Spec:
    """Four query heads over two KV heads."""
    rotary = Rotary(10_000.0 ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim), dim)
    settings = {
        "name": "made up",
        "layers": layers,
        "heads": 4,
        "kv_heads": 2,
        "head_dim": dim,
        "hidden": 4 * dim,
        "vocab": 10,
        "context": 4096,
        "scale": dim**-0.5,
        "softcap": None,
        "windows": (None,) * layers,
        "rotary": (rotary,) * layers,
        "dtype": dtype,
        "device": torch.device("cpu"),
    }
    return Spec(**{**settings, **changed})


@dataclass
class Tokens:
    """The vectors of one sequence: q [layers, n, 4, D], k and v [layers, n, 2, D]."""

    seed: int
    count: int
    layers: int = 3
    dim: int = 8
    sharp: float = 2.0
    q: torch.Tensor = field(init=False)
    k: torch.Tensor = field(init=False)
    v: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        made = np.random.default_rng(self.seed).normal(size=(self.layers, self.count, 8, self.dim))
        both = torch.from_numpy(made)
        self.q, self.k, self.v = both[:, :, :4] * self.sharp, both[:, :, 4:6].clone(), both[:, :, 6:].clone()

    def at(self, layer: int, start: int, stop: int, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
        """Return q, k, v of some positions in one layer."""
        return tuple(x[layer, start:stop].to(dtype) for x in (self.q, self.k, self.v))


class Driver:
    """A memory and the sequences in its rows; `outputs` per sequence and step: [layers, heads, D]."""

    def __init__(self, policy: CachePolicy, rows: int = 1, made: Spec | None = None) -> None:
        self.spec = made or spec()
        self.memory = Memory(self.spec, policy, rows)
        self.rows: list[Tokens] = []
        self.outputs: dict[int, list[torch.Tensor]] = {}

    def admit(self, *sequences: tuple[Tokens, int], limit: int) -> None:
        """Open rows for the first so many tokens of each sequence and read them in one forward."""
        rows = [self.memory.open(prompt, limit) for _, prompt in sequences]
        spans = [(tokens, 0, prompt) for tokens, prompt in sequences]
        self.rows += [tokens for tokens, _ in sequences]
        out = self._forward(self.memory.prefill(rows, [prompt for _, prompt in sequences]), spans)
        start = 0
        for tokens, prompt in sequences:
            self.outputs[tokens.seed] = [out[:, start + prompt - 1]]
            start += prompt
        self.memory.check()

    def extend(self, row: int, count: int) -> None:
        """Read `count` further tokens of a row as a second turn."""
        start = self.memory.positions[row]
        tokens = self.rows[row]
        out = self._forward(self.memory.extend([row], [count]), [(tokens, start, start + count)])
        self.outputs[tokens.seed].append(out[:, -1])
        self.memory.check()

    def step(self) -> None:
        """Decode one token for every row."""
        spans = [(tokens, at, at + 1) for tokens, at in zip(self.rows, self.memory.positions, strict=True)]
        out = self._forward(self.memory.decode(), spans)
        for index, tokens in enumerate(self.rows):
            self.outputs[tokens.seed].append(out[:, index])
        self.memory.check()

    def close(self, row: int) -> None:
        """Give a row back."""
        moved = self.memory.close(row)
        last = self.rows.pop()
        if moved is not None:
            self.rows[row] = last

    def _forward(self, attend, spans):
        out = []
        for layer in range(self.spec.layers):
            parts = [tokens.at(layer, start, stop, self.spec.dtype) for tokens, start, stop in spans]
            out.append(attend(layer, *(torch.cat(column) for column in zip(*parts, strict=True))))
        return torch.stack(out)

    def kept(self, row: int = 0) -> list[list[list[int]]]:
        """Return the positions held, by layer and KV head, ascending."""
        heads = range(self.spec.kv_heads)
        return [[self.memory.kept_positions(layer, row, head) for head in heads] for layer in range(self.spec.layers)]


def run(
    policy: CachePolicy, tokens: Tokens, prompt: int, made: Spec | None = None, turn: tuple[int, int] = (0, 0)
) -> tuple[list, torch.Tensor]:
    """Return what one sequence holds after the prompt and after every step, and all outputs.

    `turn` is where a second prompt begins, and its length.
    """
    driver = Driver(policy, made=made or spec(layers=tokens.layers, dim=tokens.dim))
    driver.admit((tokens, prompt), limit=tokens.count - prompt)
    held = [driver.kept()]
    while driver.memory.positions[0] < tokens.count:
        if driver.memory.positions[0] == turn[0]:
            driver.extend(0, turn[1])
        else:
            driver.step()
        held.append(driver.kept())
    return held, torch.stack(driver.outputs[tokens.seed])
