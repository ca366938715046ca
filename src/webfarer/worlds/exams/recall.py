"""Recall: facts stand in the prompt, each question asks for the value of one key.

A key is two words that also occur in other keys, so only the whole fact answers. Nothing generated is needed again:
what this exam loses, it loses from the prompt.
"""

from random import Random

from webfarer.worlds.exam import ADJECTIVES, NOUNS, NUMBERS, Entry, Exam, practice_questions


def _compose(rng: Random, numbers: list[str], size: dict[str, int]) -> tuple[str, list[Entry]]:
    count = max(size["facts"], len(numbers))
    pairs = rng.sample(range(len(ADJECTIVES) * len(NOUNS)), count)
    facts = [
        (f"{ADJECTIVES[pair % len(ADJECTIVES)]} {NOUNS[pair // len(ADJECTIVES)]}", rng.choice(NUMBERS))
        for pair in pairs
    ]
    asked = rng.sample(facts, len(numbers))
    given = "".join(f" {key} {value} ;" for key, value in facts)
    return given, [Entry(f"asks {key}", f"asks {key} {value}", value) for key, value in asked]


def _practise(rng: Random, share: float) -> tuple[int, dict[str, int]]:
    questions, most = practice_questions(rng, share, full=30)
    return questions, {"facts": rng.randint(questions, max(questions, 2 * most))}


exam = Exam("recall", _compose, _practise, {"facts": 40})
