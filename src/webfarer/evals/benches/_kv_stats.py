"""Accuracy over sheets, and differences between policies on the same sheets, with intervals.

Answers of one sheet depend on each other, so whole sheets are drawn anew (clustered bootstrap), within each exam; the
same draws serve every policy, so differences are paired. 95 % percentile intervals.
"""

from collections.abc import Sequence

import torch

from webfarer.evals.scoring import Share

_DRAWS = 2000
_TAIL = 0.025


class Points(Share):
    """How many more answers were right than on the same sheets under another policy; a share may be negative."""

    def __str__(self) -> str:
        return f"{100 * self.share:+.1f} ({100 * self.low:+.1f} to {100 * self.high:+.1f})"


class Sheets:
    """The sheets all policies wrote.

    Args:
        exams: of each sheet.
        asked: questions on each.
        seed: of the draws.
    """

    def __init__(self, exams: Sequence[str], asked: Sequence[int], seed: int) -> None:
        self.exams = list(exams)
        self._asked = torch.tensor(asked, dtype=torch.float64)
        generator = torch.Generator().manual_seed(seed)
        counts = torch.zeros(_DRAWS, len(exams), dtype=torch.float64)
        for exam in dict.fromkeys(exams):
            index = torch.tensor([number for number, name in enumerate(exams) if name == exam])
            drawn = torch.randint(len(index), (_DRAWS, len(index)), generator=generator)
            ones = torch.ones(drawn.shape, dtype=torch.float64)
            counts.scatter_add_(1, index[drawn], ones)
        self._counts = counts

    def accuracy(self, right: Sequence[int], exam: str | None = None) -> Share:
        """Return the share of right answers, over all exams or one."""
        return Share(**self._measure(right, exam))

    def difference(self, right: Sequence[int], other: Sequence[int], exam: str | None = None) -> Points:
        """Return how much larger the share of right answers is than the other one."""
        return Points(**self._measure([a - b for a, b in zip(right, other, strict=True)], exam))

    def _measure(self, values: Sequence[int], exam: str | None) -> dict[str, float]:
        mine = torch.tensor([exam in (None, name) for name in self.exams], dtype=torch.float64)
        value, asked = torch.tensor(values, dtype=torch.float64) * mine, self._asked * mine
        share = value.sum() / asked.sum()
        drawn = (self._counts @ value) / (self._counts @ asked)
        low, high = drawn.quantile(torch.tensor([_TAIL, 1 - _TAIL], dtype=torch.float64)).tolist()
        hits, n = int(value.sum()), int(asked.sum())
        return {"hits": hits, "n": n, "share": round(float(share), 4), "low": round(low, 4), "high": round(high, 4)}
