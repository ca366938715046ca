"""The size of a model, from its config.json or from the command line; what planning needs to know of it.

Reads JSON and file sizes, no weights, and loads neither torch nor transformers. Not `Spec`, which describes a loaded
decoder. Models whose weights are not all read at every step, or whose cache is not keys and values, are refused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfarer.core.errors import ConfigError

_SIZES = ("layers", "heads", "kv", "dim", "params")
_BYTES = {"float64": 8, "float32": 4, "bfloat16": 2, "float16": 2}
_OTHER_KINDS = ("num_experts", "num_local_experts", "n_routed_experts", "kv_lora_rank", "ssm_state_size", "state_size")
_EVERY = {"gemma2": 2, "gemma3_text": 6}
"""Of so many layers the last one sees everything, in configs that do not list their layers."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a model.

    Attributes:
        layers, heads, kv_heads, head_dim: sizes.
        parameters: how many there are.
        weight_bytes: of all weights as they are stored.
        value_bytes: of one number in the cache.
        windows: per layer, how many latest positions a query sees; None for all; empty when all layers see all.
        context: the most positions the model is made for, if that is known.
        lookup: parameters of an input table of its own, of which a step reads single rows.
    """

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    parameters: float
    weight_bytes: float
    value_bytes: int = 2
    windows: tuple[int | None, ...] = ()
    context: int | None = None
    lookup: float = 0.0

    def __post_init__(self) -> None:
        """Refuse sizes that cannot be."""
        sizes = (self.layers, self.heads, self.kv_heads, self.head_dim, self.parameters, self.weight_bytes)
        if min(sizes) <= 0 or self.heads % self.kv_heads:
            raise ConfigError("a model's sizes are above 0, and its heads a multiple of its KV heads")

    @property
    def slot_bytes(self) -> int:
        """Bytes of one key and one value of one KV head in one layer."""
        return 2 * self.head_dim * self.value_bytes

    @property
    def token_bytes(self) -> int:
        """Bytes of one token in the cache, over all layers."""
        return self.layers * self.kv_heads * self.slot_bytes

    @property
    def step_bytes(self) -> float:
        """Bytes of the weights that every step reads."""
        return self.weight_bytes * (1 - self.lookup / self.parameters)

    @property
    def growing_bytes(self) -> int:
        """Bytes of one further token in the cache of a long sequence: only layers without a window keep it."""
        growing = self.windows.count(None) if self.windows else self.layers
        return growing * self.kv_heads * self.slot_bytes

    def window(self, layer: int) -> int | None:
        """Return how many positions a query of `layer` sees, or None for all."""
        return self.windows[layer] if self.windows else None


def shape_of_text(text: str) -> Shape:
    """Read a shape as "layers=32,heads=32,kv=8,dim=128,params=8e9"; weights and cache take two bytes a number."""
    given: dict[str, float] = {}
    for pair in text.split(","):
        name, _, value = (part.strip() for part in pair.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = 0.0
        if name not in _SIZES or not 0 < number < float("inf"):
            raise ConfigError(f"--shape: {pair!r} is none of {', '.join(f'{size}=NUMBER' for size in _SIZES)}")
        given[name] = number
    if missing := [size for size in _SIZES if size not in given]:
        raise ConfigError(f"--shape lacks {', '.join(missing)}, as in layers=32,heads=32,kv=8,dim=128,params=8e9")
    layers, heads, kv_heads, head_dim = (int(given[size]) for size in _SIZES[:-1])
    return Shape(layers, heads, kv_heads, head_dim, given["params"], 2 * given["params"])


def shape_of_model(model: str) -> Shape:
    """Read the shape of a model that is on this machine.

    Args:
        model: a folder with a config.json, or the hub id of a model that was downloaded before.

    Raises:
        ConfigError: there is none, or it is of a kind whose memory this cannot foretell.
    """
    file = _config_file(model)
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error
    files = list(file.parent.glob("*.safetensors"))
    # Mistral's folders hold the weights a second time, in one file
    files = [path for path in files if not path.name.startswith("consolidated")] or files
    stored = sum(path.stat().st_size for path in files)
    return shape_of_config(config, stored)


def _config_file(model: str) -> Path:
    file = Path(model) / "config.json"
    if file.is_file():
        return file
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        raise ConfigError(f"{file} is missing; hub ids need the engine extra: pip install 'webfarer[engine]'") from None
    try:
        found = try_to_load_from_cache(model, "config.json")
    except HFValidationError:
        found = None
    if not isinstance(found, str):
        raise ConfigError(f"{model!r} is no folder with a config.json and no model downloaded before; or give --shape")
    return Path(found)


def shape_of_config(config: Mapping[str, Any], weight_bytes: float = 0) -> Shape:
    """Read the shape from what a config.json holds.

    Args:
        config: its content; of a model that also takes images, the part about text is used.
        weight_bytes: of the weights' files; 0 to reckon them from the sizes.

    Raises:
        ConfigError: a size is missing, or the model is of another kind.
    """
    config = config.get("text_config") or config
    if other := next((name for name in _OTHER_KINDS if config.get(name)), None):
        raise ConfigError(f"a model with {other} is no plain decoder, so this cannot plan it; describe it with --shape")
    try:
        layers, heads, hidden = (
            int(config[name]) for name in ("num_hidden_layers", "num_attention_heads", "hidden_size")
        )
        inner, vocab = int(config["intermediate_size"]), int(config["vocab_size"])
    except KeyError as error:
        raise ConfigError(f"config.json does not say {error}; describe the model with --shape") from error
    kv_heads = int(config.get("num_key_value_heads") or heads)
    head_dim = int(config.get("head_dim") or hidden // heads)
    # q and out, k and v, the three matrices of the feed-forward part, two norms
    each = hidden * head_dim * 2 * (heads + kv_heads) + 3 * hidden * inner + 2 * hidden
    tables = 1 if config.get("tie_word_embeddings", True) else 2
    parameters = layers * each + tables * vocab * hidden + hidden
    value = _BYTES.get(str(config.get("dtype") or config.get("torch_dtype") or "bfloat16"), 2)
    context = config.get("max_position_embeddings")
    return Shape(
        layers,
        heads,
        kv_heads,
        head_dim,
        parameters=parameters,
        weight_bytes=weight_bytes or parameters * value,
        value_bytes=value,
        windows=_windows(config, layers),
        context=int(context) if context else None,
        lookup=(tables - 1) * vocab * hidden,
    )


def _windows(config: Mapping[str, Any], layers: int) -> tuple[int | None, ...]:
    window = config.get("sliding_window")
    if not window or config.get("use_sliding_window") is False:
        return ()
    kinds = config.get("layer_types")
    if kinds:
        return tuple(window if kind == "sliding_attention" else None for kind in kinds)
    if first := config.get("max_window_layers"):
        return tuple(window if layer >= first else None for layer in range(layers))
    every = config.get("sliding_window_pattern") or _EVERY.get(str(config.get("model_type")), 0)
    return tuple(None if every and (layer + 1) % every == 0 else window for layer in range(layers))
