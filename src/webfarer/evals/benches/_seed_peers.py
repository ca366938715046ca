"""transformers' speculative decoding beside ours: assisted generation and prompt lookup, for one text at a time.

That is all they offer: both refuse a batch. Same weights, same process, greedy, so that every text must be ours. What
transformers loads and sets up is not timed; its defaults are a row of their own.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from transformers import AutoModelForCausalLM

from webfarer.engine.loading import Loaded
from webfarer.engine.sampling import Request
from webfarer.engine.speculation import Speculate
from webfarer.evals.bench import Row
from webfarer.evals.benches._seed_runs import Phase, Run, Strategy, run
from webfarer.evals.benches._seed_work import Texts, phases

_GENERATE = "transformers: generate"


@dataclass(frozen=True, slots=True)
class Peer:
    """`generate` of transformers with some settings, one prompt after the other.

    Attributes:
        name: in tables.
        model: loaded.
        settings: for `generate`.
    """

    name: str
    model: Any
    settings: Mapping[str, Any]

    def run(self, work: Sequence[Sequence[Request]]) -> Run:
        """Write everything; passes are not counted, nor are drafts."""
        phases = []
        for requests in work:
            start = perf_counter()
            texts = [self._text(request) for request in requests]
            phases.append(Phase(perf_counter() - start, texts, [[] for _ in texts], []))
        return Run(phases)

    def _text(self, request: Request) -> list[int]:
        ids = torch.tensor([request.tokens])
        out = self.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=request.params.max_tokens,
            do_sample=False,
            pad_token_id=0,
            **self.settings,
        )
        text: list[int] = out[0, len(request.tokens) :].tolist()
        return text


def peers(target: Path, draft: Path, k: int) -> list[Peer]:
    """Return plain generation, assisted generation (their defaults, and drafts of `k`), and prompt lookup of `k`."""
    model, usual, ours = _load(target), _load(draft), _load(draft)
    ours.generation_config.update(
        num_assistant_tokens=k, num_assistant_tokens_schedule="constant", assistant_confidence_threshold=0.0
    )
    return [
        Peer(_GENERATE, model, {}),
        Peer("transformers: assistant, its defaults", model, {"assistant_model": usual}),
        Peer("transformers: assistant, fixed length", model, {"assistant_model": ours}),
        Peer("transformers: prompt lookup", model, {"prompt_lookup_num_tokens": k}),
    ]


def _load(path: Path) -> Any:
    auto: Any = AutoModelForCausalLM
    model = auto.from_pretrained(path, dtype=torch.float32)
    model.config.eos_token_id = model.generation_config.eos_token_id = None  # nothing ends a text
    return model


def beside(model: Loaded, folders: tuple[Path, Path], texts: Texts, k: int, seeds: Sequence[int]) -> list[Row]:
    """Compare with transformers, in turns; the first round is not counted.

    Args:
        model: the target.
        folders: of the target and the draft.
        texts: greedy, of fixed length.
        k: tokens of a draft.
        seeds: of the problems, a round each.
    """
    draft = str(folders[1])
    own = {
        "ours: autoregressive": None,
        "ours: the small model drafts, fixed length": Speculate(draft, k),
        "ours: prompt lookup": Speculate("lookup", k),
        "ours: ngram": Speculate("ngram", k),
    }
    sides: dict[str, Callable[[list[list[Request]]], Run]] = {peer.name: peer.run for peer in peers(*folders, k)}
    for name, how in own.items():
        sides[name] = partial(run, model, Strategy(name, "serial", how))
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for number, seed in enumerate([seeds[0], *seeds]):
        work = phases(model, texts, 1, seed)
        for name, side in list(sides.items())[:: 1 if number % 2 else -1]:
            found = side(work)
            runs[name] += [found] if number else []
    return [_row(name, runs[name], runs[_GENERATE]) for name in sides]


def _row(name: str, runs: Sequence[Run], baseline: Sequence[Run]) -> Row:
    ratios = [theirs.seconds / ours.seconds for ours, theirs in zip(runs, baseline, strict=True)]
    pairs = [
        pair for ours, theirs in zip(runs, baseline, strict=True) for pair in zip(ours.texts, theirs.texts, strict=True)
    ]
    return {
        "strategy": name,
        "tok_s": round(statistics.median(one.rate for one in runs)),
        "ratio": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
        "rounds": len(runs),
        "same_texts": f"{sum(mine == theirs for mine, theirs in pairs)}/{len(pairs)}",
    }
