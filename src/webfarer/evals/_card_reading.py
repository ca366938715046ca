"""Reads the folders of evaluation runs and keeps of every attempt what a report card needs, and no more.

Answers and page addresses are not kept, so thousands of items need little memory. Invariant: an attempt is in the
grid once, whatever the folders hold; one that is not finished is absent, never left out of the count of attempts.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from webfarer.core.errors import ConfigError, TraceError
from webfarer.core.fare import Fare
from webfarer.core.trace import read_events
from webfarer.core.types import StopReason
from webfarer.evals._card_types import Fate
from webfarer.evals.matching import page_key
from webfarer.evals.records import Folder, Plan, Result, identity
from webfarer.evals.scorer import SCORERS, Scorer
from webfarer.evals.task import Item

_LIMITS = (StopReason.BUDGET, StopReason.TIMEOUT, StopReason.TURNS)
_BROKEN = (StopReason.FAILED, StopReason.CANCELLED)
_ELSEWHERE = {"source", "webfarer", "commit", "machine", "started"}
_OF_SHARD = {"shard", "items", "fingerprint"}
_SHOWN = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """What is kept of an item: of a long question the beginning, of all the rest a hash.

    Attributes:
        place: where it stood among the items of all shards.
    """

    id: str
    question: str
    cells: Mapping[str, str]
    digest: str
    place: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What is kept of one finished attempt."""

    score: float
    fate: Fate
    stop: str
    error: str
    fare: Fare
    judging: Fare
    marks: Mapping[str, Mapping[str, float]]
    opened: int
    searches: int
    claims: int
    verified: int
    flags: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether it counts as right: a full mark of the scorer that decides."""
        return self.score >= 1


@dataclass(slots=True)
class Played:
    """One system's run, put together from the folders of its shards.

    Attributes:
        plans: one for each folder.
        asked: by item id.
        tried: by item id and number of the attempt.
    """

    plan: Plan
    folders: list[Folder]
    plans: list[Plan]
    asked: dict[str, Asked] = field(default_factory=dict)
    tried: dict[tuple[str, int], Tried] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """A hash of all items in their order, the same for one folder and for its shards."""
        return _digest("".join(one.digest for one in self.asked.values()))

    @property
    def lacking(self) -> tuple[str, ...]:
        """The shards that no folder holds."""
        every, given = self.plan.shard[1], {plan.shard[0] for plan in self.plans}
        return tuple(f"{number}/{every}" for number in range(1, every + 1) if number not in given)

    def grid(self) -> dict[str, list[Tried | None]]:
        """Return every item's attempts in their order; None for one that is not finished."""
        numbers = range(1, self.plan.runs + 1)
        return {item: [self.tried.get((item, number)) for number in numbers] for item in self.asked}

    def named(self, which: Callable[[Tried | None], bool]) -> list[str]:
        """Return the names of the attempts that are such, by item; None is one that is not finished."""
        return [f"{item} #{at}" for item, row in self.grid().items() for at, one in enumerate(row, 1) if which(one)]


def read(folders: Sequence[Folder]) -> list[Played]:
    """Read all folders; those that are shards of one plan become one run.

    Raises:
        ConfigError: no folder, one that cannot be read, or shards of one plan that hold different items of one id.
    """
    if not folders:
        raise ConfigError("a report needs the folder of at least one evaluation run")
    groups: dict[tuple[str, int], Played] = {}
    seen: Counter[tuple[str, int]] = Counter()
    for path in dict.fromkeys(folder.path.resolve() for folder in folders):
        folder = Folder(path)
        plan = folder.plan
        same, number = _whole(plan), plan.shard[0]
        again = seen[same, number]  # the same shard once more is another run, not more of this one
        seen[same, number] += 1
        _add(groups.setdefault((same, again), Played(plan, [], [])), folder, plan)
    for played in groups.values():
        played.asked = dict(sorted(played.asked.items(), key=lambda pair: pair[1].place))
    return list(groups.values())


def _whole(plan: Plan) -> str:
    """Return what all shards of a plan have in common."""
    apart = _ELSEWHERE | (_OF_SHARD if plan.shard[1] > 1 else set())
    return json.dumps([plan.shard[1], plan.model_dump(mode="json", exclude=apart)], sort_keys=True)


def main_scorer(plan: Plan) -> Scorer:
    """Return the scorer that decides what counts as right."""
    scorer: Scorer = SCORERS.load(plan.scorers[0])
    return scorer


def _add(played: Played, folder: Folder, plan: Plan) -> None:
    """Add what a folder holds to a run; an attempt that another shard has finished as well is counted once."""
    deciding = plan.scorers[0], main_scorer(plan).metrics[0]
    number, every = plan.shard
    gold: dict[str, tuple[str, ...]] = {}
    for at, item in enumerate(folder.items()):
        digest = _digest(identity(item))
        if played.asked.setdefault(item.id, asked := _asked(item, digest, at * every + number)).digest != digest:
            raise ConfigError(f"{folder.path}: item {asked.id!r} is not what it is in {played.folders[0].path}")
        gold[item.id] = item.gold
    played.folders.append(folder)
    played.plans.append(plan)
    for result in folder.results():
        played.tried.setdefault((result.item, result.number), _tried(result, gold[result.item], folder, deciding))


def _asked(item: Item, digest: str, place: int) -> Asked:
    return Asked(item.id, item.question[:_SHOWN], item.cells, digest, place)


def _tried(result: Result, gold: Sequence[str], folder: Folder, deciding: tuple[str, str]) -> Tried:
    scorer, metric = deciding
    answer = result.answer
    marks = result.marks.get(scorer, {})
    score = marks.get(metric, 0.0)
    claims = answer.claims if answer else ()
    return Tried(
        score=score,
        fate=_fate(result, gold, score) if metric in marks else "unjudged",
        stop=answer.stop_reason.value if answer else StopReason.FAILED.value,
        error=str(result.error.get("error", "WebfarerError")) if result.error else "",
        fare=answer.fare if answer else _spent(folder, result.run),
        judging=result.judging,
        marks=result.marks,
        opened=len(result.opened),
        searches=result.searches,
        claims=len(claims),
        verified=sum(claim.verified for claim in claims),
        flags=result.flags,
    )


def _fate(result: Result, gold: Sequence[str], score: float) -> Fate:
    """Say what came of an attempt; see :data:`webfarer.evals._card_types.Fate`."""
    stop = result.answer.stop_reason if result.answer else StopReason.FAILED
    if score >= 1:
        return "right"
    if stop in _BROKEN:
        return "failed"
    if gold and set(map(page_key, gold)) <= set(map(page_key, result.opened)):
        return "wrong_on_page"
    if stop in _LIMITS:
        return "budget_spent"
    return "never_found" if gold else "gold_unknown"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _spent(folder: Folder, run: str) -> Fare:
    """Return the fare of an attempt that failed, and so has no answer to say it: what its calls cost."""
    try:
        events = read_events(folder.trace(run))
    except TraceError:
        return Fare()
    costs: dict[str, float] = {}
    for event in events:
        for meter, amount in (event.data["cost"] if event.type == "result" else {}).items():
            costs[meter] = costs.get(meter, 0) + amount
    return Fare.model_validate({**costs, "seconds": events[-1].t if events else 0.0})
