"""Fine-tuning under way: steps over examples in an order that seed and step alone decide.

A step's loss is the mean over all tokens taught in it, however its sequences are divided into forward passes and
processes. Every draw of a step (order, dropout) is a function of seed, step and process, so nothing of the kind has to
be kept to resume. Not a reader of rows, nor a writer of files. Invariant: equal examples, settings and threads give
equal weights on a CPU, interrupted or not.
"""

import math
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Literal, cast

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.utils import GradientAccumulationPlugin  # type: ignore[import-untyped]
from torch import Tensor
from torch.nn import Module
from torch.nn.utils import get_total_norm
from transformers import PreTrainedModel

from webfarer.core.errors import ConfigError, WebfarerError, boundary
from webfarer.data.masking import IGNORED
from webfarer.train.example import Example
from webfarer.train.packing import Batch, check_lengths, collate, loss_sum, marks, packing, split
from webfarer.train.sharding import shard, value_of
from webfarer.train.tuner import Tuner


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is fine-tuned.

    Attributes:
        epochs: passes over the examples.
        batch: sequences of a step.
        room: the most tokens in one forward pass; a step takes as many passes as it needs. It sets memory and
            dropout's draws, no other result.
        rate: the highest learning rate.
        schedule: how the rate falls to 0 after the warm-up, or that it does not.
        warmup: share of the steps in which the rate rises.
        clip: the largest norm of the gradient; 0 for any.
        decay: AdamW's weight decay of matrices.
        packed: many sequences in one row, without padding.
        bf16: forward passes in bfloat16; what is trained and the optimiser's state stay float32.
        seed: draws the tuner's first weights, the order and dropout.
        checkpointing: layers are computed again on the way back, for less memory and the same results.
    """

    epochs: int = 3
    batch: int = 8
    room: int = 4096
    rate: float = 2e-4
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup: float = 0.03
    clip: float = 1.0
    decay: float = 0.0
    packed: bool = True
    bf16: bool = False
    seed: int = 1
    checkpointing: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        counts, sizes = (self.epochs, self.batch, self.room), (self.rate, self.clip, self.decay)
        if min(counts) < 1 or not all(map(math.isfinite, sizes)) or min(sizes) < 0 or self.rate == 0:
            raise ConfigError(
                f"{self}: epochs, batch and room are at least 1, rate is a number above 0, clip and decay are not below"
            )
        if not 0 <= self.warmup <= 1 or self.schedule not in ("linear", "cosine", "constant"):
            raise ConfigError(f"{self}: warmup is a share from 0 to 1, schedule linear, cosine or constant")

    def rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step, the first being 0."""
        rising = round(self.warmup * steps)
        if step < rising:
            return self.rate * (step + 1) / (rising + 1)
        left = (steps - step) / max(1, steps - rising)
        shares = {"linear": left, "cosine": (1 - math.cos(math.pi * left)) / 2, "constant": 1.0}
        return self.rate * shares[self.schedule]


@dataclass(frozen=True, slots=True)
class Point:
    """One step.

    Attributes:
        step: from 1.
        loss: mean over the taught tokens, penalty excluded.
        rate: of learning.
        norm: of the gradient, before it was clipped.
        tokens: seen in the step, `taught` of them with loss.
    """

    step: int
    loss: float
    rate: float
    norm: float
    tokens: int
    taught: int


Watch = Callable[["Fitting"], None]


