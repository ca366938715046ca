"""A chat model that labels: its calls are recorded, paid within the budget, and what each cost stands on the label.

A reply that was cut off, or is none of an item's choices, is no label: the item is refused. Not a judge of answers.
Invariant: all learnings of a command share one record and one budget, so a question that was paid is never paid again.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import closing

from pydantic import BaseModel

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.run import Run
from webfarer.core.trace import canonical
from webfarer.data.log import Log
from webfarer.data.paid import paid_model
from webfarer.models.base import ChatModel, Message, Reply, Sampling
from webfarer.models.prompts import FENCE_RULE, fence, nonce
from webfarer.train.oracle import Desk, Said
from webfarer.train.pool import PoolItem, admitted

_SYSTEM = "Answer the question between the marks; your answer is all that you write.\n{guidelines}\n" + FENCE_RULE
_SAMPLING = Sampling(max_tokens=1024)
_SIDE_BY_SIDE = 8
_LIMITS = ("tokens", "usd")


class Call(BaseModel):
    """A hash of a question, and what was said."""

    asked: str
    said: Said


class ModelOracle:
    """Asks the model of the settings."""

    name = "model"

    def __init__(self, desk: Desk) -> None:
        if not desk.settings.model:
            raise ConfigError("the oracle `model` needs one: provider:model, such as openai:gpt-4o-mini")
        self._settings, self._path = desk.settings, desk.folder / "calls.jsonl"
        self._system = _SYSTEM.format(guidelines=desk.guidelines)

    async def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Yield what the model says, a few items at a time."""
        busy = f"{self._path}: another process is asking the model"
        with closing(Log(self._path, Call, busy)) as log:
            async with paid_model(_left(self._settings, log.entries), None, "label") as (run, model):
                assert run is not None
                assert model is not None
                asking = _Asking(run, model, self._settings, self._system, log)
                waiting = list(items)
                while waiting:
                    some = asking.affordable(waiting[:_SIDE_BY_SIDE])
                    replies = await asyncio.gather(*map(asking.ask, some), return_exceptions=True)
                    for said in replies:
                        if isinstance(said, Said):
                            yield said
                    for failed in replies:  # behind what was paid
                        if isinstance(failed, BaseException):
                            raise failed
                    waiting = waiting[len(some) :]


class _Asking:
    """A model that is asked, and its record."""

    def __init__(self, run: Run, model: ChatModel, settings: Settings, system: str, log: Log[Call]) -> None:
        self._run, self._model, self._system, self._log = run, model, system, log
        self._price = settings.price(model.name)
        self._known = {call.asked: call.said for call in log.entries}

    def affordable(self, some: Sequence[PoolItem]) -> Sequence[PoolItem]:
        """Return the items if the budget has room to ask for them side by side, else the first one.

        Raises:
            BudgetExceeded: there is no room for that one.
        """
        ledger = self._run.ledger
        if any(ledger.room(meter) < most for meter, most in self._needs(some).items()):
            some = some[:1]
        # a reply that the budget cuts short would be paid for and refused
        ledger.require(**self._needs(some))
        return some

    async def ask(self, item: PoolItem) -> Said:
        """Return what was said of an item, or ask."""
        asked = self._hash(item)
        if asked not in self._known:
            reply = await self._model.complete(self._messages(item), sampling=_SAMPLING)
            self._known[asked] = self._said(item, reply)
            self._log.append(Call(asked=asked, said=self._known[asked]))
        return self._known[asked].model_copy(update={"item": item.id})

    def _shown(self, item: PoolItem) -> str:
        choices = "\n".join(item.choices)
        return f"{item.prompt}\n\nChoices:\n{choices}" if choices else item.prompt

    def _hash(self, item: PoolItem) -> str:
        question = [self._model.name, self._system, self._shown(item)]
        return hashlib.sha256(canonical(question).encode()).hexdigest()

    def _messages(self, item: PoolItem) -> list[Message]:
        shown = self._shown(item)
        question = fence(shown, nonce=nonce(item.id, shown), source="question")
        return [Message("system", self._system), Message("user", question)]

    def _needs(self, some: Sequence[PoolItem]) -> dict[str, float]:
        """Return the most that asking these can cost; nothing where all were asked before."""
        new = [item for item in some if self._hash(item) not in self._known]
        if not new:
            return {}
        prompts, longest = sum(self._model.count(self._messages(item)) for item in new), len(new) * _SAMPLING.max_tokens
        return {"tokens": prompts + longest, "usd": self._price.usd(prompts, longest) if self._price else 0.0}

    def _said(self, item: PoolItem, reply: Reply) -> Said:
        tokens_in, tokens_out = reply.usage.tokens_in, reply.usage.tokens_out
        cost = {"tokens": tokens_in + tokens_out, "tokens_in": tokens_in, "tokens_out": tokens_out, "calls": 1.0}
        if self._price:
            cost["usd"] = self._price.usd(tokens_in, tokens_out)
        answer = "" if reply.finish == "length" else admitted(item, reply.text)
        return Said(item=item.id, answer=answer, by=self._model.name, cost=cost, word="label" if answer else "skip")


def _left(settings: Settings, calls: Sequence[Call]) -> Settings:
    """Return the settings with what these calls have left of the budget."""
    limits = {meter: getattr(settings.budget, meter) for meter in _LIMITS}
    left = {
        meter: max(0, limit - sum(call.said.cost.get(meter, 0) for call in calls))
        for meter, limit in limits.items()
        if limit is not None
    }
    return settings.model_copy(update={"budget": settings.budget.model_copy(update=left)})


oracle = ModelOracle
