"""A model whose replies are kept in a file and charged to one budget: for work that is no run of an agent.

What was asked before gets the reply it got then, whatever else is asked beside it, and only what is lacking is paid.
Not a cache: what is asked twice gets two replies. Invariant: a reply that was kept is never paid again.
"""

import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

from webfarer.core.config import Settings
from webfarer.core.fare import Budget, Price
from webfarer.core.run import Call, Run
from webfarer.core.trace import Trace, canonical
from webfarer.data.log import Log
from webfarer.models.base import ChatModel, Message, Reply, Sampling, Tool
from webfarer.models.load import load_model
from webfarer.models.metered import Metered

_REPLY = TypeAdapter(Reply)


class Kept(BaseModel):
    """A reply as JSON, a hash of what was asked, and what it cost by meter."""

    asked: str
    reply: str
    cost: dict[str, float]


class Paid(Metered):
    """`model`, paid by `run`, with the replies that a log keeps.

    Raises:
        ConfigError: the budget limits money and the model's price is not known.
    """

    def __init__(self, run: Run, model: ChatModel, price: Price | None, log: Log[Kept] | None) -> None:
        super().__init__(run, model, price)
        self._log = log
        self._known: dict[str, deque[Kept]] = {}
        for kept in log.entries if log else ():
            self._known.setdefault(kept.asked, deque()).append(kept)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return the reply that was kept, or the model's.

        Raises:
            BudgetExceeded: there is no room for it.
            ModelError: the model failed; the next time it is asked again.
        """
        asked = _hash(self.name, messages, tools, sampling)
        if known := self._known.get(asked):
            kept = known.popleft()
            self._run.ledger.charge(kept.cost)
            return _REPLY.validate_python(json.loads(kept.reply))
        run = self._run.nested(Budget())  # its ledger tells what this call alone costs
        reply = await Metered(run, self._model, self._price).complete(messages, tools, sampling)
        cut = reply.finish == "length" and reply.usage.tokens_out < sampling.max_tokens  # by what the budget left
        if self._log and not cut:
            cost = run.ledger.fare.model_dump(exclude={"seconds"}, exclude_defaults=True)
            whole = canonical(_REPLY.dump_python(reply, mode="json", exclude_defaults=True))
            self._log.append(Kept(asked=asked, reply=whole, cost=cost))
        return reply


def _hash(name: str, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> str:
    """Return what stands for a question; its deadline is no part of it."""
    how = {**asdict(sampling), "seconds": None}
    request = [name, [asdict(message) for message in messages], [asdict(tool) for tool in tools], how]
    return hashlib.sha256(canonical(request).encode()).hexdigest()


@asynccontextmanager
async def paid_model(
    settings: Settings, path: Path | None, run_id: str
) -> AsyncIterator[tuple[Run, Paid] | tuple[None, None]]:
    """Open the model of the settings within their budget; (None, None) where they name none.

    Args:
        settings: model, budget and prices.
        path: where its replies are kept; what lies there is not paid again; None: nowhere.
        run_id: of the run that the calls belong to.

    Raises:
        ConfigError: the model cannot work, or another process is using the file.
    """
    model = load_model(settings.model, settings)
    if model is None:
        yield None, None
        return
    try:
        log = Log(path, Kept, f"{path}: another process is asking the model") if path else None
        try:
            run = Run(run_id, Trace.create(None), settings.budget)
            yield run, Paid(run, model, settings.price(model.name), log)
        finally:
            if log:
                log.close()
    finally:
        await model.close()
