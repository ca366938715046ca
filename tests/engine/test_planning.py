"""What planning foretells, against figures worked out by hand and against what a memory really holds."""

import json
import math

import pytest
import tiny
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from webfarer.core.errors import ConfigError
from webfarer.engine.families import Placement, spec_of
from webfarer.engine.memory import Memory
from webfarer.engine.planning import (
    DEVICES,
    Work,
    break_even,
    device_named,
    forecast,
    holding,
    speculation,
    step_seconds,
)
from webfarer.engine.policy import parse
from webfarer.engine.shapes import Shape, shape_of_config, shape_of_model, shape_of_text

EIGHT = shape_of_text("layers=32,heads=32,kv=8,dim=128,params=8e9")
H200 = DEVICES["h200"]
TINY = tiny.llama(layers=4)
LLAMA = {
    "model_type": "llama",
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "max_position_embeddings": 131072,
}


def test_an_eight_billion_model_at_32k_times_8_on_an_h200():
    work = Work(prompt=28 * 1024, new=4 * 1024, batch=8)
    full = forecast(EIGHT, work, H200)
    assert EIGHT.token_bytes == 128 * 1024
    assert full.cache_bytes == pytest.approx(34e9, rel=0.02)
    assert full.cache_bytes / H200.bandwidth == pytest.approx(7.2e-3, rel=0.01)
    assert full.seconds == pytest.approx(3.4e-3 + 7.2e-3, rel=0.02)
    assert full.fits == int((0.9 * 141e9 - 16e9) / (32768 * 131072))
    small = forecast(EIGHT, work, H200, parse("scope:prompt=2048,heavy=256,recent=256"))
    assert small.slots == 2048 + 512 + 1  # the new token is attended to before one is given up
    assert small.cache_bytes == pytest.approx(2.7e9, rel=0.01)
    assert small.seconds - EIGHT.weight_bytes / H200.bandwidth == pytest.approx(0.56e-3, rel=0.01)
    assert full.seconds / small.seconds == pytest.approx(2.7, abs=0.05)


def test_at_batch_1_and_4k_compression_cannot_save_more_than_three_percent():
    full = forecast(EIGHT, Work(3584, 512, 1), H200)
    weights = EIGHT.weight_bytes / H200.bandwidth
    assert 1.02 < full.seconds / weights < 1.035


def test_break_even_is_where_the_gain_is_reached():
    tokens = break_even(EIGHT, gain=1.5, share=0.25)
    full, small = (
        EIGHT.weight_bytes + tokens * EIGHT.token_bytes,
        EIGHT.weight_bytes + 0.25 * tokens * EIGHT.token_bytes,
    )
    assert full / small == pytest.approx(1.5)
    assert break_even(EIGHT, gain=1.5, share=0.7) == math.inf


@pytest.mark.parametrize(
    ("draft", "best"),
    [
        (0.05, ((3, 1.63), (6, 2.35), (8, 3.09), (13, 4.67))),
        (0.1, ((2, 1.46), (4, 1.98), (6, 2.47), (10, 3.43))),
        (0.2, ((1, 1.25), (3, 1.58), (4, 1.87), (7, 2.37))),
    ],
)
def test_the_best_draft_length(draft, best):
    for acceptance, (length, gain) in zip((0.5, 0.7, 0.8, 0.9), best, strict=True):
        found = speculation(acceptance, draft)
        assert found[0] == length
        assert found[1] == pytest.approx(gain, abs=6e-3)


@given(
    acceptance=st.floats(0, 1),
    draft=st.floats(0.01, 2),
    verify=st.one_of(st.none(), st.tuples(st.floats(0, 0.5), st.integers(1, 20))),
)
def test_no_other_draft_length_is_faster(acceptance, draft, verify):
    def time(tokens):
        return max(1.0, verify[0] * (tokens - verify[1])) if verify else 1.0

    gains = [sum(acceptance**place for place in range(k + 1)) / (k * draft + time(k + 1)) for k in range(33)]
    k, gain = speculation(acceptance, draft, time if verify else None)
    assert gain == pytest.approx(gains[k]) == pytest.approx(max(gains))


