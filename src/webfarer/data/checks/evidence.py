"""Evidence: exact slices of the ground's pages that state the answer; every gold page has some, and a way to it.

What is derived from pages, a count or a page's address, stands on none; then it is enough that every gold page has
evidence. The name of what a page is about may stand in its title alone. Invariant: gold pages and pages of evidence are
the same ones.
"""

from webfarer.data.check import Desk
from webfarer.data.ground import Ground
from webfarer.data.question import Evidence, Question
from webfarer.data.standing import plain, states


class StatedCheck:
    """Drops a question whose answer does not stand where it says."""

    order = 10
    whole = False
    asks = False

    def __init__(self, desk: Desk) -> None:
        pass

    async def problem(self, question: Question, ground: Ground) -> str:
        """Return what is wrong with the evidence or the ways."""
        if not question.gold or len(set(question.gold)) != len(question.gold):
            return "no gold page, or one twice"
        if {each.url for each in question.evidence} != set(question.gold):
            return "gold pages and pages of evidence are not the same"
        for each in question.evidence:
            if wrong := _misplaced(each, ground):
                return f"{each.url}: {wrong}"
        if question.paths != tuple(ground.ways.get(url) for url in question.gold):
            return "the stated ways are not those to the gold pages"
        texts = [plain(each.text) for each in question.evidence]
        texts += [plain(ground.pages[url].title) for url in question.gold]
        for part in sorted(() if _derived(question) else question.wanted):
            if not any(states(text, plain(part)) for text in texts):
                return f"no evidence states {part!r}"
        return ""


def _misplaced(piece: Evidence, ground: Ground) -> str:
    page = ground.pages.get(piece.url)
    if page is None:
        return "no page of the ground"
    if page.id != piece.sha256:
        return "the page has other bytes"
    end = piece.start + len(piece.text)
    exact = piece.text.strip() and piece.start >= 0 and page.markdown[piece.start : end] == piece.text
    return "" if exact else "the evidence does not stand there"


def _derived(question: Question) -> bool:
    counted = isinstance(question.formula, list) and question.formula[:1] == ["count"]
    return counted or question.wanted <= set(question.gold)


check = StatedCheck
