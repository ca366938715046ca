"""One exam under one cache policy: a batch of sheets, decoded greedily, marked and metered.

The decoder and the memory of the engine without its line of requests, so that the host's counts can be read at any
step. Every policy gets the same sheets in the same order.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from webfarer.engine.loading import Loaded, load
from webfarer.engine.memory import Memory
from webfarer.engine.policy import CachePolicy, parse
from webfarer.evals.benches._kv_arms import Lengths
from webfarer.worlds.exam import EXAMS, Marks, Sheet, grade

_QUESTIONS = {"arithmetic": 16, "lookup": 24, "recall": 24}
_SPARE = 1.25
"""An output may be so much longer than the longest perfect one."""

Watch = Callable[[int, Memory], None]


@dataclass(frozen=True, slots=True)
class Paper:
    """Which sheets: an exam, how many, their size as a share of the full one, and a seed."""

    exam: str
    sheets: int
    size: float
    seed: int


@dataclass(frozen=True, slots=True)
class Task:
    """What one process is asked: a folder of a model, sheets, and the policy as text."""

    model: str
    paper: Paper
    spec: str


@dataclass(frozen=True, slots=True)
class Meter:
    """What a sequence took: tokens written, most slots held, slots its last step read, slots given up (all heads)."""

    tokens: int
    peak: int
    read: int
    evicted: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task.

    Attributes:
        marks, meters: one of each a sheet.
        allocated: bytes the memory had allocated in the end, which is when it had most.
        seconds: of the processor, for writing all sheets at once on one thread; reading them is not in it.
    """

    marks: tuple[Marks, ...]
    meters: tuple[Meter, ...]
    allocated: int
    seconds: float


@lru_cache(maxsize=1)
def model_in(folder: str) -> Loaded:
    """Load a model; one thread, because several processes run side by side."""
    torch.set_num_threads(1)
    return load(Path(folder), device="cpu")


@lru_cache(maxsize=8)
def sheets_of(paper: Paper) -> tuple[Sheet, ...]:
    """Draw the sheets, from seeds of 1000 on: those below were used when the pupil was made."""
    exam = EXAMS.load(paper.exam)
    questions = max(2, round(paper.size * _QUESTIONS[paper.exam]))
    size = {"facts": questions * 4 // 3} if "facts" in exam.size else {}
    first = paper.seed * 1000
    return tuple(exam.sheet(first + number, questions, **size) for number in range(paper.sheets))


def lengths_of(model: Loaded, paper: Paper) -> Lengths:
    """Count tokens of sheets."""
    sheets = sheets_of(paper)
    prompts = [len(ids(model, sheet.prompt)) for sheet in sheets]
    outputs = [len(ids(model, sheet.output)) for sheet in sheets]
    return Lengths(round(sum(prompts) / len(prompts)), max(prompts), round(sum(outputs) / len(outputs)))


def ids(model: Loaded, text: str) -> list[int]:
    """Return the tokens of a text, with the start token if the model has one."""
    return list(model.tokenizer(text)["input_ids"])


def limit_of(model: Loaded, sheets: Sequence[Sheet]) -> int:
    """Return how many tokens may be written on any of these sheets."""
    return round(_SPARE * max(len(ids(model, sheet.output)) for sheet in sheets))


def sit(task: Task) -> Outcome:
    """Have the model write all sheets at once, and mark them."""
    model, sheets = model_in(task.model), sheets_of(task.paper)
    writing = Writing(model, parse(task.spec), [ids(model, sheet.prompt) for sheet in sheets], limit_of(model, sheets))
    writing.run()
    texts = [str(model.tokenizer.decode(output, skip_special_tokens=True)) for output in writing.outputs]
    return Outcome(
        marks=tuple(grade(sheet, text) for sheet, text in zip(sheets, texts, strict=True)),
        meters=tuple(writing.meters[number] for number in range(len(sheets))),
        allocated=writing.memory.bytes,
        seconds=writing.seconds,
    )


class Writing:
    """Greedy decoding of a batch of prompts; those that end leave, the others go on.

    Attributes:
        memory: what is kept.
        outputs: tokens drawn for each prompt, without the one that ends it.
        meters: by the number of the prompt, once it has ended.
        seconds: of the processor, for all steps.
    """

    def __init__(self, model: Loaded, policy: CachePolicy, prompts: Sequence[Sequence[int]], limit: int) -> None:
        self.memory = Memory(model.spec, policy, len(prompts))
        self.outputs: list[list[int]] = [[] for _ in prompts]
        self.meters: dict[int, Meter] = {}
        self.seconds = 0.0
        self._model, self._prompts, self._limit = model, prompts, limit
        self._writers = list(range(len(prompts)))

    @torch.inference_mode()
    def run(self, watch: Watch | None = None) -> None:
        """Read the prompts and write until every output has ended.

        Args:
            watch: called after every step with the number of tokens generated so far, and the memory.
        """
        drawn = self._read()
        step, tokens = 0, self._take(drawn.tolist())
        began = time.thread_time()
        while tokens:
            positions = torch.tensor(self.memory.positions)
            tokens = self._take(self._draw(torch.tensor(tokens), positions).tolist())
            step += 1
            if watch is not None and tokens:
                watch(step, self.memory)
        self.seconds = time.thread_time() - began

    def _read(self) -> torch.Tensor:
        lengths = [len(prompt) for prompt in self._prompts]
        rows = [self.memory.open(length, self._limit) for length in lengths]
        flat = torch.tensor([token for prompt in self._prompts for token in prompt])
        positions = torch.cat([torch.arange(length) for length in lengths])
        hidden = self._model.decoder.forward(flat, positions, self.memory.prefill(rows, lengths))
        last = torch.tensor(lengths).cumsum(0) - 1
        return self._model.decoder.logits(hidden[last]).argmax(-1)

    def _draw(self, tokens: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        hidden = self._model.decoder.forward(tokens, positions, self.memory.decode())
        return self._model.decoder.logits(hidden).argmax(-1)

    def _take(self, tokens: list[int]) -> list[int]:
        """Note a token for each row, close the rows that end, and return the tokens of those that go on."""
        for row in reversed(range(len(tokens))):
            writer = self._writers[row]
            ends = tokens[row] in self._model.ends
            if not ends:
                self.outputs[writer].append(tokens[row])
            if ends or len(self.outputs[writer]) >= self._limit:
                self.meters[writer] = self._meter(row, len(self.outputs[writer]))
                self.memory.close(row)  # the last row takes its place, here as there
                tokens[row], self._writers[row] = tokens[-1], self._writers[-1]
                tokens.pop()
                self._writers.pop()
        return tokens

    def _meter(self, row: int, tokens: int) -> Meter:
        """Read the host's counts; nothing is asked of the device."""
        peak = read = evicted = 0
        for plan in self.memory.plans:
            track, heads = plan.tracks[row], len(plan.layers) * self._model.spec.kv_heads
            held = track.held + track.shared
            peak += (track.shared + track.kept + track.grown) * heads
            read += min(held, plan.policy.read or held) * heads
            evicted += track.dropped * heads
        return Meter(tokens, peak, read, evicted)
