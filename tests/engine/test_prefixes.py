"""Rows that share a prefix, are copied, or have heads of any length: as if none of it were.

Each way is compared, in float64, with the plain one that must give the same.
"""

import pytest
import torch
from driving import Driver, Tokens, spec

from webfarer.core.errors import ConfigError
from webfarer.engine.policy import parse
from webfarer.engine.prefixes import Prefix
from webfarer.engine.spec import Spec

NEW = 6
CLOSE = {"rtol": 0, "atol": 1e-12}
SCOPE = "scope:prompt=40,window=4,heavy=2,recent=2,kernel=3"


def branch(seed: int, stem: Tokens, length: int, count: int) -> Tokens:
    """A sequence of `count` tokens that begins with `length` tokens of another."""
    tokens = Tokens(seed, count, layers=stem.layers)
    for own, first in ((tokens.q, stem.q), (tokens.k, stem.k), (tokens.v, stem.v)):
        own[:, :length] = first[:, :length]
    return tokens


class Sharing(Driver):
    """A driver whose rows may share a prefix."""

    def share(self, row: int, length: int) -> Prefix:
        """Turn a row's prompt into a prefix."""
        prefix = self.memory.share(row, tuple(range(length)))
        self.memory.check()
        return prefix

    def join(self, tokens: Tokens, prompt: int, prefix: Prefix) -> None:
        """Open a row that begins with a prefix and read the rest of its prompt."""
        start = len(prefix.tokens)
        row = self.memory.open(prompt, NEW, prefix=prefix)
        attend = self.memory.prefill([row], [prompt - start])
        self.rows.append(tokens)
        self.outputs[tokens.seed] = [self._forward(attend, [(tokens, start, prompt)])[:, -1]]
        self.memory.check()


def alone(text: str, tokens: Tokens, made: Spec, turns: list[int]) -> tuple[list, list[torch.Tensor]]:
    """What a row by itself holds and gives when it reads its prompt in some turns."""
    driver = Driver(parse(text), made=made)
    driver.admit((tokens, turns[0]), limit=NEW)
    for turn in turns[1:]:
        driver.extend(0, turn)
    held = []
    for _ in range(NEW):
        held.append(driver.kept())
        driver.step()
    return held, driver.outputs[tokens.seed][len(turns) - 1 :]


@pytest.mark.parametrize(
    "text",
    [
        "full",
        SCOPE,
        "snapkv:budget=24,window=4,kernel=3",
        "pyramidkv:budget=24,window=4",
        "windowkv:budget=26,suffix=6",
    ],
)
def test_rows_that_share_a_prefix_are_as_rows_that_read_it_first(text):
    """The prefix stays in full; what follows is a prompt of its own, and is chosen from with the prefix in sight."""
    made = spec(softcap=2.0)
    stem = Tokens(0, 20 + NEW)
    tokens = [branch(seed, stem, 20, length + NEW) for seed, length in ((1, 50), (2, 31), (3, 45))]
    driver = Sharing(parse(text), rows=5, made=made)
    driver.admit((stem, 20), limit=NEW)
    prefix = driver.share(0, 20)
    for each in tokens:
        driver.join(each, each.count - NEW, prefix)
    other = Tokens(9, 33 + NEW)
    driver.admit((other, 33), limit=NEW)  # beside a row that shares nothing
    assert sum(held is prefix for held in driver.memory.prefix) == 4
    held = []
    for _ in range(NEW):
        held.append([driver.kept(row) for row in range(5)])
        driver.step()
    turns = [(stem, [20]), *((each, [20, each.count - NEW - 20]) for each in tokens), (other, [33])]
    for row, (each, lengths) in enumerate(turns):
        expected, outputs = alone(text, each, made, lengths)
        assert [step[row] for step in held] == expected
        assert torch.allclose(torch.stack(driver.outputs[each.seed]), torch.stack(outputs), **CLOSE)


def test_a_shared_prefix_equals_one_prompt_and_is_held_once():
    made, stem = spec(), Tokens(0, 256)
    tokens = [branch(seed, stem, 250, 270) for seed in (1, 2, 3)]
    driver = Sharing(parse("full"), rows=4, made=made)
    driver.admit((stem, 250), limit=4)
    prefix = driver.share(0, 250)
    for each in tokens:
        driver.join(each, 260, prefix)
    apart = Driver(parse("full"), rows=4, made=made)
    apart.admit((stem, 250), *((each, 260) for each in tokens), limit=NEW)
    for _ in range(4):
        driver.step()
        apart.step()
    for each in (stem, *tokens):
        assert torch.allclose(torch.stack(driver.outputs[each.seed]), torch.stack(apart.outputs[each.seed]), **CLOSE)
    for row in range(4):
        assert driver.memory.stats(row) == apart.memory.stats(row)


