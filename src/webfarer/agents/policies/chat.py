"""The walker's decisions, taken by a chat model: WebWalker's explorer and its critic in two stages.

When the model fails, a rule decides instead (the best-ranked link, no note, the notes as they are) and the trace says
so in a `degraded` event: a run with a dead model still ends with an answer. A model that was down three times in a row
is left alone until the last answer. A refused key, a wrong setting or a spent budget is no such failure and is raised.
Source: Wu et al., "WebWalker", ACL 2025.
"""

from typing import ClassVar

from webfarer.agents.asker import Asker, Part, Parts
from webfarer.agents.decisions import Back, Click, Context, Draft, Enough, Move, Walk, claims_from
from webfarer.agents.excerpts import best_passages, excerpt, link_lines, note_lines, ranked
from webfarer.agents.policies import _chat_prompts as prompts
from webfarer.agents.policies._chat_prompts import Finding
from webfarer.agents.quotes import locate, merge
from webfarer.core.errors import ConfigError
from webfarer.core.types import Link, Note, Page, PageKind
from webfarer.models.base import Message

_PAGE_CHARS = 6000
_NOTE_CHARS = 4000
_LINKS = 40
_FAILURES = 3


class Chat:
    """Decides by asking the model of its context.

    Raises:
        ConfigError: the context has no model.
    """

    needs_model: ClassVar[bool] = True

    def __init__(self, context: Context) -> None:
        if context.model is None:
            raise ConfigError('the policy "chat" needs a model, such as openai:gpt-4o-mini; "lexical" needs none')
        self._run = context.run
        self._asker = Asker(context.run, context.model, context.seed, warmth=(context.temperature, context.top_p))
        self._judged = 0
        self._unknown: set[tuple[str, str, int | None]] = set()

    async def note(self, walk: Walk) -> list[Note]:
        """Return the facts the model keeps of the current page and whose quotes are on it."""
        page = walk.page
        if page.kind is not PageKind.CONTENT:
            return []
        found = await self._asker.ask(prompts.NOTE, prompts.Findings, walk.question, lambda share: [_page(walk, share)])
        return self._notes(found.notes, [page], walk) if found and found.useful else []

    async def judge(self, walk: Walk) -> Draft | None:
        """Return the answer when the model finds that the notes give it; asks only about new notes."""
        if len(walk.notes) == self._judged:
            return None
        self._judged = len(walk.notes)
        verdict = await self._asker.ask(
            prompts.JUDGE, prompts.Verdict, walk.question, lambda share: [_notes(walk, share)]
        )
        return _draft(verdict.answer, verdict.used, walk.notes) if verdict and verdict.sufficient else None

    async def choose(self, walk: Walk) -> Move:
        """Return the model's move; an impossible one is asked about once, then the best-ranked link is taken."""
        links = ranked(walk.links(walk.page), walk.question)
        if not links:
            return _leave(walk)

        def scene(share: float) -> list[Part]:
            return _scene(walk, links, share)

        top = Click(walk.page, links[0], "the link that fits the question best, taken by rule")
        again: list[Message] = []
        problem = ""
        for _ in range(2):
            choice = await self._asker.ask(prompts.EXPLORE, prompts.Choice, walk.question, scene, again)
            if choice is None:
                return top
            move = _move(choice, walk, links)
            if move is not None:
                return move
            problem = "this is the first page" if choice.action == "back" else f"there is no link {choice.link} here"
            wrong = (walk.page.url, choice.action, choice.link)
            if wrong in self._unknown:
                break
            self._unknown.add(wrong)
            numbers = ", ".join(str(link.id) for link in links[:_LINKS])
            correction = f"That cannot be done: {problem}. The links are {numbers}. Reply with JSON as before."
            again = [Message("assistant", choice.model_dump_json()), Message("user", correction)]
        self._asker.degraded("choose", "UnknownLink", problem)
        return top

    async def conclude(self, walk: Walk) -> Draft:
        """Return the best answer from the notes, or without any, from the passages that fit the question best."""
        self._asker.again()
        if not walk.notes:
            return await self._from_pages(walk)
        last = await self._asker.ask(
            prompts.CONCLUDE, prompts.LastAnswer, walk.question, lambda share: [_notes(walk, share)]
        )
        if last is None:
            return Draft("\n".join(note.text for note in walk.notes), claims_from(walk.notes))
        return _draft(last.answer, last.used, walk.notes) or Draft("")

    async def _from_pages(self, walk: Walk) -> Draft:
        found = best_passages(walk.pages, walk.question, _PAGE_CHARS)
        if not found:
            return Draft("")

        def parts(share: float) -> list[Part]:
            shown = best_passages(walk.pages, walk.question, int(_PAGE_CHARS * share)) or found[:1]
            text = "\n\n".join(f"{page.title}\n{passage}" for page, passage in shown)
            return [Part("Passages of the pages read:", "passages", text)]

        said = await self._asker.ask(prompts.CONCLUDE_FROM_PAGES, prompts.Conclusion, walk.question, parts)
        pages = list({page.url: page for page, _ in found}.values())
        if said is None or not said.known or not said.answer.strip():
            return Draft("", sources=tuple(pages) if said is None else ())
        return Draft(said.answer.strip(), claims_from(self._notes(said.notes, pages, walk)), tuple(pages))

    def _notes(self, findings: list[Finding], pages: list[Page], walk: Walk) -> list[Note]:
        """Turn findings into notes; one whose quote is on none of the pages is dropped, and the trace says so."""
        notes: list[Note] = []
        for finding in findings:
            quote = next((found for page in pages if (found := locate(page, finding.quote))), None)
            if quote is None or not finding.statement.strip():
                why = "no statement" if quote else "the quote is not on the page"
                self._run.trace.emit(
                    "note_dropped", page=pages[0].id, statement=finding.statement, quote=finding.quote, why=why
                )
            else:
                notes.append(Note(text=finding.statement.strip(), quote=quote))
        return merge(walk.notes, notes)


