"""Closed book: the model answers from what it knows, without any page; what a set's questions give away by themselves.

Such an answer cites nothing, and says so of itself.
"""

from typing import ClassVar

from pydantic import BaseModel

from webfarer.agents.asker import Asker, Prompt, Text
from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Draft
from webfarer.agents.ending import Stop
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.systems._ended import ended
from webfarer.core.errors import ConfigError
from webfarer.core.types import Answer, StopReason

_RECALL = Prompt(
    "recall",
    "You answer questions from what you know; you cannot look anything up.",
    "Give the answer, as short as it can be, in the language of the question. A good guess is better than none.\n"
    'Reply with one JSON object and nothing else: {"answer": "…"}. When you have no idea: answer is "".',
    drawn=True,
)


class Recollection(BaseModel):
    """What the model knows; "" for nothing."""

    answer: Text = ""


class ClosedBook:
    """Asks the model once."""

    model: ClassVar[ModelUse] = "needed"
    settings: ClassVar[tuple[Setting, ...]] = ("closed",)
    told: ClassVar[bool] = False

    def __init__(self, gear: Gear, case: Case) -> None:
        model = gear.metered(gear.run)
        if model is None:
            raise ConfigError("closed_book needs a model, such as --model openai:gpt-4o-mini")
        self._gear, self._case = gear, case
        settings = gear.settings
        self._asker = Asker(gear.run, model, settings.seed, warmth=(settings.temperature, settings.top_p))

    async def answer(self) -> Answer:
        """Return what the model says, unchecked: there is no page to check it against."""
        return await ended(self._gear, self._case.question, {}, self._nothing, self._recall)

    async def _nothing(self) -> Stop:
        return Stop(StopReason.ANSWERED)

    async def _recall(self) -> Stop:
        said = await self._asker.ask(_RECALL, Recollection, self._case.question, lambda share: [])
        if said is None:
            return Stop(StopReason.FAILED, "the model failed, see the run's trace")
        return Stop(
            StopReason.ANSWERED, "" if said.answer.strip() else "the model has no idea", Draft(said.answer.strip())
        )


system = ClosedBook
