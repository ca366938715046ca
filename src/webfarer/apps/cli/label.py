"""`webfarer label`: people label what a learning from few labels has picked."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def label(
    folder: Annotated[Path, typer.Argument(help="Folder of the learning that asks.")],
    name: Annotated[str, typer.Option("--as", help="Your name: two annotators are compared by theirs.")] = "me",
    web: Annotated[bool, typer.Option("--web", help="As a page in a browser of this machine, until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(min=0, help="Of the page; 0 takes a free one.")] = 0,
) -> None:
    """Label items one by one: answer, skip, undo. Every answer is kept at once.

    Several people may label at the same time, each under a name of their own; the same people see the same items.
    """
    from webfarer.apps.cli._label_page import serve
    from webfarer.apps.cli._labelling import ask_all, result
    from webfarer.train.labels import Labelling

    with Labelling(folder, name) as labelling:
        try:
            if web:
                serve(labelling, port)
            else:
                ask_all(labelling)
        except (KeyboardInterrupt, EOFError):
            print()
        print(result(labelling))
