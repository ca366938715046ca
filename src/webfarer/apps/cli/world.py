"""`webfarer world`: websites generated on this machine, with questions whose answers are known."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from webfarer.worlds.types import World

app = typer.Typer(name="world", no_args_is_help=True, help="Generate websites whose answers are known.")

Domain = Annotated[str, typer.Argument(help="What the site is about; an unknown one lists those there are.")]
Seed = Annotated[int, typer.Option(help="Draws everything.")]
Language = Annotated[str, typer.Option(help="en or zh.")]
Size = Annotated[int, typer.Option(help="Number of pages, about.")]
Depth = Annotated[int, typer.Option(help="Clicks to the deepest pages, 2 to 4.")]
Paraphrase = Annotated[float, typer.Option(help="Share of labels and questions worded differently, 0 to 1.")]

_SHOWN = 6


@app.command()
def serve(
    domain: Domain,
    seed: Seed = 7,
    language: Language = "en",
    size: Size = 60,
    depth: Depth = 4,
    paraphrase: Paraphrase = 0.0,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
) -> None:
    """Serve a website until Ctrl-C.

    It listens on 127.0.0.1 only; some of its questions are printed with their answers.
    """
    import asyncio

    from webfarer.core.errors import ConfigError
    from webfarer.worlds import server

    world = _world(domain, seed, language, size, depth, paraphrase)

    async def run() -> None:
        async with server.serve(world, port) as site:
            print(f"{site.url}\n\nSome questions, and what is true:")
            for question in world.questions[::2][:_SHOWN]:
                print(f"  {question.text}\n    {question.answer}  ({question.kind}, {question.difficulty})")
            print(f'\nAsk:  webfarer walk {site.url} "{world.questions[0].text}" --allow-private 127.0.0.1', flush=True)
            await asyncio.Event().wait()

    try:
        asyncio.run(run())
    except OSError as error:
        raise ConfigError(f"cannot serve on port {port}: {error.strerror}; --port 0 takes a free one") from error


@app.command()
def questions(
    domain: Domain,
    seed: Seed = 7,
    language: Language = "en",
    size: Size = 60,
    depth: Depth = 4,
    paraphrase: Paraphrase = 0.0,
    root_url: Annotated[str, typer.Option(help="Where the world is served.")] = "http://127.0.0.1:8000/",
) -> None:
    """Print the questions as JSON lines.

    The rows have the shape of WebWalkerQA's.
    """
    import json

    world = _world(domain, seed, language, size, depth, paraphrase)
    for question in world.questions:
        info = {
            "hop": question.kind,
            "type": question.kind,
            "difficulty_level": question.difficulty,
            "domain": domain,
            "language": question.language,
            "source_website": [root_url.rstrip("/") + path for path in question.gold],
            "golden_path": ["->".join(("root", *labels)) for labels in question.paths],
        }
        row = {"question": question.text, "answer": question.answer, "root_url": root_url, "info": info}
        print(json.dumps(row, ensure_ascii=False))


def _world(domain: str, seed: int, language: str, size: int, depth: int, paraphrase: float) -> "World":
    from webfarer.worlds.world import WorldSpec, generate

    return generate(WorldSpec(domain, seed, language, size, depth, paraphrase))  # type: ignore[arg-type]
