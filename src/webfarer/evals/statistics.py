"""Means, intervals and comparisons of marks, where every item may have been answered several times.

Items are the sample; several runs of one item are not several items. Plain Python, the same numbers on every machine.
Sources: Wilson, JASA 1927, at the effective sample size of Korn and Graubard, Survey Methodology 1998; McNemar,
Psychometrika 1947; Bonett and Price, "Adjusted Wald confidence interval for a difference of binomial proportions based
on paired data", JEBS 2012.
"""

import math
from collections.abc import Iterable, Sequence
from random import Random

from pydantic import BaseModel, ConfigDict

_Z = 1.959964  # 95 %
_EXACT = 12  # items that differ, up to which all assignments of signs are tried
_FLIPS = 10_000
_CLOSE = 1e-9

Groups = Sequence[Sequence[float]]
"""The marks of every item: one for each of its runs, a missing answer as 0."""


class Estimate(BaseModel):
    """A mean over items with its 95 % interval.

    Attributes:
        mean: of the items' own means.
        items, runs: how many items, and how many marks of them in all.
    """

    model_config = ConfigDict(frozen=True)

    mean: float
    low: float
    high: float
    items: int
    runs: int

    @classmethod
    def share(cls, groups: Groups) -> "Estimate":
        """Estimate a mean of marks in [0, 1], with Wilson's interval at the effective number of trials.

        That number is what independent trials of this mean would need for the variance seen between items. With one
        run of right and wrong it is the number of items; it never passes the number of marks. No item at all could be
        anything.
        """
        means, runs = _item_means(groups)
        if not means:
            return cls(mean=0.0, low=0.0, high=1.0, items=0, runs=0)
        n = len(means)
        p = min(1.0, max(0.0, math.fsum(means) / n))
        spread = math.fsum((value - p) ** 2 for value in means) / (n * n)
        bernoulli = p * (1 - p)
        trials = n if bernoulli < _CLOSE else min(float(runs), bernoulli / spread if spread else math.inf)
        low, high = _wilson(p, trials)
        return cls(mean=p, low=min(p, low), high=max(p, high), items=n, runs=runs)


class Comparison(BaseModel):
    """One system against another on the same items.

    Attributes:
        items: compared.
        better, worse: items on which the first has the higher, the lower mean.
        difference: mean of the first minus mean of the second, with its 95 % interval (Bonett and Price: two items
            are added, one for each side, which for several runs makes it wider than need be).
        p: two-sided, of no difference.
        method: "mcnemar" (exact; one run each) or "sign_flip" (permutation of the items' differences).
    """

    model_config = ConfigDict(frozen=True)

    items: int
    better: int
    worse: int
    difference: float
    low: float
    high: float
    p: float
    method: str


def compare(one: Groups, other: Groups, seed: int = 0) -> Comparison:
    """Compare two systems' marks in [0, 1], item by item.

    Args:
        one, other: marks of the same items in the same order; numbers of runs may differ.
        seed: of the permutations, where there are too many to try them all.

    Raises:
        ValueError: different numbers of items, or an item without a mark.
    """
    if len(one) != len(other) or not all(map(len, (*one, *other))):
        raise ValueError("a comparison needs the same items on both sides, each with a mark")
    (first, _), (second, _) = _item_means(one), _item_means(other)
    differences = [mine - yours for mine, yours in zip(first, second, strict=True)]
    n = len(differences)
    apart = [value for value in differences if abs(value) > _CLOSE]
    better = sum(value > 0 for value in apart)
    single = all(len(group) == 1 and group[0] in (0, 1) for group in (*one, *other))
    p = mcnemar(better, len(apart) - better) if single else _sign_flip(apart, seed)
    middle = math.fsum(differences) / (n + 2)
    variance = (math.fsum(value * value for value in differences) + 2) / (n + 2) - middle * middle
    error = _Z * math.sqrt(variance / (n + 2))
    return Comparison(
        items=n,
        better=better,
        worse=len(apart) - better,
        difference=math.fsum(differences) / n if n else 0.0,
        low=max(-1.0, middle - error),
        high=min(1.0, middle + error),
        p=p,
        method="mcnemar" if single else "sign_flip",
    )


def mcnemar(better: int, worse: int) -> float:
    """Return the two-sided exact p value for so many items on which only one of two systems was right."""
    n = better + worse
    tail = sum(math.comb(n, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2 * (tail / (1 << n)))


def weighted(cells: Iterable[tuple[float, int]]) -> float:
    """Return the overall mean of (mean, number of items) cells; 0 of nothing."""
    pairs = list(cells)
    n = sum(count for _, count in pairs)
    return math.fsum(value * count for value, count in pairs) / n if n else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def _item_means(groups: Groups) -> tuple[list[float], int]:
    """Return the mean of every item that has marks, and how many marks there are."""
    kept = [group for group in groups if group]
    return [_mean(group) for group in kept], sum(map(len, kept))


def _wilson(p: float, n: float) -> tuple[float, float]:
    middle = p + _Z * _Z / (2 * n)
    spread = _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
    scale = 1 + _Z * _Z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _sign_flip(differences: Sequence[float], seed: int) -> float:
    """Return how often a sum as far from 0 comes up when every difference may have either sign.

    All assignments are tried for a few items; for more, as many are drawn, and the one that was seen counts as drawn.
    """
    seen = abs(math.fsum(differences)) - _CLOSE
    if len(differences) <= _EXACT:
        sums = [0.0]
        for value in differences:
            sums = [part + sign * value for part in sums for sign in (1, -1)]
        return sum(abs(part) >= seen for part in sums) / len(sums)
    draw = Random(seed)
    chunks = [_signed_sums(differences[at : at + 8]) for at in range(0, len(differences), 8)]
    far = 0
    for _ in range(_FLIPS):
        total = sum(sums[byte] for sums, byte in zip(chunks, draw.randbytes(len(chunks)), strict=True))
        far += abs(total) >= seen
    return (far + 1) / (_FLIPS + 1)


def _signed_sums(values: Sequence[float]) -> list[float]:
    """Return the sum of up to eight values for every byte, whose bits are their signs."""
    return [sum(value if byte >> at & 1 else -value for at, value in enumerate(values)) for byte in range(256)]
