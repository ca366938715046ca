"""One attempt at an item: the system answers, the answer is marked, both as runs that can be resumed.

Not the order of attempts (:mod:`webfarer.evals.runner`). Invariant: whatever happens to an attempt, it gets a result;
what was paid for is in its traces, and an attempt that is made again pays only for what they lack.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from webfarer.agents.runs import Options, play, resume
from webfarer.agents.system import SYSTEMS, Case, Setting
from webfarer.core.config import Settings
from webfarer.core.errors import (
    ConfigError,
    FetchError,
    ModelAuth,
    SearchAuth,
    TraceError,
    TraceLocked,
    WebfarerError,
    boundary,
)
from webfarer.core.fare import Fare
from webfarer.core.run import Run
from webfarer.core.trace import TRACE_VERSION, Event, Trace, read_events
from webfarer.core.types import Answer
from webfarer.evals.contamination import flags
from webfarer.evals.records import Folder, Plan, Result, attempt_id
from webfarer.evals.scorer import SCORERS, Attempt, Scorer
from webfarer.evals.task import Card, Item
from webfarer.models.base import ChatModel
from webfarer.models.metered import Metered
from webfarer.web.client import Web


@dataclass(slots=True)
class Heard:
    """What the agent's trace tells of an attempt.

    Attributes:
        asked: addresses asked for, and those they led to.
        pages: archive id and address of the pages that came, by the call that asked for them; None until it came.
        snippets: what an engine showed of pages.
        searches, refused: queries, and those of them that were refused for lack of a good key.
    """

    asked: list[str] = field(default_factory=list)
    pages: dict[int, tuple[str, str] | None] = field(default_factory=dict)
    snippets: list[str] = field(default_factory=list)
    searches: int = 0
    refused: int = 0

    @property
    def came(self) -> list[tuple[str, str]]:
        """Archive id and address of the pages that came, in the order they were asked for: that of coming is chance."""
        return [page for page in self.pages.values() if page]

    def __call__(self, event: Event) -> None:
        """Take in an event of the trace."""
        if event.type == "call" and event.data["kind"] == "search":
            self.searches += 1
        elif event.type == "call" and event.data["kind"] == "fetch":
            self.asked.append(event.data["request"]["url"])
            self.pages[event.seq] = None
        elif event.type == "result":
            self._result(event.data["call"], event.data.get("value"), event.data.get("error"))

    def _result(self, call: int, value: Any, error: Any) -> None:
        if error:
            self.refused += error["error"] == SearchAuth.__name__
        elif call in self.pages:
            self.pages[call] = value["record"], value["url"]
            self.asked.append(value["url"])
        elif isinstance(value, list):
            self.snippets += [f"{hit.get('title')} {hit.get('snippet')}" for hit in value if isinstance(hit, Mapping)]


@dataclass(frozen=True, slots=True)
class Stage:
    """What the attempts of one process share.

    Attributes:
        folder, plan, card: what is run.
        settings: of every attempt, but for its seed.
        web: pages.
        model: the chat model, its spec where each attempt needs one of its own, or None.
        judge: the model that judges, or None.
    """

    folder: Folder
    plan: Plan
    card: Card
    settings: Settings
    web: Web
    model: str | ChatModel | None
    judge: ChatModel | None

    async def attempt(self, item: Item, number: int) -> Result:
        """Make attempt `number` at an item, or the part of it that is lacking.

        Raises:
            ConfigError, ModelAuth: the settings cannot work.
            TraceError: the folder cannot be written.
        """
        heard = Heard()
        run = attempt_id(item.id, number)
        answer, error = await self._answer(item, number, run, heard)
        if heard.searches and heard.refused == heard.searches:
            _aside(self.folder.trace(run))  # with a good key it is made again
            raise ConfigError("every search engine refused its key; correct it and give the same command again")
        canary = str(item.data.get("canary", ""))
        result = Result(
            item=item.id,
            number=number,
            run=run,
            answer=answer,
            error=error,
            opened=tuple(url for _, url in heard.came),
            searches=heard.searches,
            flags=flags(self.card, heard.asked, self._texts(heard, canary), canary),
        )
        return await self._marked(item, result)

    async def _answer(
        self, item: Item, number: int, run: str, heard: Callable[[Event], None]
    ) -> tuple[Answer | None, dict[str, Any] | None]:
        """Return the system's answer, or why there is none."""
        settings = self.settings.model_copy(update={"seed": self.plan.seed + number - 1})
        options = Options(settings=settings, web=self.web, on_event=heard, run_id=run)
        path = self.folder.trace(run)
        begun = _begun(path)
        try:
            with boundary(WebfarerError, f"{self.plan.agent} broke down"):
                if begun:
                    return await resume(run, model=_own(self.model), options=options), None
                case, model = case_of(item, self.plan.agent, self.plan.setting), self.model
                return await play(self.plan.agent, case, model=model, budget=self.plan.budget, options=options), None
        except (ModelAuth, TraceLocked):
            raise
        except (ConfigError, TraceError) as error:
            if not begun and not path.exists():
                raise  # nothing happened: it would be the same for every item
            return None, error.to_dict()
        except WebfarerError as error:
            return None, error.to_dict()

    def _texts(self, heard: Heard, canary: str) -> list[str]:
        """Return the pages' texts, where there is something to look for in them."""
        texts = list(heard.snippets)
        for record, _ in heard.came if canary else ():
            try:
                texts.append(self.web.page(record).markdown)
            except FetchError:
                continue  # not readable now, as it was not then
        return texts

    async def _marked(self, item: Item, result: Result) -> Result:
        """Mark an answer by every scorer of the plan."""
        path = self.folder.marking(result.run)
        before = self.folder.result(result.run)
        if _begun(path) and read_events(path)[-1].type == "end":  # not marked by all; what its judge cost stays counted
            _aside(path)
        trace = Trace.resume(path) if path.exists() else Trace.create(path)
        try:
            run = Run(f"{result.run}-marks", trace)
            trace.emit("start", version=TRACE_VERSION, item=item.id, number=result.number, scorers=self.plan.scorers)
            result = await self._scored(item, result, run)
            spent = _sum(run.ledger.fare, before.judging if before else Fare())
            result = result.model_copy(update={"judging": spent})
            trace.emit("end", result=result.model_dump(mode="json"))
        finally:
            trace.close()
        return result

    async def _scored(self, item: Item, result: Result, run: Run) -> Result:
        judge = Metered(run, self.judge, self.settings.price(self.judge.name)) if self.judge else None
        attempt = Attempt(item, result.answer, result.opened, judge)
        marks: dict[str, dict[str, float]] = {}
        detail: dict[str, Any] = {}
        unjudged: dict[str, str] = {}
        for name in self.plan.scorers:
            scorer: Scorer = SCORERS.load(name)
            try:
                with boundary(WebfarerError, f"the scorer {name} broke down"):
                    found = await scorer.mark(attempt)
            except ModelAuth:
                raise
            except WebfarerError as error:
                unjudged[name] = f"{type(error).__name__}: {error.message}"
                continue
            marks[name] = dict(found.values)
            if found.detail:
                detail[name] = dict(found.detail)
        return result.model_copy(update={"marks": marks, "detail": detail, "unjudged": unjudged})


