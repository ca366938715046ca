"""`addresses`: no address was asked for that neither the task nor a result nor a page had named: none was made up."""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Addresses:
    """The rule."""

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 3
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return the first address that nobody had named."""
        made_up = (url for action in trajectory.actions for url in action.unnamed)
        return next((f"nobody had named {url}" for url in made_up), "")


rule = Addresses
