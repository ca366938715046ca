"""Packed and padded batches: a sequence's loss and gradient are the same in whatever company."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sft_kit import examples, tiny

from webfarer.core.errors import ConfigError
from webfarer.train.packing import NAME, collate, loss_sum, packing, split

CPU = torch.device("cpu")
PACKABLE = ("llama", "qwen3", "phi3")


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def learnt(model, parts, packed):
    """Return the loss and the gradient of several forward passes together."""
    model.zero_grad()
    total = 0.0
    for part in parts:
        loss = loss_sum(model, collate(part, packed, CPU))
        loss.backward()
        total += loss.item()
    return torch.tensor(total, dtype=torch.float64), torch.cat([weight.grad.flatten() for weight in model.parameters()])


@pytest.mark.parametrize("family", PACKABLE)
def test_loss_and_gradient_are_those_of_each_sequence_alone(family: str) -> None:
    model, given = tiny.FAMILIES[family](layers=2), examples(6, 20)
    before = model.config._attn_implementation
    alone = learnt(model, [[each] for each in given], packed=False)
    padded = learnt(model, [given], packed=False)
    with packing(model, given):
        packed = learnt(model, [given], packed=True)
        parts = split([len(each.ids) for each in given], 30, packed=True)
        in_parts = learnt(model, [[given[number] for number in part] for part in parts], packed=True)
    assert len(parts) > 1
    assert model.config._attn_implementation == before
    for way in (padded, packed, in_parts):
        torch.testing.assert_close(way, alone, rtol=1e-9, atol=1e-9)


def test_logits_of_a_packed_sequence_are_those_it_has_alone() -> None:
    model, given = tiny.llama(layers=2), examples(6, 30)
    with torch.no_grad(), packing(model, given):
        together = model(**collate(given, True, CPU).inputs, use_cache=False).logits[0]
    start = 0
    for each in given:
        alone = model(torch.tensor([each.ids])).logits[0]
        torch.testing.assert_close(together[start : start + len(each.ids)], alone, rtol=1e-9, atol=1e-9)
        start += len(each.ids)


@pytest.mark.parametrize("family", sorted(set(tiny.FAMILIES) - set(PACKABLE)))
def test_a_model_that_cannot_be_packed_is_refused_and_left_as_it_was(family: str) -> None:
    model = tiny.FAMILIES[family](layers=2)
    before = model.config._attn_implementation
    with (
        pytest.raises(ConfigError, match=r"window|cap.*--no-packing"),
        packing(model, examples(2, 2) + examples(1, 64)),
    ):
        learnt(model, [examples(3, 64)], packed=True)  # a window matters only for what is longer
    assert model.config._attn_implementation == before != NAME


def test_a_model_that_looks_across_sequences_is_refused() -> None:
    model = tiny.llama(layers=1)
    mixed = model.model.layers[0].register_forward_hook(lambda part, given, out: out + out.cumsum(1))
    with pytest.raises(ConfigError, match=r"across packed sequences.*--no-packing"), packing(model, examples(3, 20)):
        pass
    mixed.remove()


@given(
    st.lists(st.integers(1, 50), min_size=1, max_size=40),
    st.integers(1, 120),
    st.booleans(),
    st.sampled_from([1, 2, 3]),
)
def test_a_step_is_divided_into_passes_that_fit(lengths: list[int], room: int, packed: bool, processes: int) -> None:
    parts = split(lengths, room, packed, processes)
    assert sorted(number for part in parts for number in part) == list(range(len(lengths)))
    assert len(parts) % processes == 0
    for part in parts:
        sizes = [lengths[number] for number in part]
        weight = sum(sizes) if packed else len(sizes) * max(sizes, default=0)
        assert weight <= room or len(part) == 1
