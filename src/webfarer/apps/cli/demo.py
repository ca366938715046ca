"""`webfarer demo`: the whole way from question to checked answer on this machine, without network or model."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from webfarer.apps.cli._exits import ERROR

if TYPE_CHECKING:
    from webfarer.core.types import Answer
    from webfarer.worlds.types import World

app = typer.Typer()


@app.command()
def demo(
    home: Annotated[Path | None, typer.Option(help="Where the run is kept; a temporary folder by default.")] = None,
) -> None:
    """Answer a question in a generated website.

    Needs no network, no model and no key. Exit code 0 only when the answer holds the known truth and its quotes check.
    """
    import asyncio
    import tempfile

    from webfarer.apps.cli._answers import show_answer
    from webfarer.apps.cli._terminal import console
    from webfarer.worlds.world import WorldSpec, generate

    world = generate(WorldSpec("conference", seed=7))
    question = next(q for q in world.questions if q.kind == "single_source" and q.difficulty == "medium")
    with tempfile.TemporaryDirectory() as folder:
        answer = asyncio.run(_ask(world, question.text, home or Path(folder)))
    print(f"A conference website of {len(world.pages)} pages, generated and served on 127.0.0.1.\n")
    print(f"Question  {question.text}")
    print("Answer    ", end="", flush=True)
    show_answer(answer, console())
    right = all(truth.casefold() in answer.text.casefold() for truth in question.answers)
    print(f"\nKnown truth: {question.answer} – {'the answer holds it' if right else 'THE ANSWER MISSES IT'}")
    if not (right and answer.verified):
        raise typer.Exit(ERROR)


async def _ask(world: "World", question: str, home: Path) -> "Answer":
    from webfarer.agents.runs import Options, walk
    from webfarer.core.config import WebSettings, load_settings
    from webfarer.core.fare import Budget
    from webfarer.worlds.server import serve

    settings = load_settings(
        home=home,
        model="",
        policy="lexical",
        archive="live",
        budget=Budget(steps=15),
        web=WebSettings(allow_private=("127.0.0.1",)),
    )
    async with serve(world) as site:
        return await walk(site.url, question, options=Options(settings=settings))
