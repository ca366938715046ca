"""`webfarer plan`: what a model needs on a GPU, and whether a smaller cache or a draft model would pay there."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from webfarer.core.errors import ConfigError

if TYPE_CHECKING:
    from webfarer.engine.lengths import Costs
    from webfarer.engine.planning import Device, Forecast, Work
    from webfarer.engine.shapes import Shape

app = typer.Typer()

_WORTH = 1.1
_DRAWN = 128
_SUFFIXES = {"k": 1024, "m": 1024**2}


@app.command()
def plan(
    model: Annotated[str | None, typer.Argument(help="Folder of a model, or the id of one downloaded before.")] = None,
    shape: Annotated[
        str | None, typer.Option(help="Instead of a model: layers=32,heads=32,kv=8,dim=128,params=8e9.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="Tokens of a sequence at its end; 32k by default.")] = None,
    prompt: Annotated[str | None, typer.Option(help="How many of them are the prompt; --new gives the rest.")] = None,
    new: Annotated[str | None, typer.Option(help="How many are generated; an eighth by default.")] = None,
    batch: Annotated[int, typer.Option(help="Sequences at once.")] = 1,
    gpu: Annotated[str, typer.Option(help="Which; an unknown one lists those there are.")] = "h200",
    cache: Annotated[
        list[str] | None, typer.Option(help="A cache policy to compare with the full cache; repeatable.")
    ] = None,
    draft: Annotated[
        str | None,
        typer.Option(help="A small model that guesses ahead, or ngram: would it pay, in which schedule?"),
    ] = None,
    here: Annotated[
        bool, typer.Option(help="With --draft: load both and time them on this machine, in place of a GPU's floors.")
    ] = False,
) -> None:
    """Foretell memory and speed of a model on a GPU.

    Loads no weights, but with --here. Times are floors: every byte read once, nothing else done.
    """
    if here:
        if model is None or draft is None:
            raise ConfigError("--here times a model and what drafts for it: give a model and --draft")
        _print_here(model, draft, batch)
        return
    from webfarer.engine.planning import device_named, forecast
    from webfarer.engine.shapes import shape_of_model, shape_of_text

    if (model is None) == (shape is None):
        raise ConfigError("give a model or --shape")
    known = shape_of_text(shape) if shape else shape_of_model(model or "")
    work, device = _work(context, prompt, new, batch), device_named(gpu)
    if known.context is not None and work.length > known.context:
        raise ConfigError(f"{work.length} tokens are more than the {known.context} positions the model is made for")
    plans = {"full": forecast(known, work, device)}
    for spec in cache or ():
        try:
            from webfarer.engine.policy import parse
        except ModuleNotFoundError as error:
            raise ConfigError("--cache needs more packages: pip install 'webfarer[engine]'") from error
        plans[spec] = forecast(known, work, device, parse(spec))
    print(
        f"{known.parameters / 1e9:.3g} B parameters, weights {known.weight_bytes / 1e9:.3g} GB, "
        f"{known.token_bytes / 1024:.0f} KiB of cache a token\n"
        f"{work.batch} x ({work.prompt} + {work.new}) tokens on {gpu}: {device.bytes / 1e9:.0f} GB, "
        f"{device.bandwidth / 1e12:.1f} TB/s, {device.flops / 1e12:.0f} TFLOPs\n"
    )
    _print_plans(plans, work.batch)
    if draft is None:
        _print_drafts(known, work, device)
    else:
        _print_reckoned(known, draft, work, device)
    print(_advice(known, work, plans))


def _print_here(model: str, draft: str, batch: int) -> None:
    """Time passes and drafts on this machine, and say what each schedule would make of them."""
    try:
        from webfarer.engine.loading import load
    except ModuleNotFoundError as error:
        raise ConfigError("--here needs more packages: pip install 'webfarer[engine]'") from error
    from webfarer.engine.measuring import measured
    from webfarer.engine.speculation import Speculate

    target = load(model.removeprefix("local:"))
    costs = measured(target, Speculate(draft).drafter(target, batch), batch)
    points = ", ".join(f"{tokens} in {1e3 * seconds:.2f} ms" for tokens, seconds in costs.passes)
    steps = ", ".join(f"{rows} in {1e3 * seconds:.2f} ms" for rows, seconds in costs.drafts)
    print(f"passes over tokens: {points}\ndraft steps for rows: {steps}\n")
    _print_schedules(costs, costs, batch)


def _print_reckoned(shape: "Shape", draft: str, work: "Work", device: "Device") -> None:
    """Reckon what passes and drafts cost on a GPU, and say what each schedule would make of them."""
    from webfarer.engine.outlook import reckoned
    from webfarer.engine.shapes import shape_of_model

    kind, _, argument = draft.partition(":")
    if kind == "self":
        raise ConfigError(f"--draft {draft} can only be timed: give a model and --here, or draft with a small model")
    small = None
    if kind not in ("ngram", "lookup"):
        small = shape_of_model(argument if kind in ("model", "local") else draft)
    alone = reckoned(shape, small, replace(work, batch=1), device)
    _print_schedules(alone, reckoned(shape, small, work, device), work.batch)


def _print_schedules(alone: "Costs", together: "Costs", batch: int) -> None:
    """Print what every schedule would draw, and from which acceptance on drafts pay."""
    from webfarer.engine.outlook import outlook
    from webfarer.engine.planning import ACCEPTANCES
    from webfarer.engine.simulating import Work as Branches

    lengths = (_DRAWN,) * batch
    found = [outlook(alone, together, Branches(lengths, 0, (share,) * batch)) for share in ACCEPTANCES]
    heads = "".join(f"{f'{o.acceptance:.0%} accepted':>14}" for o in found)
    print(f"{f'tokens/s, {batch} x {_DRAWN} tokens':<26}{heads}")
    for name in found[0].rates:
        print(f"{name:<26}" + "".join(f"{o.rates[name]:>14,.0f}" for o in found))
    print(f"{'tokens to draft':<26}" + "".join(f"{o.k or 'none':>14}" for o in found))
    pays = [o for o in found if o.gain >= _WORTH]
    print(
        f"\nDrafts pay from {pays[0].acceptance:.0%} accepted on: {pays[0].gain:.2f}x, and {pays[-1].gain:.2f}x at "
        f"{pays[-1].acceptance:.0%}.\n"
        if pays
        else "\nDrafts do not pay here; with --k auto they are not made.\n"
    )


def _work(context: str | None, prompt: str | None, new: str | None, batch: int) -> "Work":
    from webfarer.engine.planning import Work

    if prompt is not None and new is not None:
        work = Work(_count(prompt), _count(new), batch)
        if context is not None and _count(context) != work.length:
            raise ConfigError(f"--prompt and --new make {work.length} tokens, not --context {context}; leave one out")
        return work
    length = _count(context or "32k")
    if prompt is not None:
        return Work(_count(prompt), length - _count(prompt), batch)
    made = _count(new) if new is not None else length // 8
    return Work(length - made, made, batch)


def _count(text: str) -> int:
    """Read a number of tokens, where k stands for 1024."""
    digits, factor = text.strip().lower(), 1
    if digits[-1:] in _SUFFIXES:
        digits, factor = digits[:-1], _SUFFIXES[digits[-1]]
    try:
        return int(float(digits) * factor)
    except (ValueError, OverflowError):
        raise ConfigError(f"{text!r} is no number of tokens; write 4096 or 4k") from None


def _print_plans(plans: "dict[str, Forecast]", batch: int) -> None:
    width = max(map(len, plans))
    print(
        f"{'cache':<{width}}  {'slots':>8}  {'cache GB':>8}  {'ms/step':>8}  {'tokens/s':>8}  {'batch that fits':>15}"
    )
    for name, row in plans.items():
        print(
            f"{name:<{width}}  {row.slots:>8.0f}  {row.cache_bytes / 1e9:>8.2f}  {1e3 * row.seconds:>8.2f}  "
            f"{batch / row.seconds:>8.0f}  {row.fits:>15}"
        )
    print()


def _print_drafts(shape: "Shape", work: "Work", device: "Device") -> None:
    """Print how many tokens to draft with the full cache, and the speed-up, for draft models of several costs."""
    from webfarer.engine.planning import ACCEPTANCES, DRAFT_COSTS, holding, speculation, step_seconds

    read = holding(shape, work).read
    one = step_seconds(shape, work.batch, read, device)

    def verify(tokens: int) -> float:
        return step_seconds(shape, work.batch, read, device, tokens) / one

    print("tokens to draft and speed-up" + "".join(f"{f'{share:.0%} accepted':>16}" for share in ACCEPTANCES))
    for cost in DRAFT_COSTS:
        cells = []
        for share in ACCEPTANCES:
            drafted, gain = speculation(share, cost, verify)
            cells.append(f"{drafted} ({gain:.2f}x)" if drafted else "none")
        print(f"a draft step costs {cost:>5.0%}    " + "".join(f"{cell:>16}" for cell in cells))
    print()


def _advice(shape: "Shape", work: "Work", plans: "dict[str, Forecast]") -> str:
    """Say in one sentence whether a smaller cache pays here."""
    from webfarer.engine.planning import break_even

    held, full = work.batch * work.length, plans["full"]
    if full.fits < work.batch:
        fitting = [name for name, row in plans.items() if row.fits >= work.batch]
        which = f"with {' or '.join(fitting)} it does" if fitting else "only a smaller cache, batch or model would"
        return f"The full cache fits {full.fits} sequences, not {work.batch}; {which}."
    least = break_even(shape, _WORTH)
    if held < least:
        return (
            f"Compression does not pay for speed here: batch x length is {held:,}, and below {least:,.0f} "
            f"even a cache of nothing would make a step less than {_WORTH:.1f} times as quick."
        )
    best = min(plans, key=lambda name: plans[name].seconds)
    gain = full.seconds / plans[best].seconds
    tail = f"; {best} makes a step at most {gain:.1f} times as quick" if best != "full" else ""
    return f"Compression can pay for speed from batch x length = {least:,.0f}, and here it is {held:,}{tail}."
