"""Adapters give what PEFT gives, several in one batch, and leave the rows of others alone to the last bit."""

import json
from pathlib import Path
from typing import Any

import pytest
import tiny
import torch
from decoder_kit import exact, logits
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor

from webfarer.core.errors import ConfigError
from webfarer.engine.adapters import Adapter, Rows
from webfarer.engine.assembly import decoder_of

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # PEFT reads it

CPU = torch.device("cpu")
ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "all": ("llama", {"r": 4, "lora_alpha": 8, "target_modules": ALL}),
    "some": ("llama", {"r": 2, "lora_alpha": 3, "target_modules": ["v_proj", "up_proj"]}),
    "rslora": ("llama", {"r": 4, "lora_alpha": 8, "use_rslora": True, "target_modules": ALL}),
    "patterns": (
        "llama",
        {
            "r": 4,
            "lora_alpha": 8,
            "target_modules": ALL,
            "rank_pattern": {"q_proj": 2, "layers.1.mlp.down_proj": 6},
            "alpha_pattern": {"k_proj": 5, r"layers\.[02]\.self_attn\.o_proj": 16},
        },
    ),
    "one layer": ("llama", {"r": 3, "target_modules": ALL, "layers_to_transform": [1]}),
    "fused": ("phi3", {"r": 4, "target_modules": ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]}),
    "sandwich": ("gemma3", {"r": 4, "lora_alpha": 8, "target_modules": ALL}),
}


def train(base: Any, folder: Path, seed: int = 0, **config: Any) -> Path:
    """Write an adapter with random factors, as a training run would leave it."""
    model = get_peft_model(base, LoraConfig(**config))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_" in name:
                weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    model.save_pretrained(folder)
    model.unload()
    return folder


def expected(base: Any, folder: Path, tokens: Tensor) -> Tensor:
    model = PeftModel.from_pretrained(base, folder)
    with torch.inference_mode():
        result: Tensor = model(tokens[None]).logits[0]
    model.unload()
    return result


@pytest.mark.parametrize("name", CONFIGS)
def test_an_adapter_gives_what_peft_gives(name: str, tmp_path: Path) -> None:
    family, config = CONFIGS[name]
    base = exact(tiny.FAMILIES[family]())
    decoder = decoder_of(base, context=64)
    adapter = Adapter.load(train(base, tmp_path, **config), decoder.layout)
    tokens = torch.arange(1, 21)
    ours = logits(decoder, tokens, adapters=Rows([(adapter, 20)], CPU))[0]
    assert torch.allclose(ours, expected(base, tmp_path, tokens), rtol=0, atol=1e-9)
    assert not torch.allclose(ours, logits(decoder, tokens)[0], atol=1e-2)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, dict[str, tuple[Path, Adapter]]]:
    base = exact(tiny.llama())
    decoder = decoder_of(base)
    adapters = {}
    for seed, name in enumerate(("all", "some", "rslora")):
        folder = train(base, tmp_path_factory.mktemp(name.replace(" ", "")), seed, **CONFIGS[name][1])
        adapters[name] = (folder, Adapter.load(folder, decoder.layout, name))
    return base, decoder, adapters


def test_several_adapters_share_one_batch(served: Any) -> None:
    base, decoder, adapters = served
    order = ["all", None, "some", "all", "rslora", None, "all"]
    prompts = [torch.arange(start, start + 6 + start) for start in range(1, 8)]
    rows = Rows([(adapters[name][1] if name else None, len(p)) for name, p in zip(order, prompts, strict=True)], CPU)
    together = logits(decoder, *prompts, adapters=rows)
    plain = logits(decoder, *prompts)
    for name, tokens, ours, without in zip(order, prompts, together, plain, strict=True):
        if name is None:
            assert torch.equal(ours, without)
        else:
            assert torch.allclose(ours, expected(base, adapters[name][0], tokens), rtol=0, atol=1e-9)
    ends = Rows([(adapters[name][1] if name else None, 1) for name in order], CPU)
    for whole, end in zip(together, logits(decoder, *prompts, adapters=rows, ends=ends), strict=True):
        assert torch.allclose(end, whole[-1], rtol=0, atol=1e-12)


@given(choice=st.lists(st.tuples(st.sampled_from([None, "all", "some"]), st.integers(1, 5)), min_size=1, max_size=6))
@settings(max_examples=20)
def test_updates_reach_their_rows_and_no_other(served: Any, choice: list[tuple[str | None, int]]) -> None:
    _, _, adapters = served
    rows = Rows([(adapters[name][1] if name else None, length) for name, length in choice], CPU)
    total = sum(length for _, length in choice)
    assert bool(rows) == any(name for name, _ in choice)
    x = torch.linspace(-1, 1, total * 32, dtype=torch.float64).view(total, 32)
    y = torch.ones(total, 64, dtype=torch.float64)
    rows.add(0, "qkv", x, y)
    start = 0
    for name, length in choice:
        part = slice(start, start + length)
        update = torch.zeros(length, 64, dtype=torch.float64)
        if name:
            pair = adapters[name][1].pairs[0, "qkv"]
            update = x[part] @ pair.down @ pair.up
        assert torch.allclose(y[part], 1 + update, rtol=0, atol=1e-12)
        start += length


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"peft_type": "IA3"}, "PEFT type 'IA3'"),
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias='all'"),
        ({"init_lora_weights": "pissa_niter_4"}, "pissa.*base model's weights"),
    ],
)
def test_other_kinds_of_adapters_are_refused_by_name(
    served: Any, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    _, decoder, adapters = served
    config = json.loads((adapters["all"][0] / "adapter_config.json").read_text())
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, **change}))
    with pytest.raises(ConfigError, match=message):
        Adapter.load(tmp_path, decoder.layout)


def test_broken_folders_say_what_to_do(served: Any, tmp_path: Path) -> None:
    _, decoder, adapters = served
    with pytest.raises(ConfigError, match=r"no adapter_config\.json"):
        Adapter.load(tmp_path, decoder.layout)
    (tmp_path / "adapter_config.json").write_text("{")
    with pytest.raises(ConfigError, match="not JSON"):
        Adapter.load(tmp_path, decoder.layout)
    (tmp_path / "adapter_config.json").write_bytes((adapters["all"][0] / "adapter_config.json").read_bytes())
    with pytest.raises(ConfigError, match="safe_serialization"):
        Adapter.load(tmp_path, decoder.layout)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"no")
    with pytest.raises(ConfigError, match="cannot be read"):
        Adapter.load(tmp_path, decoder.layout)


def test_an_adapter_of_another_model_is_refused(served: Any, tmp_path: Path) -> None:
    _, decoder, _ = served
    other = train(tiny.llama(hidden_size=16), tmp_path / "size", r=2, target_modules=["q_proj"])
    with pytest.raises(ConfigError, match=r"another model: layer 0 q_proj"):
        Adapter.load(other, decoder.layout)
    half = train(tiny.llama(), tmp_path / "half", r=2, target_modules=["q_proj"])
    path = half / "adapter_model.safetensors"
    tensors = load_file(path)
    save_file({key: tensor for key, tensor in tensors.items() if "lora_A" in key}, path)
    with pytest.raises(ConfigError, match="only one of the two factors"):
        Adapter.load(half, decoder.layout)
    for foreign in ("base_model.model.lm_head.lora_A.weight", "model.layers.3.self_attn.q_proj.lora_A.weight"):
        save_file({**tensors, foreign: torch.ones(2, 32)}, path)
        with pytest.raises(ConfigError, match=foreign):
            Adapter.load(half, decoder.layout)