def test_a_prefix_outlives_the_row_that_read_it():
    made, stem = spec(), Tokens(0, 20 + NEW)
    one, two = branch(1, stem, 20, 30 + NEW), branch(2, stem, 20, 24 + NEW)
    driver = Sharing(parse(SCOPE), rows=3, made=made)
    driver.admit((stem, 20), limit=NEW)
    prefix = driver.share(0, 20)
    driver.join(one, 30, prefix)
    driver.step()
    driver.close(0)
    assert sum(held is prefix for held in driver.memory.prefix) == 1
    driver.join(two, 24, prefix)
    driver.memory.check()
    driver.step()
    driver.close(0)
    for _ in range(NEW - 2):
        driver.step()
    for each, lengths in ((one, [20, 10]), (two, [20, 4])):
        outputs = alone(SCOPE, each, made, lengths)[1]
        got = driver.outputs[each.seed]
        assert torch.allclose(torch.stack(got), torch.stack(outputs[: len(got)]), **CLOSE)
    driver.close(0)
    assert sum(held is prefix for held in driver.memory.prefix) == 0
    assert driver.memory.active == 0


def test_a_row_that_shares_a_prefix_has_a_second_turn():
    made, stem = spec(), Tokens(0, 20)
    tokens = branch(1, stem, 20, 50 + NEW)
    driver = Sharing(parse("snapkv:budget=24,window=4,kernel=3"), rows=2, made=made)
    driver.admit((stem, 20), limit=NEW)
    driver.join(tokens, 35, driver.share(0, 20))
    driver.close(0)
    for _ in range(3):
        driver.step()
    read = driver.memory.stats(0).read
    driver.extend(0, 12)
    assert driver.memory.stats(0).read == read > 0
    expected = Driver(driver.memory.policy, made=made)
    expected.admit((tokens, 20), limit=NEW)
    expected.extend(0, 15)
    for _ in range(3):
        expected.step()
    expected.extend(0, 12)
    for _ in range(3):
        driver.step()
        expected.step()
    assert driver.kept() == expected.kept()
    assert torch.allclose(torch.stack(driver.outputs[1]), torch.stack(expected.outputs[1][1:]), **CLOSE)


@pytest.mark.parametrize("text", ["h2o", "adakv", "streaming_rotated", "tokenselect"])
def test_a_policy_that_cannot_share_says_so(text):
    memory = Driver(parse(text)).memory
    with pytest.raises(ConfigError, match="cannot share a prefix"):
        memory.open(20, 4, prefix=Prefix((1, 2, 3)))
    assert memory.active == 0
    with pytest.raises(ConfigError, match="cannot share a prefix"):
        memory.share(memory.open(3, 4), (1, 2, 3))


def test_what_shares_a_prefix_can_be_shared_as_a_whole():
    driver = Sharing(parse("full"))
    driver.admit((Tokens(0, 10), 10), limit=4)
    first = driver.share(0, 10)
    second = driver.memory.share(0, tuple(range(10)))
    assert driver.memory.prefix == [second]
    assert all(torch.equal(one, other) for one, other in zip(first.keys, second.keys, strict=True))
    driver.memory.check()


