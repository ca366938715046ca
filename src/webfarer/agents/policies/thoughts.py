"""Chooses links by a small tree of thoughts: a chat model names several, values each, and the most promising is opened.

The links of all pages read are candidates, so a walk turns back by itself. Everything else is decided as the chat
policy does, the choice too where no link is named; once every call of a choice failed, the chat policy, which has
rules for a model that is down, chooses to the end. Costs up to six calls a step where the chat policy needs one.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from webfarer.agents.decisions import POLICIES, Click, Context, Draft, Move, Policy, Walk
from webfarer.agents.excerpts import note_lines, ranked
from webfarer.agents.linkchoice import LinkChoice
from webfarer.agents.thinker import Thinker
from webfarer.agents.thoughts import Options
from webfarer.agents.writers import ChatWriter
from webfarer.core.errors import ModelAuth, ModelError
from webfarer.core.types import Link, Note, Page
from webfarer.models.base import ChatModel

_LINKS = 20
_NOTE_CHARS = 1000
_OPTIONS = Options(branches=3, evaluations=1, temperature=0.7)  # colder, the three would mostly name the same link


class Thoughts:
    """Chooses by thinking, reads and answers as the policy "chat".

    Raises:
        ConfigError: the context has no model.
    """

    needs_model: ClassVar[bool] = True

    def __init__(self, context: Context) -> None:
        self._chat: Policy = POLICIES.load("chat")(context)
        self._run, self._seed = context.run, context.seed
        self._model: ChatModel | None = context.model

    async def note(self, walk: Walk) -> list[Note]:
        """Return what the chat policy keeps of the current page."""
        return await self._chat.note(walk)

    async def judge(self, walk: Walk) -> Draft | None:
        """Return the chat policy's answer, when the notes suffice."""
        return await self._chat.judge(walk)

    async def choose(self, walk: Walk) -> Move:
        """Return a click on the link with the best value; what the chat policy chooses when no link was named."""
        places = list(_candidates(walk))
        numbered = [replace(link, id=number) for number, (_, link) in enumerate(places, 1)]
        links = ranked(numbered, walk.question)[:_LINKS]
        if self._model is None or len(links) < 2:
            return await self._chat.choose(walk)
        rules = LinkChoice(links, note_lines(walk.notes, _NOTE_CHARS), self._run.id)
        options = replace(_OPTIONS, seed=self._seed)
        try:
            tree = await Thinker(ChatWriter(self._model), options).solve(rules.problem(walk.question), rules)
        except ModelAuth:
            raise
        except ModelError as error:
            self._model = None
            self._run.trace.emit("degraded", part="choose", error=type(error).__name__, message=error.message)
            return await self._chat.choose(walk)
        if tree.best is None:
            self._run.trace.emit("degraded", part="choose", error="NoLink", message="no thought named a link offered")
            return await self._chat.choose(walk)
        page, link = places[rules.chosen(tree.path) - 1]
        best = tree.nodes[tree.best]
        return Click(page, link, f"{' '.join(best.text.split())} (value {best.value})")

    async def conclude(self, walk: Walk) -> Draft:
        """Return the chat policy's best answer."""
        return await self._chat.conclude(walk)


def _candidates(walk: Walk) -> Iterator[tuple[Page, Link]]:
    """Yield every link that may be opened with the page it is on; the current page's come first."""
    seen: set[str] = set()
    for page in (walk.page, *walk.pages):
        for link in walk.links(page):
            if link.url not in seen:
                seen.add(link.url)
                yield page, link


policy = Thoughts
