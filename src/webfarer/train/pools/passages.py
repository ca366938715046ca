"""Yes or no over a short passage.

Not reading comprehension of real text. Kinds differ in what the question needs: the sentence itself, a negation or an
opposite, two sentences at once, a comparison, a step over the owner, the order of journeys. After BoolQ (Clark et al.
2019), whose files are read too.
"""

from random import Random

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row
from webfarer.train.pools._made import Kind, Made, MadePool
from webfarer.worlds.exam import NOUNS
from webfarer.worlds.puzzle import Lesson

_PLACES = NOUNS[:20]
_PEOPLE = tuple("ada ben cleo dan eva finn gus hana ida jon kim leo".split())
_TOWNS = tuple("accra bergen cairo dakar essen faro geneva hanoi".split())
_OPPOSITES = (("tall", "short"), ("old", "new"), ("clean", "dirty"), ("open", "closed"), ("warm", "cold"), ("rich", "poor"))
_WORDS = tuple(word for pair in _OPPOSITES for word in pair)
_OPPOSITE = {one: other for pair in _OPPOSITES for one, other in (pair, pair[::-1])}
_FRAME = tuple(
    "passage question recall : . ? answer yes no the is not it opposite of has rooms more fewer than owns lives in does "
    "owner live went to before after was first and are both how where who many which".split()
)
_YES_NO = ("yes", "no")


def _told(rng: Random, sentences: list[str], question: str, right: bool) -> Made:
    rng.shuffle(sentences)
    passage = " . ".join(sentences)
    return Made(f"passage : {passage} . question : {question} ? answer :", _YES_NO[not right], _YES_NO)


def _said(rng: Random) -> Made:
    """One of three places is described, the question uses the word of the passage or that of another place."""
    places, words = rng.sample(_PLACES, 3), [rng.choice(pair) for pair in rng.sample(_OPPOSITES, 3)]
    right = rng.random() < 0.5
    asked = words[0] if right else words[1]
    return _told(rng, _are(places, words), f"is the {places[0]} {asked}", right)


def _are(places: list[str], words: list[str]) -> list[str]:
    return [f"the {place} is {word}" for place, word in zip(places, words, strict=True)]


def _opposite(rng: Random) -> Made:
    """What is not tall is short."""
    places, words = rng.sample(_PLACES, 3), [rng.choice(pair) for pair in rng.sample(_OPPOSITES, 3)]
    said = _are(places, [f"not {word}" if rng.random() < 0.5 else word for word in words])
    negated = said[0].split()[3] == "not"
    turned = rng.random() < 0.5
    asked = _OPPOSITE[words[0]] if turned else words[0]
    return _told(rng, said, f"is the {places[0]} {asked}", negated == turned)


def _both(rng: Random) -> Made:
    places, word = rng.sample(_PLACES, 3), rng.choice(_WORDS)
    words = [word if rng.random() < 0.7 else _OPPOSITE[word] for _ in places]
    right = words[0] == words[1] == word
    return _told(rng, _are(places, words), f"are the {places[0]} and the {places[1]} both {word}", right)


def _more(rng: Random) -> Made:
    places, numbers = rng.sample(_PLACES, 3), rng.sample(range(2, 30), 3)
    said = [f"the {place} has {number} rooms" for place, number in zip(places, numbers, strict=True)]
    word = rng.choice(("more", "fewer"))
    right = (numbers[0] > numbers[1]) == (word == "more")
    return _told(rng, said, f"has the {places[0]} {word} rooms than the {places[1]}", right)


def _owners(rng: Random) -> tuple[list[str], list[str], list[str], list[str]]:
    places, people, towns = rng.sample(_PLACES, 2), rng.sample(_PEOPLE, 2), rng.sample(_TOWNS, 2)
    said = [f"{person} owns the {place}" for person, place in zip(people, places, strict=True)]
    said += [f"{person} lives in {town}" for person, town in zip(people, towns, strict=True)]
    return places, people, towns, said


def _owner(rng: Random) -> Made:
    places, _, towns, said = _owners(rng)
    right = rng.random() < 0.5
    return _told(rng, said, f"does the owner of the {places[0]} live in {towns[not right]}", right)


def _order(rng: Random) -> Made:
    person, (one, other), word = rng.choice(_PEOPLE), rng.sample(_TOWNS, 2), rng.choice(("before", "after"))
    said = [f"{person} went to {one} {word} {other}"]
    asked = rng.choice((one, other))
    right = (asked == one) == (word == "before")
    other_person = rng.choice([name for name in _PEOPLE if name != person])
    said.append(f"{other_person} lives in {rng.choice(_TOWNS)}")
    return _told(rng, said, f"was {person} first in {asked}", right)


def _lore(rng: Random) -> Lesson:
    """Draw a passage with a question that is answered by a word of it, or a pair of opposites."""
    draw = rng.randrange(6)
    if draw == 0:
        word = rng.choice(_WORDS)
        return Lesson(f"recall : opposite of {word} ? answer :", _OPPOSITE[word])
    if draw == 1:
        places, people, towns, said = _owners(rng)
        question, answer = rng.choice(
            (
                (f"who owns the {places[0]}", people[0]),
                (f"where does {people[0]} live", towns[0]),
                (f"where does the owner of the {places[0]} live", towns[0]),
            )
        )
    elif draw == 2:
        places, numbers = rng.sample(_PLACES, 2), rng.sample(range(2, 30), 2)
        said = [f"the {place} has {number} rooms" for place, number in zip(places, numbers, strict=True)]
        word = rng.choice(("more", "fewer"))
        question = f"which has {word} rooms"
        answer = places[(numbers[0] > numbers[1]) != (word == "more")]
    elif draw == 3:
        person, (one, other), word = rng.choice(_PEOPLE), rng.sample(_TOWNS, 2), rng.choice(("before", "after"))
        said, question = [f"{person} went to {one} {word} {other}"], f"where was {person} first"
        answer = one if word == "before" else other
    else:
        places, words = rng.sample(_PLACES, 3), rng.sample(_WORDS, 3)
        negated = rng.random() < 0.5
        said, question = _are(places, [f"not {word}" for word in words] if negated else words), f"how is the {places[0]}"
        answer = _OPPOSITE[words[0]] if negated else words[0]
    rng.shuffle(said)
    return Lesson(f"recall : {' . '.join(said)} . question : {question} ? answer :", answer)


def _row(row: Row) -> Made:
    answer = row.get("answer")
    if not isinstance(answer, bool):
        raise ConfigError(f"{row.place}: 'answer' is {answer!r}, not true or false", row=row.number, key="answer")
    return Made(f"{row.text('passage')}\n{row.text('question')}?", _YES_NO[not answer], _YES_NO)


pool = MadePool(
    title="passages",
    published={"BoolQ": "train.jsonl"},
    kinds=(
        Kind("said", "easy", _said),
        Kind("both", "medium", _both),
        Kind("more", "medium", _more),
        Kind("order", "medium", _order),
        Kind("owner", "hard", _owner),
        Kind("opposite", "hard", _opposite),
    ),
    vocabulary=lambda: (*_FRAME, *map(str, range(30)), *_PLACES, *_PEOPLE, *_TOWNS, *_WORDS),
    lore=_lore,
    row=_row,
)
