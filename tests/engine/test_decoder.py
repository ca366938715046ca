"""Our decoder gives the logits of transformers' own models, for every family and every odd feature of theirs."""

import functools
import weakref
from typing import Any

import pytest
import tiny
import torch
from decoder_kit import dense, exact, logits
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import AutoConfig

from webfarer.core.errors import ConfigError
from webfarer.engine.assembly import decoder_of
from webfarer.engine.decoder import Decoder
from webfarer.engine.families import family_of
from webfarer.engine.linears import Dense, Kept, Packed, packs, project
from webfarer.engine.norms import Norm

SCALED: dict[str, dict[str, Any]] = {
    "linear": {"rope_type": "linear", "factor": 3.0, "rope_theta": 10_000.0},
    "dynamic": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10_000.0},
    "llama3": {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    },
    "yarn": {
        "rope_type": "yarn",
        "rope_theta": 10_000.0,
        "factor": 4.0,
        "original_max_position_embeddings": 128,
    },
}

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in tiny.FAMILIES},
    **{f"llama {name}": ("llama", {"rope_parameters": rope}) for name, rope in SCALED.items()},
    "llama tied, biases": ("llama", {"tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True}),
    "llama, one head per group": ("llama", {"num_key_value_heads": 4}),
    "llama, narrow inside": ("llama", {"intermediate_size": 24}),
    "mistral without window": ("mistral", {"sliding_window": None}),
    "qwen2 untied, no window": ("qwen2", {"tie_word_embeddings": False, "use_sliding_window": False}),
    "qwen3, window, biases": (
        "qwen3",
        {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 2, "attention_bias": True},
    ),
    "gemma2 without caps": ("gemma2", {"attn_logit_softcapping": None, "final_logit_softcapping": None}),
    "gemma3, capped logits": ("gemma3", {"final_logit_softcapping": 4.0, "layers": 4}),
    "phi3, window, plain rotation": ("phi3", {"sliding_window": 8, "rope_parameters": None}),
}


def prompt(length: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (length,), generator=torch.Generator().manual_seed(seed))


@functools.cache
def qwen2_decoder() -> Decoder:
    return decoder_of(tiny.qwen2())


def reference(model: Any, tokens: Tensor) -> Tensor:
    with torch.inference_mode():
        return model(tokens[None]).logits[0]


@pytest.mark.parametrize("variant", VARIANTS)
def test_logits_are_those_of_transformers_to_the_last_digits(variant: str) -> None:
    family, config = VARIANTS[variant]
    model = tiny.FAMILIES[family](dtype=torch.float64, **config)
    decoder = decoder_of(model, context=64)
    tokens = prompt(40)
    ours = logits(decoder, tokens)[0]
    assert ours.dtype == torch.float64
    assert torch.allclose(ours, reference(exact(model), tokens), rtol=0, atol=1e-9)


@pytest.mark.parametrize("family", tiny.FAMILIES)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.bfloat16, 0.35)])
def test_logits_in_narrow_dtypes_are_float32_and_near(family: str, dtype: torch.dtype, tolerance: float) -> None:
    wide = tiny.FAMILIES[family](dtype=torch.float32)
    expected = reference(wide, prompt(40))
    ours = logits(decoder_of(wide.to(dtype), context=64), prompt(40))[0]
    assert ours.dtype == torch.float32
    assert (ours - expected).abs().max() < tolerance


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_greedy_tokens_are_those_of_generate(family: str) -> None:
    model = tiny.FAMILIES[family](dtype=torch.float64)
    decoder = decoder_of(model, context=64)
    tokens = prompt(12, seed=3)
    expected = model.generate(
        tokens[None],
        attention_mask=torch.ones(1, 12, dtype=torch.long),
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=None,
    )[0]
    while len(tokens) < len(expected):
        tokens = torch.cat((tokens, logits(decoder, tokens)[0][-1].argmax()[None]))
    assert tokens.tolist() == expected.tolist()


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4))
@settings(max_examples=10)
def test_prompts_in_one_forward_do_not_see_each_other(lengths: list[int]) -> None:
    decoder = qwen2_decoder()
    prompts = [prompt(length, seed) for seed, length in enumerate(lengths)]
    for alone, together in zip(prompts, logits(decoder, *prompts), strict=True):
        assert torch.allclose(logits(decoder, alone)[0], together, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("context", "long"), [(64, False), (65, True), (None, True)])
def test_longrope_factors_follow_the_context_that_is_asked_for(context: int | None, long: bool) -> None:
    model = tiny.phi3()
    decoder = decoder_of(model, context=context)
    tokens = prompt(80 if long else 60)
    assert decoder.spec.context == (context or 512)
    assert torch.allclose(logits(decoder, tokens)[0], reference(exact(model), tokens), rtol=0, atol=1e-9)


def test_spec_of_a_family_with_everything() -> None:
    spec = decoder_of(tiny.gemma3(), name="g").spec
    assert (spec.name, spec.layers, spec.heads, spec.kv_heads, spec.head_dim) == ("g", 3, 4, 2, 16)
    assert spec.windows == (6, 6, None)
    assert spec.scale == 13**-0.5
    assert spec.rotary[0] is spec.rotary[1] is not spec.rotary[2]
    assert spec.softcap is None
    assert decoder_of(tiny.gemma2()).spec.softcap == 3.0
    assert decoder_of(tiny.phi3()).spec.rotary[0].dims == 4


