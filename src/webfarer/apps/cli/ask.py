"""`webfarer ask`: answer a question from the open web, a few sites, or a folder of documents."""

from pathlib import Path
from typing import Annotated

import typer

from webfarer.apps.cli import _options as o
from webfarer.apps.cli._exits import EXIT_HELP

app = typer.Typer()

Search = Annotated[list[str] | None, typer.Option(help="Search engine, asked in this order; repeatable.")]
Sites = Annotated[list[str] | None, typer.Option(help="Only this host (with optional path) counts; repeatable.")]
Start = Annotated[list[str] | None, typer.Option(help="Address to begin with; repeatable.")]
Corpus = Annotated[Path | None, typer.Option(help="Folder that is searched instead of the web: no network.")]

Report = Annotated[bool, typer.Option("--report", help="Write a report with sections, each with its sources.")]
ApprovePlan = Annotated[bool, typer.Option("--approve-plan", help="Show the report's plan first; it can be changed.")]
Out = Annotated[Path | None, typer.Option(help="Write the report to this file: .md, .html or .docx.")]


@app.command(epilog=EXIT_HELP)
def ask(
    question: Annotated[str, typer.Argument(help="In English or Chinese; addresses it names may be opened.")],
    search: Search = None,
    site: Sites = None,
    start: Start = None,
    corpus: Corpus = None,
    report: Report = False,
    approve_plan: ApprovePlan = False,
    out: Out = None,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
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
    assign: o.Assignments = None,
    home: o.Home = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Answer a question from the open web, a few sites, or a folder of documents, within limits."""
    from webfarer.agents import runs
    from webfarer.agents.asking import Asking
    from webfarer.agents.reporter import Reporting
    from webfarer.apps.cli import _asking
    from webfarer.apps.cli._answers import show_answer
    from webfarer.apps.cli._person import person
    from webfarer.apps.cli._reporting import Paper
    from webfarer.core.config import load_settings

    budget = o.limits(max_steps, max_pages, max_usd, max_tokens, max_seconds, max_bytes)
    flags = o.given(home=home, model=model, base_url=base_url, archive=archive, browser=browser)
    flags |= {"search": o.given(engines=search), "ask": o.given(budget=budget or None)}
    settings = load_settings(**o.assigned(assign, **flags, web=o.manners(allow_private, ignore_robots)))
    where = Asking(tuple(site or ()), tuple(start or ()), corpus)
    how = Reporting(approve=approve_plan)
    full = report or approve_plan or out is not None
    _asking.ask(
        lambda options: (
            runs.report(question, asking=where, reporting=how, options=options)
            if full
            else runs.ask(question, asking=where, options=options)
        ),
        settings,
        person=None if as_json or quiet else person(),
        show=Paper(out).show if full else show_answer,
        as_json=as_json,
        quiet=quiet,
    )
