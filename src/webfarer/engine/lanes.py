"""Several sequences each in a batch of its own, one model for all: the schedules that do not batch.

"serial" finishes one sequence after the other. "fcfs" is SEED's rounds-scheduled decoding (arXiv 2406.18200): every
sequence drafts beside the others, and the model checks one draft at a time, first come, first served. Both exist to be
compared with: one batch that checks all drafts in one pass is faster. Invariant: a lane drafts or is checked, never
both; drafts are checked in the order in which they were finished.
"""

from collections import deque
from collections.abc import Sequence as Listed
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from webfarer.engine.batch import Batch, Counts
from webfarer.engine.sequences import Sequence


class Lanes:
    """Batches of one row, used like one batch.

    Args:
        batches: as many as there may be sequences at once.
        workers: how many may draft at once, beside the one that is checked; 0 for one sequence after the other.
    """

    def __init__(self, batches: Listed[Batch], workers: int) -> None:
        self._lanes = batches
        self._workers = ThreadPoolExecutor(workers, "webfarer-draft") if workers else None
        self._drafting: set[int] = set()
        self._finished: SimpleQueue[int] = SimpleQueue()
        self._drafted: deque[int] = deque()
        self._order: list[int] = []

    @property
    def active(self) -> list[Sequence]:
        """All sequences, in the order of their lanes."""
        return [sequence for lane in self._lanes for sequence in lane.active]

    @property
    def free(self) -> int:
        """How many more sequences there is room for."""
        return len(self._lanes) - len(self._order)

    @property
    def busy(self) -> bool:
        """Whether there is a token to draw or an event to deliver."""
        return any(lane.busy for lane in self._lanes)

    @property
    def bytes(self) -> int:
        """Bytes allocated for keys and values, those of shared prefixes once."""
        memories = [lane.memory for lane in self._lanes]
        prefixes = {id(p): p.bytes for memory in memories for p in memory.prefix if p is not None}
        return sum(memory.own_bytes for memory in memories) + sum(prefixes.values())

    @property
    def counts(self) -> Counts:
        """What all lanes have done."""
        return Counts.total(lane.counts for lane in self._lanes)

    def admit(self, news: list[Sequence]) -> None:
        """Give each a lane and read its prompt; what an earlier one has read is not read again."""
        free = (index for index in range(len(self._lanes)) if index not in self._order)
        waiting = deque(news)
        try:
            for index in list(free)[: len(news)]:
                self._order.append(index)
                self._lanes[index].admit([waiting.popleft()])
        finally:
            if waiting:  # interrupted: those who come after hear of it too
                self._lanes[0].cancel(list(waiting))
            self._tidy()

    def decode(self) -> None:
        """Let one sequence draw: the first that came, or the first whose draft is there."""
        if not self._order:
            return
        if self._workers is None:
            self._lanes[self._order[0]].decode()
        else:
            for index in self._order:
                if index not in self._drafting and index not in self._drafted:
                    self._workers.submit(self._draft, index)
                    self._drafting.add(index)
            if not self._drafted:
                self._hear()
            self._lanes[self._drafted.popleft()].verify()
        self._tidy()

    def _draft(self, index: int) -> None:
        try:
            self._lanes[index].draft()
        finally:
            self._finished.put(index)

    def _hear(self) -> None:
        """Wait for the next draft to be finished."""
        index = self._finished.get()
        self._drafting.remove(index)
        self._drafted.append(index)

    def cancel(self, sequences: list[Sequence]) -> None:
        """End sequences that may have a row."""
        if not sequences:
            return
        while self._drafting:
            self._hear()
        for lane in self._lanes:
            lane.cancel([s for s in sequences if s in lane.active])
        # those who were still waiting in line have no lane
        self._lanes[0].cancel([s for s in sequences if not s.ended])
        self._tidy()

    def _tidy(self) -> None:
        """Forget lanes that have become free."""
        self._order = [index for index in self._order if self._lanes[index].active]
        self._drafted = deque(index for index in self._drafted if index in self._order)

    def deliver(self) -> None:
        """Tell the listeners what happened."""
        for lane in self._lanes:
            lane.deliver()

    def score(self, tokens: list[int], adapter: str | None) -> list[float]:
        """Return the log-probability of each token but the first."""
        return self._lanes[0].score(tokens, adapter)

    def check(self) -> None:
        """Look whether rows and sequences belong together; raises WebfarerError when they do not."""
        while self._drafting:
            self._hear()
        for lane in self._lanes:
            lane.check()

    def close(self) -> None:
        """End the threads that draft."""
        if self._workers is not None:
            self._workers.shutdown()
