"""`quotes`: whatever the answer cites stands on a page that was read, and no passage was quoted that is on none.

Mechanical only: whether a quote proves the statement is for people and judges.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Quotes:
    """The rule.

    Attributes:
        uncited: how many claims may come without a quote.
    """

    uncited: int = 0

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 4
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return the first thing that was made up."""
        for action in trajectory.actions:
            if action.invented:
                return f"the page does not say: {action.invented[0]}"
        claims = trajectory.result.answer.claims if trajectory.result.answer else ()
        read = set(trajectory.pages or ()) | set(trajectory.hashes or ())
        for claim in claims:
            if claim.quote and not claim.verified:
                return f"{claim.problem}: {claim.quote.text}"
            if claim.quote and claim.quote.url not in read:
                return f"{claim.quote.url} is cited and was never read"
        bare = [claim.text for claim in claims if not claim.quote]
        return f"no quote for: {bare[0]}" if len(bare) > self.uncited else ""


rule = Quotes
