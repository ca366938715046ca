"""WebDancer's loop: think, act, observe, until there is an answer or nothing left to spend.

The dancer owns the loop, the limits, the order of things and the trace; a mind takes every decision and tools carry
them out. Calls of one step are made side by side, and what they brought is taken in in the order they were asked.
Whatever happens it ends with an Answer. Source: Wu et al., "WebDancer", NeurIPS 2025; Yao et al., "ReAct", ICLR 2023.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from webfarer.agents.dance import Dance, Desk, Observation, ToolPlugin, together
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop, answer_of, check_limits, last_answer_costs, limit_stop
from webfarer.core.errors import BudgetExceeded, ModelAuth, ModelError
from webfarer.core.trace import canonical
from webfarer.core.types import Answer, StopReason
from webfarer.models.base import ToolCall

_WARN, _LOOP = 3, 5  # the same call
_IDLE = 8  # steps in a row that bring nothing new


class Dancer:
    """One run: `await Dancer(desk, tools).dance()`."""

    def __init__(self, desk: Desk, tools: Mapping[str, ToolPlugin]) -> None:
        self._desk, self._mind, self._tools = desk, desk.mind, tools
        self._run = desk.run
        self._calls: Counter[str] = Counter()
        self._idle = 0

    async def dance(self) -> Answer:
        """Answer the question of the desk's dance; never raises what belongs to the search itself.

        Raises:
            ConfigError, ModelAuth: the settings cannot work.
            TraceError: the run cannot be recorded or left its recording.
        """
        dance, run = self._desk.dance, self._run
        with run.ledger.reserve(**last_answer_costs(run, self._mind.needs_model)) as release:
            try:
                stop = await self._go(dance)
            except Stop as ended:
                stop = ended
            except BudgetExceeded as error:
                stop = limit_stop(error.detail["meter"])
            except ModelAuth:
                raise
            except ModelError as error:
                stop = Stop(StopReason.FAILED, error.message)
            release()
            draft = stop.draft or await self._conclude(dance)
        return answer_of(dance.question, draft, stop, run, self._desk.web, dance.pages)

    async def _go(self, dance: Dance) -> Stop:
        while True:
            check_limits(self._run, self._mind.needs_model)
            act = await self._mind.act(dance)
            if act.draft is not None:
                return Stop(StopReason.ANSWERED, "" if act.draft.text else self._trouble(dance), draft=act.draft)
            self._run.trace.emit(
                "act", thought=act.thought, calls=[{"tool": c.name, "arguments": c.arguments} for c in act.calls]
            )
            self._run.ledger.charge({"steps": 1})
            repeats = self._repeats(act.calls)
            before = self._known(dance)
            seen = await self._perform(act.calls)
            dance.steps.append((act, [self._take_in(each, repeats[_key(each.call)], dance) for each in seen]))
            self._idle = 0 if self._known(dance) > before else self._idle + 1
            if self._idle >= _IDLE:
                raise Stop(StopReason.LOOP, f"{_IDLE} steps in a row brought nothing new")

    def _repeats(self, calls: Sequence[ToolCall]) -> Mapping[str, int]:
        """Count the calls, each once a step, and return how often each was made."""
        names = {_key(call): call.name for call in calls}
        self._calls.update(names.keys())
        for key, name in names.items():
            if self._calls[key] >= _LOOP:
                raise Stop(StopReason.LOOP, f"the same call of {name} was made {_LOOP} times")
        return self._calls

    async def _perform(self, calls: Sequence[ToolCall]) -> list[Observation]:
        """Make the calls, those that may be made so side by side; return what came of them in the order asked.

        The same call twice in one step is made once.
        """
        distinct = {_key(call): call for call in calls}
        crowd = {key: call for key, call in distinct.items() if not self._tools[call.name].alone}
        seen = dict(zip(crowd, await together(*map(self._use, crowd.values())), strict=True))
        for key, call in distinct.items():
            if key not in crowd:
                seen[key] = await self._use(call)
        return [replace(seen[_key(call)], call=call) for call in calls]

    async def _use(self, call: ToolCall) -> Observation:
        return await self._tools[call.name].use(call, self._desk)

    def _take_in(self, seen: Observation, repeats: int, dance: Dance) -> Observation:
        for _, hits in seen.results:
            self._desk.provenance.allow(*(hit.url for hit in hits))
        dance.learn(seen)
        for reading in seen.readings:
            self._desk.provenance.saw(reading.page)
        for page in seen.walked[1] if seen.walked else ():
            self._desk.provenance.saw(page)
        self._run.trace.emit(
            "observed",
            tool=seen.call.name,
            hits=[hit.url for _, hits in seen.results for hit in hits],
            pages=[{"page": r.page.id, "url": r.page.url, "title": r.page.title} for r in seen.readings],
            evidence=len(dance.evidence),
            problems=[{"what": p.url, "error": p.error, "message": p.message} for p in seen.problems],
        )
        if repeats >= _WARN:
            note = f"You have made this very call {repeats} times; at {_LOOP} the search ends. Try something else."
            return replace(seen, note=note)
        return seen

    @staticmethod
    def _trouble(dance: Dance) -> str:
        """Return why no page was read, or ""."""
        problems = [problem for _, seen in dance.steps for each in seen for problem in each.problems]
        return f"nothing could be read: {problems[-1].message}" if problems and not dance.pages else ""

    @staticmethod
    def _known(dance: Dance) -> int:
        return len(dance.hits) + len(dance.pages) + len(dance.evidence)

    async def _conclude(self, dance: Dance) -> Draft:
        """Return the best answer so far; the evidence itself when even that call cannot be paid."""
        try:
            return await self._mind.conclude(dance)
        except BudgetExceeded:
            return dance.as_found()


def _key(call: ToolCall) -> str:
    return canonical([call.name, call.arguments])
