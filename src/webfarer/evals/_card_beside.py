"""Entries of a report card beside each other: names, comparisons, budget curves, questions one by one.

Two entries are compared only on the same questions, in the same setting, judged alike; otherwise the card says what
differs. Correction for many comparisons: Holm, "A simple sequentially rejective multiple test procedure", 1979.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations, groupby

from webfarer.evals._card_figures import scores
from webfarer.evals._card_reading import Played
from webfarer.evals._card_types import Curve, Entry, Line, Pair
from webfarer.evals.records import Plan
from webfarer.evals.statistics import compare

_FREE = ("local:", "ruled:", "scripted")


def names(plans: Sequence[Plan]) -> list[str]:
    """Return a name for each plan: the agent, and whatever is not the same in all of them; unique."""
    told = [_told(plan) for plan in plans]
    every = dict.fromkeys(key for each in told for key in each)
    varying = [key for key in every if len({each.get(key) for each in told}) > 1]
    found = []
    for plan, each in zip(plans, told, strict=True):
        found.append(" · ".join([plan.agent, *(each[key] for key in varying if each.get(key))]))
    return [
        name if found.count(name) == 1 else f"{name} ({found[: at + 1].count(name)})" for at, name in enumerate(found)
    ]


def _told(plan: Plan) -> dict[str, str]:
    """Return what may tell two plans apart, in words."""
    limits = {
        meter: f"any {meter}" if limit is None else f"{meter} {limit:g}"
        for meter, limit in plan.budget.model_dump().items()
    }
    plain = {name: f"{name} {value}" for name, value in plan.settings.items() if isinstance(value, str | int | float)}
    return {
        "task": plan.task,
        "split": plan.split,
        "subset": plan.subset,
        "setting": plan.setting,
        "model": plan.model or "no model",
        **limits,
        "judge": f"judge {plan.judge or 'none'}",
        "seed": f"seed {plan.seed}",
        "runs": f"{plan.runs} runs",
        **plain,
    }


def pairs(entries: Sequence[Entry], runs: Sequence[Played]) -> tuple[Pair, ...]:
    """Compare every two entries of one task."""
    found = []
    for (first, one), (second, other) in combinations(zip(entries, runs, strict=True), 2):
        if first.task != second.task:
            continue
        apart = _apart(first, second)
        compared = None if apart else compare(list(scores(one).values()), list(scores(other).values()))
        found.append(Pair(first=first.name, second=second.name, compared=compared, apart=apart))
    return _corrected(found)


def _apart(first: Entry, second: Entry) -> str:
    """Say why two entries do not compare; "" when they do."""
    for key, noun in _COMPARED:
        one, other = getattr(first, key), getattr(second, key)
        if one != other:
            return f"{noun} differ: {one or 'none'}, {other or 'none'}"
    return "" if first.fingerprint == second.fingerprint else "items differ"


_COMPARED = (
    ("split", "splits"),
    ("subset", "subsets"),
    ("setting", "settings"),
    ("metric", "scorers"),
    ("judge", "judges"),
)


def _corrected(found: Sequence[Pair]) -> tuple[Pair, ...]:
    """Return the pairs with Holm's p: the k-th smallest of m times m - k + 1, never below one before it."""
    tested = sorted((one.compared.p, at) for at, one in enumerate(found) if one.compared)
    least, adjusted = 0.0, {}
    for rank, (p, at) in enumerate(tested):
        least = max(least, min(1.0, p * (len(tested) - rank)))
        adjusted[at] = least
    return tuple(one.model_copy(update={"p_holm": adjusted.get(at)}) for at, one in enumerate(found))


def curves(entries: Sequence[Entry]) -> tuple[Curve, ...]:
    """Return the budget curves: entries that are alike but for the limit on one meter."""
    alike: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        for meter in entry.budget:
            rest = tuple(sorted((m, limit) for m, limit in entry.budget.items() if m != meter))
            same = (*(getattr(entry, key) for key in _CURVED), str(entry.settings), rest, meter)
            alike.setdefault(same, []).append(entry)
    several = {same: group for same, group in alike.items() if len({one.budget[str(same[-1])] for one in group}) > 1}
    return tuple(_curve(group, str(same[-1]), list(several.values())) for same, group in several.items())


_CURVED = ("agent", "setting", "model", "task", "split", "subset", "fingerprint", "metric", "judge", "seed", "runs")


def _curve(group: Sequence[Entry], meter: str, every: Sequence[Sequence[Entry]]) -> Curve:
    """Return a curve, named by its agent and what tells it from other curves."""
    varying = [key for key in _CURVED[1:6] if len({getattr(some[0], key) for some in every}) > 1]
    name = " · ".join(str(getattr(group[0], key)) for key in ("agent", *varying))
    ordered = sorted(group, key=lambda one: one.budget[meter])
    points = tuple((one.budget[meter], one.accuracy) for one in ordered)
    return Curve(name=name, entries=tuple(one.name for one in ordered), meter=meter, points=points)


def lines(entries: Sequence[Entry], runs: Sequence[Played]) -> tuple[Line, ...]:
    """Return every question once, with what each entry made of it."""
    found: dict[tuple[str, str, str], Line] = {}
    for entry, run in zip(entries, runs, strict=True):
        for item, row in run.grid().items():
            asked = run.asked[item]
            line = found.setdefault(
                (entry.title, item, asked.digest),
                Line(task=entry.title, item=item, question=asked.question, cells=dict(asked.cells), right={}),
            )
            line.right[entry.name] = sum(one is not None and one.right for one in row)
    return tuple(found.values())


def notes(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Return what a reader must know before comparing rows."""
    found = []
    for title, group in groupby(sorted(entries, key=lambda one: one.title), key=lambda one: one.title):
        settings = sorted({one.setting for one in group})
        if len(settings) > 1:
            found.append(f"{title}: settings differ ({', '.join(settings)}); scores of two settings do not compare.")
    for entry in entries:
        found += _warnings(entry)
    return tuple(found)


def _warnings(entry: Entry) -> list[str]:
    """Return what is wrong with one entry."""
    left = entry.attempts - entry.finished
    said: Mapping[str, int] = {
        f"of {entry.attempts} attempts are not finished and count as wrong": left,
        f"of {entry.attempts} attempts failed and count as wrong": entry.failed,
        f"of {entry.attempts} attempts could not be judged and count as wrong": entry.fates.get("unjudged", 0),
        f"of {entry.attempts} attempts are flagged as contaminated": len(entry.flagged),
    }
    unpriced = entry.fare["calls"].total and not entry.fare["usd"].total and not entry.model.startswith(_FREE)
    price = [f"{entry.name}: no price of {entry.model} is known, or it is 0; dollars are not counted."] * bool(unpriced)
    lacking = [f"{entry.name}: shard {shard} was not given; its questions count nowhere." for shard in entry.lacking]
    return lacking + price + [f"{entry.name}: {count} {what}." for what, count in said.items() if count]
