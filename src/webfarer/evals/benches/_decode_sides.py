"""The engines that are compared, each behind one method: prompts in, seconds and tokens out. Greedy, float32.

Ours and transformers run in this process, on the same weights, one after the other; kvpress and llama.cpp run in a
Python of their own, which answers over a pipe and times itself, so that starting it is not counted.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.sampling import Completion, Request, SamplingParams

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Timed:
    """One run: seconds, the tokens of each prompt, and bytes of cache (0: unknown).

    Ours are the most that were allocated after any round: positions, scores and slots rounded up are among them.
    kvpress's are those of its keys and values at the end.
    """

    seconds: float
    tokens: list[list[int]]
    bytes: int = 0

    @property
    def rate(self) -> float:
        """Tokens a second."""
        return sum(map(len, self.tokens)) / self.seconds


class Side(Protocol):
    """One engine with a model."""

    def run(self, prompts: list[list[int]], new: int) -> Timed:
        """Continue every prompt by exactly `new` tokens."""
        ...


@dataclass
class Ours:
    """This package's engine, with a cache policy; like generate it gives ids and no text.

    `metered`: ask after every round for the bytes of the cache.
    """

    folder: Path
    cache: str = "full"
    rows: int = 16
    metered: bool = False
    _engine: Engine | None = None

    def run(self, prompts: list[list[int]], new: int) -> Timed:
        """See :class:`Side`."""
        if self._engine is None:
            limits = Limits(rows=self.rows, prefill_tokens=1 << 20, prefixes=0)  # every run reads its prompts
            self._engine = Engine.load(self.folder, cache=self.cache, dtype=torch.float32, device="cpu", limits=limits)
        params, peak = SamplingParams(max_tokens=new, ignore_eos=True, detokenize=False), 0
        started = time.perf_counter()
        done = [Completion() for _ in prompts]
        for prompt, completion in zip(prompts, done, strict=True):
            self._engine.submit(Request(tuple(prompt), params), completion)
        while self._engine.step():
            if self.metered:
                peak = max(peak, self._engine.stats().cache_bytes)  # the last row may take its slots with it
        seconds = time.perf_counter() - started
        return Timed(seconds, [c.ids for c in done], peak)


@dataclass
class Generate:
    """`transformers.generate` with its dynamic cache; shorter prompts are padded on the left."""

    folder: Path
    _model: Any = None

    def run(self, prompts: list[list[int]], new: int) -> Timed:
        """See :class:`Side`."""
        from transformers import AutoModelForCausalLM

        if self._model is None:
            self._model = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32)
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in prompts])
        started = time.perf_counter()
        out = self._model.generate(
            ids, attention_mask=mask, max_new_tokens=new, min_new_tokens=new, do_sample=False, pad_token_id=0
        )
        return Timed(time.perf_counter() - started, out[:, longest:].tolist())


@dataclass
class Continuous(Generate):
    """transformers' own continuous batching, set as its documentation advises for a small machine."""

    def run(self, prompts: list[list[int]], new: int) -> Timed:
        """See :class:`Side`."""
        from transformers import AutoModelForCausalLM, GenerationConfig
        from transformers.generation.configuration_utils import ContinuousBatchingConfig

        if self._model is None:
            self._model = AutoModelForCausalLM.from_pretrained(
                self.folder, dtype=torch.float32, attn_implementation="sdpa"
            )
        config: Any = GenerationConfig
        settings = config(max_new_tokens=new, min_new_tokens=new, do_sample=False, eos_token_id=-1, pad_token_id=0)
        batching = ContinuousBatchingConfig(
            num_blocks=64, max_batch_tokens=256, use_cuda_graph=False, use_async_batching=False
        )
        started = time.perf_counter()
        out = self._model.generate_batch(
            prompts, generation_config=settings, continuous_batching_config=batching, progress_bar=False
        )
        seconds = time.perf_counter() - started
        return Timed(seconds, [answer.generated_tokens for answer in out.values()])


@dataclass
class Peer:
    """A program of this folder in another Python."""

    python: Path
    program: str
    request: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[str] | None = None

    def run(self, prompts: list[list[int]], new: int) -> Timed:
        """See :class:`Side`."""
        if self._process is None:
            self._process = subprocess.Popen(
                [str(self.python), str(HERE / self.program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        pipes = self._process
        assert pipes.stdin is not None
        assert pipes.stdout is not None
        pipes.stdin.write(json.dumps({**self.request, "prompts": prompts, "new": new}) + "\n")
        pipes.stdin.flush()
        answer = pipes.stdout.readline()
        if not answer:
            raise ConfigError(f"{self.python} {HERE / self.program} ended; run it by hand to see why")
        found = json.loads(answer)
        self.versions = found.pop("versions")
        return Timed(**found)

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            self._process.communicate()


@contextmanager
def peer(python: Path | None, program: str, **request: Any) -> Iterator[Peer | None]:
    """Give a peer for a while, or None where there is no such Python."""
    side = None if python is None else Peer(python, program, request)
    try:
        yield side
    finally:
        if side is not None:
            side.close()
