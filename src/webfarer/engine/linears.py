"""Projections of a decoder layer: one or several linears that read the same input, run as one.

A plain linear becomes a matrix we lay out ourselves; a quantised one stays the module its own library made.
Not a loader and not LoRA: :mod:`webfarer.engine.adapters` adds to what a projection gives.
Invariant: columns of the result are those of the linears, in order, whatever they are made of.
Source: layouts measured in float32 on CPU, matrices of 128..1376 columns and 1..512 tokens, one and two threads.
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

_PLAIN = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


class Projection(Protocol):
    """What a layer calls."""

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""


class Dense:
    """A matrix of plain floats, kept as [in, out]."""

    __slots__ = ("bias", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = arrange(weight)
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""
        return torch.mm(x, self.weight) if self.bias is None else torch.addmm(self.bias, x, self.weight)

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""
        if self.bias is not None:
            base += self.bias
        base.addmm_(x, self.weight)


class Kept:
    """Linears whose weights only their own module understands."""

    __slots__ = ("modules",)

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.modules = tuple(modules)

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""
        if len(self.modules) == 1:
            return self.modules[0](x)  # type: ignore[no-any-return]  # a module's result has no type
        return torch.cat([module(x) for module in self.modules], dim=-1)

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""
        base += self(x)


def arrange(weight: Tensor) -> Tensor:
    """Lay a weight [out, in] out as [in, out], for `x @ weight`.

    On a CPU one token is a matrix-vector product, bound by memory: rows that are added up stream up to 2.5 times faster
    than dot products over short rows, and are never slower from two tokens on. A matrix with fewer outputs than inputs
    has long dot products, which are faster by a fifth; it stays, as does everything on a GPU.
    """
    out, inputs = weight.shape
    if weight.device.type == "cpu" and out >= inputs:
        return weight.t().contiguous()
    return weight.t()


def project(modules: Sequence[nn.Module], *, release: bool = False) -> Projection:
    """Make one projection of linears that read the same input.

    Args:
        modules: in the order of their columns in the result.
        release: take the weights out of the modules, so that a layer's two copies are all that ever exists twice.
    """
    if not all(is_plain(module) for module in modules):
        return Kept(modules)
    weights = [parameter(module, "weight") for module in modules]
    given = [module.bias for module in modules]
    biases = [
        torch.zeros_like(weight[:, 0]) if bias is None else bias.detach()  # type: ignore[operator]  # Module | Tensor
        for weight, bias in zip(weights, given, strict=True)
    ]
    dense = Dense(
        weights[0] if len(weights) == 1 else torch.cat(weights),
        None if all(bias is None for bias in given) else torch.cat(biases),
    )
    if release:
        for module in modules:
            module.weight = None  # type: ignore[assignment]  # what a module without weights looks like
    return dense


def is_plain(module: nn.Module) -> bool:
    """Tell whether the module is a linear with an ordinary float matrix, not a quantised or wrapped one."""
    if type(module) is not nn.Linear:
        return False
    weight = module.weight.data
    return type(weight) is Tensor and weight.dtype in _PLAIN


def parameter(module: nn.Module, name: str) -> Tensor:
    """Return a module's parameter as a tensor that needs no gradient."""
    return getattr(module, name).detach()  # type: ignore[no-any-return]  # getattr
