"""Made questions as one static page, for a person to judge: each with its answer, evidence, ways and formula.

Loads nothing and runs nothing (:mod:`webfarer.evals.sheet`); all of it that came from pages or models is escaped, and
only addresses of the web become links. Verdicts are given elsewhere (:mod:`webfarer.data.review`); on paper there is
room for them. Invariant: the same questions, number and seed give the same page.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape
from random import Random

from webfarer.data.factory import Report
from webfarer.data.formula import Both, Count, Each, Either, Entity, Every, Of, Query, Whose, from_json
from webfarer.data.question import Evidence, Question
from webfarer.data.review import GUIDELINES
from webfarer.evals.bench import Row
from webfarer.evals.sheet import document, notes, number, table

_WEB = re.compile(r"https?://[^/]", re.IGNORECASE)
_EXAMPLES = 3
_QUIET = ("synth", "ground", "licence")


def question_page(questions: Sequence[Question], n: int, seed: int, report: Report | None = None) -> str:
    """Return the page.

    Args:
        questions: all of a file.
        n: how many are shown.
        seed: draws them; they stand in the order of the file.
        report: of the order that made them; None shows none of it.
    """
    drawn = sorted(Random(seed).sample(range(len(questions)), min(n, len(questions))))
    guidelines = "".join(f"<p>{escape(line)}</p>" for line in GUIDELINES.splitlines())
    title = f"{len(drawn)} of {len(questions)} made questions"
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="soft">Drawn with seed {seed}. A program made them; whether they are good, you say.</p>',
        *(_order(report) if report else ()),
        f"<details><summary>How to judge</summary>{guidelines}</details>",
        *(_shown(place, questions[at]) for place, at in enumerate(drawn, 1)),
    ]
    return document(title, parts)


def _order(report: Report) -> Iterable[str]:
    """Yield what came of the order that made the questions."""
    facts: Row = {
        "synth": report.synth,
        "ground": report.ground,
        "seed": report.seed,
        "model": report.model or "none",
        "grounds": report.grounds,
        "drafts": report.drafts,
        "kept": report.kept,
        "wanted": report.wanted,
    }
    yield notes([report.ended] if report.ended else [])
    yield f"<h2>The order</h2>{table([facts])}"
    yield f"<h2>Kept by cell</h2>{table([*_cells(report)])}" if report.cells or report.lacking else ""
    yield f"<h2>Dropped by check</h2>{table([*_drops(report)])}" if report.dropped else ""
    for name in report.dropped:
        examples = [drop for drop in report.examples if drop.check == name][:_EXAMPLES]
        told: list[Row] = [{"question": drop.question, "answer": drop.answer, "why": drop.why} for drop in examples]
        yield f"<details><summary>Dropped by {escape(name)}: examples</summary>{table(told)}</details>" if told else ""


def _cells(report: Report) -> Iterable[Row]:
    for cell in dict.fromkeys([*report.cells, *report.lacking]):
        yield {"cell": cell, "kept": report.cells.get(cell, 0), "lacking": report.lacking.get(cell, 0)}


def _drops(report: Report) -> Iterable[Row]:
    for name, count in report.dropped.items():
        yield {"check": name, "dropped": count, "of drafts": f"{number(100 * count / max(1, report.drafts))} %"}


def _shown(place: int, question: Question) -> str:
    """Return one question with all that stands behind it."""
    cells = [f"{key} {value}" for key, value in question.cells.items()]
    about = [*cells, *(f"{name} {value}" for name in _QUIET if (value := getattr(question, name)))]
    about += [f"worded by {by}"] if (by := question.made.get("by")) else []
    formula = [] if question.formula is None else [f"<p>Asked: {escape(in_words(from_json(question.formula)))}</p>"]
    lines = [
        f"<h2>{place}. {escape(question.question)}</h2>",
        f"<p>Answer: <strong>{escape('; '.join(question.parts) or question.answer)}</strong></p>",
        *formula,
        *(_evidence(each, question) for each in question.evidence),
        f'<p class="soft">{escape(question.id)}: {escape(", ".join(about))}</p>',
        "<p>☐ keep &emsp; ☐ drop &emsp; ☐ edit to: ____________________________</p>",
    ]
    return f"<article>{''.join(lines)}</article>"


def _evidence(piece: Evidence, question: Question) -> str:
    """Return a piece of a page, the answer in it marked, with the page's address and the way there."""
    ways = dict(zip(question.gold, question.paths, strict=False))
    way = [f"way: {' › '.join(ways[piece.url]) or 'first page'}"] if piece.url in ways else []
    place = "; ".join([_link(piece.url), *map(escape, way)])
    return f'<blockquote>{_marked(piece.text, question)}<br><small class="soft">{place}</small></blockquote>'


def _link(url: str) -> str:
    shown = escape(url)
    return f'<a href="{shown}" rel="noopener noreferrer">{shown}</a>' if _WEB.match(url) else shown


def _marked(text: str, question: Question) -> str:
    """Return a text as HTML in which every part of the answer is marked, the longer of two that overlap."""
    forms = sorted({*question.wanted, *question.forms} - {""}, key=lambda form: (-len(form), form))
    if not forms:
        return escape(text)
    pieces = re.split(f"({'|'.join(map(re.escape, forms))})", text, flags=re.IGNORECASE)
    return "".join(f"<mark>{escape(piece)}</mark>" if at % 2 else escape(piece) for at, piece in enumerate(pieces))


def in_words(query: Query) -> str:
    """Return what a formula asks for; readable, but no language: relations are called by their keys."""
    match query:
        case Entity(name):
            return f"“{name}”"
        case Of(relation, inner):
            return f"{relation} of {in_words(inner)}"
        case Whose(relation, inner):
            return f"that whose {relation} is {in_words(inner)}"
        case Count(inner):
            return f"the number of ({in_words(inner)})"
        case Every(inner):
            return f"all of ({in_words(inner)})"
    joint = {Both: " and also ", Either: " or ", Each: "; as well as "}[type(query)]
    return joint.join(f"({in_words(part)})" for part in query.parts)
