"""`tools`: every call names an offered tool and gives what its schema asks for, no more, of the right kinds.

A call that only another spelling or another kind made usable ("queries" for "query") is one that a model should not
learn. Calls that are no JSON are the rule `json`'s.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from webfarer.data.rule import Jury, Stage
from webfarer.data.rules._replies import called, decisions
from webfarer.data.trajectory import Trajectory
from webfarer.models.base import Tool
from webfarer.models.dialects._schema import fit, signature


@dataclass(frozen=True)
class Tools:
    """The rule."""

    stage: ClassVar[Stage] = "validity"
    order: ClassVar[int] = 3
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return what is wrong with the first call that cannot be made as it stands."""
        for decision in decisions(trajectory):
            tools = decision.tools
            for name, arguments in called(decision):
                if problem := _problem(name, arguments, tools):
                    return problem
        return ""


def _problem(name: str, arguments: Any, tools: dict[str, Tool]) -> str:
    if name not in tools:
        return f"there is no tool {name!r}"
    try:
        fitted = fit(arguments, tools[name])
    except ValueError as error:
        return str(error)
    return "" if fitted == arguments else f"{arguments} are not the arguments of {signature(tools[name])}"


rule = Tools
