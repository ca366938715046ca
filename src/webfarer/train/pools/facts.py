"""Multiple choice with facts: some stand in the question, some are in a small book that pupils learn by heart.

Not knowledge of the world: the book is short and made up where it likes. Kinds differ in which facts have to be joined,
and whether they are given. After OpenBookQA (Mihaylov et al. 2018), whose files are read too.
"""

from random import Random

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row
from webfarer.train.pools._made import Kind, Made, MadePool, shuffled
from webfarer.worlds.puzzle import Lesson

_BOOK = {
    "metal": ("conducts", "mines", "iron copper tin zinc gold silver"),
    "cloth": ("folds", "mills", "wool silk linen cotton felt velvet"),
    "fruit": ("ripens", "orchards", "apple pear plum cherry fig lemon"),
    "bird": ("flies", "nests", "crow heron robin swan wren finch"),
    "fish": ("swims", "rivers", "trout carp pike eel perch salmon"),
    "tree": ("grows", "woods", "oak birch cedar elm maple willow"),
    "tool": ("works", "sheds", "hammer saw drill chisel file plane"),
    "drink": ("pours", "cellars", "milk tea cider juice cocoa broth"),
}
_OPTIONS = 4
_GROUPS = tuple(_BOOK)
_MEMBERS = {group: tuple(things.split()) for group, (_, _, things) in _BOOK.items()}
_THINGS = tuple(thing for things in _MEMBERS.values() for thing in things)
_TRAITS = tuple("soft loud cheap heavy rare bright".split())
_FRAME = tuple("facts book : . ? answer fact question which is a not kind of found in comes from like and".split())


def _groups(rng: Random) -> list[str]:
    return rng.sample(_GROUPS, _OPTIONS)


def _one_of_each(rng: Random, groups: list[str]) -> list[str]:
    return [rng.choice(_MEMBERS[group]) for group in groups]


def _choose(rng: Random, question: str, right: str, others: list[str]) -> Made:
    options = shuffled(rng, right, *others)
    return Made(f"facts : {question} ? {' '.join(options)} answer :", right, tuple(options))


def _told(rng: Random, *said: str) -> str:
    """Return a question's facts, in any order: which is asked of is not told by where it stands."""
    return f"fact : {' . '.join(shuffled(rng, *said))}"


def _given(rng: Random) -> Made:
    """The fact is given, and names the thing."""
    things, traits = _one_of_each(rng, _groups(rng)), rng.sample(_TRAITS, 2)
    told = _told(rng, *(f"{thing} is {trait}" for thing, trait in zip(things, traits, strict=False)))
    return _choose(rng, f"{told} . which is {traits[0]}", things[0], things[1:])


def _group(rng: Random) -> Made:
    groups = _groups(rng)
    right, *others = _one_of_each(rng, groups)
    return _choose(rng, f"which is a {groups[0]}", right, others)


def _doing(rng: Random) -> Made:
    groups = _groups(rng)
    right, *others = _one_of_each(rng, groups)
    return _choose(rng, f"which {_BOOK[groups[0]][0]}", right, others)


def _place(rng: Random) -> Made:
    groups = _groups(rng)
    right, *others = _one_of_each(rng, groups)
    return _choose(rng, f"which is found in {_BOOK[groups[0]][1]}", right, others)


def _odd(rng: Random) -> Made:
    """All but one are of a kind."""
    one, other = _groups(rng)[:2]
    return _choose(rng, f"which is not a {one}", rng.choice(_MEMBERS[other]), rng.sample(_MEMBERS[one], 3))


def _alike(rng: Random) -> Made:
    groups = _groups(rng)
    named, right = rng.sample(_MEMBERS[groups[0]], 2)
    return _choose(rng, f"which is like {named}", right, _one_of_each(rng, groups[1:]))


def _rule(rng: Random) -> Made:
    """The fact is given of the kind, the question is about a thing."""
    groups, traits = _groups(rng), rng.sample(_TRAITS, 2)
    right, *others = _one_of_each(rng, groups)
    told = _told(rng, *(f"a {group} is {trait}" for group, trait in zip(groups, traits, strict=False)))
    return _choose(rng, f"{told} . which is {traits[0]}", right, others)


def _lore(rng: Random) -> Lesson:
    """Draw a line of the book, or a choice by its words alone."""
    group = rng.choice(_GROUPS)
    doing, place, _ = _BOOK[group]
    thing = rng.choice(_MEMBERS[group])
    lines = {f"{thing} is a kind of": group, f"a {group}": doing, f"a {group} comes from": place}
    if rng.random() < 0.4:
        question = rng.choice(list(lines))
        return Lesson(f"book : {question}", lines[question])
    others = [rng.choice(_MEMBERS[name]) for name in _groups(rng) if name != group][: _OPTIONS - 1]
    return Lesson(f"book : {group} ? {' '.join(shuffled(rng, thing, *others))} answer :", thing)


def _row(row: Row) -> Made:
    question, key = row.inner("question"), row.text("answerKey")
    options = question.get("choices")
    if not isinstance(options, list) or not all(isinstance(o, dict) and {"label", "text"} <= o.keys() for o in options):
        raise ConfigError(f"{row.place}: 'choices' is no list of labels and texts", row=row.number, key="choices")
    choices = {str(option["label"]): str(option["text"]) for option in options}
    if key not in choices:
        raise ConfigError(f"{row.place}: 'answerKey' {key!r} is none of {', '.join(choices)}", row=row.number)
    asked = "\n".join((question.text("stem"), *(f"{label} {text}" for label, text in choices.items())))
    return Made(asked, key, tuple(choices))


pool = MadePool(
    title="facts",
    published={"OpenBookQA": "train.jsonl"},
    kinds=(
        Kind("given", "easy", _given),
        Kind("group", "medium", _group),
        Kind("doing", "medium", _doing),
        Kind("place", "medium", _place),
        Kind("alike", "medium", _alike),
        Kind("odd", "hard", _odd),
        Kind("rule", "hard", _rule),
    ),
    vocabulary=lambda: (
        *_FRAME,
        *_GROUPS,
        *(word for doing, place, _ in _BOOK.values() for word in (doing, place)),
        *_THINGS,
        *_TRAITS,
    ),
    lore=_lore,
    row=_row,
)
