"""The engine: requests in, tokens out, many sequences at once in one memory.

Each round drops the cancelled, reads the prompts of those who fit, and draws one token for every active row. Sequences
come and go between rounds; greedy ones give the tokens of their solo run and seeded ones those of their seed,
as far as the sums of the model's own dtype do not depend on who else is in the batch.
Invariant: every active row belongs to exactly one sequence that is not finished, and every request submitted is
finished exactly once, whatever goes wrong. Not the way to a model's chat: that is :mod:`webfarer.models.local`.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Literal, get_args

import torch

from webfarer.core.errors import ConfigError, EngineBusy
from webfarer.engine.adapters import Adapter
from webfarer.engine.batch import Batch
from webfarer.engine.known import Known
from webfarer.engine.lanes import Lanes
from webfarer.engine.loading import Loaded, load
from webfarer.engine.memory import Memory
from webfarer.engine.policy import CachePolicy, parse
from webfarer.engine.sampling import Completion, Reason, Request, SamplingParams
from webfarer.engine.sequences import Line, Listener, Sequence, Ticket, Voice
from webfarer.engine.speculation import Speculate
from webfarer.engine.timeline import Record

Scheduler = Literal["batched", "serial", "fcfs"]
SCHEDULERS: tuple[Scheduler, ...] = get_args(Scheduler)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the engine takes on.

    Attributes:
        rows: sequences active at once.
        prompt: longest prompt; None for what the model's context allows.
        new: most tokens one request may ask for; None for what the model's context allows.
        context: most tokens of a prompt and its answer; None for what the model can. It also decides how models with
            longrope rotate.
        prefill_tokens: prompt tokens read in one round; a longer prompt is read alone.
        waiting: requests that may wait for a row.
        prefixes: bytes of keys and values kept of prompts and outputs, so that what begins like one of them is not read
            again; 0 for none.
    """

    rows: int = 16
    prompt: int | None = None
    new: int | None = None
    context: int | None = None
    prefill_tokens: int = 2048
    waiting: int = 256
    prefixes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class EngineStats:
    """What the engine holds now and has done so far.

    Attributes:
        active, waiting: sequences now.
        cache_bytes: allocated for keys and values of rows. known_bytes: of prompts kept for those that begin like them.
        rounds: decode steps run.
        prompt_tokens, completion_tokens: read and drawn, unfinished sequences included.
        drafted, accepted: guessed tokens that were checked, and those of them that stood.
        finished: sequences by the reason of their end.
        gave_up: why there are no more drafts, if there are none any more.
    """

    active: int
    waiting: int
    cache_bytes: int
    known_bytes: int
    rounds: int
    prompt_tokens: int
    completion_tokens: int
    drafted: int
    accepted: int
    finished: dict[Reason, int]
    gave_up: str | None


