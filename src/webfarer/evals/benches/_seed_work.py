"""What the schedules have to write, and who writes it: a level of a search, a target and the same target made heavier.

A level is n next thoughts of one state (one prompt, other seeds) and then the evaluations of n states, as a tree of
thoughts asks for them. Not the search itself. Invariant: the heavier target is the same function as the target.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from webfarer.engine.loading import Loaded
from webfarer.engine.sampling import Request, SamplingParams
from webfarer.evals.pupil import folder, pupils
from webfarer.worlds.puzzle import PUZZLES, Puzzle

_APART = 100
"""So many problems of a puzzle belong to one seed."""
_PUZZLES = ("constraints", "game24", "blocksworld", "arithmetic")


@dataclass(frozen=True, slots=True)
class Texts:
    """How long texts are and how they are drawn.

    Attributes:
        new: tokens of each text, at most.
        fixed: texts go on past their end, so that each has exactly `new` tokens.
        temperature: 0 for greedy.
        levels: so many levels, of as many problems, are one run.
    """

    new: int
    fixed: bool
    temperature: float
    levels: int = 1

    @property
    def usual(self) -> bool:
        """Whether texts end where they end and are sampled, as in a search."""
        return not self.fixed and self.temperature > 0

    @property
    def title(self) -> str:
        """For a table."""
        length = f"{self.new} tokens each, past the end" if self.fixed else "texts as long as they are"
        return f"{length}, temperature {self.temperature:g}"


def home(name: str | Path) -> Path:
    """Return the folder of a pupil, or the folder that was named."""
    return folder(str(name)) if str(name) in pupils() else Path(name)


def phases(model: Loaded, texts: Texts, branches: int, seed: int) -> list[list[Request]]:
    """Return what is written at the same time, phase by phase; another seed, other problems of another puzzle."""
    found = []
    puzzle: Puzzle = PUZZLES.load(_PUZZLES[seed % len(_PUZZLES)])
    for level in range(texts.levels):
        first = seed * _APART + level * branches
        problems = [puzzle.draw(first + branch) for branch in range(branches)]
        thoughts = [puzzle.next_prompt(problems[0], ())] * branches
        values = [puzzle.value_prompt(problem, ()) for problem in problems]
        found += [[_request(model, texts, *pair) for pair in enumerate(prompts)] for prompts in (thoughts, values)]
    return found


def _request(model: Loaded, texts: Texts, branch: int, prompt: str) -> Request:
    params = SamplingParams(max_tokens=texts.new, temperature=texts.temperature, seed=branch, ignore_eos=texts.fixed)
    return Request(tuple(model.tokenizer(prompt)["input_ids"]), params)


def heavier(source: Path, place: Path, layers: int) -> Path:
    """Write a model with so many idle layers behind its own, and return its folder.

    An idle layer's output projections are zero: it takes the time of a layer and adds nothing.
    """
    auto: Any = AutoModelForCausalLM
    model = auto.from_pretrained(source, dtype=torch.float32)
    config = AutoConfig.from_pretrained(source)
    own = config.num_hidden_layers
    config.num_hidden_layers = own + layers
    torch.manual_seed(0)
    deep = auto.from_config(config, dtype=torch.float32)
    deep.load_state_dict(model.state_dict(), strict=False)
    with torch.no_grad():
        for layer in deep.model.layers[own:]:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    deep.save_pretrained(place)
    tokenizer: Any = AutoTokenizer.from_pretrained(source)
    tokenizer.save_pretrained(place)
    return place


def parameters(path: Path) -> float:
    """Return how many parameters the model in a folder has, in millions."""
    from safetensors import safe_open

    count = 0
    for file in path.glob("*.safetensors"):
        with safe_open(file, "pt") as weights:
            shapes: list[Sequence[int]] = [weights.get_slice(name).get_shape() for name in weights.keys()]  # noqa: SIM118  # not a dict
        count += sum(torch.Size(shape).numel() for shape in shapes)
    return count / 1e6
