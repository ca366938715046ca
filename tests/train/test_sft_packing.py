"""Packed and padded batches: a sequence's loss and gradient are the same in whatever company."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sft_kit import examples, tiny

from webfarer.core.errors import ConfigError
from webfarer.train.example import Example
from webfarer.train.packing import NAME, check_lengths, collate, loss_sum, packing, split

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
    long = Example("long", tuple(range(1, 64)), tuple(range(1, 64)))
    with (
        pytest.raises(ConfigError, match=r"window|cap.*--no-packing"),
        packing(model, [*examples(2, 2), long, *examples(2, 2)]),  # it is not among those that are tried
    ):
        pytest.fail("it is refused up front")
    assert model.config._attn_implementation == before != NAME


def test_a_model_that_looks_across_sequences_is_refused() -> None:
    model = tiny.llama(layers=1)
    mixed = model.model.layers[0].register_forward_hook(lambda part, given, out: out + out.cumsum(1))
    with pytest.raises(ConfigError, match=r"across packed sequences.*--no-packing"), packing(model, examples(3, 20)):
        pass
    mixed.remove()


def refused(model, given, said: str) -> None:
    before = model.config._attn_implementation
    with pytest.raises(ConfigError, match=said), packing(model, given):
        pytest.fail("it is refused up front")
    assert model.config._attn_implementation == before


def test_a_model_with_an_attention_of_its_own_is_refused() -> None:
    model = tiny.build("bloom", layers=1, n_layer=1, n_head=4, dtype=torch.float32)
    refused(model, examples(3, 20), "an attention of its own.*--no-packing")


def test_a_model_that_looks_across_sequences_a_little_is_refused_in_bfloat16_too() -> None:
    model = tiny.llama(layers=1, dtype=torch.bfloat16)
    with packing(model, examples(3, 20)):
        pass
    model.model.layers[0].register_forward_hook(lambda part, given, out: out + 0.03 * out.cumsum(1))
    refused(model, examples(3, 20), "across packed sequences.*--no-packing")


def test_attention_in_chunks_is_refused_where_a_sequence_is_longer() -> None:
    model = tiny.llama(layers=1)
    model.config.attention_chunk_size = 16
    with packing(model, examples(3, 10)):
        pass
    refused(model, [*examples(2, 5), *examples(1, 60, seed=5), *examples(2, 5)], "chunk of 16 tokens.*--no-packing")


@pytest.mark.parametrize("rope", ["longrope", "dynamic"])
def test_a_sequence_that_changes_the_positions_of_its_company_is_refused(rope: str) -> None:
    model = tiny.phi3(layers=1)  # its original length is 64
    model.config.rope_parameters["rope_type"] = rope
    check_lengths(model, examples(5, 60))
    long = Example("long", (1,) * 65, (1,) * 65)
    with pytest.raises(ConfigError, match=r"--longest 64 --drop-long"):
        check_lengths(model, [*examples(5, 60), long])


@settings(max_examples=25)
@given(st.lists(st.integers(1, 50), min_size=24, max_size=60), st.integers(100, 400), st.sampled_from([2, 4]))
def test_processes_have_about_as_much_to_do(lengths: list[int], room: int, processes: int) -> None:
    parts = split(lengths, room, packed=True, processes=processes)
    loads = [sum(lengths[number] for part in parts[rank::processes] for number in part) for rank in range(processes)]
    assert max(loads) - min(loads) <= max(lengths) * len(parts) / processes
    assert len(parts) <= processes * (1 + -(-sum(lengths) // ((room - max(lengths)) * processes)))


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
