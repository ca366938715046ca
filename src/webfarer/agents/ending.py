"""How a run of an agent ends: limits, the reserve for the last answer, and the Answer itself.

Shared by all agents, so that each keeps the same promise: no limit is passed by more than the call in flight, and
whatever happens there is an answer object with a stop reason.
"""

from collections.abc import Mapping

from webfarer.agents.checking import claims_of, sources_of
from webfarer.agents.decisions import Draft
from webfarer.core.run import Run
from webfarer.core.types import Answer, Page, StopReason
from webfarer.web.client import Web

_RESERVE = 0.15  # share of each model limit kept for the last answer
_RESERVE_SECONDS = 20.0
_MODEL_METERS = ("tokens", "usd")
_STOPS = {"seconds": StopReason.TIMEOUT, "steps": StopReason.TURNS}


class Stop(Exception):
    """Ends a run; carries the reason, a line for people, and the answer when there is one already."""

    def __init__(self, reason: StopReason, detail: str = "", draft: Draft | None = None) -> None:
        self.reason, self.detail, self.draft = reason, detail, draft


def limit_stop(meter: str) -> Stop:
    """Return the end of a run that has used up `meter`."""
    return Stop(_STOPS.get(meter, StopReason.BUDGET), f"the limit on {meter} is reached")


def check_limits(run: Run, needs_model: bool) -> None:
    """Raise Stop when the run was asked to stop or a limit that it can spend is used up."""
    if run.stopping():
        raise Stop(StopReason.CANCELLED, "stopped on request")
    meter = run.ledger.exhausted(besides=() if needs_model else _MODEL_METERS)
    if meter:
        raise limit_stop(meter)


def last_answer_costs(run: Run, needs_model: bool) -> dict[str, float]:
    """Return what is to be held back: a share of what the last model call could need; nothing without a model."""
    if not needs_model:
        return {}
    room = {meter: run.ledger.room(meter) for meter in (*_MODEL_METERS, "seconds")}
    held = {meter: left * _RESERVE for meter, left in room.items() if left != float("inf")}
    return {m: min(amount, _RESERVE_SECONDS) if m == "seconds" else amount for m, amount in held.items()}


def answer_of(question: str, draft: Draft, stop: Stop, run: Run, web: Web, pages: Mapping[str, Page]) -> Answer:
    """Return the answer, every quote checked; `pages` are those read, by archive id."""
    reason, detail = stop.reason, stop.detail
    if reason is StopReason.ANSWERED and not draft.text:
        reason, detail = StopReason.NO_SOURCES, detail or f"nothing found on {len(pages)} pages"
    return Answer(
        question=question,
        text=draft.text,
        claims=claims_of(draft, web),
        sources=sources_of(draft, pages),
        conflicts=draft.conflicts,
        stop_reason=reason,
        stop_detail=detail,
        fare=run.ledger.fare,
        run=run.id,
    )
