"""SnapKV (arXiv 2404.14469): the prompt's end shows which of its tokens will be needed.

s_j = pool(sum of A_ij over the last w queries i) for j < P - w; the (budget - w) highest stay, and the window. What is
generated is kept in full; combine with `scope` to bound that too. The question has to stand at the prompt's end.
"""

from dataclasses import dataclass

from webfarer.engine.caches._observed import Observed


@dataclass(frozen=True)
class Policy(Observed):
    """The same budget for every layer and head."""
