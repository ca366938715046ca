"""Questions about generated websites whose truth is known; nothing is downloaded, and nothing has to be judged.

Languages take turns, then domains, as in `webfarer bench walk`; a site is asked one question of each kind and
difficulty, and as the question does not name the site, a search is kept to it. Not WebWalkerQA: only its cells are the
same (Wu et al., "WebWalker", ACL 2025). Invariant: a site's host says how to generate it.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import count, groupby
from typing import get_args
from urllib.parse import urlsplit

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.evals.sources import drawn, subset
from webfarer.evals.task import Card, Changes, Item, Source
from webfarer.evals.tasks._local import Shelf, serve_shelves
from webfarer.worlds.types import Language, Question, WorldSpec
from webfarer.worlds.world import DOMAINS, generate

_SIZE = 120
_PAGES = 60
_DIAL = 0.5
HOST = re.compile(r"([a-z]+?)(\d+)(en|zh)(\d+)p(\d+)\.test")


def host_of(spec: WorldSpec) -> str:
    """Return the host of a site; one word, so that no part of it is taken for a word of a question."""
    return f"{spec.domain}{spec.seed}{spec.language}{spec.size}p{round(100 * spec.paraphrase)}.test"


def spec_of(host: str) -> WorldSpec:
    """Return what the site at `host` is generated from.

    Raises:
        ConfigError: it is no generated site's.
    """
    match = HOST.fullmatch(host)
    if match is None:
        raise ConfigError(f"{host!r} is no host of a generated website")
    language: Language = "zh" if match[3] == "zh" else "en"
    return WorldSpec(match[1], int(match[2]), language, int(match[4]), paraphrase=int(match[5]) / 100)


class GeneratedWorlds:
    """The task; `Source.subset` "paraphrased" words half of the links and questions in other words."""

    card = Card(
        title="Generated websites",
        source="webfarer.worlds.world",
        settings=("click", "search", "both", "closed"),
        scorers=("named", "gold_page", "citations", "actions"),
        licence="Apache-2.0",
    )

    async def items(self, source: Source) -> list[Item]:
        """Generate as many sites as are needed, each only for as long as its questions are read."""
        dial = _DIAL if subset(source, self.card, ("paraphrased",)) else 0.0
        return drawn(_items(source.seed, dial), source, _SIZE)

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Serve every site of the items, and an engine that knows their pages."""
        hosts = dict.fromkeys(urlsplit(item.root).netloc for item in items)
        return serve_shelves({host: partial(shelf_of, host) for host in hosts})


def _items(seed: int, dial: float) -> Iterator[Item]:
    languages, domains = get_args(Language), DOMAINS.ids()
    for number in count():
        language, domain = languages[number % len(languages)], domains[number // len(languages) % len(domains)]
        spec = WorldSpec(domain, seed * 1000 + number, language, _PAGES, paraphrase=dial)
        for _, cell in groupby(generate(spec).questions, key=lambda question: (question.kind, question.difficulty)):
            yield _item(next(cell), spec)


def _item(question: Question, spec: WorldSpec) -> Item:
    root = f"http://{host_of(spec)}"
    return Item(
        id=f"{question.id}-paraphrased" if spec.paraphrase else question.id,
        question=question.text,
        answer=question.answer,
        parts=question.answers,
        root=f"{root}/",
        sites=(f"{root}/",),
        gold=tuple(root + path for path in question.gold),
        cells={
            "type": question.kind,
            "difficulty": question.difficulty,
            "language": question.language,
            "domain": spec.domain,
        },
    )


def shelf_of(host: str) -> Shelf:
    """Return the pages of the site at `host`; the engine knows all of them."""
    pages = generate(spec_of(host)).pages
    return Shelf(pages, [path for path, page in pages.items() if page.html])


task = GeneratedWorlds()
