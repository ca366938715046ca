"""`finished`: the agent ended by itself with an answer, and no reply was cut.

An answer that a spent budget, a loop or a failure forced out teaches to go on until then.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.core.types import StopReason
from webfarer.data.rule import Bench, Stage
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Finished:
    """The rule."""

    stage: ClassVar[Stage] = "validity"
    order: ClassVar[int] = 4
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, bench: Bench) -> str:
        """Return how it ended instead."""
        answer, error = trajectory.result.answer, trajectory.result.error
        if answer is None:
            return f"it failed: {error['message']}" if error else "it failed"
        if answer.stop_reason is not StopReason.ANSWERED or not answer.text.strip():
            return f"it ended with {answer.stop_reason}: {answer.stop_detail or 'no answer'}"
        cut = any(said.reply and said.reply.finish == "length" for said in trajectory.said)
        return "a reply was cut at the token limit" if cut else ""


rule = Finished
