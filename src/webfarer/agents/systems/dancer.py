"""WebDancer: think, search, visit, until the evidence answers the question; with a site's root it may walk there too.

Decides with the mind of the settings: the chat mind with a model, else the lexical one. Source: Wu et al.,
"WebDancer: Towards Autonomous Information Seeking Agency", NeurIPS 2025.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.research import Research
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.systems._walking import root_of
from webfarer.core.types import Answer
from webfarer.web.searching import chosen


class DancerSystem:
    """Searches as `webfarer ask` does, with the tools that the setting allows."""

    model: ClassVar[ModelUse] = "used"
    settings: ClassVar[tuple[Setting, ...]] = ("search", "both")
    told: ClassVar[bool] = False

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case = gear, case
        root = (root_of(case),) if case.setting == "both" else ()
        where = {
            "sites": list(case.sites),
            "start": [*root, *case.start],
            "tools": ["search", "visit", *(["walk"] if root else [])],
            "engines": list(chosen(gear.settings)),
        }
        self._research = Research(gear, where)
        self._research.hear(case.question)

    async def answer(self) -> Answer:
        """Return what was found."""
        async with self._research:
            return (await self._research.find(self._case.question, self._gear.run)).answer


system = DancerSystem
