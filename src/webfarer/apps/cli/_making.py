"""Questions from the command line: what is ordered, progress, and what came of it."""

import asyncio
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from webfarer.apps.cli._terminal import console
from webfarer.core.config import Settings
from webfarer.core.errors import ConfigError, boundary
from webfarer.data.factory import Hands, Report, Wanted, make_questions
from webfarer.data.synth import SYNTHS, Order, Synth
from webfarer.evals.task import TASKS, Item, Source

_LEVELS = ("easy", "medium", "hard")
_FLAGS = {"hops": "--hops", "quota": "--quota", "easy": "--from"}  # by the fields of an order


def flags_of(synth: Synth) -> str:
    """Return the options of an order that mean something to a synth."""
    return ", ".join(_FLAGS[name] for name in synth.reads) or f"none of {', '.join(_FLAGS.values())}"


def order_of(synth: str, hops: int | None, quota: str, easy: Path | None, settings: Settings) -> Order:
    """Return the order that options make.

    Raises:
        ConfigError: the synth does not read one of them, or it is not written as it should be.
    """
    given = {"hops": hops, "quota": quota, "easy": easy}
    plugin: Synth = SYNTHS.load(synth)
    if unread := [_FLAGS[name] for name, value in given.items() if value and name not in plugin.reads]:
        raise ConfigError(f"leave out {', '.join(unread)}: {synth} reads {flags_of(plugin)}")
    order = Order(quota=quotas(quota), easy=easy_items(easy, settings))
    return order if hops is None else replace(order, hops=hops)


def quotas(text: str) -> dict[tuple[str, str], int]:
    """Return how many questions of each cell are wanted: "single:80/140/120,multi:80/140/120".

    Raises:
        ConfigError: it is not written so.
    """
    found: dict[tuple[str, str], int] = {}
    for part in filter(None, text.split(",")):
        kind, _, numbers = part.partition(":")
        counts = numbers.split("/")
        if len(counts) != len(_LEVELS) or not all(each.isdecimal() for each in counts):
            raise ConfigError(f"{part!r} is no quota: write TYPE:EASY/MEDIUM/HARD, as in single:80/140/120")
        kind = f"{kind}_source" if kind in ("single", "multi") else kind
        if any(name == kind for name, _ in found):
            raise ConfigError(f"the quota of {kind} is given twice")
        found |= {(kind, level): int(each) for level, each in zip(_LEVELS, counts, strict=True) if int(each)}
    if text and not found:
        raise ConfigError(f"the quota {text!r} wants no question")
    return found


def shares_of(text: str) -> dict[str, float]:
    """Return the share of each part: "train:0.9,test:0.1".

    Raises:
        ConfigError: it is not written so, or a name is none that a file can have.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition(":")
        if not re.fullmatch(r"[\w-]+", name) or not re.fullmatch(r"\d*\.?\d+", share) or name in found:
            raise ConfigError(f"{part!r} is no share: write NAME:SHARE, as in train:0.9,test:0.1")
        found[name] = float(share)
    return found


def report_of(questions: Path) -> Report | None:
    """Return the report that lies beside a file of questions, if there is one."""
    path = questions.with_name(f"{questions.name}.report.json")
    with boundary(ConfigError, f"{path} is damaged; remove it"):
        return Report.model_validate_json(path.read_bytes()) if path.exists() else None


def easy_items(path: Path | None, settings: Settings) -> tuple[Item, ...]:
    """Return the questions of a file in any form that `webfarer eval questions` reads; () without one."""
    if path is None:
        return ()
    return tuple(asyncio.run(TASKS.load("questions").items(Source(path, settings=settings))))


def make(wanted: Wanted, out: Path, hands: Hands) -> Report:
    """Make a file of questions, with progress on a terminal."""
    if not hands.processes:
        hands = Hands(1 if wanted.settings.model or wanted.root else os.cpu_count() or 1, hands.ray)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task(f"{wanted.synth}: questions", total=wanted.count)
        return make_questions(wanted, out, hands, lambda kept, total: progress.update(bar, completed=kept, total=total))


def told(report: Report, out: Path) -> str:
    """Return what came of an order, as lines for people."""
    passed = report.drafts - sum(report.dropped.values())
    lines = [f"{out}: {report.kept} of {report.wanted} questions ({report.synth}, {report.ground})"]
    dropped = "dropped by check:" if report.dropped else "none dropped"
    lines.append(f"{report.drafts} drafts on {report.grounds} grounds, {passed} pass every check; {dropped}")
    width = max(map(len, report.dropped), default=0)
    lines += [
        f"  {name:<{width}} {number}" for name, number in sorted(report.dropped.items(), key=lambda each: -each[1])
    ]
    if len(report.cells) > 1:
        lines.append("kept: " + ", ".join(f"{cell} {number}" for cell, number in report.cells.items()))
    if report.fare.calls:
        lines.append(f"fare: {report.fare.calls} model calls, {report.fare.tokens} tokens, ${report.fare.usd:.4f}")
    if passed > report.kept:
        lines.append(f"{passed - report.kept} of them are more than is wanted")
    if report.ended:
        lacking = (
            "; lacking: " + ", ".join(f"{cell} {n}" for cell, n in report.lacking.items()) if report.lacking else ""
        )
        lines.append(f"fewer than wanted: {report.ended}{lacking}")
    return "\n".join(lines)
