"""The factory: makes a file of questions, ground by ground, until there are enough of them, and says what was dropped.

Beside the file lies its work: one file for every ground that is done, or every reply of a model; a killed order goes on
there and pays nothing twice. Which questions are kept follows from the order alone, never from how the grounds were
spread. Not a synth, and not a check (:mod:`webfarer.data.batch` puts those together).
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, boundary
from webfarer.core.fare import Budget, Fare
from webfarer.core.trace import canonical
from webfarer.data.batch import Batch, Plan, Tally, begun, cell_of, make_batch
from webfarer.data.check import CHECKS, Desk
from webfarer.data.clusters import cores, over_ray
from webfarer.data.ground import GROUNDS, Ground
from webfarer.data.question import Question, write_questions
from webfarer.data.synth import SYNTHS, Drop, Order
from webfarer.evals.records import locked, put
from webfarer.evals.runner import end_with_parent

_BARREN = 20  # grounds in a row that bring nothing: the synth does not work there
_CALLS = "calls.jsonl"
_AHEAD = 2  # grounds under way for each process
_NOWHERE = Ground("", "", "", {}, {}, (), {})  # a check of the whole set does not look at a ground

Tell = Callable[[int, int], None]
"""Called after every ground: how many questions are kept, of how many."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An order for questions.

    Attributes:
        synth: how they are made.
        count: how many; of an order with quotas, their sum.
        settings: of the program; model and budget are taken from here.
        order: what is wanted of the synth.
        seed: draws everything.
        root: first page of a real site; "" for generated grounds.
        ground: id of a generated ground, "" for the synth's own.
        pages: most pages read of a site.
        most: most questions of one generated site.
        checks: ids; () for all.
        apart: questions of other splits.
    """

    synth: str
    count: int
    settings: Settings
    order: Order = field(default_factory=Order)
    seed: int = 0
    root: str = ""
    ground: str = ""
    pages: int = 1000
    most: int = 20
    checks: tuple[str, ...] = ()
    apart: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Hands:
    """Who makes the grounds' questions: this process, several of this machine, or the nodes of a Ray cluster."""

    processes: int = 1
    ray: bool = False


class Report(BaseModel):
    """What came of an order.

    Attributes:
        synth, ground, seed, model: of the order.
        wanted, kept: questions.
        cells: kept, by "type/difficulty".
        lacking: what a quota still lacks, by cell.
        grounds: how many were used.
        drafts: how many were looked at.
        dropped: by check; "easy …" are questions that a synth could not use, "fact …" what a model read and nobody
            believes, "quota" is what came after its cell was full.
        examples: a few of each.
        fare: of the model calls.
        ended: why there are fewer than wanted; "" when there are not.
    """

    model_config = ConfigDict(frozen=True)

    synth: str
    ground: str
    seed: int
    model: str
    wanted: int
    kept: int
    cells: dict[str, int]
    lacking: dict[str, int]
    grounds: int
    drafts: int
    dropped: dict[str, int]
    examples: tuple[Drop, ...]
    fare: Fare
    ended: str


def make_questions(wanted: Wanted, out: Path, hands: Hands = Hands(), tell: Tell | None = None) -> Report:
    """Make questions, write them to `out` and the report beside it; not inside a running event loop.

    Raises:
        ConfigError: the order cannot work, or another one lies there.
    """
    plan = planned(wanted)
    work = out.with_name(f"{out.name}.work")
    if plan.settings.model and (hands.processes > 1 or hands.ray):
        raise ConfigError(
            "with a model questions are made in one process, so that its budget holds; its calls are made side by side"
        )
    with locked(work):
        plan = replace(plan, settings=plan.settings.model_copy(update={"home": work}))
        _same_order(work, plan, out)
        maker = _Collector(wanted, plan)
        with _batches(plan, work, hands, maker) as batches:
            for batch in batches:
                maker.take(batch)
                if tell:
                    tell(len(maker.kept), wanted.count)
                if maker.ended is not None:
                    break
        write_questions(out, maker.kept)
        report = maker.report()
        put(out.with_name(f"{out.name}.report.json"), f"{report.model_dump_json(indent=1)}\n".encode())
    return report