@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("windows", [(None, None, None), (6, None, 6)])
def test_heads_of_one_length_in_a_flat_list_are_as_heads_in_slots(softcap, windows):
    """AdaKV that gives every head the same is SnapKV, stored in another way."""
    made, settings = spec(softcap=softcap, windows=windows), "budget=12,window=4,kernel=3"
    sequences = [(Tokens(seed, length + NEW), length) for seed, length in ((1, 40), (2, 5), (3, 25))]
    flat, slots = (Driver(parse(t), 3, made) for t in (f"adakv:alpha=1,{settings}", f"snapkv:{settings}"))
    for driver in (flat, slots):
        driver.admit(*sequences, limit=NEW)
        for _ in range(NEW // 2):
            driver.step()
        driver.close(0)
        for _ in range(NEW // 2):
            driver.step()
    assert [flat.kept(row) for row in range(2)] == [slots.kept(row) for row in range(2)]
    assert [flat.memory.stats(row) for row in range(2)] == [slots.memory.stats(row) for row in range(2)]
    for seed in (1, 2, 3):
        assert torch.allclose(torch.stack(flat.outputs[seed]), torch.stack(slots.outputs[seed]), **CLOSE)


@pytest.mark.parametrize(
    "text", ["full", "adakv:budget=12,window=4", "taskkv:budget=12,window=4", SCOPE, "h2o:budget=12"]
)
def test_rows_may_leave_before_they_were_read(text):
    """A forward may fail between opening and reading."""
    tokens, other = Tokens(1, 30 + NEW), Tokens(2, 20 + NEW)
    driver = Driver(parse(text), rows=3)
    driver.memory.open(17, 4)
    driver.memory.close(0)
    driver.admit((tokens, 30), limit=NEW)
    driver.memory.open(17, 4)
    driver.memory.open(9, 4)
    driver.memory.close(1)
    driver.memory.close(1)
    driver.memory.check()
    driver.admit((other, 20), limit=NEW)
    driver.step()
    for each, prompt in ((tokens, 30), (other, 20)):
        assert torch.allclose(driver.outputs[each.seed][1], alone(text, each, spec(), [prompt])[1][1], **CLOSE)


@pytest.mark.parametrize(
    "text", ["full", "adakv:budget=12,window=4", "taskkv:budget=12,window=4", "windowkv:budget=26,suffix=6"]
)
def test_rows_are_read_in_any_order(text):
    tokens = [Tokens(seed, length + NEW) for seed, length in ((0, 40), (1, 22), (2, 31))]
    driver = Driver(parse(text), rows=3)
    for each in tokens:
        driver.memory.open(each.count - NEW, NEW)
    for rows in ([2], [1, 0]):
        spans = [(tokens[row], 0, tokens[row].count - NEW) for row in rows]
        driver._forward(driver.memory.prefill(rows, [stop for _, _, stop in spans]), spans)
    driver.memory.check()
    for row, each in enumerate(tokens):
        assert driver.kept(row) == alone(text, each, spec(), [each.count - NEW])[0][0]


@pytest.mark.parametrize(
    "text",
    [
        "full",
        SCOPE,
        "h2o:budget=12",
        "adakv:budget=12,window=4",
        "streaming:budget=10",
        "scope:prompt=12,heavy=2,recent=2,prefill=adakv",
    ],
)
def test_copied_rows_go_on_as_their_originals_would(text):
    stem = [Tokens(seed, length + 2 * NEW) for seed, length in ((0, 20), (1, 33))]
    driver = Driver(parse(text), rows=2)
    driver.admit(*((each, each.count - 2 * NEW) for each in stem), limit=2 * NEW)
    for _ in range(NEW):
        driver.step()
    order = [1, 1, 0]
    driver.memory.select(order)
    driver.memory.check()
    driver.rows = [
        branch(10 + i, stem[row], driver.memory.positions[i], stem[row].count) for i, row in enumerate(order)
    ]
    driver.outputs.update({each.seed: [] for each in driver.rows})
    for _ in range(NEW):
        driver.step()
    for tokens, row in zip(driver.rows, order, strict=True):
        single = Driver(parse(text))
        single.admit((tokens, stem[row].count - 2 * NEW), limit=2 * NEW)
        for _ in range(2 * NEW):
            single.step()
        assert torch.allclose(
            torch.stack(driver.outputs[tokens.seed]), torch.stack(single.outputs[tokens.seed][-NEW:]), **CLOSE
        )


def test_layers_share_a_choice_only_with_layers_of_their_kind():
    """A layer that sees a window has a choice of its own, also where it would be the first of a group."""
    made, tokens = spec(layers=4, windows=(6, None, 6, None)), Tokens(1, 50, layers=4)
    driver = Driver(parse("windowkv:budget=26,suffix=6,sharing=4"), made=made)
    driver.admit((tokens, 50), limit=1)
    held = driver.kept()
    assert held[0] == held[2] == [list(range(45, 50))] * 2
    assert held[1] == held[3]
    assert len(held[1][0]) > 18


def test_a_second_turn_with_a_small_share_keeps_the_first():
    driver = Driver(parse("snapkv:budget=0.1,window=32"))
    driver.admit((Tokens(1, 100), 40), limit=NEW)
    before = driver.kept()
    assert len(before[0][0]) == 4
    driver.extend(0, 20)
    assert driver.kept() == [[[*head, 58, 59] for head in layer] for layer in before]
