"""`webfarer ask`: answer a question from the open web, a few sites, or a folder of documents."""

from pathlib import Path
from typing import Annotated

import typer

from webfarer.apps.cli import _options as o
from webfarer.apps.cli._exits import EXIT_HELP

app = typer.Typer()


@app.command(name="ask", epilog=EXIT_HELP)
def ask_(
    question: Annotated[str, typer.Argument(help="In English or Chinese; addresses it names may be opened.")],
    search: Annotated[
        list[str] | None, typer.Option(help="Search engine, asked in this order until one answers; repeatable.")
    ] = None,
    site: Annotated[
        list[str] | None, typer.Option(help="Only pages of this host (with optional path) count; repeatable.")
    ] = None,
    start: Annotated[list[str] | None, typer.Option(help="Address to begin with; repeatable.")] = None,
    corpus: Annotated[Path | None, typer.Option(help="Folder that is searched instead of the web: no network.")] = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    mind: Annotated[str | None, typer.Option(help="Who takes the decisions; the default fits the model.")] = None,
    dialect: Annotated[str | None, typer.Option(help="How the model calls tools: native, tags or react.")] = None,
    context: Annotated[str | None, typer.Option(help="What of a long search the model is shown.")] = None,
    tool: Annotated[list[str] | None, typer.Option(help="What the agent may use; repeatable.")] = None,
    max_steps: o.MaxSteps = None,
    max_pages: o.MaxPages = None,
    max_usd: o.MaxUsd = None,
    max_tokens: o.MaxTokens = None,
    max_seconds: o.MaxSeconds = None,
    max_bytes: o.MaxBytes = None,
    archive: o.ArchiveMode = None,
    browser: o.Browser = None,
    allow_private: o.AllowPrivate = None,
    ignore_robots: o.IgnoreRobots = False,
    seed: o.Seed = None,
    home: o.Home = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Answer a question from the open web, a few sites, or a folder of documents.

    Searches, opens pages and walks through sites until the evidence answers the question or the budget is spent.
    """
    from webfarer.agents import runs
    from webfarer.agents.asking import Asking
    from webfarer.apps.cli._asking import ask
    from webfarer.apps.cli._person import person
    from webfarer.core.config import load_settings

    budget = o.given(
        steps=max_steps, pages=max_pages, usd=max_usd, tokens=max_tokens, seconds=max_seconds, bytes=max_bytes
    )
    settings = load_settings(
        home=home,
        model=model,
        base_url=base_url,
        archive=archive,
        browser=browser,
        seed=seed,
        search=o.given(engines=search),
        ask=o.given(mind=mind, dialect=dialect, context=context, budget=budget or None),
        web=o.manners(allow_private, ignore_robots),
    )
    asking = Asking(tuple(site or ()), tuple(start or ()), corpus, tuple(tool) if tool else None)
    ask(
        lambda options: runs.ask(question, asking=asking, options=options),
        settings,
        person=None if as_json or quiet else person(),
        as_json=as_json,
        quiet=quiet,
    )
