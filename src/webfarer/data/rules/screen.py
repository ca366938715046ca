"""`screen`: a chat model says that no action is redundant, that all serve the question, and that the reasoning holds.

The last screening of WebDancer's funnel. What websites wrote is fenced; whether the answer is right is not asked here.
"""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel

from webfarer.core.trace import canonical
from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory
from webfarer.models.base import Message, Sampling
from webfarer.models.prompts import FENCE_RULE, fence, nonce, shorten
from webfarer.models.structured import ask

_LONGEST = 40_000
_SYSTEM = f"""You screen the record of a search before another model learns from it. You are given the question, each
step with its thought, its call and what it brought, and the answer.

- "redundant": some step repeats what was done or known before.
- "aligned": every step serves the question.
- "logical": each thought follows from what was seen, contradicts nothing of it, and the answer follows from the steps.
{FENCE_RULE}

Reply with one JSON object and nothing else:
{{"reason": "one or two sentences", "redundant": false, "aligned": true, "logical": true}}"""


class Screening(BaseModel):
    """What the model is asked for."""

    reason: str
    redundant: bool
    aligned: bool
    logical: bool


@dataclass(frozen=True)
class Screen:
    """The rule."""

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 10
    asks: ClassVar[bool] = True

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return the model's reason, with what it found lacking."""
        if jury.model is None:
            return "there is no model to screen it"
        text = shorten(_told(trajectory), _LONGEST)
        fenced = fence(text, nonce=nonce(trajectory.result.run, text), source="record")
        messages = [Message("system", _SYSTEM), Message("user", f"{fenced}\n\nYour screening, as JSON:")]
        said = await ask(jury.model, messages, Screening, Sampling())
        faults = {"redundant": said.redundant, "off the goal": not said.aligned, "illogical": not said.logical}
        found = [name for name, there in faults.items() if there]
        return f"{', '.join(found)}: {said.reason}" if found else ""


def _told(trajectory: Trajectory) -> str:
    answer = trajectory.result.answer
    lines = [f"Question: {trajectory.item.question}"]
    for action in trajectory.actions:
        brought = ", ".join((*action.found, *action.read, *action.problems)) or "nothing"
        lines.append(f"{action.step}. {action.thought}\n   {action.name} {canonical(action.arguments)}\n   → {brought}")
    return "\n".join([*lines, f"Answer: {answer.text if answer else ''}"])


rule = Screen
