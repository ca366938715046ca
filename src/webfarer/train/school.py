"""A school: raises a small decoder from nothing by a recipe, examines it, and writes it as a folder.

Not fine-tuning of somebody's model. Same recipe, same seed, same number of threads: same weights; a training resumed
from a checkpoint ends where the uninterrupted one ends.
"""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.core.errors import ConfigError
from webfarer.train._examination import PoolScore, Score, examine, examine_pool
from webfarer.train._lessons import IGNORED, Batch, collate, draw
from webfarer.train._pupils import make_model, make_tokenizer, words_of, write_folder
from webfarer.train._puzzling import PuzzleScore, examine_puzzle
from webfarer.train._recipes import RECIPES, Recipe

CHECKPOINT = "checkpoint.pt"
CARD = "card.json"
PAPERS = (8, 12, 16, 20, 24, 30)

_CLIP = 1.0
_SAVE_EVERY = 200
_CURVE_POINTS = 60
_ITEMS_PER_SHEET = 10

AnyScore = Score | PuzzleScore | PoolScore
Watch = Callable[["Term"], None]


@dataclass
class Term:
    """A training under way.

    Attributes:
        step: steps done.
        seen: tokens seen, padding included.
        losses: of each step, the exam and the mean loss of an output token.
    """

    recipe: Recipe
    seed: int
    tokenizer: PreTrainedTokenizerFast
    model: LlamaForCausalLM
    optimiser: torch.optim.Optimizer
    step: int = 0
    seen: int = 0
    losses: list[tuple[str, float]] = field(default_factory=list)

    def advance(self) -> None:
        """Do one step."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(self.step)
        batch = collate(*draw(self.recipe, self.seed, self.step), self.tokenizer)
        loss = _loss(self.model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), _CLIP)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        self.seen += batch.tokens
        self.losses.append((batch.exam, round(loss.item(), 5)))

    def save(self, path: Path) -> None:
        """Write a checkpoint; a crash leaves the old one or the new one, never half of one."""
        state = {
            "recipe": asdict(self.recipe),
            "seed": self.seed,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "seen": self.seen,
            "losses": self.losses,
        }
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def restore(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            ConfigError: it belongs to another recipe or seed.
        """
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if (state["recipe"], state["seed"]) != (asdict(self.recipe), self.seed):
            raise ConfigError(f"{path} belongs to another recipe or seed; choose another folder or delete it")
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seen, self.losses = state["step"], state["seen"], state["losses"]


def enrol(recipe: Recipe, seed: int) -> Term:
    """Return a training that has not begun."""
    tokenizer = make_tokenizer(words_of(recipe), tuned=bool(recipe.pools))
    model = make_model(recipe, tokenizer, seed)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": recipe.decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=recipe.rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    return Term(recipe, seed, tokenizer, model, optimiser)


def train(recipe: Recipe, seed: int, folder: Path, watch: Watch = lambda term: None) -> Term:
    """Train to the recipe's last step, from the folder's checkpoint if there is one, and write the pupil.

    Args:
        recipe: what to do.
        seed: draws the first weights and the sheets.
        folder: receives the checkpoint, the weights, the tokenizer and the card.
        watch: called after every step.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, term = folder / CHECKPOINT, enrol(recipe, seed)
    if checkpoint.exists():
        term.restore(checkpoint)
    while term.step < recipe.steps:
        term.advance()
        watch(term)
        if term.step % _SAVE_EVERY == 0:
            term.save(checkpoint)
    term.save(checkpoint)
    write_folder(folder, term.model, term.tokenizer)
    return term


def write_card(term: Term, folder: Path, sheets: int, papers: tuple[int, ...] = PAPERS) -> list[AnyScore]:
    """Examine the pupil that lies in the folder, write its card there, and return the scores.

    Args:
        term: how it was trained.
        folder: where `train` put it.
        sheets: how many of each exam and size, and how many problems of each puzzle; of each pool ten times as many
            items.
        papers: the sizes, in questions.
    """
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    scores: list[AnyScore] = [
        examine(model, tokenizer, name, questions, sheets) for name in term.recipe.exams for questions in papers
    ]
    scores += [examine_puzzle(model, tokenizer, name, sheets) for name in sorted({*term.recipe.puzzles})]
    scores += [examine_pool(model, tokenizer, name, _ITEMS_PER_SHEET * sheets) for name in sorted({*term.recipe.pools})]
    card = {
        "recipe": asdict(term.recipe),
        "seed": term.seed,
        "made_with": {
            "command": f"webfarer train school --recipe {term.recipe.name} --seed {term.seed}",
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "threads": torch.get_num_threads(),
        },
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": term.step,
        "tokens_seen": term.seen,
        "scores": [asdict(score) for score in scores],
        "loss": _thinned(term.losses),
    }
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return scores


def recipe_named(name: str) -> Recipe:
    """Return a recipe.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in RECIPES:
        raise ConfigError(f"unknown recipe {name!r}; known: {', '.join(sorted(RECIPES))}")
    return RECIPES[name]


def _loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean loss of the output tokens. Rows are padded on the right, so a causal mask is mask enough."""
    hidden = model.model(input_ids=batch.ids[:, :-1], use_cache=False).last_hidden_state
    labels = batch.labels[:, 1:]
    counted = labels != IGNORED
    return cross_entropy(model.lm_head(hidden[counted]), labels[counted])


def _thinned(losses: list[tuple[str, float]]) -> list[dict[str, float]]:
    """Means over equal stretches of steps, at most _CURVE_POINTS of them."""
    width = -(-len(losses) // _CURVE_POINTS)
    curve = []
    for end in range(width, len(losses) + width, width):
        stretch = losses[end - width : end]
        point: dict[str, float] = {"step": min(end, len(losses))}
        for exam in sorted({exam for exam, _ in stretch}):
            of_exam = [loss for name, loss in stretch if name == exam]
            point[exam] = round(sum(of_exam) / len(of_exam), 4)
        curve.append(point)
    return curve
