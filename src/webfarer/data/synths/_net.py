"""A ground's statements as a net: names and values are knots, a statement ties two; and how far apart knots are.

Built once for a ground and kept while it is worked on. Not a store, and nothing here is random. Invariant: distances
ignore relations and directions, so they are what a reader needs at least, whatever way is taken.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from webfarer.data.formula import Graph
from webfarer.data.ground import Ground, Statement

_KEPT = 40  # a ground, and what is left of it without one page or another
_recent: deque["Net"] = deque(maxlen=_KEPT)


class Net(Graph):
    """A graph whose statements are found by either end as well."""

    @cached_property
    def subjects(self) -> Mapping[str, None]:
        """Names of what is spoken of, in document order; a value that is none of them is a mere value."""
        return dict.fromkeys(each.subject for each in self.statements)

    @cached_property
    def plain(self) -> Sequence[Statement]:
        """Statements that alone say what their relation says of their subject."""
        return [each for each in self.statements if len(self.of(each.relation, each.subject)) == 1]

    @cached_property
    def _ties(self) -> Mapping[str, Sequence[Statement]]:
        ties: dict[str, list[Statement]] = {}
        for each in self.statements:
            for knot in dict.fromkeys((each.subject, each.value)):
                ties.setdefault(knot, []).append(each)
        return ties

    def ties(self, knot: str) -> Sequence[Statement]:
        """Return the statements about `knot` and those that name it."""
        return self._ties.get(knot, ())

    def distances(self, origin: Collection[str], most: int) -> dict[str, int]:
        """Return how many statements lie between `origin` and every knot at most `most` away."""
        found = dict.fromkeys(sorted(origin), 0)
        edge = list(found)
        for distance in range(1, most + 1):
            near = (end for knot in edge for tie in self.ties(knot) for end in (tie.subject, tie.value))
            edge = [knot for knot in dict.fromkeys(near) if knot not in found]
            found.update(dict.fromkeys(edge, distance))
        return found


def net_of(ground: Ground) -> Net:
    """Return the ground's net; the last few are kept, as a ground is asked again for every question of it."""
    net = next((each for each in _recent if each.statements is ground.statements), None)
    if net is None:
        net = Net(ground.statements)
    else:
        _recent.remove(net)
    _recent.append(net)
    return net
