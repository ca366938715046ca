"""Prompt lookup as transformers has it: copies what followed the first place where the last tokens stood before.

Not the better way, which is `ngram`: this one is here to compare with. It reads the row's own text again each round.
Invariant: of the longest n-grams that match, the leftmost match is taken, and copied up to the end of the text.
Source: prompt lookup decoding; `prompt_lookup_num_tokens` of transformers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from webfarer.core.errors import ConfigError
from webfarer.engine import drafting
from webfarer.engine.drafters._options import read
from webfarer.engine.drafting import Ask, Draft
from webfarer.engine.loading import Loaded


@dataclass(frozen=True)
class Options:
    """Settings of the drafter; `longest` is how many tokens must match at most."""

    longest: int = 2

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.longest < 1:
            raise ConfigError("drafter lookup: longest must be at least 1")


def following(text: list[int], longest: int, count: int) -> list[int]:
    """Return up to `count` tokens that followed the first earlier occurrence of the last 1 to `longest` tokens."""
    for order in range(min(longest, len(text) - 1), 0, -1):
        last = text[-order:]
        at = -1
        while (at := _index(text, last[0], at + 1, len(text) - order)) >= 0:
            if text[at : at + order] == last:
                return text[at + order : at + order + count]
    return []


class Drafter(drafting.Drafter):
    """Prompt lookup; a chain, however wide a tree was asked for."""

    def __init__(self, options: Options) -> None:
        self._options = options

    @classmethod
    def make(cls, argument: str, target: Loaded, rows: int) -> "Drafter":
        """Make one: "longest=2"."""
        return cls(read(Options, argument, "lookup"))

    def open(self, prompts: Sequence[tuple[int, ...]], limits: Sequence[int]) -> None:
        """Take further rows; nothing is kept of any."""

    def propose(self, asks: Sequence[Ask]) -> list[Draft]:
        """Copy what followed."""
        return [
            Draft.chain(following(ask.text, self._options.longest, len(ask.widths)) if ask.widths else ())
            for ask in asks
        ]

    def close(self, row: int) -> None:
        """Give a row up; nothing was kept of it."""


def _index(text: list[int], token: int, start: int, end: int) -> int:
    """Return where `token` first stands in `text[start:end]`, or -1."""
    try:
        return text.index(token, start, end)
    except ValueError:
        return -1
