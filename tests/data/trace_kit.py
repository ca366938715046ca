"""Folders of evaluation runs whose traces are written by hand, event by event."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from webfarer.core.fare import Fare
from webfarer.core.trace import TRACE_VERSION, Trace
from webfarer.core.types import Answer, StopReason
from webfarer.evals.records import Folder, Plan, Result, attempt_id, fingerprint
from webfarer.evals.task import Item
from webfarer.web.archive import Archive
from webfarer.web.fetch import Response

SITE = "http://alder.test"
QUESTION = "When was the Alder Observatory opened?"
ITEM = Item(id="q1", question=QUESTION, answer="1931", root=f"{SITE}/", sites=(f"{SITE}/",))

Events = Iterable[tuple[str, dict[str, Any]]]


class Desk:
    """Writes a run's folder: one item, as many attempts as are told."""

    def __init__(self, path: Path, runs: int = 1) -> None:
        plan = Plan(
            task="questions",
            setting="both",
            agent="dancer",
            model="m",
            scorers=("named",),
            runs=runs,
            items=1,
            fingerprint=fingerprint([ITEM]),
        )
        self.folder = Folder(path)
        self.folder.begin(plan, [ITEM])

    def page(self, path: str, html: str) -> dict[str, Any]:
        """Keep a page, and return the result of the call that fetched it."""
        url = SITE + path
        body = f"<html><head><title>{path}</title></head><body><main>{html}</main></body></html>".encode()
        with Archive(self.folder.path / "archive.db") as archive:
            kept = archive.keep(Response(url, url, 200, {"content-type": "text/html"}, body, len(body), (), ()))
        return {"record": kept.id, "url": url, "status": 200}

    def attempt(self, events: Events, number: int = 1, correct: float = 1.0) -> None:
        """Write the trace and the marking of an attempt."""
        run = attempt_id(ITEM.id, number)
        trace = Trace.create(self.folder.trace(run))
        trace.emit("start", version=TRACE_VERSION, question=QUESTION, root=ITEM.root, start=[], kind="play")
        for kind, data in events:
            trace.emit(kind, **data)
        trace.close()
        answer = Answer(
            run=run, question=QUESTION, text="1931", claims=(), stop_reason=StopReason.ANSWERED, fare=Fare(tokens=10)
        )
        result = Result(item=ITEM.id, number=number, run=run, answer=answer, marks={"named": {"correct": correct}})
        marks = Trace.create(self.folder.marking(run))
        marks.emit("start", version=TRACE_VERSION)
        marks.emit("end", result=result.model_dump(mode="json"))
        marks.close()


def act(*calls: tuple[str, dict[str, Any]], thought: str = "why") -> tuple[str, dict[str, Any]]:
    return "act", {"thought": thought, "calls": [{"tool": name, "arguments": given} for name, given in calls]}


def observed(
    tool: str, *, hits: Iterable[str] = (), pages: Iterable[dict[str, Any]] = (), problems: Iterable[Any] = ()
) -> tuple[str, dict[str, Any]]:
    shown = [{"page": page["record"], "url": page["url"], "title": ""} for page in pages]
    told = [{"what": what, "error": error, "message": message} for what, error, message in problems]
    return "observed", {"tool": tool, "hits": list(hits), "pages": shown, "evidence": 0, "problems": told}


def fetched(seq: int, page: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The call at `seq` and its result; `seq` counts all events, the first one too."""
    asked = {"kind": "fetch", "key": f"k{seq}", "request": {"url": page["url"]}}
    return [("call", asked), ("result", {"call": seq, "cost": {}, "value": page})]


def said(seq: int, prompt: str, text: str | None) -> list[tuple[str, dict[str, Any]]]:
    """A model's call at `seq` and its result; None for a failure."""
    message = {"role": "user", "content": prompt, "tool_calls": [], "tool_call_id": ""}
    asked = {"model": "m", "messages": [message], "tools": [], "sampling": {"seed": 0}}
    ended = (
        {"error": {"error": "ModelTimeout", "message": "", "detail": {}}} if text is None else {"value": {"text": text}}
    )
    return [
        ("call", {"kind": "model", "key": f"m{seq}", "request": asked}),
        ("result", {"call": seq, "cost": {}, **ended}),
    ]
