"""How often a walk through a generated website finds the page that holds the answer, and the answer.

Every policy without a model walks the same worlds with the same questions, one of each kind and difficulty a world;
`dial` is the share of link labels and questions that are worded without the words of the original. Cells follow
WebWalkerQA (Wu et al., "WebWalker", ACL 2025); the sites are generated, so these are no WebWalkerQA scores.
"""

import asyncio
from collections.abc import Iterable, Iterator
from itertools import groupby, product
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import Field

from webfarer.core.fare import Budget
from webfarer.core.types import Answer
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

    worlds: int = Field(60, ge=1, description="Websites; the domains, then the languages, take turns.")
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
    tables = {
        f"{language}, dial {dial:g}": _rows([c for c in cases if c.dial == dial and c.question.language == language])
        for dial, language in product(_DIALS, options.languages)
    }
    seeds = tuple(spec.seed for spec in specs(options, 0))
    return Findings(len(cases), seeds, tables, _headline(cases, options))


def specs(options: Options, dial: float) -> Iterator[WorldSpec]:
    """Yield the worlds of a run."""
    domains = DOMAINS.ids()
    for number in range(options.worlds):
        language = options.languages[number // len(domains) % len(options.languages)]
        domain = domains[number % len(domains)]
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


def _rows(cases: list[_Case]) -> list[Row]:
    """Return a row per cell and policy, and one per policy over all cells."""

    def cell(case: _Case) -> tuple[str, str]:
        return case.question.kind.removesuffix("_source"), case.question.difficulty

    rows = []
    cells = list(dict.fromkeys(cell(case) for case in cases))
    policies = list(dict.fromkeys(case.policy for case in cases))
    for policy in policies:
        mine = [case for case in cases if case.policy == policy]
        rows += [_row(*where, policy, [case for case in mine if cell(case) == where]) for where in cells]
        rows.append(_row("all", "", policy, mine))
    return rows


def _row(kind: str, difficulty: str, policy: str, cases: list[_Case]) -> Row:
    fares = [case.trial.answer.fare for case in cases]
    return {
        "policy": policy,
        "sources": kind,
        "difficulty": difficulty,
        "n": len(cases),
        "gold": Share.of(case.reached for case in cases),
        "answers": Share.of(case.right for case in cases),
        "verified": _verified(case.trial.answer for case in cases),
        "steps": mean(fare.steps for fare in fares),
        "steps_right": mean(case.trial.answer.fare.steps for case in cases if case.right),
        "pages": mean(fare.pages for fare in fares),
        "kbytes": mean(fare.bytes / 1000 for fare in fares),
        "seconds": mean((case.trial.seconds for case in cases), 4),
    }


def _verified(answers: Iterable[Answer]) -> Share:
    return Share.of(claim.verified for answer in answers for claim in answer.claims)


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
                gold, answers = Share.of(c.reached for c in single), Share.of(c.right for c in single)
                shares.append(f"{language} {gold.percent} / {answers.percent}")
            said.append(f"{policy} {', '.join(shares)}")
        dials.append(f"dial {dial:g}: {'; '.join(said)}")
    return f"walk, one source, gold page / answer in {options.steps} clicks. {' | '.join(dials)}"
