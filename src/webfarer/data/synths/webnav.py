"""WebNav of any site: a sentence that stands on one page at least two clicks deep; the answer is that page's address.

Nobody has to label anything, and no statement is needed. Source: Nogueira and Cho, "End-to-End Goal-Driven Web
Navigation", NeurIPS 2016; :mod:`webfarer.evals.navset` asks the same of a site that it reads itself.
"""

from collections.abc import Iterator
from functools import lru_cache
from random import Random

from webfarer.core.types import Page
from webfarer.data.ground import Ground
from webfarer.data.question import Evidence, Question
from webfarer.data.synth import Order
from webfarer.data.synths._drafting import Draft, draft, in_turn
from webfarer.data.synths._passages import sentences
from webfarer.evals.scoring import normalise

_DEEP = 2
_QUESTIONS = {
    "en": "Which page of this site says: “{}”? Answer with its address.",
    "zh": "本站哪个页面写有这句话：“{}”？请回答该页面的网址。",
}


class WebNav:
    """The synth; hops mean nothing to it."""

    title = "WebNav"
    source = "https://arxiv.org/abs/1602.02261"
    ground = "world"
    reads = ()

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield questions that lead to all deep pages in turn."""
        ours = [page for page in ground.pages.values() if page.language in ("", ground.language)]
        deep = [page for page in ours if ground.depth(page.url) >= _DEEP]
        return in_turn(self._of_page(page, ground, random) for page in random.sample(deep, len(deep)))

    def _of_page(self, page: Page, ground: Ground, random: Random) -> Iterator[Question]:
        deck = list(sentences(page))
        for span in random.sample(deck, len(deck)):
            place = Evidence.at(page, span.start, span.end)
            said = Draft(
                "webnav",
                "webnav",
                _QUESTIONS[ground.language].format(place.text),
                (page.url,),
                (place,),
                cells={"difficulty": f"depth {ground.depth(page.url)}"},
                recipe={"sentence": place.text},
            )
            question = draft(ground, said)
            if self.solve(question, ground) == {question.wanted}:
                yield question

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return the pages that hold the words of the sentence, one after the other."""
        wanted = normalise(question.recipe["sentence"])
        return frozenset(frozenset((url,)) for url, page in ground.pages.items() if wanted in _words(page.markdown))


@lru_cache(maxsize=4096)
def _words(markdown: str) -> str:
    return normalise(markdown)


synth = WebNav()
