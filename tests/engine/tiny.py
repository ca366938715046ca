"""Tiny random models of every family, made in code: what the engine's tests run instead of downloads.

Not trained: their texts are noise. Weights are spread wide, so a wrong window, cap or rotation shows in the logits.
Invariant: the same arguments give the same weights.
"""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

VOCAB = 300
TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ("<|end|>", "<|system|>", "<|user|>", "<|assistant|>")


def build(model_type: str, *, dtype: torch.dtype = torch.float64, layers: int = 3, seed: int = 0, **config: Any) -> Any:
    """Build a random model of the given type.

    Args:
        model_type: a key of transformers' configurations.
        dtype: of its weights.
        layers: number of layers.
        seed: of its weights.
        **config: other settings of its configuration.
    """
    settings: dict[str, Any] = {
        "vocab_size": VOCAB,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "bos_token_id": None,
        "eos_token_id": 256,
        "pad_token_id": 256,
        "tie_word_embeddings": False,
        **config,
    }
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(CONFIG_MAPPING[model_type](**settings)).eval()
    with torch.no_grad():
        for weight in model.parameters():  # not buffers: a checkpoint's angles stay float32 in every dtype
            noise = torch.randn(weight.shape, generator=generator)
            scale = 0.3 if weight.dim() == 1 else weight.shape[-1] ** -0.5
            base = weight if weight.dim() == 1 else 0.0
            weight.data = (base + scale * noise).to(dtype)
    return model


def llama(**config: Any) -> PreTrainedModel:
    """Llama: grouped queries, nothing else."""
    return build("llama", **config)


def mistral(**config: Any) -> PreTrainedModel:
    """Mistral: a sliding window in every layer."""
    return build("mistral", **{"sliding_window": 7, **config})


def qwen2(**config: Any) -> PreTrainedModel:
    """Qwen2 and Qwen2.5: biases, a window from the second layer on, tied embedding."""
    window = {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1}
    return build("qwen2", **{**window, "tie_word_embeddings": True, **config})


def qwen3(**config: Any) -> PreTrainedModel:
    """Qwen3: normed heads that are wider than hidden / heads, tied embedding."""
    return build("qwen3", **{"head_dim": 16, "tie_word_embeddings": True, **config})


def gemma2(**config: Any) -> PreTrainedModel:
    """Gemma 2: norms around parts, capped logits, a window in every other layer."""
    caps = {"attn_logit_softcapping": 3.0, "final_logit_softcapping": 5.0, "query_pre_attn_scalar": 11}
    return build("gemma2", **{**caps, "head_dim": 16, "sliding_window": 6, "tie_word_embeddings": True, **config})


def gemma3(**config: Any) -> PreTrainedModel:
    """Gemma 3 text: normed heads, local and global rotary bases, scaled global rotation."""
    rope = {
        "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1_000_000.0},
    }
    kinds = ["sliding_attention", "sliding_attention", "full_attention"]
    count = config.get("layers", 3)
    settings = {
        "head_dim": 16,
        "sliding_window": 6,
        "query_pre_attn_scalar": 13,
        "rope_parameters": rope,
        "layer_types": [kinds[layer % 3] for layer in range(count)],
        "tie_word_embeddings": True,
    }
    return build("gemma3_text", **{**settings, **config})


def phi3(**config: Any) -> PreTrainedModel:
    """Phi-3: fused linears, partial rotation with long and short factors."""
    rope = {
        "rope_type": "longrope",
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.5,
        "original_max_position_embeddings": 64,
        "short_factor": [1.0, 1.1],
        "long_factor": [1.5, 4.0],
    }
    return build("phi3", **{"rope_parameters": rope, "original_max_position_embeddings": 64, **config})


FAMILIES = {
    "llama": llama,
    "mistral": mistral,
    "qwen2": qwen2,
    "qwen3": qwen3,
    "gemma2": gemma2,
    "gemma3": gemma3,
    "phi3": phi3,
}


def tokenizer() -> PreTrainedTokenizerFast:
    """Make a tokenizer of bytes, with the end of a turn as its end token and a chat template."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE({letter: index for index, letter in enumerate(alphabet)}, []))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token=SPECIAL[0], pad_token=SPECIAL[0], extra_special_tokens=list(SPECIAL[1:])
    )
    made.chat_template = TEMPLATE
    return made


def save(model: PreTrainedModel, folder: Path) -> Path:
    """Write a model and its tokenizer as a checkpoint folder; return the folder."""
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder
