"""`webfarer data`: the data factory: make questions, sample trajectories, filter, export and select training rows."""

from pathlib import Path
from typing import Annotated

import typer

from webfarer.apps.cli import _options as o
from webfarer.apps.cli._exits import ERROR
from webfarer.apps.cli._groups import naming
from webfarer.core.errors import ConfigError

app = typer.Typer(
    name="data", cls=naming("make"), no_args_is_help=True, help="The data factory: questions, trajectories, rows."
)

Out = Annotated[Path, typer.Option(help="What is written.")]
Count = Annotated[int, typer.Option(min=1, help="How many.")]
Seed = Annotated[int, typer.Option(min=0, help="Draws everything that is drawn.")]
Processes = Annotated[int, typer.Option(min=0, help="Processes; 0: as many as cores where nobody is paid.")]
Ray = Annotated[bool, typer.Option("--ray", help="Over the nodes of a Ray cluster; needs webfarer[ray].")]
Html = Annotated[Path | None, typer.Option(help="Write it as one static page, too.")]


@app.command(name="list")
def list_all() -> None:
    """List synths, grounds, checks, rules, formats and selectors."""
    from webfarer.apps.cli._making import flags_of
    from webfarer.data.check import CHECKS
    from webfarer.data.format import FORMATS
    from webfarer.data.ground import GROUNDS
    from webfarer.data.rule import RULES, STAGES
    from webfarer.data.selector import SELECTORS
    from webfarer.data.synth import SYNTHS

    for name in SYNTHS.ids():
        synth = SYNTHS.load(name)
        print(f"{name:<16} {synth.title}; {synth.source}; reads {flags_of(synth)}")
    print(f"--ground         {', '.join(GROUNDS.ids())}")
    print(f"--checks         {', '.join(CHECKS.ids())}")
    for stage in STAGES:
        print(f"--rule {stage:<12} {', '.join(name for name in RULES.ids() if RULES.load(name).stage == stage)}")
    for name in FORMATS.ids():
        print(f"--to {name:<11} {FORMATS.load(name).title}")
    for name in SELECTORS.ids():
        print(f"--by {name:<11} {SELECTORS.load(name).title}")


@app.command()
def make(
    synth: Annotated[str, typer.Argument(help="How they are made; `webfarer data list` names the ways.")],
    out: Out = Path("questions.jsonl"),
    count: Annotated[int | None, typer.Option(min=1, help="How many; 100, or the sum of the quotas.")] = None,
    seed: Seed = 0,
    root: Annotated[str, typer.Option(help="A website; none: sites generated on this machine.")] = "",
    ground: Annotated[str, typer.Option(help="Kind of generated site; the default fits the synth.")] = "",
    pages: Annotated[int, typer.Option(min=1, help="Most pages read of a website.")] = 1000,
    per_site: Annotated[int, typer.Option(min=1, help="Most questions of one generated site.")] = 20,
    hops: Annotated[int | None, typer.Option(min=1, help="Statements in a chain, rewrites or masks; 2.")] = None,
    quota: Annotated[str, typer.Option(help="Exact numbers, as single:80/140/120,multi:80/140/120.")] = "",
    easy: Annotated[Path | None, typer.Option("--from", help="Easy questions to make harder (e2hqa).")] = None,
    checks: Annotated[str, typer.Option(help="Only these checks, with commas.")] = "",
    apart: Annotated[list[Path] | None, typer.Option(help="Questions of another split to stay apart from.")] = None,
    processes: Processes = 0,
    ray: Ray = False,
    model: o.Model = None,
    base_url: o.BaseUrl = None,
    max_usd: o.MaxUsd = None,
    max_tokens: o.MaxTokens = None,
    allow_private: o.AllowPrivate = None,
    ignore_robots: o.IgnoreRobots = False,
    assign: o.Assignments = None,
    html: Html = None,
) -> None:
    """Make questions with evidence, checked by machine; without a model, or worded and checked by one.

    The same command again goes on where a killed one stopped. Limits are those of the whole order.
    """
    from webfarer.apps.cli._making import make, order_of, told
    from webfarer.core.config import load_settings
    from webfarer.data.factory import Hands, Wanted
    from webfarer.data.question import read_questions

    flags = o.given(
        model=model, base_url=base_url, budget=o.limits(None, None, max_usd, max_tokens, None, None) or None
    )
    settings = load_settings(**o.assigned(assign, **flags, web=o.manners(allow_private, ignore_robots)))
    order = order_of(synth, hops, quota, easy, settings)
    others = tuple(question for path in apart or () for question in read_questions(path))
    named = tuple(filter(None, checks.split(",")))
    total = count or sum(order.quota.values()) or 100
    wanted = Wanted(synth, total, settings, order, seed, root, ground, pages, per_site, named, others)
    o.writable(html)
    report = make(wanted, out, Hands(processes, ray))
    print(told(report, out))
    if html:
        from webfarer.data.page import question_page

        html.write_text(question_page(read_questions(out), 30, seed, report), encoding="utf-8")
    if report.ended:
        raise typer.Exit(ERROR)


