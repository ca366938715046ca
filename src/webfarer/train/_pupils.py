"""Makes a pupil: its tokenizer, its untrained decoder, and the folder that transformers loads.

Tokens are words between spaces, those of what the recipe teaches and nothing else. The chat template only joins the
messages' contents; that of a pupil to be fine-tuned also ends its turns.
"""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Metaspace, WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.train._recipes import Recipe
from webfarer.train.pool import POOLS
from webfarer.worlds.exam import vocabulary
from webfarer.worlds.puzzle import PUZZLES

PAD, BOS, EOS, UNKNOWN = "<pad>", "<bos>", "<eos>", "<unk>"
POSITIONS = 4096
CHAT_TEMPLATE = "{{ bos_token }}{% for message in messages %} {{ message['content'] }}{% endfor %}"

_SPACE = "\u2581"
_END_OF_TURN = "{% if message['role'] == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"


def words_of(recipe: Recipe) -> tuple[str, ...]:
    """Return every token of what a recipe teaches, each once."""
    taught = [vocabulary()] if recipe.exams else []
    taught += [PUZZLES.load(name).words for name in recipe.puzzles]
    taught += [POOLS.load(name).vocabulary() for name in recipe.pools]
    return tuple(dict.fromkeys(word for words in taught for word in words))


def make_tokenizer(taught: tuple[str, ...] = vocabulary(), *, tuned: bool = False) -> PreTrainedTokenizerFast:
    """Return the tokenizer of these words; pupils that are taught the same share it.

    Args:
        taught: the words.
        tuned: for a pupil to be fine-tuned: tokens hold the space before the word, so that decoded they are the text
            they were made of, and what the pupil says ends with a token.
    """
    space = _SPACE if tuned else ""
    words = {word: index for index, word in enumerate((PAD, BOS, EOS, UNKNOWN, *(space + word for word in taught)))}
    inner = Tokenizer(WordLevel(words, unk_token=UNKNOWN))
    if tuned:
        inner.pre_tokenizer = Metaspace(_SPACE, prepend_scheme="first")
        inner.decoder = decoders.Metaspace(_SPACE, prepend_scheme="first")
    else:
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
    tokenizer.chat_template = CHAT_TEMPLATE.replace("{% endfor %}", _END_OF_TURN) if tuned else CHAT_TEMPLATE
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
