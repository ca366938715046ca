"""A system: a whole way from a question to an answer, as a table of results names it.

Every baseline is one, and so are the walker and the dancer, so that each row of a table is made by the same runs with
the same meters. Not a loop of its own: a system puts together what the agents offer. Invariant: what it may use
follows from the setting alone; only the oracle reads what it is told of the truth.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

from webfarer.agents.asking import Gear
from webfarer.core.registry import Seam
from webfarer.core.types import Answer

SYSTEMS = Seam("webfarer.agents.systems", "system", "agent")

Setting = Literal["click", "search", "both", "closed"]
"""What may be used. "click": the site's root and its links (WebWalkerQA's own). "search": the question alone, an engine
and pages. "both": the root and an engine. "closed": nothing but the model. Scores of two settings do not compare."""

ModelUse = Literal["needed", "used", "never"]


@dataclass(frozen=True, slots=True)
class Case:
    """One question as a system gets it; a run records it whole, so that it can be resumed and replayed.

    Attributes:
        question: what is asked.
        setting: what may be used.
        root: where the site begins; "" in the settings "search" and "closed".
        start: addresses to begin with, beside the root.
        sites: what search and visits are kept to; () for anywhere.
        answer, gold: the truth and the pages that state it; given to the oracle alone, "" and () for all others.
    """

    question: str
    setting: Setting
    root: str = ""
    start: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    answer: str = ""
    gold: tuple[str, ...] = ()

    @classmethod
    def of(cls, recorded: Mapping[str, Any]) -> "Case":
        """Return the case that a run's first event holds (JSON has lists where we have tuples)."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in recorded.items()
        }
        return cls(**fields)


class System(Protocol):
    """Answers one question. Modules of the seam define `system`, a class that takes a Gear and a Case.

    Whatever costs goes through `gear.run`; the answer is made by :func:`webfarer.agents.ending.answer_of` or an agent,
    so that its quotes are checked and its stop reason is one of the known ones. A limit ends it, never raises.
    """

    model: ClassVar[ModelUse]
    """Whether it cannot work without a chat model, asks one where there is one (else the lexical policy or mind
    decides), or never asks one."""
    settings: ClassVar[tuple[Setting, ...]]
    """The settings it can play in; the first is its own."""
    told: ClassVar[bool]
    """Whether it is given the truth."""

    def __init__(self, gear: Gear, case: Case) -> None:
        """Get ready; a setting that cannot work is a ConfigError here, before anything is paid."""
        ...

    async def answer(self) -> Answer:
        """Return the answer; called once."""
        ...
