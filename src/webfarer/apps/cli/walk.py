"""`webfarer walk`: answer a question from one website."""

from typing import Annotated

import typer

from webfarer.apps.cli import _options as o
from webfarer.apps.cli._exits import EXIT_HELP

app = typer.Typer()


@app.command(epilog=EXIT_HELP)
def walk(
    url: Annotated[str, typer.Argument(help="Where the walk starts; only pages of this site are opened.")],
    question: Annotated[str, typer.Argument(help="In English or Chinese.")],
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    policy: o.Policy = None,
    max_steps: Annotated[int | None, typer.Option(help="Limit on actions (the setting's default is 15).")] = None,
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
    """Answer a question from one website.

    Shows the answer, its sources with quotes that were checked, and what it cost.
    """
    from webfarer.agents import runs
    from webfarer.apps.cli._asking import ask
    from webfarer.core.config import load_settings

    settings = load_settings(
        home=home,
        model=model,
        base_url=base_url,
        policy=policy,
        archive=archive,
        browser=browser,
        seed=seed,
        budget=o.limits(max_steps, max_pages, max_usd, max_tokens, max_seconds, max_bytes),
        web=o.manners(allow_private, ignore_robots),
    )
    ask(lambda options: runs.walk(url, question, options=options), settings, as_json=as_json, quiet=quiet)
