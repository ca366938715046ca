"""Word problems of one or two sums, with the sums as worked steps and the final answer behind the marker.

Not free text. Kinds differ in what has to be understood: which sign a verb stands for, what is compared, what does not
matter, in which order to reckon. After GSM8K (Cobbe et al. 2021), whose files are read too.
"""

from random import Random

from webfarer.core.errors import ConfigError
from webfarer.evals.sources import Row
from webfarer.train.pool import MARKER
from webfarer.train.pools._made import Kind, Made, MadePool
from webfarer.worlds.puzzle import Lesson

_MOST, _STEP = 20, 9
_NAMES = tuple("ada ben cleo dan eva finn gus hana ida jon kim leo mia ned ola pia".split())
_ITEMS = tuple("apples books cards coins cups eggs keys nuts pears pens pins plums shells stamps toys".split())
_GAINS = tuple("finds buys gets wins collects picks".split())
_LOSSES = tuple("loses sells eats drops breaks spends".split())
_HOLDERS = tuple("bag jar crate drawer tray basket".split())
_MANY = tuple(f"{holder}s" for holder in _HOLDERS)
_FRAME = tuple(
    f"arithmetic sum story numbers : . ; ? + - * / = {MARKER} answer has had have how many more fewer than each holds "
    "there are shares them among friends friend both and now what then at first fills with puts every keeps".split()
)


def _sums(*steps: tuple[int, str, int]) -> str:
    """Return the worked steps and the last result behind the marker."""
    found = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a // b}
    results = [found[sign](one, other) for one, sign, other in steps]
    texts = (f"{one} {sign} {other} = {result}" for (one, sign, other), result in zip(steps, results, strict=True))
    return f"{' ; '.join(texts)} {MARKER} {results[-1]}"


def _asked(text: str, *steps: tuple[int, str, int]) -> Made:
    return Made(f"arithmetic : {text} ? answer :", _sums(*steps))


def _pair(rng: Random, sign: str) -> tuple[int, int]:
    """Draw two numbers that this sign may join: nothing goes below 1 or far beyond the largest number."""
    if sign in "*/":
        one, other = rng.randint(2, 6), rng.randint(2, 5)
        return (one, other) if sign == "*" else (one * other, other)
    other = rng.randint(2, _STEP)
    return rng.randint(2, _MOST) if sign == "+" else rng.randint(other + 1, _MOST), other


def _change(verbs: tuple[str, ...], sign: str, rng: Random) -> Made:
    (one, other), name, item = _pair(rng, sign), rng.choice(_NAMES), rng.choice(_ITEMS)
    text = f"{name} has {one} {item} . {name} {rng.choice(verbs)} {other} {item} . how many {item} has {name} now"
    return _asked(text, (one, sign, other))


def _gain(rng: Random) -> Made:
    return _change(_GAINS, "+", rng)


def _loss(rng: Random) -> Made:
    return _change(_LOSSES, "-", rng)


def _times(rng: Random) -> Made:
    (one, other), name, item, holder = _pair(rng, "*"), rng.choice(_NAMES), rng.choice(_ITEMS), rng.choice(_HOLDERS)
    text = f"{name} fills {one} {holder}s with {item} . each {holder} holds {other} . how many {item} are there"
    return _asked(text, (one, "*", other))


def _share(rng: Random) -> Made:
    (one, other), name, item = _pair(rng, "/"), rng.choice(_NAMES), rng.choice(_ITEMS)
    text = f"{name} has {one} {item} . {name} shares them among {other} friends . how many has each friend"
    return _asked(text, (one, "/", other))


def _compare(rng: Random) -> Made:
    word, sign = rng.choice((("more", "+"), ("fewer", "-")))
    (one, other), item = _pair(rng, sign), rng.choice(_ITEMS)
    first, second = rng.sample(_NAMES, 2)
    text = f"{first} has {one} {item} . {second} has {other} {word} {item} than {first} . how many has {second}"
    return _asked(text, (one, sign, other))


def _backwards(rng: Random) -> Made:
    """What there was at first: the sign of the verb is to be turned round."""
    verbs, sign = rng.choice(((_GAINS, "-"), (_LOSSES, "+")))
    (one, other), name, item = _pair(rng, sign), rng.choice(_NAMES), rng.choice(_ITEMS)
    text = f"{name} {rng.choice(verbs)} {other} {item} . now {name} has {one} {item} . how many had {name} at first"
    return _asked(text, (one, sign, other))


def _chain(rng: Random) -> Made:
    name, item, (have, other) = rng.choice(_NAMES), rng.choice(_ITEMS), _pair(rng, "+")
    less = rng.randint(2, min(_STEP, have + other - 1))
    told = (f"{name} {rng.choice(_GAINS)} {other}", f"{name} {rng.choice(_LOSSES)} {less}")
    text = f"{name} has {have} {item} . {told[0]} . then {told[1]} . how many has {name} now"
    return _asked(text, (have, "+", other), (have + other, "-", less))


def _boxes(rng: Random) -> Made:
    (count, each), name, item, holder = _pair(rng, "*"), rng.choice(_NAMES), rng.choice(_ITEMS), rng.choice(_HOLDERS)
    have = rng.randint(2, _STEP)
    text = (
        f"{name} has {have} {item} . {name} {rng.choice(_GAINS)} {count} {holder}s . every {holder} holds {each} {item}"
    )
    return _asked(f"{text} . how many {item} has {name} now", (count, "*", each), (have, "+", count * each))


def _lore(rng: Random) -> Lesson:
    """Draw a bare sum, a chain of two, or a story whose numbers are to be told in order."""
    if rng.random() < 0.3:
        told = rng.choice(_KINDS).make(rng).prompt.removeprefix("arithmetic : ").removesuffix(" ? answer :")
        numbers = [word for word in told.split() if word.isdecimal()]
        return Lesson(f"story : {told} ; numbers :", " ; ".join(numbers))
    sign = rng.choice("+-*/")
    one, other = _pair(rng, sign)
    if rng.random() < 0.6:
        return Lesson(f"sum : {one} {sign} {other} answer :", _sums((one, sign, other)))
    first, more = int(_sums((one, sign, other)).rpartition(" ")[2]), rng.randint(2, _STEP)
    after = "+" if first <= more or rng.random() < 0.5 else "-"
    return Lesson(
        f"sum : {one} {sign} {other} ; {after} {more} answer :", _sums((one, sign, other), (first, after, more))
    )


def _row(row: Row) -> Made:
    answer = row.text("answer")
    if MARKER not in answer:
        wrong = f"{row.place}: 'answer' has no final answer behind {MARKER}"
        raise ConfigError(wrong, row=row.number, key="answer")
    return Made(row.text("question"), answer)


_KINDS = (
    Kind("gain", "easy", _gain),
    Kind("loss", "easy", _loss),
    Kind("times", "medium", _times),
    Kind("share", "medium", _share),
    Kind("compare", "medium", _compare),
    Kind("backwards", "hard", _backwards),
    Kind("chain", "hard", _chain),
    Kind("boxes", "hard", _boxes),
)

pool = MadePool(
    title="arithmetic",
    published={"GSM8K": "train.jsonl"},
    kinds=_KINDS,
    vocabulary=lambda: (*_FRAME, *map(str, range(50)), *_NAMES, *_ITEMS, *_GAINS, *_LOSSES, *_HOLDERS, *_MANY),
    lore=_lore,
    row=_row,
)
