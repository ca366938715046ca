"""`finished`: the agent ended by itself with an answer, no reply was cut, and every call was carried out.

An answer that a spent budget, a loop or a failure forced out teaches to go on until then; a call behind the one that an
agent takes of a reply teaches an action that never happened.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

from webfarer.core.types import StopReason
from webfarer.data.rule import Jury, Stage
from webfarer.data.rules._replies import called, decisions
from webfarer.data.trajectory import Trajectory


@dataclass(frozen=True)
class Finished:
    """The rule."""

    stage: ClassVar[Stage] = "validity"
    order: ClassVar[int] = 4
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return how it ended instead."""
        answer, error = trajectory.result.answer, trajectory.result.error
        if answer is None:
            return f"it failed: {error['message']}" if error else "it failed"
        if answer.stop_reason is not StopReason.ANSWERED or not answer.text.strip():
            return f"it ended with {answer.stop_reason}: {answer.stop_detail or 'no answer'}"
        cut = any(said.reply and said.reply.finish == "length" for said in trajectory.said)
        return "a reply was cut at the token limit" if cut else _undone(trajectory)


def _undone(trajectory: Trajectory) -> str:
    """Return which tool was called, among others in a reply, more often than it was used."""
    taken = [[name for name, _ in called(each)] for each in decisions(trajectory) if not each.said.refused]
    if all(len(names) < 2 for names in taken):
        return ""
    left = Counter(chain.from_iterable(taken)) - Counter(action.name for action in trajectory.actions)
    return next((f"{number} calls of {name} were never carried out" for name, number in left.items()), "")


rule = Finished
