"""The oracle: it is told the answer and the pages that state it, opens these and quotes the answer from them.

The upper bound of every table: what can be found at all by one who knows where to look, and the least it costs. It
answers nothing when a page is gone or no longer states the answer, so a set that has aged shows here first.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop, check_limits
from webfarer.agents.reading import note_of, units_of
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.systems._ended import ended
from webfarer.core.errors import FetchError
from webfarer.core.text import words
from webfarer.core.types import Answer, Claim, Page, StopReason

_STATED = 0.5  # least share of the answer's words on its pages: published answers are worded freely


class Oracle:
    """Opens the gold pages."""

    model: ClassVar[ModelUse] = "never"
    settings: ClassVar[tuple[Setting, ...]] = ("click", "search", "both", "closed")
    told: ClassVar[bool] = True

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case = gear, case
        self._pages: dict[str, Page] = {}

    async def answer(self) -> Answer:
        """Return the answer it was told, quoted from the gold pages where these may be opened."""
        return await ended(self._gear, self._case.question, self._pages, self._open, self._nothing)

    async def _open(self) -> Stop:
        if self._case.setting == "closed" or not self._case.gold:
            return Stop(StopReason.ANSWERED, draft=Draft(self._case.answer))
        for url in self._case.gold:
            check_limits(self._gear.run, False)
            self._gear.run.ledger.charge({"steps": 1})
            try:
                page = await self._gear.web.open(self._gear.run, url)
            except FetchError as error:
                raise Stop(StopReason.NO_SOURCES, f"a gold page cannot be read: {error.message}") from error
            self._pages[page.id] = page
        return Stop(StopReason.ANSWERED, draft=self._quoted())

    async def _nothing(self) -> Stop:
        return Stop(StopReason.NO_SOURCES, draft=Draft(""))

    def _quoted(self) -> Draft:
        """Return the answer, with the passage of each page that says most of it.

        Raises:
            Stop: the pages do not state it.
        """
        told = set(words(self._case.answer))
        said = {word for page in self._pages.values() for word in words(f"{page.title} {page.markdown}")}
        if len(told & said) < _STATED * len(told):
            raise Stop(StopReason.NO_SOURCES, "the gold pages do not state the answer")
        claims = [claim for page in self._pages.values() if (claim := self._claim(page, told))]
        return Draft(self._case.answer, tuple(claims), tuple(self._pages.values()))

    def _claim(self, page: Page, told: set[str]) -> Claim | None:
        asked = set(words(self._case.question))

        def fit(text: str) -> tuple[int, int, int]:
            own = set(words(text))
            return len(own & told), len(own & asked), -len(text)

        best = max(units_of(page), key=lambda unit: fit(unit.text), default=None)
        if best is None or not fit(best.text)[0]:
            return None
        return Claim(text=self._case.answer, quote=note_of(best).quote)


system = Oracle
