"""People in the loop: a question to a person, traced and charged like every other side effect.

Without a person, or with no human turn left in the budget, the default is taken and nothing is recorded; whether there
was a person is part of a run's start, so that a replay asks the recording.
"""

from collections.abc import Sequence
from typing import Protocol

from webfarer.core.run import Call, Outcome, Run


class Person(Protocol):
    """Somebody who can be asked."""

    async def ask(self, question: str, choices: Sequence[str], shown: str) -> str:
        """Return what the person says: one of `choices` when there are any, free text otherwise.

        Args:
            question: what is asked.
            choices: answers to choose from; () for free text.
            shown: what the question is about (a plan, an address), or "".
        """
        ...


class Nobody:
    """Stands for the person of a recorded run; is never asked."""

    async def ask(self, question: str, choices: Sequence[str], shown: str) -> str:
        """Say nothing."""
        return ""


async def consult(
    run: Run, person: Person | None, question: str, *, choices: Sequence[str] = (), shown: str = "", default: str = ""
) -> str:
    """Ask `person` and return the answer; `default` when there is nobody or no turn is left.

    A free text that is empty stands for the default; so does what is none of the choices.
    """
    if person is None or run.ledger.room("turns") < 1:
        return default

    async def perform(call: Call) -> Outcome:
        said = (await person.ask(question, choices, shown)).strip()
        return Outcome(said if said and (not choices or said in choices) else default, {"turns": 1})

    request = {"question": question, "choices": list(choices), "shown": shown, "default": default}
    return str(await run.call("person", request, perform, needs={"turns": 1}))
