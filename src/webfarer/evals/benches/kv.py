"""What cache policies cost and save on long outputs: a small trained model sits the same exams under every one of them.

The prompt compressed and the output kept in full; equal totals, where SCOPE's two pools stand against one budget for
everything; choosers of prompt tokens; variants of SCOPE. Controls are the full cache and chance.
Greedy; marked by question number, once by order. After LongGenBench and SCOPE (arXiv 2412.13649), whose figures are of
8 B models and real questions: ours show the mechanism, and are no comparison. Nothing in our prompts is superfluous,
where the paper's hold worked examples, so the same share of a prompt costs more here.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Names, Row, Value, split_names, spread
from webfarer.evals.benches._kv_arms import CHOOSERS, EQUAL, PILOT, SLIDE, UNIFIED, VARIANTS, Arm, arms
from webfarer.evals.pupil import folder, pupils
from webfarer.evals.scoring import Share

if TYPE_CHECKING:
    from webfarer.evals.benches._kv_runs import Outcome, Paper
    from webfarer.evals.benches._kv_stats import Points

_FULL = (EQUAL, 1.0, "full")
_H2O = "h2o"
_SCOPES_GSM = {1.0: 42.5, 0.6: 46.0, 0.4: 35.5, 0.2: 2.7, 0.01: 0.7}
"""SCOPE's figure 2a, GSM8K+ with Llama-3.1-8B: percent right by share of the prompt kept, read off the figure."""

Shares = Annotated[tuple[float, ...], split_names]
Key = tuple[str, float, str]


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {
        "sheets": 4,
        "size": 0.4,
        "kept": (1.0, 0.6, 0.2),
        "totals": (0.5,),
        "rest": False,
    }

    seed: int = Field(1, ge=1, lt=1000, description="Draws the sheets; none of them was used when the pupil was made.")
    model: str = Field("longwork", description="A pupil by name, or the folder of a model that sits exams.")
    exams: Names = Field(("arithmetic", "lookup", "recall"), description="Which exams.")
    sheets: int = Field(24, ge=1, le=500, description="Sheets of each exam, decoded as one batch.")
    size: float = Field(1.0, gt=0, le=1, description="Questions of a sheet, as a share of the exam's full size.")
    kept: Shares = Field((1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05), description="Shares of the prompt for the first table.")
    totals: Shares = Field((0.7, 0.5, 0.35), min_length=1, description="Totals, as shares of the full cache's end.")
    rest: bool = Field(True, description="Whether choosers and variants are compared as well.")
    plots: Path | None = Field(None, description="Folder for four figures (SVG).")


def bench(options: Options) -> Findings:
    """Write every sheet under every policy."""
    from webfarer.evals.benches._kv_runs import Paper, lengths_of, model_in

    model = str(folder(options.model) if options.model in pupils() else Path(options.model))
    papers = [Paper(exam, options.sheets, options.size, options.seed) for exam in options.exams]
    loaded = model_in(model)
    chosen = {
        paper.exam: list(arms(lengths_of(loaded, paper), options.kept, options.totals, rest=options.rest))
        for paper in papers
    }
    results = _Results(papers, chosen, _sit(model, papers, chosen, options.jobs), options.seed)
    tables = {title: rows for title, rows in _tables(results, options).items() if rows}
    if options.plots is not None:
        from webfarer.evals.benches._kv_figures import draw_pilot, draw_runs

        draw_runs(options.plots, loaded, papers[0], chosen[papers[0].exam])
        if options.kept:
            draw_pilot(options.plots, _pilot_lines(results, options))
    n = len(options.exams) * options.sheets
    return Findings(n, (options.seed,), tables, _headline(results, options))


def _sit(
    model: str, papers: Sequence["Paper"], chosen: Mapping[str, Sequence[Arm]], jobs: int
) -> dict[tuple[str, str], "Outcome"]:
    """Return what came of every exam under every policy; a policy that stands in several tables runs once."""
    from webfarer.evals.benches._kv_runs import Task, sit

    tasks = [Task(model, paper, spec) for paper in papers for spec in dict.fromkeys(a.spec for a in chosen[paper.exam])]
    done = spread(sit, tasks, jobs)
    return {(task.paper.exam, task.spec): outcome for task, outcome in zip(tasks, done, strict=True)}


