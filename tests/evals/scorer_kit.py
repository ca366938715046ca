"""How tests of scorers make attempts and read marks."""

from webfarer.core.fare import Fare
from webfarer.core.types import Answer, Claim, Quote, StopReason
from webfarer.evals.scorer import SCORERS, Attempt, Marks
from webfarer.evals.task import Item


def answer(text, claims=(), steps=0):
    return Answer(question="?", text=text, claims=claims, stop_reason=StopReason.ANSWERED, fare=Fare(steps=steps))


def claim(url, text="a quote", verified=True):
    return Claim(text="a claim", quote=Quote(page="1", url=url, text=text, start=0), verified=verified)


def attempt(text, truth="", claims=(), opened=(), judge=None, **item):
    """Return an attempt; `text` None for one that failed, `truth` the reference."""
    given = None if text is None else answer(text, claims)
    return Attempt(Item(id="1", question="Who?", answer=truth, **item), given, opened, judge)


def finished(marking):
    """Return what a coroutine returns that waits for nothing; an event loop for each would take most of the time."""
    try:
        marking.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waits for something")


def marks(scorer, *args, **kwargs) -> Marks:
    """Return the marks of a scorer for an attempt made of the other arguments."""
    return finished(SCORERS.load(scorer).mark(attempt(*args, **kwargs)))


def values(scorer, *args, **kwargs):
    return marks(scorer, *args, **kwargs).values


def right(scorer, *args, **kwargs):
    """Say whether a scorer takes the answer as right."""
    return values(scorer, *args, **kwargs)["correct"] == 1.0
