"""A report: a plan, then one section after another, each researched within its share of what is left.

The reporter owns the order of things, the shares and the trace; a planner plans, searching agents find, a writer
writes. What is used up ends the research and never the report: what exists comes out with the stop reason, and what
was not found, or not looked for, says so. One section after another, so that a resumed run does as it did.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webfarer.agents.asker import Asker
from webfarer.agents.asking import Gear
from webfarer.agents.assembly import Assembly, Ending, ending_of
from webfarer.agents.checking import sources_of
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop, check_limits, last_answer_costs
from webfarer.agents.planning import Planner
from webfarer.agents.plans import Grid, Plan, PlannedSection
from webfarer.agents.reports import Clarification, Report
from webfarer.agents.research import Findings, Research
from webfarer.agents.writing import Cells, Prose, Writer
from webfarer.core.fare import METERS, Budget
from webfarer.core.run import Run
from webfarer.core.types import Answer, StopReason

_REPLY_TOKENS = 2048
_FRACTIONS = ("usd", "seconds")  # the meters that are not counted in whole numbers


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
    """Return the making of the report that `start` describes, ready to go.

    Raises:
        ConfigError: a setting cannot work.
    """
    return Reporter(gear, start).report


class Reporter:
    """Makes one report.

    Args:
        gear: what it is made with.
        start: the run's first event; its `asking` comes from :func:`webfarer.agents.asking.described`.
    """

    def __init__(self, gear: Gear, start: Mapping[str, Any]) -> None:
        self._gear, self._run = gear, gear.run
        self._question: str = start["question"]
        self._approve: bool = start["reporting"]["approve"]
        self._planner = Planner(gear.run, self._asker(gear.run), gear.person, start["reporting"]["sections"])
        self._research = Research(gear, start["asking"])
        self._needs_model = gear.model is not None
        self._assembly = Assembly(gear.web)
        self._stop: Stop | None = None

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
                await self._section(number + 1, planned, len(plan.sections) - number)
        return self._made(plan, clarified)

    async def _section(self, number: int, planned: PlannedSection, left: int) -> None:
        """Research and write one section, with its share of what the `left` ones have; or say why not."""
        if stop := self._stop or self._limit(self._run):
            self._stop = stop
            self._assembly.add(planned, Prose(), {}, Ending(stop.reason, f"not researched, {stop.detail}"))
            return
        self._run.trace.emit("section", number=number, title=planned.title, question=planned.question)
        run = self._run.nested(_share(self._run, left))
        writer = Writer(run, self._asker(run))
        with run.ledger.reserve(**last_answer_costs(run, self._needs_model)) as release:
            first = run.nested(_share(run, 2)) if planned.grid else run
            found = await self._research.find(planned.question, first)
            cells, endings = await self._cells(planned, found, writer)
            release()
            prose = await writer.prose(planned.question, found)
        ending = ending_of([Ending(found.answer.stop_reason, found.answer.stop_detail), *endings])
        if ending.reason is StopReason.CANCELLED:
            self._stop = Stop(*ending)
        section = self._assembly.add(planned, prose, cells, ending)
        self._run.trace.emit("written", number=number, section=section.model_dump(mode="json"))

    async def _cells(self, planned: PlannedSection, found: Findings, writer: Writer) -> tuple[Cells, list[Ending]]:
        """Return the table's cells; rows that lack some are looked for one by one, and how that ended."""
        grid, endings = planned.grid, list[Ending]()
        if grid is None:
            return {}, endings
        cells = await writer.cells(planned.question, grid, found.dance)
        for row, name in enumerate(grid.rows):
            lacking = [column for column in range(len(grid.columns)) if (row, column) not in cells]
            if not lacking:
                continue
            if stop := self._limit(writer.run):
                return cells, [*endings, Ending(stop.reason, stop.detail)]
            wanted = Grid(rows=(name,), columns=tuple(grid.columns[column] for column in lacking))
            asked = f"{name}: {', '.join(wanted.columns)} — {planned.question}"
            more = await self._research.find(asked, writer.run.nested(_share(writer.run, len(grid.rows) - row)))
            endings.append(Ending(more.answer.stop_reason, more.answer.stop_detail))
            for (_, column), claim in (await writer.cells(asked, wanted, more.dance)).items():
                cells[row, lacking[column]] = claim
        return cells, endings

    def _limit(self, run: Run) -> Stop | None:
        """Return why `run` can do nothing more, or None."""
        try:
            check_limits(run, self._needs_model)
        except Stop as stop:
            return stop
        return None

    def _asker(self, run: Run) -> Asker | None:
        metered = self._gear.metered(run)
        return Asker(run, metered, self._gear.settings.seed, _REPLY_TOKENS) if metered else None

    def _made(self, plan: Plan, clarified: Clarification | None) -> Report:
        sections, claims, pages = self._assembly.sections, tuple(self._assembly.claims), self._research.pages
        ending = self._assembly.ending(len(pages))
        return Report(
            question=self._question,
            text=self._assembly.text(self._question),
            claims=claims,
            sources=sources_of(Draft("", claims), pages),
            conflicts=tuple(conflict for section in sections for conflict in section.conflicts),
            stop_reason=ending.reason,
            stop_detail=ending.detail,
            fare=self._run.ledger.fare,
            run=self._run.id,
            plan=plan,
            clarification=clarified,
            sections=tuple(sections),
            model=self._gear.model.name if self._gear.model else "",
        )


def _share(run: Run, parts: int) -> Budget:
    """Return one of `parts` equal shares of what `run` may still spend; a person's turns are not shared out."""
    rooms = {meter: run.ledger.room(meter) for meter in METERS if meter != "turns"}
    shares = {meter: room / parts for meter, room in rooms.items() if room != float("inf")}
    return Budget(**{meter: share if meter in _FRACTIONS else math.ceil(share) for meter, share in shares.items()})
