"""Contamination: whether an attempt met the data set itself, instead of the web that it asks about.

Not a block list: that is the setting `web.blocked`, which an evaluation fills from the task's card. Invariant: a flag
says what was met, never that an answer is wrong.
"""

from collections.abc import Iterable

from webfarer.evals.task import Card
from webfarer.web.scope import Blocklist


def flags(card: Card, addresses: Iterable[str], texts: Iterable[str], canary: str) -> tuple[str, ...]:
    """Return what of the set was met.

    Args:
        card: the set's.
        addresses: that were asked for; "blocked" when one of them holds the answers.
        texts: that came; "canary" when one of them holds that mark.
        canary: text that stands in every copy of the item, or "" (`item.data["canary"]`).
    """
    found = []
    if canary and any(canary in text for text in texts):
        found.append("canary")
    if card.blocked and any(map(Blocklist(card.blocked).holds, addresses)):
        found.append("blocked")
    return tuple(found)
