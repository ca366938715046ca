"""Sets: what a site says the same thing of, such as the instruments of one observatory.

Only those with a name in the plural, so that a question can ask for all of them. Invariant: a set is complete; whatever
the ground states of it is in it.
"""

from dataclasses import dataclass
from random import Random

from webfarer.data.formula import Whose
from webfarer.data.ground import Ground
from webfarer.data.synths._describing import Describer
from webfarer.data.synths._net import net_of


@dataclass(frozen=True, slots=True)
class Members:
    """All of which `relation` says `anchor`: their names, in document order."""

    relation: str
    anchor: str
    names: tuple[str, ...]

    def term(self, ground: Ground, rewrites: int, random: Random) -> Whose | None:
        """Return the term that denotes the set, its anchor rewritten so many times; None where it cannot be."""
        describer = Describer(net_of(ground), ground.relations, self.names, rewrites + 1)
        anchor = describer.describe(self.anchor, rewrites, random)
        return None if anchor is None else Whose(self.relation, anchor)


def sets(ground: Ground, least: int, most: int) -> list[Members]:
    """Return the sets of a ground that have from `least` to `most` members."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for each in ground.statements:
        if ground.relations[each.relation].those:
            found.setdefault((each.relation, each.value), {})[each.subject] = None
    return [Members(*key, tuple(names)) for key, names in found.items() if least <= len(names) <= most]
