"""Projections of a decoder layer: one or several linears that read the same input, run as one.

A plain linear becomes a matrix, packed where that is faster; a quantised one stays the module its own library made.
Not a loader and not LoRA: :mod:`webfarer.engine.adapters` adds to what a projection gives.
Invariant: columns of the result are those of the linears, in order, whatever they are made of.
Source: products measured on a CPU with one and two threads, matrices of models from 4 M parameters on, 1 to 2,048
tokens (docs/log.md, "The engine").
"""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

_PLAIN = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


class Projection(Protocol):
    """What a layer calls."""

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""


class Dense:
    """A matrix of plain floats [out, in], as the linear had it, and the library's own product."""

    __slots__ = ("bias", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""
        return functional.linear(x, self.weight, self.bias)

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""
        if self.bias is not None:
            base += self.bias
        base.addmm_(x, self.weight.t())


class Packed:
    """A float32 matrix on a CPU, laid out in blocks once by oneDNN and not in every product.

    From one token to thousands that is 1.2 to 3.5 times faster than the linear's own order, but for two tokens; it is
    what torch.compile's C++ code does with frozen weights, by the same two operators.
    """

    __slots__ = ("bias", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = torch.ops.mkldnn._reorder_linear_weight(weight)
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""
        y: Tensor = torch.ops.mkldnn._linear_pointwise.default(x, self.weight, self.bias, "none", [], "")
        return y

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""
        base += self(x)


@cache
def packs() -> bool:
    """Tell whether this torch has oneDNN and both operators: they are not part of its public interface."""
    try:
        eye = torch.eye(16)
        return torch.equal(Packed(eye)(eye), eye)
    except (AttributeError, RuntimeError):
        return False


def _matrix(weight: Tensor, bias: Tensor | None) -> Projection:
    fits = weight.device.type == "cpu" and weight.dtype == torch.float32
    return Packed(weight, bias) if fits and packs() else Dense(weight, bias)


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


def project(modules: Sequence[nn.Module], *, release: bool = False) -> Projection:
    """Make one projection of linears that read the same input.

    Args:
        modules: in the order of their columns in the result.
        release: take the weights out of the modules, so that one layer at a time exists twice.
    """
    if not all(is_plain(module) for module in modules):
        return Kept(modules)
    weights = [parameter(module, "weight") for module in modules]
    given = [module.bias for module in modules]
    biases = [
        torch.zeros_like(weight[:, 0]) if bias is None else bias.detach()  # type: ignore[operator]  # Module | Tensor
        for weight, bias in zip(weights, given, strict=True)
    ]
    matrix = _matrix(
        weights[0] if len(weights) == 1 else torch.cat(weights),
        None if all(bias is None for bias in given) else torch.cat(biases),
    )
    if release:
        for module in modules:
            module.weight = None  # type: ignore[assignment]  # what a module without weights looks like
    return matrix


def is_plain(module: nn.Module) -> bool:
    """Tell whether the module is a linear with an ordinary float matrix, not a quantised or wrapped one."""
    if type(module) is not nn.Linear:
        return False
    weight = module.weight.data
    return type(weight) is Tensor and weight.dtype in _PLAIN


def parameter(module: nn.Module, name: str) -> Tensor:
    """Return a module's parameter as a tensor that needs no gradient."""
    return getattr(module, name).detach()  # type: ignore[no-any-return]  # getattr
