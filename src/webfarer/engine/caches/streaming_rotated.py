"""StreamingLLM as its paper has it: sinks and a window, read at contiguous positions (arXiv 2309.17453).

Keys are re-rotated to where they would stand if the kept tokens were all there is, so no distance passes the budget and
a sequence may outgrow the trained context. Impossible where rotary frequencies change with the length.
"""

from dataclasses import dataclass

from webfarer.engine.caches.streaming import Policy as Streaming


@dataclass(frozen=True)
class Policy(Streaming):
    """Sinks and window, re-rotated."""

    @property
    def rerotates(self) -> bool:
        """Positions are those inside the cache."""
        return True
