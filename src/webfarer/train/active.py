"""The loop: train on what is labelled, pick what is worth a label, ask for it, and train again.

What was decided lies in one folder (:mod:`webfarer.train.rounds`) and is never decided twice, so a loop that was
killed, or that waits for people, goes on to the same end. Invariants: no item is picked twice; after round t there are
first + t · each labels, unless items were refused and the pool is used up; calibration is taken of new labels before
anything is trained on them. Source: STAR (arXiv 2403.01165).
"""

import asyncio
import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import fmean
from time import monotonic

from webfarer.core.errors import ConfigError, WebfarerError, boundary
from webfarer.core.fare import Ledger
from webfarer.core.specs import spec_of
from webfarer.core.trace import canonical
from webfarer.data.log import Log, read_log
from webfarer.evals.records import put
from webfarer.train.calibration import Calibration, calibration, expected_error
from webfarer.train.labels import TAKEN
from webfarer.train.learner import Learner
from webfarer.train.oracle import Oracle, Said
from webfarer.train.picker import Picker, Round, View, Who
from webfarer.train.pool import Label, PoolItem, Set, final_answer
from webfarer.train.rounds import PICKS, PLAN, ROUNDS, Pick, Plan, Record, Report, adapter_of, answers_of, read_answers

Tell = Callable[[Record], None]

_TRIED = 8  # items that are asked for before a learning without any label gives up


@dataclass(frozen=True, slots=True)
class Order:
    """What a learning is made of.

    Attributes:
        folder: receives all that comes of it.
        twin: folder of another learning, whose first adapter is taken where ours would be the same.
    """

    plan: Plan
    items: Set
    learner: Learner
    picker: Picker
    oracle: Oracle
    folder: Path
    twin: Path | None = None


def learn(order: Order, tell: Tell = lambda record: None) -> Report:
    """Learn until the labels are spent, the answers settle, the pool is used up, or people have to be waited for.

    Called again with the same order it goes on where it stopped.

    Args:
        order: what to learn, and how.
        tell: called after every round.

    Raises:
        ConfigError: the plan cannot work, the folder holds another learning, or one is at work in it.
        BudgetExceeded: there is no room for further labels; a larger budget goes on.
    """
    _begin(order)
    busy = f"{order.folder}: another process is learning there"
    with (
        closing(Log(order.folder / PICKS, Pick, busy)) as picks,
        closing(Log(order.folder / TAKEN, Said, busy)) as said,
        closing(Log(order.folder / ROUNDS, Record, busy)) as records,
    ):
        return _Learning(order, picks, said, records).run(tell)


def _begin(order: Order) -> None:
    """Write the plan, or see that the folder's is the same."""
    plan, pool, held_out = order.plan, order.items.pool, order.items.held_out
    if plan.labels > len(pool):
        raise ConfigError(f"{plan.labels} labels are wanted of a pool of {len(pool)} items; ask for fewer")
    if plan.stop and not held_out:
        raise ConfigError("whether to stop is seen from answers to held-out items, and there are none; hold some out")
    ids = Counter(item.id for part in (pool, held_out) for item in part)
    if twice := [name for name, count in ids.items() if count > 1]:
        raise ConfigError(f"{len(twice)} items of pool and held-out set share an id with another, as {twice[0]!r}")
    examined = {item.prompt for item in held_out}
    if known := [item.id for item in pool if item.prompt in examined]:
        raise ConfigError(f"{len(known)} items of the pool have the prompt of a held-out one, as {known[0]!r}")
    shown = [[item.model_dump(mode="json") for item in part] for part in (pool, held_out)]
    answers = [order.items.key.answer(item.id) for item in held_out]
    identity = {
        **plan.model_dump(),
        "picker": spec_of(order.picker),
        "oracle": order.oracle.name,
        "learner": order.learner.name,
        "items": hashlib.sha256(canonical([shown, answers]).encode()).hexdigest()[:16],
    }
    path, text = order.folder / PLAN, f"{canonical(identity)}\n"
    with boundary(ConfigError, f"{order.folder} cannot be used for a learning"):
        order.folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            put(path, text.encode())
        if path.read_text() != text:
            raise ConfigError(f"{order.folder} holds another learning; give the same options, or another folder")


