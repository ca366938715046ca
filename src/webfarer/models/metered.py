"""A chat model whose every call is traced, budgeted and charged.

The one that agents use. The request that is recorded is what the model really sees, the value is the whole reply, and
a reply never gets more tokens than the budget can still pay for. Not a cache: equal requests are asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from pydantic import TypeAdapter

from webfarer.core.errors import ConfigError, ModelError
from webfarer.core.fare import Price
from webfarer.core.run import Call, Outcome, Run
from webfarer.models.base import ChatModel, Message, Reply, Sampling, Tool

_REPLY = TypeAdapter(Reply)
_TOKENS = ("prompt_ids", "token_ids", "logprobs")  # long: recorded only where they are known
_SHORTEST = 64  # a reply cut shorter is paid for and useless


class Metered:
    """`model`, with each call going through `run`.

    Raises:
        ConfigError: the budget limits money and the model's price is not known.
    """

    def __init__(self, run: Run, model: ChatModel, price: Price | None = None) -> None:
        if price is None and run.ledger.room("usd") != float("inf"):
            raise ConfigError(
                f"the budget limits money, but the price of the model {model.name!r} is not known. Add it to "
                f'webfarer.toml, in US dollars per million tokens: [prices."{model.name}"] input = 0.1  output = 0.4',
                model=model.name,
            )
        self.name = model.name
        self.context = model.context
        self._run, self._model, self._price = run, model, price

    def count(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Return the number of prompt tokens, as the model counts or estimates it."""
        return self._model.count(messages, tools)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return the model's reply, its cost charged to the run; `call` is not used, the run makes its own.

        Raises:
            BudgetExceeded: there is no room for this prompt and a reply of use.
            ModelError: the model failed; what that cost is charged too.
        """
        prompt = self.count(messages, tools)
        sampling = replace(sampling, max_tokens=self._affordable(prompt, sampling.max_tokens))
        request = {
            "model": self.name,
            "messages": [asdict(message) for message in messages],
            "tools": [asdict(tool) for tool in tools],
            "sampling": asdict(sampling),
        }

        async def perform(call: Call) -> Outcome:
            limited = replace(sampling, seconds=min(sampling.seconds, call.seconds))
            try:
                reply = await self._model.complete(messages, tools, limited, call)
            except ModelError as error:
                error.cost = self._cost(error.cost)
                raise
            paid = {"tokens_in": reply.usage.tokens_in, "tokens_out": reply.usage.tokens_out}
            unknown = {name for name in _TOKENS if not getattr(reply, name)}
            return Outcome(_REPLY.dump_python(reply, mode="json", exclude=unknown), self._cost(paid))

        needs = {"tokens": prompt + sampling.max_tokens, "usd": self._usd(prompt, sampling.max_tokens)}
        value = await self._run.call("model", request, perform, needs=needs)
        return _REPLY.validate_python(value)

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()

    def _affordable(self, prompt: int, wanted: int) -> int:
        """Return the longest reply, up to `wanted`, that the rest of the budget pays for; never under the shortest."""
        room = self._run.ledger.room("tokens") - prompt
        if self._price and self._price.output:
            left = self._run.ledger.room("usd") - self._usd(prompt, 0)
            room = min(room, left / self._price.output * 1e6)
        return min(wanted, max(_SHORTEST, int(min(room, wanted))))

    def _usd(self, tokens_in: float, tokens_out: float) -> float:
        return self._price.usd(int(tokens_in), int(tokens_out)) if self._price else 0.0

    def _cost(self, paid: Mapping[str, float]) -> dict[str, float]:
        tokens_in, tokens_out = paid.get("tokens_in", 0), paid.get("tokens_out", 0)
        usd = {"usd": self._usd(tokens_in, tokens_out)} if self._price else {}
        return {"tokens": tokens_in + tokens_out, "tokens_in": tokens_in, "tokens_out": tokens_out, "calls": 1} | usd
