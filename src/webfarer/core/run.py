"""A run: one trace, one ledger, and the only way to a side effect.

Everything that costs or could change the world (fetch, model call, search, human turn) goes through :meth:`Run.call`:
budget first, then a `call` event, then the effect, then a `result` event, then the charge. With a recording, recorded
results are returned and charged and the effect is not performed: *resume is replay*. A call whose result is missing
(the process died in it) is performed again, once the rest of the recording has been followed; no other ever is.
"""

import asyncio
import copy
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from webfarer.core.errors import BudgetExceeded, ConfigError, ModelAuth, ReplayMismatch, WebfarerError, from_dict
from webfarer.core.fare import Budget, Ledger
from webfarer.core.trace import Trace, canonical


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an effect returns: a JSON-able value, and what it cost by meter."""

    value: Any
    cost: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """Handed to an effect while it is performed.

    Attributes:
        id: stable identity of this call, the same when the run is resumed; servers may use it as idempotency key.
        seconds: time left for it.
    """

    id: str
    seconds: float


class Run:
    """One run of an agent."""

    def __init__(self, run_id: str, trace: Trace, budget: Budget | None = None) -> None:
        self.id = run_id
        self.trace = trace
        self.ledger = Ledger(budget, clock=lambda: trace.time)
        self._counts: Counter[str] = Counter()
        self._stop_asked = asyncio.Event()

    def nested(self, budget: Budget) -> "Run":
        """Return a run inside this one: the same trace and the same stop, with limits of its own below ours."""
        inner = copy.copy(self)
        inner.ledger = self.ledger.child(budget)
        return inner

    def stop(self) -> None:
        """Ask the agent to end with its best answer so far; it does so before its next action."""
        self._stop_asked.set()

    def stopping(self) -> bool:
        """Say whether the run was asked to stop; the agent that sees it must end. Recorded, so a replay stops there."""
        if self.trace.upcoming != "stop" and (self.trace.replaying or not self._stop_asked.is_set()):
            return False
        self.trace.emit("stop")
        return True

    async def call(
        self,
        kind: str,
        request: Mapping[str, Any],
        perform: Callable[[Call], Awaitable[Outcome]],
        *,
        needs: Mapping[str, float] | None = None,
    ) -> Any:
        """Perform a side effect once in the life of this run and return its value.

        Args:
            kind: "fetch", "model", "search", "person".
            request: JSON-able and complete: equal requests are the same effect.
            perform: does it. Errors of the tree are recorded and raised again on replay, with their cost charged; not
                so ConfigError and ModelAuth, after which a resumed run performs the call again.
            needs: meter → amount that must be free before the call is made.

        Raises:
            BudgetExceeded: no room, nothing was sent; or the time ran out during the call.
            WebfarerError: what `perform` raised.
        """
        key = hashlib.sha256(canonical([kind, request]).encode()).hexdigest()[:16]
        count = self._counts[key]
        self._counts[key] += 1
        known = self.trace.recorded_call(key, count)
        if known is None and self.trace.sealed:
            raise ReplayMismatch(f"the recording holds no such call: {kind} {canonical(request)[:200]}")
        await self.trace.turn(known.seq if known else None)
        call = self.trace.emit("call", kind=kind, key=key, request=dict(request))
        recorded = self.trace.recorded_result(call.seq) if known else None
        with self.ledger.reserve(**(needs or {})):  # so that other tasks decide now as they did while it was under way
            await self.trace.turn(recorded.seq if recorded else None)
        if recorded is not None:
            outcome = recorded.data
        elif self.trace.sealed:
            raise ReplayMismatch(f"the recording holds no result for call {call.seq}", seq=call.seq)
        else:
            outcome = {"call": call.seq, **await self._perform(f"{self.id}-{key}-{count}", perform, needs or {})}
        outcome = self.trace.emit("result", **outcome).data
        self.ledger.charge(outcome["cost"])
        if "error" in outcome:
            raise from_dict(outcome["error"])
        return outcome["value"]

    async def _perform(
        self, call_id: str, perform: Callable[[Call], Awaitable[Outcome]], needs: Mapping[str, float]
    ) -> dict[str, Any]:
        try:
            self.ledger.require(**needs)
            seconds = self.ledger.room("seconds")
            with self.ledger.reserve(**needs):  # calls side by side must not count on the same room
                async with asyncio.timeout(None if seconds == float("inf") else seconds) as limit:
                    done = await perform(Call(call_id, seconds))
        except TimeoutError:
            if not limit.expired():
                raise
            error = BudgetExceeded("the time ran out during a call", meter="seconds", room=0.0)
            return {"cost": {}, "error": error.to_dict()}
        except (ConfigError, ModelAuth):
            raise  # for the user to mend: recorded, it would end the resumed run as well
        except WebfarerError as error:
            return {"cost": error.cost, "error": error.to_dict()}
        return {"cost": dict(done.cost), "value": done.value}
