"""What the engine has to know of a model: shapes, rotary tables, windows. Made by loading, read by everything else."""

from dataclasses import dataclass
from functools import cached_property

import torch


@dataclass(frozen=True, eq=False)
class Rotary:
    """Rotary position embedding of one layer (RoPE, halves layout as transformers has it).

    Attributes:
        inv_freq: angle per position, [dims / 2], float32 or wider.
        dims: how many leading dimensions of a head are rotated.
        scaling: factor on cosine and sine (YaRN's attention factor).
        dynamic: the frequencies change with the length, so rotations do not compose.
    """

    inv_freq: torch.Tensor
    dims: int
    scaling: float = 1.0
    dynamic: bool = False

    @cached_property
    def signed(self) -> torch.Tensor:
        """Angle per position of both halves, [dims], the first half's negative: what halves that change places need."""
        return torch.cat((-self.inv_freq, self.inv_freq))


@dataclass(frozen=True, eq=False)
class Spec:
    """The shape of a decoder.

    Attributes:
        name: what the model is called to its users.
        layers, heads, kv_heads, head_dim, hidden, vocab: sizes.
        context: the largest trained number of positions.
        scale: factor on q·k.
        softcap: attention logits become softcap * tanh(logits / softcap), or None.
        windows: per layer, how many latest positions a query sees (itself included); None for all.
        rotary: per layer.
        dtype, device: of keys and values.
    """

    name: str
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    vocab: int
    context: int
    scale: float
    softcap: float | None
    windows: tuple[int | None, ...]
    rotary: tuple[Rotary, ...]
    dtype: torch.dtype
    device: torch.device

    @property
    def groups(self) -> int:
        """Query heads that share one KV head."""
        return self.heads // self.kv_heads

    @property
    def slot_bytes(self) -> int:
        """Bytes of one key and one value of one KV head in one layer."""
        return 2 * self.head_dim * self.dtype.itemsize
