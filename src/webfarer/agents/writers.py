"""Writers of thoughts: our own engine, and any chat model.

A prompt is a user's message where the model has a chat template, and plain text where it has none. Not the search:
that is :mod:`webfarer.agents.thinker`. Invariant: when a call ends, however it ends, nothing more is written for it.
"""

import asyncio
from typing import TYPE_CHECKING, Protocol

from webfarer.agents.thoughts import Ask, Written
from webfarer.core.errors import ConfigError, ContextOverflow, ModelError
from webfarer.engine.sampling import Completion, Event, Finished, Request, SamplingParams
from webfarer.models.base import ChatModel, Message, Sampling

if TYPE_CHECKING:
    from webfarer.engine.chat import Chat, Prompt
    from webfarer.engine.sequences import Listener, Ticket

_AT_ONCE = 64  # below the length of the engine's waiting line
_ENDPOINT_AT_ONCE = 8


class Continues(Protocol):
    """What takes requests: an engine or a schedule, its rounds run by a thread of its own."""

    def submit(self, request: Request, listener: "Listener") -> "Ticket":
        """Put a request in the line; the listener hears its events from that thread."""
        ...


class EngineWriter:
    """Writes with a model in this process.

    Args:
        engine: running; the caller stops it.
        chat: the model's language.
        at_once: requests in the engine at the same time; more wait here.
    """

    def __init__(self, engine: Continues, chat: "Chat", at_once: int = _AT_ONCE) -> None:
        self._engine, self._chat = engine, chat
        self._room = asyncio.Semaphore(at_once)

    async def write(self, prompt: str, ask: Ask) -> Written:
        """Return what the model writes.

        Raises:
            ContextOverflow: prompt and text do not fit the model.
            ModelError: the engine broke off.
        """
        asked = self._prompt(prompt)
        params = SamplingParams(
            max_tokens=ask.max_tokens, temperature=ask.temperature, top_p=ask.top_p, seed=ask.seed, stop=ask.stop
        )
        async with self._room:
            completion = await self._draw(Request(asked.tokens, params))
        finished = completion.finished
        assert finished is not None
        tokens_in, tokens_out = len(asked.tokens), finished.usage.completion_tokens
        if finished.reason not in ("stop", "length"):
            cost = {"tokens_in": tokens_in, "tokens_out": tokens_out}
            raise ModelError(f"the engine broke off: {finished.error or 'it was stopped'}", cost=cost)
        return Written(self._text(completion, asked), tokens_in, tokens_out, finished.reason)

    def _prompt(self, text: str) -> "Prompt":
        from webfarer.engine.chat import Prompt

        if self._chat.template:
            return self._chat.prompt([{"role": "user", "content": text}])
        return Prompt(self._chat.encode(text))

    async def _draw(self, request: Request) -> Completion:
        loop, done, completion = asyncio.get_running_loop(), asyncio.Event(), Completion()

        def heard(event: Event) -> None:
            completion(event)
            if isinstance(event, Finished):
                loop.call_soon_threadsafe(done.set)

        try:
            ticket = self._engine.submit(request, heard)
        except ConfigError as error:  # it does not fit: another thought may
            raise ContextOverflow(error.message) from error
        try:
            await done.wait()
        finally:
            ticket.cancel()
        return completion

    def _text(self, completion: Completion, asked: "Prompt") -> str:
        if not self._chat.template:
            return completion.text.strip()
        said = self._chat.read("".join(map(self._chat.heard, completion.tokens)), asked)
        return said.content.strip()


class ChatWriter:
    """Writes with a chat model.

    Args:
        model: the caller closes it.
        at_once: calls under way at the same time.
    """

    def __init__(self, model: ChatModel, at_once: int = _ENDPOINT_AT_ONCE) -> None:
        self._model = model
        self._room = asyncio.Semaphore(at_once)

    async def write(self, prompt: str, ask: Ask) -> Written:
        """Return what the model replies.

        Raises:
            ModelError: it did not.
        """
        sampling = Sampling(ask.temperature, ask.top_p, ask.max_tokens, ask.seed, ask.stop)
        async with self._room:
            reply = await self._model.complete([Message("user", prompt)], sampling=sampling)
        return Written(reply.text, reply.usage.tokens_in, reply.usage.tokens_out, reply.finish)
