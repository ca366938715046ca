"""A report: a plan, then one section after another, each researched within its share of what is left.

The reporter owns the order of things, the shares and the trace; a planner plans, searching agents find, a writer
writes. What is used up ends the research and never the report: what exists comes out with the stop reason, and what
was not found, or not looked for, says so. One section after another, so that a resumed run does as it did.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from webfarer.agents.asker import Asker
from webfarer.agents.asking import Gear
from webfarer.agents.checking import claims_of, sources_of
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop, check_limits, last_answer_costs
from webfarer.agents.planning import Planner
from webfarer.agents.plans import Grid, Plan, PlannedSection
from webfarer.agents.reports import Clarification, Report, Section, Table, statements
from webfarer.agents.research import Findings, Research
from webfarer.agents.writing import Cells, Prose, Writer
from webfarer.core.fare import METERS, Budget
from webfarer.core.run import Run
from webfarer.core.types import Answer, Claim, Conflict, StopReason

_REPLY_TOKENS = 2048
_LIMITS = (StopReason.CANCELLED, StopReason.BUDGET, StopReason.TIMEOUT, StopReason.TURNS, StopReason.FAILED)


@dataclass(frozen=True, slots=True)
class Reporting:
    """How a report is made.

    Attributes:
        approve: show the plan to the person before anything is spent on research.
        sections: most sections of a plan that no person wrote.
    """

    approve: bool = False
    sections: int = 6


def reporter(gear: Gear, start: Mapping[str, Any]) -> Callable[[], Awaitable[Answer]]:
    """Return the making of the report on `start["question"]`, ready to go.

    Raises:
        ConfigError: a setting cannot work.
    """
    return Reporter(gear, start).report


class Reporter:
    """Makes one report; `start` is the run's first event."""

    def __init__(self, gear: Gear, start: Mapping[str, Any]) -> None:
        self._gear, self._run = gear, gear.run
        self._question: str = start["question"]
        self._approve: bool = start["reporting"]["approve"]
        self._planner = Planner(gear.run, self._asker(gear.run), gear.person, start["reporting"]["sections"])
        self._research = Research(gear, start["asking"])
        self._needs_model = gear.model is not None
        self._claims: list[Claim] = []
        self._sections: list[Section] = []

    async def report(self) -> Report:
        """Return the report; never raises what belongs to the search itself.

        Raises:
            ConfigError, ModelAuth: the settings cannot work.
            TraceError: the run cannot be recorded or left its recording.
        """
        clarified = await self._planner.clarify(self._question)
        plan, said = await self._planner.plan(self._question, clarified, self._approve)
        self._research.hear("\n".join((self._question, clarified.answer if clarified else "", said)))
        async with self._research:
            for number, planned in enumerate(plan.sections):
                await self._add(planned, len(plan.sections) - number)
        return self._made(plan, clarified)

    async def _add(self, planned: PlannedSection, left: int) -> None:
        """Research and write one section; one that nothing is left for says so."""
        number = len(self._sections) + 1
