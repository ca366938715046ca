"""`right`: the scorer that decides in the run marked the answer as right."""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Right:
    """The rule."""

    stage: ClassVar[Stage] = "correctness"
    order: ClassVar[int] = 1
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return that the answer is not right, or was not marked."""
        if trajectory.right:
            return ""
        scorer = trajectory.plan.scorers[0]
        return "the answer is wrong" if trajectory.result.marks.get(scorer) else f"{scorer} has not marked it"


rule = Right
