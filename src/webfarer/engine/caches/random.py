"""A control: tokens stay by chance, so a policy that does not beat this one has learned nothing.

The chance is a hash of seed, layer, head and position. There is no generator whose state could depend on the batch:
the same token of the same head gets the same draw whenever it is asked for.
"""

from dataclasses import dataclass

import torch

from webfarer.engine.caches._budgets import Budgeted
from webfarer.engine.view import View

_WORD = 0xFFFFFFFF
_MIX = 0x45D9F3B  # odd, 27 bits: its product with a word fits into a signed 64-bit number


def mixed(x: torch.Tensor) -> torch.Tensor:
    """Return 32-bit words scrambled so that every input bit reaches every output bit."""
    for _ in range(2):
        x = ((x ^ (x >> 16)) * _MIX) & _WORD
    return x ^ (x >> 16)


@dataclass(frozen=True)
class Policy(Budgeted):
    """Tokens drawn evenly from all that were seen.

    Attributes:
        budget: slots per KV head, or a share of the prompt.
        seed: another seed, other tokens.
    """

    seed: int = 0

    def score(self, view: View) -> torch.Tensor:
        """Return each slot's draw, between 0 and 1."""
        heads = torch.arange(view.positions.shape[1], device=view.positions.device)[:, None]
        place = mixed((heads + (view.layer << 12) + (self.seed << 20)) & _WORD)
        return mixed(mixed(view.positions.long() & _WORD) ^ place).to(torch.float32) / _WORD
