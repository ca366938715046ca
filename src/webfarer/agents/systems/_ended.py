"""How a system that has no loop of its own ends: gather, then one last answer that a reserve pays for.

The walker and the dancer keep this promise themselves; here it is for the systems that put parts together. Whatever
happens while it gathers, the last answer is asked for; a limit or a dead model ends it with the best there is.
"""

from collections.abc import Awaitable, Callable, Mapping

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop, answer_of, last_answer_costs, limit_stop
from webfarer.core.errors import BudgetExceeded, ModelAuth, ModelError
from webfarer.core.types import Answer, Page, StopReason

Part = Callable[[], Awaitable[Stop]]
"""Does one part of the work and says how it ended; a Stop that is raised says the same."""

LIMITS = frozenset({StopReason.BUDGET, StopReason.TURNS, StopReason.TIMEOUT, StopReason.CANCELLED})
"""Reasons after which nothing more may be begun."""


async def ended(gear: Gear, question: str, pages: Mapping[str, Page], gather: Part, last: Part) -> Answer:
    """Return the answer.

    Args:
        gear: what it is made with.
        question: what is asked.
        pages: those read, by archive id; filled while it gathers.
        gather: everything before the last answer; a draft in its Stop makes the last answer needless.
        last: makes the last answer.

    Raises:
        ConfigError, ModelAuth: the settings cannot work.
        TraceError: the run cannot be recorded or left its recording.
    """
    run = gear.run
    with run.ledger.reserve(**last_answer_costs(run, gear.model is not None)) as release:
        stop = await _outcome(gather)
        release()
        if stop.draft is None:
            end = await _outcome(last)
            stop = end if stop.reason is StopReason.ANSWERED else Stop(stop.reason, stop.detail, end.draft)
    return answer_of(question, stop.draft or Draft(""), stop, run, gear.web, pages)


def after(walked: Answer, draft: Draft | None = None) -> Stop:
    """Return how a system ends whose last part was a walk: a limit stays the reason, anything else was no end."""
    if walked.stop_reason in LIMITS:
        return Stop(walked.stop_reason, walked.stop_detail, draft)
    return Stop(StopReason.ANSWERED, draft=draft)


async def _outcome(part: Part) -> Stop:
    try:
        return await part()
    except Stop as stop:
        return stop
    except BudgetExceeded as error:
        return limit_stop(error.detail["meter"])
    except ModelAuth:
        raise
    except ModelError as error:
        return Stop(StopReason.FAILED, error.message)
