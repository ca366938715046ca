"""The funnel finds what was planted: every kind of fault, by the rule that is made for it, with hardly an error.

The model looks answers up and errs on purpose, once in about half of its conversations; what was planted where is
computed from question and seed alone, and no rule knows of it.
"""

import asyncio
from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from webfarer.core.config import load_settings
from webfarer.core.specs import id_of
from webfarer.data.funnel import Verdict, report, rules_of, sift
from webfarer.data.funnel_page import page
from webfarer.data.ground import GROUNDS, Place
from webfarer.data.question import Question, write_questions
from webfarer.data.rule import Jury
from webfarer.data.synth import SYNTHS, Order
from webfarer.data.trajectories import trajectories
from webfarer.evals.records import Folder
from webfarer.evals.runner import Asked, Spread, evaluate
from webfarer.evals.task import Source
from webfarer.models.faulty import KINDS, planted

SYNTHS_USED = ("crawlqa", "e2hqa", "webleaper", "webwalkerqa")
FINDS = {
    "broken_tags": "tags",
    "broken_json": "json",
    "unknown_tool": "tools",
    "missing_argument": "tools",
    "wrong_answer": "right",
    "repetition": "repetition",
    "too_many_actions": "actions",
    "made_up_address": "addresses",
    "made_up_quote": "quotes",
    "redundant": "redundancy",
    "off_goal": "goal",
    "too_long": "length",
}
OTHERS = {"finished", "rate", "thoughts"}  # no fault is made for them: here they have nothing to say
SEED = 11
ENOUGH = 0.98
PAGES = 4  # a question that needs more takes even a clean search more steps than it may have


async def made(count: int, synth_id: str) -> list[Question]:
    """Return distinct questions over generated sites, up to ten of each."""
    synth, settings = SYNTHS.load(synth_id), load_settings()
    found: dict[str, Question] = {}
    number = 0
    while len(found) < count:
        ground = await GROUNDS.load(synth.ground).at(Place(settings, number=number, seed=SEED))
        drafts = islice(synth.drafts(ground, Order(), Random(number)), 10)
        found |= {each.question: each for each in drafts if len(each.gold) <= PAGES}
        number += 1
    return list(found.values())[:count]


def sampled(count: int, samples: int, tmp_path: Path) -> Folder:
    """Ask the faulty model `count` questions, each `samples` times."""
    path = tmp_path / "questions.jsonl"
    questions = [each for synth in SYNTHS_USED for each in asyncio.run(made(count // len(SYNTHS_USED), synth))]
    write_questions(path, questions)
    settings = load_settings(home=tmp_path / "home", model=f"faulty:{path}", ask={"dialect": "tags"}, seed=SEED)
    asked = Asked("questions", settings, Source(path=path, settings=settings), "dancer", runs=samples)
    return evaluate(asked, tmp_path / "run", Spread(jobs=1, processes=2))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("count", "samples"), [(80, 3), pytest.param(500, 5, marks=pytest.mark.full)])
def test_every_planted_fault_is_found_and_little_else(count: int, samples: int, tmp_path: Path) -> None:
    folder, rules = sampled(count, samples, tmp_path), rules_of()

    async def judged() -> list[tuple[str, Verdict]]:
        return [
            (planted(each.item.question, SEED + each.result.number - 1), await sift(each, rules, Jury(), audit=True))
            for each in trajectories(folder)
        ]

    told = asyncio.run(judged())
    assert len(told) == count * samples
    kinds = Counter(kind for kind, _ in told)
    assert set(kinds) - {""} <= set(KINDS) == set(FINDS)
    for kind, rule in FINDS.items():
        named = [rule in verdict.reasons for planted_kind, verdict in told if planted_kind == kind]
        assert sum(named) >= ENOUGH * len(named), f"{rule} overlooks {kind}"
    for rule in map(id_of, rules):
        spoken = [FINDS.get(kind) == rule for kind, verdict in told if rule in verdict.reasons]
        assert sum(spoken) >= ENOUGH * len(spoken), f"{rule} speaks of {spoken.count(False)} others"
        assert not spoken or rule not in OTHERS

    funnel = report([verdict for _, verdict in told], rules, audit=True)
    assert abs(funnel.kept.count - kinds[""]) <= (1 - ENOUGH) * len(told)
    assert "<script" not in page(funnel)
