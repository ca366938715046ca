"""`json`: whatever a model wrote as JSON is JSON, to the letter; nothing had to be mended.

Calls in the deciding conversation, and replies that were asked for by a schema. Arguments that a server parsed are no
longer as they were written; there is nothing to check.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from webfarer.data.rule import Bench, Stage
from webfarer.data.rules._replies import decisions, strict, written
from webfarer.data.trajectory import Trajectory

_SHOWN = 80


@dataclass(frozen=True)
class Json:
    """The rule."""

    stage: ClassVar[Stage] = "validity"
    order: ClassVar[int] = 2
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, bench: Bench) -> str:
        """Return why the first broken piece is no JSON object, or no call."""
        for name, text in _pieces(trajectory):
            try:
                value = strict(text)
            except ValueError as error:
                return f"{error}: {text[:_SHOWN]}"
            if not isinstance(value, dict):
                return f"no JSON object: {text[:_SHOWN]}"
            if name == "call" and not (isinstance(value.get("name"), str) and isinstance(value.get("arguments"), dict)):
                return f"no object with a name and arguments: {text[:_SHOWN]}"
        return ""


def _pieces(trajectory: Trajectory) -> Iterator[tuple[str, str]]:
    """Yield all texts that are to be JSON, in the order of their kind: "call", "arguments", "reply"."""
    for decision in decisions(trajectory):
        for name, text in written(decision):
            yield "arguments" if name else "call", text
    for said in trajectory.said:
        if said.reply is not None and said.sampling.get("json_schema"):
            yield "reply", said.reply.text


rule = Json
