"""`webfarer train`: trains models on this machine."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from webfarer.apps.cli import _options as o
from webfarer.core.errors import ConfigError
from webfarer.core.specs import extended

if TYPE_CHECKING:
    from webfarer.train.fitting import Fitting
    from webfarer.train.school import Term

app = typer.Typer(name="train", no_args_is_help=True, help="Train models on this machine.")

_TELL_EVERY = 100
_LINES = 20


@app.callback()
def _group() -> None:
    """Train models on this machine."""


@app.command()
def school(
    out: Annotated[Path, typer.Option(help="Folder for the pupil; a checkpoint in it is resumed.")],
    recipe: Annotated[str, typer.Option(help="What to teach whom; an unknown one lists those there are.")] = "longwork",
    steps: Annotated[int, typer.Option(help="Steps in all; 0 takes the recipe's.")] = 0,
    seed: Annotated[int, typer.Option(help="Draws the first weights and the sheets.")] = 1,
    sheets: Annotated[int, typer.Option(help="Sheets of each exam and size the pupil is examined on.")] = 20,
    threads: Annotated[int, typer.Option(help="Threads; another number gives other roundings.")] = 1,
) -> None:
    """Raise a small decoder from nothing by a recipe, and examine it.

    Everything it learns from is generated; nothing is downloaded. Needs the `engine` extra.
    """
    from dataclasses import replace

    try:
        import torch

        from webfarer.train.school import recipe_named, train, write_card
    except ModuleNotFoundError as error:
        raise ConfigError("training needs more packages: pip install 'webfarer[engine]'") from error

    chosen = recipe_named(recipe)
    if steps:
        chosen = replace(chosen, steps=steps)
    torch.set_num_threads(threads)
    term = train(chosen, seed, out, _tell)
    for score in write_card(term, out, sheets):
        print(f"{score.exam:<12}{score.questions:>3} questions  {score.right:6.1%} right")
    print(f"{out}: {term.seen:,} tokens seen in {term.step} steps")


def _tell(term: "Term") -> None:
    if term.step % _TELL_EVERY == 0:
        recent = term.losses[-_TELL_EVERY:]
        of_exam = {exam: [loss for name, loss in recent if name == exam] for exam in sorted(dict(recent))}
        means = (f"{exam} {sum(losses) / len(losses):.3f}" for exam, losses in of_exam.items())
        print(f"step {term.step}  loss: {'  '.join(means)}", flush=True)


@app.command()
def sft(
    rows: Annotated[Path, typer.Argument(help="Rows of `webfarer data`, chats, or prompts with completions; JSONL.")],
    model: Annotated[Path, typer.Option(help="Folder of the model.")],
    out: Annotated[Path, typer.Option(help="Folder for adapter and card; a training that was stopped in it goes on.")],
    tuner: Annotated[str, typer.Option(help="What is trained, as lora:rank=16,alpha=32; or rslora, full …")] = "lora",
    rank: Annotated[int | None, typer.Option(min=1, help="The tuner's rank; else what the tuner says.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the rows.")] = 3,
    batch: Annotated[int, typer.Option(help="Sequences of a step.")] = 8,
    room: Annotated[int, typer.Option(help="Most tokens in one forward pass: sets memory and dropout's draws.")] = 4096,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-4,
    schedule: Annotated[Literal["linear", "cosine", "constant"], typer.Option(help="How the rate falls.")] = "linear",
    warmup: Annotated[float, typer.Option(help="Share of the steps in which the rate rises.")] = 0.03,
    clip: Annotated[float, typer.Option(help="Largest norm of the gradient; 0 for any.")] = 1.0,
    decay: Annotated[float, typer.Option(help="AdamW's weight decay.")] = 0.0,
    packing: Annotated[bool, typer.Option(help="Many sequences in one row, apart from each other.")] = True,
    bf16: Annotated[bool, typer.Option("--bf16", help="Forward passes in bfloat16.")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Teach every token, prompts too.")] = False,
    longest: Annotated[int, typer.Option(help="Most tokens of a sequence; 0 takes the model's limit.")] = 0,
    drop_long: Annotated[bool, typer.Option("--drop-long", help="Leave longer rows out instead of stopping.")] = False,
    held_out: Annotated[Path | None, typer.Option(help="Rows to evaluate on.")] = None,
    share: Annotated[float, typer.Option(help="Share of the questions that is held out to evaluate on.")] = 0.0,
    evaluate_every: Annotated[int, typer.Option(help="Steps between evaluations; 0: first and last.")] = 0,
    save_every: Annotated[int, typer.Option(min=1, help="Steps between checkpoints.")] = 100,
    checkpointing: Annotated[bool, typer.Option("--checkpointing", help="Compute layers again: less memory.")] = False,
    shard: Annotated[bool, typer.Option("--shard", help="Divide the model among the processes of torchrun.")] = False,
    seed: Annotated[int, typer.Option(help="Draws first weights, order and dropout.")] = 1,
) -> None:
    """Fine-tune a model on rows: supervised, by an adapter or whole.

    Under `torchrun --nproc-per-node N --no-python webfarer train sft …` processes share each step; with --shard each
    holds a part of the model only. Needs the `train` extra.
    """
    try:
        from transformers.utils.logging import disable_progress_bar

        from webfarer.train.examples import Reading
        from webfarer.train.fitting import Settings
        from webfarer.train.sft import Job
        from webfarer.train.sft import sft as do
    except ModuleNotFoundError as error:
        raise ConfigError("fine-tuning needs more packages: pip install 'webfarer[train]'") from error
    disable_progress_bar()  # type: ignore[no-untyped-call]  # of files that are read and written
    settings = Settings(epochs, batch, room, rate, schedule, warmup, clip, decay, packing, bf16, seed, checkpointing)
    reading = Reading(whole, longest, drop_long)
    spec = extended(tuner, **o.given(rank=rank))
    job = Job(rows, model, out, spec, settings, reading, held_out, share, evaluate_every, save_every, shard)
    card = do(job, _tell_fitting)
    if os.environ.get("RANK", "0") != "0":  # one of several processes tells
        return
    if card["dropped"]:
        print(f"{len(card['dropped'])} rows were too long and left out; card.json names them")
    print(
        f"{out}: {card['trained']:,} of {card['parameters']:,} parameters trained, {card['tokens']:,} tokens seen in "
        f"{len(card['points'])} steps, {card['tokens_per_second']:,} tokens/s; see {out / 'card.html'}"
    )


def _tell_fitting(fitting: "Fitting") -> None:
    point, every = fitting.points[-1], max(1, fitting.steps // _LINES)
    score = fitting.scores.get(point.step)
    if point.step % every == 0 or point.step == fitting.steps or score is not None:
        held_out = "" if score is None else f"  held out {score:.4f}"
        print(f"step {point.step}/{fitting.steps}  loss {point.loss:.4f}{held_out}", flush=True)


@app.command()
def star(
    pool: Annotated[str, typer.Argument(help="A file of items (JSONL: prompt, choices, answer), or a generated pool.")],
    model: Annotated[Path | None, typer.Option(help="Folder of the base model; none: the small learner.")] = None,
    out: Annotated[Path, typer.Option(help="Folder of the learning; what waits in it goes on.")] = Path("star"),
    labels: Annotated[int, typer.Option(min=1, help="Labels in the end.")] = 500,
    rounds: Annotated[int, typer.Option(min=0, help="Rounds of picking, after a first one by lot.")] = 9,
    first: Annotated[int, typer.Option(min=0, help="Labels of the first round; 0: as many as of the others.")] = 0,
    picker: Annotated[str, typer.Option(help="Who picks; several with semicolons are compared, or all.")] = "star",
    tuner: Annotated[str, typer.Option(help="What is trained; several with semicolons are compared.")] = "constrained",
    released: Annotated[str, typer.Option(help="STAR with its program's defects beside: scale;leak,decay;all.")] = "",
    oracle: Annotated[str, typer.Option(help="Who labels: file, model or human.")] = "file",
    answers: Annotated[Path | None, typer.Option(help="A file of labels, for the oracle file.")] = None,
    seeds: Annotated[str, typer.Option(help="Seeds, with commas.")] = "1",
    size: Annotated[int | None, typer.Option(min=1, help="Items of a generated pool; else 2000.")] = None,
    held_out: Annotated[int, typer.Option(min=0, help="Items to be examined on after every round; 0: none.")] = 200,
    skew: Annotated[float | None, typer.Option(help="Share of a generated pool that is of one easy kind.")] = None,
    published: Annotated[Path | None, typer.Option(help="The pool's published set: GSM8K's train.jsonl.")] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the labels in every round.")] = 3,
    batch: Annotated[int, typer.Option(help="Sequences of a step.")] = 8,
    rate: Annotated[float, typer.Option(help="Highest learning rate.")] = 2e-4,
    longest: Annotated[int, typer.Option(min=1, help="Most tokens of an answer that the model writes.")] = 64,
    warm: Annotated[bool, typer.Option("--warm", help="Go on with the last round's adapter.")] = False,
    stop: Annotated[float, typer.Option(help="End when at most this share of answers still changes; 0: never.")] = 0.0,
    probe: Annotated[bool, typer.Option("--probe", help="Record how unsure both models are, for the report.")] = False,
    labeller: Annotated[str | None, typer.Option("--labeller", help="provider:model, for the oracle model.")] = None,
    people: Annotated[int, typer.Option(min=1, help="How many people label each item, for the oracle human.")] = 1,
    guidelines: Annotated[Path | None, typer.Option(help="Text for whoever labels, people or a model.")] = None,
    max_usd: Annotated[float | None, typer.Option(help="Limit on US dollars for labels.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write both probes, gap and calibration, as a page.")] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write every round's figures.")] = None,
) -> None:
    """Learn from few labels: train, pick what is worth a label, ask for it, train again (STAR).

    Several pickers, tuners or seeds are compared with the first. Needs the `train` extra.
    """
    try:
        from webfarer.apps.cli import _starring as s
        from webfarer.core.config import load_settings
        from webfarer.train import study
        from webfarer.train.adapter_learner import Teaching
        from webfarer.train.fitting import Settings
        from webfarer.train.oracle import Desk
        from webfarer.train.rounds import Plan
        from webfarer.train.scoring import Limits
    except ModuleNotFoundError as error:
        raise ConfigError("learning needs more packages: pip install 'webfarer[train]'") from error
    o.writable(html, json_path)
    settings = load_settings(**o.given(model=labeller, budget=o.given(usd=max_usd) or None))
    plan = Plan(labels=labels, rounds=rounds, first=first, warm=warm, stop=stop, probe=probe)
    teaching = Teaching(settings=Settings(epochs, batch, rate=rate), limits=Limits(longest))
    desk = Desk(out, answers=answers, settings=settings, guidelines=s.guidelines_of(guidelines), people=people)
    wanted = s.study_of(s.Named(picker, tuner, released, seeds, oracle), plan, model, teaching, desk)
    items = s.items_of(s.Drawn(pool, published, held_out, size, skew), model)
    found = study.run(wanted, items, out, lambda *told: print(s.line(*told), flush=True))
    s.leave(wanted, found, f"Learning from few labels: {pool}", html, json_path)
    print(s.told(wanted, found, out))


@app.command()
def score(
    pool: Annotated[str, typer.Argument(help="A file of items (JSONL: prompt, choices), or a generated pool.")],
    out: Annotated[Path, typer.Option(help="File for the scores, JSONL: one line an item.")] = Path("scores.jsonl"),
    model: Annotated[Path | None, typer.Option(help="Folder of the base model; none: the small learner.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="Folder of an adapter; none: the base model alone.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Items of a generated pool; else 2000.")] = None,
    passes: Annotated[int, typer.Option(min=0, help="Passes with dropout in the adapter.")] = 3,
    longest: Annotated[int, typer.Option(min=1, help="Most tokens of an answer that the model writes.")] = 64,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the processor.")] = 1,
    seed: Annotated[int, typer.Option(help="Draws the items of a generated pool.")] = 1,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write what it took.")] = None,
) -> None:
    """Score the items of a pool: what a model answers to each, and how sure it is. Needs the `train` extra."""
    try:
        from webfarer.apps.cli import _scoring as s
        from webfarer.apps.cli._starring import Drawn, items_of
        from webfarer.train.scoring import Limits
    except ModuleNotFoundError as error:
        raise ConfigError("scoring needs more packages: pip install 'webfarer[train]'") from error
    asking = s.Asking(model, adapter, passes, Limits(longest), threads)
    took = s.score(items_of(Drawn(pool, None, 0, size), model)(seed).pool, asking, out)
    if json_path:
        json_path.write_text(json.dumps(took) + "\n", encoding="utf-8")
    print(f"{out}: {took['items']} items in {took['seconds']:.1f} s")