class _Results:
    """Outcomes by table, budget and name, all exams of a policy together."""

    def __init__(
        self,
        papers: Sequence["Paper"],
        chosen: Mapping[str, Sequence[Arm]],
        outcomes: Mapping[tuple[str, str], "Outcome"],
        seed: int,
    ) -> None:
        from webfarer.evals.benches._kv_stats import Sheets

        self.exams = [paper.exam for paper in papers]
        self._by_key: dict[Key, list[Outcome]] = {}
        for exam in self.exams:
            for arm in chosen[exam]:
                self._by_key.setdefault((arm.table, arm.budget, arm.name), []).append(outcomes[exam, arm.spec])
        full = self[_FULL]
        names = [exam for exam, outcome in zip(self.exams, full, strict=True) for _ in outcome.marks]
        self.sheets = Sheets(names, [m.asked for outcome in full for m in outcome.marks], seed)

    def __getitem__(self, key: Key) -> "list[Outcome]":
        return self._by_key[key]

    def keys(self, table: str) -> list[Key]:
        """Return what stands in a table for every exam."""
        return [key for key, each in self._by_key.items() if key[0] == table and len(each) == len(self.exams)]

    def right(self, key: Key) -> list[int]:
        """Return right answers by sheet."""
        return [marks.right for outcome in self[key] for marks in outcome.marks]

    def accuracy(self, key: Key, exam: str | None = None) -> Share:
        """Return the share of right answers."""
        return self.sheets.accuracy(self.right(key), exam)

    def difference(self, key: Key, other: Key) -> "Points":
        """Return how much more is right than under another policy, on the same sheets."""
        return self.sheets.difference(self.right(key), self.right(other))

    def costs(self, key: Key) -> Row:
        """Return what a policy took, beside the full cache."""
        here, full = self[key], self[_FULL]
        meters = [meter for outcome in here for meter in outcome.meters]
        held = sum(meter.peak for meter in meters) / sum(m.peak for outcome in full for m in outcome.meters)
        read = sum(meter.read for meter in meters) / sum(m.read for outcome in full for m in outcome.meters)
        return {
            "output_tokens": round(sum(meter.tokens for meter in meters) / len(meters)),
            "cache": f"{held:.0%}",
            "read": f"{read:.0%}",
            "cache_MB": round(max(outcome.allocated for outcome in here) / 1e6, 1),
            "evictions": round(sum(meter.evicted for meter in meters) / len(meters)),
            "tokens_per_second": round(sum(m.tokens for m in meters) / sum(outcome.seconds for outcome in here)),
        }


def _tables(results: _Results, options: Options) -> dict[str, list[Row]]:
    tables = {f"{PILOT}: percent right": _pilot_rows(results, options.kept)}
    for table in (EQUAL, CHOOSERS, VARIANTS):
        keys = results.keys(table)
        tables[f"{table}: percent right"] = [_quality(results, key) for key in keys]
        tables[f"{table}: what it takes"] = [_label(key) | results.costs(key) for key in keys]
    return tables


def _label(key: Key) -> Row:
    return {"budget": f"{key[1]:.0%}", "policy": key[2]}


def _pilot_rows(results: _Results, kept: Iterable[float]) -> list[Row]:
    rows: list[Row] = []
    for share in kept:
        key = (PILOT, share, "snapkv")
        row: Row = {"kept": f"{share:.0%}", "removed": f"{1 - share:.0%}"}
        row |= {exam: results.accuracy(key, exam) for exam in results.exams}
        row |= {
            "all": results.accuracy(key),
            "minus_full": results.difference(key, _FULL),
            "all_by_chance": results.accuracy((PILOT, share, "random")),
            "cache": results.costs(key)["cache"],
            "scopes_GSM8K+": _SCOPES_GSM.get(share),
        }
        rows.append(row)
    return rows


def _quality(results: _Results, key: Key) -> Row:
    """Return a policy's accuracy, beside the full cache, and beside H2O where that holds as many slots."""
    compared: dict[str, Value] = {}
    if key[0] != CHOOSERS:
        rival = (EQUAL, key[1], _H2O)
        compared["minus_h2o"] = results.difference(key, rival) if key not in (_FULL, rival) else None
    marks = [marks for outcome in results[key] for marks in outcome.marks]
    by_order = results.sheets.accuracy([m.by_order for m in marks])
    return (
        _label(key)
        | {"all": results.accuracy(key), "minus_full": results.difference(key, _FULL)}
        | compared
        | {exam: results.accuracy(key, exam) for exam in results.exams}
        | {"by_order": by_order.percent}
    )


def _pilot_lines(results: _Results, options: Options) -> dict[str, list[tuple[float, float]]]:
    """Return percent right by percent kept: each exam, chance, and the paper's own figures."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for exam in results.exams:
        lines[exam] = [(100 * s, 100 * results.accuracy((PILOT, s, "snapkv"), exam).share) for s in options.kept]
    lines["all, by chance"] = [(100 * s, 100 * results.accuracy((PILOT, s, "random")).share) for s in options.kept]
    lines["SCOPE's GSM8K+"] = [(100 * share, percent) for share, percent in _SCOPES_GSM.items()]
    return lines


def _headline(results: _Results, options: Options) -> str:
    """Return SCOPE's slide beside the best policy with one budget, for every total; the best of these very sheets."""
    said = []
    for total in options.totals:
        ours = (EQUAL, total, SLIDE)
        best = max(((EQUAL, total, name) for name in UNIFIED), key=lambda key: results.accuracy(key).share)
        pair = f"{results.accuracy(ours).percent}, {best[2]} {results.accuracy(best).percent}"
        said.append(f"{total:.0%} of the cache: {pair}, difference {results.difference(ours, best)} points")
    full = results.accuracy(_FULL)
    best_of = "the best single budget, picked on the same sheets, which favours it"
    return (
        f"kv, SCOPE slide and {best_of} "
        f"(n={full.n} questions on {len(results.right(_FULL))} sheets, full cache {full.percent}): {'; '.join(said)}"
    )
