"""Prompts that were read before, so that what begins like one of them need not be read again.

Holds whole prefixes (:class:`webfarer.engine.prefixes.Prefix`), the least recently used of which go when their bytes
pass a limit. Not the memory of rows: a row keeps the prefix it uses alive by itself. Invariant: what is found is a
true prefix of the tokens asked about, read with the same adapter, and leaves at least one token to be read.
"""

from dataclasses import dataclass, field

from webfarer.engine.prefixes import Prefix

GRAIN = 16
"""Prefixes are used in multiples of so many tokens, so that prompts with a common beginning share one."""


@dataclass(eq=False)
class _Entry:
    prefix: Prefix
    adapter: str | None
    heads: dict[int, Prefix] = field(default_factory=dict)


class Known:
    """Prefixes by use, at most `limit` bytes of them."""

    def __init__(self, limit: int) -> None:
        """Hold nothing yet; a limit of 0 never holds anything."""
        self.limit = limit
        self._entries: list[_Entry] = []

    @property
    def bytes(self) -> int:
        """Bytes of all prefixes."""
        return sum(entry.prefix.bytes for entry in self._entries)

    def find(self, tokens: tuple[int, ...], adapter: str | None) -> Prefix | None:
        """Return the longest known prefix of `tokens`, or None when it is shorter than a grain."""
        usable = [
            (common(entry.prefix.tokens, tokens[:-1]) // GRAIN * GRAIN, entry)
            for entry in self._entries
            if entry.adapter == adapter
        ]
        # of equals the one that is in use already, so that more rows share it
        length, best = max(usable, key=lambda pair: (pair[0], pair[0] in pair[1].heads), default=(0, None))
        if best is None or length == 0:
            return None
        self._entries.remove(best)
        self._entries.append(best)
        if length not in best.heads:
            best.heads[length] = best.prefix.head(length)
        return best.heads[length]

    def covers(self, tokens: tuple[int, ...], adapter: str | None) -> bool:
        """Say whether all of `tokens` are known."""
        return any(e.adapter == adapter and common(e.prefix.tokens, tokens) == len(tokens) for e in self._entries)

    def add(self, prefix: Prefix, adapter: str | None) -> None:
        """Remember a whole prefix, in the place of those it begins with."""
        size = len(prefix.tokens)
        if prefix.bytes > self.limit:
            return
        for entry in list(self._entries):
            if entry.adapter == adapter:
                shared = common(entry.prefix.tokens, prefix.tokens)
                if shared == size:
                    return
                if shared == len(entry.prefix.tokens):
                    self._entries.remove(entry)
        self._entries.append(_Entry(prefix, adapter))
        while self._entries and self.bytes > self.limit:
            self._entries.pop(0)


def common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return how many leading tokens are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
