"""A trajectory: one attempt at a question as its trace tells it, in the terms in which rules and rows speak of it.

Read from the folder of an evaluation run (:mod:`webfarer.evals.records`), never from memory of the run. Not a training
row (:mod:`webfarer.data.row`). Invariant: everything here is what the model really saw and said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from webfarer.core.types import Page
from webfarer.evals.records import Plan, Result
from webfarer.evals.task import Item
from webfarer.models.base import Reply


@dataclass(frozen=True, slots=True)
class Said:
    """One call of a model.

    Attributes:
        seq: of the call in the trace.
        messages: what it was shown, as it was sent: role, content, tool_calls, tool_call_id.
        tools: what it was offered, and its server took: name, description, parameters.
        sampling: how it was to answer.
        reply: what it said; None when the call failed.
        refused: why the agent could not use the reply; "" when nothing in the trace says that it did not.
    """

    seq: int
    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...]
    sampling: Mapping[str, Any]
    reply: Reply | None
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the agent did: a tool call, or a click.

    Attributes:
        name: of the tool; "click", "back" of a walk.
        arguments: as they were carried out.
        thought: why, in the agent's words.
        step: actions of one step were decided together; from 1.
        named: of the addresses that it asked for, those that the task, a result or a page had named before.
        unnamed: those that nobody had named.
        found: addresses of results it brought.
        read: addresses of the pages it brought.
        problems: what did not work.
        invented: quotes that the model gave of pages which do not say them.
    """

    name: str
    arguments: Mapping[str, Any]
    thought: str = ""
    step: int = 0
    named: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    invented: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Trajectory:
    """One attempt.

    Attributes:
        plan, item, result: of the evaluation run; the result holds answer, marks and fare.
        said: every call of a model, in order.
        actions: what was done, in order.
        pages: pages that were read, by address, where the archive still has them.
        hashes: SHA-256 of each page's bytes, by address.
    """

    plan: Plan
    item: Item
    result: Result
    said: tuple[Said, ...]
    actions: tuple[Action, ...]
    pages: Mapping[str, Page] | None = None
    hashes: Mapping[str, str] | None = None

    @property
    def right(self) -> bool:
        """Whether the deciding scorer of the run marked the answer as right."""
        marks = self.result.marks.get(self.plan.scorers[0], {})
        return bool(marks) and next(iter(marks.values())) >= 1
