"""How often a question about a whole web is answered by searching it, by walking it, and by both, at one budget.

Generated webs of several sites; the answer lies one, two or three pages away, mostly deeper than the search engine
knows. Every system has the same limits on pages and seconds and the same mind; they differ in their tools. Without a
model the lexical mind answers. The webs are generated, so these are no scores of a public benchmark.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import AfterValidator, Field

from webfarer.core.errors import ConfigError
from webfarer.core.fare import Budget
from webfarer.core.types import StopReason
from webfarer.evals.bench import BenchOptions, Findings, Names, Row, Value, split_names, spread
from webfarer.evals.benches._ask_trial import SYSTEMS, Trial, attempt
from webfarer.evals.scoring import Share, mean
from webfarer.evals.trials import lab_web
from webfarer.worlds.types import Language
from webfarer.worlds.web import generate_web
from webfarer.worlds.webs_server import Coverage, serve_web

Languages = Annotated[tuple[Language, ...], split_names]


def _known_systems(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in SYSTEMS:
            raise ConfigError(f"bench ask: no system {name!r}; known: {', '.join(SYSTEMS)}")
    return names


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"worlds": 2, "questions": 2}

    worlds: int = Field(20, ge=1, description="Webs; languages take turns.")
    languages: Languages = Field(("en", "zh"), description="Languages of the webs.")
    systems: Annotated[Names, AfterValidator(_known_systems)] = Field(tuple(SYSTEMS), description="Who is asked.")
    sites: int = Field(8, ge=8, le=16, description="Websites of a web.")
    questions: int = Field(4, ge=1, description="Questions of a web, of each number of hops.")
    pages: int = Field(30, ge=1, description="Pages a question may cost.")
    seconds: float = Field(60.0, gt=0, description="Seconds a question may cost.")
    known_depth: int = Field(2, ge=0, description="Clicks from a home page at which the search engine's view ends.")
    known_share: float = Field(0.5, ge=0, le=1, description="Share of the pages so deep that the engine knows.")
    model: str = Field("", description='Chat model as "provider:name"; empty: the lexical mind.')


class _Work(NamedTuple):
    """One web to be asked about."""

    options: Options
    seed: int
    language: Language


def bench(options: Options) -> Findings:
    """Put the questions of every web to every system."""
    work = list(_webs(options))
    trials = [trial for some in spread(_run_web, work, options.jobs) for trial in some]
    groups = _grouped(trials)
    tables = {
        "Answers right, by hops": [_by_hops(group, lambda trial: [trial.marks.right]) for group in groups],
        "Gold pages opened, by hops": [_by_hops(group, lambda trial: trial.marks.reached) for group in groups],
        "Answers right, by where the facts lie": [_by_depth(group, options) for group in groups],
        "Citations": [_citations(group) for group in groups],
        "Fare of a question": [_fare(group) for group in groups],
    }
    return Findings(len(trials), tuple(each.seed for each in work), tables, _headline(trials, options))


def _webs(options: Options) -> Iterator[_Work]:
    for number in range(options.worlds):
        yield _Work(options, options.seed * 1000 + number, options.languages[number % len(options.languages)])


def _run_web(work: _Work) -> list[Trial]:
    return asyncio.run(_ask_web(work))


async def _ask_web(work: _Work) -> list[Trial]:
    options = work.options
    web = generate_web(work.seed, sites=options.sites, language=work.language, questions_per_hop=options.questions)
    budget = Budget(pages=options.pages, seconds=options.seconds)
    coverage = Coverage(options.known_depth, options.known_share)
    async with serve_web(web, coverage) as served, lab_web() as lab:
        return [
            await attempt(served, lab, question, system, budget, options.model)
            for question in web.questions
            for system in options.systems
        ]


def _grouped(trials: list[Trial]) -> list[list[Trial]]:
    """Return the trials by language and system."""
    groups: dict[tuple[str, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.question.language, trial.system), []).append(trial)
    return list(groups.values())


def _about(group: list[Trial]) -> Row:
    return {"language": group[0].question.language, "system": group[0].system}


def _by_hops(group: list[Trial], hits: Callable[[Trial], Iterable[bool]]) -> Row:
    cells: dict[str, list[bool]] = {}
    for trial in group:
        name = f"{trial.question.hops}_hop" + "s" * (trial.question.hops > 1)
        cells.setdefault(name, []).extend(hits(trial))
    shares: dict[str, Value] = {name: Share.of(found) for name, found in cells.items()}
    return _about(group) | shares | {"all": Share.of(hit for found in cells.values() for hit in found)}


def _by_depth(group: list[Trial], options: Options) -> Row:
    """Return the shares for questions whose facts all lie where the search engine looks, and for the others."""

    def deep(trial: Trial) -> bool:
        return any(fact.depth > options.known_depth for fact in trial.question.chain)

    return _about(group) | {
        "within_the_engine's_depth": Share.of(trial.marks.right for trial in group if not deep(trial)),
        "a_fact_below_it": Share.of(trial.marks.right for trial in group if deep(trial)),
    }


def _citations(group: list[Trial]) -> Row:
    """Return the shares of claims that are right and of facts that are cited; their intervals ignore questions."""
    return _about(group) | {
        "precision": Share.of(right for trial in group for right in trial.marks.claims),
        "recall": Share.of(cited for trial in group for cited in trial.marks.cited),
        "quotes_verified": Share.of(claim.verified for trial in group for claim in trial.answer.claims),
        "misled": Share.of(trial.marks.misled for trial in group),
    }


def _fare(group: list[Trial]) -> Row:
    fares = [trial.answer.fare for trial in group]
    return _about(group) | {
        "n": len(group),
        "answered": Share.of(trial.answer.stop_reason is StopReason.ANSWERED for trial in group),
        "pages": mean(fare.pages for fare in fares),
        "most_pages": max(fare.pages for fare in fares),
        "searches": mean(trial.searches for trial in group),
        "tokens": mean((fare.tokens for fare in fares), 0),
        "usd": mean((fare.usd for fare in fares), 4),
        "seconds": mean((trial.seconds for trial in group), 3),
    }


def _headline(trials: list[Trial], options: Options) -> str:
    """Return the share of right answers by system and language."""
    said = []
    for system in options.systems:
        shares = []
        for language in options.languages:
            mine = [trial for trial in trials if (trial.system, trial.question.language) == (system, language)]
            if mine:
                shares.append(f"{language} {Share.of(trial.marks.right for trial in mine)}")
        said.append(f"{system} {', '.join(shares)}")
    return f"ask, answers right within {options.pages} pages: {'; '.join(said)}"
