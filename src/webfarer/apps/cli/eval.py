"""`webfarer eval`: how good an agent is, and what that costs: run a task, report runs, replay them, keep the floors."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from webfarer.apps.cli import _options as o
from webfarer.apps.cli._groups import naming

if TYPE_CHECKING:
    from webfarer.evals.records import Folder


app = typer.Typer(name="eval", cls=naming("run"), no_args_is_help=True, help="Evaluate agents: quality beside cost.")

Split = Annotated[str, typer.Option(help="Split of the published data.")]
Subset = Annotated[str, typer.Option(help="A named subset, such as text of gaia.")]
Size = Annotated[int, typer.Option(help="Number of generated items.", min=0)]
Agent = Annotated[str, typer.Option(help="Who answers; several with commas between them, or all.")]
Model = Annotated[
    str | None,
    typer.Option(help="provider:model; several with commas, as none,openai:gpt-4o-mini; none is no model."),
]
Setting = Annotated[str | None, typer.Option(help="click, search, both or closed; the default fits task and agent.")]
Shard = Annotated[str, typer.Option(metavar="I/N", help="Every N-th item from the I-th.")]
Scorers = Annotated[str | None, typer.Option(help="Scorers, with commas; the first decides what is right.")]
Judge = Annotated[str, typer.Option(help="Model that judges, provider:name; only where a scorer asks one.")]
Html = Annotated[Path | None, typer.Option(help="Write the report card as one static page.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the report card's figures.")]


@app.command(name="list")
def list_all() -> None:
    """List tasks, agents and scorers."""
    from webfarer.agents.system import SYSTEMS
    from webfarer.evals.scorer import SCORERS
    from webfarer.evals.task import TASKS

    for name in TASKS.ids():
        card = TASKS.load(name).card
        print(f"{name:<16} {card.title}; {', '.join(card.settings)}; scored by {', '.join(card.scorers)}")
    for name in SYSTEMS.ids():
        system = SYSTEMS.load(name)
        print(f"--agent {name:<16} {', '.join(system.settings)}; model {system.model}")
    print(f"--scorers {', '.join(SCORERS.ids())}")


@app.command()
def run(
    task: Annotated[str, typer.Argument(help="Which questions; `webfarer eval list` names them.")],
    path: Annotated[Path | None, typer.Option(help="File or folder in the published format; none: the hub.")] = None,
    split: Split = "",
    subset: Subset = "",
    key: Annotated[str, typer.Option(help="Password of an encrypted set that does not carry it.")] = "",
    root: Annotated[str, typer.Option(help="A website, for tasks that are made of any.")] = "",
    size: Size = 0,
    seed: Annotated[int, typer.Option(help="Draws generated items, and whatever an agent draws.")] = 0,
    agent: Agent = "walker",
    setting: Setting = None,
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many items.")] = 0,
    shard: Shard = "1/1",
    runs: Annotated[int, typer.Option(min=1, help="Attempts at each item.")] = 1,
    scorers: Scorers = None,
    judge: Judge = "",
    out: Annotated[Path | None, typer.Option(help="The run's folder; what is finished there stays.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Attempts side by side in a process.")] = 4,
    processes: Annotated[int, typer.Option(min=0, help="Processes; 0: as many as cores where no model is asked.")] = 0,
    ray: Annotated[bool, typer.Option("--ray", help="Over the nodes of a Ray cluster; needs webfarer[ray].")] = False,
    html: Html = None,
    json_path: Json = None,
    model: Model = None,
    base_url: o.BaseUrl = None,
    max_steps: o.MaxSteps = None,
    max_pages: o.MaxPages = None,
    max_usd: o.MaxUsd = None,
    max_tokens: o.MaxTokens = None,
    max_seconds: o.MaxSeconds = None,
    max_bytes: o.MaxBytes = None,
    archive: o.ArchiveMode = None,
    allow_private: o.AllowPrivate = None,
    ignore_robots: o.IgnoreRobots = False,
    assign: o.Assignments = None,
    home: o.Home = None,
) -> None:
    """Put a task's questions to an agent, mark its answers, and show the report card.

    Limits are those of one attempt. The same command again goes on where a killed one stopped.
    """
    from webfarer.apps.cli._evaluating import Made, carry_out
    from webfarer.core.config import load_settings
    from webfarer.evals.runner import Asked, Spread
    from webfarer.evals.task import Source

    budget = o.limits(max_steps, max_pages, max_usd, max_tokens, max_seconds, max_bytes)
    flags = o.given(home=home, base_url=base_url, archive=archive, seed=seed, budget=budget or None)
    settings = load_settings(**o.assigned(assign, **flags, web=o.manners(allow_private, ignore_robots)))
    source = Source(path, split, subset, seed, size, root, key)
    marked = tuple(filter(None, (scorers or "").split(",")))
    # an unknown setting is refused with the known ones
    asked = Asked(task, settings, source, agent, setting, limit, _shard(shard), runs, marked, judge)  # type: ignore[arg-type]
    o.writable(html, json_path)
    show(carry_out(asked, agent, model, Made(out, Spread(jobs, processes, ray))), html, json_path)


@app.command()
def report(
    folders: Annotated[list[Path] | None, typer.Argument(metavar="RUN...", help="Folders of runs.")] = None,
    html: Html = None,
    json_path: Json = None,
    published: Annotated[str, typer.Option(help="Check a published table instead, such as webwalkerqa.")] = "",
) -> None:
    """Make the report card of runs from their traces alone."""
    from webfarer.apps.cli._evaluating import found
    from webfarer.core.errors import ConfigError

    if published:
        from webfarer.evals.published import table

        print(table(published))
        return
    if not folders:
        raise ConfigError("give the folder of a run, or --published NAME")
    o.writable(html, json_path)
    show(found(folders), html, json_path)


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
) -> None:
    """Make every attempt of a run again from its recording, without network or model, and compare."""
    from webfarer.apps.cli._evaluating import replayed
    from webfarer.evals.records import Folder

    raise typer.Exit(0 if replayed(Folder(folder)) else 1)


@app.command()
def gate(
    refresh: Annotated[bool, typer.Option("--refresh", help="Raise floors that are passed; none is lowered.")] = False,
) -> None:
    """Hold what is deterministic to its floors: the lexical agent, extraction, search."""
    from webfarer.evals.gate import gate as measured

    outcome = measured(refresh)
    print(outcome)
    raise typer.Exit(0 if outcome.passed else 1)


def show(folders: "list[Folder]", html: Path | None, json_path: Path | None) -> None:
    """Write the report card where it is wanted, and print it."""
    from webfarer.evals.card import card, markdown

    made = card(folders)
    if json_path:
        json_path.write_text(made.model_dump_json(indent=1) + "\n", encoding="utf-8")
    if html:
        from webfarer.evals.page import page

        html.write_text(page(made), encoding="utf-8")
    print(markdown(made))


def _shard(text: str) -> tuple[int, int]:
    first, slash, every = text.partition("/")
    if not (slash and first.isdecimal() and every.isdecimal() and 1 <= int(first) <= int(every)):
        raise typer.BadParameter(f"{text!r} is no shard: write I/N with 1 <= I <= N, as 2/8")
    return int(first), int(every)
