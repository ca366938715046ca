"""Where a search may look and what it is made with: :class:`Asking` from the caller, :class:`Gear` from the run.

With a corpus (a folder taken in as a website) nothing else can be searched or opened: the scope of a search is a wall,
never a hint. Not the search itself (:mod:`webfarer.agents.research`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webfarer.agents.decisions import POLICIES, Context, Policy
from webfarer.agents.people import Person
from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.run import Run
from webfarer.models.base import ChatModel
from webfarer.models.metered import Metered
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.corpus import ingest, site_of
from webfarer.web.guard import canonical_url, with_scheme
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
        settings = self.settings
        policy: Policy = make(Context(run, self.metered(run), settings.seed, settings.temperature, settings.top_p))
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
        "start": [canonical_url(with_scheme(url)) for url in asking.start],
        "tools": list(asking.tools or settings.ask.tools),
        "engines": list(engines),
    }
