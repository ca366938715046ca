"""`webfarer bench`: run a benchmark of this machine, with its baseline beside it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Which benchmark; without a name those there are are listed.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small sample, in seconds instead of minutes.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json", help="Where the numbers are written.")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="An option of the benchmark; --KEY VALUE does as well."),
    ] = None,
) -> None:
    """Run a benchmark on this machine.

    Prints its tables and writes its numbers to a file; the last line is the headline.
    """
    from webfarer.evals.bench import BENCHES, options_of, run_bench

    if name is None:
        for known in BENCHES.ids():
            print(f"{known:<12}--" + " --".join(field.replace("_", "-") for field in options_of(known).model_fields))
        return
    pairs = [pair.partition("=")[::2] for pair in option or []]
    options = {key.replace("-", "_"): value for key, value in (*pairs, *_extra(context.args))}
    run_bench(name, options | ({"quick": True} if quick else {}), json_path)


def _extra(args: list[str]) -> Iterator[tuple[str, str]]:
    """Read `--key value` and `--key=value`, which only the benchmark knows."""
    rest = iter(args)
    for arg in rest:
        key, equals, value = arg.removeprefix("--").partition("=")
        if not arg.startswith("--") or not (equals or (value := next(rest, ""))):
            raise typer.BadParameter(f"{arg!r}: options of a benchmark are written --key value")
        yield key, value
