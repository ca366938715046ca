"""Any question as a problem for a tree of thoughts: steps in plain text, the last of them the answer.

Not a puzzle: nothing can be checked, so no path is ever right or hopeless, and a path is complete when it has as many
thoughts as the problem allows. The model's own evaluations decide.
"""

from webfarer.agents.thoughts import Unchecked
from webfarer.core.errors import ConfigError
from webfarer.worlds.puzzle import MOST_VALUE, Path, Problem

NAME = "free"
_DEPTH = 3


class FreeText(Unchecked):
    """Rules of :class:`webfarer.worlds.puzzle.Rules` for questions of any kind."""

    def read(self, text: str) -> Problem:
        """Return the question as a problem.

        Raises:
            ConfigError: it is empty.
        """
        if not text.strip():
            raise ConfigError("the problem is empty")
        return Problem(NAME, text.strip(), _DEPTH, ())

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask for the next step, or, as the last one, for the answer."""
        if len(path) + 1 < problem.depth:
            task = "Write the next step towards the answer, in one or two sentences. Do not give the answer yet."
        else:
            task = "Give the answer, short and complete, and nothing else."
        return f"{_so_far(problem, path)}\n\n{task}"

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask how good the steps are."""
        what = "this answer is right" if self.done(problem, path) else "these steps lead to the right answer"
        return (
            f"{_so_far(problem, path)}\n\nHow likely is it that {what}? "
            f'End with "value" and a number from 0 (impossible) to {MOST_VALUE} (sure).'
        )

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return the text with white space folded; None for an empty one."""
        return " ".join(text.split()) or None

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether the answer was given."""
        return len(path) >= problem.depth


def _so_far(problem: Problem, path: Path) -> str:
    steps = [f"{number}. {thought}" for number, thought in enumerate(path, 1)]
    return "\n".join([f"Question: {problem.text}", *(["Steps so far:", *steps] if steps else [])])
