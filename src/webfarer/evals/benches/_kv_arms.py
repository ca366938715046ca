"""What the cache benchmark compares: every cache policy with its numbers, for exams of given lengths.

Budgets are slots per KV head. A total is a share of what the full cache holds at the end, prompt and output together;
every policy of a total gets the same number of slots, however it divides them. Not a policy; nothing is run here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

PILOT = "prompt compressed, output kept in full"
EQUAL = "equal total budgets"
CHOOSERS = "half of the prompt kept, output kept in full"
VARIANTS = "variants at an equal total"

_UNIFIED = {
    "h2o": "h2o:budget={}",
    "tova": "tova:budget={}",
    "streaming": "streaming:budget={}",
    "knorm": "knorm:budget={},skip=0",
    "keydiff": "keydiff:budget={}",
    "random": "random:budget={}",
    "unified snapkv": "unified:policy=snapkv,budget={}",
}
UNIFIED = tuple(_UNIFIED)
"""Policies under which prompt and output compete for one budget, in every layer."""
SLIDE = "scope slide"
_CHOOSERS = ("snapkv", "pyramidkv", "windowkv", "taskkv", "adakv")
_CHOSEN = 0.5
_LEAST_SLOTS = 16
_LAST = 8
"""Tokens at a prompt's end that always stay, as in the paper."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of an exam's sheets: prompt on average and at most, perfect output on average."""

    prompt: int
    longest: int
    output: int


@dataclass(frozen=True, slots=True)
class Arm:
    """One policy in one table.

    Attributes:
        table: its title.
        budget: share of the prompt or of the full cache, as the table says.
        name: of the row.
        spec: the policy, as :func:`webfarer.engine.policy.parse` reads it.
    """

    table: str
    budget: float
    name: str
    spec: str


def arms(lengths: Lengths, kept: tuple[float, ...], totals: tuple[float, ...], *, rest: bool) -> Iterator[Arm]:
    """Yield every arm for sheets of these lengths; the full cache is among them, first.

    Args:
        lengths: of the sheets.
        kept: shares of the prompt for the pilot.
        totals: shares of the full cache; the rest is compared at the middle one.
        rest: whether choosers of prompt tokens and variants of SCOPE are wanted as well.
    """
    yield Arm(EQUAL, 1.0, "full", "full")
    for share in kept:
        yield from _pilot(share)
    for total in totals:
        yield from _equal(total, _slots(lengths, total), lengths)
    if rest:
        middle = sorted(totals)[len(totals) // 2]
        yield from _choosers()
        yield from _variants(middle, _slots(lengths, middle), lengths)


def _slots(lengths: Lengths, total: float) -> int:
    return max(2 * _LEAST_SLOTS, round(total * (lengths.prompt + lengths.output)))


def _pilot(share: float) -> Iterator[Arm]:
    if share >= 1:
        yield Arm(PILOT, share, "snapkv", "full")
        yield Arm(PILOT, share, "random", "full")
        return
    yield Arm(PILOT, share, "snapkv", f"scope:strategy=none,window={_LAST},prompt={share}")
    yield Arm(PILOT, share, "random", _chance(share))


def _chance(share: float) -> str:
    """Return the control: chance chooses among the prompt's tokens, except the last, which stay as under SCOPE."""
    return f"scope:strategy=none,window={_LAST},prefill=random,prompt={share}"


def _equal(total: float, slots: int, lengths: Lengths) -> Iterator[Arm]:
    for strategy in ("slide", "adaptive", "discontinuous"):
        yield Arm(EQUAL, total, f"scope {strategy}", _scope(slots, _whole(slots, lengths), f"strategy={strategy}"))
    yield Arm(EQUAL, total, "scope slide, 4:1", _scope(slots, slots // 5))  # as the paper's 2048 and 512
    yield Arm(EQUAL, total, "scope slide, even split", _scope(slots, _even(slots, lengths)))
    for name, spec in _UNIFIED.items():
        yield Arm(EQUAL, total, name, spec.format(slots))
    if (left := slots - lengths.output) >= _LEAST_SLOTS:
        yield Arm(EQUAL, total, "prompt only", f"scope:strategy=none,window={min(_LAST, left - 1)},prompt={left}")


def _scope(slots: int, pool: int, *settings: str) -> str:
    recent = max(1, pool // 2)
    numbers = (f"prompt={slots - pool}", f"window={_LAST}", f"heavy={pool - recent}", f"recent={recent}")
    return "scope:" + ",".join((*numbers, *settings))


def _whole(slots: int, lengths: Lengths) -> int:
    """Return the pool of generated tokens that is left when the prompt stays whole; a tenth of the slots at least."""
    return max(slots - lengths.longest, slots // 10)


def _even(slots: int, lengths: Lengths) -> int:
    """Return the pool of generated tokens when prompt and output are compressed alike."""
    return round(slots * lengths.output / (lengths.prompt + lengths.output))


def _choosers() -> Iterator[Arm]:
    for name in _CHOOSERS:
        yield Arm(CHOOSERS, _CHOSEN, name, f"prefill_only:policy={name},budget={_CHOSEN}")
    yield Arm(CHOOSERS, _CHOSEN, "random", _chance(_CHOSEN))


def _variants(total: float, slots: int, lengths: Lengths) -> Iterator[Arm]:
    pool = _even(slots, lengths)
    variants = {
        "kernel 1": "kernel=1",
        "kernel 3": "kernel=3",
        "largest of a group": "group=max",
        "decay 0.9": "decay=0.9",
        "current query": "mode=current",
    }
    for name, setting in variants.items():
        yield Arm(VARIANTS, total, f"scope slide, even split, {name}", _scope(slots, pool, setting))
    recent = slots // 4
    yield Arm(
        VARIANTS, total, "tokenselect, as many read", f"tokenselect:top={slots - recent - 4},sinks=4,recent={recent}"
    )
