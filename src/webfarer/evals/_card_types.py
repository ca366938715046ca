"""What a report card is made of: values that JSON can hold, no computation.

Whatever depends on the clock, the machine or the place of the folders lies in :class:`Circumstances` alone, so that two
runs of the same thing give cards that are equal in all else. Shares are between 0 and 1; intervals are of 95 %.
"""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict

from webfarer.evals.statistics import Comparison, Estimate

Fate = Literal[
    "right", "never_found", "budget_spent", "wrong_on_page", "gold_unknown", "failed", "unjudged", "unfinished"
]
"""What came of an attempt. After the failure classes of Wu et al. ("WebWalker", ACL 2025): "never_found" ended by
itself before every gold page was open, "budget_spent" was ended by a limit before that, "wrong_on_page" had them all
open and answered wrongly all the same. "gold_unknown" ended by itself, wrongly, on a question whose gold pages nobody
gave. "failed" gave no answer at all, "unjudged" waits for a verdict, "unfinished" for its end: these count as wrong."""

FATES: tuple[Fate, ...] = get_args(Fate)


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Cell(_Value):
    """The questions that have one value of one key ("difficulty": "easy")."""

    value: str
    accuracy: Estimate


class Cost(_Value):
    """What was spent on one meter.

    Attributes:
        total: by all finished attempts.
        per_item: by one attempt at one item, in the mean.
        per_correct: for each right attempt, whatever the wrong ones cost; None when nothing was right.
    """

    total: float
    per_item: float
    per_correct: float | None


class Entry(_Value):
    """One system on one set of questions: a row of the table.

    Attributes:
        name: unique in the card; says what is not the same for all.
        metric: what decides what is right, "scorer.metric".
        budget: the limits of an attempt, those that are set.
        fingerprint: of the items and their order, whatever shards they came in.
        shards: the parts that were given, of how many.
        attempts: planned, items times runs; the denominator of everything.
        finished, failed: of these; a failed attempt is finished, and wrong.
        unfinished: ids of the others and of those that wait for a verdict, "ITEM #NUMBER"; they count as wrong.
        lacking: shards that were not given; their items are unknown here and count nowhere.
        accuracy: the mean over items of the mean over runs, which is Avg@k for k runs.
        pass_1: the first attempt at each item alone.
        pass_k: at least one of the k attempts right.
        cells: by key, then value.
        totals: every scorer's metrics, over finished attempts.
        actions: mean steps of right attempts; None when nothing was right.
        fare, judging: by meter, without seconds.
        opened, searches: pages read and queries asked by one attempt, in the mean.
        stops, errors, flags, fates: how many attempts.
        flagged: ids of flagged attempts.
        claims, verified: of all answers.
        agreement: of the judge's votes, where there are several.
    """

    name: str
    task: str
    split: str
    subset: str
    source: str
    fingerprint: str
    setting: str
    agent: str
    model: str
    judge: str
    scorers: tuple[str, ...]
    metric: str
    budget: dict[str, float]
    seed: int
    settings: dict[str, object]
    items: int
    runs: int
    shards: tuple[str, ...]
    attempts: int
    finished: int
    failed: int
    unfinished: tuple[str, ...]
    lacking: tuple[str, ...]
    accuracy: Estimate
    pass_1: Estimate
    pass_k: Estimate
    cells: dict[str, tuple[Cell, ...]]
    totals: dict[str, dict[str, float]]
    actions: float | None
    fare: dict[str, Cost]
    judging: dict[str, Cost]
    opened: float
    searches: float
    stops: dict[str, int]
    errors: dict[str, int]
    flags: dict[str, int]
    flagged: tuple[str, ...]
    fates: dict[Fate, int]
    claims: int
    verified: int
    agreement: float | None

    @property
    def title(self) -> str:
        """Which questions: task, split and subset."""
        return " / ".join(part for part in (self.task, self.split, self.subset) if part)


class Pair(_Value):
    """Two entries on the same items, or why they cannot be compared.

    Attributes:
        compared: the first less the second; None when something else is not the same either.
        p_holm: its p, corrected for the number of pairs compared in the card (Holm 1979).
        apart: what differs ("settings differ: click, search"), or "".
    """

    first: str
    second: str
    compared: Comparison | None = None
    p_holm: float | None = None
    apart: str = ""


class Curve(_Value):
    """Entries that differ in one limit alone: their names, and pairs of limit and accuracy, both by limit."""

    name: str
    entries: tuple[str, ...]
    meter: str
    points: tuple[tuple[float, Estimate], ...]


class Line(_Value):
    """One question, and how many attempts of each entry were right; entries that were not asked it are absent."""

    task: str
    item: str
    question: str
    cells: dict[str, str]
    right: dict[str, int]


class Circumstances(_Value):
    """What may differ between two runs of the same thing: where and when an entry was run, and how long it took."""

    name: str
    folders: tuple[str, ...]
    started: tuple[str, ...]
    webfarer: tuple[str, ...]
    commits: tuple[str, ...]
    machines: tuple[str, ...]
    seconds: Cost
    judging_seconds: Cost


class Card(_Value):
    """A report card: entries, what they come to beside each other, and what makes them hard to compare."""

    entries: tuple[Entry, ...]
    pairs: tuple[Pair, ...]
    curves: tuple[Curve, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    circumstances: tuple[Circumstances, ...]
