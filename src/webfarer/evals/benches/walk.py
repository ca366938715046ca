"""How often a walk through a generated website finds the page that holds the answer, and the answer.

Every policy without a model walks the same worlds with the same questions, one of each kind and difficulty a world;
`dial` is the share of link labels and questions that are worded without the words of the original. Cells follow
WebWalkerQA (Wu et al., "WebWalker", ACL 2025); the sites are generated, so these are no WebWalkerQA scores.
"""

import asyncio
from collections.abc import Callable, Iterator
from itertools import groupby, product
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from webfarer.core.fare import Budget
from webfarer.evals.bench import BenchOptions, Findings, Names, Row, split_names, spread
from webfarer.evals.scoring import Share, correct, mean
from webfarer.evals.trials import Setup, Trial, attempt, lab_web
from webfarer.web.guard import canonical_url
from webfarer.worlds.server import serve
from webfarer.worlds.types import Language, Question, WorldSpec
from webfarer.worlds.world import DOMAINS, generate

_POLICIES = ("lexical", "word_overlap", "breadth_first", "random_click")
_DIALS = (0.0, 0.5)


Languages = Annotated[tuple[Language, ...], split_names]


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"worlds": 6}

    jobs: int = Field(4, ge=1, le=64, description="Processes side by side; most of a walk is waiting for a socket.")
    worlds: int = Field(60, ge=1, description="Websites; languages take turns, then domains.")
    languages: Languages = Field(("en", "zh"), description="Languages of the websites.")
    policies: Names = Field(_POLICIES, description="Who walks.")
    size: int = Field(60, ge=20, description="Pages of a website.")
    steps: int = Field(15, ge=1, description="Clicks a walk may take.")


class _Work(NamedTuple):
    """One world to be walked."""

    options: Options
    spec: WorldSpec


class _Case(NamedTuple):
    """One walk: who walked where, and what came of it."""

    dial: float
    policy: str
    question: Question
    trial: Trial
    reached: bool
    right: bool


def bench(options: Options) -> Findings:
    """Walk every world with every policy."""
    work = [_Work(options, spec) for dial in _DIALS for spec in specs(options, dial)]
    cases = [case for some in spread(_run_world, work, options.jobs) for case in some]
    groups = _grouped(cases)
    tables = {
        "Gold pages opened, by difficulty": [_by_cell(group, lambda case: case.reached) for group in groups],
        "Answers right, by difficulty": [_by_cell(group, lambda case: case.right) for group in groups],
        "Fare of a walk": [_fare(group) for group in groups],
    }
    seeds = tuple(spec.seed for spec in specs(options, 0))
    return Findings(len(cases), seeds, tables, _headline(cases, options))


def specs(options: Options, dial: float) -> Iterator[WorldSpec]:
    """Yield the worlds of a run."""
    domains = DOMAINS.ids()
    for number in range(options.worlds):
        language = options.languages[number % len(options.languages)]
        domain = domains[number // len(options.languages) % len(domains)]
        yield WorldSpec(domain, options.seed * 1000 + number, language, options.size, 4, dial)


def _run_world(work: _Work) -> list[_Case]:
    return asyncio.run(_walk_world(work.spec, work.options))


async def _walk_world(spec: WorldSpec, options: Options) -> list[_Case]:
    world = generate(spec)
    asked = [next(cell) for _, cell in groupby(world.questions, key=lambda q: (q.kind, q.difficulty))]
    cases = []
    async with serve(world) as site, lab_web() as web:
        for policy, question in product(options.policies, asked):
            setup = Setup(policy, Budget(steps=options.steps), seed=spec.seed)
            trial = await attempt(web, site.url, question.text, setup)
            gold = {canonical_url(site.url.rstrip("/") + path) for path in question.gold}
            right = correct(trial.answer.text, question.answers)
            cases.append(_Case(spec.paraphrase, policy, question, trial, gold <= set(trial.opened), right))
    return cases


def _grouped(cases: list[_Case]) -> list[list[_Case]]:
    """Return the cases by dial, language and policy."""
    groups: dict[tuple[float, str, str], list[_Case]] = {}
    for case in cases:
        groups.setdefault((case.dial, case.question.language, case.policy), []).append(case)
    return list(groups.values())


def _about(group: list[_Case]) -> Row:
    first = group[0]
    return {"dial": first.dial, "language": first.question.language, "policy": first.policy}


def _by_cell(group: list[_Case], hit: Callable[[_Case], bool]) -> Row:
    cells: dict[str, list[bool]] = {}
    for case in group:
        name = f"{case.question.kind.removesuffix('_source')}_{case.question.difficulty}"
        cells.setdefault(name, []).append(hit(case))
    return _about(group) | {name: Share.of(hits) for name, hits in cells.items()} | {"all": Share.of(map(hit, group))}


def _fare(group: list[_Case]) -> Row:
    fares = [case.trial.answer.fare for case in group]
    claims = [claim for case in group for claim in case.trial.answer.claims]
    return _about(group) | {
        "n": len(group),
        "claims_verified": Share.of(claim.verified for claim in claims),
        "steps": mean(fare.steps for fare in fares),
        "steps_when_right": mean(case.trial.answer.fare.steps for case in group if case.right) or None,
        "pages": mean(fare.pages for fare in fares),
        "kbytes": mean(fare.bytes / 1000 for fare in fares),
        "seconds": mean((case.trial.seconds for case in group), 3),
    }


def _headline(cases: list[_Case], options: Options) -> str:
    """Return the shares on questions with one source, by dial, policy and language."""
    dials = []
    for dial in _DIALS:
        said = []
        for policy in options.policies:
            shares = []
            for language in options.languages:
                mine = [c for c in cases if (c.dial, c.policy, c.question.language) == (dial, policy, language)]
                single = [case for case in mine if case.question.kind == "single_source"]
                if not single:
                    continue
                gold, answers = Share.of(c.reached for c in single), Share.of(c.right for c in single)
                shares.append(f"{language} {gold.percent} / {answers.percent}")
            said.append(f"{policy} {', '.join(shares)}")
        dials.append(f"dial {dial:g}: {'; '.join(said)}")
    return f"walk, one source, gold page / answer in {options.steps} clicks. {' | '.join(dials)}"
