"""Supervised fine-tuning, from a file of rows to an adapter: `webfarer train sft`.

Reads the rows, loads model and tuner, takes the steps (:mod:`webfarer.train.fitting`), and leaves a folder with what
was trained and its card. A training that was stopped goes on from its checkpoint when the same job is given again.
Not a hub client: models are folders on this machine.
"""

import hashlib
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any, cast

import accelerate  # type: ignore[import-untyped]
import peft
import torch
import transformers
from torch import Tensor
from torch.nn import Module
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

import webfarer
from webfarer.core.errors import ConfigError, WebfarerError, boundary
from webfarer.core.specs import made, spec_of
from webfarer.evals.records import locked
from webfarer.train import checkpoints, runcard
from webfarer.train.example import Example
from webfarer.train.examples import Corpus, Reader, Reading
from webfarer.train.fitting import Fitting, Settings, Watch, fitting
from webfarer.train.sharding import cast_weights
from webfarer.train.tuner import TUNERS, Tuner

_CONFIGS = ("config.json", "adapter_config.json")  # of a model, of an adapter
_ENDS = 1 << 16  # bytes of a weight file's head and tail that tell it from another


@dataclass(frozen=True, slots=True)
class Job:
    """What is fine-tuned on what.

    Attributes:
        rows: file of rows.
        model: folder of the model.
        out: folder that receives adapter, card and checkpoints.
        tuner: spec of the tuner.
        settings: of the steps.
        reading: of the rows; without a longest length the model's own is taken.
        held_out: file of rows to evaluate on; `share` of the rows' questions is held out instead where it is above 0.
        evaluate_every: steps between evaluations; 0: at the beginning and at the end.
        save_every: steps between checkpoints.
        shard: the processes divide the model among them; it changes memory, not results.
    """

    rows: Path
    model: Path
    out: Path
    tuner: str = "lora"
    settings: Settings = field(default_factory=Settings)
    reading: Reading = field(default_factory=Reading)
    held_out: Path | None = None
    share: float = 0.0
    evaluate_every: int = 0
    save_every: int = 100
    shard: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if not 0 <= self.share < 1 or self.evaluate_every < 0 or self.save_every < 1:
            raise ConfigError("share is at least 0 and below 1, evaluate_every not below 0, save_every at least 1")


@dataclass(frozen=True, slots=True)
class Taught:
    """Examples of a job: those to learn from, those to evaluate on, and the rows that were left out."""

    examples: list[Example]
    held_out: list[Example]
    dropped: list[str]


def sft(job: Job, watch: Watch = lambda fitting: None) -> dict[str, Any]:
    """Do a job, or what is left of it, and return its card.

    Args:
        job: what.
        watch: called after every step.

    Raises:
        ConfigError: rows, model or settings cannot work, or the folder holds another job.
        WebfarerError: a loss is not finite, or the disk is full; the last checkpoint is kept.
    """
    tuner: Tuner = made(TUNERS, job.tuner)
    _refuse_foreign(job)
    with locked(job.out) if os.environ.get("RANK", "0") == "0" else nullcontext():  # and it can be written
        return _done(job, tuner, watch)


def _done(job: Job, tuner: Tuner, watch: Watch) -> dict[str, Any]:
    model, tokenizer = load(job.model, job.settings.bf16)
    taught = examples_of(job, model, tokenizer)
    identity = _identity(job, tuner, taught)
    if (job.out / runcard.JSON).exists():
        return _finished(job.out, identity)
    # sharding converts weights layer by layer
    adapted = tuner.attach(model, job.settings.seed) if job.shard else attached(model, tuner, job.settings)
    with fitting(adapted, tuner, taught.examples, job.settings, job.shard) as run:
        checkpoints.restore(run, job.out, identity)
        began, worked, before = time.perf_counter(), time.process_time(), run.step
        _steps(run, job, taught.held_out, identity, watch)
        took = {"seconds": time.perf_counter() - began, "processor_seconds": time.process_time() - worked}
        card = _card(job, run, taught, identity) | _effort(run, before, took)
        if before < run.steps:  # a result that cannot be written costs no step; behind the clock, as it is no step
            checkpoints.save(run, job.out, identity)
        _leave(run, job.out, tokenizer, card)
        run.accelerator.wait_for_everyone()
        run.accelerator.end_training()
    return card


def _refuse_foreign(job: Job) -> None:
    """See that nothing but a training of ours would be written over."""
    if job.out.resolve() == job.model.resolve():
        raise ConfigError(f"{job.out} is the model's own folder; give another --out")
    models = [name for name in _CONFIGS if (job.out / name).exists()]
    if models and not any((job.out / name).exists() for name in (runcard.JSON, checkpoints.NAME)):
        raise ConfigError(f"{job.out} holds a model or an adapter ({models[0]}); give another --out")


def _steps(run: Fitting, job: Job, held_out: Sequence[Example], identity: str, watch: Watch) -> None:
    def evaluate(due: bool) -> None:
        if held_out and due and run.step not in run.scores:
            run.evaluate(held_out)

    evaluate(run.step == 0)
    while run.step < run.steps:
        run.advance()
        evaluate(run.step == run.steps or (bool(job.evaluate_every) and run.step % job.evaluate_every == 0))
        if run.step % job.save_every == 0 and run.step < run.steps:
            checkpoints.save(run, job.out, identity)
        if run.accelerator.is_main_process:
            watch(run)


