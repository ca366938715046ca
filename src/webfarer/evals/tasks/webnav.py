"""Navigation on any website: find the page that a sentence comes from; nobody has to label anything.

The site at the root is read once, breadth-first, and sentences that stand on one deep page only become questions. The
same site, seed and size give the same items as long as the site does not change. Not the published set, which is of
Wikipedia. Source: Nogueira and Cho, "End-to-End Goal-Driven Web Navigation" (WebNav), NeurIPS 2016.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from webfarer.core.config import Settings, load_settings
from webfarer.core.errors import ConfigError
from webfarer.core.text import is_chinese
from webfarer.evals.navset import NavTask, crawl, make_tasks
from webfarer.evals.sources import address_of, stable_id
from webfarer.evals.task import Card, Changes, Item, Source, open_web
from webfarer.web.client import Web
from webfarer.web.guard import canonical_url

_SIZE = 50
_QUESTION = {"en": "Find the page that says: “{}”", "zh": "找到写有这句话的页面：“{}”"}


class WebNav:
    """The task; right is who opens the page."""

    card = Card(
        title="WebNav over a site",
        source="https://arxiv.org/abs/1602.02261",
        settings=("click",),
        scorers=("gold_page", "citations", "actions"),
    )

    async def items(self, source: Source) -> list[Item]:
        """Read the site at `source.root` and draw sentences; pages are fetched as the settings say, and archived."""
        if not source.root:
            raise ConfigError("webnav needs a website: give its first page with --root https://…")
        root = canonical_url(address_of(source.root, "--root"))
        async with Web(source.settings or load_settings()) as web:
            levels = await crawl(web, root)
        tasks = make_tasks(levels, source.size or _SIZE, source.seed)
        if not tasks:
            read = sum(map(len, levels.values()))
            raise ConfigError(f"{root}: no sentence of its own on a page two clicks deep ({read} pages were read)")
        return [_item(task, root) for task in tasks]

    def venue(self, items: Sequence[Item], settings: Settings) -> AbstractAsyncContextManager[Changes]:
        """Answer on the site as it is."""
        return open_web()


def _item(task: NavTask, root: str) -> Item:
    language = "zh" if is_chinese(task.sentence) else "en"
    return Item(
        id=stable_id(root, task.target, task.sentence),
        question=_QUESTION[language].format(task.sentence),
        answer=task.sentence,
        root=root,
        gold=(task.target,),
        cells={"difficulty": f"depth {task.depth}", "language": language},
    )


task = WebNav()
