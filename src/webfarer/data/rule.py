"""A rule of the funnel: a name, a stage, and a reason why a trajectory is not kept.

Rules are made in the order validity, correctness, quality; the first that speaks drops the trajectory and is counted.
Numbers that decide are a rule's fields, so that they can be set: `--rule repetition:n=10,most=4`. Source: the funnel of
WebDancer (Wu et al., NeurIPS 2025).
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

from webfarer.core.registry import Seam
from webfarer.data.trajectory import Trajectory
from webfarer.models.base import ChatModel

RULES = Seam("webfarer.data.rules", "rule", "rule")

Stage = Literal["validity", "correctness", "quality"]
STAGES: tuple[Stage, ...] = ("validity", "correctness", "quality")


@dataclass(frozen=True, slots=True)
class Jury:
    """What rules work with; `model` is the judge, its calls recorded and charged, or None."""

    model: ChatModel | None = None


class Rule(Protocol):
    """Judges trajectories. Modules of the seam define `rule`, a frozen dataclass whose fields have defaults."""

    stage: ClassVar[Stage]
    order: ClassVar[int]
    """Within its stage, small numbers first."""
    asks: ClassVar[bool]
    """Whether it asks a model; such a rule is left out unless it is named."""

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return why the trajectory is not kept; "" when it is."""
        ...
