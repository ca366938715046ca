"""`repetition`: no run of n words recurs too often within a thought or an answer.

Words, and for Chinese characters. A formula that comes once at each step is no loop, and arguments do not count: a goal
is rightly the same at each visit. Source: WebDancer (Wu et al., NeurIPS 2025), whose bound these defaults are: n = 10,
more than 4 times is too often.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.rules._replies import thoughts
from webfarer.data.trajectory import Trajectory

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")


@dataclass(frozen=True)
class Repetition:
    """The rule.

    Attributes:
        n: words of a run.
        most: how often it may stand in a reply.
    """

    n: int = 10
    most: int = 4

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 1
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return the run of words that recurs most in the first reply where one does."""
        for thought in thoughts(trajectory):
            words = _WORD.findall(thought.casefold())
            runs = Counter(zip(*(words[start:] for start in range(self.n)), strict=False))
            for run, times in runs.most_common(1):
                if times > self.most:
                    return f"{' '.join(run)!r} stands there {times} times"
        return ""


rule = Repetition
