"""Scores: is a known answer in the text, and how sure is a share of so many trials.

Not a judge of wording: an answer counts when every part of the truth stands in it, and it is short enough not to be a
whole page. Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

_TOKEN = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_CHARS_PER_PART = 200
_Z = 1.96  # 95 %


class Share(BaseModel):
    """How many of `n` trials were hits, with the 95 % interval of the share (Wilson)."""

    model_config = ConfigDict(frozen=True)

    hits: int
    n: int
    share: float
    low: float
    high: float

    @classmethod
    def of(cls, trials: Iterable[bool]) -> "Share":
        """Count trials; none at all give a share of 0 that could be anything."""
        outcomes = list(trials)
        hits, n = sum(outcomes), len(outcomes)
        if n == 0:
            return cls(hits=0, n=0, share=0.0, low=0.0, high=1.0)
        p = hits / n
        middle = p + _Z * _Z / (2 * n)
        spread = _Z * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        scale = 1 + _Z * _Z / n
        low, high = (middle - spread) / scale, (middle + spread) / scale
        return cls(hits=hits, n=n, share=round(p, 4), low=round(max(0.0, low), 4), high=round(min(1.0, high), 4))

    @property
    def percent(self) -> str:
        """The share alone, as "97 %"."""
        return f"{100 * self.share:.0f} %"

    def __str__(self) -> str:
        return f"{self.percent} ({100 * self.low:.0f}–{100 * self.high:.0f})"


def normalise(text: str) -> str:
    """Return the words and numbers of `text` and its Chinese characters, lower-case, one space around each."""
    return f" {' '.join(_TOKEN.findall(unicodedata.normalize('NFKC', text).casefold()))} "


def correct(answer: str, truth: Sequence[str]) -> bool:
    """Say whether every part of the truth stands in the answer as whole words, and the answer is no dump of a page."""
    said = normalise(answer)
    return len(answer) <= _CHARS_PER_PART * len(truth) and all(normalise(part) in said for part in truth)


def mean(numbers: Iterable[float], digits: int = 2) -> float:
    """Return the rounded mean; 0 of nothing."""
    values = list(numbers)
    return round(sum(values) / len(values), digits) if values else 0.0
