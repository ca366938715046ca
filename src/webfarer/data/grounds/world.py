"""Generated websites, four clicks deep, with facts that stand on one page each: no chains, but every depth.

Nothing is downloaded, no model is asked. Languages take turns, then domains, as in :mod:`webfarer.evals.tasks.world`,
whose sites are others. Facts of past years are no statements here: a question about them would be ambiguous.
"""

from typing import get_args

from webfarer.data.ground import Ground, Place, Relation
from webfarer.data.grounds._generated import PAGES, Planted, located, read_site, seed_of
from webfarer.evals.tasks.world import host_of
from webfarer.worlds.types import Language, WorldSpec
from webfarer.worlds.world import DOMAINS, generate


class Worlds:
    """Another website for every number."""

    endless = True

    async def at(self, place: Place) -> Ground:
        """Generate a website and read it."""
        languages, domains = get_args(Language), DOMAINS.ids()
        language = languages[place.number % len(languages)]
        domain = domains[place.number // len(languages) % len(domains)]
        spec = WorldSpec(domain, seed_of(place), language, PAGES)
        site = generate(spec)
        root = f"http://{host_of(spec)}/"
        ways = {path: way for path, way in site.ways.items() if site.pages[path].html}
        pages = read_site(root, site.pages, ways)
        planted = (Planted(f.page, f.entity, clause.relation, f.value) for f, clause in site.clauses.items())
        return Ground(
            id="world",
            root=root,
            language=language,
            pages=pages,
            ways=dict(zip(pages, ways.values(), strict=True)),
            statements=located(root, pages, planted),
            relations={clause.relation: Relation(clause.ask) for clause in site.clauses.values()},
            licence="Apache-2.0",
            cells={"domain": domain},
        )


ground = Worlds()
