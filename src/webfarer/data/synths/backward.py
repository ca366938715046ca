"""Backward construction: click through a site first, then write the instruction that this very walk fulfils.

A click is told by its label, or by what the page says: "follow the link to the director of …". What is asked stands on
the last page. Solving replays the clicks over the ground's pages, so every question is one that a walk has answered.
Source: "Learn-by-interact: A Data-Centric Framework for Self-Adaptive Agents in Realistic Environments", arXiv
2501.10893.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from webfarer.core.types import Link
from webfarer.data.formula import Entity, Of
from webfarer.data.ground import Ground, Statement
from webfarer.data.question import Question
from webfarer.data.synth import Order
from webfarer.data.synths._drafting import Draft, draft
from webfarer.data.synths._net import net_of
from webfarer.data.wording import noun_of, question_of, stands_in

_LEAST = 2  # clicks
_MORE = 2  # clicks beyond the hops that are wanted
_FRUITLESS = 200  # walks in a row that bring nothing new
_LABEL = 60
_WORDS = {
    "en": ("From the home page, {}. {}", ", then ", "click “{}”", "follow the link to {}"),
    "zh": ("从首页出发，{}。{}", "，再", "点击“{}”", "打开指向{}的链接"),
}


@dataclass(frozen=True, slots=True)
class _Click:
    """A click: its label, and the statement on its page that names the target, if there is one."""

    label: str
    seen: Statement | None

    @property
    def recipe(self) -> dict[str, str]:
        """How to do it again: a label, or whose value in what relation is the label."""
        seen = self.seen
        return {"label": self.label} if seen is None else {"relation": seen.relation, "subject": seen.subject}


class Backward:
    """The synth; walks have from two clicks to two more than hops are wanted."""

    title = "Backward construction"
    source = "https://arxiv.org/abs/2501.10893"
    ground = "catalogue"
    reads = ("hops",)

    def drafts(self, ground: Ground, order: Order, random: Random) -> Iterator[Question]:
        """Yield what walks fulfil, no end twice, until many walks in a row have brought nothing new."""
        said: dict[str, list[Statement]] = {}
        for each in ground.statements:
            if len(net_of(ground).of(each.relation, each.subject)) == 1:
                said.setdefault(each.evidence.url, []).append(each)
        seen = set()
        fruitless = 0
        while fruitless < _FRUITLESS:
            clicks, end = _walk(ground, said, random.randint(_LEAST, order.hops + _MORE), random)
            question = _told(ground, clicks, said.get(end, ()), random) if len(clicks) >= _LEAST else None
            fruitless += 1
            if question is None or str(question.formula) in seen or self.solve(question, ground) != {question.wanted}:
                continue
            fruitless = 0
            seen.add(str(question.formula))
            yield question

    def solve(self, question: Question, ground: Ground) -> frozenset[frozenset[str]]:
        """Click again as the recipe says, and read what is asked on the page where that ends."""
        places = {(ground.root, "")} if ground.root in ground.pages else set()
        for click in question.recipe["clicks"]:
            places = {place for url, _ in places for place in _clicked(ground, url, click)}
        asked = question.recipe["asked"]
        return frozenset(
            frozenset((each.value,))
            for url, name in places
            for each in _said(ground, url, asked["relation"], asked.get("subject", name))
        )


def _said(ground: Ground, url: str, relation: str, subject: str) -> Iterator[Statement]:
    for each in net_of(ground).of(relation, subject):
        if each.evidence.url == url:
            yield each


def _clicked(ground: Ground, url: str, click: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the pages that a click may lead to, each with what the click calls it."""
    if "label" in click:
        labels = {click["label"]}
    else:
        labels = {each.value for each in _said(ground, url, click["relation"], click["subject"])}
    for link in ground.pages[url].links:
        if link.label in labels and link.url in ground.pages:
            yield link.url, link.label


def _walk(
    ground: Ground, said: Mapping[str, Sequence[Statement]], length: int, random: Random
) -> tuple[list[_Click], str]:
    """Click at random, never twice to the same page; return the clicks and the last page."""
    url, clicks, visited = ground.root, list[_Click](), {ground.root}
    while len(clicks) < length:
        links = _choices(ground, url, visited)
        if not links:
            break
        named = {
            each.value: each for each in said.get(url, ()) if ground.relations[each.relation].of and each.value in links
        }
        label = random.choice(list(named if named and random.random() < 0.5 else links))
        clicks.append(_Click(label, named.get(label)))
        url = links[label].url
        visited.add(url)
    return clicks, url


def _choices(ground: Ground, url: str, visited: set[str]) -> dict[str, Link]:
    """Return the links to new pages, by labels that lead to one page only; those of the main text, if it has any."""
    by_label: dict[str, list[Link]] = {}
    for link in ground.pages[url].links:
        by_label.setdefault(link.label, []).append(link)
    usable = {
        label: links[0]
        for label, links in by_label.items()
        if 0 < len(label) <= _LABEL and len({link.url for link in links}) == 1
        if links[0].url in ground.pages and links[0].url not in visited
    }
    return {label: link for label, link in usable.items() if link.region == "main"} or usable


def _told(ground: Ground, clicks: Sequence[_Click], here: Sequence[Statement], random: Random) -> Question | None:
    """Return the instruction that the clicks fulfil, or None where their last page says nothing to ask for."""
    seen = clicks[-1].seen
    if any(each.seen for each in clicks):  # nobody would make them, if what is asked could be searched for
        here = [each for each in here if not ground.relations[each.relation].quotes]
    about = [each for each in here if seen is not None and each.subject == seen.value]
    if not here:
        return None
    asked = random.choice(about or here)
    ask_for = {"relation": asked.relation}
    if about and seen is not None:  # the last click is told by what is asked
        formula, told = Of(asked.relation, _named_by(seen)), clicks[:-1]
    else:
        formula, told = Of(asked.relation, Entity(asked.subject)), clicks
        ask_for["subject"] = asked.subject
    whole, joint, click, go = _WORDS[ground.language]
    nouns = [each.label if each.seen is None else noun_of(_named_by(each.seen), ground) for each in told]
    ask = question_of(formula, ground)
    if ask is None or None in nouns:
        return None
    steps = [(click if each.seen is None else go).format(noun) for each, noun in zip(told, nouns, strict=True)]
    text = whole.format(joint.join(steps), ask)
    if stands_in(asked.value, text):
        return None
    evidence = [each.seen.evidence for each in clicks if each.seen is not None] + [asked.evidence]
    recipe = {"clicks": [click.recipe for click in clicks], "asked": ask_for}
    cells = {"difficulty": f"{len(clicks)} clicks"}
    parts, places = (asked.value,), tuple(dict.fromkeys(evidence))
    return draft(ground, Draft("backward", "backward", text, parts, places, formula, cells, recipe))


def _named_by(seen: Statement) -> Of:
    return Of(seen.relation, Entity(seen.subject))


synth = Backward()
