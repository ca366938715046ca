"""`rate`: how much of what had to be found was found, and how fast: ISR and ISE of WebLeaper.

ISR is the share of the required entities that stand on pages that were read, ISE their number for each step. Both have
to be above the bound, not at it (0.3 and 0.1 in the paper). For questions that require several entities (`required` of
the item's data, else its parts); others pass. Source: "WebLeaper", 2025.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory
from webfarer.evals.scoring import normalise


@dataclass(frozen=True)
class Rate:
    """The rule."""

    isr: float = 0.3
    ise: float = 0.1

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 7
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return which rate is too low."""
        required = trajectory.item.data.get("required") or trajectory.item.parts
        if len(required) < 2:
            return ""
        read = "".join(normalise(page.markdown) for page in (trajectory.pages or {}).values())
        found = sum(normalise(str(entity)) in read for entity in required)
        steps = len({action.step for action in trajectory.actions})
        if found <= self.isr * len(required):
            return f"ISR {found}/{len(required)} is not above {self.isr}"
        return f"ISE {found}/{steps} is not above {self.ise}" if found <= self.ise * steps else ""


rule = Rate
