"""Examines a pupil on puzzles no training can have drawn: single thoughts, values, and whole paths.

Not a tree search: a path is written thought by thought, nothing is chosen or taken back. The oracle of the puzzle
marks every thought and value; its word never reaches the pupil.
"""

from dataclasses import dataclass

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.train._examination import write_texts
from webfarer.worlds.puzzle import PUZZLES, Path, Problem, Puzzle

_SAMPLES = 5
_TEMPERATURE = 0.7
_MOST_TOKENS = 48


@dataclass(frozen=True, slots=True)
class PuzzleScore:
    """The result on one puzzle, over several problems.

    Attributes:
        exam, questions: the puzzle and the number of problems.
        right: share of the problems solved by one greedy path.
        right_in_samples: share solved by at least one of `samples` sampled paths.
        legal: share of legal texts among the sampled next thoughts.
        keeps: share of the sampled next thoughts after which the problem can still be solved, asked where it could be.
        values: share of right values, over the different sampled paths.
        valued: how many paths that were.
    """

    exam: str
    questions: int
    right: float
    right_in_samples: float
    samples: int
    legal: float
    keeps: float
    values: float
    valued: int


@dataclass
class _Walk:
    """One path under way; `legal` and `keeps` hold a mark for every thought asked for."""

    problem: Problem
    path: Path
    legal: list[bool]
    keeps: list[bool]
    stuck: bool = False


def examine_puzzle(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, name: str, problems: int
) -> PuzzleScore:
    """Return the pupil's score on the problems of seeds 0, 1, …"""
    puzzle: Puzzle = PUZZLES.load(name)
    drawn = [puzzle.draw(seed) for seed in range(problems)]
    greedy = _walk(model, tokenizer, puzzle, drawn, 0.0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sampled = _walk(model, tokenizer, puzzle, drawn * _SAMPLES, _TEMPERATURE)
    solved = [puzzle.right(walk.problem, walk.path) for walk in sampled]
    passed = {(walk.problem, walk.path[:n]) for walk in sampled for n in range(1, len(walk.path) + 1)}
    asked = sorted(passed, key=lambda at: (at[0].text, at[1]))
    texts = write_texts(model, tokenizer, [puzzle.value_prompt(*at) for at in asked], _MOST_TOKENS)
    return PuzzleScore(
        exam=name,
        questions=problems,
        right=_share([puzzle.right(walk.problem, walk.path) for walk in greedy]),
        right_in_samples=_share([any(solved[index::problems]) for index in range(problems)]),
        samples=_SAMPLES,
        legal=_share([mark for walk in sampled for mark in walk.legal]),
        keeps=_share([mark for walk in sampled for mark in walk.keeps]),
        values=_share([puzzle.value(text) == puzzle.worth(*at) for text, at in zip(texts, asked, strict=True)]),
        valued=len(asked),
    )


def _walk(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    puzzle: Puzzle,
    problems: list[Problem],
    temperature: float,
) -> list[_Walk]:
    """Write a path for every problem, all of them at once, until each is complete or its next thought is illegal."""
    walks = [_Walk(problem, (), [], []) for problem in problems]
    while under_way := [walk for walk in walks if not walk.stuck and not puzzle.done(walk.problem, walk.path)]:
        prompts = [puzzle.next_prompt(walk.problem, walk.path) for walk in under_way]
        texts = write_texts(model, tokenizer, prompts, _MOST_TOKENS, temperature)
        for walk, text in zip(under_way, texts, strict=True):
            thought = puzzle.thought(walk.problem, walk.path, text)
            could = puzzle.worth(walk.problem, walk.path) > 0
            walk.legal.append(thought is not None)
            walk.stuck = thought is None
            if thought is not None:
                walk.path = (*walk.path, thought)
            if could:
                walk.keeps.append(thought is not None and puzzle.worth(walk.problem, walk.path) > 0)
    return walks


def _share(marks: list[bool]) -> float:
    return round(sum(marks) / len(marks), 4) if marks else 0.0
