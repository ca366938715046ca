"""Scores of a pool at the command line: what a model and its adapter think of every item, for whoever picks by hand.

The numbers that pickers see (:mod:`webfarer.train.picker`), one line an item. No answer is read, so none is leaked.
"""

import json
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from transformers.utils.logging import disable_progress_bar

from webfarer.core.errors import ConfigError, boundary
from webfarer.evals.pupil import folder
from webfarer.train.language import Language
from webfarer.train.picker import Who
from webfarer.train.pool import PoolItem
from webfarer.train.scoring import Limits
from webfarer.train.sft import load
from webfarer.train.view import ModelView, Views


@dataclass(frozen=True, slots=True)
class Asking:
    """Who is asked, and how.

    Attributes:
        model: folder of the base model; None: the small learner.
        adapter: folder of its adapter, in PEFT's format; None: the base model alone.
        passes: with dropout in the adapter.
        limits: of outputs; their seed draws the dropout masks.
        threads: of the processor.
    """

    model: Path | None
    adapter: Path | None
    passes: int
    limits: Limits
    threads: int


def score(items: Sequence[PoolItem], asking: Asking, out: Path) -> dict[str, Any]:
    """Write every item's scores as JSONL, and return what that took.

    Raises:
        ConfigError: there is no such model or adapter, or the file cannot be written.
    """
    disable_progress_bar()  # type: ignore[no-untyped-call]
    torch.set_num_threads(asking.threads)
    base, tokenizer = load(asking.model or folder("learner"))
    asked: Any = base
    if asking.adapter:
        with boundary(ConfigError, f"reading the adapter in {asking.adapter}"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)  # PEFT reads it
            asked = PeftModel.from_pretrained(base, str(asking.adapter))
    language = Language(tokenizer)
    clock, work = time.perf_counter(), time.process_time()
    view = Views(asked, language, items, asking.limits).at(asked, range(len(items)))
    rows: list[dict[str, Any]] = [{"id": item.id, "prompt": item.prompt, "choices": item.choices} for item in items]
    _tell(rows, view, "base", language)
    if asking.adapter:
        _tell(rows, view, "adapted", language)
        _tell_passes(rows, view, asking.passes)
    took = {"seconds": time.perf_counter() - clock, "processor_seconds": time.process_time() - work}
    with boundary(ConfigError, f"{out} cannot be written"):
        out.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return {"items": len(items), **took}


def _tell(rows: list[dict[str, Any]], view: ModelView, who: Who, language: Language) -> None:
    outputs = (view.adapted if who == "adapted" else view.base).outputs
    scores = zip(rows, outputs, view.nll(who), view.entropy(who), strict=True)
    for row, output, nll, entropy in scores:
        said = {"output": language.text(output), "tokens": len(output)}
        row[who] = {**said, "nll": float(nll), "entropy": float(entropy)}
    if view.closed:
        for row, chances in zip(rows, view.choices(who), strict=True):
            row[who]["choices"] = chances.tolist()


def _tell_passes(rows: list[dict[str, Any]], view: ModelView, passes: int) -> None:
    if not passes:
        return
    nll, entropy, information = view.nll("adapted", passes), view.entropy("adapted", passes), view.information(passes)
    for number, row in enumerate(rows):
        row["dropout"] = {
            "nll": nll[:, number].tolist(),
            "entropy": entropy[:, number].tolist(),
            "information": float(information[number]),
        }
    if view.closed:
        for row, chances in zip(rows, view.choices("adapted", passes), strict=True):
            row["dropout"]["choices"] = chances.tolist()
