"""What was aimed at, and what came of it: one row an aim, met or missed, and the line to remember.

Not what a reader should look at first: the tables hold every run. Every figure is the median of ratios, round by round,
with the least and the largest. Invariant: an aim is judged by what was measured, never by what was simulated.
"""

import statistics
from collections.abc import Iterator, Sequence

from webfarer.evals.bench import Row
from webfarer.evals.benches._seed_cases import AUTO, AUTOREGRESSIVE, PLAIN, SEED, SERIAL, Case

_OVER_SEED, _OVER_AUTOREGRESSIVE, _OVER_BATCHED = 2.5, 3.0, 1.2
_ERROR = 0.15
_GAIN = 1.05
"""What the simulator says to bring less than this is no gain."""
_FEW = 0.1
"""Drafted tokens per token drawn: below this, speculation counts as switched off."""


def aims(cases: Sequence[Case]) -> list[Row]:
    """Return a row for every aim of every case."""
    return [row for case in cases for row in _aims(case, most=max(c.branches for c in cases))]


def _aims(case: Case, most: int) -> Iterator[Row]:
    if case.branches > 1:
        yield _schedule(case)
        yield _drafts(case)
    if case.branches == most > 1:
        for baseline, wanted in ((SEED, _OVER_SEED), (AUTOREGRESSIVE, _OVER_AUTOREGRESSIVE)):
            ratios = case.ratios(AUTO, baseline)
            met = statistics.median(ratios) >= wanted
            yield _row(case, f"{AUTO} over {baseline}", f"≥ {wanted}", spread(ratios), met=met)
    errors = {name: error for name in case.runs if (error := case.error(name)) is not None}
    worst = max(errors, key=lambda name: abs(errors[name]))
    found = f"{errors[worst]:+.0%} ({worst})"
    yield _row(case, "the simulator, at worst", f"± {_ERROR:.0%}", found, met=abs(errors[worst]) <= _ERROR)


def _schedule(case: Case) -> Row:
    """SEED's schedule beside the same drafts one after the other: faster, by no more than the cost model allows."""
    ratios, bound = case.ratios(SEED, SERIAL), case.bound
    # the bound is of a median round: one of the rounds must keep to it
    met = statistics.median(ratios) > 1 and min(ratios) <= bound
    return _row(case, f"{SEED} over {SERIAL}", f"> 1, ≤ {bound:.2f}", spread(ratios), met=met)


def _drafts(case: Case) -> Row:
    """Drafts in one batch: faster where they should be, and left out where they should not."""
    ratios, gain = case.ratios(AUTO, PLAIN), case.gain
    if gain > _GAIN:
        aim, wanted = f"{AUTO} over {PLAIN}, simulated {gain:.2f}", f"≥ {_OVER_BATCHED}"
        return _row(case, aim, wanted, spread(ratios), met=statistics.median(ratios) >= _OVER_BATCHED)
    runs = case.runs[AUTO]
    drafted = sum(run.drafted for run in runs) / sum(run.tokens for run in runs)
    found = f"{spread(ratios)}, {drafted:.2f} drafted per token"
    met = drafted < _FEW and statistics.median(ratios) >= 1
    return _row(case, f"{AUTO} over {PLAIN}, no gain simulated", f"no slower, < {_FEW} drafted", found, met=met)


def _row(case: Case, aim: str, wanted: str, found: str, *, met: bool) -> Row:
    outcome = "met" if met else "missed"
    return {"of": case.title, "n": case.branches, "aim": aim, "wanted": wanted, "found": found, "outcome": outcome}


def spread(ratios: Sequence[float]) -> str:
    """Return median, least, largest and number of some ratios."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}, n={len(ratios)})"


def headline(cases: Sequence[Case]) -> str:
    """Return the line to remember: each target with the most texts at once, as a search has them."""
    most = max(case.branches for case in cases)
    chosen = {case.setting.name: case for case in cases if case.branches == most and case.texts.usual}
    parts = [
        f"{case.title}: {spread(case.ratios(AUTO, SEED))} times as fast as SEED's schedule, "
        f"{spread(case.ratios(AUTO, AUTOREGRESSIVE))} as autoregressive, {spread(case.ratios(AUTO, PLAIN))} as batched "
        "without drafts"
        for case in chosen.values()
    ]
    return f"seed: batched speculative decoding of {most} texts at once; " + "; ".join(parts)
