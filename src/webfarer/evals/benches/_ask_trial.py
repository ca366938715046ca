"""One question put to one system on a served web: its answer, what it opened by the servers' own count, its marks.

Systems differ in their tools alone; budget, mind and model are the same. What they opened is read off the servers, not
the trace. Only for sites on this machine: no delays, nothing recorded, the user's settings play no part.
"""

import time
from dataclasses import dataclass

from webfarer.agents.asking import Asking
from webfarer.agents.runs import Options, ask
from webfarer.core.config import SearchSettings
from webfarer.core.fare import Budget
from webfarer.core.types import Answer, Claim
from webfarer.evals.benches._ask_marks import Marks, mark
from webfarer.web.client import Web
from webfarer.worlds.webs_server import ServedWeb
from webfarer.worlds.webs_types import WebQuestion

SYSTEMS: dict[str, tuple[str, ...]] = {
    "search": ("search", "visit", "find"),
    "walk": ("walk",),
    "search_walk": ("search", "visit", "walk", "find"),
}
"""The tools of each system. The one that cannot search starts from the portal, which links to every site."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one question.

    Attributes:
        searches: queries the engine was asked.
        seconds: from the question to the answer.
    """

    system: str
    question: WebQuestion
    answer: Answer
    marks: Marks
    searches: int
    seconds: float


async def attempt(served: ServedWeb, web: Web, question: WebQuestion, system: str, budget: Budget, model: str) -> Trial:
    """Put one question to one system."""
    tools = SYSTEMS[system]
    search = SearchSettings(engines=("searxng",), delay=0)
    settings = web.settings.model_copy(update={"search": search, "searxng_url": served.search_url})
    asking = Asking(tools=tools, start=() if "search" in tools else (served.portal,))
    served.forget()
    began = time.perf_counter()
    answer = await ask(
        question.text,
        model=model or None,
        budget=budget,
        options=Options(settings=settings, web=web, record=False),
        asking=asking,
    )
    seconds = time.perf_counter() - began
    answer = answer.model_copy(update={"claims": tuple(_written(claim, served) for claim in answer.claims)})
    marks = mark(question, answer, served.requested())
    return Trial(system, question, answer, marks, served.queries, seconds)


def _written(claim: Claim, served: ServedWeb) -> Claim:
    """Return the claim with its quote's URL as in the web's own text."""
    if claim.quote is None:
        return claim
    quote = claim.quote.model_copy(update={"url": served.written(claim.quote.url)})
    return claim.model_copy(update={"quote": quote})
