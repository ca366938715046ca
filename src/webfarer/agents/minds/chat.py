"""The dancer's decisions, taken by a chat model in a ReAct conversation: WebDancer.

The model is told the tools in its dialect, sees observations through a context policy, reads pages in a separate call
for one goal (raw pages never enter the conversation), and answers with citations. A reply that cannot be used is
answered with the reason; after some in a row the run ends with the best answer so far. Source: Wu et al., "WebDancer",
NeurIPS 2025.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import BaseModel

from webfarer.agents.asker import Asker, Part, Prompt, Text
from webfarer.agents.citing import CITING, RULES, cites, draft_of
from webfarer.agents.dance import Act, Dance, Reading, Setting
from webfarer.agents.decisions import Draft
from webfarer.agents.excerpts import excerpt
from webfarer.agents.history import CONTEXTS, ContextPolicy, Room, Step
from webfarer.agents.quotes import locate
from webfarer.agents.views import evidence_lines, show
from webfarer.core.errors import BadReply, ConfigError, ModelError
from webfarer.core.types import Page
from webfarer.models.base import ChatModel, Message, Reply, Sampling, Tool
from webfarer.models.dialogue import DIALECTS, Dialect
from webfarer.models.prompts import fence, nonce

_PAGE_CHARS = 24_000
_EVIDENCE_CHARS = 8_000
_EVIDENCE = 8  # passages kept of one page
_REPLY_TOKENS = 2048
_SECONDS = 300.0
_MALFORMED = 5
_CUT = 0.5  # a server that counts less than this share of our prompt has dropped its head

_ROLE = (
    "You answer a question from the web. You search, open pages and walk through sites with the tools you have, one "
    "step after another, until the evidence answers the whole question; then you answer. Rely on evidence, not on what "
    "you know. Search results only point to pages: open them. Call several tools at once where they do not depend on "
    "each other. When a way leads nowhere, try another one instead of the same again."
)
_READ = Prompt(
    "read",
    "You read one page for someone who will not see it.",
    "Find what serves the goal. `rational` says in a sentence where it is, or why the page does not have it. "
    "`evidence` holds the passages that state it, copied character by character from the page, each as short as "
    "it can be while it states the fact; [] when there are none. `summary` says in a few sentences what they say "
    "about the goal.\n"
    'Reply with one JSON object and nothing else: {"rational": "…", "evidence": ["…"], "summary": "…"}.',
)
_LAST = Prompt(
    "conclude",
    "You give the best answer that the evidence gathered so far allows; the search is over.",
    "Answer the question as far as the evidence does, short, in the language of the question, and say what remains "
    f"open. Rely on the evidence alone, not on what you know. {CITING}\n"
    'Reply with one JSON object and nothing else: {"answer": "…"}. When the evidence answers no part: answer is "".',
)
_SUM_UP = Prompt(
    "fold",
    "You keep the record of a search that goes on.",
    "Sum up what has been found so far and what is still missing: facts with the numbers of their evidence like [3], "
    "addresses still worth opening, and what was tried in vain. Leave out nothing that the answer will need.\n"
    'Reply with one JSON object and nothing else: {"summary": "…"}.',
)


class _Read(BaseModel):
    rational: Text = ""
    evidence: list[str] = []
    summary: Text = ""


class _Last(BaseModel):
    answer: Text = ""


class _Summary(BaseModel):
    summary: str


class Chat:
    """Decides by talking with the model of its setting.

    Raises:
        ConfigError: the setting has no model.
    """

    needs_model: ClassVar[bool] = True

    def __init__(self, setting: Setting) -> None:
        if setting.model is None:
            raise ConfigError('the mind "chat" needs a model, such as openai:gpt-4o-mini; "lexical" needs none')
        self._model: ChatModel = setting.model
        self._run = setting.run
        self._asker = Asker(setting.run, setting.model, setting.seed)
        self._dialect: Dialect = DIALECTS.load(setting.dialect or "native")
        self._context: ContextPolicy = CONTEXTS.load(setting.context)()
        self._sampling = Sampling(
            temperature=setting.temperature,
            top_p=setting.top_p,
            max_tokens=min(_REPLY_TOKENS, setting.model.context // 4),
            seed=setting.seed,
            stop=self._dialect.stop,
            seconds=_SECONDS,
        )
        self._thoughts = setting.thoughts == "kept"
        self._history: list[Step] = []
        self._open: Message | None = None  # what the model said last, while its calls are under way
        self._cut_told = False

    async def act(self, dance: Dance) -> Act:
        """Return the model's calls or its answer.

        Raises:
            ModelError: the model failed; BadReply when no reply could be used, several times in a row.
        """
        self._observe(dance)
        tools = tuple(dance.tools.values())
        uncited, problem = False, ""
        for _ in range(_MALFORMED):
            reply = await self._reply(dance, tools)
            news = self._without_tools(reply)
            turn = self._dialect.read(reply, tools)
            if news and not turn.calls:
                continue  # whatever it said, it knew of no tool
            said = self._dialect.said(reply, turn, thoughts=self._thoughts)
            if turn.calls:
                self._open = said
                return Act(turn.thought, turn.calls)
            if turn.answer and (uncited or not dance.evidence or cites(turn.answer, dance.evidence)):
                return Act(turn.thought, draft=draft_of(turn.answer, dance.evidence))
            uncited = bool(turn.answer)
            problem = f"the answer cites no evidence. {CITING}" if uncited else turn.problem or "the reply is empty"
            self._run.trace.emit("malformed", problem=problem, text=reply.text[:500])
            self._history.append(Step(said, tuple(self._dialect.mend(problem))))
        raise BadReply(f"the model gave no usable reply {_MALFORMED} times in a row: {problem}")

    async def read(self, page: Page, goal: str) -> Reading:
        """Return what serves the goal; passages the model did not copy from the page are dropped."""

        def parts(share: float) -> list[Part]:
            shown = excerpt(page, goal, int(min(_PAGE_CHARS, self._model.context) * share))
            return [Part("The page:", "page", f"{page.title}\n{page.url}\n\n{shown}")]

        said = await self._asker.ask(_READ, _Read, goal, parts)
        if said is None:
            return Reading(page, goal)
        found = [(text, locate(page, text)) for text in said.evidence[:_EVIDENCE]]
        for text, quote in found:
            if quote is None:
                self._run.trace.emit("evidence_dropped", page=page.id, quote=text, why="it is not on the page")
        quotes = list(dict.fromkeys(quote for _, quote in found if quote))
        return Reading(page, goal, said.rational, tuple(quotes), said.summary)

    async def conclude(self, dance: Dance) -> Draft:
        """Return the best answer the evidence allows."""
        self._asker.again()
        if not dance.evidence:
            return Draft("", sources=tuple(dance.pages.values()))

        def parts(share: float) -> list[Part]:
            return [Part("The evidence:", "evidence", evidence_lines(dance, int(_EVIDENCE_CHARS * share)))]

        said = await self._asker.ask(_LAST, _Last, dance.question, parts)
        if said is None:
            return dance.as_found()
        return draft_of(said.answer, dance.evidence) if said.answer.strip() else Draft("")

    def _observe(self, dance: Dance) -> None:
        """Take the observations of the last step into the conversation."""
        if self._open is None:
            return
        _, seen = dance.steps[-1]
        results = [(observation.call, show(observation, dance, self._run.id)) for observation in seen]
        if results:  # once more at the end: some servers drop the head of a long prompt
            call, text = results[-1]
            results[-1] = (call, f"{text}\n\n{self._standing(dance)}")
        self._history.append(Step(self._open, tuple(self._dialect.observed(results))))
        self._open = None

    def _standing(self, dance: Dance) -> str:
        left = {meter: self._run.ledger.room(meter) for meter in ("steps", "pages")}
        limits = ", ".join(f"{amount:.0f} {meter}" for meter, amount in left.items() if amount != float("inf"))
        return f"The question: {dance.question}" + (f"\nLeft: {limits}." if limits else "")

    async def _reply(self, dance: Dance, tools: Sequence[Tool]) -> Reply:
        """Ask for the next step."""
        native = tools if self._dialect.native else ()
        spare = self._model.count([], native) if native else 0
        room = Room(self._model.context - self._sampling.max_tokens - spare, self._model.count, self._sum_up)
        messages = await self._context.view(self._head(dance, tools), self._history, room)
        reply = await self._model.complete(messages, native, self._sampling)
        sent = self._model.count(messages, () if "tools" in reply.degraded else native)
        if not reply.usage.estimated and reply.usage.tokens_in < sent * _CUT and not self._cut_told:
            self._cut_told = True
            told = f"the server counted {reply.usage.tokens_in} tokens of a prompt of about {sent}: it may have cut it"
            self._asker.degraded("prompt", "PromptCut", told)
        return reply

    def _without_tools(self, reply: Reply) -> bool:
        """Call tools with tags from now on when the server takes none; say whether that is new."""
        if not self._dialect.native or "tools" not in reply.degraded:
            return False
        self._dialect = DIALECTS.load("tags")
        self._sampling = replace(self._sampling, stop=self._dialect.stop)
        self._asker.degraded("tools", "NoTools", "the server takes no tools; the model is told to call them with tags")
        return True

    def _head(self, dance: Dance, tools: Sequence[Tool]) -> list[Message]:
        start = "".join(f"\nThe user names this address: {url}" for url in dance.start)
        return [
            Message("system", f"{_ROLE}\n\n{self._dialect.rules(tools)}\n\n{RULES}"),
            Message("user", f"{dance.question}{start}"),
        ]

    async def _sum_up(self, messages: Sequence[Message], before: str) -> str:
        def parts(share: float) -> list[Part]:
            text = "\n\n".join(map(_spoken, messages))
            return [
                Part("The record so far:", "record", before),
                Part("What happened since:", "conversation", text[-int(len(text) * share) :]),
            ]

        said = await self._asker.ask(_SUM_UP, _Summary, "What has been found?", parts)
        if said is None:
            raise ModelError("no summary could be made")
        return fence(said.summary, nonce=nonce(self._run.id, said.summary), source="summary")


def _spoken(message: Message) -> str:
    calls = (f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}" for call in message.tool_calls)
    return "\n".join([f"{message.role}: {message.content}", *calls])


mind = Chat
