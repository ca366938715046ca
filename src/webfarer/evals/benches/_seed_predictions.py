"""What the simulator says a run should have taken, from costs measured apart and from how many drafted tokens stood.

Decoding only: prompts are read before the first draft, and both sides leave that out. Costs come from short runs over
other texts, so that what the engine does around a pass is in them. Nothing of a run's own clock goes in. Drafts of a
fixed length are simulated round by round as they were recorded; where the engine chose the lengths, the length that is
best for the recorded acceptance stands for them, and the end of a text is known.
"""

import os
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from webfarer.engine.engine import Scheduler
from webfarer.engine.lengths import LONGEST, Costs, best
from webfarer.engine.loading import Loaded
from webfarer.engine.sampling import Request
from webfarer.engine.simulating import Work, simulate
from webfarer.engine.speculation import Speculate
from webfarer.evals.benches._seed_runs import Phase, Run, Strategy, run

_DRAWS = 8
_SHORT = 20
"""Tokens of a text that is written to measure costs."""


@dataclass(frozen=True, slots=True)
class Prices:
    """Costs of passes and drafts.

    Attributes:
        one: of one row at a time. all: of all rows together.
        beside: of one row at a time while others draft: threads of one process slow each other down.
    """

    one: Costs
    all: Costs
    beside: Costs

    @classmethod
    def of(cls, target: Loaded, draft: str, work: Sequence[Sequence[Request]], k: int) -> "Prices":
        """Measure them over texts like these, with drafts of no, one, `k` and twice as many tokens."""
        short = [[_short(request) for request in requests] for requests in work]
        lengths, rows = sorted({0, 1, k, min(2 * k, LONGEST)}), max(map(len, work))
        one = _points(target, draft, [requests[:1] for requests in short], lengths)
        both = _points(target, draft, short, lengths) if rows > 1 else one
        beside = _points(target, draft, short, [k], "fcfs")
        return cls(_costs(one), _costs(one, both), _costs(one, beside))

    def bound(self, rows: int, k: int) -> float:
        """Return how many times as fast as one after the other the cost model lets drafting side by side be."""
        return min(rows, 1 + self.one.draft(1, k) / self.one.verify(k + 1))


_Points = dict[str, dict[int, float]]


def _short(request: Request) -> Request:
    return replace(request, params=replace(request.params, max_tokens=_SHORT, ignore_eos=True))


def _points(
    target: Loaded,
    draft: str,
    work: Sequence[Sequence[Request]],
    lengths: Iterable[int],
    scheduler: Scheduler = "batched",
) -> _Points:
    """Return the mean time of passes by tokens, and of drafting a token by rows, while no text has ended."""
    rows = len(work[0]) if scheduler == "batched" else 1
    passes, drafts = dict[int, float](), list[float]()
    for k in lengths:
        times: dict[str, list[float]] = defaultdict(list)
        for phase in run(target, Strategy("", scheduler, Speculate(draft, k) if k else None), work).phases:
            for span in phase.spans:
                if len(span.numbers) == rows:
                    times[span.kind].append(span.end - span.start)
        if checked := times["verify" if k else "decode"][1:]:  # the first warms up
            passes[rows * (k + 1)] = statistics.mean(checked)
        if k > 1 and (drafted := times["draft"][1:]):
            drafts.append(statistics.mean(drafted) / k)
    return {"passes": passes, "drafts": {rows: statistics.mean(drafts)} if drafts else {}}


def _costs(*parts: _Points) -> Costs:
    """Join points; the later part counts where two measured the same."""
    passes, drafts = dict[int, float](), dict[int, float]()
    for part in parts:
        passes |= part["passes"]
        drafts |= part["drafts"]
    return Costs(tuple(sorted(passes.items())), tuple(sorted(drafts.items())) or ((1, 0.0),))


def acceptance(run: Run, k: int) -> float:
    """Return the chance that a drafted token stood if those before it did, in a run with drafts of `k`."""
    stood = [count for phase in run.phases for text in phase.stood for count in text]
    return sum(stood) / max(1, sum(stood) + sum(count < k for count in stood))


def predicted(strategy: Strategy, run: Run, prices: Prices, chance: float) -> float:
    """Return the seconds a run's passes and drafts should take.

    Args:
        strategy: of the run.
        run: its lengths are taken, and what stood.
        prices: of the target and the drafter.
        chance: that a drafted token stands; used where the engine chose how long drafts are.
    """
    return sum(_phase(strategy, phase, prices, chance) for phase in run.phases)


def _phase(strategy: Strategy, phase: Phase, prices: Prices, chance: float) -> float:
    batched, how = strategy.scheduler == "batched", strategy.speculate
    costs = {"batched": prices.all, "serial": prices.one, "fcfs": prices.beside}[strategy.scheduler]
    if not phase.lengths:
        return 0.0
    if how is not None and how.k is None:
        return gain(phase.lengths, chance, costs)[0]
    k = (how.k or 0) if how else 0
    name = "autoregressive" if how is None and not batched else strategy.scheduler
    # nobody knows that a text is about to end, so its last draft is as long as any
    record = tuple((*stood[:-1], k if phase.open else stood[-1]) for stood in phase.stood if stood)
    lengths = tuple(sum(stood) + len(stood) for stood in record)
    return simulate(name, Work(lengths, k, record=record, workers=_workers(len(lengths))), costs).wall


def _workers(rows: int) -> int:
    """Return how many texts the engine's schedule "fcfs" drafts for at once."""
    return min(rows, max(1, (os.cpu_count() or 2) - 1))


def gain(lengths: Sequence[int], chance: float, costs: Costs) -> tuple[float, float]:
    """Return the seconds of one batch with the best length of drafts, and without drafts."""
    rows = len(lengths)
    k = best([chance] * rows, costs, LONGEST)[0]
    works = [Work(tuple(lengths), k, acceptance=(chance,) * rows, seed=seed) for seed in range(_DRAWS)]
    plain = simulate("batched", Work(tuple(lengths), 0, acceptance=(chance,) * rows), costs).wall
    return statistics.mean(simulate("batched", work, costs).wall for work in works), plain
