"""A report card as tables of texts, and those as markdown.

The terminal, the markdown file and the page show the same tables (:func:`tables`), so they cannot disagree. Nothing is
computed here but the words for a figure; an accuracy is always shown with its interval and its number of items.
"""

from collections.abc import Iterable, Mapping, Sequence

from webfarer.evals._card_types import FATES, Card, Circumstances, Cost, Entry, Fate, Pair
from webfarer.evals.bench import Row
from webfarer.evals.sheet import escaped, listed, number
from webfarer.evals.statistics import Estimate

CALLED: dict[Fate, str] = {
    "right": "right",
    "never_found": "never found",
    "budget_spent": "budget spent",
    "wrong_on_page": "wrong on the right page",
    "gold_unknown": "wrong, gold pages unknown",
    "failed": "failed",
    "unjudged": "not judged",
    "unfinished": "not finished",
}
_CLOCK = "Clock, machine and place (differ from run to run)"
_SHOWN = 20


def tables(card: Card) -> dict[str, list[Row]]:
    """Return all tables but that of the questions, by title; a table with nothing to show is left out."""
    found: dict[str, Iterable[Row]] = {
        "Results": map(_result, card.entries),
        "Fare of one attempt": (_fare(entry, each=True) for entry in card.entries),
        "Fare for each right answer": (_fare(entry, each=False) for entry in card.entries),
        "What came of the attempts": _fates(card.entries),
        **_cells(card.entries),
        "Every scorer's figures": (row for entry in card.entries for row in _totals(entry)),
        "Each two systems on the same questions": map(_pair, card.pairs),
        "Accuracy by budget": (
            {"system": curve.name, "limit": f"{curve.meter} {limit:g}", "accuracy": percent(accuracy)}
            for curve in card.curves
            for limit, accuracy in curve.points
        ),
        "How each was run": map(_terms, card.entries),
        _CLOCK: map(_clock, card.circumstances),
    }
    return {title: rows for title, listed in found.items() if (rows := list(listed))}


def markdown(card: Card) -> str:
    """Return the card as markdown; the questions one by one are in its JSON and on its page."""
    parts = ["# Report card", *(f"- {escaped(note)}" for note in card.notes)]
    for title, rows in tables(card).items():
        parts += [f"\n## {title}\n", listed(rows)]
    unfinished = [(entry.name, entry.unfinished) for entry in card.entries if entry.unfinished]
    if unfinished:
        parts.append("\n## Not finished\n")
        parts += [f"- {escaped(name)}: {escaped(some(names))}" for name, names in unfinished]
    return "\n".join([*parts, "", *READING, ""])


READING = (
    "Accuracy is the mean over questions of the mean over runs; what failed, was not judged or was not finished counts "
    "as wrong. Intervals are of 95 %, by question. pass@1 is the first attempt alone, avg@k the mean of all k, pass@k "
    "at least one of k.",
    "Never found: ended by itself before every gold page was open. Budget spent: ended by a limit before that. Wrong "
    "on the right page: every gold page was open.",
)


def percent(estimate: Estimate) -> str:
    """Return an accuracy with its interval."""
    return f"{plain(estimate)} ({interval(estimate)})"


def plain(estimate: Estimate) -> str:
    """Return an accuracy alone."""
    return f"{100 * estimate.mean:.1f} %"


def interval(estimate: Estimate) -> str:
    """Return the interval of an accuracy."""
    return f"{100 * estimate.low:.1f}–{100 * estimate.high:.1f}"


def some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _result(entry: Entry) -> Row:
    judged = {"judge agreement": f"{100 * entry.agreement:.1f} %"} if entry.agreement is not None else {}
    return {
        "system": entry.name,
        "task": entry.title,
        "setting": entry.setting,
        "n": entry.items,
        "runs (k)": entry.runs,
        "accuracy": percent(entry.accuracy),
        "pass@1": plain(entry.pass_1),
        "avg@k": plain(entry.accuracy),
        "pass@k": plain(entry.pass_k),
        "finished": f"{entry.finished} of {entry.attempts}",
        "failed": entry.failed,
        "steps when right": "–" if entry.actions is None else f"{entry.actions:.2f}",
        "claims verified": f"{entry.verified} of {entry.claims}",
        "flagged": len(entry.flagged),
        **judged,
    }


