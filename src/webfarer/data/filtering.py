"""From the runs of a sampling to training rows: every trajectory is read, judged by the rules, and kept as rows or not.

Rules are in `rules/`, what they come to in :mod:`webfarer.data.funnel`, what a row is in :mod:`webfarer.data.rows`.
Invariant: one trajectory is in memory at a time; rows stand in the order of runs, items and attempts, all or none.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from webfarer.core.errors import ConfigError
from webfarer.data.funnel import Funnel, report, sift
from webfarer.data.jsonl import line_of
from webfarer.data.question import Question, read_questions
from webfarer.data.rows import rows_of
from webfarer.data.rule import Jury, Rule
from webfarer.data.trajectories import trajectories
from webfarer.evals.records import Folder, whole


@dataclass(frozen=True, slots=True)
class Filtered:
    """What is left of runs.

    Attributes:
        funnel: what was dropped, and what it all cost.
        rows: how many were written.
        skipped: attempts that could not be read: "unfinished", "damaged".
    """

    funnel: Funnel
    rows: int
    skipped: Mapping[str, int]


async def filtered(
    folders: Sequence[Folder], rules: Sequence[Rule], out: Path, jury: Jury = Jury(), *, audit: bool = False
) -> Filtered:
    """Read the runs and write what the rules leave, as rows, to `out`.

    Raises:
        ConfigError: a folder holds no run, or a rule asks a model and there is none.
        ModelError: the model that a rule asks failed.
    """
    verdicts, rows = [], 0
    skipped: Counter[str] = Counter()
    with whole(out) as file:
        for folder in folders:
            known = _made(folder)
            for trajectory in trajectories(folder, skipped):
                verdict = await sift(trajectory, rules, jury, audit=audit)
                verdicts.append(verdict)
                for row in () if verdict.first else rows_of(trajectory, known.get(trajectory.item.id)):
                    file.write(line_of(row))
                    rows += 1
    return Filtered(report(verdicts, rules, audit=audit), rows, {name: n for name, n in skipped.items() if n})


def _made(folder: Folder) -> dict[str, Question]:
    """Return the made questions that a run was asked, by id, where their file still lies there."""
    path = Path(folder.plan.source)
    try:
        return {question.id: question for question in read_questions(path)} if path.is_file() else {}
    except ConfigError:
        return {}  # plain questions and answers: nothing more is known of them
