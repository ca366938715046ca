"""ReAct on one site: thought, action, observation, everything kept in the conversation; the model answers by itself.

Takes a walk's decisions as a policy does, so loop, limits and trace are the walker's. What it lacks of WebWalker is
the critic: no notes, no verdict. Source: Yao et al., "ReAct", ICLR 2023; as a baseline, Wu et al., "WebWalker", ACL
2025.
"""

import re
from collections.abc import Sequence
from typing import ClassVar

from webfarer.agents.asking import Gear
from webfarer.agents.decisions import Back, Click, Draft, Enough, Move, Walk
from webfarer.agents.ending import Stop
from webfarer.agents.excerpts import excerpt, link_lines, ranked
from webfarer.agents.history import CONTEXTS, ContextPolicy, Room, Step
from webfarer.agents.quotes import locate
from webfarer.core.errors import BudgetExceeded, ConfigError, ModelAuth, ModelError
from webfarer.core.types import Claim, Note, Page, StopReason
from webfarer.models.base import Message, Reply, Sampling, Tool, ToolCall
from webfarer.models.dialogue import DIALECTS, Dialect
from webfarer.models.prompts import FENCE_RULE, fence, nonce

_PAGE_CHARS = 6000
_LINKS = 40
_REPLY_TOKENS = 1024
_SECONDS = 240.0
_MALFORMED = 5
_SHOWN = (1.0, 0.25, 0.12, 0.06)  # of the context window, until the reserve pays for the last answer

TOOLS = (
    Tool(
        "click",
        "Open a link of the page you see last.",
        {
            "type": "object",
            "properties": {"link": {"type": "integer", "description": "Its number."}},
            "required": ["link"],
        },
    ),
    Tool("back", "Return to the page before.", {"type": "object", "properties": {}}),
)
_ROLE = (
    "You answer a question from one website. You see a page and its links; you open links, one at a time, until you "
    "have read the answer to the whole question. Rely on what you read there, not on what you know."
)
_ANSWERING = (
    "The final answer is as short as it can be, in the language of the question. Below it, quote what it rests on: for "
    "each fact one line `Quote: ` and the words, copied from a page character by character. When the site does not "
    "have the answer, write `Final Answer: none`."
)
_OVER = "The search is over; nothing more can be opened. Write the `Final Answer:` that what you have read allows now."
_QUOTE = re.compile(r"^[\s>*_-]*Quote[*_ ]*[:：](.*)$\n?", re.IGNORECASE | re.MULTILINE)
_NONE = re.compile(r"\W*none\W*", re.IGNORECASE)


