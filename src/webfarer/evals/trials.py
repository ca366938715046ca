"""One walk as an experiment: what it opened, what it answered, how long it took.

Only for sites on this machine: no delay between requests, nothing recorded, no setting read from the user's files that
could change the outcome. The web may be shared between trials.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from webfarer.agents.runs import Options, walk
from webfarer.core.config import ArchiveMode, Settings, WebSettings, load_settings
from webfarer.core.fare import Budget
from webfarer.core.trace import Event
from webfarer.core.types import Answer
from webfarer.web.archive import Archive
from webfarer.web.client import Web

_PLAIN = WebSettings(allow_private=("127.0.0.1",), delay=0)


@dataclass(frozen=True, slots=True)
class Setup:
    """What is varied between trials.

    Attributes:
        policy: id of the policy.
        budget: limits of the walk.
        seed: for policies that draw lots.
    """

    policy: str
    budget: Budget
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What a walk did.

    Attributes:
        opened: URLs of the pages that were read, in order; the root is the first.
        seconds: from the start of the walk to its answer.
    """

    answer: Answer
    opened: tuple[str, ...]
    seconds: float


def lab_settings(archive: ArchiveMode = "live") -> Settings:
    """Return settings for sites on 127.0.0.1."""
    return load_settings(model="", policy="", archive=archive, seed=0, budget=Budget(), web=_PLAIN)


@asynccontextmanager
async def lab_web(archive: ArchiveMode = "live", pages_kept: int = 8) -> AsyncIterator[Web]:
    """Open a web whose archive lies in memory."""
    with Archive() as kept:
        async with Web(lab_settings(archive), kept, pages_kept) as web:
            yield web


async def attempt(web: Web, url: str, question: str, setup: Setup) -> Trial:
    """Walk once."""
    settings = web.settings.model_copy(update={"policy": setup.policy, "budget": setup.budget, "seed": setup.seed})
    opened: list[str] = []

    def listen(event: Event) -> None:
        if event.type == "page":
            opened.append(event.data["url"])

    began = time.perf_counter()
    options = Options(settings=settings, web=web, on_event=listen, record=False)
    answer = await walk(url, question, options=options)
    return Trial(answer, tuple(opened), time.perf_counter() - began)
