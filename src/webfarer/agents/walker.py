"""WebWalker: start at a site's root, click through it, keep notes, stop when they suffice.

The walker owns the loop, the limits and the trace; a policy takes every decision. Whatever happens, it ends with an
Answer: when a limit is reached a reserve pays for the best answer so far. Mended against the public code: notes keep
page and quote, no page is opened twice, a dead link is an observation, the last answer is always forced.
Source: Wu et al., "WebWalker: Benchmarking LLMs in Web Traversal", ACL 2025.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from webfarer.agents.decisions import Back, Click, Draft, Enough, Failure, Move, Policy, Walk, claims_from
from webfarer.agents.ending import Stop, answer_of, check_limits, last_answer_costs, limit_stop
from webfarer.core.errors import BudgetExceeded, FetchError
from webfarer.core.run import Run
from webfarer.core.types import Answer, Page, PageKind, StopReason
from webfarer.web.client import Web
from webfarer.web.scope import Scope

_LOOP = 5  # the same move on the same page
WHY_NOT = {
    PageKind.BLOCKED: "the site shows a block page",
    PageKind.CONSENT: "the site shows only a consent page",
    PageKind.LOGIN: "the page asks to log in",
    PageKind.EMPTY: "the page is empty",
}


class Walker:
    """One walk: `await Walker(run, web, policy).walk(url, question)`.

    Attributes:
        pages: what it has read, in the order of reading.
    """

    def __init__(self, run: Run, web: Web, policy: Policy) -> None:
        self._run, self._web, self._policy = run, web, policy
        self._seen_texts: set[bytes] = set()
        self._moves: Counter[tuple[str, str]] = Counter()
        self.pages: list[Page] = []

    async def walk(self, url: str, question: str, scope: Scope | None = None, known: Sequence[Page] = ()) -> Answer:
        """Answer `question` from the site at `url`; never raises what belongs to the walk itself.

        Args:
            url: where to start.
            question: what to find.
            scope: the site to stay in; None: that of the first page, from its folder down.
            known: pages read before; those of the site are not opened again, and their links count.

        Raises:
            ConfigError, ModelAuth: the settings cannot work.
            TraceError: the run cannot be recorded or left its recording.
        """
        walk = Walk(question, pages=self.pages)
        with self._run.ledger.reserve(**last_answer_costs(self._run, self._policy.needs_model)) as release:
            try:
                stop = await self._go(walk, url, scope, known)
            except Stop as ended:
                stop = ended
            except BudgetExceeded as error:
                stop = limit_stop(error.detail["meter"])
            release()
            draft = stop.draft or await self._conclude(walk)
        return answer_of(question, draft, stop, self._run, self._web, {page.id: page for page in self.pages})

    async def _go(self, walk: Walk, url: str, scope: Scope | None, known: Sequence[Page]) -> Stop:
        root = next((page for page in known if url in (page.url, page.canonical)), None) or await self._open_root(url)
        walk.scope = lru_cache(maxsize=100_000)(
            (scope or Scope(root.url)).contains
        )  # asked of every link at every step
        for page in known:
            if page.url != root.url and walk.scope(page.url):
                walk.opened.update((page.url, page.canonical))
                walk.pages.append(page)
        self._arrive(walk, root, asked=url)
        await self._read(walk)
        while True:
            check_limits(self._run, self._policy.needs_model)
            walk.steps_left = self._run.ledger.room("steps")
            move = await self._policy.choose(walk)
            self._check_loop(walk, move)
            if isinstance(move, Enough):
                self._run.trace.emit("enough", thought=move.thought)
                return Stop(StopReason.ANSWERED)
            self._run.ledger.charge({"steps": 1})
            walk.steps += 1
            if isinstance(move, Back):
                self._back(walk, move)
            elif await self._click(walk, move):
                await self._read(walk)

    async def _open_root(self, url: str) -> Page:
        try:
            root = await self._web.open(self._run, url)
        except FetchError as error:
            raise Stop(StopReason.FAILED, f"the first page cannot be read: {error.message}", Draft("")) from error
        if root.kind is not PageKind.CONTENT and not root.links:
            raise Stop(StopReason.FAILED, f"{root.url}: {WHY_NOT[root.kind]}", Draft(""))
        return root

    def _check_loop(self, walk: Walk, move: Move) -> None:
        what = move.link.url if isinstance(move, Click) else type(move).__name__
        self._moves[walk.page.url, what] += 1
        if self._moves[walk.page.url, what] >= _LOOP:
            raise Stop(StopReason.LOOP, f"the same move was chosen {_LOOP} times on {walk.page.url}")

    def _back(self, walk: Walk, move: Back) -> None:
        if len(walk.path) > 1:
            walk.path.pop()
        self._run.trace.emit("back", thought=move.thought, url=walk.page.url, title=walk.page.title)

    async def _click(self, walk: Walk, move: Click) -> bool:
        """Open the link; say whether there is a new page to read. A link that leads nowhere is an observation."""
        if move.page in walk.path:
            del walk.path[walk.path.index(move.page) + 1 :]
        else:
            walk.path.append(move.page)
        link = move.link
        self._run.trace.emit(
            "click", thought=move.thought, on=move.page.url, link=link.id, label=link.label, url=link.url
        )
        walk.opened.add(link.url)
        try:
            page = await self._web.open(self._run, link.url)
        except FetchError as error:
            return self._fail(walk, link.url, type(error).__name__, error.message)
        if not walk.scope(page.url) and page.url != link.url:
            return self._fail(walk, link.url, "ScopeRefused", f"it leads out of the site, to {page.url}")
        if page.kind is not PageKind.CONTENT:
            return self._fail(walk, link.url, str(page.kind), WHY_NOT[page.kind])
        return self._arrive(walk, page, asked=link.url)

    def _fail(self, walk: Walk, url: str, error: str, message: str) -> bool:
        walk.failures.append(Failure(url, error, message))
        self._run.trace.emit("nowhere", url=url, error=error, message=message)
        return False

    def _arrive(self, walk: Walk, page: Page, asked: str) -> bool:
        """Stand on `page`; say whether its text is new (calendars and mirrors repeat themselves)."""
        walk.opened.update((asked, page.url, page.canonical))
        walk.path.append(page)
        text = hashlib.sha256(page.markdown.encode(errors="replace")).digest()
        new = text not in self._seen_texts
        self._seen_texts.add(text)
        if new:
            walk.pages.append(page)
        self._run.trace.emit(
            "page",
            page=page.id,
            url=page.url,
            title=page.title,
            links=len(page.links),
            new=new,
            truncated=page.truncated,
        )
        return new

    async def _read(self, walk: Walk) -> None:
        notes = await self._policy.note(walk)
        for note in notes:
            self._run.trace.emit("note", note=note.model_dump())
        if not notes:
            return
        walk.notes.extend(notes)
        draft = await self._policy.judge(walk)
        if draft is not None:
            raise Stop(StopReason.ANSWERED, draft=draft)

    async def _conclude(self, walk: Walk) -> Draft:
        """Return the best answer so far; from the notes alone when even that call cannot be paid."""
        if not walk.pages:
            return Draft("")
        try:
            return await self._policy.conclude(walk)
        except BudgetExceeded:
            return Draft(" ".join(note.text for note in walk.notes), claims_from(walk.notes))
