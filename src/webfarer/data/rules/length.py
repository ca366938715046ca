"""`length`: neither a thought nor any conversation is longer than a model is to learn.

In tokens, as :mod:`webfarer.models.tokens` estimates them, on the high side. A conversation is a prompt, whatever it
was for, and its reply, calls included; the bound is WebSailor's.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar

from webfarer.core.trace import canonical
from webfarer.data.rule import Jury, Stage
from webfarer.data.rules._replies import thoughts
from webfarer.data.trajectory import Said, Trajectory
from webfarer.models.tokens import estimate


@dataclass(frozen=True)
class Length:
    """The rule.

    Attributes:
        thought: most tokens of what is thought in one reply, the answer included.
        whole: most tokens of a prompt and its reply.
    """

    thought: int = 2048
    whole: int = 32_768

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 8
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return what is too long."""
        longest = max(map(estimate, thoughts(trajectory)), default=0)
        if longest > self.thought:
            return f"a thought of {longest} tokens, more than {self.thought}"
        whole = max(map(_whole, trajectory.said), default=0)
        return f"{whole} tokens, more than {self.whole}" if whole > self.whole else ""


def _whole(said: Said) -> int:
    messages = [*said.messages, *([asdict(said.reply)] if said.reply else [])]
    texts = [str(each.get(part, "")) for each in messages for part in ("content", "text", "reasoning")]
    calls = [canonical(call["arguments"]) for each in messages for call in each.get("tool_calls", ())]
    return sum(map(estimate, filter(None, [*texts, *calls])))


rule = Length
