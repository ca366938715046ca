"""From a question to a plan: at most one question back, a plan, and a person who may edit it.

The model sees the question and nothing from the web yet, so no page can have a say in what a report holds. Without a
model, or when it fails, the plan is the parts of the question. A person's reply is a plan, a wish, or consent.
"""

from typing import TypeVar

from pydantic import BaseModel, Field, StrictBool

from webfarer.agents.asker import Asker, Prompt, Text
from webfarer.agents.people import Person, consult
from webfarer.agents.plans import Plan, as_text, merged, read_plan, section_of
from webfarer.agents.reading import parts_of
from webfarer.agents.reports import Clarification
from webfarer.core.errors import BudgetExceeded
from webfarer.core.run import Run

T = TypeVar("T", bound=BaseModel)

_LONGEST_TITLE = 100
_YES = frozenset({"", "ok", "okay", "yes", "y", "good", "好", "好的", "可以", "是"})
_ASK = "This is the plan of the report. Reply ok, what to change, or the whole plan as you want it."
_CLARIFY = Prompt(
    "clarify",
    "You decide whether a question must be clarified before a report on it is planned.",
    "Ask back only when the question can be read in ways that need different reports; most questions need nothing. "
    "`question` is the one thing to ask, `assumption` how you would read the question without an answer; both in the "
    "language of the question.\n"
    'Reply with one JSON object and nothing else: {"unclear": false, "question": "", "assumption": ""}.',
)
_PLAN = Prompt(
    "plan",
    "You plan a report that others will research on the web and write.",
    "Give the report a title and as few sections as cover the question, none that says what another says, no "
    "introduction and no summary. `question` of a section is one question that can be researched by itself: it "
    "names what it is about in full. Where the same is wanted of several named things, or a table is asked for, give "
    "`rows` (the names of the things) and `columns` (what is wanted of each); otherwise leave both []. Write in the "
    "language of the question.\n"
    'Reply with one JSON object and nothing else: {"title": "…", "sections": [{"title": "…", "question": "…", '
    '"rows": [], "columns": []}]}.',
)


class _Verdict(BaseModel):
    unclear: StrictBool
    question: Text = ""
    assumption: Text = ""


class _Section(BaseModel):
    title: Text = ""
    question: Text = ""
    rows: list[str] = []
    columns: list[str] = []


class _Plan(BaseModel):
    title: Text = ""
    sections: list[_Section] = Field(min_length=1)


class Planner:
    """Plans one report.

    Args:
        run: the way to side effects.
        asker: asks the model; None without one.
        person: who may be asked, or None.
        most: sections of a plan that no person wrote.
    """

    def __init__(self, run: Run, asker: Asker | None, person: Person | None, most: int) -> None:
        self._run, self._asker, self._person, self._most = run, asker, person, most

    async def clarify(self, question: str) -> Clarification | None:
        """Return what was unclear about `question`, and what the person says to it."""
        said = await self._ask(_CLARIFY, _Verdict, question)
        if said is None or not said.unclear or not said.question.strip():
            return None
        assumption = said.assumption.strip()
        shown = f"Without an answer: {assumption}" if assumption else ""
        answer = await consult(self._run, self._person, said.question.strip(), shown=shown)
        made = Clarification(question=said.question.strip(), answer=answer, assumption=assumption)
        self._run.trace.emit("clarified", **made.model_dump())
        return made

    async def plan(self, question: str, clarified: Clarification | None, approve: bool) -> tuple[Plan, str]:
        """Return the plan, and what the person said to it ("" when it was not shown)."""
        brief = f"{question}{_as_brief(clarified)}"
        plan, said = await self._draft(brief, question), ""
        if approve:
            said = await consult(self._run, self._person, _ASK, shown=as_text(plan), default="ok")
            if said.strip(" .!。！").lower() not in _YES:
                plan = read_plan(said, plan.title) or await self._changed(plan, brief, said)
        plan = merged(plan)
        self._run.trace.emit("plan", plan=plan.model_dump(mode="json"))
        return plan, said

    async def _draft(self, brief: str, question: str) -> Plan:
        """Return the model's plan, else the parts of the question."""
        if plan := await self._proposed(brief, _title(question)):
            return plan.model_copy(update={"sections": plan.sections[: self._most]})
        parts = [section_of(_title(part), part, (), ()) for part in _parts(question)]
        return Plan(title=_title(question), sections=tuple(filter(None, parts))[: self._most])

    async def _changed(self, plan: Plan, brief: str, wish: str) -> Plan:
        """Return the plan as the person wishes it; as it was when no model can change it, which the trace says."""
        wanted = f"{brief}\n\nThe plan so far:\n{as_text(plan)}\n\nChange it so: {wish}"
        changed = await self._proposed(wanted, plan.title)
        if changed is None:
            self._run.trace.emit("degraded", part="plan", error="NotChanged", message=f"it stays, in spite of: {wish}")
        return changed or plan

    async def _proposed(self, brief: str, title: str) -> Plan | None:
        said = await self._ask(_PLAN, _Plan, brief)
        found = [section_of(s.title, s.question, s.rows, s.columns) for s in said.sections] if said else []
        kept = tuple(filter(None, found))
        return Plan(title=(said.title.strip() if said else "") or title, sections=kept) if kept else None

    async def _ask(self, prompt: Prompt, schema: type[T], question: str) -> T | None:
        """Return the model's reply; None without a model, without the means, or when it failed."""
        try:
            return await self._asker.ask(prompt, schema, question, lambda share: []) if self._asker else None
        except BudgetExceeded:
            return None


def _as_brief(clarified: Clarification | None) -> str:
    if clarified is None:
        return ""
    if clarified.answer:
        return f"\nAsked back: {clarified.question}\nThe answer: {clarified.answer}"
    return f"\nAssume: {clarified.assumption}" if clarified.assumption else ""


def _parts(question: str) -> list[str]:
    """Return the questions that `question` joins, each as one."""
    mark = "？" if "？" in question else "?" if "?" in question else ""
    parts = parts_of(question)
    return [f"{part[:1].upper()}{part[1:].rstrip(mark)}{mark}" for part in parts] if mark else parts


def _title(question: str) -> str:
    line = " ".join(question.split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"
