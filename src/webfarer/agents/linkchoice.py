"""Which link to follow next, as a problem for a tree of thoughts: a thought is a link, its value how much it promises.

One thought deep: what lies behind a link is not known before it is opened. Rules for
:class:`webfarer.agents.thinker.Thinker`, not a policy (:mod:`webfarer.agents.policies.thoughts` walks by them).
Invariant: a link that is not among those offered is no thought, and what a website wrote stands between marks.
"""

import re
from collections.abc import Sequence

from webfarer.agents.excerpts import link_lines
from webfarer.agents.thoughts import Unchecked
from webfarer.core.types import Link
from webfarer.models.prompts import FENCE_RULE, fence, nonce
from webfarer.worlds.puzzle import MOST_VALUE, Path, Problem

_NAMED = re.compile(r"link\D{0,4}(\d+)", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\d.])\d+")


class LinkChoice(Unchecked):
    """Rules of :class:`webfarer.worlds.puzzle.Rules` for the links of one page.

    Args:
        links: the candidates, the likeliest first; their ids differ.
        known: what the walk knows already, in lines; may be "".
        run_id: keys the marks around what websites wrote.
    """

    def __init__(self, links: Sequence[Link], known: str, run_id: str) -> None:
        self._lines = {link.id: link_lines([link]) for link in links}
        self._known, self._run_id = known, run_id

    def problem(self, question: str) -> Problem:
        """Return the choice as a problem."""
        return Problem("links", question, 1, tuple(self._lines))

    def chosen(self, path: Path) -> int:
        """Return the id of the link that a path follows."""
        return int(path[-1].removeprefix("follow link "))

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask which link to follow."""
        return self._prompt(
            problem,
            "\n".join(self._lines.values()),
            "Which link leads to the answer? Reply in one line: follow link NUMBER because REASON.",
        )

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask how much one link promises."""
        return self._prompt(
            problem,
            self._lines[self.chosen(path)],
            "How likely is it that the page behind this link holds the answer, or that it must be passed on the way "
            f'there? End with "value" and a number from 0 (impossible) to {MOST_VALUE} (sure).',
        )

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return "follow link 7"; None when no link that is offered is named."""
        found = _NAMED.search(text) or _NUMBER.search(text)
        number = int(found[found.lastindex or 0]) if found else None
        return f"follow link {number}" if number in self._lines else None

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether a link was chosen."""
        return bool(path)

    def _prompt(self, problem: Problem, lines: str, task: str) -> str:
        blocks = [f"You look for a page of a website. Question: {problem.text}"]
        for heading, source, text in (("Known already:", "notes", self._known), ("Links:", "links", lines)):
            if text:
                blocks.append(f"{heading}\n{fence(text, nonce=nonce(self._run_id, text), source=source)}")
        return "\n\n".join([*blocks, f"{task}\n{FENCE_RULE}"])
