"""A chat model in this process: an open-weights model in a folder, run by our own engine.

Weights are loaded once per folder and cache policy and stay until the process ends; the engine's thread runs while
somebody uses it. Tools go through the model's own chat template; where that has no place for them, or a JSON schema is
asked for, the reply says what was done without, as an endpoint's does. Costs time and no money. Invariant: when a call
ends, however it ends (a reply, the deadline, a cancelled run), the engine draws no more tokens for it.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from secrets import token_hex
from threading import Lock

from webfarer.core.errors import ConfigError, ContextOverflow, ModelError, ModelTimeout, boundary
from webfarer.core.run import Call
from webfarer.engine.chat import Chat, Prompt
from webfarer.engine.engine import Engine
from webfarer.engine.sampling import Completion, Event, Finished, Request, SamplingParams
from webfarer.engine.speculation import Speculate
from webfarer.models import wire
from webfarer.models.base import Message, Reply, Sampling, Tool, ToolCall, Usage
from webfarer.models.tokens import estimate_prompt

_ADAPTER = "adapter_config.json"
_NO_SCHEMAS = frozenset(("json_schema", "json_object"))


class Weights:
    """An engine and its model's language, shared by all who name the same folder.

    Attributes:
        engine: runs while somebody uses it.
        chat: the model's language.
        adapter: the engine's name of the adapter that every request uses; None for the model itself.
    """

    def __init__(self, engine: Engine, chat: Chat, adapter: str | None = None) -> None:
        self.engine, self.chat, self.adapter = engine, chat, adapter
        self._users = 0
        self._lock = Lock()

    def join(self) -> None:
        """Use the engine; the first user starts it."""
        with self._lock:
            self._users += 1
            if self._users == 1:
                self.engine.start()

    def leave(self) -> None:
        """Use it no more; the last user stops it."""
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self.engine.stop()


@cache
def weights(folder: Path, policy: str, draft: str = "") -> Weights:
    """Return what is in `folder`, loaded the first time it is asked for with this cache policy and drafter.

    Raises:
        ConfigError: there is no model or adapter that can be loaded, or none that can chat.
    """
    if not folder.is_dir():
        raise ConfigError(f"no folder {folder}: local:FOLDER names a model's folder (config.json, *.safetensors, …)")
    adapters = {folder.name: folder} if (folder / _ADAPTER).exists() else {}
    model = _base(folder) if adapters else folder
    chat = Chat.load(model)
    if not chat.template:
        raise ConfigError(f"the model in {model} has no chat template; take its instruct or chat version")
    engine = Engine.load(model, cache=policy, adapters=adapters)
    if draft:
        engine.arrange(Speculate(draft))
    return Weights(engine, chat, next(iter(adapters), None))


def _base(adapter: Path) -> Path:
    """Return the folder of the model that an adapter belongs to, which it names."""
    with boundary(ConfigError, f"{adapter / _ADAPTER} cannot be read"):
        base = Path(json.loads((adapter / _ADAPTER).read_text(encoding="utf-8"))["base_model_name_or_path"])
    if not base.is_dir():
        raise ConfigError(
            f"{adapter} is an adapter of {base}, which is no folder here; "
            f"write the folder of its model into {_ADAPTER} as base_model_name_or_path"
        )
    return base


class Local:
    """A model in a folder.

    Args:
        folder: as `save_pretrained` writes it; or of a LoRA adapter, which names its model's folder.
        context: context window in tokens; never more than the model's own.
        policy: what its cache keeps.
        draft: what guesses ahead; "" for nothing.
        tokens: replies hold token ids and log-probabilities.

    Raises:
        ConfigError: it cannot be loaded.
    """

    def __init__(
        self,
        folder: str | Path,
        context: int | None = None,
        policy: str = "full",
        draft: str = "",
        *,
        tokens: bool = False,
    ) -> None:
        self.name = f"local:{folder}"
        self._tokens = tokens
        self._weights = weights(Path(folder).expanduser().resolve(), policy, draft)
        window = self._weights.engine.spec.context
        self.context = min(window, context or window)
        self._weights.join()
        self._joined = True

    def count(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> int:
        """Return the number of prompt tokens; an estimate for parts that the template does not write alone."""
        try:
            return len(self._prompt(messages, tools).tokens)
        except ConfigError:
            return estimate_prompt(messages, tools)

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[Tool] = (),
        sampling: Sampling = Sampling(),
        call: Call | None = None,
    ) -> Reply:
        """Return the model's reply; `call` is not used, nothing is sent.

        Raises:
            ConfigError: the model's chat template cannot say this conversation.
            ModelError: of the tree; `cost` holds the tokens read and drawn.
        """
        prompt = await asyncio.to_thread(self._prompt, messages, tools)
        if len(prompt.tokens) + sampling.max_tokens > self.context:
            raise ContextOverflow(
                f"{len(prompt.tokens)} prompt tokens and {sampling.max_tokens} for the reply pass the context window "
                f"of {self.name}, {self.context} tokens",
                prompt=len(prompt.tokens),
            )
        completion = await self._draw(prompt, sampling)
        return self._reply(completion, prompt, tools, sampling)

    async def close(self) -> None:
        """Let go of the engine; the weights stay."""
        if self._joined:
            self._joined = False
            await asyncio.to_thread(self._weights.leave)

    def _prompt(self, messages: Sequence[Message], tools: Sequence[Tool]) -> Prompt:
        offered = tools if self._weights.chat.tools else ()
        body = wire.request(self.name, messages, offered, Sampling())
        return self._weights.chat.prompt(body["messages"], body.get("tools", ()))

    async def _draw(self, prompt: Prompt, sampling: Sampling) -> Completion:
        """Let the engine continue the prompt until the reply is there or the deadline has passed."""
        loop, done, completion = asyncio.get_running_loop(), asyncio.Event(), Completion()

        def heard(event: Event) -> None:
            completion(event)
            if isinstance(event, Finished):
                loop.call_soon_threadsafe(done.set)

        params = SamplingParams(
            max_tokens=sampling.max_tokens,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=sampling.seed,
            stop=sampling.stop,
            logprobs=0 if self._tokens else None,
        )
        ticket = self._weights.engine.submit(Request(prompt.tokens, params, self._weights.adapter), heard)
        try:
            async with asyncio.timeout(sampling.seconds):
                await done.wait()
        except TimeoutError as error:
            cost = {"tokens_in": len(prompt.tokens), "tokens_out": len(completion.tokens)}
            raise ModelTimeout(f"{self.name} gave no reply within {sampling.seconds:.0f} s", cost=cost) from error
        finally:
            ticket.cancel()
        return completion

    def _reply(self, completion: Completion, prompt: Prompt, tools: Sequence[Tool], sampling: Sampling) -> Reply:
        finished = completion.finished
        assert finished is not None
        used = Usage(len(prompt.tokens), finished.usage.completion_tokens)
        if finished.reason not in ("stop", "length"):
            cost = {"tokens_in": used.tokens_in, "tokens_out": used.tokens_out}
            raise ModelError(f"{self.name} broke off: {finished.error or 'its engine was stopped'}", cost=cost)
        chat = self._weights.chat
        offered = [tool.name for tool in tools] if chat.tools else ()
        said = chat.read("".join(map(chat.heard, completion.tokens)), prompt, offered)
        calls = tuple(ToolCall(f"call_{token_hex(6)}", name, arguments) for name, arguments in said.calls)
        lacks = _NO_SCHEMAS if chat.tools else _NO_SCHEMAS | {"tools"}
        reply = Reply(
            text=said.content.strip(),
            reasoning=said.reasoning.strip(),
            tool_calls=calls,
            finish="tool_calls" if calls and finished.reason == "stop" else finished.reason,
            usage=used,
            degraded=wire.done_without(lacks, tools, sampling),
        )
        if not self._tokens:
            return reply
        logprobs = tuple(token.logprob for token in completion.tokens if token.logprob is not None)
        return replace(reply, prompt_ids=tuple(prompt.tokens), token_ids=tuple(completion.ids), logprobs=logprobs)
