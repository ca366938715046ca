"""Runs from the outside: start one, resume it, replay it, list them.

Each run is one file, `HOME/runs/ID.jsonl`. Its first event holds all that the run depends on except the key, so a run
can be resumed or replayed from its id alone.
"""

import asyncio
import datetime
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from webfarer.agents.asking import Asking, Gear, described
from webfarer.agents.people import Nobody, Person
from webfarer.agents.reporter import Reporting, reporter
from webfarer.agents.reports import Report
from webfarer.agents.research import asker
from webfarer.agents.system import SYSTEMS, Case, System
from webfarer.agents.walker import Walker
from webfarer.core.config import Settings, load_settings, revised
from webfarer.core.errors import ConfigError, FetchError, TraceError, WebfarerError
from webfarer.core.fare import Budget
from webfarer.core.run import Run
from webfarer.core.trace import TRACE_VERSION, Event, Trace, read_events
from webfarer.core.types import Answer
from webfarer.models.base import ChatModel
from webfarer.models.load import load_model
from webfarer.models.scripted import Scripted
from webfarer.web.archive import Archive
from webfarer.web.client import Web
from webfarer.web.guard import canonical_url, with_scheme
from webfarer.web.searching import chosen

P = ParamSpec("P")
R = TypeVar("R")
Listener = Callable[[Event], None]
_RECORDED = {
    *("model", "base_url", "context", "policy", "archive", "seed", "budget", "web", "prices"),
    *("temperature", "top_p", "tokens", "ask", "search", "searxng_url", "serper_base_url", "browser"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may add to a walk.

    Attributes:
        settings: all settings; read from flags, environment and files when None.
        web: a Web to share between walks; one is opened for this walk when None.
        on_event: called with every event of the trace.
        on_run: called with the run before it begins; `run.stop()` ends it early with the best answer so far.
        run_id: chosen when None.
        record: write the trace to the run's file; otherwise it stays in memory and cannot be resumed.
        person: who may be asked; nobody when None.
    """

    settings: Settings | None = None
    web: Web | None = None
    on_event: Listener | None = None
    on_run: Callable[[Run], None] | None = None
    run_id: str | None = None
    record: bool = True
    person: Person | None = None


async def walk(
    url: str,
    question: str,
    *,
    model: str | ChatModel | None = None,
    budget: Budget | None = None,
    options: Options = Options(),
) -> Answer:
    """Answer `question` from the website at `url`.

    Args:
        url: where the walk starts; only pages of this site and below this folder are opened.
        question: in English or Chinese.
        model: "provider:name", or a ChatModel; None takes the setting, and without one the lexical policy answers.
        budget: limits; None takes the setting.
        options: everything else.

    Raises:
        ConfigError: the URL, the question or a setting cannot work.
        ModelAuth: the endpoint refuses the key.
    """
    settings = _changed(options, model, {"budget": budget})
    try:
        url = canonical_url(with_scheme(url))
    except FetchError as error:
        raise ConfigError(f"cannot start at {url!r}: {error.message}") from error
    return await _begin({"kind": "walk", "url": url, "question": question}, settings, model, options)


async def ask(
    question: str,
    *,
    model: str | ChatModel | None = None,
    budget: Budget | None = None,
    asking: Asking = Asking(),
    options: Options = Options(),
) -> Answer:
    """Answer `question` from the open web, a few sites, or a folder: search, visit, dig.

    Args:
        question: in English or Chinese; addresses it names may be opened.
        model: "provider:name", or a ChatModel; None takes the setting, and without one the lexical mind answers.
        budget: limits; None takes the setting `ask.budget`.
        asking: where to look, and with what.
        options: everything else.

    Raises:
        ConfigError: the question, the folder or a setting cannot work.
        ModelAuth: the endpoint refuses the key.
    """
    settings, where = _asked(model, budget, asking, options)
    return await _begin({"kind": "ask", "question": question, "asking": where}, settings, model, options)


async def report(
    question: str,
    *,
    model: str | ChatModel | None = None,
    budget: Budget | None = None,
    asking: Asking = Asking(),
    reporting: Reporting = Reporting(),
    options: Options = Options(),
) -> Report:
    """Write a report on `question`: at most one question back, a plan, sections with checked citations, tables.

    Args:
        question: in English or Chinese; addresses it names may be opened.
        model: "provider:name", or a ChatModel; None takes the setting, and without one the sections only quote.
        budget: limits; None takes the setting `ask.budget`.
        asking: where to look, and with what.
        reporting: how the report is made.
        options: everything else; its person is asked what is unclear, and about the plan.

    Raises:
        ConfigError: the question, the folder or a setting cannot work.
        ModelAuth: the endpoint refuses the key.
    """
    settings, where = _asked(model, budget, asking, options)
    what = {"kind": "report", "question": question, "asking": where, "reporting": asdict(reporting)}
    made = await _begin(what, settings, model, options)
    assert isinstance(made, Report)
    return made


async def play(
    system: str,
    case: Case,
    *,
    model: str | ChatModel | None = None,
    budget: Budget | None = None,
    options: Options = Options(),
) -> Answer:
    """Let a system answer a case, as evaluations do.

    Args:
        system: id of a system, such as "walker" or "react".
        case: question and setting.
        model: "provider:name", or a ChatModel; None takes the setting.
        budget: limits of the whole run, whatever the system does; None takes the setting.
        options: everything else.

    Raises:
        ConfigError: no such system, it cannot play in this setting, or a setting of the program cannot work.
        ModelAuth: the endpoint refuses the key.
    """
    settings = _changed(options, model, {"budget": budget})
    search = settings.search.model_copy(update={"engines": chosen(settings)})  # which depends on keys, not recorded
    settings = settings.model_copy(update={"search": search})
    return await _begin({"kind": "play", "system": system, **asdict(case)}, settings, model, options)


def _asked(
    model: str | ChatModel | None, budget: Budget | None, asking: Asking, options: Options
) -> tuple[Settings, dict[str, Any]]:
    """Return the settings of a new search, and what it records of where to look."""
    settings = _changed(options, model, {})
    if budget is not None:
        settings = settings.model_copy(update={"ask": settings.ask.model_copy(update={"budget": budget})})
    with ExitStack() as stack:

        def archive() -> Archive:
            return options.web.archive if options.web else stack.enter_context(Archive(settings.home / "archive.db"))

        return settings, described(asking, settings, archive)


def _changed(options: Options, model: str | ChatModel | None, changes: Mapping[str, Any]) -> Settings:
    given = {"model": model if isinstance(model, str) else None, **changes}
    settings = options.settings or load_settings()
    return settings.model_copy(update={k: v for k, v in given.items() if v is not None})


async def _begin(
    what: Mapping[str, Any], settings: Settings, model: str | ChatModel | None, options: Options
) -> Answer:
    """Start a new run of what `what` describes."""
    if not what["question"].strip():
        raise ConfigError("the question is empty")
    run_id = options.run_id or new_id()
    chat = load_model(settings.model, settings) if isinstance(model, str | None) else model
    trace = Trace.create(_path(settings, run_id) if options.record else None)
    start = {
        **what,
        "run": run_id,
        "person": options.person is not None,
        "settings": settings.model_dump(mode="json", include=_RECORDED),
        "model": chat and {"name": chat.name, "context": chat.context, "object": chat is model},
    }
    try:
        return await _drive(trace, start, settings, chat, options)
    except WebfarerError:
        if options.record and not trace.events:  # nothing happened: a setting cannot work
            _path(settings, run_id).unlink()
        raise


async def resume(run_id: str, *, model: ChatModel | None = None, options: Options = Options()) -> Answer:
    """Go on with a run that was killed: what it holds is replayed, nothing is paid twice. A finished one just answers.

    Args:
        run_id: id, or the beginning of one.
        model: needed only when the run was started with a ChatModel object.
        options: as for `walk`; of its settings only the home folder and the key count.
    """
    settings = options.settings or load_settings()
    path = find(settings, run_id)
    trace = Trace.resume(path)
    try:
        start = _start(path)
        settings = _recorded(settings, start)
        if start["model"] and start["model"]["object"] and model is None:
            raise ConfigError(f"run {start['run']} was started with a model object; pass one to resume it")
        chat = model or load_model(settings.model, settings)
    except WebfarerError:
        trace.close()
        raise
    return await _drive(trace, start, settings, chat, options)


async def replay(run_id: str, *, options: Options = Options()) -> Answer:
    """Run a recorded run again without network or model, and compare every event.

    Raises:
        ReplayMismatch: the run took another way than its recording, or the recording is not complete.
    """
    settings = options.settings or load_settings()
    path = find(settings, run_id)
    start = _start(path)
    model = start["model"]
    silent = Scripted([], name=model["name"], context=model["context"]) if model else None  # never asked
    return await _drive(Trace.replay(path), start, _recorded(settings, start), silent, options)


def _start(path: Path) -> dict[str, Any]:
    events = read_events(path)
    if not events:
        raise TraceError(f"{path} holds no event; ask again instead of resuming", path=str(path))
    return {name: value for name, value in events[0].data.items() if name != "version"}


async def _drive(
    trace: Trace, start: Mapping[str, Any], settings: Settings, model: ChatModel | None, options: Options
) -> Answer:
    """Run the agent that `start` describes on `trace`."""
    async with AsyncExitStack() as stack:
        stack.callback(trace.close)
        if options.on_event:
            trace.subscribe(options.on_event)
        budget = settings.budget if start["kind"] in ("walk", "play") else settings.ask.budget
        run = Run(start["run"], trace, budget)
        if options.on_run:
            options.on_run(run)
        if model is not None and not start["model"]["object"]:
            stack.push_async_callback(model.close)
        web = options.web or Web(settings)
        if options.web is None:
            await stack.enter_async_context(web)
        person = options.person or (Nobody() if start["person"] else None)
        gear = Gear(run, web, settings, model, person)
        agent = _AGENTS[start["kind"]](gear, start)  # before the first event: a setting may not work
        trace.emit("start", version=TRACE_VERSION, **start)
        answer = await agent()
        trace.emit("end", answer=answer.model_dump(mode="json"))
        return answer


def walker(gear: Gear, start: Mapping[str, Any]) -> Callable[[], Awaitable[Answer]]:
    """Return the walk that `start` describes, ready to go."""
    policy = gear.policy(gear.run)
    return lambda: Walker(gear.run, gear.web, policy).walk(start["url"], start["question"])


def player(gear: Gear, start: Mapping[str, Any]) -> Callable[[], Awaitable[Answer]]:
    """Return the system that `start` names, ready to go."""
    kind: type[System] = SYSTEMS.load(start["system"])
    case = Case.of({name: start[name] for name in Case.__dataclass_fields__})
    if case.setting not in kind.settings:
        raise ConfigError(f"{start['system']} cannot play in the setting {case.setting!r}, only {kind.settings}")
    if kind.model == "needed" and gear.model is None:
        raise ConfigError(f"{start['system']} needs a model: give one, such as --model openai:gpt-4o-mini")
    if not kind.told and (case.answer or case.gold):
        raise ConfigError(f"{start['system']} must not be told the answer")
    return kind(gear, case).answer


_AGENTS = {"walk": walker, "ask": asker, "report": reporter, "play": player}


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of `webfarer runs list`."""

    run: str
    question: str
    url: str
    stop_reason: str
    events: int
    seconds: float


def list_runs(settings: Settings) -> list[Summary]:
    """Return all recorded runs, newest first; a damaged log is listed as such."""
    paths = sorted((settings.home / "runs").glob("*.jsonl"), key=lambda path: path.name, reverse=True)
    return [_summary(path) for path in paths]


def _summary(path: Path) -> Summary:
    try:
        events = read_events(path)
    except TraceError as error:
        return Summary(path.stem, error.message, "", "damaged", 0, 0.0)
    start = events[0].data if events else {}
    end = events[-1].data.get("answer", {}) if events and events[-1].type == "end" else {}
    state = end.get("stop_reason", "interrupted")
    seconds = events[-1].t if events else 0.0
    return Summary(path.stem, start.get("question", ""), start.get("url", ""), state, len(events), seconds)


def find(settings: Settings, run_id: str) -> Path:
    """Return the log of the run whose id is or begins with `run_id`.

    Raises:
        ConfigError: none, or several.
    """
    found = sorted((settings.home / "runs").glob("*.jsonl"))
    match = [path for path in found if path.stem == run_id] or [p for p in found if p.stem.startswith(run_id)]
    if len(match) != 1:
        many = f"; {len(match)} runs begin so" if match else ""
        raise ConfigError(f"no single run {run_id!r} in {settings.home / 'runs'}{many} (see: webfarer runs list)")
    return match[0]


def new_id() -> str:
    """Return an id that sorts by time."""
    return f"{datetime.datetime.now(datetime.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def blocking(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, R]:
    """Return the synchronous twin of an asynchronous function; not for use inside a running event loop."""

    @wraps(function)
    def twin(*args: P.args, **kwargs: P.kwargs) -> R:
        return asyncio.run(function(*args, **kwargs))

    return twin


walk_sync = blocking(walk)
ask_sync = blocking(ask)
report_sync = blocking(report)


def _path(settings: Settings, run_id: str) -> Path:
    return settings.home / "runs" / f"{run_id}.jsonl"


def _recorded(settings: Settings, start: Mapping[str, Any]) -> Settings:
    """Return the settings that a run recorded; those that there were none of then have their defaults."""
    defaults = Settings.model_construct().model_dump(mode="json", include=_RECORDED)
    return revised(settings, _over(defaults, start["settings"]))


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return both, the values above where both have one."""
    both = {name: _over(below[name], value) for name, value in above.items() if isinstance(below.get(name), dict)}
    return {**below, **above, **both}
