"""Labelling at the terminal: one item at a time; an answer is typed, or chosen by its number."""

from rich.prompt import Prompt

from webfarer.apps.cli._terminal import clean, console
from webfarer.core.errors import ConfigError
from webfarer.train.labels import Labelling
from webfarer.train.pool import PoolItem

_KEYS = "/s: skip, /u: undo, /q: quit"


def ask_all(labelling: Labelling) -> None:
    """Ask about every item that waits for this person, until none is left or the person quits."""
    screen = console()
    screen.print(clean(labelling.queue.guidelines))
    while (item := labelling.next()) is not None:
        screen.print(f"\n{_shown(item)}")
        said = Prompt.ask(f"{'number' if item.choices else 'answer'} ({_KEYS})", console=screen).strip()
        if said == "/q":
            return
        try:
            if said == "/u":
                labelling.undo()
            elif said == "/s":
                labelling.skip(item.id)
            else:
                labelling.answer(item.id, _chosen(item, said))
        except ConfigError as error:
            screen.print(clean(error.message))


def result(labelling: Labelling) -> str:
    """Return how far the labelling has come, and how far people agree."""
    progress = ", ".join(f"{number} {word}" for word, number in labelling.progress.items())
    lines = [f"{labelling.person}: {progress}"]
    for other, agreed in labelling.agreements().items():
        kappa = "none" if agreed.kappa is None else f"{agreed.kappa:.2f}"
        lines.append(f"with {other}: {agreed.both} labelled by both, {100 * agreed.same:.0f} % alike, kappa {kappa}")
    return "\n".join(lines)


def _shown(item: PoolItem) -> str:
    choices = [f"  {number}  {choice}" for number, choice in enumerate(item.choices, 1)]
    return clean("\n".join([item.prompt, *choices]))


def _chosen(item: PoolItem, said: str) -> str:
    """Return the choice of that number; what is typed where there are no choices, or it is none of their numbers."""
    numbered = {str(number): choice for number, choice in enumerate(item.choices, 1)}
    return numbered.get(said, said)