@dataclass
class Fitting:
    """A fine-tuning under way. Make one with :func:`fitting`.

    Attributes:
        model: as accelerate prepared it; `plain` is the model itself, its tuner attached.
        points: of the steps done.
        scores: by number of the step after which it was taken, the mean loss on held-out examples.
        accuracies: likewise, the share of their taught tokens that the model holds likeliest.
    """

    examples: Sequence[Example]
    settings: Settings
    tuner: Tuner
    accelerator: Accelerator
    plain: Module
    model: Module
    optimiser: torch.optim.Optimizer
    points: list[Point] = field(default_factory=list)
    scores: dict[int, float] = field(default_factory=dict)
    accuracies: dict[int, float] = field(default_factory=dict)

    @property
    def step(self) -> int:
        """Steps done."""
        return len(self.points)

    @property
    def steps(self) -> int:
        """Steps in all."""
        return self.settings.epochs * -(-len(self.examples) // self.settings.batch)

    def state(self) -> dict[str, Any]:
        """Return what a fitting of the same examples and settings goes on from, weights and optimiser apart."""
        points = [asdict(point) for point in self.points]
        return {"points": points, "scores": self.scores, "accuracies": self.accuracies}

    def go_on(self, state: dict[str, Any]) -> None:
        """Take over a state."""
        self.points = [Point(**point) for point in state["points"]]
        self.scores, self.accuracies = dict(state["scores"]), dict(state["accuracies"])

    def run(self, watch: Watch = lambda fitting: None) -> None:
        """Do all steps that are left; `watch` is called after each."""
        while self.step < self.steps:
            self.advance()
            watch(self)
        self.check()

    def advance(self) -> None:
        """Do one step.

        Raises:
            WebfarerError: loss or gradient is not finite; the weights are those before the step.
        """
        chosen = self._chosen(self.step)
        loss = self._learn(chosen)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), self.settings.clip or math.inf)
        rate = self.settings.rate_at(self.step, self.steps)
        tokens, taught = sum(len(e.ids) for e in chosen), sum(e.taught for e in chosen)
        point = Point(self.step + 1, loss, rate, value_of(norm), tokens, taught)
        if not math.isfinite(point.loss) or not math.isfinite(point.norm):
            self.optimiser.zero_grad()
            raise WebfarerError(
                f"step {point.step}: loss {point.loss}, norm of the gradient {point.norm}, on rows "
                f"{', '.join(e.id for e in chosen)}; look at these rows, or lower --rate",
                step=point.step,
            )
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.step()
        self.optimiser.zero_grad()
        self.points.append(point)

    def _learn(self, chosen: Sequence[Example]) -> float:
        """Add up this process's share of a step's gradient, and return the whole step's loss."""
        processes, rank = self.accelerator.num_processes, self.accelerator.process_index
        parts = split([len(e.ids) for e in chosen], self.settings.room, self.settings.packed, processes)[
            rank::processes
        ]
        taught = sum(e.taught for e in chosen)
        torch.manual_seed(Random(f"{self.settings.seed} {self.step} {rank}").getrandbits(63))
        total = torch.zeros((), device=self.accelerator.device)
        for place, part in enumerate(parts, 1):
            with nullcontext() if place == len(parts) else self.accelerator.no_sync(self.model), _roomy():
                loss = self._passed([chosen[number] for number in part] or [_silent(chosen)], loss_sum)
                total += loss.detach() / taught
                self.accelerator.backward(loss * processes / taught)  # gradients are averaged over processes
        penalty = self.tuner.penalty(self.plain)
        if penalty is not None:  # behind the passes, when sharded weights are in parts again
            self.accelerator.backward(penalty)
        return float(cast(Tensor, self.accelerator.reduce(total, "sum")))

    def evaluate(self, held_out: Sequence[Example]) -> float:
        """Return the mean loss of the taught tokens of other examples, and keep it beside their accuracy.

        Raises:
            WebfarerError: it is not finite.
        """
        score, accuracy = self._means(held_out)
        if not math.isfinite(score):
            raise WebfarerError(
                f"loss {score} on held-out rows after step {self.step}: the weights have run away; lower --rate",
                step=self.step,
            )
        self.scores[self.step], self.accuracies[self.step] = score, accuracy
        return score

    @torch.no_grad()
    def check(self) -> None:
        """See that the trained weights and what they answer are finite, as no loss is of the weights after it.

        Raises:
            WebfarerError: they are not; nothing should be made of them.
        """
        norm = value_of(get_total_norm([weight for weight in self.plain.parameters() if weight.requires_grad]))
        loss, _ = self._means(self.examples[:1])
        if not math.isfinite(norm) or not math.isfinite(loss):
            raise WebfarerError(
                f"after step {self.step} the norm of the trained weights is {norm} and the loss of a row {loss}: they "
                "have run away; lower --rate",
                step=self.step,
            )

    @torch.no_grad()
    def _means(self, held_out: Sequence[Example]) -> tuple[float, float]:
        processes = self.accelerator.num_processes
        parts = split([len(e.ids) for e in held_out], self.settings.room, self.settings.packed, processes)
        self.model.train(False)
        total = torch.zeros(2, device=self.accelerator.device)
        for part in parts[self.accelerator.process_index :: processes]:
            with _roomy():
                total += self._passed([held_out[place] for place in part] or [_silent(held_out)], marks)
        self.model.train()
        loss, right = (cast(Tensor, self.accelerator.reduce(total, "sum")) / sum(e.taught for e in held_out)).tolist()
        return loss, right

    def _chosen(self, step: int) -> list[Example]:
        batch = self.settings.batch
        epoch, place = divmod(step, -(-len(self.examples) // batch))
        order = list(range(len(self.examples)))
        Random(f"{self.settings.seed} {epoch}").shuffle(order)
        return [self.examples[number] for number in order[place * batch : (place + 1) * batch]]

    def _passed(self, part: Sequence[Example], through: Callable[[Module, Batch], Tensor]) -> Tensor:
        device = self.accelerator.device
        with torch.autocast(device.type, torch.bfloat16, enabled=self.settings.bf16):
            return through(self.model, collate(part, self.settings.packed, device))


def _silent(examples: Sequence[Example]) -> Example:
    """Return the shortest example without labels, for a process that has nothing to do while others wait for it."""
    shortest = min(examples, key=lambda example: len(example.ids))
    return Example(shortest.id, shortest.ids, (IGNORED,) * len(shortest.ids))


@contextmanager
def _roomy() -> Iterator[None]:
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise WebfarerError("a forward pass does not fit into memory; lower --room, or give --checkpointing") from error


@contextmanager
def _checkpointing(model: PreTrainedModel) -> Iterator[None]:
    with boundary(ConfigError, "this model's layers cannot be computed again; train without --checkpointing"):
        _deprecated(model.gradient_checkpointing_enable, {"use_reentrant": False})
    try:
        yield
    finally:
        _deprecated(model.gradient_checkpointing_disable)


def _deprecated(call: Callable[..., None], *given: Any) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`gradient_checkpointing_", FutureWarning)  # the new name is too new
        call(*given)


def _accelerator() -> Accelerator:
    """Return the processes as they were launched; whatever else accelerate is configured to would change results."""
    with boundary(ConfigError, "accelerate cannot work as it is configured"):
        made = Accelerator(
            cpu=not torch.accelerator.is_available(),
            mixed_precision="no",
            dynamo_backend="no",
            gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),
        )
    kind, launched = made.distributed_type, int(os.environ.get("WORLD_SIZE", "1"))
    if kind != "NO" and not kind.startswith("MULTI_"):
        raise ConfigError(
            f"accelerate is configured for {kind}; configure it for several processes, and give --shard to divide a "
            "model among them"
        )
    if made.num_processes != launched:
        raise ConfigError(f"{launched} processes were launched, and accelerate sees {made.num_processes}; use torchrun")
    return made


@contextmanager
def fitting(
    model: Module, tuner: Tuner, examples: Sequence[Example], settings: Settings, sharded: bool = False
) -> Iterator[Fitting]:
    """Yield the fine-tuning of a model; afterwards its attention is again what it was.

    Args:
        model: with the tuner attached; trained in place.
        tuner: which.
        examples: in any order that is always the same.
        settings: how.
        sharded: the processes divide the model among them, which then stays divided.

    Raises:
        ConfigError: there are no examples, one has nothing to teach or too many tokens, the model cannot be packed or
            sharded, or accelerate is configured otherwise than the processes were launched.
    """
    if not examples:
        raise ConfigError("there is no example to learn from")
    for example in examples:
        if not example.taught:
            raise ConfigError(f"{example.id}: no token is taught")
    check_lengths(cast(PreTrainedModel, model), examples)
    accelerator = _accelerator()
    if sharded:
        shard(model, accelerator.device, settings.bf16)
    else:
        model.to(accelerator.device)
    with (
        packing(cast(PreTrainedModel, model), examples) if settings.packed else nullcontext(),
        _checkpointing(cast(PreTrainedModel, model)) if settings.checkpointing else nullcontext(),
    ):
        model.train()
        groups = tuner.groups(model, settings.decay)
        optimiser = torch.optim.AdamW(groups, lr=settings.rate, betas=(0.9, 0.999), fused=True)
        prepared = model if sharded else accelerator.prepare(model)
        optimiser = accelerator.prepare(optimiser)
        yield Fitting(examples, settings, tuner, accelerator, model, prepared, optimiser)
        model.train(False)
