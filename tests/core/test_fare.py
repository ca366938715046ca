"""Ledgers: what is spent below counts above, and no limit is passed by more than the calls under way."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webfarer.core.errors import BudgetExceeded, ConfigError
from webfarer.core.fare import METERS, Budget, Fare, Ledger, Price
from webfarer.core.run import Outcome, Run
from webfarer.core.trace import Trace

COUNTED = [meter for meter in METERS if meter != "seconds"]
COSTS = st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 1000), max_size=4)
LIMITS = st.dictionaries(st.sampled_from(COUNTED), st.integers(0, 3000), max_size=4)


def spent(ledger: Ledger) -> dict[str, float]:
    return {meter: amount for meter, amount in ledger.fare.model_dump().items() if amount}


@given(st.lists(st.tuples(st.integers(0, 3), COSTS), max_size=12))
def test_a_ledger_holds_the_sum_of_its_own_charges_and_of_those_below(charges):
    root = Ledger()
    ledgers = [root, left := root.child(), left.child(), root.child()]
    below = [{0, 1, 2, 3}, {1, 2}, {2}, {3}]
    for index, cost in charges:
        ledgers[index].charge(cost)
    for ledger, members in zip(ledgers, below, strict=True):
        total: dict[str, float] = {}
        for index, cost in charges:
            if index in members:
                for meter, amount in cost.items():
                    total[meter] = total.get(meter, 0) + amount
        assert spent(ledger) == {meter: amount for meter, amount in total.items() if amount}


@given(LIMITS, LIMITS, st.lists(COSTS, max_size=8), st.sampled_from(COUNTED))
def test_room_is_the_smallest_on_the_way_up_and_never_negative(above, here, charges, meter):
    root = Ledger(Budget.model_validate(above))
    child = root.child(Budget.model_validate(here))
    for cost in charges:
        child.charge(cost)
    total = sum(cost.get(meter, 0) for cost in charges)
    limits = [limits[meter] for limits in (above, here) if meter in limits]
    assert child.room(meter) == max(0, min([limit - total for limit in limits], default=float("inf")))
    assert (child.exhausted() is None) == all(child.room(m) > 0 for m in METERS if m != "turns")


@given(st.lists(st.tuples(st.sampled_from(["usd", "tokens"]), st.floats(0, 10)), max_size=8), st.randoms())
def test_releasing_every_reserve_gives_back_exactly_what_was_held(holds, random):
    root = Ledger(Budget(usd=0.3, tokens=100))
    child = root.child(Budget(usd=0.3))
    opened = [child.reserve(**{meter: amount}) for meter, amount in holds]
    releases = [hold.__enter__() for hold in opened]
    held = sum(amount for meter, amount in holds if meter == "tokens")
    assert root.room("tokens") == pytest.approx(max(0, 100 - held))
    random.shuffle(releases)
    for release in releases:
        release()
        release()  # a second release of the same hold gives nothing back
    for hold in opened:
        hold.__exit__(None, None, None)
    assert (root.room("usd"), child.room("usd"), root.room("tokens")) == (0.3, 0.3, 100)


def test_equal_reserves_are_released_one_at_a_time():
    ledger = Ledger(Budget(pages=3))
    with ledger.reserve(pages=1) as release, ledger.reserve(pages=1):
        release()
        assert ledger.room("pages") == 2


def test_a_reserve_is_released_when_the_block_fails():
    ledger = Ledger(Budget(pages=3))
    with pytest.raises(ValueError, match="x"), ledger.reserve(pages=2):
        raise ValueError("x")
    assert ledger.room("pages") == 3


def test_require_names_the_meter_without_room():
    ledger = Ledger(Budget(tokens=10, usd=1))
    ledger.require(tokens=10, usd=1)
    with pytest.raises(BudgetExceeded) as caught:
        ledger.require(usd=0.5, tokens=11)
    assert caught.value.detail == {"meter": "tokens", "room": 10}


def test_seconds_come_from_the_clock_and_bind_like_any_limit():
    now = [2.0]
    ledger = Ledger(Budget(seconds=5), clock=lambda: now[0])
    now[0] = 6.0
    assert ledger.fare.seconds == 4
    assert ledger.room("seconds") == 1
    now[0] = 8.0
    assert ledger.exhausted() == "seconds"
    with pytest.raises(BudgetExceeded):
        ledger.require()


def test_turns_never_exhaust_a_run():
    assert Ledger(Budget(turns=0)).exhausted() is None


@pytest.mark.parametrize("cost", [{"tokens": -1}, {"seconds": 1}, {"wishes": 1}, {"usd": float("nan")}])
def test_a_charge_that_makes_no_sense_is_refused_whole(cost):
    ledger = Ledger()
    with pytest.raises(ConfigError, match=next(iter(cost))):
        ledger.charge({"pages": 1, **cost})
    assert ledger.fare == Fare()


def test_price():
    assert Price(input=2, output=8).usd(500_000, 125_000) == 2.0


async def overspend(limit: int, costs: list[tuple[int, int]], naps: list[int], width: int) -> tuple[int, list[int]]:
    """Make calls of (need, cost), `width` at a time; return what was spent and the costs of the calls performed."""
    run = Run("r", Trace.create(), Budget(tokens=limit))
    gate, performed = asyncio.Semaphore(width), []

    async def one(index: int) -> None:
        need, cost = costs[index]

        async def perform(call):
            performed.append(index)
            for _ in range(naps[index % len(naps)]):
                await asyncio.sleep(0)
            return Outcome(None, {"tokens": cost})

        async with gate:
            try:
                await run.call("model", {"index": index}, perform, needs={"tokens": need})
            except BudgetExceeded:
                assert run.ledger.room("tokens") < max(1, need)

    await asyncio.gather(*(one(index) for index in range(len(costs))))
    return run.ledger.fare.tokens, performed


CALLS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12)
NAPS = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@given(st.integers(0, 200), CALLS, NAPS, st.integers(1, 5))
async def test_calls_side_by_side_never_pass_a_limit_by_more_than_they_exceed_their_needs(limit, calls, naps, width):
    honest = [(max(need, cost), cost) for need, cost in calls]
    total, _ = await overspend(limit, honest, naps, width)
    assert total <= limit
    total, performed = await overspend(limit, calls, naps, width)
    excess = sorted((max(0, calls[index][1] - calls[index][0]) for index in performed), reverse=True)
    assert total - limit <= sum(excess[:width])


@given(st.integers(0, 200), CALLS)
async def test_one_call_at_a_time_passes_a_limit_by_less_than_its_own_cost(limit, calls):
    total, performed = await overspend(limit, [(1, cost) for _, cost in calls], [0], 1)
    assert total <= limit or total - calls[performed[-1]][1] < limit