def _fare(entry: Entry, *, each: bool) -> Row:
    """Return the fare on every meter, the judge's after the system's own."""

    def shown(cost: Cost) -> str:
        value = cost.per_item if each else cost.per_correct
        return "–" if value is None else number(value)

    own = {meter: shown(cost) for meter, cost in entry.fare.items()}
    judging = {f"judging {meter}": shown(cost) for meter, cost in entry.judging.items() if cost.total}
    reading = {"pages read": number(entry.opened), "searches": number(entry.searches)} if each else {}
    return {"system": entry.name, **own, **reading, **judging}


def _fates(entries: Sequence[Entry]) -> Iterable[Row]:
    """Return how many attempts met each fate; one that no attempt of the card met is left out."""
    used = [fate for fate in FATES if any(fate in entry.fates for entry in entries)]
    for entry in entries:
        counts = {fate: entry.fates.get(fate, 0) for fate in used}
        yield {
            "system": entry.name,
            **{CALLED[fate]: f"{n} ({100 * n / entry.attempts:.0f} %)" if n else "0" for fate, n in counts.items()},
            "stopped": _counts(entry.stops),
            "errors": _counts(entry.errors),
        }


def _cells(entries: Sequence[Entry]) -> Mapping[str, Iterable[Row]]:
    """Return a table for each key: a row for each system, a column for each value."""
    keys = dict.fromkeys(key for entry in entries for key in entry.cells)
    return {
        f"Accuracy by {key}": [
            {
                "system": entry.name,
                **{cell.value: f"{percent(cell.accuracy)}, n {cell.accuracy.items}" for cell in entry.cells[key]},
            }
            for entry in entries
            if key in entry.cells
        ]
        for key in keys
    }


def _totals(entry: Entry) -> Iterable[Row]:
    for scorer, values in entry.totals.items():
        for metric, value in values.items():
            yield {"system": entry.name, "scorer": scorer, "metric": metric, "value": f"{value:.4f}"}


def _pair(pair: Pair) -> Row:
    row: Row = {"first": pair.first, "second": pair.second}
    one = pair.compared
    if one is None or pair.p_holm is None:
        return row | {"not compared": pair.apart}
    return row | {
        "n": one.items,
        "difference": f"{100 * one.difference:+.1f} ({100 * one.low:+.1f} to {100 * one.high:+.1f})",
        "better / worse": f"{one.better} / {one.worse}",
        "p": f"{one.p:.4f}",
        "p (Holm)": f"{pair.p_holm:.4f}",
        "test": one.method,
    }


def _terms(entry: Entry) -> Row:
    limits = ", ".join(f"{meter} {limit:g}" for meter, limit in entry.budget.items())
    return {
        "system": entry.name,
        "agent": entry.agent,
        "model": entry.model or "none",
        "judge": entry.judge or "none",
        "decides": entry.metric,
        "budget": limits or "none",
        "seed": entry.seed,
        "items": entry.fingerprint,
        "source": entry.source or "–",
        "shards": ", ".join(entry.shards),
        "other settings": ", ".join(f"{name}={value}" for name, value in entry.settings.items()) or "as by default",
    }


def _clock(at: Circumstances) -> Row:
    def joined(names: Sequence[str]) -> str:
        return ", ".join(names) or "–"

    right = at.seconds.per_correct
    return {
        "system": at.name,
        "seconds of an attempt": number(at.seconds.per_item),
        "seconds for each right answer": "–" if right is None else number(right),
        "judging seconds": number(at.judging_seconds.per_item),
        "started": joined(at.started),
        "webfarer": joined(at.webfarer),
        "commit": joined(at.commits),
        "machine": joined(at.machines),
        "folder": joined(at.folders),
    }


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "–"
