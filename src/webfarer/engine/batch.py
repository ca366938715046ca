"""The sequences that are active now: the row each has in the memory, and the forwards they share.

Not the line nor the thread: those are :mod:`webfarer.engine.engine`. Used by one thread at a time. Invariant: row i of
the memory is that of `active[i]`; a forward that fails takes along the sequences that were in it, and their rows are
free again before anybody hears of it. What sequences have to tell waits in an outbox until the batch is whole again.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import TypeVar

import torch

from webfarer.core.errors import ConfigError, WebfarerError, boundary
from webfarer.engine.adapters import Adapter, Rows
from webfarer.engine.drafting import Draft
from webfarer.engine.intake import Adapted, Intake, Prompt
from webfarer.engine.known import Known
from webfarer.engine.loading import Loaded
from webfarer.engine.memory import Attend, Memory
from webfarer.engine.policy import CachePolicy
from webfarer.engine.sampler import Drawn, sample, to_device
from webfarer.engine.sampling import Event, Finished, Reason
from webfarer.engine.sequences import Sequence
from webfarer.engine.speculation import Speculation
from webfarer.engine.timeline import Record, Span
from webfarer.engine.trial import COMMITTED

_T = TypeVar("_T")

_CHUNK = 256
"""Positions whose logits are held at once when a text is scored."""


@dataclass(slots=True)
class Counts:
    """What a batch has done.

    Attributes:
        steps: passes that drew tokens. read: prompt tokens. drawn: tokens.
        drafted, accepted: guessed tokens that were checked, and those of them that stood.
        finished: sequences by the reason of their end.
        gave_up: why speculation was given up, if it was.
    """

    steps: int = 0
    read: int = 0
    drawn: int = 0
    drafted: int = 0
    accepted: int = 0
    finished: Counter[Reason] = field(default_factory=Counter)
    gave_up: str | None = None

    @classmethod
    def total(cls, parts: Iterable["Counts"]) -> "Counts":
        """Return the sum of several."""
        whole = cls()
        for part in parts:
            for name in ("steps", "read", "drawn", "drafted", "accepted"):
                setattr(whole, name, getattr(whole, name) + getattr(part, name))
            whole.finished.update(part.finished)
            whole.gave_up = whole.gave_up or part.gave_up
        return whole


class Batch:
    """Active sequences, their memory and their model.

    Args:
        model: runs the forwards.
        memory: its rows are how many sequences may be active.
        adapters: by the names requests use.
        known: prompts that need not be read again.

    Attributes:
        record: hears of every stretch of work, or None.
    """

    record: Record | None = None

    def __init__(self, model: Loaded, memory: Memory, adapters: Mapping[str, Adapter], known: Known) -> None:
        self.active: list[Sequence] = []
        self.counts = Counts()
        self.memory = memory
        self._decoder, self._spec = model.decoder, model.spec
        self._adapters, self._known = adapters, known
        self._speculation: Speculation | None = None
        self._drafts: list[Draft] = []
        self._outbox: deque[tuple[Sequence, Event]] = deque()

    @property
    def free(self) -> int:
        """How many more sequences there is room for."""
        return self.memory.rows - len(self.active)

    @property
    def bytes(self) -> int:
        """Bytes allocated for keys and values."""
        return self.memory.bytes

    @property
    def busy(self) -> bool:
        """Whether there is a token to draw or an event to deliver."""
        return bool(self.active or self._outbox)

    def speculate(self, speculation: Speculation) -> None:
        """Draft from now on.

        Raises:
            ConfigError: there are sequences already.
        """
        if self.active:
            raise ConfigError("speculation begins before the first sequence")
        self._speculation = speculation

    def admit(self, news: list[Sequence]) -> None:
        """Give each a row, read what is new of their prompts in one forward and draw their first tokens."""
        with self._guard(news, "reading prompts"):
            prompts = [Prompt(s.request.tokens, s.request.params.max_tokens, s.request.adapter) for s in news]
            order, hidden, read = self._intake.read(prompts)
            placed = []
            for index in order:
                sequence, prompt = news[index], prompts[index]
                sequence.row, sequence.cached = prompt.row, prompt.cached
                self.active.append(sequence)
                placed.append(sequence)
            self.counts.read += read
            self._speculating(lambda speculation: speculation.open(placed))
            self._advance(placed, hidden)

    @property
    def _intake(self) -> Intake:
        return Intake(self.memory, self._known, self._forward)

    def decode(self) -> None:
        """Draw at least one more token for every active sequence."""
        self.draft()
        self.verify()

    def draft(self) -> None:
        """Guess what comes next, if that is done here; touches nothing but the drafter and its own memory."""
        if self._speculation is None or not self.active:
            return
        start, numbers = perf_counter(), self._numbers
        found = self._speculating(lambda speculation: speculation.propose(self.active))
        self._drafts, end = found or [], perf_counter()
        if self._speculation is not None:
            self._speculation.took_drafting(self._drafts, end - start)
        if self.record and any(draft.tokens for draft in self._drafts):
            self.record(Span("draft", numbers, start, end))

    @property
    def _numbers(self) -> tuple[int, ...]:
        return tuple(sequence.number for sequence in self.active)

    def verify(self) -> None:
        """Read what was drafted and draw; between :meth:`draft` and this no sequence may come or go."""
        if not self.active:
            return
        drafts, self._drafts = self._drafts, []
        drafted, start, numbers = any(draft.tokens for draft in drafts), perf_counter(), self._numbers
        with self._guard(list(self.active), "drawing tokens"):
            self.counts.steps += 1
            if drafted:
                self._check_drafts(drafts)
            else:
                self._decode()
        end = perf_counter()
        if self._speculation is not None:
            self._speculation.took(len(numbers), drafts, end - start)
        if self.record:
            self.record(Span("verify" if drafted else "decode", numbers, start, end))

    def _decode(self) -> None:
        """Draw one token for every sequence."""
        tokens, adapted = [s.last for s in self.active], [(s.request.adapter, 1) for s in self.active]
        # positions first: asking for the step counts its tokens
        positions = self.memory.positions
        hidden = self._forward(tokens, positions, self.memory.decode(), adapted)
        self._advance(self.active, hidden)

    def _check_drafts(self, drafts: list[Draft]) -> None:
        """Read every row's last token and its draft in one forward; what stands is drawn, the rest never was."""
        speculation = self._speculation
        assert speculation is not None
        sequences = list(self.active)
        trial = self.memory.trial(1 + max(len(draft.tokens) for draft in drafts))
        attend = trial.attend([[COMMITTED, *(parent + 1 for parent in draft.parents)] for draft in drafts])
        tokens = [t for s, draft in zip(sequences, drafts, strict=True) for t in (s.last, *draft.tokens)]
        adapted = [(s.request.adapter, 1 + len(draft.tokens)) for s, draft in zip(sequences, drafts, strict=True)]
        hidden = self._forward(tokens, trial.positions, attend, adapted)
        outcomes = speculation.judge(sequences, drafts, self._decoder.logits(hidden))
        heard = [self._take(s, outcome.drawn) for s, outcome in zip(sequences, outcomes, strict=True)]
        paths = [[0, *(node + 1 for node in outcome.path)] for outcome in outcomes]
        # the row's last token was read, and of those drawn now all but the last
        trial.keep([path[:taken] for path, (taken, _) in zip(paths, heard, strict=True)])
        for row, (sequence, draft, outcome) in enumerate(zip(sequences, drafts, outcomes, strict=True)):
            accepted = min(len(outcome.path), heard[row][0])  # nothing stands behind an end
            for counts in (self.counts, sequence):
                counts.drafted += len(draft.tokens)
                counts.accepted += accepted
            speculation.learn(row, draft, outcome)
        self._speculating(lambda speculation: speculation.settle(sequences))
        for sequence, (_, end) in zip(sequences, heard, strict=True):
            if end is not None:
                self._finish(sequence, *end)

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
        if not sequences:
            return
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
        self,
        tokens: list[int],
        positions: list[int],
        attend: Attend,
        adapted: Adapted,
        ends: list[int] | None = None,
    ) -> torch.Tensor:
        """Run the decoder over flat tokens of all rows; return the hidden states of all, or of those at each's end."""
        last = None if ends is None else (self._ids(ends), self._rows([(name, 1) for name, _ in adapted]))
        ids, at = to_device([tokens, positions], torch.int64, self._spec.device).unbind()
        return self._decoder.forward(ids, at, attend, self._rows(adapted), last)

    def _rows(self, adapted: Adapted) -> Rows | None:
        named = [(None if name is None else self._adapters[name], length) for name, length in adapted]
        return Rows(named, self._spec.device) if any(adapter for adapter, _ in named) else None

    def _advance(self, sequences: list[Sequence], hidden: torch.Tensor) -> None:
        """Draw a token for each sequence from its last hidden state; end those for whom it was the last."""
        drawn = sample(self._decoder.logits(hidden), [s.sampling for s in sequences])
        # a copy: who ends gives the row back
        for sequence, token in zip(list(sequences), drawn, strict=True):
            _, end = self._take(sequence, [token])
            if end is not None:
                self._finish(sequence, *end)

    def _take(self, sequence: Sequence, drawn: list[Drawn]) -> tuple[int, tuple[Reason, str | None] | None]:
        """Give a sequence its tokens until it ends; return how many it took, and why it ended, if it did."""
        for count, token in enumerate(drawn, 1):
            self.counts.drawn += 1
            try:
                event, reason = sequence.take(token)
            except WebfarerError as error:
                return count, ("error", str(error))
            self._outbox.append((sequence, event))
            if reason is not None:
                return count, (reason, None)
        return len(drawn), None

    def _speculating(self, action: Callable[[Speculation], _T]) -> _T | None:
        """Let the drafter do something; when it fails there are no more drafts, and nobody loses an answer by it."""
        if self._speculation is None:
            return None
        error = "drafting was interrupted"
        try:
            with boundary(WebfarerError, "drafting"), torch.inference_mode():
                result = action(self._speculation)
            error = ""
        except WebfarerError as caught:
            error = str(caught)
        finally:
            if error:
                self._speculation, self.counts.gave_up = None, error
        return None if error else result

    def _finish(self, sequence: Sequence, reason: Reason, error: str | None = None) -> None:
        """End a sequence, with what it held."""
        usage = sequence.usage
        if sequence.row is not None:
            if reason in ("stop", "length"):  # the token drawn last was not read
                said = sequence.request.tokens + tuple(sequence.drawn[:-1])
                self._intake.remember(sequence.row, said, sequence.request.adapter)
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
        self._speculating(lambda speculation: speculation.close(row))
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
            self.memory = Memory(self._spec, self.memory.policy, self.memory.rows)
            if self._speculation is not None:
                self._speculation, self.counts.gave_up = None, error
