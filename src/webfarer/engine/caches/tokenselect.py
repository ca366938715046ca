"""TokenSelect (arXiv 2411.02886): everything is stored, a step reads the slots its query heads vote for.

v_j = sum over query heads of softmax(q·k_j) over the slots between the first and the recent ones: one vote a head, so a
head with large logits cannot outvote the others. A step attends to the first, the recent and the `top` most voted for.
It saves attention, not memory; keys keep their positions here, and the prompt is read in full.
"""

from dataclasses import dataclass

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.attention import capped
from webfarer.engine.policy import CachePolicy
from webfarer.engine.view import View


@dataclass(frozen=True)
class Policy(CachePolicy):
    """Soft votes of all heads of a layer.

    Attributes:
        top: slots read beside the pins.
        sinks, recent: first and newest positions, always read.
    """

    top: int = 2048
    sinks: int = 128
    recent: int = 512

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.top < 1 or self.sinks < 0 or self.recent < 1:
            raise ConfigError(
                f"top={self.top}, sinks={self.sinks}, recent={self.recent}: a step reads at least one voted slot and "
                "its own token; take top and recent of at least 1, sinks of at least 0"
            )

    @property
    def frozen(self) -> bool:
        """Nothing is ever dropped."""
        return True

    @property
    def read(self) -> int:
        """The pins and the most voted for."""
        return self.sinks + self.recent + self.top

    def score(self, view: View) -> torch.Tensor:
        """Sum the heads' votes; what is pinned or empty takes part in none."""
        wide = torch.promote_types(view.keys.dtype, torch.float32)
        logits = capped((view.query @ view.keys.transpose(2, 3)).to(wide) * view.heads.scale, view.heads.softcap)
        middle = (view.positions >= self.sinks) & (view.positions < view.now - self.recent)
        votes = logits.masked_fill(~middle[:, :, None], torch.finfo(wide).min).softmax(-1)
        return votes.sum((1, 2))[:, None].expand_as(view.positions)
