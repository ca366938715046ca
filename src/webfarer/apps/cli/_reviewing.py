"""The review of made questions at the terminal: one at a time, one key for a verdict."""

from rich.console import Console
from rich.prompt import Prompt

from webfarer.apps.cli._terminal import clean, console
from webfarer.core.errors import ConfigError
from webfarer.data.question import Question
from webfarer.data.review import GUIDELINES, Queue

_KEYS = {"k": "keep", "d": "drop", "e": "edit", "s": "skip"}


def judge_all(queue: Queue) -> None:
    """Ask about every question that the reviewer has not judged, until all are or the reviewer quits."""
    screen = console()
    screen.print(GUIDELINES, highlight=False, markup=False)
    while (question := queue.next()) is not None:
        screen.print(f"\n{_shown(question)}", highlight=False, markup=False)
        key = Prompt.ask("keep, drop, edit, skip, undo or quit", choices=["k", "d", "e", "s", "u", "q"], console=screen)
        if key == "q":
            return
        if key == "u":
            queue.undo()
            continue
        edit = {}
        if key == "e":
            edit = {
                "text": _edited("question", question.question, screen),
                "answer": _edited("answer", question.answer, screen),
            }
        try:
            queue.verdict(_KEYS[key], **edit)  # type: ignore[arg-type]
        except ConfigError as error:
            screen.print(clean(error.message), highlight=False, markup=False)


def _edited(what: str, text: str, screen: Console) -> str:
    """Ask for another text; an empty line leaves it as it is."""
    screen.print(f"{what} now: {clean(text)}", highlight=False, markup=False)
    return Prompt.ask(f"{what} (empty: as it is)", default="", show_default=False, console=screen) or text


def result(queue: Queue) -> str:
    """Return how far the review has come, and how far reviewers agree."""
    lines = [f"{queue.reviewer}: " + ", ".join(f"{word} {number}" for word, number in queue.progress.items())]
    for other in queue.reviewers:
        if other != queue.reviewer:
            agreed = queue.agreement(queue.reviewer, other)
            kappa = "none" if agreed.kappa is None else f"{agreed.kappa:.2f}"
            lines.append(f"with {other}: {agreed.both} judged by both, {100 * agreed.same:.0f} % alike, kappa {kappa}")
    return clean("\n".join(lines))


def _shown(question: Question) -> str:
    lines = [question.question, f"  answer: {question.answer}"]
    for piece in question.evidence:
        lines.append(f"  {piece.url}\n    {' '.join(piece.text.split())}")
    return clean("\n".join(lines))
