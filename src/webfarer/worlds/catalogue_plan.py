"""Decides what is true in a generated catalogue: which entities there are, what is said of each, and who names whom.

Not text and not addresses: :mod:`webfarer.worlds.catalogue_pages` writes the entities. What an entity shares, or which
one it names, is drawn with a lean to the first choices, so that some values are common and some are rare.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from webfarer.core.errors import ConfigError
from webfarer.worlds.catalogue_types import CatalogueSpec
from webfarer.worlds.catalogue_vocab import KINDS, Kind, Property
from webfarer.worlds.values import Draw, Pen, Values

_LEAST = 4  # entities of a kind: a table of fewer holds no set worth asking for
_YEAR = 2026  # of the pen; no draw here uses it
_Choice = TypeVar("_Choice")


@dataclass(slots=True, eq=False)
class Entity:
    """Something that has a page: `said` holds values by property, `named` the entities among them."""

    kind: Kind
    name: str
    said: dict[str, str] = field(default_factory=dict)
    named: dict[str, "Entity"] = field(default_factory=dict)


def counts(total: int) -> dict[str, int]:
    """Return how many entities of each kind there are among about `total`."""
    shares = sum(kind.share for kind in KINDS)
    return {kind.slug: max(_LEAST, round(total * kind.share / shares)) for kind in KINDS}


class Planner:
    """Draws the entities of a catalogue."""

    def __init__(self, spec: CatalogueSpec) -> None:
        self._random = Random(f"{spec.host}/plan")
        self._values = Values(Pen(self._random, spec.language, _YEAR))
        self._language = spec.language
        self._found: dict[str, list[Entity]] = {}

    def plan(self, wanted: Mapping[str, int]) -> dict[str, list[Entity]]:
        """Return the entities by kind.

        Raises:
            ConfigError: so many names or values of a form do not exist.
        """
        for kind in KINDS:
            self._found[kind.slug] = [Entity(kind, self._own(kind.name)) for _ in range(wanted[kind.slug])]
        for kind in KINDS:
            for prop in kind.properties:
                shared = self._random.sample(prop.shared, len(prop.shared))
                for entity in self._found[kind.slug]:
                    if prop.to:
                        self._name(entity, prop)
                    elif shared:
                        entity.said[prop.slug] = self._leaning(shared).of(self._language)
                    elif prop.draw is not None:
                        entity.said[prop.slug] = self._own(prop.draw)
        return self._found

    def _own(self, draw: Draw) -> str:
        value = self._values.draw(draw)
        if value is None:
            raise ConfigError("a catalogue of this size has more entities than there are names and values for")
        return value

    def _name(self, entity: Entity, prop: Property) -> None:
        free = [each for each in self._found[prop.to] if not _acquainted(each, entity)]
        chosen = entity.named[prop.slug] = self._leaning(free)
        entity.said[prop.slug] = chosen.name

    def _leaning(self, choices: Sequence[_Choice]) -> _Choice:
        return choices[min(self._random.randrange(len(choices)) for _ in range(2))]


def _acquainted(other: Entity, entity: Entity) -> bool:
    """Say whether another page states something of `other` and of what `entity` names: both must not stand on one."""
    return any(other in each.named.values() or each in other.named.values() for each in entity.named.values())
