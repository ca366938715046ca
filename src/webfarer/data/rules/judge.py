"""`judge`: a chat model says that the answer means the same as the reference.

One vote, asked as the scorer of that name asks; for runs whose scorer compares words, or to have a second opinion.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory
from webfarer.evals.scorers.judge import Verdict, prompt
from webfarer.models.structured import ask


@dataclass(frozen=True)
class Judge:
    """The rule."""

    stage: ClassVar[Stage] = "correctness"
    order: ClassVar[int] = 2
    asks: ClassVar[bool] = True

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return the judge's reason when the verdict is not "correct"."""
        answer = trajectory.result.answer
        if jury.model is None or answer is None or not answer.text.strip():
            return "there is no answer to judge"
        verdict = await ask(jury.model, prompt(trajectory.item, answer.text), Verdict)
        return "" if verdict.verdict == "correct" else f"{verdict.verdict}: {verdict.reason}"


rule = Judge
