"""Folders of evaluation runs, written without running anything: plan, items and the traces of attempts."""

from webfarer.core.fare import Budget, Fare
from webfarer.core.trace import TRACE_VERSION, Trace
from webfarer.core.types import Answer, Claim, StopReason
from webfarer.evals.records import Folder, Plan, Result, attempt_id, fingerprint
from webfarer.evals.task import Item

SITE = "http://site.test"


def item(number, **cells):
    """An item whose answer stands on page NUMBER of the site."""
    cells = {"type": "single_source", "difficulty": "easy", "language": "en"} | cells
    question = f"What is number {number}?"
    return Item(id=f"q{number}", question=question, answer=f"a{number}", gold=(f"{SITE}/{number}",), cells=cells)


def answer(text, stop=StopReason.ANSWERED, **fare):
    claims = (Claim(text=text, verified=True), Claim(text="other"))
    fare = Fare(**({"steps": 2, "pages": 3, "tokens": 100, "seconds": 0.5} | fare))
    return Answer(question="?", text=text, claims=claims, stop_reason=stop, fare=fare)


def attempt(item, *, right=True, number=1, reached=True, **given):
    """A finished attempt; `given` replaces parts of the result."""
    said = answer(item.answer if right else "else")
    parts = {
        "answer": said,
        "opened": (f"{SITE}/", *(item.gold if reached else ())),
        "marks": {"named": {"correct": float(right)}, "actions": {"steps": 2.0}},
        "judging": Fare(tokens=10, seconds=0.1),
        "searches": 1,
    } | given
    return Result(item=item.id, number=number, run=attempt_id(item.id, number), **parts)


def failed(item, *, number=1):
    error = {"error": "ModelTimeout", "message": "too late", "detail": {}}
    marks = {"named": {"correct": 0.0}}
    return attempt(item, right=False, number=number, reached=False, answer=None, error=error, marks=marks)


def plan(items, **given):
    parts = {
        "task": "world",
        "setting": "click",
        "agent": "walker",
        "scorers": ("named", "actions"),
        "budget": Budget(steps=15),
        "items": len(items),
        "fingerprint": fingerprint(items),
        "webfarer": "0.1",
        "commit": "abc",
        "machine": {"cores": 2},
        "started": "2025-01-01T00:00:00Z",
    } | given
    return Plan(**parts)


def folder(path, items, results, **given):
    """Write a folder of a run; a result's marking is its whole trace."""
    made = Folder(path)
    made.begin(plan(items, **given), items)
    for result in results:
        trace = Trace.create(made.marking(result.run))
        trace.emit("start", version=TRACE_VERSION, item=result.item)
        trace.emit("end", result=result.model_dump(mode="json"))
        trace.close()
    return made
