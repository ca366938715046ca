"""Masked spans: a passage of a page in which as many salient spans are masked as hops are wanted, to be filled in.

Salient are dates, numbers, code, names, and whatever the ground's statements are about. A sentence, list item or table
row with too few of them takes the next ones along. The page's title is given, as a passage need not say what it is
about. Solving asks which texts of the ground fit the pattern, in which order. Source: the retrieval-augmented mask
prediction of "MaskSearch", arXiv 2505.20285.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from webfarer.core.types import Page, Span
from webfarer.data.ground import Ground
from webfarer.data.question import Evidence, Question
from webfarer.data.standing import is_cut
from webfarer.data.synth import Order
from webfarer.data.synths._drafting import Draft, draft, in_turn
from webfarer.data.synths._passages import pieces
from webfarer.data.wording import stands_in

_PIECES = 4  # at most, in a row
_BETWEEN = re.compile(r"[\s>*+-]*")  # pieces in a row
_CHOICES = 3  # of spans, for each passage
_LEAST_SIGNS = 2  # letters and digits that are masked
_LEAST = {"en": 16, "zh": 6}  # characters of the passage that stay
_WIDEST = 80  # of what stands in place of a mask
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_SALIENT = re.compile(
    rf"\d{{1,2}} {_MONTH} \d{{4}}|{_MONTH} \d{{1,2}}, \d{{4}}|\d{{4}}年\d{{1,2}}月\d{{1,2}}日"  # dates
    r"|(?<![\w.-])\d+(?:[.,:-]\d+)*(?![\w-])|(?<=[\u3400-\u9fff])\d+(?:[.,:-]\d+)*(?=[\u3400-\u9fff])"  # numbers
    r"|`([^`\n]*)`|[《“]([^《》“”\n]*)[》”]"  # code, titles
    r"|\b[a-z]{1,12},? (?P<name>[A-Z][\w-]{2,}(?: [A-Z][\w-]+)*)"  # names, where a capital means something
)
_MASK = re.compile(r"\[mask \d+\]")
_QUESTIONS = {
    "en": ("The page “{page}” says: “{text}” What stands in place of {masks}?", " and "),
    "zh": ("“{page}”这一页写道：“{text}”。{masks}处是什么？", "和"),
}


class Masked:
    """The synth; hops say how many spans are masked."""

    title = "Masked spans"
    source = "https://arxiv.org/abs/2505.20285"
    ground = "catalogue"
    reads = ("hops",)

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield questions of all pages in turn, each passage a few times with other spans, no answer twice."""
        known: dict[str, dict[str, None]] = {}
        for each in ground.statements:
            names = dict.fromkeys((each.subject.removeprefix("the "), each.value))
            known.setdefault(each.evidence.url, {}).update(names)
        pages = [page for page in ground.pages.values() if page.title and page.language in ("", ground.language)]
        random.shuffle(pages)
        return in_turn(self._of_page(ground, page, known.get(page.url, {}), order.hops, random) for page in pages)

    def _of_page(
        self, ground: Ground, page: Page, known: Mapping[str, None], masks: int, random: Random
    ) -> Iterator[Question]:
        deck = list(_passages(page, known, masks))
        random.shuffle(deck)
        seen = set()
        for passage, spans in deck * _CHOICES:
            question = self._draft(page, passage, sorted(random.sample(spans, masks)), ground)
            if question is None or question.wanted in seen or self.solve(question, ground) != {question.wanted}:
                continue
            if self.solve(question, ground.without(question.gold)):
                continue  # another page says so as well
            seen.add(question.wanted)
            yield question

    def _draft(self, page: Page, passage: Span, spans: Sequence[Span], ground: Ground) -> Question | None:
        """Return the question, or None where too little stays of the text, or a mask gives another away."""
        parts = tuple(page.markdown[span.start : span.end] for span in spans)
        kept, at = "", passage.start
        for number, span in enumerate(spans, 1):
            kept += page.markdown[at : span.start] + f"[mask {number}]"
            at = span.end
        kept += page.markdown[at : passage.end]
        bare = _MASK.sub("", kept)
        inside = any(one in other for one in parts for other in parts if one is not other)
        if inside or len(bare) < _LEAST[ground.language]:
            return None
        question, joint = _QUESTIONS[ground.language]
        masks = joint.join(f"[mask {number}]" for number in range(1, len(parts) + 1))
        text = question.replace("{masks}", masks).replace("{page}", page.title)
        text = text.replace("{text}", " ".join(kept.split()))
        if any(stands_in(part, text) for part in parts):
            return None
        said = Draft(
            "masked",
            "masked",
            text,
            parts,
            (Evidence.at(page, passage.start, passage.end),),
            cells={"hops": str(len(parts))},
            recipe={"text": kept},
            data={"ordered": True} if len(parts) > 1 else {},
        )
        return draft(ground, said)

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Return what stands in place of the masks wherever the text around them occurs, on whatever page.

        Where the same texts stand in another order, they are another answer.
        """
        around = _MASK.split(question.recipe["text"])
        pattern = re.compile(rf"([^\n|]{{1,{_WIDEST}}}?)".join(map(re.escape, around)) + r"(?!\w)")
        found = {
            match.groups()
            for page in ground.pages.values()
            if all(piece in page.markdown for piece in around)
            for match in pattern.finditer(page.markdown)
        }
        answers = frozenset(map(frozenset, found))
        return answers if len(answers) == len(found) else frozenset(frozenset(("; ".join(each),)) for each in found)


def _passages(page: Page, known: Mapping[str, None], masks: int) -> Iterator[tuple[Span, list[Span]]]:
    """Yield the shortest runs of pieces that hold enough salient spans, with those."""
    whole = list(pieces(page))
    for number, first in enumerate(whole):
        end = first.start
        for piece in whole[number : number + _PIECES]:
            if not _BETWEEN.fullmatch(page.markdown, end, piece.start):
                break
            end = piece.end
            spans = _salient(page.markdown, Span(first.start, end), known)
            if not spans:
                break
            if len(spans) >= masks:
                yield Span(first.start, end), spans
                break


def _salient(text: str, run: Span, known: Mapping[str, None]) -> list[Span]:
    """Return the salient spans in a run, none overlapping, none at its very start."""
    places = ((text.find(name, run.start, run.end), name) for name in known)
    found = [Span(at, at + len(name)) for at, name in places if at >= 0]
    for match in _SALIENT.finditer(text, run.start, run.end):
        listed = text[text.rfind("\n", 0, match.start()) + 1] in "-*|"  # where a capital begins a link, or a cell
        if match["name"] is None or not listed:
            found.append(Span(*match.span(match.lastindex or 0)))
    chosen: list[Span] = []
    for span in sorted(found, key=lambda each: (each.start, -each.end)):
        size = sum(map(str.isalnum, text[span.start : span.end]))
        apart = span.start > (chosen[-1].end if chosen else run.start)
        if apart and _LEAST_SIGNS <= size <= _WIDEST and not is_cut(text, span.start, span.end):
            chosen.append(span)
    return chosen


synth = Masked()
