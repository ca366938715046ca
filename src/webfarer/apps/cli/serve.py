"""`webfarer serve`: an open-weights model behind OpenAI's API, for this program and any other client."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from webfarer.core.errors import ConfigError

app = typer.Typer()


@app.command()
def serve(
    model: Annotated[str, typer.Argument(help="Folder of the model, or the id of one on the Hugging Face hub.")],
    cache: Annotated[
        str,
        typer.Option(help="What is kept: full, scope:prompt=2048,recent=256, …; an unknown one lists all."),
    ] = "full",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    rows: Annotated[int, typer.Option(min=1, help="Sequences drawn at once; more wait in line.")] = 16,
    context: Annotated[int | None, typer.Option(min=2, help="Most tokens of a prompt and its answer.")] = None,
    new: Annotated[int | None, typer.Option(min=1, help="Most tokens of one answer.")] = None,
    waiting: Annotated[int, typer.Option(min=1, help="Sequences in line; more are told to come again.")] = 256,
    dtype: Annotated[str | None, typer.Option(help="Of weights and cache: bfloat16, float16, float32.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or cuda:1; the best there is by default.")] = None,
    draft: Annotated[
        str, typer.Option(help="What guesses ahead: ngram, lookup, self:CACHE, or the folder of a small model.")
    ] = "",
    k: Annotated[str, typer.Option(help="Tokens of a draft: auto or a number.")] = "auto",
    tree: Annotated[str, typer.Option(help="Candidates per token and depth, such as 2,1,1, in place of --k.")] = "",
    adapter: Annotated[
        list[str] | None, typer.Option(help="A LoRA adapter, NAME=FOLDER; clients ask for NAME as model; repeatable.")
    ] = None,
    token: Annotated[
        str, typer.Option(envvar="WEBFARER_SERVE_TOKEN", help="Clients have to send it as their API key.")
    ] = "",
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the CPU that compute.")] = None,
) -> None:
    """Serve an open-weights model as OpenAI's API until Ctrl-C or SIGTERM.

    Chat completions with tools and streams, completions, models, health and Prometheus metrics.
    """
    try:
        import torch

        from webfarer.engine.serving import server
    except ModuleNotFoundError as error:
        raise ConfigError("serving a model needs more packages: pip install 'webfarer[engine]'") from error
    from webfarer.engine.chat import Chat
    from webfarer.engine.engine import Engine, Limits
    from webfarer.engine.loading import DTYPES
    from webfarer.engine.serving.endpoints import Endpoints
    from webfarer.engine.speculation import Speculate

    if dtype is not None and dtype not in DTYPES:
        raise ConfigError(f"there is no dtype {dtype!r}; there is {', '.join(DTYPES)}")
    torch.set_num_threads(threads or torch.get_num_threads())
    loras, kind = _adapters(adapter or []), DTYPES[dtype] if dtype else None
    limits = Limits(rows=rows, new=new, context=context, waiting=waiting)
    engine = Engine.load(model, cache=cache, dtype=kind, device=device, adapters=loras, limits=limits)
    if draft:
        engine.arrange(Speculate.parse(draft, k, tree))
    endpoints = Endpoints(engine, Chat.load(model), context=context)
    if host not in server.LOOPBACK and not token:
        typer.echo("webfarer: whoever reaches this address can use the model; --token asks for a key", err=True)

    about = f"cache {cache}, {f'drafts by {draft}, ' if draft else ''}up to {rows} sequences at once"
    try:
        asyncio.run(server.serve(endpoints, server.Door(host, port, token), _announcer(endpoints.name, about, token)))
    except OSError as error:
        raise ConfigError(f"cannot serve at {host}:{port}: {error.strerror}; --port 0 takes a free one") from error


def _announcer(name: str, about: str, token: str) -> Callable[[str], None]:
    """Return what tells the address when there is one."""
    key = "OPENAI_API_KEY=… " if token else ""

    def announce(url: str) -> None:
        print(
            f"{name} is served at {url}/v1, {about}\n\n"
            f'Ask:  {key}webfarer ask "…" --model endpoint:{name} --base-url {url}/v1',
            flush=True,
        )

    return announce


def _adapters(given: list[str]) -> dict[str, Path]:
    """Read NAME=FOLDER pairs."""
    found = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not name or not equals or not folder:
            raise ConfigError(f"--adapter {text!r}: write NAME=FOLDER")
        if name in found:
            raise ConfigError(f"two adapters are called {name!r}")
        found[name] = Path(folder)
    return found
