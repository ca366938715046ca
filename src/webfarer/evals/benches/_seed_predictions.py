"""What the simulator says a run should have taken, from costs measured apart and from how many drafted tokens stood.

Decoding only: prompts are read before the first draft, and both sides leave that out. Costs come from short runs over
other texts, so that what the engine does around a pass is in them. Nothing of a run's own clock goes in. Drafts of a
fixed length are simulated round by round as they were recorded; where the engine chose the lengths, its choices are
replayed, for they follow its own clock.
"""

import os
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from webfarer.engine.lengths import LONGEST, Costs, best
from webfarer.engine.loading import Loaded
from webfarer.engine.sampling import Request
from webfarer.engine.simulating import Work, simulate
from webfarer.engine.speculation import Speculate
from webfarer.engine.timeline import Span
from webfarer.evals.benches._seed_runs import Phase, Run, Strategy, run

_DRAWS = 8
_TIMED = 6
"""So many passes over a text are timed, the first not counted; none of them is near the text's end."""
_Times = dict[int, list[float]]


@dataclass(frozen=True, slots=True)
class Prices:
    """Costs of passes and drafts, and of what the engine does around them.

    Attributes:
        plain: of passes without drafts, over one row and over all.
        one: of drafts and of the passes that check them, one row at a time.
        all: all rows together.
        beside: one row at a time while others draft.
        entering: by how much the first draft of a text takes longer, alone, of all texts at once, and beside others.
    """

    plain: Costs
    one: Costs
    all: Costs
    beside: Costs
    entering: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def of(cls, target: Loaded, draft: str, work: Sequence[Sequence[Request]], k: int) -> "Prices":
        """Measure them over texts like these, with drafts of no, one, `k` and twice as many tokens."""
        rows, single = max(map(len, work)), [requests[:1] for requests in work]
        plain, one, every, beside = _Timed(), _Timed(), _Timed(), _Timed()
        for texts in (single, work) if rows > 1 else (single,):
            plain.time(target, Strategy("", "batched"), texts, 0)
            for k_now in sorted({1, k, min(2 * k, LONGEST)}):
                how = Strategy("", "batched", Speculate(draft, k_now))
                (one if texts is single else every).time(target, how, texts, k_now)
        beside.time(target, Strategy("", "fcfs", Speculate(draft, k)), work, k)
        costs = (plain.costs(), one.costs(), one.costs(every), one.costs(beside))
        return cls(*costs, (one.entering(), (every if rows > 1 else one).entering(), beside.entering()))

    def bound(self, rows: int, k: int) -> float:
        """Return how many times as fast as one after the other the cost model lets drafting side by side be."""
        return min(rows, 1 + self.one.draft(1, k) / self.one.verify(k + 1))


class _Timed:
    """Times of passes by tokens, and of drafting a token by rows."""

    def __init__(self) -> None:
        self.passes: _Times = defaultdict(list)
        self.drafts: _Times = defaultdict(list)
        self._first: list[tuple[int, float]] = []

    def time(self, target: Loaded, strategy: Strategy, work: Sequence[Sequence[Request]], k: int) -> None:
        """Write texts that are too long to end while passes are timed."""
        new = (_TIMED + 1) * (k + 1) + 1
        longer = [[_lasting(request, new) for request in requests] for requests in work]
        for phase in run(target, strategy, longer).phases:
            self._take(phase.spans, k, own=strategy.scheduler == "fcfs")

    def _take(self, spans: Sequence[Span], k: int, *, own: bool) -> None:
        """Take times from the end of what came before, so that what the engine does between is in them."""
        seen, drafted, passed = Counter[int](), dict[tuple[int, ...], float](), 0.0
        for span in sorted(spans, key=lambda span: span.end):
            rounds, rows = seen[span.numbers[0]], len(span.numbers)
            counted = 0 < rounds < _TIMED
            if span.kind == "draft":
                if counted and k > 1:  # a single one is mostly what every draft begins with
                    self.drafts[rows].append((span.end - (span.start if own else passed)) / k)
                elif k > 1 and not rounds:
                    self._first.append((k, span.end - span.start))
                drafted[span.numbers] = span.end
                continue
            if counted:
                self.passes[rows * (k + 1)].append(span.end - max(passed, drafted.get(span.numbers, 0.0)))
            seen.update(span.numbers)
            passed = span.end

    def entering(self) -> float:
        """Return the mean by which first drafts took longer; 0 where none was timed."""
        if not (self._first and self.drafts):
            return 0.0
        later = statistics.mean(time for times in self.drafts.values() for time in times)
        return max(0.0, statistics.mean(time - k * later for k, time in self._first))

    def costs(self, other: "_Timed | None" = None) -> Costs:
        """Return the means; those of another count where both have some."""
        passes = self.passes | (other.passes if other else {})
        drafts = self.drafts | (other.drafts if other else {})
        return Costs(_means(passes), _means(drafts) or ((1, 0.0),))


