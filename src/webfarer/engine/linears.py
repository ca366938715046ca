"""Projections of a decoder layer: one or several linears that read the same input, run as one.

A plain linear becomes a matrix whose products we choose; a quantised one stays the module its own library made.
Not a loader and not LoRA: :mod:`webfarer.engine.adapters` adds to what a projection gives.
Invariant: columns of the result are those of the linears, in order, whatever they are made of.
Source: products measured on a CPU with one and two threads, models of 4 to 98 M parameters, 1 to 256 tokens
(docs/log.md, "The engine").
"""

from collections.abc import Sequence
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


_FEW, _FEW_ALONE = 64, 4
"""Up to so many tokens a float32 product on a CPU is taken the other way round, with threads and with one alone."""
_SMALL = 16 << 20
"""Bytes of a matrix of which a second copy is kept, turned, for products with one token."""


class Dense:
    """A matrix of plain floats [out, in], as the linear had it.

    In float32 on a CPU the library's product of `x` and the turned matrix is not the fastest there is. One token is a
    matrix-vector product, bound by memory: rows that are added up stream up to 1.5 times faster than dot products over
    short rows, so a small matrix has a turned copy for it. A few tokens are on the wrong side: with threads
    `weight @ x.T` is up to 2.6 times faster than `x @ weight.T`, at 12 tokens a tenth slower. In half precision only
    the library's own order is fast, by a factor of ten.
    """

    __slots__ = ("bias", "ours", "turned", "weight")

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.weight = weight
        self.bias = bias
        self.ours = weight.device.type == "cpu" and weight.dtype == torch.float32
        small = self.ours and weight.shape[0] >= weight.shape[1] and weight.nbytes <= _SMALL
        self.turned = weight.t().contiguous() if small else None

    def __call__(self, x: Tensor) -> Tensor:
        """Project [N, in] to [N, out]."""
        if len(x) == 1 and self.turned is not None:
            return torch.mm(x, self.turned) if self.bias is None else torch.addmm(self.bias, x, self.turned)
        if self._few(len(x)):
            y = torch.mm(self.weight, x.t()).t().contiguous()
            return y if self.bias is None else y.add_(self.bias)
        return functional.linear(x, self.weight, self.bias)

    def onto(self, x: Tensor, base: Tensor) -> None:
        """Add the projection of `x` to `base`, in place."""
        if self.bias is not None:
            base += self.bias
        if self._few(len(x)):
            base += torch.mm(self.weight, x.t()).t()
        else:
            base.addmm_(x, self.weight.t() if self.turned is None or len(x) > 1 else self.turned)

    def _few(self, tokens: int) -> bool:
        return self.ours and 1 < tokens <= (_FEW if torch.get_num_threads() > 1 else _FEW_ALONE)


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
        release: take the weights out of the modules, so that one layer at a time exists twice, but for turned copies.
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