def planned(wanted: Wanted) -> Plan:
    """Return what is made of every ground.

    Raises:
        ConfigError: no such synth, ground or check, or numbers that do not work.
    """
    synth = SYNTHS.load(wanted.synth)
    ground = "site" if wanted.root else wanted.ground or synth.ground
    endless = GROUNDS.load(ground).endless
    if not endless and not wanted.root:
        raise ConfigError(f"{ground} needs a website: give its first page with --root https://…")
    if wanted.root and wanted.ground not in ("", "site"):
        raise ConfigError(f"a website is its own ground: leave out --root, or --ground {wanted.ground}")
    quota = wanted.order.quota
    if quota and sum(quota.values()) != wanted.count:
        raise ConfigError(f"the quotas come to {sum(quota.values())} questions, not {wanted.count}")
    most = wanted.most if endless else wanted.count
    if quota and endless:
        most = -(-wanted.most // len(quota))
    order = replace(wanted.order, quota=dict(sorted(quota.items())))
    checks = wanted.checks or tuple(CHECKS.ids())
    settings = wanted.settings.model_copy(update={"archive": "record", "seed": wanted.seed})
    return Plan(
        wanted.synth, ground, order, checks, most, wanted.seed, settings, wanted.root, wanted.pages, wanted.apart
    )


def _same_order(work: Path, plan: Plan, out: Path) -> None:
    """Write what is ordered, or see that it is what was ordered before, unless nothing was made of that.

    Raises:
        ConfigError: it is another order.
    """
    endless = GROUNDS.load(plan.ground).endless
    order = {
        "synth": plan.synth,
        "ground": plan.ground,
        "hops": plan.order.hops,
        "quota": [[*cell, wanted] for cell, wanted in plan.order.quota.items()],
        "easy": [item.model_dump(mode="json") for item in plan.order.easy],
        "checks": plan.checks,
        "most": plan.most if endless else 0,  # a site's pages serve any number
        "seed": plan.seed,
        "root": plan.root,
        "pages": plan.pages,
        "apart": [question.id for question in plan.apart],
        "settings": plan.settings.model_dump(mode="json", include={"model", "base_url", "temperature", "top_p", "web"}),
        "webfarer": version("webfarer"),
    }
    digest = hashlib.sha256(canonical(order).encode()).hexdigest()
    path = work / "order"
    if out.exists() and not path.exists():
        raise ConfigError(f"{out} exists and was not made here; write to another file")
    made = [*work.glob("grounds/*.json"), *work.glob(_CALLS)]
    if made and path.exists() and path.read_text() != digest:
        raise ConfigError(f"{work} holds another order; remove it, or write to another file")
    put(path, digest.encode())


class _Collector:
    """Takes batches in the order of their grounds, until there are enough questions."""

    def __init__(self, wanted: Wanted, plan: Plan) -> None:
        self.kept: list[Question] = []
        self.ended: str | None = None
        self._wanted, self._plan = wanted, plan
        self._checks = {
            name: each for name, each in begun(plan.checks, Desk(None, plan.apart, plan.seed)).items() if each.whole
        }
        self._endless = GROUNDS.load(plan.ground).endless
        self.left = Counter(dict(plan.order.quota))
        self._tally = Tally()
        self._grounds = self._drafts = self._barren = 0
        self.fare: Counter[str] = Counter()

    @property
    def lacking(self) -> int:
        """How many questions are still wanted."""
        return self._wanted.count - len(self.kept)

    def take(self, batch: Batch) -> None:
        """Take what a ground brought."""
        before = len(self.kept)
        self._grounds += 1
        self._drafts += batch.drafts
        self._tally.add(batch.dropped, batch.examples)
        for question in batch.questions:
            if self.ended is None:
                self._keep(question)
        self.fare.update(batch.fare.model_dump())
        self._barren = 0 if len(self.kept) > before else self._barren + 1
        if self.ended is None:
            self.ended = self._trouble(batch)

    def _keep(self, question: Question) -> None:
        cell = cell_of(question)
        if self._wanted.order.quota and self.left[cell] <= 0:
            self._tally.drop("quota", "its cell is full", question)
            return
        for name, check in self._checks.items():
            why = asyncio.run(check.problem(question, _NOWHERE))
            if why:
                self._tally.drop(name, why, question)
                return
        self.kept.append(question)
        self.left[cell] -= 1
        if len(self.kept) == self._wanted.count:
            self.ended = ""

    def _trouble(self, batch: Batch) -> str | None:
        """Return why it ends here although questions are lacking, or None."""
        if batch.spent:
            return "the budget is spent"
        if not self._endless:
            return "the site gave no more"
        if self._barren == _BARREN:
            return f"{_BARREN} generated sites in a row gave none that can be kept"
        return None

    def report(self) -> Report:
        """Return what came of it."""
        cells = Counter("/".join(filter(None, cell_of(question))) for question in self.kept)
        return Report(
            synth=self._plan.synth,
            ground=self._plan.ground,
            seed=self._plan.seed,
            model=self._plan.settings.model,
            wanted=self._wanted.count,
            kept=len(self.kept),
            cells=dict(sorted(cells.items())),
            lacking={"/".join(cell): lacks for cell, lacks in sorted(self.left.items()) if lacks > 0},
            grounds=self._grounds,
            drafts=self._drafts,
            dropped=dict(sorted(self._tally.dropped.items())),
            examples=tuple(self._tally.examples),
            fare=Fare.model_validate(self.fare),
            ended=self.ended or "",
        )


@contextmanager
def _batches(plan: Plan, work: Path, hands: Hands, maker: "_Collector") -> Iterator[Iterator[Batch]]:
    """Open the stream of batches, in the order of their grounds; those that are done are read."""
    if hands.ray:
        yield _stream(plan, work, over_ray(plan), _AHEAD * cores())
    elif hands.processes == 1:
        yield _stream(plan, work, partial(_here, plan, work, maker), 0)
    else:
        with ProcessPoolExecutor(hands.processes, get_context("spawn"), end_with_parent) as pool:
            try:
                yield _stream(
                    plan, work, lambda number: pool.submit(make_batch, plan, number).result, _AHEAD * hands.processes
                )
            finally:
                pool.shutdown(cancel_futures=True)


Begin = Callable[[int], Callable[[], Batch]]
"""Begins a ground's batch; what it returns waits for it."""


def _stream(plan: Plan, work: Path, begin: Begin, ahead: int) -> Iterator[Batch]:
    """Yield batches in order, a few begun ahead; each is written down as it is yielded."""
    places = work / "grounds"
    places.mkdir(parents=True, exist_ok=True)
    waiting: deque[tuple[Path, Callable[[], Batch]]] = deque()
    endless = GROUNDS.load(plan.ground).endless
    for number in count() if endless else range(1):
        path = places / (f"{number}.json" if endless else f"{plan.most}.json")
        waiting.append((path, partial(_read, path) if path.exists() else begin(number)))
        if len(waiting) > ahead:
            yield _finished(plan, *waiting.popleft())
    while waiting:
        yield _finished(plan, *waiting.popleft())


def _finished(plan: Plan, path: Path, wait: Callable[[], Batch]) -> Batch:
    """Return a batch, written down; one that was paid for is made again of the replies that were kept."""
    batch = wait()
    if not path.exists() and not plan.settings.model:
        put(path, batch.model_dump_json().encode())
    return batch


def _read(path: Path) -> Batch:
    with boundary(ConfigError, f"{path} is damaged; remove it, and it is made again"):
        return Batch.model_validate_json(path.read_bytes())


def _here(plan: Plan, work: Path, maker: _Collector, number: int) -> Callable[[], Batch]:
    """Return what makes a batch in this process: one that is paid for, within what is left of budget and order."""

    def make() -> Batch:
        if not plan.settings.model:
            return make_batch(plan, number)
        limits = plan.settings.budget.model_dump(exclude_none=True, include={"tokens", "usd"})
        budget = Budget(**{meter: max(0, limit - maker.fare[meter]) for meter, limit in limits.items()})
        settings = plan.settings.model_copy(update={"budget": budget})
        order = replace(plan.order, quota=dict(+maker.left))
        paid = replace(plan, settings=settings, order=order, most=min(plan.most, maker.lacking))
        return make_batch(paid, number, work / _CALLS)

    return make
