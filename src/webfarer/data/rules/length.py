"""`length`: neither a thought nor the whole conversation is longer than a model is to learn.

In tokens, as :mod:`webfarer.models.tokens` estimates them, on the high side. The whole is the last prompt and its
reply; its bound is WebSailor's.
"""

from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Bench, Stage
from webfarer.data.rules._replies import decisions, thoughts
from webfarer.data.trajectory import Trajectory
from webfarer.models.tokens import estimate


@dataclass(frozen=True)
class Length:
    """The rule.

    Attributes:
        thought: most tokens of what is thought in one reply, the answer included.
        whole: most tokens of the deciding conversation.
    """

    thought: int = 2048
    whole: int = 32_768

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 8
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, bench: Bench) -> str:
        """Return what is too long."""
        longest = max(map(estimate, thoughts(trajectory)), default=0)
        if longest > self.thought:
            return f"a thought of {longest} tokens, more than {self.thought}"
        shown = [decision.said.messages for decision in decisions(trajectory)][-1:]
        whole = longest + sum(estimate(str(message["content"])) for messages in shown for message in messages)
        return f"{whole} tokens, more than {self.whole}" if whole > self.whole else ""


rule = Length
