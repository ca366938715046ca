"""`actions`: neither too few nor too many actions.

The sentence in WebDancer discards trajectories with more than two actions, its context wants to keep these; WebSailor
keeps more than five. Direction chosen here: fewer than `fewest` are dropped because they show no search, more than
`most` because they show a lost one.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Actions:
    """The rule; both bounds are kept themselves."""

    fewest: int = 2
    most: int = 16

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 2
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return which bound is passed."""
        count = len(trajectory.actions)
        if count < self.fewest:
            return f"{count} actions, fewer than {self.fewest}"
        return f"{count} actions, more than {self.most}" if count > self.most else ""


rule = Actions
