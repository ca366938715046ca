"""Tokenizers with the chat templates of model families, built in code."""

import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

OWN = Path(__file__).parent / "templates"
_LINES = (
    "The bakery at Nowhere Street opened in 1931.\n\nIts director is Ada Quill.\n\n",
    *("\n\n",) * 9,
    '{"name": "search", "arguments": {"query": "who opened the bakery"}}\n',
    "我们在哪里？面包店在一九三一年开业。\n",
)
# as Qwen and Llama 3 split text: a run of line breaks is one piece, wherever it stands
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPECIAL = re.compile(r"<[|｜][^<>|｜\s]{1,40}[|｜]>|<(?:start|end)_of_turn>|\[/?[A-Z_]{4,}\]")

FAMILIES = {  # where its template is, and tokens that are added without being special
    "qwen2_5": ("trl", ("<tool_call>", "</tool_call>")),
    "qwen3": ("trl", ("<tool_call>", "</tool_call>", "<think>", "</think>", "<tool_response>", "</tool_response>")),
    "qwen3_5_think": ("trl", ("<tool_call>", "</tool_call>", "<think>", "</think>")),
    "llama3_1": ("trl", ()),
    "mistral_v3": ("own", ()),
    "gemma": ("trl", ()),
    "gemma3": ("trl", ()),
    "phi3": ("trl", ()),
    "hermes": ("own", ("<tool_call>", "</tool_call>")),
    "deepseek_r1_distill": ("trl", ("<think>", "</think>")),
    "gptoss": ("trl", ()),
}
ENDS = {  # what the model writes at the end of its turn
    "llama3_1": "<|eot_id|>",
    "mistral_v3": "</s>",
    "gemma": "<end_of_turn>",
    "gemma3": "<end_of_turn>",
    "phi3": "<|end|>",
    "deepseek_r1_distill": "<｜end▁of▁sentence｜>",
    "gptoss": "<|return|>",
}
CALLING = ("qwen2_5", "qwen3", "qwen3_5_think", "llama3_1", "mistral_v3", "hermes", "gptoss")
"""Families whose templates write calls."""


def template(name: str, where: str = "trl") -> str:
    """Return a chat template, from TRL or of our own."""
    if where == "own":
        return (OWN / f"{name}.jinja").read_text()
    return (files("trl") / "chat_templates" / f"{name}.jinja").read_text()


@cache
def tokenizer(family: str) -> PreTrainedTokenizerFast:
    """Make a byte-level BPE tokenizer with the family's template and special tokens."""
    where, plain = FAMILIES[family]
    made = build(template(family, where), plain)
    made.eos_token = ENDS.get(family, "<|im_end|>")
    return made


def build(text: str, plain: tuple[str, ...] = (), spaced: str = "") -> PreTrainedTokenizerFast:
    """Make a tokenizer for a template.

    Args:
        text: the template.
        plain: tokens added to the vocabulary that are not special.
        spaced: how blanks are put before texts, as SentencePiece does ("first", "always"); "" for a byte-level one.
    """
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(_WORDS), "isolated"), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    core.decoder = decoders.ByteLevel()
    if spaced:
        core.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=spaced, split=False)
        core.decoder = decoders.Metaspace(prepend_scheme=spaced, split=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    core.train_from_iterator(_LINES, trainer)
    special = sorted({*_SPECIAL.findall(text), "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"})
    core.add_special_tokens([AddedToken(each, special=True, normalized=False) for each in special])
    core.add_tokens([AddedToken(each, special=False, normalized=False) for each in plain])
    made = PreTrainedTokenizerFast(tokenizer_object=core, bos_token="<s>", eos_token="</s>")
    made.chat_template = text
    return made
