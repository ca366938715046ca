"""Labelling at the terminal: one item at a time; an answer is typed, or chosen by its number."""

from collections.abc import Mapping

from rich.prompt import Prompt

from webfarer.apps.cli._terminal import clean, console
from webfarer.core.errors import ConfigError
from webfarer.train.labels import Labelling
from webfarer.train.pool import PoolItem

NOTHING = "Nothing can be taken back: there is no answer, or the learning has it already."
_KEYS = "/s: skip, /u: undo, /q: quit"


def ask_all(labelling: Labelling) -> None:
    """Ask about every item that waits for this person, until none is left or the person quits."""
    screen = console()
    screen.print(clean(labelling.queue.guidelines))
    while (item := labelling.next()) is not None:
        numbers = _numbered(item)
        screen.print(f"\n{_shown(item, numbers)}")
        said = Prompt.ask(f"{'number' if numbers else 'answer'} ({_KEYS})", console=screen).strip()
        if said == "/q":
            return
        try:
            if said == "/u":
                if labelling.undo() is None:
                    screen.print(NOTHING)
            elif said == "/s":
                labelling.skip(item.id)
            else:
                labelling.answer(item.id, numbers.get(said, said))
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


def _shown(item: PoolItem, numbers: Mapping[str, str]) -> str:
    choices = [f"  {number}  {choice}" for number, choice in numbers.items()] or [f"  {each}" for each in item.choices]
    return clean("\n".join([item.prompt, *choices]))


def _numbered(item: PoolItem) -> dict[str, str]:
    """Return the choices by their numbers; none where a choice is such a number itself, and is to be typed."""
    numbered = {str(number): choice for number, choice in enumerate(item.choices, 1)}
    return {} if numbered.keys() & set(item.choices) else numbered
