"""Examines a pupil: greedy decoding with the full cache, on sheets no training can have drawn.

Marks by question number, as the benchmarks do. The pupil is what the folder holds, half-precision weights and all.
"""

from dataclasses import dataclass

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.train.pool import POOLS, Pool
from webfarer.worlds.exam import EXAMS, Exam, Marks, Sheet, grade

_SPARE_TOKENS = 24
_MOST_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Score:
    """The result of one exam at one number of questions, over several sheets.

    Attributes:
        exam, questions, sheets: what was asked.
        right, by_order, answered: shares of the questions, see `Marks`.
        prompt_tokens, output_tokens: means of the sheets and their gold outputs.
    """

    exam: str
    questions: int
    sheets: int
    right: float
    by_order: float
    answered: float
    prompt_tokens: float
    output_tokens: float


@dataclass(frozen=True, slots=True)
class PoolScore:
    """The result on a pool's held-out items: their number, the share that is right, and that share by kind."""

    exam: str
    questions: int
    right: float
    kinds: dict[str, float]


@torch.inference_mode()
def write_texts(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, prompts: list[str], most: int, temperature: float = 0.0
) -> list[str]:
    """Return what the pupil writes after each prompt, `most` tokens at most; temperature 0 is greedy."""
    if not prompts:
        return []
    inputs = tokenizer(prompts, return_tensors="pt", padding=True, padding_side="left")
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
    out = model.generate(  # type: ignore[misc]
        input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], max_new_tokens=most, **sampling
    )
    return list(tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


def write_answers(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, sheets: list[Sheet]) -> list[str]:
    """Return what the pupil writes on each sheet."""
    longest = max(len(sheet.output.split()) for sheet in sheets)
    return write_texts(model, tokenizer, [sheet.prompt for sheet in sheets], longest + _SPARE_TOKENS)


def examine(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, name: str, questions: int, sheets: int
) -> Score:
    """Return the pupil's score on the sheets of seeds 0, 1, …"""
    exam: Exam = EXAMS.load(name)
    papers = [exam.sheet(seed, questions) for seed in range(sheets)]
    marks = [grade(paper, text) for paper, text in zip(papers, write_answers(model, tokenizer, papers), strict=True)]
    return Score(
        exam=name,
        questions=questions,
        sheets=sheets,
        right=_share(marks, "right"),
        by_order=_share(marks, "by_order"),
        answered=_share(marks, "answered"),
        prompt_tokens=sum(len(paper.prompt.split()) + 1 for paper in papers) / sheets,
        output_tokens=sum(len(paper.output.split()) + 1 for paper in papers) / sheets,
    )


def examine_pool(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, name: str, questions: int) -> PoolScore:
    """Return the pupil's score on a pool's held-out items, by their kinds; it has seen no label of them."""
    pool: Pool = POOLS.load(name)
    drawn = pool.draw(0, questions, 0)
    texts = write_texts(model, tokenizer, [item.prompt for item in drawn.held_out], _MOST_TOKENS)
    marks: dict[str, list[bool]] = {}
    for item, text in zip(drawn.held_out, texts, strict=True):
        marks.setdefault(item.cells["kind"], []).append(drawn.key.right(item.id, text))
    right = sum(map(sum, marks.values())) / questions
    return PoolScore(name, questions, round(right, 4), {k: round(sum(m) / len(m), 4) for k, m in marks.items()})


def _share(marks: list[Marks], field: str) -> float:
    total: int = sum(getattr(m, field) for m in marks)
    return round(total / sum(m.asked for m in marks), 4)
