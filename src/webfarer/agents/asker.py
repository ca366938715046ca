"""One question to a chat model about what websites wrote, with as much of it as fits; failures become None.

A prompt is: rules, question, what was read (fenced), then the question and the task once more, because some servers
drop the head of a prompt that is too long for them. What a website wrote, its titles and links too, goes through
:func:`webfarer.models.prompts.fence`; everything outside the marks is ours or the user's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator

from webfarer.core.errors import ModelAuth, ModelError, ModelTimeout, ModelUnavailable, RateLimited
from webfarer.core.run import Run
from webfarer.models.base import ChatModel, Message, Sampling
from webfarer.models.prompts import FENCE_RULE, fence, nonce
from webfarer.models.structured import ask

T = TypeVar("T", bound=BaseModel)

Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""A string; small models write null for none."""

_SHARES = (1.0, 0.5, 0.25, 0.1)  # how much of what was read is shown, until it fits the context window
_REPLY_TOKENS = 1024
_GIVE_UP = 3  # each time stands for every try the model's client made
_SECONDS = 240.0  # a small model on a CPU reads a page for a minute or two


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question we put to a model: `role` says who it is, `task` what to do and which JSON to give.

    `drawn` marks a decision on what to do next, which is drawn as the asker's temperature says; all else is greedy.
    """

    name: str
    role: str
    task: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Something a website wrote; `heading` introduces it in our words, `source` names it in the marks."""

    heading: str
    source: str
    text: str


Parts = Callable[[float], list[Part]]
"""Gives the parts of a prompt, cut to a share (0–1) of their full size."""


class Asker:
    """Asks `model`; a model that was down three times in a row is left alone until :meth:`again`.

    Args:
        run: the way to side effects.
        model: who is asked.
        seed: passed on to the model.
        reply_tokens: most tokens of a reply.
        warmth: temperature and nucleus share of decisions.
    """

    def __init__(
        self,
        run: Run,
        model: ChatModel,
        seed: int = 0,
        reply_tokens: int = _REPLY_TOKENS,
        warmth: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.model = model
        self._run, self._warmth = run, warmth
        self._sampling = Sampling(max_tokens=min(reply_tokens, model.context // 4), seed=seed, seconds=_SECONDS)
        self._down = 0

    def again(self) -> None:
        """Give a model that was down another chance."""
        self._down = 0

    async def ask(
        self, prompt: Prompt, schema: type[T], question: str, parts: Parts, turns: Sequence[Message] = ()
    ) -> T | None:
        """Return the reply as a `schema`; None when the model failed, which the trace then says.

        Args:
            prompt: what is asked.
            schema: what the reply must fit.
            question: the user's question.
            parts: what was read.
            turns: what was said in this conversation after the prompt.

        Raises:
            ModelAuth, ConfigError, BudgetExceeded: no failures of the model.
        """
        if self._down >= _GIVE_UP:
            self.degraded(prompt.name, "GivenUp", f"the model was down {self._down} times in a row")
            return None
        messages: list[Message] = []
        for share in _SHARES:
            messages = [*build(prompt, question, parts(share), self._run.id), *turns]
            if self.model.count(messages) + self._sampling.max_tokens <= self.model.context:
                break
        sampling = self._sampling
        if prompt.drawn:
            sampling = replace(sampling, temperature=self._warmth[0], top_p=self._warmth[1])
        try:
            said = await ask(self.model, messages, schema, sampling)
        except ModelAuth:
            raise
        except ModelError as error:
            self._down += isinstance(error, RateLimited | ModelTimeout | ModelUnavailable)
            self.degraded(prompt.name, type(error).__name__, error.message)
            return None
        self._down = 0
        return said

    def degraded(self, part: str, error: str, message: str) -> None:
        """Record that a rule decides instead of the model."""
        self._run.trace.emit("degraded", part=part, error=error, message=message)


def build(prompt: Prompt, question: str, parts: Sequence[Part], run_id: str) -> list[Message]:
    """Return the messages; `run_id` keys the marks."""
    blocks = [f"Question: {question}"]
    for part in parts:
        if part.text:
            mark = nonce(run_id, part.text)
            blocks.append(f"{part.heading}\n{fence(part.text, nonce=mark, source=part.source)}")
    blocks.append(f"The question again: {question}\n\n{prompt.task}\n{FENCE_RULE}")
    return [Message("system", f"{prompt.role}\n{FENCE_RULE}"), Message("user", "\n\n".join(blocks))]
