"""A model of a few thousand parameters with LoRA that does something, and a tokenizer of words."""

import warnings

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from webfarer.train.language import Language

WORDS = ("<pad>", "<eos>", "<unk>", "?", *"abcdefghijklmnopqrs")
END = 1


def base(seed=0):
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        initializer_range=0.4,
        bos_token_id=None,
        eos_token_id=END,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).double()


def adapted(dropout=0.3, spread=0.1, dora=False, seed=0):
    """Return a model whose B is not 0, unless `spread` is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        config = LoraConfig(
            task_type="CAUSAL_LM", r=4, lora_dropout=dropout, target_modules="all-linear", use_dora=dora
        )
        model = get_peft_model(base(seed), config, autocast_adapter_dtype=False)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, spread) if spread else weight.zero_()
    return model.double()


def prompts(count, longest=9, seed=0):
    draw = np.random.default_rng(seed)
    return [tuple(map(int, draw.integers(3, len(WORDS), draw.integers(1, longest)))) for _ in range(count)]


def language():
    inner = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    inner.pre_tokenizer = WhitespaceSplit()
    return Language(
        PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
    )