def _page(walk: Walk, share: float) -> Part:
    page = walk.page
    text = excerpt(page, walk.question, int(_PAGE_CHARS * share))
    return Part("The page:", "page", f"{page.title}\n{page.url}\n\n{text}")


def _notes(walk: Walk, share: float) -> Part:
    return Part("The notes:", "notes", note_lines(walk.notes, int(_NOTE_CHARS * share)))


def _memory(walk: Walk) -> Parts:
    return lambda share: [_notes(walk, share)]


def _scene(walk: Walk, links: list[Link], share: float) -> list[Part]:
    left = "" if walk.steps_left == float("inf") else f" You may take {walk.steps_left:.0f} more actions."
    failures = "\n".join(f"{failure.url} ({failure.error})" for failure in walk.failures[-_FAILURES:])
    return [
        _notes(walk, share),
        Part("Links that led nowhere:", "failures", failures),
        Part("The way from the first page to this one:", "path", " > ".join(page.title for page in walk.path)),
        _page(walk, share),
        Part(f"The links, the likeliest first.{left}", "links", link_lines(links[: max(1, int(_LINKS * share))])),
    ]


def _move(choice: prompts.Choice, walk: Walk, links: list[Link]) -> Move | None:
    """Return the move that `choice` names, or None when it cannot be made."""
    if choice.action == "enough":
        return Enough(choice.thought)
    if choice.action == "back":
        return Back(choice.thought) if len(walk.path) > 1 else None
    link = next((link for link in links if link.id == choice.link), None)
    return Click(walk.page, link, choice.thought) if link else None


def _leave(walk: Walk) -> Move:
    """Return the move from a page without links to open: back, or to another page's best link, or stop."""
    if any(walk.links(page) for page in walk.path[:-1]):
        return Back("nothing to open here")
    for page in walk.pages:
        if links := walk.links(page):
            return Click(page, ranked(links, walk.question)[0], "nothing to open here nor on the way here")
    return Enough("nothing left to open")


def _draft(answer: str, used: list[int], notes: list[Note]) -> Draft | None:
    """Return the answer, if there is one, with the notes it names; with all of them when it names none that exist."""
    named = [notes[n - 1] for n in dict.fromkeys(used) if 1 <= n <= len(notes)]
    return Draft(answer.strip(), claims_from(named or notes)) if answer.strip() else None


policy = Chat
