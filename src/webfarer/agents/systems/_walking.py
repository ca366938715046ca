"""What systems share that click through one site: the walker's loop, and a policy that each chooses for itself.

Not a loop: that is :class:`webfarer.agents.walker.Walker`. Invariant: what cannot work is said before the first event.
"""

from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import POLICIES, Context, Policy
from webfarer.agents.system import Case, ModelUse, Setting
from webfarer.agents.walker import Walker
from webfarer.core.errors import ConfigError, FetchError
from webfarer.core.types import Answer
from webfarer.web.guard import canonical_url, with_scheme


class Walking:
    """Walks the case's site with the policy of the settings."""

    model: ClassVar[ModelUse] = "used"
    settings: ClassVar[tuple[Setting, ...]] = ("click",)
    told: ClassVar[bool] = False

    def __init__(self, gear: Gear, case: Case) -> None:
        self._gear, self._case = gear, case
        self._root = root_of(case)
        self._policy = self.policy(gear)

    def policy(self, gear: Gear) -> Policy:
        """Return who takes the walk's decisions."""
        return gear.policy(gear.run)

    async def answer(self) -> Answer:
        """Return the walk's answer."""
        return await Walker(self._gear.run, self._gear.web, self._policy).walk(self._root, self._case.question)


def root_of(case: Case) -> str:
    """Return where the case's site begins, in its one spelling.

    Raises:
        ConfigError: it names none, or one that no client opens.
    """
    if not case.root:
        raise ConfigError(f"the setting {case.setting!r} needs the address of a site to begin at: give a root")
    try:
        return canonical_url(with_scheme(case.root))
    except FetchError as error:
        raise ConfigError(f"cannot start at {case.root!r}: {error.message}") from error


def without_model(policy: str, gear: Gear) -> Policy:
    """Return a policy that asks no model, whatever the settings name."""
    made: Policy = POLICIES.load(policy)(Context(gear.run, None, gear.settings.seed))
    return made
