"""A chat model that labels: its calls are recorded, paid within the budget, and what each cost stands on the label.

A reply that was cut off, or is none of an item's choices, is no label: the item is refused. Not a judge of answers.
Invariant: a call that was paid is not made again when a killed learning goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError
from webfarer.core.fare import Price
from webfarer.data.log import read_log
from webfarer.data.paid import paid_model
from webfarer.models.base import ChatModel, Message, Reply, Sampling
from webfarer.models.prompts import FENCE_RULE, fence, nonce
from webfarer.train.labels import TAKEN
from webfarer.train.oracle import Desk, Said
from webfarer.train.pool import PoolItem

_SYSTEM = "Answer the question between the marks; your answer is all that you write.\n{guidelines}\n" + FENCE_RULE
_SAMPLING = Sampling(max_tokens=1024)
_SIDE_BY_SIDE = 8
_LIMITS = ("tokens", "usd")


class ModelOracle:
    """Asks the model of the settings."""

    def __init__(self, desk: Desk) -> None:
        if not desk.settings.model:
            raise ConfigError("the oracle `model` needs one: provider:model, such as openai:gpt-4o-mini")
        self._desk = desk
        self._system = Message("system", _SYSTEM.format(guidelines=desk.guidelines))

    async def label(self, items: Sequence[PoolItem]) -> AsyncIterator[Said]:
        """Yield what the model says, a few items at a time."""
        settings = self._left()
        async with paid_model(settings, self._desk.folder / "calls.jsonl", "label") as (run, model):
            assert run is not None
            assert model is not None
            price = settings.price(model.name)
            waiting = [(item, self._messages(item)) for item in items]
            while waiting:
                some = waiting[:_SIDE_BY_SIDE]
                if any(run.ledger.room(meter) < most for meter, most in _needs(some, model, price).items()):
                    some = waiting[:1]
                # a reply that the budget cuts short would be paid for and refused
                run.ledger.require(**_needs(some, model, price))
                replies = await asyncio.gather(*(model.complete(asked, sampling=_SAMPLING) for _, asked in some))
                for (item, _), reply in zip(some, replies, strict=True):
                    yield _said(item, reply, model, price)
                waiting = waiting[len(some) :]

    def _messages(self, item: PoolItem) -> list[Message]:
        choices = "\n".join(item.choices)
        shown = f"{item.prompt}\n\nChoices:\n{choices}" if choices else item.prompt
        return [self._system, Message("user", fence(shown, nonce=nonce(item.id, shown), source="question"))]

    def _left(self) -> Settings:
        """Return the settings with what the labels so far have left of the budget."""
        settings = self._desk.settings
        taken = [said.cost for said in read_log(self._desk.folder / TAKEN, Said)]
        limits = {meter: getattr(settings.budget, meter) for meter in _LIMITS}
        left = {
            meter: max(0, limit - sum(cost.get(meter, 0) for cost in taken))
            for meter, limit in limits.items()
            if limit is not None
        }
        return settings.model_copy(update={"budget": settings.budget.model_copy(update=left)})


def _needs(some: Sequence[tuple[PoolItem, list[Message]]], model: ChatModel, price: Price | None) -> dict[str, float]:
    """Return the most that asking these can cost."""
    prompts, longest = sum(model.count(asked) for _, asked in some), len(some) * _SAMPLING.max_tokens
    return {"tokens": prompts + longest, "usd": price.usd(prompts, longest) if price else 0.0}


def _said(item: PoolItem, reply: Reply, model: ChatModel, price: Price | None) -> Said:
    tokens_in, tokens_out = reply.usage.tokens_in, reply.usage.tokens_out
    cost = {"tokens": tokens_in + tokens_out, "tokens_in": tokens_in, "tokens_out": tokens_out, "calls": 1.0}
    if price:
        cost["usd"] = price.usd(tokens_in, tokens_out)
    answer = reply.text.strip()
    if not answer or reply.finish == "length" or (item.choices and answer not in item.choices):
        return Said(item=item.id, answer="", by=model.name, cost=cost, word="skip")
    return Said(item=item.id, answer=answer, by=model.name, cost=cost)


oracle = ModelOracle
