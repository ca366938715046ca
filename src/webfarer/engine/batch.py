"""The sequences that are active now: the row each has in the memory, and the forwards they share.

Not the line nor the thread: those are :mod:`webfarer.engine.engine`. Used by one thread at a time. Invariant: row i of
the memory is that of `active[i]`; a forward that fails takes along the sequences that were in it, and their rows are
free again before anybody hears of it. What sequences have to tell waits in an outbox until the batch is whole again.
"""

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from webfarer.core.errors import WebfarerError, boundary
from webfarer.engine.adapters import Adapter, Rows
from webfarer.engine.known import Known
from webfarer.engine.loading import Loaded
from webfarer.engine.memory import Attend, Memory
from webfarer.engine.policy import CachePolicy
from webfarer.engine.prefixes import Prefix
from webfarer.engine.sampler import sample, to_device
from webfarer.engine.sampling import Event, Finished, Reason
from webfarer.engine.sequences import Sequence

_SHARED = 128
"""Shorter prefixes are copied; from here on memory is worth an attention of its own."""

_CHUNK = 256
"""Positions whose logits are held at once when a text is scored."""


@dataclass(slots=True)
class Counts:
    """What a batch has done: decode steps, prompt tokens read, tokens drawn, sequences by the reason of their end."""

    steps: int = 0
    read: int = 0
    drawn: int = 0
    finished: Counter[Reason] = field(default_factory=Counter)