def case_of(item: Item, agent: str, setting: Setting) -> Case:
    """Return an item as a system gets it: what the setting allows, and the truth only for one that is told it."""
    case = Case(item.question, setting)
    if setting in ("click", "both"):
        case = replace(case, root=item.root)
    if setting in ("search", "both"):
        case = replace(case, sites=item.sites)
    if SYSTEMS.load(agent).told:
        case = replace(case, answer=item.accepted[0], gold=item.gold)
    return case


def _begun(path: Path) -> bool:
    """Say whether a trace can be gone on with; one that is damaged is put aside, one without an event removed."""
    try:
        begun = path.exists() and bool(read_events(path))
    except TraceError:
        _aside(path)
        return False
    if not begun:
        path.unlink(missing_ok=True)
    return begun


def _aside(path: Path) -> None:
    """Keep a file under another name."""
    path.rename(path.with_name(f"{path.name}.{len(list(path.parent.glob(f'{path.name}.*')))}"))


def _own(model: str | ChatModel | None) -> ChatModel | None:
    """Return the model a run was given as an object; one that was named, it names itself."""
    return None if isinstance(model, str) else model


def _sum(one: Fare, other: Fare) -> Fare:
    return Fare(**{meter: amount + getattr(other, meter) for meter, amount in one.model_dump().items()})
