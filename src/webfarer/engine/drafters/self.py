"""The model drafts for itself with a smaller cache: "self:CACHE", any cache policy; "self" keeps sinks and a window.

The full cache checks, so nothing is lost whatever the draft's cache dropped. Pays where reading the cache is what a
step costs: long texts, many rows. Source: MagicDec (arXiv 2408.11049), TriForce (arXiv 2404.11912).
"""

from webfarer.engine.drafters._running import RunningDrafter
from webfarer.engine.loading import Loaded
from webfarer.engine.policy import parse

DEFAULT = "streaming:budget=256,sinks=4"


class Drafter(RunningDrafter):
    """Drafts with the target's own weights under another cache policy."""

    @classmethod
    def make(cls, argument: str, target: Loaded, rows: int) -> "Drafter":
        """Draft under the cache policy `argument`."""
        return cls(target, parse(argument or DEFAULT), rows)
