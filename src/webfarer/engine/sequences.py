"""Sequences on their way through the engine, and the line they wait in.

A sequence knows its own request, random stream, text and row, and nothing of its neighbours. Not the loop: that is
:mod:`webfarer.engine.engine`. Invariant: a sequence tells its listener about its tokens in order and then, once, that
it is finished; a listener that raises is not called again.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from random import Random

import torch

from webfarer.core.errors import EngineBusy, WebfarerError, boundary
from webfarer.engine.sampler import Drawn, Row, seen_mask
from webfarer.engine.sampling import Event, Finished, Reason, Request, Token, Usage
from webfarer.engine.stopping import Decodes, Stopper

Listener = Callable[[Event], None]


@dataclass(frozen=True, eq=False)
class Voice:
    """What a model's sequences have in common.

    Attributes:
        vocab: how many ids there are.
        ends: the model's own end tokens.
        tokenizer: turns ids into text; None for a model without one.
        device: where logits are.
    """

    vocab: int
    ends: frozenset[int]
    tokenizer: Decodes | None
    device: torch.device


class Stream:
    """A sequence's own numbers in [0, 1), which can be looked at before they are used."""

    def __init__(self, seed: str | None) -> None:
        self._random, self._ahead = Random(seed), deque[float]()

    def random(self) -> float:
        """Return the next one."""
        return self._ahead.popleft() if self._ahead else self._random.random()

    def peek(self, count: int) -> list[float]:
        """Return the next `count` ones, which stay."""
        while len(self._ahead) < count:
            self._ahead.append(self._random.random())
        return list(islice(self._ahead, count))


@dataclass(frozen=True, slots=True)
class Given:
    """A number that was drawn before."""

    chance: float

    def random(self) -> float:
        """Return it."""
        return self.chance


class Sequence:
    """One request being answered.

    Attributes:
        row: its row in the memory while it is active, else None.
        last: the token drawn last, which the next step reads.
        drawn: the ids drawn so far.
        cached: tokens of its prompt that were not read again.
        cancelled: it is to end at the next round.
        ended: it has no row and will get none.
        stream: what it draws with.
        number: its place in the order of submission.
        drafted, accepted: tokens that were guessed and checked, and those of them that stood.
    """

    number = drafted = accepted = 0

    def __init__(self, request: Request, listener: Listener, voice: Voice) -> None:
        params = request.params
        seed = None if params.seed is None else str(params.seed)
        self.request = request
        self.row: int | None = None
        self.last = request.tokens[-1]
        self.drawn: list[int] = []
        self.cached = 0
        self.cancelled = False
        self.ended = False
        self._listener: Listener | None = listener
        self.stream = Stream(seed)
        self._sampling = Row(params, self.stream)
        if params.repetition_penalty != 1:
            self._sampling.seen = seen_mask(request.tokens, voice.vocab, voice.device)
        self._stopper = Stopper(params, voice.ends, voice.tokenizer, request.tokens)

    @property
    def sampling(self) -> Row:
        """What the sampler has to know for the next token."""
        self._sampling.banned = self._stopper.banned()
        return self._sampling

    def after(self, tokens: tuple[int, ...], chance: float) -> Row:
        """Return what the sampler has to know for the token after `tokens`, which are not drawn yet."""
        seen = self._sampling.seen
        if seen is not None and tokens:
            seen = seen | seen_mask(tokens, len(seen), seen.device)
        return Row(self.request.params, Given(chance), seen, self._stopper.banned(len(tokens)))

    @property
    def left(self) -> int:
        """How many more tokens it may draw."""
        return self.request.params.max_tokens - self._stopper.count

    @property
    def usage(self) -> Usage:
        """What was consumed so far, memory apart."""
        return Usage(
            len(self.request.tokens),
            self._stopper.count,
            cached_tokens=self.cached,
            drafted=self.drafted,
            accepted=self.accepted,
        )

    def take(self, drawn: Drawn) -> tuple[Token, Reason | None]:
        """Add a token; return what to tell of it, and why the sequence ends, if it does.

        Raises:
            WebfarerError: the logits were not numbers, or the tokenizer cannot decode the token.
        """
        if drawn.id is None:
            raise WebfarerError("the model's logits are not numbers (NaN or infinite); try another dtype")
        index = self._stopper.count
        text, reason = self._stopper.take(drawn.id)
        self.last = drawn.id
        self.drawn.append(drawn.id)
        if self._sampling.seen is not None:
            self._sampling.seen[drawn.id] = True
        return Token(index, drawn.id, text, drawn.logprob, drawn.top), reason

    def tell(self, event: Event) -> None:
        """Call the listener, unless it has heard the end or has raised."""
        if self._listener is None:
            return
        try:
            with boundary(WebfarerError, "listening to a sequence"):
                self._listener(event)
        except WebfarerError:
            # nobody hears this sequence any more; its neighbours must not suffer for it
            self._listener = None
            self.cancelled = True
        if isinstance(event, Finished):
            self._listener = None


class Ticket:
    """What a caller holds of a request that was submitted."""

    def __init__(self, sequence: Sequence, wake: Callable[[], None]) -> None:
        self._sequence, self._wake = sequence, wake

    @property
    def cancelled(self) -> bool:
        """Whether the sequence was told to end, by its caller or because its listener raised."""
        return self._sequence.cancelled

    def cancel(self) -> None:
        """End the sequence before the next round, from any thread; after its end this does nothing."""
        self._sequence.cancelled = True
        self._wake()


class Line:
    """Where sequences wait, first come, first served; safe to use from any thread."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._waiting: deque[Sequence] = deque()
        self._changed = threading.Condition()
        self._woken = False

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, sequence: Sequence) -> None:
        """Stand at the end.

        Raises:
            EngineBusy: the line is full.
        """
        with self._changed:
            if len(self._waiting) >= self._length:
                raise EngineBusy(f"{self._length} requests are waiting already; try again when some are done")
            self._waiting.append(sequence)
        self.wake()

    def take(self, rows: int, tokens: int) -> list[Sequence]:
        """Take those at the front who fit into so many rows and prompt tokens; the first fits whatever its length."""
        taken: list[Sequence] = []
        prompts: set[tuple[tuple[int, ...], str | None]] = set()
        with self._changed:
            while self._waiting and len(taken) < rows:
                request = self._waiting[0].request
                prompt = (request.tokens, request.adapter)
                tokens -= 0 if prompt in prompts else len(request.tokens)  # of several alike one is read
                if taken and tokens < 0:
                    break
                prompts.add(prompt)
                taken.append(self._waiting.popleft())
        return taken

    def drop(self, *, everyone: bool = False) -> list[Sequence]:
        """Take those who were cancelled out of the line."""
        with self._changed:
            left = [s for s in self._waiting if everyone or s.cancelled]
            if left:
                self._waiting = deque(s for s in self._waiting if s not in left)
        return left

    def wake(self) -> None:
        """Let :meth:`sleep` return, now or when it is next called."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def sleep(self) -> None:
        """Wait until :meth:`wake` was called since the last time."""
        with self._changed:
            self._changed.wait_for(lambda: self._woken)
            self._woken = False