def test_drafting_pays_until_arithmetic_is_the_limit():
    def best(length, batch):
        read = holding(EIGHT, Work(length // 2, length // 2, 1)).read
        one = step_seconds(EIGHT, batch, read, H200)
        return speculation(0.7, 0.1, lambda tokens: step_seconds(EIGHT, batch, read, H200, tokens) / one)

    assert best(length=1024, batch=1)[0] == 4
    assert best(length=128, batch=2000) == (0, 1.0)
    assert best(length=32768, batch=2000)[0] > 0  # a long cache takes longer to read than to reckon with
    assert speculation(0.0, 0.1) == (0, 1.0)


@settings(max_examples=15)
@given(
    spec=st.sampled_from(
        [
            "full",
            "scope:prompt=12,window=2,heavy=3,recent=4",
            "scope:prompt=0.5,window=2,heavy=5,recent=2,strategy=adaptive",
            "scope:prompt=9,window=2,heavy=4,recent=3,strategy=discontinuous",
            "h2o:budget=11",
            "pyramidkv:budget=16,window=4",
            "prefill_only:policy=snapkv,budget=0.4",
            "tokenselect:top=6,sinks=1,recent=2",
        ]
    ),
    prompt=st.integers(1, 40),
    new=st.integers(1, 30),
)
def test_slots_are_those_a_memory_holds(spec, prompt, new):
    policy, described = parse(spec), spec_of(TINY.config, Placement("tiny", torch.float64, torch.device("cpu")))
    memory = Memory(described, policy, 1)
    memory.open(prompt, new)
    most = [0] * described.layers
    for _ in range(new):
        steps = [(plan, plan.step(0, described.device)) for plan in memory.plans]
        for plan, step in steps:
            for layer in plan.layers:
                most[layer] = max(most[layer], plan.tracks[0].held + (step.drops.most if step.drops else 0))
    shape = shape_of_config(TINY.config.to_dict())
    held = holding(shape, Work(prompt, new, 1), policy)
    assert held.stored == sum(most) * described.kv_heads
    assert held.read <= 1.5 * held.stored


@pytest.mark.parametrize("name", sorted(tiny.FAMILIES))
def test_a_config_is_read_as_transformers_reads_it(name):
    model = tiny.FAMILIES[name]()
    spec = spec_of(model.config, Placement(name, torch.float64, torch.device("cpu")))
    shape = shape_of_config(json.loads(model.config.to_json_string()))
    sizes = (spec.layers, spec.heads, spec.kv_heads, spec.head_dim)
    assert (shape.layers, shape.heads, shape.kv_heads, shape.head_dim) == sizes
    assert tuple(shape.window(layer) for layer in range(spec.layers)) == spec.windows
    exact = sum(weight.numel() for weight in model.parameters())
    assert shape.parameters == pytest.approx(exact, rel=0.03)  # biases and further norms are not counted


def test_a_llama_is_counted_to_the_last_parameter():
    assert shape_of_config(LLAMA).parameters == 8_030_261_248
    assert shape_of_config(LLAMA).weight_bytes == 2 * 8_030_261_248
    assert shape_of_config({"text_config": LLAMA}).token_bytes == 128 * 1024
    half = shape_of_config(LLAMA | {"sliding_window": 4096, "sliding_window_pattern": 2})
    assert half.windows == (4096, None) * 16
    assert holding(half, Work(8000, 192, 1)).stored == 16 * 8 * (4096 + 8192)


def test_an_input_table_of_its_own_is_not_read_at_every_step():
    shape = shape_of_config(LLAMA)
    assert shape.step_bytes == pytest.approx(2 * (8_030_261_248 - 128256 * 4096))
    assert step_seconds(shape, 1, 0, H200) == pytest.approx(shape.step_bytes / H200.bandwidth)
    tied = shape_of_config(LLAMA | {"tie_word_embeddings": True})
    assert tied.step_bytes == tied.weight_bytes


def test_only_layers_that_see_everything_pay_for_further_tokens():
    half = shape_of_config(LLAMA | {"sliding_window": 4096, "sliding_window_pattern": 2})
    assert break_even(half) == pytest.approx(2 * break_even(shape_of_config(LLAMA)))
    assert break_even(shape_of_config(LLAMA | {"sliding_window": 4096})) == math.inf


def test_files_say_what_weights_take(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    (tmp_path / "model.safetensors").write_bytes(b"x" * 100)
    assert shape_of_model(str(tmp_path)).weight_bytes == 100
    (tmp_path / "consolidated.safetensors").write_bytes(b"x" * 100)  # the same once more
    assert shape_of_model(str(tmp_path)).weight_bytes == 100
    (tmp_path / "model.safetensors").unlink()
    assert shape_of_model(str(tmp_path)).weight_bytes == 100


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: device_named("tpu"), "h200"),
        (lambda: Work(0, 1, 1), "at least 1"),
        (lambda: shape_of_text("layers=32,heads=32"), "lacks kv, dim, params"),
        (lambda: shape_of_text("layers=32,width=1"), "width=1"),
        (lambda: shape_of_text("layers=inf,heads=3,kv=2,dim=8,params=1e3"), "layers=inf"),
        (lambda: shape_of_text("layers=3,heads=3,kv=2,dim=8,params=1e3"), "multiple"),
        (lambda: shape_of_config(LLAMA | {"num_experts": 8}), "num_experts"),
        (lambda: shape_of_config({"num_hidden_layers": 2}), "num_attention_heads"),
        (lambda: shape_of_model("nobody/nothing-here"), "--shape"),
        (lambda: Shape(2, 2, 1, 8, parameters=0, weight_bytes=0), "above 0"),
    ],
)
def test_what_cannot_be_planned_is_refused(make, said):
    with pytest.raises(ConfigError, match=said):
        make()
