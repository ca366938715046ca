"""Room for slots: made when it is needed, given back when nobody is there, and never left half made."""

import pytest
import torch
from driving import Driver, Tokens, spec
from hypothesis import given
from hypothesis import strategies as st

from webfarer.engine import memory as machinery
from webfarer.engine.accounts import check
from webfarer.engine.attention import Heads
from webfarer.engine.memory import Memory
from webfarer.engine.policy import parse
from webfarer.engine.prefixes import attend_prefix
from webfarer.engine.slots import Shelf


def test_an_output_that_may_be_long_reserves_little():
    memory = Memory(spec(), parse("full"), rows=2)
    memory.open(10, 100_000)
    assert memory.layers[0].capacity <= machinery.AT_ONCE + 200


@pytest.mark.slow
@pytest.mark.parametrize("text", ["full", "scope:prompt=12,window=4,heavy=4,recent=4", "h2o:budget=16"])
def test_rows_that_outgrow_their_room_go_on_as_before(text, monkeypatch):
    tokens = [(Tokens(1, 200), 20), (Tokens(2, 200), 33)]
    outputs = []
    for at_once in (machinery.AT_ONCE, 7):
        monkeypatch.setattr(machinery, "AT_ONCE", at_once)
        driver = Driver(parse(text), rows=2)
        driver.admit(*tokens, limit=160)
        for _ in range(150):
            driver.step()
        driver.memory.check()
        outputs.append([torch.stack(driver.outputs[each.seed]) for each, _ in tokens])
    assert all(torch.allclose(one, other, rtol=1e-9, atol=1e-12) for one, other in zip(*outputs, strict=True))


def test_an_idle_memory_gives_large_slots_back(monkeypatch):
    monkeypatch.setattr(machinery, "IDLE", 0)
    memory = Memory(spec(), parse("full"), rows=2)
    memory.open(10, 10)
    memory.open(10, 10)
    memory.close(0)
    assert memory.layers[0].capacity > 0
    memory.close(0)
    assert memory.layers[0].capacity == 0
    memory.check()


def test_room_that_cannot_be_made_leaves_the_memory_as_it_was(monkeypatch):
    memory = Memory(spec(), parse("full"), rows=2)
    memory.open(5, 5)
    resize, calls, capacity = Shelf.resize, [], memory.layers[0].capacity

    def full(self, *sizes):
        calls.append(sizes)
        if len(calls) == 2:
            raise RuntimeError("out of memory")
        resize(self, *sizes)

    monkeypatch.setattr(Shelf, "resize", full)
    with pytest.raises(RuntimeError):
        memory.open(500, 500)
    monkeypatch.undo()
    assert (memory.active, memory.positions) == (1, [5])
    assert [shelf.capacity for shelf in memory.layers] == [capacity] * len(memory.layers)
    assert memory.open(7, 5) == 1
    assert memory.positions == [5, 7]


def test_partial_attention_in_bfloat16_is_as_good_as_its_inputs():
    torch.manual_seed(0)
    q, keys, values = torch.randn(1, 2, 2, 16), torch.randn(2, 3000, 16), torch.randn(2, 3000, 16)
    q, keys, values = (x.bfloat16() for x in (q, keys, values))
    out, lse = attend_prefix(q, keys, values, Heads(0.25))
    exact, exact_lse = attend_prefix(q.double(), keys.double(), values.double(), Heads(0.25))
    assert lse.dtype == torch.float32
    assert (lse - exact_lse).abs().max() < 0.01
    assert (out - exact).norm() / exact.norm() < 0.01


@given(st.lists(st.sampled_from(["step", "step", "step", "close", "admit", "turn"]), max_size=25), st.data())
def test_slots_looked_at_once_hold_what_slots_looked_at_after_every_step_hold(what, data):
    # of prompts of any length as much stays, so that no row has empty slots and nobody looks
    lazy, eager = (Driver(parse("snapkv:budget=4,window=2"), rows=3) for _ in range(2))
    lazy.memory.check = lambda: None  # it would look
    for seed in (1, 2):
        for driver in (lazy, eager):
            driver.admit((Tokens(seed, 40), 4 * seed), limit=30)
    for number, action in enumerate(what):
        count = len(lazy.rows)
        row = data.draw(st.integers(0, count - 1)) if action == "close" and count else 0
        for driver in (lazy, eager):
            if action == "step" and count:
                driver.step()
            elif action == "close" and count:
                driver.close(row)
            elif action == "turn":
                driver.memory.select(range(count)[::-1])
                driver.rows.reverse()
            elif action == "admit" and count < 3:
                driver.admit((Tokens(number + 3, 40), 5), limit=30)
    check(lazy.memory)
    for name in ("positions", "bias", "scores"):
        assert all(
            torch.equal(getattr(one, name)[:, : len(lazy.rows)], getattr(other, name)[:, : len(lazy.rows)])
            for one, other in zip(lazy.memory.slots, eager.memory.slots, strict=True)
        )
