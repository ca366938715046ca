"""Arithmetic with a carried state: each question adds and subtracts small numbers, step by step, modulo 100.

The output restates every step and the running value. Some questions start from the result of an earlier one, which
stands nowhere but in the text already generated.
"""

from random import Random

from webfarer.worlds.exam import NUMBERS, STEPS, Entry, Exam, practice_questions

_LARGEST_OPERAND = 9


def _compose(rng: Random, numbers: list[str], size: dict[str, int]) -> tuple[str, list[Entry]]:
    entries: list[Entry] = []
    for index in range(len(numbers)):
        if index and rng.randrange(100) < size["carried_percent"]:
            earlier = rng.randrange(index)
            value = int(entries[earlier].answer)
            asked = f"from r{numbers[earlier]}"
            worked = f"{asked} is {value:02d}"
        else:
            value = rng.randrange(len(NUMBERS))
            asked = worked = f"start {value:02d}"
        for step in STEPS[: size["steps"]]:
            sign, operand = rng.choice((1, -1)), rng.randint(1, _LARGEST_OPERAND)
            value = (value + sign * operand) % len(NUMBERS)
            operation = f"{step} {'plus' if sign > 0 else 'minus'} {operand:02d}"
            asked += f" {operation}"
            worked += f" {operation} makes {value:02d}"
        entries.append(Entry(asked, worked, f"{value:02d}"))
    return "", entries


def _practise(rng: Random, share: float) -> tuple[int, dict[str, int]]:
    return practice_questions(rng, share, full=20)[0], {}


exam = Exam("arithmetic", _compose, _practise, {"steps": 3, "carried_percent": 35})
