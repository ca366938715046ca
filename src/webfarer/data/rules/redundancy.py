"""`redundancy`: no call is made again, hardly a page opened again, and most actions bring something new.

New is a result or a page that was not there before. Looking for words in a page and going back bring neither, and are
not asked for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from webfarer.core.trace import canonical
from webfarer.data.rule import Jury, Stage
from webfarer.data.trajectory import Trajectory
from webfarer.evals.matching import page_key

_FREE = ("find", "back")


@dataclass(frozen=True)
class Redundancy:
    """The rule.

    Attributes:
        calls: how many calls may be one that was made before.
        pages: how often a page may be opened that was read before.
        idle: largest share of actions that bring nothing new.
    """

    calls: int = 0
    pages: int = 1
    idle: float = 0.5

    stage: ClassVar[Stage] = "quality"
    order: ClassVar[int] = 5
    asks: ClassVar[bool] = False

    async def problem(self, trajectory: Trajectory, jury: Jury) -> str:
        """Return what was done in vain."""
        actions = [action for action in trajectory.actions if action.name not in _FREE]
        made = [f"{action.name} {canonical(action.arguments)}" for action in actions]
        again = _repeats(made)
        if len(again) > self.calls:
            return f"the same call again: {again[0]}"
        opened = _repeats(page_key(url) for action in actions for url in action.read)
        if len(opened) > self.pages:
            return f"{len(opened)} pages were opened again, {opened[0]} first"
        known: set[tuple[str, str]] = set()
        idle = 0
        for action in actions:
            kinds = {"found": action.found, "read": action.read}
            brought = {(kind, page_key(url)) for kind, urls in kinds.items() for url in urls}
            idle += brought <= known
            known |= brought
        share = idle / len(actions) if actions else 0.0
        return f"{idle} of {len(actions)} actions brought nothing new" if share > self.idle else ""


def _repeats(names: Iterable[str]) -> list[str]:
    """Return those that were there before, each time."""
    seen: set[str] = set()
    again: list[str] = []
    for name in names:
        (again.append if name in seen else seen.add)(name)
    return again


rule = Redundancy
