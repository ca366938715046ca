"""Writing under constraints that a machine checks: two or three sentences with given words, in order, and endings.

Not a judgement of style. Every sentence after the first begins with the last word of the one before, so a sentence
can only be written when its predecessor stands. Any words are legal; the demands are what has to be met.
"""

import re
from random import Random
from typing import cast

from webfarer.worlds.exam import ADJECTIVES, NOUNS
from webfarer.worlds.puzzle import Lesson, Path, Problem, draw_lesson, drawn, read_value

_VERBS = tuple("crosses faces follows guards hides joins meets passes shades".split())
_PLACES = tuple("above behind below beside beyond near past under".split())
_FEWEST_WORDS, _MOST_WORDS = 4, 24
_ADJECTIVE_SHARE = 0.25
_DEMAND = re.compile(r"uses (\w+) then (\w+) and ends with (\w+)", re.IGNORECASE)

Demand = tuple[str, str, str]


def _demands(problem: Problem) -> tuple[Demand, ...]:
    return cast(tuple[Demand, ...], problem.data)


def _problem(demands: tuple[Demand, ...]) -> Problem:
    told = (f"Sentence {n} {_asked(demand)}." for n, demand in enumerate(demands, 1))
    text = f"Write {len(demands)} sentences, each starting with the last word of the one before. {' '.join(told)}"
    return Problem("constraints", text, len(demands), demands)


def _asked(demand: Demand) -> str:
    one, other, end = demand
    return f"uses {one} then {other} and ends with {end}"


def _make(rng: Random) -> Problem | None:
    count = rng.randint(2, 3)
    nouns = rng.sample(NOUNS, 3 * count)
    return _problem(tuple((a, b, c) for a, b, c in zip(nouns[::3], nouns[1::3], nouns[2::3], strict=True)))


def _meets(sentence: str, demand: Demand, before: str | None) -> bool:
    """Tell whether a sentence meets its demand, given the sentence before it."""
    words = sentence.split()[:-1]
    one, other, end = demand
    begun = before is None or [word for word in words[:2] if word != "the"][:1] == [_last(before)]
    ordered = one in words and other in words[words.index(one) + 1 :]
    return begun and ordered and words[-1] == end


def _last(sentence: str) -> str:
    return sentence.split()[-2]


def _all_met(problem: Problem, path: Path) -> list[bool]:
    before = (None, *path)
    return [_meets(s, d, b) for s, d, b in zip(path, _demands(problem), before, strict=False)]


def _write(rng: Random, problem: Problem, path: Path, good: bool) -> str:
    one, other, end = _demands(problem)[len(path)]
    begin = _last(path[-1]) if path else rng.choice(NOUNS)
    if not good:
        fault = rng.randrange(4)
        wrong = rng.choice(NOUNS)
        one, other = ((other, one), (wrong, other), (one, wrong), (one, other))[fault]
        end = wrong if fault == 3 else end
    verb, near, far = rng.choice(_VERBS), *rng.sample(_PLACES, 2)
    groups = [
        f"the {rng.choice(ADJECTIVES)} {noun}" if index and rng.random() < _ADJECTIVE_SHARE else f"the {noun}"
        for index, noun in enumerate((begin, one, other, end))
    ]
    return f"{groups[0]} {verb} {groups[1]} {near} {groups[2]} {far} {groups[3]} ."


def _judge(rng: Random, problem: Problem, path: Path) -> str:
    said = []
    for sentence, met in zip(path, _all_met(problem, path), strict=True):
        nouns = " ".join(word for word in sentence.split() if word in NOUNS)
        said.append(f"{nouns} {'fits' if met else 'fails'} ,")
        if not met:
            break
    return " ".join((*said, f"value {puzzle.worth(problem, path):.0f}"))


class Constraints:
    """Sentences with given words and endings."""

    name = "constraints"
    words = (
        *"Write sentence of that starts with the uses then and ends . Sentence : Demands in order last word ;".split(),
        *"Text Does every meet its demand ? List words end value to 1 2 3 0 10 fits fails ,".split(),
        *NOUNS,
        *ADJECTIVES,
        *_VERBS,
        *_PLACES,
    )

    def draw(self, seed: int) -> Problem:
        """Return the demands on two or three sentences."""
        return drawn(self.name, seed, _make)

    def read(self, text: str) -> Problem | None:
        """Return the demands in a text that says "uses river then lamp and ends with tower" once or more."""
        found = _DEMAND.findall(text.lower())
        return _problem(tuple(found)) if found else None

    def next_prompt(self, problem: Problem, path: Path) -> str:
        """Ask for one sentence."""
        demands = _demands(problem)
        starts = f"starts with the {_last(path[-1])} , " if path else ""
        told = f"Write sentence {len(path) + 1} of {len(demands)} that {starts}{_asked(demands[len(path)])} ."
        return f"{told} Sentence :"

    def value_prompt(self, problem: Problem, path: Path) -> str:
        """Ask whether every sentence written meets its demand."""
        demands = " ; ".join(" ".join(demand) for demand in _demands(problem)[: max(1, len(path))])
        asked = "Does every sentence meet its demand ? List its words , then end with value 0 to 10 ."
        return " ".join((f"Demands , in order , the last word last : {demands} . Text :", *path, asked))

    def thought(self, problem: Problem, path: Path, text: str) -> str | None:
        """Return the first sentence of the text, lower case, without quotes and commas."""
        sentence = re.split(r"[.!?\n]", re.sub(r"^\W+", "", text.lower()))[0]
        words = re.findall(r"[a-z']+", sentence)
        sound = _FEWEST_WORDS <= len(words) <= _MOST_WORDS and len(path) < problem.depth
        return " ".join((*words, ".")) if sound else None

    def value(self, text: str) -> float | None:
        """Return the value an evaluation states."""
        return read_value(text)

    def done(self, problem: Problem, path: Path) -> bool:
        """Tell whether all sentences are written."""
        return len(path) >= problem.depth

    def right(self, problem: Problem, path: Path) -> bool:
        """Tell whether all sentences are written and meet their demands."""
        return self.done(problem, path) and all(_all_met(problem, path))

    def hopeless(self, problem: Problem, path: Path) -> bool:
        """Tell whether a sentence has another ending than it must have."""
        return any(_last(sentence) != end for sentence, (_, _, end) in zip(path, _demands(problem), strict=False))

    def worth(self, problem: Problem, path: Path) -> float:
        """Return 10 when every sentence meets its demand, else 0."""
        return 10.0 if all(_all_met(problem, path)) else 0.0

    def answer(self, problem: Problem, path: Path) -> str:
        """Return the text."""
        return " ".join(sentence.capitalize().replace(" .", ".") for sentence in path)

    def lesson(self, rng: Random) -> Lesson:
        """Draw one training example."""
        return draw_lesson(self, rng, _write, _judge)


puzzle = Constraints()
