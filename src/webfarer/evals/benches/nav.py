"""Finding the page that a sentence comes from, in real documentation sites, without a model.

Two settings: a walk of a few clicks that must open the page, and a search with room for hundreds of pages whose answer
must name the page among its first three sources. All policies walk the same tasks over the same archived pages, which
are read beforehand: seconds are those of decisions. Sites: Debian documentation packages, unpacked by `make sites`.
Task: Nogueira and Cho (WebNav), 2016; their sites were others, so their figures are no comparison.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget
from webfarer.evals.bench import BenchOptions, Findings, Names, Row, spread
from webfarer.evals.navset import crawl, make_tasks
from webfarer.evals.scoring import Share, mean
from webfarer.evals.trials import Setup, attempt, lab_web
from webfarer.worlds.server import serve_folder

# where a package keeps its site; packages whose pages all lie one click deep have no place here
_FIRST_PAGES = {
    "python3.11-doc": "usr/share/doc/python3.11/html/index.html",
    "sqlite3-doc": "usr/share/doc/sqlite3/index.html",
    "git-doc": "usr/share/doc/git-doc/index.html",
}
_PAGES_KEPT = 5000
_NAMED = 3  # the first sources of an answer that count
_BASELINE = "word_overlap"


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"per_site": 6, "per_site_search": 2}

    sites: Path = Field(Path(".cache/sites"), description="Folder with the unpacked packages.")
    names: Names = Field((), description="Packages to use; empty: every known one that is there.")
    policies: Names = Field(
        ("lexical", _BASELINE, "breadth_first", "random_click"), description="Who walks; the ratio is to word_overlap."
    )
    search_policies: Names = Field(("lexical", "breadth_first"), description="Who searches; may be empty.")
    per_site: int = Field(60, ge=1, description="Tasks a site for the walk.")
    per_site_search: int = Field(20, ge=0, description="Tasks a site for the search; the first ones of the walk.")
    clicks: int = Field(15, ge=1, description="Clicks of the walk.")
    fetches: int = Field(300, ge=2, description="Pages of the search.")


class _Work(NamedTuple):
    """One process's part: every n-th task of one site."""

    options: Options
    site: str
    part: int


class _Case(NamedTuple):
    """One walk and what came of it."""

    site: str
    setting: str
    policy: str
    depth: int
    found: bool
    steps: int
    pages: int
    seconds: float


def bench(options: Options) -> Findings:
    """Run every task with every policy."""
    sites = _sites(options)
    parts = [_Work(options, site, part) for part in range(options.jobs) for site in sites]
    cases = [case for some in spread(_run_part, parts, options.jobs) for case in some]
    tables = {setting: _rows(cases, setting) for setting in (_walk_name(options), _search_name(options))}
    return Findings(len(cases), (options.seed,), {k: v for k, v in tables.items() if v}, _headline(tables, options))


def _walk_name(options: Options) -> str:
    return f"walk of {options.clicks} clicks"


def _search_name(options: Options) -> str:
    return f"search of {options.fetches} pages"


def _sites(options: Options) -> list[str]:
    """Return the names of the sites that are there."""
    unknown = set(options.names) - set(_FIRST_PAGES)
    if unknown:
        raise ConfigError(f"no site {min(unknown)!r}; known: {', '.join(_FIRST_PAGES)}")
    wanted = options.names or tuple(_FIRST_PAGES)
    found = [name for name in wanted if (options.sites / name / _FIRST_PAGES[name]).is_file()]
    if not found:
        raise ConfigError(f"{options.sites} holds none of the sites {', '.join(wanted)}; run: make sites")
    return found


def _run_part(work: _Work) -> list[_Case]:
    return asyncio.run(_run_site(work))


async def _run_site(work: _Work) -> list[_Case]:
    options = work.options
    first = options.sites / work.site / _FIRST_PAGES[work.site]
    cases = []
    async with (
        serve_folder(first.parent, root=options.sites / work.site) as site,
        lab_web("record", _PAGES_KEPT) as web,
    ):
        root = f"{site.url}{first.name}"
        tasks = list(enumerate(make_tasks(await crawl(web, root), options.per_site, options.seed)))
        for number, task in tasks[work.part :: options.jobs]:
            for setting, setup in _setups(options, number):
                trial = await attempt(web, root, task.sentence, setup)
                named = [source.url for source in trial.answer.sources[:_NAMED]]
                found = task.target in (trial.opened if setting == _walk_name(options) else named)
                fare = trial.answer.fare
                cases.append(
                    _Case(work.site, setting, setup.policy, task.depth, found, fare.steps, fare.pages, trial.seconds)
                )
    return cases


def _setups(options: Options, number: int) -> Iterator[tuple[str, Setup]]:
    """Yield what to do with task `number`: setting and set-up."""
    seed = options.seed * 1000 + number
    for policy in options.policies:
        yield _walk_name(options), Setup(policy, Budget(steps=options.clicks), seed)
    for policy in options.search_policies if number < options.per_site_search else ():
        yield _search_name(options), Setup(policy, Budget(pages=options.fetches), seed)


def _rows(cases: list[_Case], setting: str) -> list[Row]:
    """Return a row per site and policy."""
    rows: list[Row] = []
    here = [case for case in cases if case.setting == setting]
    for site in dict.fromkeys(case.site for case in here):
        mine = [case for case in here if case.site == site]
        baseline = Share.of(case.found for case in mine if case.policy == _BASELINE).share
        for policy in dict.fromkeys(case.policy for case in mine):
            some = [case for case in mine if case.policy == policy]
            found = Share.of(case.found for case in some)
            rows.append(
                {
                    "site": site,
                    "policy": policy,
                    "n": len(some),
                    "found": found,
                    "ratio": round(found.share / baseline, 2) if baseline else None,
                    "steps": mean(case.steps for case in some),
                    "pages": mean(case.pages for case in some),
                    "depth": mean(case.depth for case in some),
                    "seconds": mean((case.seconds for case in some), 3),
                }
            )
    return rows


def _headline(tables: dict[str, list[Row]], options: Options) -> str:
    """Return all shares of the first policy, with its ratios to the baseline."""
    said = []
    for setting, rows in tables.items():
        shares = []
        for row in rows:
            if row["policy"] == options.policies[0] and isinstance(row["found"], Share):
                ratio = f" (x{row['ratio']} {_BASELINE})" if row["ratio"] is not None else ""
                shares.append(f"{row['site']} {row['found'].percent}{ratio}")
        if shares:
            said.append(f"{setting}: {', '.join(shares)}")
    return f"nav, {options.policies[0]} finds the page of a sentence. {' | '.join(said)}"
