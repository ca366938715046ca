"""A checkpoint folder becomes a decoder with its tokenizer; what is wrong with a folder is said, with what to do."""

import json
from pathlib import Path

import pytest
import tiny
import torch
from decoder_kit import logits
from safetensors.torch import load_file, save_file

from webfarer.core.errors import ConfigError
from webfarer.engine.loading import load


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.save(tiny.llama(dtype=torch.bfloat16, layers=1), tmp_path / "model")


def test_a_saved_model_comes_back(folder: Path) -> None:
    loaded = load(folder, "float64", "cpu")
    model = tiny.llama(dtype=torch.bfloat16, layers=1).double()
    tokens = torch.arange(10, 30)
    with torch.inference_mode():
        expected = model(tokens[None]).logits[0]
    assert torch.allclose(logits(loaded.decoder, tokens)[0], expected, rtol=0, atol=1e-5)
    assert loaded.spec is loaded.decoder.spec
    assert loaded.spec.name == str(folder)
    assert loaded.ends == (256,)
    assert loaded.config.model_type == "llama"
    chat = loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": "Où?"}], tokenize=False, add_generation_prompt=True
    )
    assert chat == "<|user|>Où?<|end|><|assistant|>"
    ids = loaded.tokenizer.encode(chat)
    assert max(ids) < tiny.VOCAB
    assert loaded.tokenizer.decode(ids) == chat


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(None, torch.float32), ("bfloat16", torch.bfloat16), (torch.float16, torch.float16)],
)
def test_dtype_is_float32_on_a_cpu_unless_asked(
    folder: Path, dtype: str | torch.dtype | None, expected: torch.dtype
) -> None:
    assert load(folder, dtype, "cpu").spec.dtype == expected


def test_context_is_what_is_asked_for(folder: Path) -> None:
    assert load(folder, device="cpu", context=99).spec.context == 99


def test_an_unusable_dtype_or_device_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="dtype 'int4' is not supported; supported: float64"):
        load(folder, "int4", "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError, match="no GPU"):
            load(folder, device="cuda")


def test_a_folder_without_a_model_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a model folder"):
        load(tmp_path, device="cpu")
    with pytest.raises(ConfigError, match="is a file"):
        load(folder / "config.json", device="cpu")
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="holds an adapter"):
        load(tmp_path, device="cpu")


def test_pickled_weights_are_refused_unread(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match=r"pickles only.*safe_serialization=True"):
        load(folder, device="cpu")
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ConfigError, match=r"no \*\.safetensors"):
        load(folder, device="cpu")


def test_broken_files_are_refused(folder: Path) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:1000])
    with pytest.raises(ConfigError, match="reading the weights"):
        load(folder, device="cpu")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(ConfigError, match="reading the tokenizer"):
        load(folder, device="cpu")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ConfigError, match=r"no tokenizer .* copy tokenizer\.json"):
        load(folder, device="cpu")
    (folder / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="is not JSON"):
        load(folder, device="cpu")


def test_missing_weights_are_refused_and_not_made_up(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.0.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(ConfigError, match=r"missing keys: model\.layers\.0\.mlp\.up_proj\.weight"):
        load(folder, device="cpu")


def test_an_unsupported_model_is_refused_before_its_weights_are_read(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "mixtral"}))
    (folder / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"'mixtral'.*mixture of experts"):
        load(folder, device="cpu")