def load(folder: Path, bf16: bool = False) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load model and tokenizer; weights in float32, or as they are stored where passes will be in bfloat16.

    Raises:
        ConfigError: it is no folder of a causal language model, or holds an adapter too.
    """
    whole, adapter = ((folder / name).is_file() for name in _CONFIGS)
    if not whole:
        raise ConfigError(
            f"{folder} is no model's folder: there is no config.json; download a model and give its folder"
        )
    if adapter:
        raise ConfigError(f"{folder} holds a model and an adapter, which would be loaded too; move the adapter away")
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    with boundary(ConfigError, f"reading the model in {folder}"):
        model = AutoModelForCausalLM.from_pretrained(
            folder.resolve(), dtype="auto" if bf16 else torch.float32, use_safetensors=True, **options
        )
        return model, AutoTokenizer.from_pretrained(folder, **options)


def attached(model: PreTrainedModel, tuner: Tuner, settings: Settings) -> Module:
    """Return the model with its tuner; where passes are in bfloat16, what is trained is float32 and the rest is not."""
    adapted = tuner.attach(model, settings.seed)
    if settings.bf16:
        cast_weights(adapted)
    return adapted


def examples_of(job: Job, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Taught:
    """Read the rows of a job.

    Raises:
        ConfigError: a row cannot be learnt from, or the tokenizer is not the model's.
    """
    longest = getattr(model.config, "max_position_embeddings", 0)
    reader = Reader(job.model, tokenizer, replace(job.reading, longest=job.reading.longest or longest))
    corpus = reader.file(job.rows)
    asked, apart = list(corpus.questions), Corpus((), ())
    if job.held_out:
        apart = reader.file(job.held_out)
    elif job.share:
        Random(f"{job.settings.seed} held out").shuffle(asked)
        count = round(job.share * len(asked))
        if not 0 < count < len(asked):
            raise ConfigError(
                f"a share of {job.share} of {len(asked)} questions leaves none to learn from or to evaluate on"
            )
        asked, apart = asked[count:], Corpus(tuple(asked[:count]), ())
    examples, held_out = ([example for each in part for example in each] for part in (asked, apart.questions))
    known = len(cast(Tensor, model.get_input_embeddings().weight))
    for example in (*examples, *held_out):
        if max(example.ids) >= known:
            raise ConfigError(
                f"{example.id}: token {max(example.ids)} is none of the model's {known}; "
                f"the tokenizer in {job.model} belongs to another model"
            )
    return Taught(examples, held_out, [*corpus.dropped, *apart.dropped])


def _leave(run: Fitting, out: Path, tokenizer: PreTrainedTokenizerBase, card: dict[str, Any]) -> None:
    """Save what was trained and its card; the checkpoint has served. Every process calls it, the first one writes."""
    run.tuner.save(run.plain, out)
    if not run.accelerator.is_main_process:
        return
    with boundary(WebfarerError, f"no card was left in {out}; make room and give the same command again"):
        if (out / "config.json").exists():  # a whole model, which is used with its tokenizer
            tokenizer.save_pretrained(out)
        runcard.write(out, card)
    (out / checkpoints.NAME).unlink(missing_ok=True)


def _finished(folder: Path, identity: str) -> dict[str, Any]:
    with boundary(ConfigError, f"{folder / runcard.JSON} cannot be read"):
        card: dict[str, Any] = json.loads((folder / runcard.JSON).read_text(encoding="utf-8"))
    if card.get("identity") != identity:
        raise ConfigError(f"{folder} holds the result of another training; give another --out")
    return card


def _identity(job: Job, tuner: Tuner, taught: Taught) -> str:
    """Return a hash of all that the result depends on; of weight files their heads and tails."""
    seen = hashlib.sha256(repr((spec_of(tuner), asdict(job.settings), len(taught.examples))).encode())
    for example in (*taught.examples, *taught.held_out):  # without their ids, which hold the file's name
        seen.update(repr((example.ids, example.labels)).encode())
    seen.update((job.model / "config.json").read_bytes())
    for path in sorted(job.model.glob("*.safetensors")):
        with path.open("rb") as file:
            seen.update(file.read(_ENDS))
            file.seek(max(0, path.stat().st_size - _ENDS))
            seen.update(file.read())
    return seen.hexdigest()[:16]


def _card(job: Job, run: Fitting, taught: Taught, identity: str) -> dict[str, Any]:
    weights = list(run.plain.parameters())
    return {
        "identity": identity,
        "rows": job.rows.name,
        "model": job.model.name,
        "tuner": spec_of(run.tuner),
        "served": run.tuner.served,
        "settings": asdict(job.settings),
        "reading": asdict(job.reading),
        "sharded": job.shard,
        "examples": len(taught.examples),
        "held_out": len(taught.held_out),
        "dropped": taught.dropped,
        "parameters": sum(weight.numel() for weight in weights),
        "trained": sum(weight.numel() for weight in weights if weight.requires_grad),
        "tokens": sum(point.tokens for point in run.points),
        "taught": sum(point.taught for point in run.points),
        "scores": {str(step): score for step, score in run.scores.items()},
        "accuracies": {str(step): share for step, share in run.accuracies.items()},
        "points": [asdict(point) for point in run.points],
    }


def _effort(run: Fitting, before: int, took: dict[str, float]) -> dict[str, Any]:
    """Return what this process did, on what, and what it took."""
    device = run.accelerator.device
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    peak = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else kilobytes / 1e3
    tokens = sum(point.tokens for point in run.points[before:])
    return {
        **{name: round(seconds, 2) for name, seconds in took.items()},
        "tokens_per_second": round(tokens / took["seconds"]),
        "peak_megabytes": round(peak),
        "processes": run.accelerator.num_processes,
        "device": str(device),
        "threads": torch.get_num_threads(),
        "versions": {
            "webfarer": webfarer.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "peft": peft.__version__,
            "accelerate": accelerate.__version__,
        },
    }
