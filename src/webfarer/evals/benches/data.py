"""What the data factory makes in a second: questions of every synth, and trajectories; here and on two Ray nodes.

The sides are the public commands, run as programs of their own, so start-up counts. What they wrote is compared byte by
byte, and one side is killed again and again and has to end with the same file. No model is asked: questions are worded
by template, and the agent that searches plays by rule.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from pydantic import Field

from webfarer.core.errors import WebfarerError
from webfarer.evals.bench import BenchOptions, Findings, Row
from webfarer.evals.benches._nodes import two_nodes
from webfarer.evals.benches._programs import WEBFARER
from webfarer.worlds.server import serve_folder

_SYNTHS = "crawlqa,e2hqa,webleaper,webwalkerqa,masked,webnav,backward"
_CELLS = 6
# where a Debian package keeps its site
_SITES = {
    "python3.11-doc": "usr/share/doc/python3.11/html",
    "sqlite3-doc": "usr/share/doc/sqlite3",
}


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"questions": 60, "asked": 8, "kills": 2, "synths": "crawlqa", "per_site": 20}

    questions: int = Field(1000, ge=12, description="Questions of each synth.")
    synths: str = Field(_SYNTHS, description="Which synths.")
    asked: int = Field(60, ge=1, description="Questions of which trajectories are sampled.")
    samples: int = Field(5, ge=1, description="Trajectories of each.")
    kills: int = Field(5, ge=0, description="How often the side that is killed is killed.")
    rounds: int = Field(2, ge=1, description="Repetitions of every side, in turn.")
    sites: Path = Field(Path(".cache/sites"), description="Folder with the unpacked documentation packages.")
    per_site: int = Field(300, ge=0, description="Questions of each real site and synth; 0: none.")
    site_synths: str = Field("webwalkerqa,crawlqa", description="Synths for real sites.")


def bench(options: Options) -> Findings:
    """Run every side."""
    with tempfile.TemporaryDirectory(prefix="webfarer-") as name:
        place = Path(name)
        made = [_questions(synth, options, place) for synth in options.synths.split(",")]
        spread = [*_spread(options, place), *_killed(options, place)]
        trajectories = list(_trajectories(options, place))
        real = [row for site in _SITES for row in asyncio.run(_real(site, options, place))]
    tables = {
        "Questions of every synth, one process": made,
        "Real sites": real,
        "One order, spread": spread,
        "Trajectories": trajectories,
    }
    found = {title: rows for title, rows in tables.items() if rows}
    return Findings(len(made) * options.questions, (options.seed,), found, _headline(tables))


def _order(synth: str, options: Options) -> list[str]:
    if synth != "webwalkerqa":
        return ["data", synth, "--count", str(options.questions), "--seed", str(options.seed)]
    each = options.questions // _CELLS
    levels = f"{options.questions - (_CELLS - 1) * each}/{each}/{each}"
    quota = f"single:{levels},multi:{each}/{each}/{each}"
    return ["data", synth, "--quota", quota, "--seed", str(options.seed)]


def _questions(synth: str, options: Options, place: Path) -> Row:
    """Return what one process makes of a synth, and what its checks dropped."""
    out = place / f"{synth}.jsonl"
    seconds = _run([*_order(synth, options), "--processes", "1", "--out", str(out)])
    return {"synth": synth, **_report(out, seconds)}


async def _real(site: str, options: Options, place: Path) -> list[Row]:
    """Return what is made of a documentation site, read anew for each synth; nothing where it is not unpacked."""
    folder = options.sites / site / _SITES[site]
    rows: list[Row] = []
    if not options.per_site or not folder.is_dir():
        return rows
    async with serve_folder(folder) as served:
        for synth in options.site_synths.split(","):
            out = place / f"{site}-{synth}.jsonl"
            command = ["data", synth, "--count", str(options.per_site), "--seed", str(options.seed), "--out", str(out)]
            command += ["--root", f"{served.url}index.html", "--allow-private", urlsplit(served.url).netloc]
            seconds = await asyncio.to_thread(_run, command, {}, fewer=True)
            rows.append({"site": site, "synth": synth, **_report(out, seconds)})
    return rows


def _report(out: Path, seconds: float) -> Row:
    report = json.loads(out.with_name(f"{out.name}.report.json").read_text())
    dropped = {name: number for name, number in report["dropped"].items() if name != "quota"}
    drafts = report["drafts"] - report["dropped"].get("quota", 0)
    return {
        "kept": report["kept"],
        "grounds": report["grounds"],
        "drafts": drafts,
        "passed": f"{100 * (1 - sum(dropped.values()) / max(1, drafts)):.1f} %",
        "dropped": ", ".join(f"{name} {number}" for name, number in dropped.items()) or "none",
        "seconds": round(seconds, 1),
        "per_second": round(report["kept"] / seconds, 1),
    }


def _spread(options: Options, place: Path) -> Iterator[Row]:
    """Yield one order made by one process, by two, and on two Ray nodes, in turn."""
    synth = options.synths.split(",")[0]
    first = place / f"{synth}.jsonl"
    sides: dict[str, list[float]] = {"one process": [], "two processes": [], "two Ray nodes": []}
    same = dict.fromkeys(sides, True)
    with two_nodes() as address:
        for number in range(options.rounds):
            for side, seconds in sides.items():
                out = place / f"{number}-{side.replace(' ', '-')}.jsonl"
                way = ["--ray"] if "Ray" in side else ["--processes", "2" if "two" in side else "1"]
                seconds.append(_run([*_order(synth, options), *way, "--out", str(out)], {"RAY_ADDRESS": address}))
                same[side] &= out.read_bytes() == first.read_bytes()
    for side, seconds in sides.items():
        yield _row(side, options.questions, seconds) | {"same_bytes": "yes" if same[side] else "no"}


def _killed(options: Options, place: Path) -> Iterator[Row]:
    """Yield the same order, killed at random moments and begun again until it ends."""
    synth = options.synths.split(",")[0]
    out, draws, kills, began = place / "killed.jsonl", random.Random(options.seed), 0, time.perf_counter()
    command = [*WEBFARER, *_order(synth, options), "--processes", "2", "--out", str(out)]
    while True:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        try:
            process.wait(draws.uniform(1, 3) + kills if kills < options.kills else None)
            break
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
    same = out.exists() and out.read_bytes() == (place / f"{synth}.jsonl").read_bytes()
    row = _row(f"two processes, killed {kills} times", options.questions, [time.perf_counter() - began])
    yield row | {"same_bytes": "yes" if same else "no"}


def _trajectories(options: Options, place: Path) -> Iterator[Row]:
    """Yield the same sampling by one process, by two, and on two Ray nodes."""
    questions = place / f"{options.synths.split(',')[0]}.jsonl"
    command = ["data", "sample", str(questions), "--limit", str(options.asked), "--n", str(options.samples)]
    command += ["--model", "ruled:overlap", "--seed", str(options.seed)]
    sides: dict[str, list[float]] = {"one process": [], "two processes": [], "two Ray nodes": []}
    kept: dict[str, str] = {}
    with two_nodes() as address:
        for number in range(options.rounds):
            for side, seconds in sides.items():
                out = place / f"{number}-{side.replace(' ', '-')}"
                way = ["--processes", "1" if side == "one process" else "2", *(["--ray"] if "Ray" in side else [])]
                seconds.append(_run([*command, *way, "--out", str(out)], {"RAY_ADDRESS": address}))
                answers = (json.loads(path.read_text().splitlines()[-1]) for path in sorted(out.glob("*/scores/*")))
                kept[side] = str([end["data"]["result"]["marks"] for end in answers])
    for side, seconds in sides.items():
        row = _row(side, options.asked * options.samples, seconds)
        yield row | {"same_marks": "yes" if kept[side] == kept["one process"] else "no"}


def _run(command: list[str], environment: Mapping[str, str] = {}, *, fewer: bool = False) -> float:
    """Run a command of the program and return the seconds it took; `fewer` questions than asked for may be allowed."""
    began = time.perf_counter()
    done = subprocess.run([*WEBFARER, *command], env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode and not (fewer and "fewer than wanted" in done.stdout):
        raise WebfarerError(f"webfarer {' '.join(command)} failed: {done.stderr.strip()[-500:]}")
    return time.perf_counter() - began


def _row(side: str, made: int, seconds: list[float]) -> Row:
    each = sorted(made / taken for taken in seconds)
    return {
        "side": side,
        "made": made,
        "per_second": round(each[len(each) // 2], 1),
        "from": round(each[0], 1),
        "to": round(each[-1], 1),
        "n": len(each),
    }


def _headline(tables: Mapping[str, list[Row]]) -> str:
    made, real, spread, trajectories = tables.values()
    kept = ", ".join(f"{row['synth']} {row['kept']} at {row['per_second']}/s" for row in made)
    passed = ", ".join(f"{row['site']} {row['synth']} {row['kept']} kept, {row['passed']} of drafts" for row in real)
    sides = ", ".join(f"{row['side']} {row['per_second']}/s" for row in spread)
    walks = ", ".join(f"{row['side']} {row['per_second']}/s" for row in trajectories)
    return f"data: questions: {kept}; real sites: {passed}; spread: {sides}; trajectories: {walks}"