class _Learning:
    """A learning at work in its folder."""

    def __init__(self, order: Order, picks: Log[Pick], said: Log[Said], records: Log[Record]) -> None:
        self.order, self.plan, self.folder = order, order.plan, order.folder
        self.picks, self.said, self.records = picks, said, records
        self.items = {item.id: item for item in order.items.pool}
        self.seconds: dict[str, float] = {}
        self.seen: tuple[Sequence[int], View] | None = None

    def run(self, tell: Tell) -> Report:
        """Do the rounds that are not done."""
        for number in range(len(self.records.entries), self.plan.rounds + 1):
            if self._settled():
                break
            self.seconds = {}
            if waiting := self._gather(number):
                return Report(records=self.records.entries, waiting=waiting)
            if not self._labels(number):
                return Report(records=self.records.entries, ended="the pool is used up")
            self.records.append(self._record(number))
            tell(self.records.entries[-1])
        ended = "the answers have settled" if self._settled() else "all labels are spent"
        return Report(records=self.records.entries, ended=ended)

    def _settled(self) -> bool:
        last = [record.changed for record in self.records.entries[-self.plan.patience :]]
        steady = [share for share in last if share is not None and share <= self.plan.stop]
        return self.plan.stop > 0 and len(steady) == self.plan.patience

    def _gather(self, number: int) -> int:
        """Pick and ask until the round has its labels; return how many are still waited for."""
        while True:
            with self._timed("label"):
                if left := self._ask(number):
                    return left
            short = self.plan.size(number) - len(self._labels(number))
            rest = self._unasked()
            if not short or not rest:
                return 0
            with self._timed("pick"):
                self.picks.append(self._pick(number, rest, min(short, len(rest))))

    def _ask(self, number: int) -> int:
        """Ask for what was picked in a round, keep what is said, and return how many items are still open."""
        known = {said.item for said in self.said.entries}
        picked = [name for pick in self.picks.entries if pick.round == number for name in pick.items]
        wanted = [self.items[name] for name in picked if name not in known]

        async def ask() -> int:
            taken = 0
            async for said in self.order.oracle.label(wanted):
                self.said.append(self._learnable(said))
                taken += 1
                self._check_yield()
            return taken

        return len(wanted) - asyncio.run(ask()) if wanted else 0

    def _learnable(self, said: Said) -> Said:
        """Return what was said, made a refusal where the learner could not be taught it."""
        if said.word == "label":
            try:
                self.order.learner.check(self.items[said.item], said.answer)
            except ConfigError as error:
                return said.model_copy(update={"answer": "", "word": "skip", "why": error.message})
        return said

    def _check_yield(self) -> None:
        """Stop a learning that gets no label at all for what it pays."""
        said = self.said.entries
        if len(said) % _TRIED == 0 and all(each.word == "skip" for each in said):
            reason = next((f": {each.why}" for each in said if each.why), "")
            raise WebfarerError(
                f"none of {len(said)} items got a label{reason}; mend pool or oracle and take another folder, or give "
                f"the same command again to ask for {_TRIED} more"
            )

    def _labels(self, last: int, first: int | None = None) -> list[Label]:
        """Return the labels of a round, or of rounds from `first` on, in the order in which items were picked."""
        known = {said.item: said for said in self.said.entries if said.word == "label"}
        rounds = range(last if first is None else first, last + 1)
        picked = [name for pick in self.picks.entries if pick.round in rounds for name in pick.items]
        return [known[name] for name in picked if name in known]

    def _unasked(self) -> list[int]:
        """Return the rows of the pool that were never picked."""
        picked = {name for pick in self.picks.entries for name in pick.items}
        return [row for row, name in enumerate(self.items) if name not in picked]

    def _pick(self, number: int, rest: Sequence[int], count: int) -> Pick:
        pool = self.order.items.pool
        draw = Random(f"{self.plan.seed} {number} {len(self.picks.entries)}")
        if not number:
            chosen = draw.sample(range(len(rest)), count)
            return Pick(round=number, items=tuple(pool[rest[place]].id for place in chosen))
        view = self._view(number, rest)
        at = Round(number - 1, self.plan.rounds, draw, self.records.entries[number - 1].calibration)
        picked = self.order.picker.pick(view, count, at)
        chosen = picked.rows
        if len(set(chosen)) != count or len(chosen) != count or not set(chosen) <= set(range(len(rest))):
            raise WebfarerError(f"{spec_of(self.order.picker)} did not pick {count} different items of {len(rest)}")
        models: tuple[Who, ...] = ("base", "adapted") if self.plan.probe else ()
        unsure = {who: view.nll(who) / view.lengths(who) for who in models}
        return Pick(
            round=number,
            items=tuple(pool[rest[place]].id for place in chosen),
            weight=picked.weight,
            overlap=picked.overlap,
            unsure={who: float(values.mean()) for who, values in unsure.items()},
            scores={who: tuple(values[chosen].tolist()) for who, values in unsure.items()},
        )

    def _view(self, number: int, rest: Sequence[int]) -> View:
        """Return the view of the rows that are left; what the round has seen of them already is not computed again."""
        if self.seen is None:
            view = self.order.learner.view(self.order.items.pool, rest, adapter_of(self.folder, number - 1))
        else:
            rows, before = self.seen
            places = {row: place for place, row in enumerate(rows)}
            view = before.part([places[row] for row in rest])
        self.seen = rest, view
        return view

    def _record(self, number: int) -> Record:
        """Take the calibration on new labels, train, and examine."""
        self.seen = None
        before = adapter_of(self.folder, number - 1) if number else None
        new, labels = self._labels(number), self._labels(number, 0)
        with self._timed("calibrate"):
            prequential = (self._error(new, None), self._error(new, before)) if before else None
        adapter = adapter_of(self.folder, number)
        with self._timed("train"):
            if not adapter.exists():
                half = adapter.with_name("adapter.part")
                adapter.parent.mkdir(parents=True, exist_ok=True)
                if not number and (same := self._lent()):
                    shutil.copytree(same, half, dirs_exist_ok=True)
                else:
                    taught = [(self.items[label.item], label) for label in labels]
                    self.order.learner.teach(taught, half, self.plan.seed, before if self.plan.warm else None)
                half.rename(adapter)
        with self._timed("examine"):
            examined, changed = self._examine(number)
        first = next(pick for pick in self.picks.entries if pick.round == number)
        picked = {name for pick in self.picks.entries if pick.round == number for name in pick.items}
        ledger = Ledger()
        for said in self.said.entries:
            ledger.charge(said.cost)
        return Record(
            number=number,
            items=tuple(label.item for label in new),
            refused=len(picked) - len(new),
            why=tuple(said.why for said in self.said.entries if said.why and said.item in picked),
            labels=len(labels),
            examined=examined,
            changed=changed,
            calibration=prequential,
            weight=first.weight,
            overlap=first.overlap,
            unsure=first.unsure,
            figures=dict(self.order.learner.figures(adapter)),
            seconds=self.seconds,
            fare=ledger.fare,
        )

    def _lent(self) -> Path | None:
        """Return the twin's first adapter if all that ours depends on is the same: everything but the picker."""
        if not (twin := self.order.twin) or not adapter_of(twin, 0).exists():
            return None
        plans = [json.loads((folder / PLAN).read_text()) | {"picker": ""} for folder in (twin, self.folder)]
        said = read_log(twin / TAKEN, Said)[: len(self.said.entries)]
        return adapter_of(twin, 0) if plans[0] == plans[1] and said == self.said.entries else None

    def _error(self, labels: Sequence[Label], adapter: Path | None) -> float:
        """Return a model's expected calibration error on labelled items, which it has not seen."""
        items = [self.items[label.item] for label in labels]
        answers = self.order.learner.answers(items, adapter)
        right = _alike(items, [one.text for one in answers], [label.answer for label in labels])
        return expected_error([one.confidence for one in answers], right)

    def _examine(self, number: int) -> tuple[Calibration | None, float | None]:
        """Ask the held-out items, and return how well they are answered and how many are answered otherwise."""
        held_out, key = self.order.items.held_out, self.order.items.key
        if not held_out:
            return None, None
        answers = self.order.learner.answers(held_out, adapter_of(self.folder, number))
        put(answers_of(self.folder, number), "".join(f"{one.model_dump_json()}\n" for one in answers).encode())
        right = [key.right(one.item, one.text) for one in answers]
        found = calibration([one.confidence for one in answers], right, seed=self.plan.seed)
        if not number:
            return found, None
        before, after = ([one.text for one in each] for each in (read_answers(self.folder, number - 1), answers))
        return found, fmean(not same for same in _alike(held_out, before, after))

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = monotonic()
        try:
            yield
        finally:
            self.seconds[what] = round(self.seconds.get(what, 0.0) + monotonic() - began, 3)


def _alike(items: Sequence[PoolItem], texts: Sequence[str], others: Sequence[str]) -> list[bool]:
    """Say of each item whether two texts give the same final answer."""
    triples = zip(items, texts, others, strict=True)
    return [final_answer(text, item.choices) == final_answer(other, item.choices) for item, text, other in triples]