def _means(times: _Times) -> tuple[tuple[int, float], ...]:
    return tuple((count, statistics.mean(found)) for count, found in sorted(times.items()))


def _lasting(request: Request, new: int) -> Request:
    return replace(request, params=replace(request.params, max_tokens=new, ignore_eos=True))


def acceptance(run: Run, k: int) -> float:
    """Return the chance that a drafted token stood if those before it did, in a run with drafts of `k`."""
    stood = [count for phase in run.phases for text in phase.stood for count in text]
    return sum(stood) / max(1, sum(stood) + sum(count < k for count in stood))


def predicted(strategy: Strategy, run: Run, prices: Prices) -> float:
    """Return the seconds a run's passes and drafts should take.

    Args:
        strategy: of the run.
        run: its lengths are taken, what was drafted and what stood.
        prices: of the target and the drafter.
    """
    return sum(_phase(strategy, phase, prices) for phase in run.phases)


def _phase(strategy: Strategy, phase: Phase, prices: Prices) -> float:
    batched, how = strategy.scheduler == "batched", strategy.speculate
    costs = {"batched": prices.all, "serial": prices.one, "fcfs": prices.beside}[strategy.scheduler]
    entering = dict(zip(("serial", "batched", "fcfs"), prices.entering, strict=True))[strategy.scheduler]
    if not phase.lengths:
        return 0.0
    if how is not None and how.k is None:
        return _replayed(phase, prices)
    k = (how.k or 0) if how else 0
    name = "autoregressive" if how is None and not batched else strategy.scheduler
    # nobody knows that a text is about to end, so its last draft is as long as any
    record = tuple((*stood[:-1], k if phase.open else stood[-1]) for stood in phase.stood if stood)
    lengths = tuple(sum(stood) + len(stood) for stood in record)
    work = Work(lengths, k, record=record, workers=_workers(len(lengths)), entering=entering)
    return simulate(name, work, costs, prices.plain).wall


def _replayed(phase: Phase, prices: Prices) -> float:
    """Return the seconds of rounds of one batch, each with as many drafted tokens as there were."""
    seconds = prices.entering[1] if any(phase.drafted) else 0.0
    for number, drafted in enumerate(phase.drafted):
        rows = sum(len(stood) > number for stood in phase.stood)
        costs = prices.all if drafted else prices.plain
        seconds += costs.verify(rows + drafted) + prices.all.draft(rows, -(-drafted // rows))
    return seconds


def _workers(rows: int) -> int:
    """Return how many texts the engine's schedule "fcfs" drafts for at once."""
    return min(rows, max(1, (os.cpu_count() or 2) - 1))


def gain(lengths: Sequence[int], chance: float, prices: Prices) -> tuple[float, float]:
    """Return the seconds of one batch with the best length of drafts, and without drafts."""
    rows, costs = len(lengths), prices.all
    k = best([chance] * rows, costs, LONGEST)[0]
    common = Work(tuple(lengths), k, acceptance=(chance,) * rows, entering=prices.entering[1])
    works = [replace(common, seed=seed) for seed in range(_DRAWS)]
    without = simulate("batched", replace(common, k=0), costs, prices.plain).wall
    drafting = statistics.mean(simulate("batched", work, costs, prices.plain).wall for work in works)
    return min(drafting, without), without
