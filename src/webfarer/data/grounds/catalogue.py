"""Generated catalogues: entities that refer to each other, so that chains, sets and counts can be asked for.

Nothing is downloaded, no model is asked. Languages take turns. Truth comes from :mod:`webfarer.worlds.catalogue`, the
place where it is stated from the page as an agent reads it.
"""

from typing import get_args

from webfarer.data.ground import Ground, Place, Relation
from webfarer.data.grounds._generated import PAGES, Planted, located, read_site, seed_of
from webfarer.worlds.catalogue import CatalogueSpec, generate_catalogue
from webfarer.worlds.types import Language


class Catalogues:
    """Another catalogue for every number."""

    endless = True

    async def at(self, place: Place) -> Ground:
        """Generate a catalogue and read it."""
        languages = get_args(Language)
        spec = CatalogueSpec(seed_of(place), languages[place.number % len(languages)], PAGES)
        site = generate_catalogue(spec)
        root = f"http://{spec.host}/"
        pages = read_site(root, site.pages, site.ways)
        planted = (Planted(fact.page, fact.subject, fact.relation, fact.value) for fact in site.facts)
        return Ground(
            id="catalogue",
            root=root,
            language=spec.language,
            pages=pages,
            ways=dict(zip(pages, site.ways.values(), strict=True)),
            statements=located(root, pages, planted),
            relations={key: Relation(r.ask, r.of, r.whose, r.those) for key, r in site.relations.items()},
            licence="Apache-2.0",
            cells={"domain": "catalogue"},
        )


ground = Catalogues()