class Batch:
    """Active sequences, their memory and their model.

    Args:
        model: runs the forwards.
        policy: what the memory keeps.
        rows: how many sequences may be active.
        adapters: by the names requests use.
        known: prompts that need not be read again.
    """

    def __init__(
        self, model: Loaded, policy: CachePolicy, rows: int, adapters: Mapping[str, Adapter], known: Known
    ) -> None:
        self.active: list[Sequence] = []
        self.counts = Counts()
        self.memory = Memory(model.spec, policy, rows)
        self._decoder, self._spec, self._policy = model.decoder, model.spec, policy
        self._adapters, self._known = adapters, known
        self._outbox: deque[tuple[Sequence, Event]] = deque()

    @property
    def free(self) -> int:
        """How many more sequences there is room for."""
        return self.memory.rows - len(self.active)

    @property
    def busy(self) -> bool:
        """Whether there is a token to draw or an event to deliver."""
        return bool(self.active or self._outbox)

    def admit(self, news: list[Sequence]) -> None:
        """Give each a row, read what is new of their prompts in one forward and draw their first tokens.

        A prompt several of them have is read once, and the others share its slots if the policy lets rows share.
        """
        with self._guard(news, "reading prompts"):
            twins: dict[object, list[Sequence]] = {}
            for sequence in news:
                alike = (sequence.request.tokens, sequence.request.adapter)
                twins.setdefault(alike if self.memory.shares else sequence, []).append(sequence)
            first = [same[0] for same in twins.values()]
            seeded = [self._begin(sequence) for sequence in first]
            starts = [sequence.cached for sequence in first]
            lengths = [len(s.request.tokens) - start for s, start in zip(first, starts, strict=True)]
            tokens = [token for s, start in zip(first, starts, strict=True) for token in s.request.tokens[start:]]
            positions = [start + i for start, length in zip(starts, lengths, strict=True) for i in range(length)]
            spans = [(s.request.adapter, length) for s, length in zip(first, lengths, strict=True)]
            rows = range(len(self.active) - len(first), len(self.active))
            hidden = self._forward(tokens, positions, self.memory.prefill(rows, lengths, seeded), spans)
            self.counts.read += len(tokens)
            for row, sequence in zip(rows, first, strict=True):
                self._remember(row, sequence.request.tokens, sequence.request.adapter)
            order = [index for index, same in enumerate(twins.values()) for _ in same[1:]]
            for same in twins.values():
                self._follow(same)
            last = self._ids(lengths).cumsum(0) - 1
            followers = [s for same in twins.values() for s in same[1:]]
            self._advance(first + followers, hidden[last[self._ids([*range(len(first)), *order])]])

    def _begin(self, sequence: Sequence) -> int:
        """Give a sequence a row that begins with what is known of its prompt; return how many tokens were copied there.

        One prefix at a time is shared in memory: every other one would cost each step an attention of its own.
        """
        request, memory = sequence.request, self.memory
        prefix = self._known.find(request.tokens, request.adapter) if memory.whole(len(request.tokens)) else None
        held = {id(p) for p in memory.prefix if p is not None}
        if prefix is None or id(prefix) in held or (not held and len(prefix.tokens) >= _SHARED):
            self._open(sequence, prefix)
            return 0
        self._open(sequence, None)
        memory.seed(memory.active - 1, prefix)
        sequence.cached = len(prefix.tokens)
        return sequence.cached

    def _open(self, sequence: Sequence, prefix: Prefix | None) -> None:
        request = sequence.request
        sequence.row = self.memory.open(len(request.tokens), request.params.max_tokens, prefix)
        self.active.append(sequence)
        sequence.cached = 0 if prefix is None else len(prefix.tokens)

    def _follow(self, same: list[Sequence]) -> None:
        """Open rows for sequences whose prompt the first of them has just read."""
        first, memory = same[0], self.memory
        if len(same) == 1 or first.row is None:
            return
        tokens = first.request.tokens
        alone = len(tokens) >= _SHARED and not any(memory.prefix)
        prefix = memory.share(first.row, tokens) if alone else memory.copy(first.row, tokens)
        for sequence in same[1:]:
            self._open(sequence, prefix if alone else None)
            if not alone:
                memory.seed(memory.active - 1, prefix)
            sequence.cached = len(tokens)

    def _remember(self, row: int, tokens: tuple[int, ...], adapter: str | None) -> None:
        """Keep a copy of what a row holds for prompts that begin like it."""
        known, memory, spec = self._known, self.memory, self._spec
        size = len(tokens) * spec.layers * spec.kv_heads * spec.slot_bytes
        if size <= known.limit and memory.shares and not known.covers(tokens, adapter):
            prefix = memory.snapshot(row, tokens)
            if prefix is not None:
                known.add(prefix, adapter)

    def decode(self) -> None:
        """Draw one more token for every active sequence."""
        if not self.active:
            return
        with self._guard(list(self.active), "drawing tokens"):
            self.counts.steps += 1
            tokens, spans = [s.last for s in self.active], [(s.request.adapter, 1) for s in self.active]
            # positions first: asking for the step counts its tokens
            positions = self.memory.positions
            self._advance(self.active, self._forward(tokens, positions, self.memory.decode(), spans))

    @torch.inference_mode()
    def score(self, tokens: list[int], adapter: str | None) -> list[float]:
        """Return the log-probability of each token but the first."""
        size = len(tokens)
        # a memory of its own: a text can be scored while all rows are in use
        memory = Memory(self._spec, CachePolicy(), 1)
        attend = memory.prefill([memory.open(size, 1)], [size])
        hidden = self._forward(tokens, list(range(size)), attend, [(adapter, size)])
        values: list[float] = []
        for start in range(0, size - 1, _CHUNK):
            after = self._ids(tokens[start + 1 : start + 1 + _CHUNK])
            logits = self._decoder.logits(hidden[start : start + len(after)])
            values += logits.log_softmax(dim=-1).gather(1, after[:, None])[:, 0].tolist()
        return values

    def cancel(self, sequences: list[Sequence]) -> None:
        """End sequences that may have a row."""
        with self._guard(sequences, "cancelling"):
            for sequence in sequences:
                self._finish(sequence, "cancelled")

    def deliver(self) -> None:
        """Tell the listeners what happened; they may submit and cancel."""
        while self._outbox:
            sequence, event = self._outbox.popleft()
            sequence.tell(event)

    def check(self) -> None:
        """Look whether rows and sequences belong together.

        Raises:
            WebfarerError: they do not.
        """
        self.memory.check()
        rows = [s.row for s in self.active]
        if rows != list(range(self.memory.active)):
            raise WebfarerError(f"the sequences' rows are {rows}, the memory has {self.memory.active}")
        if len({id(s) for s in self.active}) < len(rows) or any(s.ended for s in self.active):
            raise WebfarerError("a sequence is active twice, or after its end")

    def _ids(self, values: list[int]) -> torch.Tensor:
        return to_device(values, torch.int64, self._spec.device)

    def _forward(
        self, tokens: list[int], positions: list[int], attend: Attend, spans: list[tuple[str | None, int]]
    ) -> torch.Tensor:
        """Run the decoder over flat tokens; `spans` names the adapter of so many of them, in order."""
        named = [(None if name is None else self._adapters[name], length) for name, length in spans]
        adapters = Rows(named, self._spec.device) if any(adapter for adapter, _ in named) else None
        return self._decoder.forward(self._ids(tokens), self._ids(positions), attend, adapters)

    def _advance(self, sequences: list[Sequence], hidden: torch.Tensor) -> None:
        """Draw a token for each sequence from its last hidden state; end those for whom it was the last."""
        drawn = sample(self._decoder.logits(hidden), [s.sampling for s in sequences])
        self.counts.drawn += len(drawn)
        # a copy: who ends gives the row back
        for sequence, token in zip(list(sequences), drawn, strict=True):
            try:
                event, reason = sequence.take(token)
            except WebfarerError as error:
                self._finish(sequence, "error", str(error))
                continue
            self._outbox.append((sequence, event))
            if reason is not None:
                self._finish(sequence, reason)

    def _finish(self, sequence: Sequence, reason: Reason, error: str | None = None) -> None:
        """End a sequence, with what it held."""
        usage = sequence.usage
        if sequence.row is not None:
            if reason in ("stop", "length"):  # the token drawn last was not read
                said = sequence.request.tokens + tuple(sequence.drawn[:-1])
                self._remember(sequence.row, said, sequence.request.adapter)
            held = self.memory.stats(sequence.row)
            usage = replace(
                usage,
                stored_slots=held.stored,
                read_slots=held.read,
                cache_bytes=held.bytes,
                evictions=held.evicted,
            )
            self._leave(sequence)
        self._end(sequence, Finished(reason, usage, error))

    def _leave(self, sequence: Sequence) -> None:
        """Give the sequence's row back; the last one moves into it."""
        row = sequence.row
        if row is None:
            return
        self.memory.close(row)
        last = self.active.pop()
        if last is not sequence:
            self.active[row], last.row = last, row
        sequence.row = None

    def _end(self, sequence: Sequence, event: Finished) -> None:
        sequence.ended = True
        self.counts.finished[event.reason] += 1
        self._outbox.append((sequence, event))

    @contextmanager
    def _guard(self, sequences: list[Sequence], what: str) -> Iterator[None]:
        """Run a forward; if it fails or is interrupted, end the sequences that were in it."""
        error: BaseException = WebfarerError(f"{what} was interrupted")
        whole = False
        try:
            with boundary(WebfarerError, what), torch.inference_mode():
                yield
            whole = True
        except WebfarerError as caught:
            error = caught
        finally:
            if not whole:
                self._fail([s for s in sequences if not s.ended], str(error))

    def _fail(self, sequences: list[Sequence], error: str) -> None:
        """End sequences whose forward failed, and make sure that the memory is sound."""
        sound = False
        try:
            with boundary(WebfarerError, "giving rows back"), torch.inference_mode():
                for sequence in sequences:
                    self._leave(sequence)
                self.memory.check()
            sound = True
        except WebfarerError:
            # nothing it holds can be trusted: everybody who had a row ends
            sequences = sequences + [s for s in self.active if s not in sequences]
            self.active.clear()
        for sequence in sequences:
            sequence.row = None
            self._end(sequence, Finished("error", sequence.usage, error))
        if not sound:
            self.memory = Memory(self._spec, self._policy, self.memory.rows)
