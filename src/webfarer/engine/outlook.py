"""Whether drafts would pay: every way of scheduling them, simulated from what passes and draft steps cost.

The costs are a device's floors, reckoned from the sizes of two models, or were measured on this machine. Not a
measurement of text: acceptance is assumed, the same for all branches, for it hangs on what is written.
Source of the schedules: SEED (arXiv 2406.18200).
"""

from dataclasses import dataclass, replace

from webfarer.engine.lengths import LONGEST, Costs, best
from webfarer.engine.planning import Device, Work, holding, step_seconds
from webfarer.engine.shapes import Shape
from webfarer.engine.simulating import Work as Branches
from webfarer.engine.simulating import simulate

_FEW = 16


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect at one acceptance: tokens a second by schedule, and how many tokens drafts have where it batches.

    `k` is 0 where drafting does not pay; the schedules that do not batch choose their own.
    """

    acceptance: float
    k: int
    rates: dict[str, float]

    @property
    def gain(self) -> float:
        """What drafts bring a batch over plain decoding of it."""
        return self.rates["batched, drafts"] / self.rates["batched, plain"]


def reckoned(target: Shape, draft: Shape | None, work: Work, device: Device) -> Costs:
    """Return the least that passes and draft steps of `work.batch` rows cost on a device, when sequences are longest.

    Args:
        target: the model that checks.
        draft: the model that guesses; None for drafts that cost nothing, such as n-grams.
        work: of the target.
        device: where both are.
    """
    read, rows = holding(target, work).read, work.batch
    passes = [(rows * tokens, step_seconds(target, rows, read, device, tokens)) for tokens in range(1, LONGEST + 2)]
    step = 0.0 if draft is None else step_seconds(draft, rows, holding(draft, work).read, device)
    return Costs(tuple(passes), ((rows, step),))


def outlook(alone: Costs, together: Costs, work: Branches) -> Outlook:
    """Simulate the schedules.

    Args:
        alone: what passes and drafts of one branch cost.
        together: what those of all branches cost.
        work: branches of one acceptance; its `k` means nothing.
    """
    acceptance, branches = work.acceptance[0], len(work.lengths)
    one, all_of_them = best([acceptance], alone, LONGEST)[0], max(best([acceptance] * branches, together, LONGEST))
    schedules = {
        "one by one, plain": ("autoregressive", alone, 0),
        "one by one, drafts": ("serial", alone, one),
        "first come first served": ("fcfs", alone, one),
        "batched, plain": ("batched", together, 0),
        "batched, drafts": ("batched", together, all_of_them),
    }
    # equal branches one after the other: a few tell the rate of all
    few = replace(work, lengths=work.lengths[:_FEW], acceptance=work.acceptance[:_FEW])
    rates = {
        name: simulate(strategy, replace(work if strategy == "batched" else few, k=k), costs).rate
        for name, (strategy, costs, k) in schedules.items()
    }
    return Outlook(acceptance, all_of_them, rates)
