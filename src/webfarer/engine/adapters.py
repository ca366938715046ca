"""LoRA adapters as PEFT saves them, each applied to the token rows of the requests that ask for it.

Not merged into weights: many adapters serve one batch. An adapter of another kind is refused by name.
Invariant: rows without an adapter are bit for bit what they are in a batch without adapters.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from webfarer.core.errors import ConfigError

_KEY = re.compile(r"layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_([AB])\.weight$")

_REFUSED = {
    "use_dora": "DoRA",
    "use_qalora": "QALoRA",
    "use_bdlora": "BD-LoRA",
    "alora_invocation_tokens": "activated LoRA",
    "modules_to_save": "fully trained modules (modules_to_save)",
    "lora_bias": "LoRA with biases (lora_bias)",
    "layer_replication": "replicated layers",
    "trainable_token_indices": "trained token embeddings",
    "target_parameters": "LoRA on bare parameters (target_parameters)",
    "fan_in_fan_out": "transposed weights (fan_in_fan_out)",
    "arrow_config": "Arrow routing",
    "kasa_config": "KaSA",
    "monteclora_config": "MonteCLoRA",
}
# Other ways to begin (PiSSA, OLoRA, LoftQ, ...) change the base weights, which all requests share.
_BEGINNINGS = (True, False, "gaussian", "eva", "orthogonal")


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a linear of the model went: columns `start` to `start + width` of the projection `site`."""

    site: str
    start: int
    width: int


@dataclass(frozen=True)
class Layout:
    """What an adapter has to know of a decoder.

    Attributes:
        layers: number of layers.
        slots: of one layer, by the linear's name.
        sizes: (inputs, outputs) by site.
        dtype, device: of the weights.
    """

    layers: int
    slots: Mapping[str, Slot]
    sizes: Mapping[str, tuple[int, int]]
    dtype: torch.dtype
    device: torch.device


@dataclass(frozen=True, eq=False)
class Pair:
    """The two factors of one site's update: x @ down @ up, the scale included."""

    down: Tensor
    up: Tensor


@dataclass(frozen=True, eq=False)
class Adapter:
    """One loaded adapter: its pairs by layer and site."""

    name: str
    pairs: Mapping[tuple[int, str], Pair]

    @staticmethod
    def load(folder: Path, layout: Layout, name: str = "") -> "Adapter":
        """Read `adapter_config.json` and `adapter_model.safetensors`.

        Raises:
            ConfigError: files are missing or broken, it is not plain LoRA, or it was made for another model.
        """
        name = name or folder.name
        config = _config(folder, name)
        factors = _factors(folder, name, layout)
        by_site: dict[tuple[int, str], list[tuple[Slot, Tensor, Tensor]]] = {}
        for (layer, linear), (a, b) in sorted(factors.items()):
            slot = layout.slots[linear]
            if a.shape[1] != layout.sizes[slot.site][0] or b.shape != (slot.width, a.shape[0]):
                raise ConfigError(
                    f"adapter {name!r} was made for another model: layer {layer} {linear} has factors "
                    f"{tuple(a.shape)} and {tuple(b.shape)}"
                )
            b = b * _scale(config, f"layers.{layer}.{_PARENTS[slot.site]}.{linear}", a.shape[0])
            by_site.setdefault((layer, slot.site), []).append((slot, a, b))
        return Adapter(name, {key: _pair(parts, layout, key[1]) for key, parts in by_site.items()})


