"""`ask` put together: a question, tools, a mind, and where it may look.

With a corpus (a folder taken in as a website) nothing else can be searched or opened: the scope of a search is a wall,
never a hint. Not the loop (:mod:`webfarer.agents.dancer`) and not the recording of runs (:mod:`webfarer.agents.runs`).
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfarer.agents.dance import MINDS, TOOLS, Dance, Desk, Setting, ToolPlugin
from webfarer.agents.dancer import Dancer
from webfarer.agents.decisions import POLICIES, Context, Policy
from webfarer.agents.provenance import Provenance
from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.run import Run
from webfarer.core.types import Answer
from webfarer.models.base import ChatModel
from webfarer.models.metered import Metered
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.corpus import ingest, site_of
from webfarer.web.guard import canonical_url
from webfarer.web.search import Search


@dataclass(frozen=True, slots=True)
class Asking:
    """Where an answer may be looked for, and with what.

    Attributes:
        sites: hosts, with optional path, that search and visits are kept to; () for anywhere.
        start: addresses to begin with.
        corpus: a folder that is searched instead of the web.
        tools: ids of the tools; None takes the setting.
    """

    sites: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    corpus: Path | None = None
    tools: tuple[str, ...] | None = None


def described(asking: Asking, settings: Settings, archive: Callable[[], Archive]) -> dict[str, Any]:
    """Return what a run records of `asking`; a corpus is taken into the archive first.

    Raises:
        ConfigError: what is asked for cannot work.
    """
    sites = asking.sites
    if asking.corpus is not None:
        if sites:
            raise ConfigError("a corpus and sites exclude each other: with a corpus nothing else is searched")
        sites = (site_of(ingest(archive(), asking.corpus)),)
    return {
        "sites": list(sites),
        "start": [canonical_url(url if "://" in url else f"https://{url}") for url in asking.start],
        "local": asking.corpus is not None,
        "tools": list(asking.tools or settings.ask.tools),
    }


def asker(
    run: Run, web: Web, settings: Settings, model: ChatModel | None, start: Mapping[str, Any]
) -> Callable[[], Awaitable[Answer]]:
    """Return the search that `start` describes, ready to go.

    Args:
        run: the way to side effects.
        web: pages.
        settings: everything else.
        model: the chat model, or None.
        start: the run's first event; its `asking` comes from :func:`described`.

    Raises:
        ConfigError: a setting cannot work.
    """
    where = start["asking"]
    if where["local"]:
        settings = settings.model_copy(update={"search": settings.search.model_copy(update={"engines": ("local",)})})
    tools: dict[str, ToolPlugin] = {name: TOOLS.load(name) for name in where["tools"]}
    price = settings.price(model.name) if model else None

    def metered(run: Run) -> Metered | None:
        return Metered(run, model, price) if model else None

    def policy(inner: Run) -> Policy:
        context = Context(inner, metered(inner), settings.seed)
        return POLICIES.load(settings.policy or ("chat" if model else "lexical"))(context)  # type: ignore[no-any-return]

    ask = settings.ask
    setting = Setting(run, metered(run), dialect=ask.dialect, context=ask.context, seed=settings.seed)
    dance = Dance(start["question"], {name: tool.spec for name, tool in tools.items()}, tuple(where["start"]))
    desk = Desk(
        run=run,
        web=web,
        search=Search(settings, web.archive) if "search" in tools else None,
        mind=MINDS.load(ask.mind or ("chat" if model else "lexical"))(setting),
        dance=dance,
        provenance=Provenance(dance.question, dance.start, where["sites"]),
        policy=policy,
        sites=tuple(where["sites"]),
        walk_steps=ask.walk_steps,
    )

    async def go() -> Answer:
        async with AsyncExitStack() as stack:
            if desk.search is not None:
                await stack.enter_async_context(desk.search)
            return await Dancer(desk, tools).dance()

    return go
