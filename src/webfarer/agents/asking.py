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
from webfarer.agents.people import Person
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
from webfarer.web.searching import chosen


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


@dataclass(frozen=True, slots=True)
class Gear:
    """What a run of an agent is made with.

    Attributes:
        run: the way to side effects.
        web: pages.
        settings: everything a user can set.
        model: the chat model, or None.
        person: who may be asked, or None.
    """

    run: Run
    web: Web
    settings: Settings
    model: ChatModel | None = None
    person: Person | None = None

    def metered(self, run: Run) -> Metered | None:
        """Return the model, its calls charged to `run`."""
        return Metered(run, self.model, self.settings.price(self.model.name)) if self.model else None

    def policy(self, run: Run) -> Policy:
        """Return a new policy for a walk, charged to `run`."""
        make = POLICIES.load(self.settings.policy or ("chat" if self.model else "lexical"))
        policy: Policy = make(Context(run, self.metered(run), self.settings.seed))
        return policy


def described(asking: Asking, settings: Settings, archive: Callable[[], Archive]) -> dict[str, Any]:
    """Return what a run records of `asking`; a corpus is taken into the archive first.

    Raises:
        ConfigError: what is asked for cannot work.
    """
    sites, engines = asking.sites, chosen(settings)
    if asking.corpus is not None:
        if sites:
            raise ConfigError("a corpus and sites exclude each other: with a corpus nothing else is searched")
        sites, engines = (site_of(ingest(archive(), asking.corpus)),), ("local",)
    return {
        "sites": list(sites),
        "start": [canonical_url(url if "://" in url else f"https://{url}") for url in asking.start],
        "tools": list(asking.tools or settings.ask.tools),
        "engines": list(engines),
    }


def asker(gear: Gear, start: Mapping[str, Any]) -> Callable[[], Awaitable[Answer]]:
    """Return the search for the answer to `start["question"]`, ready to go.

    Args:
        gear: what it is made with.
        start: the run's first event; its `asking` comes from :func:`described`.

    Raises:
        ConfigError: a setting cannot work.
    """
    where, settings = start["asking"], gear.settings
    tools: dict[str, ToolPlugin] = {name: TOOLS.load(name) for name in where["tools"]}
    engines = settings.search.model_copy(update={"engines": tuple(where["engines"])})
    ask = settings.ask
    setting = Setting(gear.run, gear.metered(gear.run), dialect=ask.dialect, context=ask.context, seed=settings.seed)
    dance = Dance(start["question"], {name: tool.spec for name, tool in tools.items()}, tuple(where["start"]))
    desk = Desk(
        run=gear.run,
        web=gear.web,
        search=Search(settings.model_copy(update={"search": engines}), gear.web.archive) if "search" in tools else None,
        mind=MINDS.load(ask.mind or ("chat" if gear.model else "lexical"))(setting),
        dance=dance,
        provenance=Provenance(dance.question, dance.start, where["sites"]),
        policy=gear.policy,
        sites=tuple(where["sites"]),
        walk_steps=ask.walk_steps,
        person=gear.person,
    )

    async def go() -> Answer:
        async with AsyncExitStack() as stack:
            if desk.search is not None:
                await stack.enter_async_context(desk.search)
            return await Dancer(desk, tools).dance()

    return go
