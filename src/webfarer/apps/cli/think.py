"""`webfarer think`: solve a problem by a tree of thoughts, and show the tree."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from webfarer.apps.cli import _options as o
from webfarer.apps.cli._exits import ERROR
from webfarer.apps.cli._terminal import clean

if TYPE_CHECKING:
    from webfarer.agents.thinking import Thinking

app = typer.Typer()


@app.command()
def think(
    problem: Annotated[str, typer.Argument(help="In plain words, such as “Use 4, 7, 8, 8 to make 24”.")],
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    draft: Annotated[
        str | None,
        typer.Option(help="What guesses ahead for a local model: ngram, lookup, self:CACHE, a model's folder."),
    ] = None,
    k: Annotated[str | None, typer.Option(help="Tokens of a draft: auto or a number.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="How branches share a local model: batched, or, to compare with, serial or fcfs.")
    ] = None,
    branches: Annotated[int, typer.Option(help="Thoughts written for each state.")] = 8,
    breadth: Annotated[int, typer.Option(help="States kept at each level.")] = 1,
    evaluations: Annotated[int, typer.Option(help="Values asked for each state; 0 for none.")] = 3,
    depth: Annotated[int | None, typer.Option(help="Most thoughts of a path; the problem's own by default.")] = None,
    search: Annotated[str, typer.Option(help="bfs, dfs or beam.")] = "bfs",
    select: Annotated[str, typer.Option(help="greedy, or sample in proportion to the values.")] = "greedy",
    temperature: Annotated[float, typer.Option(help="Of thoughts and evaluations.")] = 0.2,
    tokens: Annotated[int, typer.Option(help="Most tokens of a thought or an evaluation.")] = 100,
    max_calls: Annotated[int, typer.Option(help="Limit on calls of the model.")] = 1000,
    puzzle: Annotated[
        str, typer.Option(help="Kind of the problem; found by itself when not given; free: any question.")
    ] = "",
    seed: o.Seed = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the tree and its fare as JSON.")] = False,
) -> None:
    """Solve a problem by a tree of thoughts.

    The model writes several next thoughts for a state, values each, and thinks on from the best. Shows the tree, the
    answer, whether it was checked, and what it took; exits with 1 when no complete path was found.
    """
    import asyncio

    from webfarer.agents.thinking import Drive, think
    from webfarer.agents.thoughts import Options
    from webfarer.core.config import load_settings

    settings = load_settings(model=model, base_url=base_url, seed=seed)
    options = Options(
        branches=branches,
        evaluations=evaluations,
        breadth=breadth,
        depth=depth,
        search=search,
        select=select,
        temperature=temperature,
        tokens=tokens,
        seed=settings.seed,
        most=max_calls,
    )
    found = asyncio.run(think(problem, settings, options, puzzle=puzzle, drive=Drive(draft, k, scheduler)))
    print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) if as_json else "\n".join(_lines(found)))
    if found.tree.best is None:
        raise typer.Exit(ERROR)


def _lines(found: "Thinking") -> list[str]:
    tree, counts = found.tree, found.tree.counts
    checked = ("right" if tree.right else "wrong") if found.checked else "not checked"
    answer = f"{clean(tree.answer)} ({checked})" if tree.best is not None else "none: no complete path was found"
    trouble = f", {counts.failed} failed" if counts.failed else ""
    fare = [
        f"{counts.calls} calls{trouble}",
        f"{counts.tokens_in:,} tokens read, {counts.tokens_out:,} written",
        f"{found.seconds:.2f} s",
        *(f"{value} {name}" for name, value in found.engine.items()),
    ]
    return [clean(tree.text()), "", f"Answer  {answer}", f"Fare    {', '.join(fare)}"]
