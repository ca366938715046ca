"""`tags`: every deciding reply has the form it was told to have: tags closed, known, in order; calls or an answer.

Strict where the dialects are tolerant. Where tools are the server's own there is no form to check.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.rules._replies import decisions, ill_formed
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Tags:
    """The rule."""

    stage: ClassVar[Stage] = "validity"
    order: ClassVar[int] = 1
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return what is wrong with the form of the first reply that lacks it."""
        return next(filter(None, map(ill_formed, decisions(trajectory))), "")


rule = Tags
