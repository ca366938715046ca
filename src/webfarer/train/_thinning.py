"""Adapters of a model that is asked: passed over, or thinned by dropout on the input of A, in several passes at once.

Pass k is one thinned network for all rows, tokens and batches, drawn from a seed and k, so its linears are plain
matrices: W + s B (A ∘ mask). Not training's dropout, which draws anew for every token. Invariant: the model's weights
are never written. Source: Gal and Ghahramani, arXiv 1506.02142.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn

from webfarer.core.errors import ConfigError


@contextmanager
def without_adapters(model: nn.Module) -> Iterator[None]:
    """Pass the adapters over."""
    layers = [m for m in model.modules() if isinstance(m, BaseTunerLayer) and not m.disable_adapters]
    learning = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
        for parameter, was in learning:  # PEFT changes it in passing
            parameter.requires_grad_(was)


@contextmanager
def thinned(model: nn.Module, passes: int, seed: int) -> Iterator[None]:
    """Drop inputs of LoRA's A. Rows must come pass by pass; the rest of the model keeps still."""
    generators = [torch.Generator().manual_seed((seed << 16) + number) for number in range(passes)]
    with ExitStack() as stack:
        for layer, name, dropout in dropped(model):
            keep = 1 - dropout.p
            chances = torch.full((layer.lora_A[name].weight.shape[1],), keep)
            masks = torch.stack([torch.bernoulli(chances, generator=each) for each in generators]) / keep
            if _plain(layer, name):
                layer.__dict__["forward"] = _Merged(layer, name, masks)
                stack.callback(layer.__dict__.pop, "forward")
            else:
                stack.enter_context(dropout.register_forward_hook(_Mask(masks)))
                layer.training = True  # DoRA asks its layer whether to drop
        yield


def dropped(model: nn.Module) -> list[tuple[Any, str, nn.Dropout]]:
    """Return the layers with dropout before LoRA's A, each with its adapter's name and the dropout."""
    return [
        (layer, name, module)
        for layer in model.modules()
        if isinstance(layer, LoraLayer)
        for name, module in layer.lora_dropout.items()
        if isinstance(module, nn.Dropout) and module.p and name in layer.lora_A
    ]


def _plain(layer: Any, name: str) -> bool:
    """Say whether a layer is W + s B A and no more, in numbers fine enough to hold the sum: bfloat16 would round it."""
    base = layer.get_base_layer()
    return bool(
        type(base) is nn.Linear
        and base.weight.dtype in (torch.float32, torch.float64)
        and layer.lora_B[name].weight.dtype == base.weight.dtype
        and layer.lora_B[name].bias is None
        and layer.active_adapters == [name]
        and not (layer.lora_variant or layer.merged or layer.disable_adapters)
    )


class _Merged:
    """A linear with LoRA as one matrix for each pass, which costs no more than the linear alone.

    The matrices are made at every call: that is little work beside many tokens, and they need not all be in memory.
    """

    def __init__(self, layer: Any, name: str, masks: Tensor) -> None:
        self._base: nn.Linear = layer.get_base_layer()
        down = layer.lora_A[name].weight
        self._down = down * masks.to(down)[:, None]
        self._up = layer.lora_B[name].weight * layer.scaling[name]

    def __call__(self, x: Tensor) -> Tensor:
        _check(x)
        passes = len(self._down)
        weight = torch.baddbmm(self._base.weight.expand(passes, -1, -1), self._up.expand(passes, -1, -1), self._down)
        out = torch.bmm(x.reshape(passes, -1, x.shape[-1]), weight.mT).view(*x.shape[:-1], -1)
        return out if self._base.bias is None else out + self._base.bias


class _Mask:
    """A hook that multiplies a dropout's output, which is its input in a model that does not train."""

    def __init__(self, masks: Tensor) -> None:
        self._masks = masks

    def __call__(self, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        _check(output)
        return output * self._masks.to(output).repeat_interleave(len(output) // len(self._masks), 0)[:, None]


def _check(x: Tensor) -> None:
    if x.dim() != 3:
        raise ConfigError("dropout passes need adapters on linears that see rows of tokens, not on routed experts")
