"""What a learning from few labels plans, decides and finds, round by round, as its folder holds it.

::

    plan.json                  what is learnt, and how: another plan needs another folder
    picks.jsonl                items that were picked together, before anybody was asked
    labels.jsonl               what was said of them
    rounds.jsonl               what came of every round
    rounds/00/adapter          what was trained in it
    rounds/00/answers.jsonl    what it answered to the held-out items
    people/, queue.jsonl, calls.jsonl   of oracles

Not the loop (:mod:`webfarer.train.active`). Invariant: nothing here is changed once it is written.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from webfarer.core.fare import Fare
from webfarer.data.log import read_log
from webfarer.train.calibration import Calibration
from webfarer.train.learner import Answered

ROUNDS = "rounds.jsonl"
PICKS = "picks.jsonl"


class Plan(BaseModel):
    """How a learning goes.

    Attributes:
        labels: how many in the end.
        rounds: of picking, after a first one that is drawn by lot.
        first: labels of that one; 0: as many as of the others, and what cannot be shared out evenly.
        warm: go on with the last round's adapter; else every round trains a new one on all labels.
        stop: end when at most this share of held-out answers changed in each of `patience` rounds; 0: never.
        patience: see `stop`.
        probe: record how unsure both models are of the unlabelled items; takes time where the picker does not ask.
        seed: draws everything that is drawn.
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

    def size(self, number: int) -> int:
        """Return how many labels round `number` asks for; 0 is the one that is drawn by lot."""
        parts = self.rounds if self.first else self.rounds + 1
        each = (self.labels - self.first) // parts if parts else 0
        return each if number else self.labels - self.rounds * each


class Pick(BaseModel):
    """Items that were picked together; a round has several where some were refused.

    Attributes:
        round: its number.
        items: their ids, the most wanted first.
        weight: of the base model in the picker's score, for pickers that mix.
        unsure: mean negative log-likelihood of a token of its own answers, by model, over all unlabelled items.
        scores: the same of each picked item.
    """

    model_config = ConfigDict(frozen=True)

    round: int
    items: tuple[str, ...]
    weight: float | None = None
    unsure: dict[str, float] = {}
    scores: dict[str, tuple[float, ...]] = {}


class Record(BaseModel):
    """What came of one round.

    Attributes:
        number: from 0, the round whose items are drawn by lot.
        items: labelled in it, in the order in which they were picked.
        refused: how many were.
        labels: all so far.
        examined: on the held-out items, after training; None without any.
        changed: share of held-out answers that are other than in the round before.
        calibration: expected calibration error of base and adapted model on the new labels, before training on them.
        weight, unsure: of the round's first pick.
        figures: of the adapter.
        seconds: by what was done; of a round that was killed, from where it was taken up again.
        fare: of all labels so far.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    items: tuple[str, ...]
    refused: int = 0
    labels: int
    examined: Calibration | None = None
    changed: float | None = None
    calibration: tuple[float, float] | None = None
    weight: float | None = None
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


def read_records(folder: Path) -> list[Record]:
    """Return what came of the rounds so far."""
    return read_log(folder / ROUNDS, Record)


def read_answers(folder: Path, number: int) -> list[Answered]:
    """Return what was answered to the held-out items after a round."""
    return read_log(answers_of(folder, number), Answered)


def adapter_of(folder: Path, number: int) -> Path:
    """Return where the adapter of a round lies."""
    return folder / "rounds" / f"{number:02d}" / "adapter"


def answers_of(folder: Path, number: int) -> Path:
    """Return where the answers of a round lie."""
    return folder / "rounds" / f"{number:02d}" / "answers.jsonl"
