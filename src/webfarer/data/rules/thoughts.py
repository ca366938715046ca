"""`thoughts`: every step says why, and the answer is short.

For agents that think aloud; a model that is asked for calls alone gives none (`--without thoughts`).
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory
from webfarer.models.tokens import estimate


@dataclass(frozen=True)
class Thoughts:
    """The rule.

    Attributes:
        answer: most tokens of the answer.
    """

    answer: int = 512

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 9
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return which step has no thought, or how long the answer is."""
        for action in trajectory.actions:
            if not action.thought.strip():
                return f"step {action.step} ({action.name}) has no thought"
        answer = trajectory.result.answer
        size = estimate(answer.text) if answer else 0
        return f"an answer of {size} tokens, more than {self.answer}" if size > self.answer else ""


rule = Thoughts
