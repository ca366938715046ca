"""Yes or no over a short passage.

Not reading comprehension of real text. Kinds differ in what the question needs beyond finding the place in the passage:
another word for the same, its opposite, a denial, two sentences at once, a step over the owner. After BoolQ (Clark et
al. 2019), whose files are read too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row
from webfarer.train.pools._made import Kind, Made, MadePool
from webfarer.worlds.exam import NOUNS
from webfarer.worlds.puzzle import Lesson

_PLACES = NOUNS[:16]
_PEOPLE = tuple("ada ben cleo dan eva finn gus hana".split())
_WORDS = {
    "old": ("ancient", "new"),
    "tall": ("high", "short"),
    "clean": ("spotless", "dirty"),
    "warm": ("heated", "cold"),
    "large": ("roomy", "small"),
    "quiet": ("silent", "loud"),
    "bright": ("sunny", "dark"),
    "empty": ("deserted", "full"),
}
"""Looks, each with another word for it, and its opposite."""
_LOOKS = tuple(_WORDS)
_FRAME = tuple("passage question recall : . ; ? answer yes no not the is it and false that owns what how".split())
_YES_NO = ("yes", "no")


@dataclass(frozen=True, slots=True)
class _Fact:
    """What a sentence says: a place has a look, or has it not."""

    place: str
    look: str
    holds: bool

    @property
    def sentence(self) -> str:
        return f"the {self.place} is {self.how}"

    @property
    def how(self) -> str:
        return self.look if self.holds else f"not {self.look}"


def _facts(rng: Random, count: int = 3) -> list[_Fact]:
    """Draw facts about different places and looks."""
    places, looks = rng.sample(_PLACES, count), rng.sample(_LOOKS, count)
    return [_Fact(place, look, rng.random() < 0.5) for place, look in zip(places, looks, strict=True)]


def _asked(rng: Random, sentences: list[str], question: str, right: bool) -> Made:
    passage = " . ".join(rng.sample(sentences, len(sentences)))
    return Made(f"passage : {passage} . question : {question} ? answer :", _YES_NO[not right], _YES_NO)


def _single(question: Callable[[_Fact], str], turned: bool, rng: Random) -> Made:
    """Ask about one fact; `turned`: the answer is no where the fact holds."""
    fact, *others = _facts(rng)
    return _asked(rng, [one.sentence for one in (fact, *others)], question(fact), fact.holds != turned)


_said = partial(_single, lambda fact: f"is the {fact.place} {fact.look}", False)
_reworded = partial(_single, lambda fact: f"is the {fact.place} {_WORDS[fact.look][0]}", False)
_denied = partial(_single, lambda fact: f"is it false that the {fact.place} is {fact.look}", True)
_opposite = partial(_single, lambda fact: f"is the {fact.place} {_WORDS[fact.look][1]}", True)


def _both(rng: Random) -> Made:
    """Two sentences at once; each answer is as likely as the other."""
    right = rng.random() < 0.5
    while True:
        one, other, *_ = facts = _facts(rng)
        if (one.holds and other.holds) == right:
            question = f"is the {one.place} {one.look} and the {other.place} {other.look}"
            return _asked(rng, [fact.sentence for fact in facts], question, right)


def _theirs(rng: Random) -> Made:
    """The owner names the place, the place has the look."""
    facts, people = _facts(rng, 2), rng.sample(_PEOPLE, 2)
    said = [fact.sentence for fact in facts]
    said += [f"{person} owns the {fact.place}" for person, fact in zip(people, facts, strict=True)]
    return _asked(rng, said, f"is what {people[0]} owns {facts[0].look}", facts[0].holds)


def _lore(rng: Random) -> Lesson:
    """Draw a word for a look, or a passage that is asked of several times: for words of it, or for yes and no."""
    if rng.random() < 0.2:
        look = rng.choice(_LOOKS)
        same, opposite = _WORDS[look]
        word, how = rng.choice(((same, look), (opposite, f"not {look}")))
        return Lesson(f"recall : {word} is", how)
    facts = _facts(rng)
    passage = " . ".join(fact.sentence for fact in rng.sample(facts, len(facts)))
    if rng.random() < 0.4:
        turns = [f"how is the {fact.place} ? answer : {fact.how}" for fact in facts]
    else:
        turns = [f"is the {fact.place} {fact.look} ? answer : {_YES_NO[not fact.holds]}" for fact in facts]
    prompt, _, output = f"recall : {passage} . question : {' ; '.join(turns)}".partition(" answer : ")
    return Lesson(f"{prompt} answer :", output)


def _row(row: Row) -> Made:
    answer = row.get("answer")
    if not isinstance(answer, bool):
        raise ConfigError(f"{row.place}: 'answer' is {answer!r}, not true or false", row=row.number, key="answer")
    return Made(f"{row.text('passage')}\n{row.text('question').removesuffix('?')}?", _YES_NO[not answer], _YES_NO)


pool = MadePool(
    title="passages",
    published={"BoolQ": "train.jsonl"},
    kinds=(
        Kind("said", "easy", _said),
        Kind("denied", "medium", _denied),
        Kind("reworded", "medium", _reworded),
        Kind("opposite", "medium", _opposite),
        Kind("both", "hard", _both),
        Kind("theirs", "hard", _theirs),
    ),
    vocabulary=lambda: (*_FRAME, *_PLACES, *_PEOPLE, *_LOOKS, *(word for words in _WORDS.values() for word in words)),
    lore=_lore,
    row=_row,
)
