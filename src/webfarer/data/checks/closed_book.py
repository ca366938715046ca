"""Closed book: the model does not answer without the pages that are needed.

It is asked in several wordings, at several temperatures, first with no page at all; then, as WebWalkerQA's verifier
does, with all gold pages but one, or, where there is one only, with the pages on the way to it. One right answer drops
the question. Lucky guesses drop some that are good. Right is what the scorer `named` takes for right.
"""

from collections.abc import Iterator, Sequence

from webfarer.core.types import Page
from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Question
from webfarer.evals.scorers.named import names
from webfarer.models.base import Message, Sampling
from webfarer.models.prompts import FENCE_RULE, defuse, fence, nonce

_TRIES = (  # wording, temperature
    ("Answer in a few words, from what you know. If you are not sure, give your best guess.", 0.0),
    ("Give only the answer: a name, a number, a date or a short list.", 0.7),
    ("You took part in writing the website that this is about. What is the answer, in a few words?", 0.7),
)
_WITH_PAGES = "Answer in a few words, from the pages below. If they do not tell, reply UNKNOWN."
_TOKENS = 256
_LONGEST = 200  # characters for each part of the answer; more is no answer but a list of guesses
_PAGE = 6000  # characters of it that are shown


class ClosedBookCheck:
    """Drops a question that the desk's model answers from less than what is needed."""

    order = 90
    whole = False
    asks = True

    def __init__(self, desk: Desk) -> None:
        self._model, self._seed = desk.model, desk.seed

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return from how little the model answers."""
        for number, (wording, temperature) in enumerate(_TRIES):
            sampling = Sampling(temperature, max_tokens=_TOKENS, seed=self._seed + number)
            if await self._right(question, wording, sampling):
                return "the model answers it without any page"
        for what, pages in _too_little(question, ground):
            if await self._right(question, _WITH_PAGES, Sampling(max_tokens=_TOKENS, seed=self._seed), pages):
                return f"the model answers it with {what}"
        return ""

    async def _right(self, question: Question, wording: str, sampling: Sampling, pages: Sequence[Page] = ()) -> bool:
        assert self._model is not None, "checks that ask are left out without a model"
        texts = [_part(page, question) for page in pages]
        shown = [fence(text, nonce=nonce(question.id, text), source="page") for text in texts]
        asked = "\n\n".join([f"Question: {defuse(question.question)}", *shown])
        messages = (Message("system", f"{wording} {FENCE_RULE}"), Message("user", asked))
        said = (await self._model.complete(messages, sampling=sampling)).text
        return len(said) <= _LONGEST * len(question.wanted) and names(said, sorted(question.wanted))


def _part(page: Page, question: Question) -> str:
    """Return the part of a page around its evidence, or, where it has none, its beginning."""
    places = [each.start + len(each.text) // 2 for each in question.evidence if each.url == page.url]
    start = max(0, min(places, default=0) - _PAGE // 2)
    return page.markdown[start : start + _PAGE]


def _too_little(question: Question, ground: Ground) -> Iterator[tuple[str, list[Page]]]:
    """Yield pages that must not be enough, with what they are."""
    if len(question.gold) > 1:
        for left_out in question.gold:
            yield f"all its pages but {left_out}", [ground.pages[url] for url in question.gold if url != left_out]
    elif question.paths and len(question.paths[0]) > 1:
        yield "the pages on the way alone", _on_the_way(ground, question.paths[0])


def _on_the_way(ground: Ground, labels: Sequence[str]) -> list[Page]:
    """Return the pages above the one that the labels lead to; as far as each label leads to one."""
    pages = [ground.pages[ground.root]]
    for label in labels[:-1]:
        targets = (link.url for link in pages[-1].links if link.label == label)
        found = next((ground.pages[url] for url in targets if url in ground.pages), None)
        if found is None:
            break
        pages.append(found)
    return pages


check = ClosedBookCheck
