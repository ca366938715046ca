"""Scheduled speculative decoding: n thoughts and n evaluations, drawn by several schedules of the same engine.

The same weights, prompts and seeds, and one thread for each that works; sides take turns, and every text is compared
with autoregressive decoding's. SEED's schedule (arXiv 2406.18200: texts draft side by side, in a process of their own,
and the target checks one draft at a time, first come, first served) stands beside one text after the other, one batch
with drafts, and one batch without, which is the honest opponent. A rate is tokens by the seconds of the whole run,
prompts included. Texts end where they end, as in a search; past their end, where fixed lengths take them, small models
write noise, and drafts of it stand less often.

There are two targets: a small trained model, and the same model with idle layers behind its own, whose output
projections are zero. It writes the same texts and a pass costs what a larger model's costs, while the draft stays
small: a stand-in for the sizes at which speculation is used, and no model of its own. The KV bytes are the target's.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Names, Row

if TYPE_CHECKING:
    from webfarer.engine.loading import Loaded
    from webfarer.evals.benches._seed_cases import Case

_LEVELS = 2
"""A run writes so many levels of a search."""
_WARM = 0.2
"""The temperature at which SEED draws its thoughts."""
_ROUNDS = 40
"""Most rounds; a multiple of the puzzles, so that every seed begins with the same one."""
_FIGURE_TEXTS, _FIGURE_TOKENS = 3, 20


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, object]] = {"rounds": 1, "new": 12, "branches": ("3",), "idle": 4}

    seed: int = Field(1, ge=1, le=200, description="Draws the problems; none of them was used in training.")
    model: str = Field("thinker", description="The target: a pupil by name, or a folder.")
    draft: str = Field("thinker-draft", description="The model that drafts: a pupil by name, or a folder.")
    idle: int = Field(30, ge=1, description="Layers without effect, by which the second target is heavier.")
    branches: Names = Field(("1", "3", "8"), min_length=1, description="How many texts at once.")
    new: int = Field(48, ge=8, description="Most tokens of a text, and how many those of fixed length have.")
    k: int = Field(4, ge=1, le=16, description="Tokens of a draft, where its length is fixed.")
    rounds: int = Field(
        3, ge=1, lt=_ROUNDS, description="Alternating runs of every strategy, each over other problems."
    )
    plots: Path | None = Field(None, description="Folder for two figures (SVG).")


def bench(options: Options) -> Findings:
    """Measure everything."""
    import torch
    from transformers.utils import logging

    from webfarer.engine.drafters._apart import Model, helper
    from webfarer.engine.loading import load
    from webfarer.evals.benches._seed_aims import aims, headline
    from webfarer.evals.benches._seed_work import heavier, home, parameters

    torch.set_num_threads(1)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    light, draft = home(options.model), home(options.draft)
    with tempfile.TemporaryDirectory() as place:
        heavy = heavier(light, Path(place), options.idle)
        folders = {"target": light, f"target with {options.idle} idle layers": heavy}
        targets = {name: load(path, "float32", "cpu") for name, path in folders.items()}
        aside = helper(Model.of(str(draft), targets["target"]))  # begun once for all runs of SEED's schedule
        sizes = {name: parameters(path) for name, path in {**folders, "draft": draft}.items()}
    cases = list(_cases(options, targets, str(draft)))
    if options.plots is not None:
        _draw(options, list(targets.values())[-1], str(draft), options.plots)
    peers = _peers(options, next(iter(targets.values())), (light, draft))
    tables = _tables(cases)
    tables["Beside transformers, one text after the other: target without idle layers, greedy"] = peers
    tables["Models"] = [{"model": name, "million_parameters": round(size, 2)} for name, size in sizes.items()]
    tables["Aims"] = aims(cases)
    del aside
    timed = sum(len(runs) for case in cases for runs in case.runs.values()) + len(peers) * options.rounds
    return Findings(timed, (options.seed,), tables, headline(cases))


def _seeds(options: Options) -> list[int]:
    """Return a seed for what comes before the rounds, and one for each."""
    return [options.seed * _ROUNDS + number for number in range(1 + options.rounds)]


def _cases(options: Options, targets: Mapping[str, "Loaded"], draft: str) -> Iterator["Case"]:
    """Measure texts as a search has them; the first target with the most branches also writes others."""
    from webfarer.evals.benches._seed_cases import AUTO, OTHER_DRAFTERS, Setting, measure
    from webfarer.evals.benches._seed_work import Texts, phases

    numbers = sorted(map(int, options.branches))
    before, *rounds = _seeds(options)
    for target in targets.items():
        for branches in numbers:
            usual = Texts(options.new, fixed=False, temperature=_WARM, levels=_LEVELS)
            most = branches == numbers[-1]
            drafts = {AUTO: draft, **(OTHER_DRAFTERS if most else {})}
            setting = Setting.of(target, drafts, phases(target[1], usual, branches, before), options.k)
            yield measure(setting, usual, rounds)
            if most and target[1] is next(iter(targets.values())):
                yield measure(setting, replace(usual, temperature=0.0), rounds)
                yield measure(setting, replace(usual, fixed=True, levels=1), rounds)


def _peers(options: Options, target: "Loaded", folders: tuple[Path, Path]) -> list[Row]:
    from webfarer.evals.benches._seed_peers import beside
    from webfarer.evals.benches._seed_work import Texts

    texts = Texts(options.new, fixed=True, temperature=0.0)
    return beside(target, folders, texts, options.k, _seeds(options)[1:])


def _tables(cases: Sequence["Case"]) -> dict[str, list[Row]]:
    from webfarer.evals.benches._seed_cases import counts, speed

    tables: dict[str, list[Row]] = {}
    for said, row in (("speed", speed), ("what was done", counts)):
        for case in cases:
            tables.setdefault(f"{case.title}: {said}", []).extend(row(case, name) for name in case.runs)
    return tables


def _draw(options: Options, target: "Loaded", draft: str, folder: Path) -> None:
    """Write a few short texts by four strategies and draw what happened when."""
    from webfarer.engine.speculation import Speculate
    from webfarer.evals.benches._seed_cases import AUTOREGRESSIVE, FIXED, SEED, SERIAL
    from webfarer.evals.benches._seed_figures import draw
    from webfarer.evals.benches._seed_runs import Strategy, run
    from webfarer.evals.benches._seed_work import Texts, phases

    drafts = Speculate(draft, options.k)
    strategies = [
        Strategy(AUTOREGRESSIVE, "serial"),
        Strategy(SERIAL, "serial", drafts),
        Strategy(SEED, "fcfs", drafts),
        Strategy(FIXED, "batched", drafts),
    ]
    texts = Texts(_FIGURE_TOKENS, fixed=True, temperature=_WARM)
    work = phases(target, texts, _FIGURE_TEXTS, _seeds(options)[1])[:1]
    runs = {strategy.name: run(target, strategy, work).phases[0].spans for strategy in strategies}
    draw(folder, runs, SEED)
