"""A chat model that labels: its calls are recorded, paid within the budget, and what each cost stands on the label.

A reply that was cut off, or is none of an item's choices, is no label: the item is refused. Every asking has a record
of its own beside the labels. Invariant: a call that was paid is not made again when a killed learning goes on.
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

    async def label(self, items: Sequence[PoolItem], number: int) -> AsyncIterator[Said]:
        """Yield what the model says, a few items at a time."""
        settings = self._left({item.id for item in items})
        record = self._desk.folder / "calls" / f"{number:03d}.jsonl"
        async with paid_model(settings, record, f"label-{number}") as (run, model):
            assert run is not None
            assert model is not None
            price = settings.price(model.name)
            for start in range(0, len(items), _SIDE_BY_SIDE):
                some = items[start : start + _SIDE_BY_SIDE]
                asked = [self._messages(item) for item in some]
                tokens = sum(map(model.count, asked))
                longest = len(some) * _SAMPLING.max_tokens
                # refused here rather than call by call, where it would be recorded and stand against a larger budget
                run.ledger.require(tokens=tokens + longest, usd=price.usd(tokens, longest) if price else 0.0)
                replies = await asyncio.gather(*(model.complete(each, sampling=_SAMPLING) for each in asked))
                for item, reply in zip(some, replies, strict=True):
                    yield _said(item, reply, model, price)

    def _messages(self, item: PoolItem) -> list[Message]:
        choices = "\n".join(item.choices)
        shown = f"{item.prompt}\n\nChoices:\n{choices}" if choices else item.prompt
        return [self._system, Message("user", fence(shown, nonce=nonce(item.id, shown), source="question"))]

    def _left(self, asked: set[str]) -> Settings:
        """Return the settings with what earlier askings have left of the budget."""
        settings = self._desk.settings
        taken = [said.cost for said in read_log(self._desk.folder / TAKEN, Said) if said.item not in asked]
        limits = {meter: getattr(settings.budget, meter) for meter in _LIMITS}
        left = {
            meter: max(0, limit - sum(cost.get(meter, 0) for cost in taken))
            for meter, limit in limits.items()
            if limit is not None
        }
        return settings.model_copy(update={"budget": settings.budget.model_copy(update=left)})


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
