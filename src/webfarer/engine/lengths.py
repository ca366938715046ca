"""How long drafts should be: as many tokens as bring the batch the most text per second, or none.

Not a clock: what passes cost is measured elsewhere and comes in as numbers. Invariant: `best` is never predicted to be
slower than plain decoding, and is the best there is for the given acceptances and costs.
Source: expected tokens per pass from speculative decoding (arXiv 2211.17192, section 3).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from webfarer.core.errors import ConfigError

LONGEST = 16
"""Drafts are never longer than this."""

_PATIENT = 4
"""A row tries again after at most 2^this times as many rounds as at first."""

_AGAIN = 4
"""Where drafts do not pay, it is reckoned again after so many rounds."""

Points = tuple[tuple[int, float], ...]


def expected(acceptance: float, k: int) -> float:
    """Return how many tokens a pass over a draft of `k` brings, each standing with this chance if those before do."""
    if acceptance >= 1:
        return k + 1.0
    return (1 - acceptance ** (k + 1)) / (1 - acceptance)


@dataclass(frozen=True, slots=True)
class Costs:
    """What work costs, in any one unit of time: measured points, straight lines between them.

    Below the first point its value holds; above the last the last line goes on, but never falls.

    Attributes:
        passes: (tokens, time) of the model's passes over so many tokens, of all rows together.
        drafts: (rows, time) of drafting one more token for so many rows.
        checking: factor on a pass that checks drafts, beside one over the rows' last tokens.
    """

    passes: Points
    drafts: Points = ((1, 0.0),)
    checking: float = 1.0

    def __post_init__(self) -> None:
        """Refuse points that are no measurements."""
        for name, points in (("passes", self.passes), ("drafts", self.drafts)):
            counts = [count for count, _ in points]
            if not points or counts != sorted(set(counts)) or any(not (0 <= t < math.inf) for _, t in points):
                raise ConfigError(f"costs: {name} needs points of rising counts, with times of at least 0")
        if not all(time > 0 for _, time in self.passes):
            raise ConfigError("costs: a pass takes some time")

    def verify(self, tokens: int) -> float:
        """Return the time of one pass over so many tokens."""
        return _between(self.passes, tokens)

    def draft(self, rows: int, k: int) -> float:
        """Return the time of drafting `k` tokens for each of `rows` rows together."""
        return k * _between(self.drafts, rows) if k and rows else 0.0


def best(acceptances: Sequence[float], costs: Costs, most: int) -> list[int]:
    """Return each row's draft length, 0 to `most`, so that a round brings the most tokens per time.

    A round drafts for all rows together, as deep as the longest draft, and then makes one pass. All are 0 where
    speculating does not pay.

    Args:
        acceptances: of each row, the chance that a drafted token stands if those before it do.
        costs: of drafting and of passes.
        most: the longest draft there may be.
    """
    rows = len(acceptances)
    chances = np.array(acceptances, dtype=np.float64)[:, None] ** np.arange(1, most + 1)
    row, depth = np.nonzero(chances)
    if not len(row):
        return [0] * rows
    # the j-th token of a draft stands with chance a^j: what it adds never grows along a row, so the best choice of so
    # many tokens, none deeper than k, is a beginning of this list without what is deeper
    order = np.lexsort((row, depth, -chances[row, depth]))
    row, depth = row[order], depth[order] + 1
    deepest = np.arange(1, most + 1)[:, None]
    inside = depth <= deepest
    extra = inside.cumsum(1)
    tokens = rows + (inside * chances[row, depth - 1]).cumsum(1)
    passes = _table(costs.passes, rows + len(row) + 1)[rows:]
    rates = np.where(inside, tokens / (deepest * costs.draft(rows, 1) + passes[extra] * costs.checking), 0.0)
    k, at = np.unravel_index(rates.argmax(), rates.shape)
    if rates[k, at] <= rows / passes[0]:
        return [0] * rows
    lengths: list[int] = np.bincount(row[inside[k]][: extra[k, at]], minlength=rows).tolist()
    return lengths


@lru_cache(maxsize=64)
def _table(points: Points, count: int) -> npt.NDArray[np.float64]:
    return np.array([_between(points, number) for number in range(count)])


@dataclass(slots=True)
class Estimate:
    """A running estimate of one row's acceptance: a Beta distribution whose evidence fades, so that it follows changes.

    Attributes:
        mean: what is believed before anything was seen.
        weight: how many tokens that belief is worth.
        memory: evidence is worth 1/e of itself after so many further tokens were judged.
    """

    mean: float = 0.6
    weight: float = 2.0
    memory: float = 24.0
    _stood: float = 0.0
    _fell: float = 0.0

    def learn(self, proposed: int, accepted: int) -> None:
        """Take a round in which `accepted` of a path of `proposed` stood; those behind a rejected one say nothing."""
        fell = int(accepted < proposed)
        keep = math.exp(-(accepted + fell) / self.memory)
        self._stood = self._stood * keep + accepted
        self._fell = self._fell * keep + fell

    @property
    def value(self) -> float:
        """The chance that a drafted token stands if those before it do; between 0 and 1, never quite either."""
        return (self.mean * self.weight + self._stood) / (self.weight + self._stood + self._fell)


@dataclass(slots=True)
class Ratio:
    """How many times as long as was reckoned something takes: a mean that follows, in which outliers count little."""

    value: float = 1.0
    _seen: int = 0

    def learn(self, reckoned: float, real: float) -> None:
        """Take another observation."""
        if reckoned > 0 and real > 0:
            self._seen += 1
            ratio = min(max(real / reckoned, 0.2), 5.0)
            self.value += (ratio - self.value) / min(self._seen, 20)


@dataclass(slots=True)
class Chooser:
    """Chooses draft lengths round by round, and lets a row try again now and then where none speculates.

    Attributes:
        costs: of drafting and of passes.
        most: the longest draft there may be.
        every: after so many rounds without drafts one row, each in its turn, drafts a token, or what is not tried any
            more would hold for ever; twice as many after each try in vain; 0 for never.
        plain, checked, drafted: what rounds of the batch really took beside what `costs` says.
    """

    costs: Costs
    most: int
    every: int = 16
    plain: Ratio = field(default_factory=Ratio)
    checked: Ratio = field(default_factory=Ratio)
    drafted: Ratio = field(default_factory=Ratio)
    _rows: int = 0
    _idle: int = 0
    _tried: int = 0
    _vain: int = 0

    def choose(self, estimates: Sequence[Estimate]) -> list[int]:
        """Return each row's draft length for the next round."""
        chosen = [0] * len(estimates)
        if self._idle % _AGAIN == 0 or len(estimates) != self._rows:  # else nothing was learned but a pass's time
            chosen, self._rows = best([estimate.value for estimate in estimates], self.real, self.most), len(estimates)
        if any(chosen):
            self._idle = self._vain = 0
            return chosen
        self._idle += 1
        if self.every and self.most and chosen and self._idle >= self.every << min(self._vain, _PATIENT):
            chosen[self._tried % len(chosen)] = 1
            self._idle, self._tried, self._vain = 0, self._tried + 1, self._vain + 1
        return chosen

    @property
    def real(self) -> Costs:
        """The costs, as rounds have shown them, in plain passes as they were reckoned."""
        slower = self.drafted.value / self.plain.value
        drafts = tuple((rows, time * slower) for rows, time in self.costs.drafts)
        return Costs(self.costs.passes, drafts, self.checked.value / self.plain.value)

    def took(self, rows: int, tokens: int, seconds: float) -> None:
        """Hear how long a pass over so many tokens of so many rows took."""
        kind = self.plain if tokens == rows else self.checked
        kind.learn(self.costs.verify(tokens), seconds)

    def took_drafting(self, rows: int, k: int, seconds: float) -> None:
        """Hear how long it took to draft at most `k` tokens for so many rows."""
        if not self._vain:  # a row that tries again has much to read first, which says nothing of the next drafts
            self.drafted.learn(self.costs.draft(rows, k), seconds)


def _between(points: Points, count: int) -> float:
    """Read the line through `points` at `count`."""
    if count <= points[0][0] or len(points) == 1:
        return points[0][1]
    right = min(bisect_right(points, (count, math.inf)), len(points) - 1)
    (x0, y0), (x1, y1) = points[right - 1], points[right]
    slope = (y1 - y0) / (x1 - x0)
    return y0 + (count - x0) * slope if count <= x1 else y1 + (count - x1) * max(slope, 0.0)