class Rows:
    """Which tokens of one forward use which adapter."""

    __slots__ = ("_groups",)

    def __init__(self, rows: Sequence[tuple[Adapter | None, int]], device: torch.device) -> None:
        """Take (adapter, number of tokens) of each sequence, in the order of the tokens."""
        spans: dict[int, list[tuple[int, int]]] = {}
        adapters: dict[int, Adapter] = {}
        start = 0
        for adapter, length in rows:
            if adapter is not None:
                adapters[id(adapter)] = adapter
                mine = spans.setdefault(id(adapter), [])
                if mine and mine[-1][1] == start:
                    mine[-1] = (mine[-1][0], start + length)
                else:
                    mine.append((start, start + length))
            start += length
        self._groups = [(adapters[key].pairs, _select(mine, device)) for key, mine in spans.items()]

    def __bool__(self) -> bool:
        """Tell whether any token uses an adapter."""
        return bool(self._groups)

    def add(self, layer: int, site: str, x: Tensor, y: Tensor) -> None:
        """Add the updates of a site, given its input `x` [N, in], to `y` [N, out]."""
        for pairs, rows in self._groups:
            pair = pairs.get((layer, site))
            if pair is None:
                continue
            if isinstance(rows, slice):
                y[rows].addmm_(x[rows] @ pair.down, pair.up)
            else:
                y.index_add_(0, rows, (x.index_select(0, rows) @ pair.down) @ pair.up)


_PARENTS = {"qkv": "self_attn", "out": "self_attn", "gate_up": "mlp", "down": "mlp"}


def _select(spans: list[tuple[int, int]], device: torch.device) -> slice | Tensor:
    if len(spans) == 1:
        return slice(*spans[0])
    return torch.cat([torch.arange(start, stop) for start, stop in spans]).to(device, non_blocking=True)


def _config(folder: Path, name: str) -> dict[str, Any]:
    path = folder / "adapter_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no adapter_config.json in {folder}; give the folder that PEFT's save_pretrained wrote"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    supported = "supported: LoRA and rsLoRA on linears of attention and MLP"
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        kind = config.get("peft_type") if isinstance(config, dict) else None
        raise ConfigError(f"adapter {name!r} is of PEFT type {kind!r}; {supported}")
    found = [label for field, label in _REFUSED.items() if config.get(field)]
    if config.get("bias", "none") != "none":
        found.append(f"trained biases (bias={config['bias']!r})")
    if config.get("init_lora_weights", True) not in _BEGINNINGS:
        found.append(f"init_lora_weights={config['init_lora_weights']!r}, which changes the base model's weights")
    if found:
        raise ConfigError(f"adapter {name!r} uses {', '.join(found)}; {supported}")
    return config


def _factors(folder: Path, name: str, layout: Layout) -> dict[tuple[int, str], tuple[Tensor, Tensor]]:
    path = folder / "adapter_model.safetensors"
    if not path.is_file():
        raise ConfigError(f"no adapter_model.safetensors in {folder}; save the adapter with safe_serialization=True")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise ConfigError(f"{path} cannot be read: {error}; download or save it again") from error
    halves: dict[tuple[int, str], dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        match = _KEY.search(key)
        if match is None or match[2] not in layout.slots or int(match[1]) >= layout.layers:
            raise ConfigError(
                f"adapter {name!r} changes {key!r}, which this model does not have or the engine does not adapt; "
                f"it adapts {', '.join(layout.slots)} of {layout.layers} layers"
            )
        moved = tensor.to(layout.device, layout.dtype)
        halves.setdefault((int(match[1]), match[2]), {})[match[3]] = moved
    for (layer, linear), pair in halves.items():
        if len(pair) < 2:
            raise ConfigError(f"adapter {name!r} has only one of the two factors of layer {layer} {linear}")
    return {key: (pair["A"], pair["B"]) for key, pair in halves.items()}


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    alpha = config.get("lora_alpha", 8)
    for pattern, value in (config.get("alpha_pattern") or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", f"model.{module}"):
            alpha = value
            break
    return float(alpha / rank**0.5 if config.get("use_rslora") else alpha / rank)


def _pair(parts: list[tuple[Slot, Tensor, Tensor]], layout: Layout, site: str) -> Pair:
    """Join the updates of a site's linears; each writes its own columns."""
    down = torch.cat([a for _, a, _ in parts]).t().contiguous()
    up = down.new_zeros(down.shape[1], layout.sizes[site][1])
    row = 0
    for slot, a, b in parts:
        up[row : row + len(a), slot.start : slot.start + slot.width] = b.t()
        row += len(a)
    return Pair(down, up)