class Reacting:
    """Decides by talking with the model of the gear.

    Args:
        gear: what it is made with.
        lessons: what earlier tries at the question taught; shown to the model as what a website may have written.

    Raises:
        ConfigError: there is no model.
    """

    needs_model: ClassVar[bool] = True

    def __init__(self, gear: Gear, lessons: Sequence[str] = ()) -> None:
        model = gear.metered(gear.run)
        if model is None:
            raise ConfigError("ReAct needs a model, such as --model openai:gpt-4o-mini")
        self._run, self._model, self._lessons = gear.run, model, lessons
        self._dialect: Dialect = DIALECTS.load("react")
        self._context: ContextPolicy = CONTEXTS.load("keep_all")()
        self._sampling = Sampling(
            temperature=gear.settings.temperature,
            top_p=gear.settings.top_p,
            max_tokens=min(_REPLY_TOKENS, model.context // 4),
            seed=gear.settings.seed,
            stop=self._dialect.stop,
            seconds=_SECONDS,
        )
        self._thoughts = gear.settings.ask.thoughts == "kept"
        self._history: list[Step] = []
        self._open: tuple[Message, ToolCall] | None = None  # what the model said last, and wants done
        self._failures = 0
        self._final: Draft | None = None

    async def note(self, walk: Walk) -> list[Note]:
        """Return nothing: what was read stays in the conversation."""
        return []

    async def judge(self, walk: Walk) -> Draft | None:
        """Return None: there is no critic."""
        return None

    async def choose(self, walk: Walk) -> Move:
        """Return the model's action; Enough when it answers.

        Raises:
            Stop: the model failed, or gave no usable reply several times in a row.
        """
        self._observe(walk)
        problem = ""
        for _ in range(_MALFORMED):
            try:
                reply = await self._reply(walk)
            except ModelAuth:
                raise
            except ModelError as error:
                raise Stop(StopReason.FAILED, error.message) from error
            turn = self._dialect.read(reply, TOOLS)
            said = self._dialect.said(reply, turn, thoughts=self._thoughts)
            if turn.answer:
                self._final = _draft(turn.answer, walk.pages)
                return Enough(turn.thought)
            move = _move(turn.calls[0], turn.thought, walk) if turn.calls else None
            if move is not None:
                self._open = said, turn.calls[0]
                return move
            problem = turn.problem or "that cannot be done from the page you see last"
            self._run.trace.emit("malformed", problem=problem, text=reply.text[:500])
            self._history.append(Step(said, tuple(self._dialect.mend(problem))))
        raise Stop(StopReason.FAILED, f"the model gave no usable reply {_MALFORMED} times in a row: {problem}")

    async def conclude(self, walk: Walk) -> Draft:
        """Return the model's answer; when it gave none, the one it gives now."""
        if self._final is not None:
            return self._final
        self._observe(walk)
        for share in _SHOWN:
            try:
                reply = await self._reply(walk, _OVER, share)
            except BudgetExceeded:
                continue  # the conversation is longer than the reserve pays for
            except ModelAuth:
                raise
            except ModelError as error:
                self._run.trace.emit("degraded", part="conclude", error=type(error).__name__, message=error.message)
                break
            return _draft(self._dialect.read(reply, TOOLS).answer or "", walk.pages)
        return Draft("", sources=tuple(walk.pages))

    async def _reply(self, walk: Walk, last: str = "", share: float = 1.0) -> Reply:
        """Ask for the next step; with `last` said at the end, and a share of the context window used."""
        tokens = int((self._model.context - self._sampling.max_tokens) * share)
        history = [*self._history]
        if last:
            history[-1] = Step(history[-1].said, (*history[-1].observed, Message("user", last)))
        room = Room(tokens, self._model.count, _no_summary)
        messages = await self._context.view(self._head(walk), history, room)
        return await self._model.complete(messages, sampling=self._sampling)

    def _head(self, walk: Walk) -> list[Message]:
        rules = f"{_ROLE}\n\n{self._dialect.rules(TOOLS)}\n{_ANSWERING}\n\n{FENCE_RULE}"
        lessons = "\n".join(f"- {lesson}" for lesson in self._lessons)
        told = f"\n\nWhat earlier tries taught you:\n{self._fenced(lessons, 'lessons')}" if lessons else ""
        return [Message("system", rules), Message("user", f"Question: {walk.question}{told}")]

    def _observe(self, walk: Walk) -> None:
        """Take what came of the last action into the conversation."""
        if not self._history:
            seen = Message("user", f"Observation: {self._view(walk)}")
            self._history.append(Step(Message("assistant", "Thought: I begin at the site's first page."), (seen,)))
        elif self._open is not None:
            said, call = self._open
            self._history.append(Step(said, tuple(self._dialect.observed([(call, self._view(walk))]))))
            self._open = None

    def _view(self, walk: Walk) -> str:
        """Return what the model is shown of where it stands."""
        blocks = []
        for failure in walk.failures[self._failures :]:
            told = self._fenced(f"{failure.url}: {failure.message}", "failure")
            blocks.append(f"The link led nowhere ({failure.error}):\n{told}")
        self._failures = len(walk.failures)
        page = walk.page
        text = f"{page.title}\n{page.url}\n\n{excerpt(page, walk.question, _PAGE_CHARS)}"
        blocks.append(f"The page:\n{self._fenced(text, 'page')}")
        links = link_lines(ranked(walk.links(page), walk.question)[:_LINKS])
        blocks.append(f"Its links:\n{self._fenced(links, 'links')}" if links else "It has no links to open.")
        left = "" if walk.steps_left == float("inf") else f"\nLeft: {walk.steps_left:.0f} actions."
        return "\n\n".join([*blocks, f"The question: {walk.question}{left}"])

    def _fenced(self, text: str, source: str) -> str:
        return fence(text, nonce=nonce(self._run.id, text), source=source)


async def _no_summary(messages: Sequence[Message], before: str) -> str:
    return ""


def _move(call: ToolCall, thought: str, walk: Walk) -> Move | None:
    """Return the move that a call asks for, or None when it cannot be made."""
    if call.name == "back":
        return Back(thought) if len(walk.path) > 1 else None
    link = next((link for link in walk.links(walk.page) if link.id == call.arguments["link"]), None)
    return Click(walk.page, link, thought) if link else None


def _draft(answer: str, pages: Sequence[Page]) -> Draft:
    """Return the answer with its quotes; one that is on no page stays, as a claim that cannot be verified."""
    text = _QUOTE.sub("", answer).strip()
    if not text or _NONE.fullmatch(text):
        return Draft("")
    claims = []
    for said in dict.fromkeys(quoted.strip() for quoted in _QUOTE.findall(answer)):
        quote = next((found for page in pages if (found := locate(page, said))), None)
        claims.append(Claim(text=text, quote=quote) if quote else Claim(text=said, problem="the quote is on no page"))
    return Draft(text, tuple(claims), tuple(pages))