class Engine:
    """A model that continues many sequences at once.

    Args:
        model: as :func:`webfarer.engine.loading.load` gives it.
        policy: what the memory keeps.
        limits: what is taken on.
        adapters: LoRA adapters by the names requests use.
    """

    def __init__(
        self,
        model: Loaded,
        policy: CachePolicy,
        limits: Limits = Limits(),
        adapters: Mapping[str, Adapter] | None = None,
    ) -> None:
        self.spec, self.policy, self.limits = model.spec, policy, limits
        self.adapters = dict(adapters or {})
        self._voice = Voice(
            model.spec.vocab, frozenset(model.ends), model.tokenizer.backend_tokenizer, model.spec.device
        )
        self._known = Known(limits.prefixes)
        self._model = model
        self._batch: Batch | Lanes = self._make_batch(limits.rows)
        self._make_lanes: Callable[[], Lanes] | None = None
        self._numbers = count()
        self._line = Line(limits.waiting)
        self._round = threading.RLock()
        self._thread: threading.Thread | None = None

    @classmethod
    def load(
        cls,
        folder: str | Path,
        *,
        cache: str | CachePolicy = "full",
        dtype: torch.dtype | None = None,
        device: str | None = None,
        adapters: Mapping[str, Path] | None = None,
        limits: Limits = Limits(),
    ) -> "Engine":
        """Load a model and make an engine of it.

        Args:
            folder: of the model.
            cache: a cache policy, or its text ("scope:prompt=2048,recent=256").
            dtype: of weights and cache; None for what suits the device.
            device: None for the best there is.
            adapters: folders of LoRA adapters, by the names requests use.
            limits: what is taken on.

        Raises:
            ConfigError: model, policy or adapter cannot work.
        """
        model = load(folder, dtype, device, context=limits.context)
        policy = parse(cache) if isinstance(cache, str) else cache
        layout = model.decoder.layout
        loaded = {name: Adapter.load(Path(path), layout, name) for name, path in (adapters or {}).items()}
        return cls(model, policy, limits, loaded)

    def _make_batch(self, rows: int) -> Batch:
        return Batch(self._model, Memory(self.spec, self.policy, rows), self.adapters, self._known)

    def arrange(
        self, speculate: Speculate | None = None, scheduler: Scheduler = "batched", record: Record | None = None
    ) -> None:
        """Say how tokens are drawn from now on; to be called before the first request.

        Args:
            speculate: how to draft; None draws one token at a time.
            scheduler: "batched" reads all sequences in one pass; "serial" and "fcfs" are there to be compared with.
            record: hears of every stretch of work, from whichever thread did it; None for nobody.

        Raises:
            ConfigError: the drafter does not go with this model, cache policy or tree, or there are requests already.
        """
        if scheduler not in SCHEDULERS:
            raise ConfigError(f"unknown scheduler {scheduler!r}; known: {', '.join(SCHEDULERS)}")
        if scheduler == "fcfs" and speculate is None:
            raise ConfigError("the scheduler fcfs is about drafts: say what drafts")
        with self._round:
            if self._batch.busy or self._line:
                raise ConfigError("how tokens are drawn is settled before the first request")
            count_of, rows = (1, self.limits.rows) if scheduler == "batched" else (self.limits.rows, 1)
            batches = [self._make_batch(rows) for _ in range(count_of)]
            for batch in batches:
                batch.record = record
                if speculate is not None:
                    speculation = speculate.on(self._model, batch.memory, apart=scheduler == "fcfs")
                    if speculation.costs is not speculate.costs:
                        speculate = replace(speculate, costs=speculation.costs)  # measured once
                    batch.speculate(speculation)
            workers = min(self.limits.rows, max(1, (os.cpu_count() or 2) - 1)) if scheduler == "fcfs" else 0
            if isinstance(self._batch, Lanes):
                self._batch.close()
            self._make_lanes = None if scheduler == "batched" else partial(Lanes, batches, workers)
            self._batch = self._make_lanes() if self._make_lanes else batches[0]

    def submit(self, request: Request, listener: Listener) -> Ticket:
        """Put a request in the line; safe from any thread.

        Args:
            request: what to continue.
            listener: called from the thread that runs the round with every event, `Finished` last.

        Raises:
            EngineBusy: the line is full.
            ConfigError: the request can never be served.
        """
        self._check(request)
        sequence = Sequence(request, listener, self._voice)
        sequence.number = next(self._numbers)
        self._line.join(sequence)
        return Ticket(sequence, self._line.wake)

    @property
    def full(self) -> bool:
        """Whether the line is full, so that a request would be refused now."""
        return len(self._line) >= self.limits.waiting

    @property
    def alive(self) -> bool:
        """Whether the engine's thread, once started, still runs."""
        return self._thread is None or self._thread.is_alive()

    def step(self) -> bool:
        """Run one round; return False when there was nothing to do."""
        with self._round:
            if not (self._batch.busy or self._line):
                return False
            self._drop()
            if news := self._line.take(self._batch.free, self.limits.prefill_tokens):
                self._batch.admit(news)
                self._batch.deliver()
            self._batch.decode()
            self._batch.deliver()
            return True

    def start(self) -> None:
        """Run rounds in a thread of the engine's own, until :meth:`stop`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="webfarer-engine", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the threads after their round and cancel every sequence that is not finished."""
        thread, self._thread = self._thread, None
        self._line.wake()
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        with self._round:
            self._drop(everyone=True)
            if isinstance(self._batch, Lanes) and self._make_lanes:
                self._batch.close()
                self._batch = self._make_lanes()  # its threads begin when the engine works again

    def generate(
        self,
        prompts: Iterable[Iterable[int]],
        params: SamplingParams | Iterable[SamplingParams] = SamplingParams(),
        adapter: str | None = None,
    ) -> list[Completion]:
        """Continue every prompt and wait for all of them.

        Args:
            prompts: token ids.
            params: for all prompts, or one for each; several completions of one prompt need different seeds.
            adapter: for all prompts.

        Raises:
            ConfigError: a request can never be served; nothing was run.
        """
        each = repeat(params) if isinstance(params, SamplingParams) else params
        requests = [Request(tuple(tokens), some, adapter) for tokens, some in zip(prompts, each, strict=False)]
        for request in requests:
            self._check(request)
        completions = [Completion() for _ in requests]
        pending = deque(zip(requests, completions, strict=True))
        tickets = []
        try:
            while not all(c.finished for c in completions):
                try:
                    while pending:
                        tickets.append(self.submit(*pending[0]))
                        pending.popleft()
                except EngineBusy:
                    pass  # the line is full: a round makes room
                self.step()
        finally:
            for ticket in tickets:
                ticket.cancel()
            with self._round:
                self._drop()
        return completions

    def logprobs(self, tokens: Iterable[int], adapter: str | None = None) -> list[float]:
        """Return the log-probability of each token but the first, given those before it."""
        request = Request(tuple(tokens), SamplingParams(max_tokens=1), adapter)
        self._check(request)
        with self._round:
            return self._batch.score(list(request.tokens), adapter)

    def stats(self) -> EngineStats:
        """Return what the engine holds and has done."""
        with self._round:
            counts = self._batch.counts
            return EngineStats(
                active=len(self._batch.active),
                waiting=len(self._line),
                cache_bytes=self._batch.bytes,
                known_bytes=self._known.bytes,
                rounds=counts.steps,
                prompt_tokens=counts.read,
                completion_tokens=counts.drawn,
                drafted=counts.drafted,
                accepted=counts.accepted,
                finished=dict(counts.finished),
                gave_up=counts.gave_up,
            )

    def check_integrity(self) -> None:
        """Look whether every active row belongs to one sequence that is not finished, and the memory is sound.

        Raises:
            WebfarerError: they are not.
        """
        with self._round:
            self._batch.check()

    def _check(self, request: Request) -> None:
        """Refuse what can never be served."""
        size, new = len(request.tokens), request.params.max_tokens
        context = min(self.spec.context, self.limits.context or self.spec.context)
        most, most_new = self.limits.prompt or context - 1, self.limits.new or context - 1
        if not request.tokens:
            raise ConfigError("an empty prompt cannot be continued; begin with the model's start token")
        if size > most:
            raise ConfigError(f"the prompt has {size} tokens, the engine takes {most}; shorten it")
        if new > most_new:
            raise ConfigError(f"max_tokens={new} is above the engine's limit of {most_new}; ask for less")
        if size + new > context:
            raise ConfigError(
                f"{size} prompt tokens and max_tokens={new} pass the model's context of {context}; "
                f"ask for at most {context - size} tokens or shorten the prompt"
            )
        ids = (*request.tokens, *request.params.stop_tokens)
        if not 0 <= min(ids) <= max(ids) < self.spec.vocab:
            raise ConfigError(f"token ids lie between 0 and {self.spec.vocab - 1}; was another tokenizer used?")
        if request.adapter is not None and request.adapter not in self.adapters:
            known = ", ".join(sorted(self.adapters)) or "none"
            raise ConfigError(f"unknown adapter {request.adapter!r}; known: {known}")

    def _serve(self) -> None:
        while self._thread is threading.current_thread():
            if not self.step():
                self._line.sleep()

    def _drop(self, *, everyone: bool = False) -> None:
        """End those who were cancelled."""
        leaving = self._line.drop(everyone=everyone) + [s for s in self._batch.active if everyone or s.cancelled]
        self._batch.cancel(leaving)
        self._batch.deliver()
