"""Benchmarks: one file each in `evals/benches/`; this runs one, prints its tables and writes its numbers to a file.

A benchmark is `def bench(options: X) -> Findings`, where X is its own :class:`BenchOptions`; whatever it claims
it measures beside a baseline in the same run. The last line printed is the headline. Figures in the docs come from
these files. Not a test: nothing here passes or fails.
"""

import datetime
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, get_type_hints

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from rich.console import Console
from rich.table import Table

from webfarer.core.errors import ConfigError
from webfarer.core.registry import Seam
from webfarer.evals.scoring import Share

BENCHES = Seam("webfarer.evals.benches", "bench", "benchmark")
LOCAL = Path("results/local")
_WIDTH = 160

Value = str | int | float | Share | None
Row = dict[str, Value]
Item = TypeVar("Item")
Result = TypeVar("Result")
split_names = BeforeValidator(
    lambda given: tuple(part for part in given.split(",") if part) if isinstance(given, str) else given
)
"""Several names stand on the command line with commas between them."""
Names = Annotated[tuple[str, ...], split_names]


class BenchOptions(BaseModel):
    """What every benchmark can be told; each adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    QUICK: ClassVar[Mapping[str, Any]] = {}
    """Values of a quick run, where the caller gives none."""

    quick: bool = Field(False, description="A small sample, in seconds instead of minutes.")
    seed: int = Field(1, description="Draws the sample.")
    jobs: int = Field(2, ge=1, le=64, description="Processes side by side.")

    @model_validator(mode="before")
    @classmethod
    def _quick(cls, given: dict[str, Any]) -> dict[str, Any]:
        quick = str(given.get("quick", False)).lower() in ("true", "1", "yes", "on")
        return {**cls.QUICK, **given} if quick else given


@dataclass(frozen=True, slots=True)
class Findings:
    """What a benchmark found out.

    Attributes:
        n: trials in all.
        seeds: every seed that was used.
        tables: rows by the title of their table.
        headline: the one line to remember.
    """

    n: int
    seeds: tuple[int, ...]
    tables: Mapping[str, list[Row]]
    headline: str


class Report(BaseModel):
    """The file a benchmark leaves behind."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    commit: str = Field(description='Of the checkout it ran in, with "+" when that had changes; "" outside of one.')
    machine: dict[str, str | int]
    started: str
    seconds: float
    n: int
    seeds: tuple[int, ...]
    options: dict[str, Any]
    rows: list[Row]
    headline: str


def run_bench(
    name: str, options: Mapping[str, str | int | bool], json_path: Path | None = None, console: Console | None = None
) -> Report:
    """Run a benchmark, print its tables and its headline, and write its report; not inside a running event loop.

    Args:
        name: id of the benchmark.
        options: by name, as text or typed; `quick` among them.
        json_path: where the report goes; None: a file in results/local/.
        console: where it is printed.

    Raises:
        UnknownPlugin: no such benchmark.
        ConfigError: no such option, or a value that does not fit.
    """
    bench = BENCHES.load(name)
    chosen = _parse(name, options)
    started, clock = datetime.datetime.now(datetime.UTC), time.monotonic()
    findings: Findings = bench(chosen)
    report = Report(
        name=name,
        version=version("webfarer"),
        commit=commit(),
        machine=machine(),
        started=f"{started:%Y-%m-%dT%H:%M:%SZ}",
        seconds=round(time.monotonic() - clock, 1),
        n=findings.n,
        seeds=findings.seeds,
        options=chosen.model_dump(mode="json"),
        rows=[{"table": title, **row} for title, rows in findings.tables.items() for row in rows],
        headline=findings.headline,
    )
    path = json_path or LOCAL / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report.model_dump_json(indent=1) + "\n")
    show(report, path, console or _console())
    return report


def spread(function: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> list[Result]:
    """Apply a function of a module to every item, in `jobs` processes; in this one when that is 1."""
    if jobs == 1:
        return [function(item) for item in items]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, items))


def options_of(name: str) -> type[BenchOptions]:
    """Return the options a benchmark takes: what its one parameter is annotated with."""
    kind: type[BenchOptions] = get_type_hints(BENCHES.load(name))["options"]
    return kind


def _parse(name: str, options: Mapping[str, str | int | bool]) -> BenchOptions:
    kind = options_of(name)
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(str(part) for part in first["loc"][:1])
        known = ", ".join(kind.model_fields)
        raise ConfigError(f"bench {name}: option {option!r}: {first['msg']} (options: {known})") from error


def _console() -> Console:
    """Return the terminal, or for a file lines wide enough for every table."""
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def show(report: Report, path: Path, console: Console) -> None:
    """Print a report: a table for each group of rows, then the headline."""
    for title, rows in groupby(report.rows, key=lambda row: row["table"]):
        console.print(_table(str(title), list(rows)))
    console.print(f"{report.name}: n = {report.n}, {report.seconds:.0f} s; written to {path}", highlight=False)
    console.print(report.headline, markup=False, highlight=False, soft_wrap=True)


def _table(title: str, rows: list[Row]) -> Table:
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "table"]
    table = Table(title=title, title_justify="left")
    for column in columns:
        text = all(isinstance(row.get(column), str) for row in rows)
        table.add_column(column.replace("_", " "), justify="left" if text else "right")
    for row in rows:
        table.add_row(*("–" if row.get(column) is None else str(row[column]) for column in columns))
    return table


def commit() -> str:
    """Return the short hash of the checkout this package lies in, with "+" when that has changes; "" outside of one."""
    here = Path(__file__).parent
    try:
        head = subprocess.check_output(["git", "rev-parse", "--short", "HEAD"], cwd=here, stderr=subprocess.DEVNULL)
        changes = subprocess.check_output(["git", "status", "--porcelain", "-uno"], cwd=here, stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.decode().strip() + ("+" if changes.strip() else "")


def machine() -> dict[str, str | int]:
    """Return what this machine is: cores, processor, Python, system."""
    return {
        "cores": os.cpu_count() or 0,
        "cpu": _cpu(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
