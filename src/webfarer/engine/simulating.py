"""What a way of scheduling speculative decoding would take: every branch, draft and pass, without a model or a clock.

Not a measurement: times come from `Costs`, and how many drafted tokens stand from chances or a record. Invariant: a
branch draws exactly as many tokens as it should, one draft of it is under way at most, and how its rounds turn out does
not depend on the strategy. Source: SEED (arXiv 2406.18200) for "fcfs".
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush
from itertools import cycle
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.engine.lengths import Costs
from webfarer.engine.timeline import Kind, Span


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done.

    Attributes:
        lengths: tokens to draw, of each branch.
        k: tokens per draft; fewer where a branch needs fewer, and 0 for plain decoding.
        acceptance: the chance, of each branch, that a drafted token stands if those before it do.
        record: how many drafted tokens stood, round by round, of each branch, begun again when it ends; instead of
            `acceptance`.
        workers: how many branches may draft at once under "fcfs"; 0 for all.
        room: how many branches fit into one pass under "batched"; 0 for all.
        seed: another seed, other rounds.
        entering: by how much a draft takes longer that is the first of one of its branches: prompts are read for it.
    """

    lengths: tuple[int, ...]
    k: int
    acceptance: tuple[float, ...] = ()
    record: tuple[tuple[int, ...], ...] = ()
    workers: int = 0
    room: int = 0
    seed: int = 0
    entering: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be done."""
        told = self.record or self.acceptance
        if not self.lengths or min(self.lengths) < 1 or min(self.k, self.workers, self.room) < 0:
            raise ConfigError("simulation: needs branches of at least one token, and no negative numbers")
        if len(told) != len(self.lengths) or not all(self.record):
            raise ConfigError("simulation: needs an acceptance, or a record that is not empty, for every branch")


@dataclass(slots=True)
class Simulation:
    """What it took.

    Attributes:
        tokens: drawn, of each branch.
        passes: of the model.
        busy: time spent in them.
        proposed, accepted: drafted tokens, and how many of them stood.
        timeline: everything that was done, in the order in which it ended.
    """

    tokens: list[int]
    passes: int = 0
    busy: float = 0.0
    proposed: int = 0
    accepted: int = 0
    timeline: list[Span] = field(default_factory=list)

    @property
    def wall(self) -> float:
        """Time until the last branch was done."""
        return max((span.end for span in self.timeline), default=0.0)

    @property
    def rate(self) -> float:
        """Tokens per time."""
        return sum(self.tokens) / self.wall

    @property
    def utilisation(self) -> float:
        """Share of the time in which the model was at work."""
        return self.busy / self.wall


class _Run:
    """The state of a simulation: what each branch still needs, and what its next round will bring."""

    def __init__(self, work: Work, costs: Costs, plain: Costs) -> None:
        self.work, self.costs, self.plain = work, costs, plain
        self.left = list(work.lengths)
        self.found = Simulation([0] * len(work.lengths))
        self._entered = set[int]()
        self._rounds = [self._rounds_of(branch) for branch in range(len(work.lengths))]

    def _rounds_of(self, branch: int) -> Iterator[int]:
        if self.work.record:
            yield from cycle(self.work.record[branch])
        random, chance = Random(f"{self.work.seed}:{branch}"), self.work.acceptance[branch]
        while True:
            stood = [random.random() < chance for _ in range(self.work.k)]
            yield [*stood, False].index(False)

    def depth(self, branch: int) -> int:
        """How many tokens the branch drafts now: what it needs, less the one that every pass brings."""
        return min(self.work.k, self.left[branch] - 1)

    def draft(self, branches: Sequence[int], start: float) -> float:
        """Draft for these branches together; returns when it ends."""
        deepest = max(self.depth(branch) for branch in branches)
        if not deepest:
            return start
        time = self.costs.draft(len(branches), deepest) + (0.0 if self._entered >= {*branches} else self.work.entering)
        self._entered.update(branches)
        return self._note("draft", branches, start, time)

    def verify(self, branches: Sequence[int], start: float, kind: Kind = "verify") -> float:
        """Make one pass over the drafts of these branches and take what it brings; returns when it ends."""
        depths = [self.depth(branch) for branch in branches]
        time = (self.costs if any(depths) else self.plain).verify(sum(depths) + len(branches))
        for branch, depth in zip(branches, depths, strict=True):
            stood = min(next(self._rounds[branch]), depth)
            self.found.proposed += depth
            self.found.accepted += stood
            self.found.tokens[branch] += stood + 1
            self.left[branch] -= stood + 1
        self.found.passes += 1
        self.found.busy += time
        return self._note(kind, branches, start, time)

    def _note(self, kind: Kind, branches: Sequence[int], start: float, time: float) -> float:
        self.found.timeline.append(Span(kind, tuple(branches), start, start + time))
        return start + time


def _autoregressive(run: _Run) -> None:
    """One branch after the other, a token a pass."""
    now = 0.0
    for branch in range(len(run.left)):
        while run.left[branch]:
            now = run.verify([branch], now, "decode")


def _serial(run: _Run) -> None:
    """One branch after the other, drafting and verifying in turn."""
    now = 0.0
    for branch in range(len(run.left)):
        while run.left[branch]:
            now = run.verify([branch], run.draft([branch], now))


def _fcfs(run: _Run) -> None:
    """Every branch drafts by itself; the model takes finished drafts one at a time, first come, first served."""
    waiting: deque[int] = deque()  # for a worker
    queue: deque[int] = deque()  # for the model
    events: list[tuple[float, int, bool]] = []  # (when, branch, whether it is its pass that ends)
    workers, free, now = run.work.workers or len(run.left), True, 0.0
    for branch in range(len(run.left)):
        (waiting if run.depth(branch) else queue).append(branch)
    while True:
        while waiting and workers:
            branch = waiting.popleft()
            workers -= 1
            heappush(events, (run.draft([branch], now), branch, False))
        if free and queue:
            branch = queue.popleft()
            free = False
            heappush(events, (run.verify([branch], now), branch, True))
        if not events:
            return
        now, branch, verified = heappop(events)
        if not verified:
            workers += 1
            queue.append(branch)
            continue
        free = True
        if run.left[branch]:
            (waiting if run.depth(branch) else queue).append(branch)


def _batched(run: _Run) -> None:
    """All that are ready share a draft and a pass; those that came first where not all fit."""
    drafting, queue, now = list(range(len(run.left))), deque[int](), 0.0
    while drafting or queue:
        if drafting:
            now = run.draft(drafting, now)
            queue.extend(drafting)
        batch = [queue.popleft() for _ in range(min(run.work.room or len(queue), len(queue)))]
        now = run.verify(batch, now)
        drafting = [branch for branch in batch if run.left[branch]]


STRATEGIES: dict[str, Callable[[_Run], None]] = {
    "autoregressive": _autoregressive,
    "serial": _serial,
    "fcfs": _fcfs,
    "batched": _batched,
}


def simulate(strategy: str, work: Work, costs: Costs, plain: Costs | None = None) -> Simulation:
    """Return what `work` would take.

    Args:
        strategy: "autoregressive", one branch after the other without drafts; "serial", the same with drafts; "fcfs",
            each branch drafts by itself and the model verifies one draft at a time; "batched", all that are ready in
            one pass (with `k` 0, plain decoding of the whole batch).
        work: branches and drafts.
        costs: of passes and of drafting.
        plain: of passes without drafts, where they cost something else.

    Raises:
        ConfigError: no such strategy.
    """
    if strategy not in STRATEGIES:
        raise ConfigError(f"no strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
    run = _Run(replace(work, k=0) if strategy == "autoregressive" else work, costs, plain or costs)
    STRATEGIES[strategy](run)
    run.found.timeline.sort(key=lambda span: (span.end, span.start))
    return run.found
