"""A funnel as tables of texts, as markdown, and as one static page with examples of each drop.

Nothing is computed here but shares. Invariant: markdown and page show the same tables, so they cannot disagree.
"""

from collections.abc import Iterable
from html import escape

from webfarer.data.funnel import Funnel, Step
from webfarer.evals.bench import Row
from webfarer.evals.sheet import document, listed, number, table

READING = (
    "A trajectory is counted with the first rule that speaks against it. Dropped alone: what the rule would drop if "
    "it were the only one. The cost of a kept one counts what all the dropped ones cost."
)


def tables(funnel: Funnel) -> dict[str, list[Row]]:
    """Return all tables, by title; one with nothing to show is left out."""
    found = {
        "Funnel": [*_steps(funnel)],
        "Cost": [*_costs(funnel)],
        **{f"Kept by {key}": [*_cells(funnel, key)] for key in funnel.seen.cells},
    }
    return {title: rows for title, rows in found.items() if rows}


def markdown(funnel: Funnel) -> str:
    """Return the tables as markdown; examples are on the page."""
    parts = [f"# {_title(funnel)}", *(f"\n## {title}\n\n{listed(rows)}" for title, rows in tables(funnel).items())]
    return "\n".join([*parts, "", READING, ""])


def page(funnel: Funnel) -> str:
    """Return the page; whatever came from questions, models or websites is escaped."""
    parts = [
        f"<h1>{escape(_title(funnel))}</h1>",
        *(f"<h2>{escape(title)}</h2>{table(rows)}" for title, rows in tables(funnel).items()),
        f'<p class="soft">{escape(READING)}</p>',
        *map(_examples, funnel.steps),
    ]
    return document(_title(funnel), parts)


def _title(funnel: Funnel) -> str:
    return f"Funnel: {funnel.kept.count} of {funnel.seen.count} trajectories kept"


def _steps(funnel: Funnel) -> Iterable[Row]:
    left = funnel.seen.count
    for step in funnel.steps:
        left -= step.dropped.count
        alone: Row = {} if step.alone is None else {"dropped alone": step.alone}
        share = f"{100 * left / funnel.seen.count:.1f} %" if funnel.seen.count else "–"
        dropped = step.dropped.count
        yield {"stage": step.stage, "rule": step.spec, "dropped": dropped, **alone, "left": left, "share": share}


def _costs(funnel: Funnel) -> Iterable[Row]:
    for meter, total in funnel.fare.items():
        if total:
            cost = funnel.cost(meter)
            yield {
                "meter": meter,
                "all": number(total),
                "the kept ones": number(funnel.fare_kept[meter]),
                "for each kept one": "–" if cost is None else number(cost),
            }


def _cells(funnel: Funnel, key: str) -> Iterable[Row]:
    """Yield a line for each value of the key: what is kept, and what each rule dropped that dropped any."""
    steps = [step for step in funnel.steps if step.dropped.cells.get(key)]
    for value, seen in funnel.seen.cells[key].items():
        kept = funnel.kept.cells.get(key, {}).get(value, 0)
        dropped = {step.rule: step.dropped.cells[key].get(value, 0) for step in steps}
        yield {key: value or "–", "seen": seen, "kept": kept, "share": f"{100 * kept / seen:.1f} %", **dropped}


def _examples(step: Step) -> str:
    """Return the examples of a rule's drops, folded away; "" when it dropped nothing."""
    rows: list[Row] = [
        {"run": each.run, "question": each.question, "answer": each.answer, "why it was dropped": each.reason}
        for each in step.examples
    ]
    title = f"{step.rule}: {len(rows)} of {step.dropped.count} dropped"
    return f"<details><summary>{escape(title)}</summary>{table(rows)}</details>" if rows else ""
