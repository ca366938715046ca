"""`webfarer walk`: answer a question from one website."""

from pathlib import Path
from typing import Annotated

import typer

from webfarer.apps.cli._exits import EXIT_HELP

app = typer.Typer()


@app.command(epilog=EXIT_HELP)
def walk(
    url: Annotated[str, typer.Argument(help="Where the walk starts; only pages of this site are opened.")],
    question: Annotated[str, typer.Argument(help="In English or Chinese.")],
    model: Annotated[
        str | None, typer.Option(help="provider:model, such as openai:gpt-4o-mini; none: lexical.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="OpenAI-compatible endpoint of the model.")] = None,
    policy: Annotated[str | None, typer.Option(help="Who takes the decisions; the default fits the model.")] = None,
    max_steps: Annotated[int | None, typer.Option(help="Limit on actions (the setting's default is 15).")] = None,
    max_pages: Annotated[int | None, typer.Option(help="Limit on pages requested.")] = None,
    max_usd: Annotated[float | None, typer.Option(help="Limit on US dollars for model calls.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Limit on model tokens.")] = None,
    max_seconds: Annotated[float | None, typer.Option(help="Limit on seconds.")] = None,
    max_bytes: Annotated[int | None, typer.Option(help="Limit on bytes received.")] = None,
    archive: Annotated[str | None, typer.Option(help="live, record or replay.")] = None,
    allow_private: Annotated[
        list[str] | None, typer.Option(help="Host that may be private or loopback, with optional :port; repeatable.")
    ] = None,
    ignore_robots: Annotated[bool, typer.Option("--ignore-robots", help="Do not ask robots.txt.")] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of everything that draws lots.")] = None,
    home: Annotated[Path | None, typer.Option(help="Where runs and the archive lie.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the trace as it happens, one JSON event a line.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the answer's text only.")] = False,
) -> None:
    """Answer a question from one website.

    Shows the answer, its sources with quotes that were checked, and what it cost.
    """
    from webfarer.agents import runs
    from webfarer.apps.cli._asking import ask
    from webfarer.core.config import load_settings

    limits = {
        "steps": max_steps,
        "pages": max_pages,
        "usd": max_usd,
        "tokens": max_tokens,
        "seconds": max_seconds,
        "bytes": max_bytes,
    }
    manners = {"allow_private": allow_private, "robots": False if ignore_robots else None}
    settings = load_settings(
        home=home,
        model=model,
        base_url=base_url,
        policy=policy,
        archive=archive,
        seed=seed,
        budget={meter: limit for meter, limit in limits.items() if limit is not None},
        web={name: value for name, value in manners.items() if value is not None},
    )
    ask(lambda options: runs.walk(url, question, options=options), settings, as_json=as_json, quiet=quiet)