@app.command()
def sample(
    questions: Annotated[Path, typer.Argument(help="File of questions.")],
    out: Annotated[Path, typer.Option(help="Folder of the samples; what is finished there stays.")] = Path("samples"),
    agent: Annotated[str, typer.Option(help="Who searches; `webfarer eval list` names them.")] = "dancer",
    n: Annotated[int, typer.Option("--n", min=1, help="Attempts at every question, over the whole mixture.")] = 5,
    model: Annotated[str | None, typer.Option(help="provider:model; several with commas take turns.")] = None,
    temperature: Annotated[str, typer.Option(help="Of decisions; several with commas take turns.")] = "",
    thoughts: Annotated[str, typer.Option(help="withheld (long reasoning), kept (short), or both with a comma.")] = "",
    setting: Annotated[str | None, typer.Option(help="click, search, both or closed.")] = None,
    scorers: Annotated[str, typer.Option(help="Scorers, with commas; the first decides what is right.")] = "",
    judge: Annotated[str, typer.Option(help="Model that judges, provider:name; only where a scorer asks one.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="Only the first so many questions.")] = 0,
    seed: Seed = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Attempts side by side in a process.")] = 4,
    processes: Processes = 0,
    ray: Ray = False,
    base_url: o.BaseUrl = None,
    max_steps: o.MaxSteps = None,
    max_pages: o.MaxPages = None,
    max_tokens: o.MaxTokens = None,
    max_seconds: o.MaxSeconds = None,
    total_usd: Annotated[float | None, typer.Option(min=0, help="Limit on US dollars over all attempts.")] = None,
    total_tokens: Annotated[int | None, typer.Option(min=0, help="Limit on model tokens over all attempts.")] = None,
    archive: o.ArchiveMode = None,
    allow_private: o.AllowPrivate = None,
    ignore_robots: o.IgnoreRobots = False,
    assign: o.Assignments = None,
) -> None:
    """Let an agent try every question several times, and keep the traces.

    Limits are those of one attempt, but for the totals. The same command again goes on where a killed one stopped.
    """
    from webfarer.apps.cli._filtering import sampled
    from webfarer.core.config import load_settings
    from webfarer.core.fare import Budget
    from webfarer.data.sampling import Samples
    from webfarer.evals.runner import Spread

    budget = o.limits(max_steps, max_pages, None, max_tokens, max_seconds, None)
    flags = o.given(base_url=base_url, archive=archive, seed=seed, budget=budget or None)
    settings = load_settings(**o.assigned(assign, **flags, web=o.manners(allow_private, ignore_robots)))
    limited = total_usd is not None or total_tokens is not None
    ceiling = Budget(usd=total_usd, tokens=total_tokens) if limited else None
    named = tuple(filter(None, scorers.split(",")))
    # an unknown setting is refused with the known ones
    samples = Samples(questions, settings, agent, setting, n, limit=limit, scorers=named, judge=judge, ceiling=ceiling)  # type: ignore[arg-type]
    if not sampled(samples, (model, temperature, thoughts), out, Spread(jobs, processes, ray)):
        raise typer.Exit(ERROR)


@app.command(name="filter")
def filter_(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of samples, or of an evaluation run.")],
    report: Annotated[bool, typer.Option("--report", help="Show examples of what each rule drops.")] = False,
    rule: Annotated[list[str] | None, typer.Option(help="A rule with other numbers: repetition:n=10,most=4.")] = None,
    without: Annotated[list[str] | None, typer.Option(help="A rule to leave out.")] = None,
    audit: Annotated[bool, typer.Option("--audit", help="Say what each rule would drop alone, too.")] = False,
    judge: Annotated[str | None, typer.Option(help="Model for rules that ask one, provider:name.")] = None,
    max_usd: o.MaxUsd = None,
    out: Annotated[Path | None, typer.Option(help="File of rows; RUN/rows.jsonl when not given.")] = None,
    html: Html = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the funnel's figures.")] = None,
) -> None:
    """Keep the trajectories that every rule lets pass, as training rows; show what the others failed by."""
    from webfarer.apps.cli._filtering import ROWS, examples_of, filter_runs
    from webfarer.core.config import load_settings
    from webfarer.data.funnel import rules_of
    from webfarer.data.funnel_page import markdown, page

    o.writable(html, json_path)
    settings = load_settings(**o.given(budget=o.limits(None, None, max_usd, None, None, None) or None))
    settings = settings.model_copy(update={"model": judge or ""})
    place = out or run / ROWS
    left = filter_runs(run, rules_of(rule or (), without or ()), place, settings, audit=audit)
    if html:
        html.write_text(page(left.funnel), encoding="utf-8")
    if json_path:
        json_path.write_text(left.funnel.model_dump_json(indent=1) + "\n", encoding="utf-8")
    print(markdown(left.funnel))
    if report:
        print(examples_of(left.funnel))
    for reason, number in left.skipped.items():
        print(f"left out: {number} attempts, {reason}")
    print(f"{place}: {left.rows} rows of {left.funnel.kept.count} trajectories")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that was filtered, or a file of rows.")],
    to: Annotated[str, typer.Option(help="Format; `webfarer data list` names them.")] = "messages",
    out: Annotated[Path | None, typer.Option(help="File or folder; beside the rows when not given.")] = None,
    kind: Annotated[str, typer.Option(help="Only conversations of this kind, such as act; none: all.")] = "",
    tokenizer: Annotated[Path | None, typer.Option(help="Folder of a tokenizer with its chat template.")] = None,
    longest: Annotated[int, typer.Option(min=0, help="Most tokens of an example; 0: no limit.")] = 0,
) -> None:
    """Write training rows in a format that trainers read, with what the loss is taken on."""
    from webfarer.apps.cli._filtering import rows_at
    from webfarer.data.format import FORMATS, Wish

    chosen = FORMATS.load(to)
    rows = [row for row in rows_at(run) if kind in ("", row.kind)]
    place = out or (run if run.is_dir() else run.parent) / f"{to}{chosen.suffix}"
    done = chosen.export(rows, place, Wish(tokenizer, longest))
    for name, why in done.left_out.items():
        print(f"left out: {name}: {why}")
    figures = "".join(f"; {name} {value}" for name, value in done.figures.items())
    print(f"{place}: {done.examples} examples of {len(rows)} rows{figures}")


@app.command()
def select(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that was filtered, or a file of rows.")],
    by: Annotated[str, typer.Option(help="Selector; `webfarer data list` names them.")] = "diversity",
    count: Count = 100,
    out: Out = Path("selected.jsonl"),
    seed: Seed = 0,
    pairs: Annotated[Path | None, typer.Option(help='Preferences for critiq: {"better": id, "worse": id}.')] = None,
    model: o.Model = None,
    max_usd: o.MaxUsd = None,
) -> None:
    """Choose the rows that are most worth training on."""
    from webfarer.apps.cli._filtering import rows_at, select_rows
    from webfarer.core.config import load_settings
    from webfarer.data.row import write_rows
    from webfarer.data.selector import Pool

    settings = load_settings(**o.given(budget=o.limits(None, None, max_usd, None, None, None) or None))
    settings = settings.model_copy(update={"model": model or ""})
    rows = rows_at(run)
    chosen = select_rows(Pool(rows, seed, pairs), by, count, settings, out.with_name(f"{out.name}.calls.jsonl"))
    write_rows(out, chosen)
    print(f"{out}: {len(chosen)} of {len(rows)} rows, by {by}")


@app.command()
def split(
    questions: Annotated[Path, typer.Argument(help="File of questions.")],
    shares: Annotated[str, typer.Option(help="Parts and their shares.")] = "train:0.9,test:0.1",
    seed: Seed = 0,
) -> None:
    """Split questions so that no page and no answer stands in two parts; each part is a file beside the first."""
    from webfarer.apps.cli._making import shares_of
    from webfarer.data.question import read_questions, write_questions
    from webfarer.data.splits import split as parted

    for name, part in parted(read_questions(questions), shares_of(shares), seed).items():
        path = questions.with_name(f"{questions.stem}.{name}.jsonl")
        write_questions(path, part)
        print(f"{path}: {len(part)} questions")


@app.command()
def review(
    questions: Annotated[Path, typer.Argument(help="File of questions.")],
    reviewer: Annotated[str, typer.Option(help="Your name: two reviewers are compared by theirs.")] = "me",
    out: Annotated[Path | None, typer.Option(help="Write what is kept, instead of judging.")] = None,
) -> None:
    """Judge made questions one by one: keep, drop, edit, skip, undo. Every verdict is kept at once."""
    from webfarer.apps.cli._reviewing import judge_all, result
    from webfarer.data.question import write_questions
    from webfarer.data.review import Queue

    if out and out.exists():
        raise ConfigError(f"{out} exists; write what is kept to another file")
    with Queue(questions, reviewer) as queue:
        if out is None:
            judge_all(queue)
        else:
            write_questions(out, queue.apply())
        print(result(queue))


@app.command()
def page(
    questions: Annotated[Path, typer.Argument(help="File of questions.")],
    html: Annotated[Path, typer.Option(help="The page.")] = Path("questions.html"),
    show: Annotated[int, typer.Option(min=1, help="How many questions, drawn by the seed.")] = 30,
    seed: Seed = 0,
) -> None:
    """Write a page with random questions, their evidence and the ways there, for a person to judge."""
    from webfarer.apps.cli._making import report_of
    from webfarer.data.page import question_page
    from webfarer.data.question import read_questions

    found = read_questions(questions)
    o.writable(html)
    html.write_text(question_page(found, show, seed, report_of(questions)), encoding="utf-8")
    print(f"{html}: {min(show, len(found))} of {len(found)} questions")
