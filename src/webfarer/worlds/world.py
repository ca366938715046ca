"""Generated websites whose truth is known: `generate(WorldSpec(domain="conference", seed=7))`.

Not a model of the web: a site of known size and depth on which what a walker finds can be compared with what is there.
The same specification gives the same bytes in every process. Domains are files in `worlds/domains/`.
"""

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam
from webfarer.worlds.questions import Asker, shortest_paths
from webfarer.worlds.render import Renderer, overhead
from webfarer.worlds.schema import Domain
from webfarer.worlds.tree import Grower
from webfarer.worlds.types import Difficulty, Fact, Language, PageSpec, Question, QuestionKind, World, WorldSpec

__all__ = [
    "DOMAINS",
    "Difficulty",
    "Fact",
    "Language",
    "PageSpec",
    "Question",
    "QuestionKind",
    "World",
    "WorldSpec",
    "generate",
]

DOMAINS = Seam("webfarer.worlds.domains", "domain", "domain")

_SMALLEST = 20
_QUESTIONS_PER_CELL = 2
_PAGES_PER_QUESTION = 30


def generate(spec: WorldSpec) -> World:
    """Return the world of `spec`, with two questions per kind and difficulty, more in larger worlds.

    Raises:
        UnknownPlugin: no such domain.
        ConfigError: a size, depth, paraphrase or language that cannot be made.
    """
    domain: Domain = DOMAINS.load(spec.domain)
    if spec.size < _SMALLEST or not 2 <= spec.depth <= 4 or not 0 <= spec.paraphrase <= 1:
        raise ConfigError(f"a world needs size >= {_SMALLEST}, depth 2 to 4 and paraphrase 0 to 1: {spec}")
    if spec.language not in ("en", "zh"):
        raise ConfigError(f"worlds are written in en or zh, not {spec.language!r}")
    grower = Grower(spec, domain)
    grower.grow(spec.size - overhead(spec.size))
    renderer = Renderer(grower)
    renderer.render()
    ways = shortest_paths(renderer.links, renderer.pages)
    asker = Asker(grower, ways)
    questions = asker.ask(max(_QUESTIONS_PER_CELL, spec.size // _PAGES_PER_QUESTION))
    facts = tuple(fact for node in grower.root.walk() for _, fact in node.facts)
    return World(spec, renderer.pages, questions, facts, asker.clauses(), ways)
