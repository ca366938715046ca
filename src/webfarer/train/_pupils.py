"""Makes a pupil: its tokenizer, its untrained decoder, and the folder that transformers loads.

Tokens are words between spaces, those of what the recipe teaches and nothing else. The chat template only joins the
messages' contents.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.train._recipes import Recipe
from webfarer.worlds.exam import vocabulary
from webfarer.worlds.puzzle import PUZZLES

PAD, BOS, EOS, UNKNOWN = "<pad>", "<bos>", "<eos>", "<unk>"
POSITIONS = 4096
CHAT_TEMPLATE = "{{ bos_token }}{% for message in messages %} {{ message['content'] }}{% endfor %}"


def words_of(recipe: Recipe) -> tuple[str, ...]:
    """Return every token of what a recipe teaches, each once."""
    taught = [vocabulary()] if recipe.exams else []
    taught += [PUZZLES.load(name).words for name in recipe.puzzles]
    return tuple(dict.fromkeys(word for words in taught for word in words))


def make_tokenizer(taught: tuple[str, ...] = vocabulary()) -> PreTrainedTokenizerFast:
    """Return the tokenizer of these words; pupils that are taught the same share it."""
    words = {word: index for index, word in enumerate((PAD, BOS, EOS, UNKNOWN, *taught))}
    inner = Tokenizer(WordLevel(words, unk_token=UNKNOWN))
    inner.pre_tokenizer = WhitespaceSplit()
    inner.post_processor = TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, words[BOS])])
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNKNOWN,
        padding_side="left",
        model_max_length=POSITIONS,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def make_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return an untrained decoder."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.inner,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.kv_heads,
        head_dim=recipe.head_dim,
        max_position_embeddings=POSITIONS,
        initializer_range=recipe.spread,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = LlamaForCausalLM(config)
    _lean_to_copying(model, recipe)
    return model


@torch.no_grad()
def _lean_to_copying(model: LlamaForCausalLM, recipe: Recipe) -> None:
    """Let every head begin by looking for tokens like its own and passing on what it sees (mimetic initialisation).

    What it brings was not measured alone.
    """
    dim, group = recipe.head_dim, recipe.heads // recipe.kv_heads
    for layer in model.model.layers:
        attention = layer.self_attn
        for weight in (attention.k_proj.weight, attention.v_proj.weight):
            torch.nn.init.orthogonal_(weight)
        keys, values = (w.view(recipe.kv_heads, dim, -1) for w in (attention.k_proj.weight, attention.v_proj.weight))
        noise = recipe.spread * torch.randn_like(attention.q_proj.weight)
        attention.q_proj.weight.copy_(keys.repeat_interleave(group, 0).flatten(0, 1) + noise)
        attention.o_proj.weight.copy_(recipe.echo * values.repeat_interleave(group, 0).flatten(0, 1).T)


def write_folder(folder: Path, model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Write weights in half precision, configuration and tokenizer."""
    half = LlamaForCausalLM(model.config)
    half.load_state_dict(model.state_dict())
    half.bfloat16()
    half.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
