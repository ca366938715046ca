"""The funnel: which trajectories are kept, which rule dropped the others, and what a kept one cost.

Validity, then correctness, then quality; the first rule that speaks drops. An audit asks every rule about every
trajectory, since only the first counts in a funnel. What is worth keeping, rules and their numbers say, nothing here.
Source: WebDancer (Wu et al., NeurIPS 2025), stage II.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from webfarer.core.errors import ConfigError
from webfarer.core.fare import Fare
from webfarer.core.specs import id_of, made, spec_of
from webfarer.data.rule import RULES, STAGES, Jury, Rule, Stage
from webfarer.data.trajectory import Trajectory

_SHOWN = 500


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Example(_Value):
    """A trajectory that was dropped: its run, question and answer, and the rule's reason."""

    run: str
    question: str
    answer: str
    reason: str


class Tally(_Value):
    """How many trajectories, and how many of each cell of the questions: {"difficulty": {"easy": 3}}."""

    count: int
    cells: dict[str, dict[str, int]]


class Step(_Value):
    """One rule of the funnel.

    Attributes:
        rule, stage: which; `spec` has its numbers.
        dropped: trajectories that it was the first to speak of.
        alone: how many it would drop if it were the only rule; None without an audit.
        examples: the first that it dropped.
    """

    rule: str
    stage: Stage
    spec: str
    dropped: Tally
    alone: int | None
    examples: tuple[Example, ...]


class Funnel(_Value):
    """What became of the trajectories.

    Attributes:
        seen, kept: how many there were, and how many are left.
        runs: the kept ones, as ids of rows begin: digest of the plan, id of the run.
        steps: the rules in their order.
        fare: of all of them with their marking and judging, by meter; `fare_kept` of those kept, without the judging.
    """

    seen: Tally
    kept: Tally
    runs: tuple[str, ...]
    steps: tuple[Step, ...]
    fare: dict[str, float]
    fare_kept: dict[str, float]

    def judged(self, fare: Fare) -> "Funnel":
        """Return the funnel with what its rules paid a judge, but for the seconds: replies that were kept take none."""
        more = fare.model_dump(exclude={"seconds"})
        return self.model_copy(update={"fare": {meter: paid + more.get(meter, 0) for meter, paid in self.fare.items()}})

    def cost(self, meter: str) -> float | None:
        """Return what a kept trajectory cost, with all that were dropped on the way; None when none is kept."""
        return self.fare[meter] / self.kept.count if self.kept.count else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What rules said of a trajectory.

    Attributes:
        run, question, answer, cells, fare: of the trajectory, which itself may be large; `run` as in a funnel.
        reasons: by rule, in the order of the rules; none when it is kept.
    """

    run: str
    question: str
    answer: str
    cells: dict[str, str]
    fare: Fare
    reasons: dict[str, str]

    @property
    def first(self) -> str:
        """The rule that drops it; "" when it is kept."""
        return next(iter(self.reasons), "")


def rules_of(specs: Sequence[str] = (), without: Sequence[str] = ()) -> list[Rule]:
    """Return all rules that ask no model and those that are named, in their order.

    Args:
        specs: rules with other numbers, or that ask: "repetition:n=10,most=4".
        without: ids of rules to leave out.

    Raises:
        UnknownPlugin: there is no such rule.
        ConfigError: it has no such number, or is named twice.
    """
    named: dict[str, Rule] = {}
    for spec in specs:
        rule = made(RULES, spec)
        if id_of(rule) in named:
            raise ConfigError(f"the rule {id_of(rule)} is named twice; write all its numbers behind one colon")
        named[id_of(rule)] = rule
    left_out = {id_of(made(RULES, name)) for name in without}
    rules: list[Rule] = [named.get(name) or made(RULES, name) for name in RULES.ids() if name not in left_out]
    asked = [rule for rule in rules if not rule.asks or id_of(rule) in named]
    return sorted(asked, key=lambda rule: (STAGES.index(rule.stage), rule.order))


async def sift(trajectory: Trajectory, rules: Sequence[Rule], jury: Jury, *, audit: bool = False) -> Verdict:
    """Return what rules say of a trajectory; without an audit those behind the first that speaks are not asked.

    Raises:
        ConfigError: a rule asks a model and there is none.
        ModelError: the model that a rule asks failed.
    """
    reasons: dict[str, str] = {}
    for rule in rules:
        if rule.asks and jury.model is None:
            raise ConfigError(f"the rule {id_of(rule)} asks a model: give one with --judge")
        if reason := await rule.problem(trajectory, jury):
            reasons[id_of(rule)] = reason
            if not audit:
                break
    item, result = trajectory.item, trajectory.result
    answer = result.answer.text if result.answer else ""
    run = f"{trajectory.plan.digest}/{result.run}"
    return Verdict(run, item.question, answer, item.cells, result.fare, reasons)


def report(verdicts: Sequence[Verdict], rules: Sequence[Rule], *, examples: int = 5, audit: bool = False) -> Funnel:
    """Return the funnel that verdicts come to.

    Args:
        verdicts: of :func:`sift`, in order.
        rules: those that were asked, in their order.
        examples: most of each rule.
        audit: every rule was asked about every trajectory.
    """
    alone = Counter(name for verdict in verdicts for name in verdict.reasons)
    by_rule: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_rule.setdefault(verdict.first, []).append(verdict)
    steps = []
    for rule in rules:
        name = id_of(rule)
        dropped = by_rule.get(name, [])
        shown = tuple(_example(verdict) for verdict in dropped[:examples])
        count = alone[name] if audit else None
        steps.append(
            Step(rule=name, stage=rule.stage, spec=spec_of(rule), dropped=_tally(dropped), alone=count, examples=shown)
        )
    kept = by_rule.get("", [])
    return Funnel(
        seen=_tally(verdicts),
        kept=_tally(kept),
        runs=tuple(verdict.run for verdict in kept),
        steps=tuple(steps),
        fare=_total(verdicts),
        fare_kept=_total(kept),
    )


def _tally(verdicts: Sequence[Verdict]) -> Tally:
    cells: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for key, value in verdict.cells.items():
            cells.setdefault(key, Counter())[value] += 1
    ordered = {key: dict(sorted(counts.items())) for key, counts in sorted(cells.items())}
    return Tally(count=len(verdicts), cells=ordered)


def _example(verdict: Verdict) -> Example:
    reason = verdict.reasons[verdict.first][:_SHOWN]
    return Example(run=verdict.run, question=verdict.question, answer=verdict.answer[:_SHOWN], reason=reason)


def _total(verdicts: Sequence[Verdict]) -> dict[str, float]:
    return {meter: sum(getattr(verdict.fare, meter) for verdict in verdicts) for meter in Fare.model_fields}
