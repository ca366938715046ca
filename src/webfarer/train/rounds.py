"""What a learning from few labels plans, decides and finds, round by round, as its folder holds it.

::

    plan.json                  what is learnt, and how: another plan needs another folder
    picks.jsonl                items that were picked together, before anybody was asked
    labels.jsonl               what was said of them
    rounds.jsonl               what came of every round
    rounds/00/adapter          what was trained in it
    rounds/00/answers.jsonl    what it answered to the held-out items
    people/, queue.jsonl, calls.jsonl   of oracles; one folder up where several learnings share them

Not the loop (:mod:`webfarer.train.active`). Invariant: nothing here is changed once it is written.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

from webfarer.core.errors import ConfigError
from webfarer.core.fare import Fare
from webfarer.data.log import read_log
from webfarer.train.calibration import Calibration
from webfarer.train.learner import Answered

ROUNDS = "rounds.jsonl"
PICKS = "picks.jsonl"
PLAN = "plan.json"


class Plan(BaseModel):
    """How a learning goes.

    Attributes:
        labels: how many in the end.
        rounds: of picking, after a first one that is drawn by lot.
        first: labels of that one, the earliest of the others taking what cannot be shared out evenly; 0: as many as of
            the others, and what cannot be shared out.
        warm: go on with the last round's adapter; else every round trains a new one on all labels.
        stop: end when at most this share of held-out answers changed in each of `patience` rounds; 0: never.
        patience: see `stop`.
        probe: record how unsure both models are of the unlabelled items; takes time where the picker does not ask.
        seed: draws everything that is drawn.

    Raises:
        ConfigError: it cannot work.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: int
    rounds: int
    first: int = 0
    warm: bool = False
    stop: float = 0.0
    patience: int = 2
    probe: bool = False
    seed: int = 0

    @model_validator(mode="after")
    def _works(self) -> "Plan":
        if min(self.rounds, self.first) < 0 or self.patience < 1 or not 0 <= self.stop <= 1:
            raise ConfigError(f"{self}: rounds and first are 0 at least, patience 1, stop is a share from 0 to 1")
        sizes = [self.size(number) for number in range(self.rounds + 1)]
        if min(sizes) < 1:
            raise ConfigError(f"{self.labels} labels are too few for {self.rounds} rounds: each asks for one at least")
        if sum(sizes) != self.labels:
            raise ConfigError(f"{self.first} first labels and no rounds make {self.first}, not {self.labels}")
        return self

    def size(self, number: int) -> int:
        """Return how many labels round `number` asks for; 0 is the one that is drawn by lot."""
        if not self.first:
            each = self.labels // (self.rounds + 1)
            return each if number else self.labels - self.rounds * each
        each, more = divmod(self.labels - self.first, self.rounds or 1)
        return each + (number <= more) if number else self.first


class Pick(BaseModel):
    """Items that were picked together; a round has several where some were refused.

    Attributes:
        round: its number.
        items: their ids, the most wanted first.
        weight, overlap: see :class:`webfarer.train.picker.Picked`.
        unsure: mean negative log-likelihood of a token of its own answers, by model, over all unlabelled items.
        scores: the same of each picked item.
    """

    model_config = ConfigDict(frozen=True)

    round: int
    items: tuple[str, ...]
    weight: float | None = None
    overlap: float | None = None
    unsure: dict[str, float] = {}
    scores: dict[str, tuple[float, ...]] = {}


class Record(BaseModel):
    """What came of one round.

    Attributes:
        number: from 0, the round whose items are drawn by lot.
        items: labelled in it, in the order in which they were picked.
        refused: how many were; `why` is said of those whose answer could not be learnt.
        labels: all so far.
        examined: on the held-out items, after training; None without any.
        changed: share of held-out answers that are other than in the round before.
        calibration: expected calibration error of base and adapted model on the new labels, before training on them.
        weight, overlap, unsure: of the round's first pick.
        figures: of the adapter.
        seconds: by what was done; of a round that was killed, from where it was taken up again.
        fare: of all labels so far.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    items: tuple[str, ...]
    refused: int = 0
    why: tuple[str, ...] = ()
    labels: int
    examined: Calibration | None = None
    changed: float | None = None
    calibration: tuple[float, float] | None = None
    weight: float | None = None
    overlap: float | None = None
    unsure: dict[str, float] = {}
    figures: dict[str, float] = {}
    seconds: dict[str, float] = {}
    fare: Fare = Fare()


class Report(BaseModel):
    """How far a learning has come.

    Attributes:
        records: of the rounds that are done.
        waiting: how many items wait for somebody's label.
        ended: why it is over; "" while it waits.
    """

    records: list[Record]
    waiting: int = 0
    ended: str = ""


def read_answers(folder: Path, number: int) -> list[Answered]:
    """Return what was answered to the held-out items after a round."""
    return read_log(answers_of(folder, number), Answered)


def adapter_of(folder: Path, number: int) -> Path:
    """Return where the adapter of a round lies."""
    return folder / "rounds" / f"{number:02d}" / "adapter"


def answers_of(folder: Path, number: int) -> Path:
    """Return where the answers of a round lie."""
    return folder / "rounds" / f"{number:02d}" / "answers.jsonl"
