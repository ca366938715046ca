"""The figures of one entry of a report card, from what was kept of its attempts.

Every share has all planned attempts below the line: what failed or was not finished counts as wrong. Fares are those of
finished attempts. Not a comparison (:mod:`webfarer.evals._card_beside`).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter

from webfarer.core.fare import METERS
from webfarer.evals._card_reading import Asked, Played, Tried, main_scorer
from webfarer.evals._card_types import FATES, Cell, Circumstances, Cost, Entry
from webfarer.evals.scorer import SCORERS
from webfarer.evals.statistics import Estimate

_METERS = (*(meter for meter in METERS if meter != "seconds"), "calls")
_CROSSED = ("type", "difficulty")
NO_VALUE = "(none)"


def scores(played: Played) -> dict[str, list[float]]:
    """Return every item's scores, one for each planned attempt, 0 for those that are not finished."""
    return {item: [one.score if one else 0.0 for one in row] for item, row in played.grid().items()}


def entry(played: Played, name: str) -> Entry:
    """Return the entry of a run."""
    plan = played.plan
    tried = list(played.tried.values())
    right = [one for one in tried if one.right]
    attempts = len(played.asked) * plan.runs
    rows = list(scores(played).values())
    fates = Counter(one.fate for one in tried) + Counter({"unfinished": attempts - len(tried)})
    totals = _totals(plan.scorers, tried)
    return Entry(
        name=name,
        **plan.model_dump(include=set(_CARRIED)),
        fingerprint=played.fingerprint,
        metric=f"{plan.scorers[0]}.{main_scorer(plan).metrics[0]}",
        budget=plan.budget.model_dump(exclude_none=True),
        items=len(played.asked),
        shards=tuple(f"{one.shard[0]}/{one.shard[1]}" for one in played.plans),
        attempts=attempts,
        finished=len(tried),
        failed=fates["failed"],
        unfinished=tuple(played.named(lambda one: one is None or one.fate == "unjudged")),
        lacking=played.lacking,
        accuracy=Estimate.share(rows),
        pass_1=Estimate.share([row[:1] for row in rows]),
        pass_k=Estimate.share([[float(any(score >= 1 for score in row))] for row in rows]),
        cells=_cells(played),
        totals=totals,
        actions=sum(one.fare.steps for one in right) / len(right) if right else None,
        fare={meter: _cost(tried, attrgetter(f"fare.{meter}")) for meter in _METERS},
        judging={meter: _cost(tried, attrgetter(f"judging.{meter}")) for meter in _METERS},
        opened=_mean(one.opened for one in tried),
        searches=_mean(one.searches for one in tried),
        stops=_counted(one.stop for one in tried),
        errors=_counted(one.error for one in tried if one.error),
        flags=_counted(flag for one in tried for flag in one.flags),
        flagged=tuple(played.named(lambda one: one is not None and bool(one.flags))),
        fates={fate: fates[fate] for fate in FATES if fates[fate]},
        claims=sum(one.claims for one in tried),
        verified=sum(one.verified for one in tried),
        agreement=next((values["agreement"] for values in totals.values() if "agreement" in values), None),
    )


_CARRIED = (
    *("task", "split", "subset", "source", "setting", "agent", "model", "judge", "scorers"),
    *("seed", "settings", "runs"),
)


def circumstances(played: Played, name: str) -> Circumstances:
    """Return where, when and for how long a run was made."""
    tried, plans = list(played.tried.values()), played.plans
    return Circumstances(
        name=name,
        folders=tuple(str(folder.path) for folder in played.folders),
        started=_distinct(plan.started for plan in plans),
        webfarer=_distinct(plan.webfarer for plan in plans),
        commits=_distinct(plan.commit for plan in plans),
        machines=_distinct(", ".join(f"{key} {value}" for key, value in plan.machine.items()) for plan in plans),
        seconds=_cost(tried, lambda one: one.fare.seconds),
        judging_seconds=_cost(tried, lambda one: one.judging.seconds),
    )


def cell_values(asked: Iterable[Asked]) -> dict[str, dict[str, list[str]]]:
    """Return item ids by key and value, and by type and difficulty together where items have both."""
    every = list(asked)
    keys = dict.fromkeys(key for one in every for key in one.cells)
    cells: dict[str, dict[str, list[str]]] = {}
    for one in every:
        for key in keys:
            cells.setdefault(key, {}).setdefault(one.cells.get(key) or NO_VALUE, []).append(one.id)
    if all(key in keys for key in _CROSSED):
        crossed = cells.setdefault(" × ".join(_CROSSED), {})
        for one in every:
            value = " × ".join(one.cells.get(key) or NO_VALUE for key in _CROSSED)
            crossed.setdefault(value, []).append(one.id)
    return cells


def _cells(played: Played) -> dict[str, tuple[Cell, ...]]:
    every = scores(played)
    return {
        key: tuple(
            Cell(value=value, accuracy=Estimate.share([every[item] for item in items]))
            for value, items in sorted(values.items(), key=lambda pair: _place(pair[0]))
        )
        for key, values in cell_values(played.asked.values()).items()
    }


def _place(value: str) -> tuple[object, ...]:
    """Return what values are sorted by: easy, medium, hard in this order, all else by name."""
    levels = {"easy": "0", "medium": "1", "hard": "2"}
    return tuple(levels.get(part, part) for part in value.split(" × "))


def _totals(scorers: Iterable[str], tried: Sequence[Tried]) -> dict[str, dict[str, float]]:
    """Return what each scorer makes of all marks it gave."""
    found = {}
    for scorer in scorers:
        marks = [one.marks[scorer] for one in tried if scorer in one.marks]
        found[scorer] = dict(SCORERS.load(scorer).total(marks)) if marks else {}
    return found


def _cost(tried: Sequence[Tried], spent: Callable[[Tried], float]) -> Cost:
    total = math.fsum(spent(one) for one in tried)  # the same in whatever order the folders are given
    right = sum(one.right for one in tried)
    return Cost(total=total, per_item=total / max(1, len(tried)), per_correct=total / right if right else None)


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0])))


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _mean(numbers: Iterable[float]) -> float:
    values = list(numbers)
    return math.fsum(values) / len(values) if values else 0.0
