"""Retrieval, once: one search with the question as it stands, its best pages opened side by side, then nothing more.

What a system without a loop reads; naive RAG takes Google's first ten. A snippet is no evidence: a page that does not
open does not count. Invariant: only results, and addresses the case names, are opened, and none outside its sites.
"""

from webfarer.agents.asking import Gear
from webfarer.agents.dance import together
from webfarer.agents.ending import check_limits, limit_stop
from webfarer.agents.provenance import Provenance
from webfarer.agents.system import Case
from webfarer.core.errors import BudgetExceeded, FetchError, Refused, SearchError
from webfarer.core.types import Page, PageKind
from webfarer.web.search import Search

_DOCUMENTS = 10


class Retrieval:
    """Searches for a case's question, within the limits of the gear's run.

    Attributes:
        pages: the documents, by archive id, in the order of the results.
        problem: why there is none, or "".

    Raises:
        ConfigError: a search engine or a site that cannot be used.
    """

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case = gear, case
        self._search = Search(gear.settings, gear.web.archive)
        self._allowed = Provenance("", case.start, case.sites)
        self.pages: dict[str, Page] = {}
        self.problem = ""

    async def gather(self, half: bool = False) -> None:
        """Search and open the best pages; what goes wrong on the web makes fewer documents.

        Args:
            half: leave half of the pages that may still be opened to what comes after.

        Raises:
            Stop: a limit is reached; what could be read until then is in `pages`.
        """
        run = self._gear.run
        check_limits(run, self._gear.model is not None)
        run.ledger.charge({"steps": 1})
        most = int(min(_DOCUMENTS, run.ledger.room("pages") // 2)) if half else _DOCUMENTS
        urls = list(dict.fromkeys((*self._case.start, *await self._found())))[:most]
        came = await together(*map(self._open, urls))
        documents = [page for page in came if isinstance(page, Page)]
        self.pages.update((page.id, page) for page in documents)
        if urls and not documents:
            self.problem = "none of the results could be read"
        run.trace.emit("retrieved", results=urls, pages=list(self.pages))
        for spent in came:
            if isinstance(spent, BudgetExceeded):
                raise limit_stop(spent.detail["meter"])

    async def _found(self) -> list[str]:
        async with self._search as search:
            try:
                hits = await search.find(self._gear.run, self._case.question, sites=self._case.sites)
            except SearchError as error:
                self.problem = error.message
                return []
        self._allowed.allow(*(hit.url for hit in hits))
        return [hit.url for hit in hits]

    async def _open(self, url: str) -> Page | BudgetExceeded | None:
        try:
            page = await self._gear.web.open(self._gear.run, self._allowed.check(url))
            if not self._allowed.inside(page.url):
                raise Refused(f"it leads out of the chosen sites, to {page.url}")
        except BudgetExceeded as error:
            return error
        except FetchError:
            return None
        return page if page.kind is PageKind.CONTENT else None
