"""WebWalker: start at a site's root, click through it, keep notes, stop when they suffice.

The walker owns the loop, the limits and the trace; a policy takes every decision. Whatever happens, it ends with an
Answer: when a limit is reached a reserve pays for the best answer so far. Mended against the public code: notes keep
page and quote, no page is opened twice, a dead link is an observation, the last answer is always forced.
Source: Wu et al., "WebWalker: Benchmarking LLMs in Web Traversal", ACL 2025.
"""

import hashlib
from collections import Counter
from functools import lru_cache

from webfarer.agents.checking import claims_of, sources_of
from webfarer.agents.decisions import Back, Click, Draft, Enough, Failure, Move, Policy, Walk
from webfarer.core.errors import BudgetExceeded, FetchError
from webfarer.core.run import Run
from webfarer.core.types import Answer, Page, PageKind, StopReason
from webfarer.web.client import Web
from webfarer.web.scope import Scope

_LOOP = 5  # the same move on the same page
_RESERVE = 0.15  # share of each model limit kept for the last answer
_RESERVE_SECONDS = 20.0
_MODEL_METERS = ("tokens", "usd")
_STOPS = {"seconds": StopReason.TIMEOUT, "steps": StopReason.TURNS}
_WHY_NOT = {
    PageKind.BLOCKED: "the site shows a block page",
    PageKind.CONSENT: "the site shows only a consent page",
    PageKind.LOGIN: "the page asks to log in",
    PageKind.EMPTY: "the page is empty",
}


class _Stop(Exception):
    """Ends the walk; carries the reason and a line for people."""

    def __init__(self, reason: StopReason, detail: str = "", draft: Draft | None = None) -> None:
        self.reason, self.detail, self.draft = reason, detail, draft


class Walker:
    """One walk: `await Walker(run, web, policy).walk(url, question)`."""

    def __init__(self, run: Run, web: Web, policy: Policy) -> None:
        self._run, self._web, self._policy = run, web, policy
        self._seen_texts: set[bytes] = set()
        self._moves: Counter[tuple[str, str]] = Counter()

    async def walk(self, url: str, question: str) -> Answer:
        """Answer `question` from the site at `url`; never raises what belongs to the walk itself.

        Raises:
            ConfigError, ModelAuth: the settings cannot work.
            TraceError: the run cannot be recorded or left its recording.
        """
        walk = Walk(question)
        with self._run.ledger.reserve(**self._last_answer_costs()) as release:
            try:
                stop = await self._go(walk, url)
            except _Stop as ended:
                stop = ended
            except BudgetExceeded as error:
                stop = self._limit(error.detail["meter"])
            release()
            draft = stop.draft or await self._conclude(walk)
        return self._answer(walk, draft, stop)

    def _last_answer_costs(self) -> dict[str, float]:
        """What is held back: a share of what the last model call could need; nothing without a model."""
        if not self._policy.needs_model:
            return {}
        room = {meter: self._run.ledger.room(meter) for meter in ("tokens", "usd", "seconds")}
        held = {meter: left * _RESERVE for meter, left in room.items() if left != float("inf")}
        return {m: min(amount, _RESERVE_SECONDS) if m == "seconds" else amount for m, amount in held.items()}

    async def _go(self, walk: Walk, url: str) -> _Stop:
        root = await self._open_root(url)
        scope = Scope(root.url)
        walk.scope = lru_cache(maxsize=100_000)(scope.contains)  # asked of every link at every step
        self._arrive(walk, root, asked=url)
        await self._read(walk)
        while True:
            self._check_limits(walk)
            move = await self._policy.choose(walk)
            self._check_loop(walk, move)
            if isinstance(move, Enough):
                self._run.trace.emit("enough", thought=move.thought)
                return _Stop(StopReason.ANSWERED)
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
            raise _Stop(StopReason.FAILED, f"the first page cannot be read: {error.message}", Draft("")) from error
        if root.kind is not PageKind.CONTENT and not root.links:
            raise _Stop(StopReason.FAILED, f"{root.url}: {_WHY_NOT[root.kind]}", Draft(""))
        return root

    def _check_limits(self, walk: Walk) -> None:
        if self._run.stopping():
            raise _Stop(StopReason.CANCELLED, "stopped on request")
        meter = self._run.ledger.exhausted(besides=() if self._policy.needs_model else _MODEL_METERS)
        if meter:
            raise self._limit(meter)
        walk.steps_left = self._run.ledger.room("steps")

    def _limit(self, meter: str) -> _Stop:
        return _Stop(_STOPS.get(meter, StopReason.BUDGET), f"the limit on {meter} is reached")

    def _check_loop(self, walk: Walk, move: Move) -> None:
        what = move.link.url if isinstance(move, Click) else type(move).__name__
        self._moves[walk.page.url, what] += 1
        if self._moves[walk.page.url, what] >= _LOOP:
            raise _Stop(StopReason.LOOP, f"the same move was chosen {_LOOP} times on {walk.page.url}")

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
            return self._fail(walk, link.url, str(page.kind), _WHY_NOT[page.kind])
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
            raise _Stop(StopReason.ANSWERED, draft=draft)

    async def _conclude(self, walk: Walk) -> Draft:
        """Return the best answer so far; from the notes alone when even that call cannot be paid."""
        if not walk.pages:
            return Draft("")
        try:
            return await self._policy.conclude(walk)
        except BudgetExceeded:
            return Draft(" ".join(note.text for note in walk.notes), tuple(walk.notes))

    def _answer(self, walk: Walk, draft: Draft, stop: _Stop) -> Answer:
        reason, detail = stop.reason, stop.detail
        if reason is StopReason.ANSWERED and not draft.text:
            reason, detail = StopReason.NO_SOURCES, f"nothing found on {len(walk.pages)} pages"
        answer = Answer(
            question=walk.question,
            text=draft.text,
            claims=claims_of(draft, self._web),
            sources=sources_of(draft, {page.id: page.title for page in walk.pages}),
            stop_reason=reason,
            stop_detail=detail,
            fare=self._run.ledger.fare,
            run=self._run.id,
        )
        self._run.trace.emit("end", answer=answer.model_dump(mode="json"))
        return answer
