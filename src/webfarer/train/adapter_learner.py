"""A learner that is a language model with LoRA: one frozen model in memory, and adapters that come and go.

What the loop (:mod:`webfarer.train.active`) teaches and asks. It only joins what is elsewhere: steps (`fitting`),
what a model says (`view`), checkpoints, tuners. Invariant: the model's own weights never change, so what the base model
says is computed once.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from peft import PeftModel, load_peft_weights, set_peft_model_state_dict
from torch.nn import Module

from webfarer.core.errors import ConfigError, boundary
from webfarer.core.specs import made, spec_of
from webfarer.train import checkpoints
from webfarer.train.fitting import Fitting, Settings, fitting
from webfarer.train.language import Language
from webfarer.train.learner import Answered
from webfarer.train.picker import View
from webfarer.train.pool import Label, PoolItem
from webfarer.train.scoring import Limits
from webfarer.train.sft import attached, load
from webfarer.train.tuner import TUNERS
from webfarer.train.tuners.lora import Lora
from webfarer.train.view import Views

_FIGURES = "figures.json"
_SEEN = 64  # numbers of each weight that tell a model from another


@dataclass(frozen=True, slots=True)
class Teaching:
    """How it is taught and asked.

    Attributes:
        tuner: spec of a kind of LoRA.
        settings: of the steps; their seed is the learning's.
        limits: of outputs and memory.
        save_every: steps between checkpoints.
    """

    tuner: str = "lora"
    settings: Settings = field(default_factory=Settings)
    limits: Limits = field(default_factory=Limits)
    save_every: int = 100


class AdapterLearner:
    """Teaches adapters of the model in a folder.

    Raises:
        ConfigError: it is no model's folder, or the tuner changes the model itself.
    """

    def __init__(self, folder: Path, how: Teaching = Teaching()) -> None:
        tuner = made(TUNERS, how.tuner)
        if not isinstance(tuner, Lora):
            raise ConfigError(f"{how.tuner} changes the model itself, which is needed beside the adapter; take lora")
        self._how, self._tuner = how, tuner
        self._base, tokenizer = load(folder, how.settings.bf16)
        self._base.train(False).requires_grad_(False)
        self._language = Language(tokenizer)
        self._on: tuple[Path, PeftModel] | None = None
        self._views: tuple[list[PoolItem], Views] | None = None
        model = f"{folder.resolve().name} {_fingerprint(self._base)}"
        self.name = f"{model}, {spec_of(tuner)}, {how.settings}, {how.limits}"

    def check(self, item: PoolItem, answer: str) -> None:
        """See that the model's tokens can write an answer."""
        with boundary(ConfigError, f"{item.id} cannot be taught"):
            if not self._language.example(item.id, item.prompt, answer).taught:
                raise ConfigError("the answer has no token")

    def teach(self, labels: Sequence[tuple[PoolItem, Label]], into: Path, seed: int, start: Path | None) -> None:
        """Train an adapter; one that was killed goes on from its checkpoint."""
        self._off()
        settings = replace(self._how.settings, seed=seed)
        examples = [self._language.example(item.id, item.prompt, label.answer) for item, label in labels]
        before = (start / _FIGURES).read_text() if start else ""  # what the adapter is, wherever it lies
        identity = hashlib.sha256(repr((self.name, settings, examples, before)).encode()).hexdigest()[:16]
        model = self._attached(settings, start)
        into.mkdir(exist_ok=True)

        def save(run: Fitting) -> None:
            if run.step % self._how.save_every == 0 and run.step < run.steps:
                checkpoints.save(run, into, identity)

        with fitting(model, self._tuner, examples, settings) as run:
            checkpoints.restore(run, into, identity)
            run.run(save)
        self._tuner.save(model, into)
        figures = {**_norms(model), "loss": run.points[-1].loss, "steps": run.steps}
        (into / _FIGURES).write_text(json.dumps(figures) + "\n")
        (into / checkpoints.NAME).unlink(missing_ok=True)
        model.unload()

    def answers(self, items: Sequence[PoolItem], adapter: Path | None) -> list[Answered]:
        """Answer items: by the likeliest choice and its share, or by what the model writes and its probability."""
        view = Views(self._base, self._language, items, self._how.limits).at(self._at(adapter), range(len(items)))
        if view.closed:
            chances = view.choices("adapted" if adapter else "base")
            chosen = zip(items, chances, strict=True)
            return [
                Answered(item=one.id, text=one.choices[int(each.argmax())], confidence=float(each.max()))
                for one, each in chosen
            ]
        outputs = (view.adapted if adapter else view.base).outputs
        likely = np.exp(-view.nll("adapted" if adapter else "base")).clip(0, 1)
        return [
            Answered(item=one.id, text=self._language.text(output), confidence=float(chance))
            for one, output, chance in zip(items, outputs, likely, strict=True)
        ]

    def view(self, pool: Sequence[PoolItem], rows: Sequence[int], adapter: Path) -> View:
        """Return the view of one round; the base model's part of it is kept for the next."""
        items = list(pool)
        if self._views is None or self._views[0] != items:
            self._views = items, self.views(items)
        return self._views[1].at(self._at(adapter), rows)

    def views(self, pool: Sequence[PoolItem]) -> Views:
        """Return what makes the views of a pool."""
        return Views(self._base, self._language, pool, self._how.limits)

    def figures(self, adapter: Path) -> Mapping[str, float]:
        """Return norms of A and B, the last loss, and how many steps were taken."""
        return dict(json.loads((adapter / _FIGURES).read_text()))

    def _at(self, adapter: Path | None) -> Module:
        """Return the model with an adapter, or with whatever is on it for who passes adapters over."""
        if adapter is None or (self._on and self._on[0] == adapter):
            return self._on[1] if self._on else self._base
        self._off()
        model = self._attached(self._how.settings, adapter)
        model.train(False)
        self._on = adapter, model
        return model

    def _attached(self, settings: Settings, adapter: Path | None) -> PeftModel:
        """Return the model with an adapter's weights, or with those it begins with."""
        model = attached(self._base, self._tuner, settings)
        assert isinstance(model, PeftModel)
        if adapter is not None:
            set_peft_model_state_dict(model, load_peft_weights(str(adapter)))
        return model

    def _off(self) -> None:
        if self._on:
            self._on[1].unload()
            self._on = None


def _fingerprint(model: Module) -> str:
    seen = hashlib.sha256()
    for name, weight in model.named_parameters():
        seen.update(f"{name} {tuple(weight.shape)} {weight.detach().flatten()[:_SEEN].tolist()}".encode())
    return seen.hexdigest()[:8]


def _norms(model: Module) -> dict[str, float]:
    """Return the Frobenius norms of all A and of all B together."""
    sums = {"lora_A": 0.0, "lora_B": 0.0}
    for name, weight in model.named_parameters():
        for part in sums:
            if part in name:
                sums[part] += float(weight.detach().double().square().sum())
    return {f"norm_{part[-1].lower()}": total**0.5 for part, total in sums.items()}
