"""Generated sites whose truth is a graph of entities: `generate_catalogue(CatalogueSpec(seed=7))`.

Not a model of an encyclopaedia: a site of known size on which chains of references, sets and counts can be asked for
and every answer is known. The same specification gives the same bytes in every process. Served by
:mod:`webfarer.worlds.server` like any other world.
"""

from webfarer.core.errors import ConfigError
from webfarer.worlds.catalogue_pages import SiteWriter, pages_for
from webfarer.worlds.catalogue_plan import Planner, counts
from webfarer.worlds.catalogue_types import Catalogue, CatalogueFact, CatalogueRelation, CatalogueSpec
from webfarer.worlds.catalogue_vocab import KINDS
from webfarer.worlds.questions import shortest_paths
from webfarer.worlds.types import Language

__all__ = ["Catalogue", "CatalogueFact", "CatalogueRelation", "CatalogueSpec", "generate_catalogue"]

_SIZES = (60, 200)
_PARTICULARS = 0.25  # of the entities


def generate_catalogue(spec: CatalogueSpec) -> Catalogue:
    """Return the catalogue of `spec`.

    Raises:
        ConfigError: a size or language that cannot be made.
    """
    low, high = _SIZES
    if not low <= spec.size <= high or spec.seed < 0 or spec.language not in ("en", "zh"):
        raise ConfigError(f"a catalogue needs {low} to {high} pages, no negative seed, en or zh: {spec}")
    total = 0
    while pages_for(counts(total + 1)) + _PARTICULARS * total < spec.size:
        total += 1
    wanted = counts(total)
    writer = SiteWriter(spec, Planner(spec).plan(wanted), spec.size - pages_for(wanted))
    writer.write()
    ways = shortest_paths(writer.links, writer.pages)
    order = {path: number for number, path in enumerate(ways)}
    facts = sorted(writer.facts, key=lambda fact: order[fact.page])
    return Catalogue(spec, writer.pages, tuple(facts), _relations(spec.language), ways)


def _relations(language: Language) -> dict[str, CatalogueRelation]:
    found = {}
    for kind in KINDS:
        for prop in kind.properties:
            _, ask, of, having = prop.words.of(language).split(" | ")
            plural = kind.plural.of(language)
            whose, those = (
                f"the {name} {having}" if language == "en" else having + plural for name in (kind.slug, plural)
            )
            those = those if prop.to or prop.shared else ""
            found[f"{kind.slug}.{prop.slug}"] = CatalogueRelation(prop.to, ask, of, whose, those)
    return found
