"""What comes of one ground: drafts, checked one after the other, the good ones kept, the others counted by check.

A batch is the unit of work that is spread over processes and nodes, written down when it is whole, and never made
twice. Not the last word: checks over the whole set and quotas are :mod:`webfarer.data.factory`'s. Invariant: a batch
follows from its order and number alone, and from what a model says.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from random import Random

from pydantic import BaseModel, ConfigDict

from webfarer.core.config import Settings
from webfarer.core.errors import BudgetExceeded
from webfarer.core.fare import Fare
from webfarer.core.run import Run
from webfarer.data.check import CHECKS, Check, Desk
from webfarer.data.grammar import sifted
from webfarer.data.ground import GROUNDS, Ground, Place, Statement
from webfarer.data.paid import paid_model
from webfarer.data.question import Question
from webfarer.data.reading import facts
from webfarer.data.rewording import reworded
from webfarer.data.synth import SYNTHS, Drop, Order, Synth
from webfarer.models.base import ChatModel

_PATIENCE = 300  # drafts in a row of which none is kept, before a ground counts as used up
_EXAMPLES = 3
_SIDE_BY_SIDE = 8  # drafts that a model is asked about at the same time
_SCARCE = 0.25  # of a budget: what is left is then spent on one draft at a time, so that none is paid for in part

Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is made of every ground.

    Attributes:
        synth, ground: ids.
        order: what is wanted of the synth.
        checks: ids, in the order in which they are made.
        most: questions kept of one ground, and of each cell where there are quotas.
        seed: of grounds and drafts.
        root, pages: of a real site.
        apart: questions of other splits.
        settings: of the program; its model, if any, words and checks, within its budget.
    """

    synth: str
    ground: str
    order: Order
    checks: tuple[str, ...]
    most: int
    seed: int
    settings: Settings
    root: str = ""
    pages: int = 1000
    apart: tuple[Question, ...] = ()


