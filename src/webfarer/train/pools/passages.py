"""Yes or no over a short passage.

Not reading comprehension of real text. Kinds differ in what the question needs beyond finding the place in the passage:
another word for the same, a denial, two sentences at once, a step over the owner. After BoolQ (Clark et al. 2019),
whose files are read too.
"""

from random import Random

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row
from webfarer.train.pools._made import Kind, Made, MadePool
from webfarer.worlds.exam import NOUNS
from webfarer.worlds.puzzle import Lesson

_PLACES = NOUNS[:16]
_PEOPLE = tuple("ada ben cleo dan eva finn gus hana".split())
_SAME = {
    "old": "ancient",
    "tall": "high",
    "clean": "spotless",
    "warm": "heated",
    "large": "roomy",
    "quiet": "silent",
    "bright": "sunny",
    "empty": "deserted",
}
_LOOKS = tuple(_SAME)
_FRAME = tuple("passage question recall : . ; ? answer yes no the is it and false that owns what how".split())
_YES_NO = ("yes", "no")


def _passage(rng: Random, count: int = 3) -> tuple[list[str], list[str], list[str]]:
    """Return places, their looks, no two alike, and a sentence for each."""
    places, looks = rng.sample(_PLACES, count), rng.sample(_LOOKS, count)
    return places, looks, [f"the {place} is {look}" for place, look in zip(places, looks, strict=True)]


def _asked(rng: Random, sentences: list[str], question: str, right: bool) -> Made:
    passage = " . ".join(rng.sample(sentences, len(sentences)))
    return Made(f"passage : {passage} . question : {question} ? answer :", _YES_NO[not right], _YES_NO)


def _said(rng: Random) -> Made:
    places, looks, said = _passage(rng)
    right = rng.random() < 0.5
    return _asked(rng, said, f"is the {places[0]} {looks[not right]}", right)


def _denied(rng: Random) -> Made:
    places, looks, said = _passage(rng)
    right = rng.random() < 0.5
    return _asked(rng, said, f"is it false that the {places[0]} is {looks[right]}", right)


def _reworded(rng: Random) -> Made:
    places, looks, said = _passage(rng)
    right = rng.random() < 0.5
    return _asked(rng, said, f"is the {places[0]} {_SAME[looks[not right]]}", right)


def _both(rng: Random) -> Made:
    places, looks, said = _passage(rng)
    right = rng.random() < 0.5
    wrong = rng.randrange(2)
    asked = [looks[number if right or number != wrong else 2] for number in range(2)]
    return _asked(rng, said, f"is the {places[0]} {asked[0]} and the {places[1]} {asked[1]}", right)


def _owned(rng: Random) -> Made:
    places, people = rng.sample(_PLACES, 3), rng.sample(_PEOPLE, 3)
    right = rng.random() < 0.5
    said = [f"{person} owns the {place}" for person, place in zip(people, places, strict=True)]
    return _asked(rng, said, f"is the {places[not right]} what {people[0]} owns", right)


def _theirs(rng: Random) -> Made:
    """The owner names the place, the place has the looks."""
    places, looks, said = _passage(rng, 2)
    people = rng.sample(_PEOPLE, 2)
    right = rng.random() < 0.5
    said += [f"{person} owns the {place}" for person, place in zip(people, places, strict=True)]
    return _asked(rng, said, f"is what {people[0]} owns {looks[not right]}", right)


def _lore(rng: Random) -> Lesson:
    """Draw what another word says, or a passage that is asked of several times: for a word of it, or for yes and no."""
    if rng.random() < 0.1:
        look = rng.choice(_LOOKS)
        return Lesson(f"recall : {_SAME[look]} is", look)
    places, looks, said = _passage(rng)
    passage = " . ".join(rng.sample(said, len(said)))
    if rng.random() < 0.4:
        turns = [f"how is the {place} ? answer : {look}" for place, look in zip(places, looks, strict=True)]
    else:
        asked = [look if rng.random() < 0.5 else rng.choice(looks) for look in looks]
        turns = [
            f"is the {place} {other} ? answer : {_YES_NO[other != look]}"
            for place, look, other in zip(places, looks, asked, strict=True)
        ]
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
        Kind("both", "medium", _both),
        Kind("owned", "hard", _owned),
        Kind("theirs", "hard", _theirs),
    ),
    vocabulary=lambda: (*_FRAME, *_PLACES, *_PEOPLE, *_LOOKS, *_SAME.values()),
    lore=_lore,
    row=_row,
)
