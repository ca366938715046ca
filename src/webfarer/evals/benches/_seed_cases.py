"""One comparison: several strategies write the same texts in turns, a round after the other.

A round takes other problems, and all strategies take the same ones; every other round goes through the strategies
backwards. Costs for the simulator come first in every round, over other texts, so that nothing is cold and the machine
is as busy as it is for the runs. Not a verdict: tables are made of cases elsewhere.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from webfarer.engine.loading import Loaded
from webfarer.engine.measuring import measured
from webfarer.engine.sampling import Request
from webfarer.engine.speculation import Speculate
from webfarer.evals.bench import Row
from webfarer.evals.benches._seed_predictions import Prices, acceptance, gain, predicted
from webfarer.evals.benches._seed_runs import Run, Strategy, run
from webfarer.evals.benches._seed_work import Texts, phases

AUTOREGRESSIVE = "autoregressive, one by one"
SERIAL = "speculative, one by one"
SEED = "SEED, first come first served"
FIXED = "batched speculative, fixed length"
AUTO = "batched speculative"
PLAIN = "batched"
OTHER_DRAFTERS = {"batched, drafts by ngram": "ngram", "batched, drafts by itself": "self:streaming:budget=24,sinks=4"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A target, so many texts at once, and every way to write them.

    Attributes:
        name: of the target, in tables.
        model: it.
        branches: how many texts at once.
        k: length of drafts, where it is fixed.
        strategies: by name.
        samples: texts like those that will be written, over which costs for the simulator are measured.
    """

    name: str
    model: Loaded
    branches: int
    k: int
    strategies: dict[str, Strategy]
    samples: list[list[Request]]

    @classmethod
    def of(cls, target: tuple[str, Loaded], drafts: Mapping[str, str], work: list[list[Request]], k: int) -> "Setting":
        """Make it.

        Args:
            target: name and model.
            drafts: drafters by the name of their strategy; every other strategy drafts as AUTO does.
            work: texts like those that will be written, as many at once.
            k: length of drafts, where it is fixed.
        """
        name, model = target
        branches = len(work[0])
        strategies = {strategy.name: strategy for strategy in _strategies(model, drafts, branches, k)}
        return cls(name, model, branches, k, strategies, work)

    def prices(self) -> Prices:
        """Measure what passes and drafts cost now."""
        draft = self.strategies[FIXED].speculate
        assert draft is not None
        return Prices.of(self.model, draft.draft, self.samples, self.k)


@dataclass(slots=True)
class Case:
    """One setting and one kind of texts; a run of every strategy a round, and the prices of that round."""

    setting: Setting
    texts: Texts
    runs: dict[str, list[Run]] = field(default_factory=dict)
    prices: list[Prices] = field(default_factory=list)

    @property
    def branches(self) -> int:
        """How many texts at once."""
        return self.setting.branches

    @property
    def title(self) -> str:
        """For a table."""
        return f"{self.setting.name}, {self.texts.title}"

    def ratios(self, name: str, baseline: str) -> list[float]:
        """Return how many times as fast as another a strategy was, round by round."""
        pairs = zip(self.runs[name], self.runs[baseline], strict=True)
        return [theirs.seconds / ours.seconds for ours, theirs in pairs]

    def predicted(self, name: str) -> list[float] | None:
        """Return the simulated seconds of decoding, round by round; None for drafters whose costs were not taken."""
        if name in OTHER_DRAFTERS:
            return None
        strategy, rounds = self.setting.strategies[name], zip(self.runs[name], self.prices, strict=True)
        return [predicted(strategy, run, prices) for run, prices in rounds]

    def error(self, name: str) -> float | None:
        """Return by which share of the measured time the simulated one is too long, in the median round."""
        found = self.predicted(name)
        if found is None:
            return None
        return statistics.median(s / run.decoding - 1 for s, run in zip(found, self.runs[name], strict=True))

    @property
    def gain(self) -> float:
        """How many times as fast as without drafts one batch should be with them, as simulated."""
        walls = []
        for fixed, prices in zip(self.runs[FIXED], self.prices, strict=True):
            chance = acceptance(fixed, self.setting.k)
            walls += [gain(phase.lengths, chance, prices) for phase in fixed.phases if phase.lengths]
        return sum(plain for _, plain in walls) / sum(wall for wall, _ in walls)

    @property
    def bound(self) -> float:
        """How many times as fast as one after the other the cost model lets drafting side by side be."""
        return statistics.median(prices.bound(self.branches, self.setting.k) for prices in self.prices)

    def same(self, name: str) -> str:
        """Return how many texts are those of autoregressive decoding, token for token."""
        pairs = zip(self.runs[name], self.runs[AUTOREGRESSIVE], strict=True)
        equal = [mine == theirs for ours, base in pairs for mine, theirs in zip(ours.texts, base.texts, strict=True)]
        return f"{sum(equal)}/{len(equal)}"