class Batch(BaseModel):
    """What came of one ground.

    Attributes:
        number: of the ground.
        questions: kept, in the order in which they were drafted.
        drafts: how many were looked at.
        dropped: how many, by check.
        examples: a few of each.
        fare: of the model calls, without their seconds: the same order gives the same report.
        spent: whether the budget ended it.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    questions: tuple[Question, ...]
    drafts: int
    dropped: dict[str, int]
    examples: tuple[Drop, ...]
    fare: Fare = Fare()
    spent: bool = False


@dataclass(slots=True)
class Tally:
    """Counts what is dropped, and keeps a few examples of each kind."""

    dropped: Counter[str] = field(default_factory=Counter)
    examples: list[Drop] = field(default_factory=list)

    def drop(self, check: str, why: str, question: Question) -> None:
        """Count a question that is not kept."""
        drop = Drop(check=check, why=why, question=question.question, answer=question.answer)
        self.add({check: 1}, (drop,))

    def add(self, dropped: Mapping[str, int], examples: Iterable[Drop]) -> None:
        """Add the counts and examples of another tally."""
        for drop in examples:
            if sum(each.check == drop.check for each in self.examples) < _EXAMPLES:
                self.examples.append(drop)
        self.dropped.update(dropped)


def make_batch(plan: Plan, number: int, calls: Path | None = None) -> Batch:
    """Make the questions of one ground.

    Args:
        plan: what to make.
        number: of the ground.
        calls: where the replies of a model are kept; what lies there is not paid again.
    """
    return asyncio.run(_make(plan, number, calls))


async def _make(plan: Plan, number: int, calls: Path | None) -> Batch:
    place = Place(plan.settings, number, plan.seed, plan.root, plan.pages)
    ground: Ground = await GROUNDS.load(plan.ground).at(place)
    async with paid_model(plan.settings, calls, f"batch-{number}") as (run, model):
        maker = _Maker(plan, number, run, model)
        spent = False
        try:
            if model is not None and not GROUNDS.load(plan.ground).endless:
                ground = await maker.read(ground, model)
            await maker.make(ground, Random(f"{plan.synth}/{plan.seed}/{number}"))
        except BudgetExceeded:
            spent = True
        return Batch(
            number=number,
            questions=tuple(maker.kept),
            drafts=maker.drafts,
            dropped=dict(sorted(maker.tally.dropped.items())),
            examples=tuple(maker.tally.examples),
            fare=run.ledger.fare.model_copy(update={"seconds": 0.0}) if run else Fare(),
            spent=spent,
        )


class _Maker:
    """Takes drafts of one ground until there are enough of them or nothing more comes."""

    def __init__(self, plan: Plan, number: int, run: Run | None, model: ChatModel | None) -> None:
        self.kept: list[Question] = []
        self.tally = Tally()
        self.drafts = 0
        self._plan, self._number, self._run, self._model = plan, number, run, model
        self._synth: Synth = SYNTHS.load(plan.synth)
        self._checks = begun(plan.checks, Desk(model, plan.apart, plan.seed))
        self._cells: Counter[Cell] = Counter()
        self._idle = 0

    async def read(self, ground: Ground, model: ChatModel) -> Ground:
        """Return a site's ground with what a model reads on its pages, as many of them as questions are wanted.

        Facts that are not believed count as drafts that are dropped.

        Raises:
            BudgetExceeded: the model could not be asked any more.
        """
        pages = [page for url, page in ground.pages.items() if ground.ways[url]]
        chosen = Random(f"pages/{self._plan.seed}").sample(pages, min(len(pages), self._plan.most))
        said: list[Statement] = []
        relations = dict(ground.relations)
        for start in range(0, len(chosen), _SIDE_BY_SIDE):
            some = chosen[start : start + _SIDE_BY_SIDE]
            for found in await asyncio.gather(*(facts(model, page, ground.language) for page in some)):
                said += found.statements
                relations |= found.relations
                self.drafts += found.dropped.total()
                self.tally.add(found.dropped, ())
        return replace(ground, statements=(*sifted(said, ground.pages), *ground.statements), relations=relations)

    async def make(self, ground: Ground, random: Random) -> None:
        """Take drafts.

        Raises:
            BudgetExceeded: a model could not be asked any more; what it had judged is taken.
        """
        drafts = self._synth.drafts(ground, self._plan.order, random)
        while self._lacking() and self._idle < _PATIENCE:
            some = list(islice(self._wanted(drafts), self._at_once()))
            if not some:
                return
            judged = await asyncio.gather(*(self._judged(each, ground) for each in some), return_exceptions=True)
            for each in judged:
                if not isinstance(each, BaseException):
                    await self._take(each[0], ground, *each[1])
            for each in judged:
                if isinstance(each, BaseException):
                    raise each

    def _at_once(self) -> int:
        """Return how many drafts are judged side by side: never more than are lacking."""
        if self._model is None or self._run is None:
            return 1
        limits = self._plan.settings.budget.model_dump(exclude_none=True, include={"tokens", "usd"})
        scarce = any(self._run.ledger.room(meter) < _SCARCE * limit for meter, limit in limits.items())
        return 1 if scarce else min(_SIDE_BY_SIDE, self._lacking())

    def _wanted(self, drafts: Iterator[Question | Drop]) -> Iterator[Question]:
        """Yield the drafts whose cell is not full; count what the synth refuses."""
        for draft in drafts:
            if isinstance(draft, Drop):
                self.drafts += 1
                self.tally.add({draft.check: 1}, (draft,))
                continue
            self._idle += 1
            if self._idle > _PATIENCE:
                return
            if self._room(cell_of(draft)):
                yield draft

    async def _judged(self, question: Question, ground: Ground) -> tuple[Question, tuple[str, str]]:
        """Return a draft in its last wording, and the first check that speaks against it."""
        problem = await self._problem(question, ground, asks=False)
        if not problem[0] and self._model is not None:
            question = await reworded(self._model, question, ground)
            problem = await self._problem(question, ground, asks=None)
        return question, problem

    async def _problem(self, question: Question, ground: Ground, asks: bool | None) -> tuple[str, str]:
        """Return the first check that speaks, with its reason, or ("", ""); `asks` None means every check."""
        for name, check in self._checks.items():
            if not check.whole and (asks is None or check.asks == asks):
                why = await check.problem(question, ground)
                if why:
                    return name, why
        return "", ""

    async def _take(self, question: Question, ground: Ground, check: str, why: str) -> None:
        """Keep a question, or count why it is not kept."""
        if not self._room(cell_of(question)):
            return  # judged side by side with one that filled its cell
        self.drafts += 1
        if not check:
            for name, each in self._checks.items():
                if each.whole and (why := await each.problem(question, ground)):
                    check = name
                    break
        if check:
            self.tally.drop(check, why, question)
            return
        self._idle = 0
        made = {**question.made, "seed": self._plan.seed, "number": self._number, "webfarer": version("webfarer")}
        self.kept.append(question.model_copy(update={"made": made}))
        self._cells[cell_of(question)] += 1

    def _room(self, cell: Cell) -> int:
        """Return how many more questions of a cell are wanted of this ground."""
        quota = self._plan.order.quota
        most = min(self._plan.most, quota.get(cell, 0)) if quota else self._plan.most
        return most - (self._cells[cell] if quota else len(self.kept))

    def _lacking(self) -> int:
        """Return how many more questions are wanted of this ground."""
        return sum(map(self._room, self._plan.order.quota)) if self._plan.order.quota else self._room(("", ""))


def begun(names: Sequence[str], desk: Desk) -> dict[str, Check]:
    """Return checks ready to look at a set, cheap ones first; those that ask are left out without a model."""
    kinds = {name: CHECKS.load(name) for name in names}
    ordered = sorted(kinds, key=lambda name: (kinds[name].order, name))
    return {name: kinds[name](desk) for name in ordered if desk.model is not None or not kinds[name].asks}


def cell_of(question: Question) -> Cell:
    """Return type and difficulty of a question."""
    return question.cells.get("type", ""), question.cells.get("difficulty", "")