@pytest.mark.parametrize("tied", [True, False])
def test_a_released_model_gives_all_its_memory_back(tied: bool) -> None:
    model = tiny.llama(tie_word_embeddings=tied)
    tokens = prompt(9)
    expected = logits(decoder_of(model), tokens)[0]
    linear = weakref.ref(model.model.layers[0].self_attn.q_proj.weight)
    decoder = decoder_of(model, release=True)
    assert linear() is None
    del model
    assert torch.equal(logits(decoder, tokens)[0], expected)


class Scaled(nn.Module):
    """A linear whose weights are small integers with a scale per row: what a quantising library makes of one."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()
        self.scale = weight.abs().amax(1, keepdim=True) / 127
        self.weight = nn.Parameter((weight / self.scale).round().to(torch.int8), requires_grad=False)
        self.bias = linear.bias

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * self.scale, self.bias)


@pytest.mark.parametrize("family", ["qwen2", "phi3", "gemma2"])
def test_quantised_linears_stay_modules_and_are_called(family: str) -> None:
    model = exact(tiny.FAMILIES[family]())
    for layer in model.model.layers:
        for part in (layer.self_attn, layer.mlp):
            for name, child in list(part.named_children()):
                if isinstance(child, nn.Linear):
                    setattr(part, name, Scaled(child))
    expected = reference(model, prompt(20))
    assert isinstance(project([model.model.layers[0].mlp.down_proj]), Kept)
    ours = logits(decoder_of(model, context=64, release=True), prompt(20))[0]
    assert torch.allclose(ours, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("threads", [1, 2])
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(1, 70), st.booleans(), st.sampled_from(["float32", "float64"])
)
def test_products_are_those_of_linears(
    threads: int, outputs: int, inputs: int, tokens: int, bias: bool, dtype: str
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    torch.manual_seed(outputs * 41 + inputs)
    linear = nn.Linear(inputs, outputs, bias=bias, dtype=getattr(torch, dtype))
    x = torch.randn(tokens, inputs, dtype=linear.weight.dtype)
    base = torch.randn(tokens, outputs, dtype=linear.weight.dtype)
    with torch.inference_mode():
        ours, expected = project([linear]), linear(x)
        assert isinstance(ours, Packed) == (dtype == "float32" and packs())
        for projection in (ours, Dense(linear.weight.detach(), linear.bias)):
            given, total = projection(x), base.clone()
            assert given.is_contiguous()
            assert torch.allclose(given, expected, rtol=0, atol=1e-5)
            projection.onto(x, total)
            assert torch.allclose(total, base + expected, rtol=0, atol=1e-5)
    torch.set_num_threads(before)


@given(st.integers(1, 64), st.floats(1e-8, 1e4), st.sampled_from([1e-6, 1e-5, 1e-1]))
def test_norm_is_the_root_mean_square_norm(size: int, spread: float, eps: float) -> None:
    x = torch.randn(2, size, generator=torch.Generator().manual_seed(size), dtype=torch.float64) * spread
    weight = torch.linspace(-1, 2, size, dtype=torch.float64)
    expected = nn.functional.rms_norm(x, (size,), weight, eps)
    assert torch.allclose(Norm(weight, eps)(x), expected, rtol=1e-12, atol=1e-12)


def test_an_unknown_family_is_refused_by_name() -> None:
    model = tiny.build("olmo2")
    with pytest.raises(ConfigError, match=r"type 'olmo2'.*supported model types: llama, mistral, qwen2"):
        decoder_of(model)


@pytest.mark.parametrize(
    ("model_type", "reason"),
    [("mixtral", "mixture of experts"), ("deepseek_v3", "mixture of experts"), ("mamba", "state-space")],
)
def test_a_refused_family_is_told_why(model_type: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        family_of(AutoConfig.for_model(model_type))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"hidden_act": "tanh"}, "activation 'tanh'"),
        ({"rope_parameters": {"rope_type": "proportional"}}, "proportional"),
    ],
)
def test_settings_we_do_not_compute_are_refused(config: dict[str, Any], message: str) -> None:
    model = tiny.llama()
    for name, value in config.items():
        setattr(model.config, name, value)
    with pytest.raises(ConfigError, match=message):
        decoder_of(model)


def test_attention_in_both_directions_is_refused() -> None:
    with pytest.raises(ConfigError, match="both directions"):
        decoder_of(tiny.gemma3(use_bidirectional_attention=True))


def test_dense_attention_of_the_kit_obeys_windows() -> None:
    spec = decoder_of(tiny.mistral(sliding_window=1)).spec
    q = torch.randn(4, spec.heads, spec.head_dim, dtype=torch.float64)
    kv = q[:, : spec.kv_heads]
    assert torch.allclose(dense(spec, [4])(0, q, kv, kv), kv.repeat_interleave(spec.groups, dim=1))


@pytest.mark.gpu
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_logits_on_a_gpu_are_those_of_the_cpu(family: str) -> None:
    model = tiny.FAMILIES[family](dtype=torch.float64)
    expected = logits(decoder_of(model, context=64), prompt(40))[0]
    ours = logits(decoder_of(model.cuda(), context=64), prompt(40).cuda())[0]
    assert torch.allclose(ours.cpu(), expected, rtol=0, atol=1e-6)