def measure(setting: Setting, texts: Texts, seeds: Sequence[int]) -> Case:
    """Run every strategy, a round for each seed."""
    case = Case(setting, texts, {name: [] for name in setting.strategies})
    for number, seed in enumerate(seeds):
        work = phases(setting.model, texts, setting.branches, seed)
        case.prices.append(setting.prices())  # a machine has slower minutes: costs are those of the round
        for name, strategy in list(setting.strategies.items())[:: -1 if number % 2 else 1]:
            case.runs[name].append(run(setting.model, strategy, work))
    return case


def _strategies(model: Loaded, drafts: Mapping[str, str], branches: int, k: int) -> Iterable[Strategy]:
    fixed = Speculate(drafts[AUTO], k)
    yield Strategy(AUTOREGRESSIVE, "serial")
    yield Strategy(SERIAL, "serial", fixed)
    yield Strategy(SEED, "fcfs", fixed)
    yield Strategy(FIXED, "batched", fixed)
    for name, draft in drafts.items():
        how = Speculate(draft)
        costs = measured(model, how.drafter(model, branches), branches)  # as the engine does, but once for all rounds
        yield Strategy(name, "batched", replace(how, costs=costs))
    yield Strategy(PLAIN, "batched")


def speed(case: Case, name: str) -> Row:
    """Return how fast a strategy was, beside the baselines and the simulator."""
    runs, found, error = case.runs[name], case.predicted(name), case.error(name)
    own, plain = case.ratios(name, AUTOREGRESSIVE), case.ratios(name, PLAIN)
    return {
        "n": case.branches,
        "strategy": name,
        "tok_s": round(statistics.median(run.rate for run in runs)),
        "seconds": _median(run.seconds for run in runs),
        "ratio": _median(own, 2),
        "least": round(min(own), 2),
        "most": round(max(own), 2),
        "to_batched": _median(plain, 2),
        "its_least": round(min(plain), 2),
        "its_most": round(max(plain), 2),
        "decoding_s": _median(run.decoding for run in runs),
        "simulated_s": None if found is None else _median(found),
        "off_by": None if error is None else f"{error:+.0%}",
        "same_texts": case.same(name),
    }


def counts(case: Case, name: str) -> Row:
    """Return what a strategy did."""
    runs = case.runs[name]
    tokens, drafted = sum(run.tokens for run in runs), sum(run.drafted for run in runs)
    return {
        "n": case.branches,
        "strategy": name,
        "passes_per_token": round(sum(run.passes for run in runs) / tokens, 3),
        "drafted_per_token": round(drafted / tokens, 3),
        "acceptance": round(sum(run.accepted for run in runs) / drafted, 3) if drafted else None,
        "target_busy": _median((run.busy for run in runs), 3),
        "KV_MB": round(max(run.bytes for run in runs) / 1e6, 2),
    }


def _median(values: Iterable[float], digits: int = 3) -> float:
    return round(statistics.median(values), digits)
