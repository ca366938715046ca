"""One timed run of one strategy: a level of a search is written, and every draft and pass is noted with its time.

The engine's own schedules, on one thread for each that works. The prefix cache is off and every
run has an engine of its own, so each reads its prompts. Not a comparison: that is made of several runs.
Invariant: a run notes for every text how many drafted tokens stood, round by round.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter

from webfarer.engine.engine import Engine, Limits, Scheduler
from webfarer.engine.loading import Loaded
from webfarer.engine.policy import CachePolicy
from webfarer.engine.sampling import Completion, Request
from webfarer.engine.speculation import Speculate
from webfarer.engine.timeline import Span


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to draw the tokens of several texts.

    Attributes:
        name: in tables.
        scheduler: of the engine.
        speculate: how to draft, if at all.
    """

    name: str
    scheduler: Scheduler
    speculate: Speculate | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """What was written at the same time.

    Attributes:
        seconds: with the prompts.
        texts: tokens of each text.
        stood: of each text, how many drafted tokens stood in each round.
        spans: drafts and passes.
        open: whether texts could end before they had as many tokens as they may have.
        drafted: tokens, round by round, of one batch.
    """

    seconds: float
    texts: list[list[int]]
    stood: list[list[int]]
    spans: list[Span]
    open: bool = False
    drafted: list[int] = field(default_factory=list)

    @property
    def lengths(self) -> list[int]:
        """How many tokens of each text were drawn by passes, where any were: the first one comes with the prompt."""
        return [len(text) - 1 for text in self.texts if len(text) > 1]

    @property
    def decoding(self) -> float:
        """Seconds from the first draft or pass to the end of the last pass, so without the prompts."""
        if not self.spans:
            return 0.0
        return max(span.end for span in self.spans) - min(span.start for span in self.spans)


@dataclass(frozen=True, slots=True)
class Run:
    """A whole run.

    Attributes:
        phases: one after the other.
        passes: of the target, those over prompts not counted.
        drafted, accepted: tokens that were checked, and those of them that stood.
        bytes: allocated for the target's keys and values.
    """

    phases: list[Phase]
    passes: int = 0
    drafted: int = 0
    accepted: int = 0
    bytes: int = 0

    @property
    def seconds(self) -> float:
        """Of all phases, prompts included."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def decoding(self) -> float:
        """Seconds without the prompts."""
        return sum(phase.decoding for phase in self.phases)

    @property
    def texts(self) -> list[list[int]]:
        """Of all phases."""
        return [text for phase in self.phases for text in phase.texts]

    @property
    def tokens(self) -> int:
        """Drawn by passes."""
        return sum(sum(phase.lengths) for phase in self.phases)

    @property
    def rate(self) -> float:
        """Tokens a second, prompts included."""
        return sum(map(len, self.texts)) / self.seconds

    @property
    def busy(self) -> float:
        """Share of the decoding time in which the target was at work."""
        working = (s.end - s.start for phase in self.phases for s in phase.spans if s.kind != "draft")
        return sum(working) / (self.decoding or 1.0)


def run(model: Loaded, strategy: Strategy, work: Sequence[Sequence[Request]]) -> Run:
    """Write everything, a phase after the other."""
    limits = Limits(rows=max(map(len, work)), prefill_tokens=1 << 20, prefixes=0)
    engine, spans = Engine(model, CachePolicy(), limits), list[Span]()
    engine.arrange(strategy.speculate, strategy.scheduler, spans.append)
    phases = []
    for requests in work:
        spans.clear()
        phase = _phase(engine, requests)
        phase.spans.extend(spans)
        phases.append(phase)
    stats = engine.stats()
    engine.arrange()  # ends the threads that draft
    return Run(phases, stats.rounds, stats.drafted, stats.accepted, stats.cache_bytes)


def _phase(engine: Engine, requests: Sequence[Request]) -> Phase:
    done = [Completion() for _ in requests]
    stood: list[list[int]] = [[] for _ in requests]
    held, drafted = [1] * len(requests), [engine.stats().drafted]
    start = perf_counter()
    for request, completion in zip(requests, done, strict=True):
        engine.submit(request, completion)
    while engine.step():
        drafted.append(engine.stats().drafted)
        for branch, completion in enumerate(done):
            new = len(completion.tokens) - held[branch]
            if new > 0:
                stood[branch].append(new - 1)
                held[branch] += new
    seconds, may_end = perf_counter() - start, not all(request.params.ignore_eos for request in requests)
    each = [after - before for before, after in pairwise(drafted)]
    return Phase(seconds, [completion.ids for completion in done], stood, [], may_end, each)
