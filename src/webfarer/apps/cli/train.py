"""`webfarer train`: trains models on this machine, from data made on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from webfarer.core.errors import ConfigError

if TYPE_CHECKING:
    from webfarer.train.school import Term

app = typer.Typer(name="train", no_args_is_help=True, help="Train models on this machine.")

_TELL_EVERY = 100


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
