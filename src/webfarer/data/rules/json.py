"""`json`: whatever a model wrote as JSON is JSON, to the letter, and what its schema asks for; nothing was mended.

Calls in the deciding conversation, and replies that were asked for by a schema. Arguments that a server parsed are no
longer as they were written; there is nothing to check.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.rules._replies import decisions, strict, written
from webfarer.data.schemas import misfit
from webfarer.data.trajectory import Trajectory

_SHOWN = 80
_OBJECT: dict[str, Any] = {"type": "object"}
_CALL = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "arguments": _OBJECT},
    "required": ["name", "arguments"],
}


@dataclass(frozen=True)
class Json:
    """The rule."""

    stage: ClassVar[Stage] = "validity"
    order: ClassVar[int] = 2
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return why the first broken piece is no JSON, or not what was asked for."""
        for text, schema in _pieces(trajectory):
            try:
                value = strict(text)
            except ValueError as error:
                return f"{error}: {text[:_SHOWN]}"
            if wrong := misfit(value, schema):
                return f"{wrong}: {text[:_SHOWN]}"
        return ""


def _pieces(trajectory: Trajectory) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all texts that are to be JSON, with the schema they are to fit: calls first, then replies."""
    for decision in decisions(trajectory):
        for name, text in written(decision):
            yield text, _OBJECT if name else _CALL
    for said in trajectory.said:
        if said.reply is not None and (schema := said.sampling.get("json_schema")):
            yield said.reply.text, schema


rule = Json
