"""The fare: what a run cost, and the budget that bounds it.

One :class:`Ledger` per run; ledgers nest, and a charge counts at every level above. A limit is checked before each
call, so no run passes a limit by more than the one call in flight. A reserve holds back part of a limit until the
last answer is written. Seconds are read from a clock that the trace drives, so a replayed run decides as it did.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict, Field

from webfarer.core.errors import BudgetExceeded, ConfigError

METERS = ("tokens", "usd", "seconds", "pages", "bytes", "steps", "turns")


class Fare(BaseModel):
    """What was spent, by meter.

    Attributes:
        tokens: tokens sent to and received from models, together.
        tokens_in: of these, prompt tokens.
        tokens_out: of these, completion tokens.
        usd: price of the model calls, US dollars.
        seconds: wall-clock seconds since the run began (a resumed run does not count the time it lay dead).
        pages: pages requested, failed ones too.
        bytes: bytes received from websites, on the wire.
        steps: actions the agent took (a click is one; going back is one when it re-opens nothing).
        turns: questions put to a person.
        calls: model calls.
    """

    model_config = ConfigDict(frozen=True)

    tokens: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    usd: float = 0.0
    seconds: float = 0.0
    pages: int = 0
    bytes: int = 0
    steps: int = 0
    turns: int = 0
    calls: int = 0


class Budget(BaseModel):
    """Limits, by meter; None means no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tokens: int | None = Field(None, ge=0, description="Tokens sent to and received from models.")
    usd: float | None = Field(None, ge=0, description="US dollars for model calls.")
    seconds: float | None = Field(None, gt=0, description="Wall-clock seconds.")
    pages: int | None = Field(None, ge=0, description="Pages requested.")
    bytes: int | None = Field(None, ge=0, description="Bytes received from websites.")
    steps: int | None = Field(None, ge=0, description="Actions of the agent (K in the papers).")
    turns: int | None = Field(None, ge=0, description="Questions put to a person.")


class Ledger:
    """Counts one run's fare against its budget.

    Args:
        budget: the limits of this level.
        parent: the ledger above; every charge counts there too, and its limits bind here.
        clock: seconds since the run began. The run's trace supplies it.
    """

    def __init__(
        self, budget: Budget | None = None, parent: "Ledger | None" = None, clock: Callable[[], float] | None = None
    ) -> None:
        self.budget = budget or Budget()
        self.parent = parent
        self._clock: Callable[[], float] = clock or (parent._clock if parent else lambda: 0.0)
        self._began = self._clock()
        self._spent: dict[str, float] = {}
        self._reserved: list[Mapping[str, float]] = []

    @property
    def fare(self) -> Fare:
        """What this level has spent so far."""
        # pydantic turns the whole floats back into ints for the integer meters
        return Fare.model_validate({**self._spent, "seconds": round(self._clock() - self._began, 6)})

    def child(self, budget: Budget | None = None) -> "Ledger":
        """Open a ledger below this one."""
        return Ledger(budget, parent=self)

    def charge(self, cost: Mapping[str, float]) -> None:
        """Add `cost` (meter → amount) here and at every level above.

        Raises:
            ConfigError: an unknown meter, seconds (the clock counts those), or an amount that is negative or no number.
        """
        for meter, amount in cost.items():
            if meter not in Fare.model_fields or meter == "seconds" or not 0 <= amount < float("inf"):
                raise ConfigError(f"cannot charge {amount!r} to the meter {meter!r}")
        level: Ledger | None = self
        while level is not None:
            for meter, amount in cost.items():
                level._spent[meter] = level._spent.get(meter, 0) + amount
            level = level.parent

    def room(self, meter: str) -> float:
        """Return what may still be spent on `meter` (infinity without a limit; never negative)."""
        room = float("inf")
        level: Ledger | None = self
        while level is not None:
            limit = getattr(level.budget, meter)
            if limit is not None:
                spent = level._clock() - level._began if meter == "seconds" else level._spent.get(meter, 0)
                room = min(room, limit - sum(held.get(meter, 0) for held in level._reserved) - spent)
            level = level.parent
        return max(0.0, room)

    def exhausted(self, besides: Collection[str] = ()) -> str | None:
        """Return the first meter with no room left, or None.

        Turns never exhaust a run, which goes on without people; nor do those `besides` that it cannot spend.
        """
        return next((m for m in METERS if m != "turns" and m not in besides and self.room(m) <= 0), None)

    def require(self, **amounts: float) -> None:
        """Raise unless each named meter has room for the amount, and seconds are left.

        Raises:
            BudgetExceeded: `detail["meter"]` names the first meter without room.
        """
        for meter, amount in {"seconds": 0.0, **amounts}.items():
            room = self.room(meter)
            if room <= 0 or room < amount:
                raise BudgetExceeded(f"the limit on {meter} is reached", meter=meter, room=room)

    @contextmanager
    def reserve(self, **amounts: float) -> Iterator[Callable[[], None]]:
        """Hold back amounts, here and above, within the block; the yielded function releases them early."""
        levels: list[Ledger] = []
        level: Ledger | None = self
        while level is not None:
            level._reserved.append(amounts)
            levels.append(level)
            level = level.parent

        def release() -> None:
            while levels:
                holds = levels.pop()._reserved
                holds[:] = [held for held in holds if held is not amounts]  # equal amounts of others stay

        try:
            yield release
        finally:
            release()


class Price(BaseModel):
    """Price of one model, US dollars per million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)

    def usd(self, tokens_in: int, tokens_out: int) -> float:
        """Return the price of one call in US dollars."""
        return (tokens_in * self.input + tokens_out * self.output) / 1e6
