"""Loads a checkpoint: configuration, weights, tokenizer, and the decoder made of them.

Weights are safetensors read by transformers, so quantised checkpoints go through the loaders of those who made them. No
code of a checkpoint is ever run. Not a downloader of its own: a hub id goes through transformers' cache.
Invariant: what a user can mend (missing or broken files, an unknown model) is a ConfigError that says how.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase
from transformers.utils import logging

from webfarer.core.errors import ConfigError, boundary
from webfarer.engine.assembly import decoder_of
from webfarer.engine.decoder import Decoder
from webfarer.engine.families import family_of
from webfarer.engine.spec import Spec

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A checkpoint, ready to run.

    Attributes:
        decoder: its body.
        tokenizer: with its chat template, if it has one.
        spec: the decoder's shape.
        config: as transformers read it.
        ends: tokens that end a text, by the checkpoint's own account.
    """

    decoder: Decoder
    tokenizer: PreTrainedTokenizerBase
    spec: Spec
    config: PreTrainedConfig
    ends: tuple[int, ...]


def load(
    source: str | Path,
    dtype: torch.dtype | str | None = None,
    device: torch.device | str | None = None,
    *,
    context: int | None = None,
) -> Loaded:
    """Load a model from a folder or, by its id, from the Hugging Face hub.

    Args:
        source: a folder as save_pretrained writes it, or a hub id.
        dtype: float32 on a CPU and the checkpoint's own elsewhere by default.
        device: where to run; CUDA where there is one, by default.
        context: the most positions it will be asked for; the model's own limit by default. It decides between the short
            and the long factors of models with longrope.

    Raises:
        ConfigError: the checkpoint cannot be used; the message says what to do.
    """
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    if place.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {str(place)!r} was asked for, but PyTorch sees no GPU here; use device 'cpu'")
    folder = Path(source) if Path(source).exists() else None
    if folder is not None:
        _check_files(folder)
    local = folder is not None
    with boundary(ConfigError, f"reading the configuration of {source}; is it a model folder or a hub id?"):
        config = AutoConfig.from_pretrained(source, trust_remote_code=False, local_files_only=local)
    family_of(config)
    tokenizer = _tokenizer(source, local=local)
    with _quiet():
        model = _model(source, _dtype(dtype, place), place, local=local)
    ends = _ends(model, tokenizer)
    decoder = decoder_of(model, name=str(source), context=context, release=True)
    return Loaded(decoder, tokenizer, decoder.spec, config, ends)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' progress bars off the terminal, which belongs to whoever called."""
    bars: Any = logging
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def _dtype(dtype: torch.dtype | str | None, device: torch.device) -> torch.dtype | str:
    if dtype is None:
        return torch.float32 if device.type == "cpu" else "auto"
    known = dtype if isinstance(dtype, torch.dtype) else DTYPES.get(dtype)
    if known is None or known not in DTYPES.values():
        raise ConfigError(f"dtype {dtype!r} is not supported; supported: {', '.join(DTYPES)}")
    return known


def _check_files(folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f"{folder} is a file; give the folder that holds config.json and the *.safetensors files")
    path = folder / "config.json"
    if not path.is_file():
        hint = "; it holds an adapter: load its base model and name it as an adapter"
        adapter = (folder / "adapter_config.json").is_file()
        raise ConfigError(f"no config.json in {folder}{hint if adapter else ', so it is not a model folder'}")
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON ({error}); download or save the model again") from error
    if any(folder.glob("*.safetensors")):
        return
    if any(file for pattern in _PICKLES for file in folder.glob(pattern)):
        raise ConfigError(
            f"{folder} holds its weights as pickles only, which can run code when they are read; convert them: "
            "load the model with transformers where you trust it, and save_pretrained(safe_serialization=True)"
        )
    raise ConfigError(f"no *.safetensors in {folder}; download the weights of the model, not only its configuration")


def _tokenizer(source: str | Path, *, local: bool) -> PreTrainedTokenizerBase:
    if local and not any(
        (Path(source) / name).is_file() for name in ("tokenizer.json", "tokenizer.model", "vocab.json")
    ):
        raise ConfigError(f"no tokenizer in {source}; copy tokenizer.json and tokenizer_config.json from the model")
    with boundary(ConfigError, f"reading the tokenizer of {source}; copy its tokenizer files again"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            source, trust_remote_code=False, local_files_only=local
        )
    return tokenizer


def _model(source: str | Path, dtype: torch.dtype | str, device: torch.device, *, local: bool) -> Any:
    with boundary(ConfigError, f"reading the weights of {source}; download or save them again"):
        pair: Any = AutoModelForCausalLM.from_pretrained(
            source,
            dtype=dtype,
            device_map=None if device.type == "cpu" else {"": device},
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=local,
            output_loading_info=True,
        )
    model, report = pair
    for problem in ("missing_keys", "mismatched_keys", "error_msgs"):
        if found := sorted(str(item) for item in report.get(problem) or ()):
            raise ConfigError(
                f"the weights of {source} are not those of its config.json ({problem.replace('_', ' ')}: "
                f"{', '.join(found[:3])}{', ...' if len(found) > 3 else ''}); download or save them again"
            )
    return model.eval()


def _ends(model: Any, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """Collect the end tokens a checkpoint names: generation settings, configuration and tokenizer may each add some."""
    found: list[int] = []
    for end in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        found.extend(end if isinstance(end, list) else [] if end is None else [end])
    return tuple(sorted(set(found)))
