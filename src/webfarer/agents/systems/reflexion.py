"""Reflexion: ReAct, then a look at its own answer; when that has no support, another try with what went wrong in mind.

All tries share one budget, so a try that spends it is the last. The truth is never seen: the model judges its answer
by the quotes it gave. Source: Shinn et al., "Reflexion: Language Agents with Verbal Reinforcement Learning", NeurIPS
2023.
"""

from typing import ClassVar

from pydantic import BaseModel, StrictBool

from webfarer.agents.asker import Asker, Part, Prompt, Text
from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Policy
from webfarer.agents.system import Case, ModelUse
from webfarer.agents.systems._ended import LIMITS
from webfarer.agents.systems._reacting import Reacting
from webfarer.agents.systems._walking import Walking
from webfarer.agents.walker import Walker
from webfarer.core.errors import BudgetExceeded, ConfigError
from webfarer.core.types import Answer, Page

_TRIALS = 3
_REFLECT = Prompt(
    "reflect",
    "You look back at an attempt to answer a question from one website, to do better next time.",
    "`supported` says whether the quotes state the answer to the whole question; an attempt without an answer or "
    "without quotes is not supported. `lesson` says in one or two sentences what went wrong and what to try instead: "
    "which part of the site to look at, which not. When the answer is supported, lesson is empty.\n"
    'Reply with one JSON object and nothing else: {"supported": false, "lesson": "…"}.',
)


class Reflection(BaseModel):
    """What the model says of its own attempt."""

    supported: StrictBool
    lesson: Text = ""


class Reflexion(Walking):
    """Tries up to three times."""

    model: ClassVar[ModelUse] = "needed"

    def __init__(self, gear: Gear, case: Case) -> None:
        super().__init__(gear, case)
        model = gear.metered(gear.run)
        if model is None:
            raise ConfigError("reflexion needs a model, such as --model openai:gpt-4o-mini")
        self._asker = Asker(gear.run, model, gear.settings.seed)
        self._lessons: list[str] = []
        self._opened: list[Page] = []  # by the last try

    def policy(self, gear: Gear) -> Policy:
        """Return the conversation of the first try."""
        return Reacting(gear)

    async def answer(self) -> Answer:
        """Return the last answer that says something, with the fare of all tries."""
        best = answer = await self._try(self._policy)
        for trial in range(1, _TRIALS):
            if not await self._worth_another(answer, trial):
                break
            answer = await self._try(Reacting(self._gear, self._lessons))
            best = answer if answer.text else best
        return best.model_copy(update={"fare": self._gear.run.ledger.fare})

    async def _try(self, policy: Policy) -> Answer:
        """Walk from the root, which is opened only once."""
        walker = Walker(self._gear.run, self._gear.web, policy)
        answer = await walker.walk(self._root, self._case.question, known=self._opened[:1])
        self._opened = walker.pages
        return answer

    async def _worth_another(self, answer: Answer, trial: int) -> bool:
        """Say whether the model finds no support for its answer and may try again; what it learned is kept."""
        run = self._gear.run
        if answer.stop_reason in LIMITS or run.ledger.exhausted() or not self._opened:
            return False
        quotes = "\n".join(claim.quote.text for claim in answer.claims if claim.quote)
        said = f"Answer: {answer.text or '(none)'}\nQuotes:\n{quotes or '(none)'}"
        way = "\n".join(f"{page.title}: {page.url}" for page in self._opened)

        def parts(share: float) -> list[Part]:
            cut = way[: int(len(way) * share)]
            return [Part("The attempt:", "attempt", said), Part("The pages it opened, in order:", "pages", cut)]

        try:
            found = await self._asker.ask(_REFLECT, Reflection, self._case.question, parts)
        except BudgetExceeded:
            return False
        if found is None:
            return False
        supported = found.supported and bool(quotes)
        run.trace.emit("reflected", trial=trial, supported=supported, lesson=found.lesson)
        self._lessons.append(found.lesson.strip() or "The pages that were read did not state the answer.")
        return not supported


system = Reflexion
