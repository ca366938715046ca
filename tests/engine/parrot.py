"""A tiny model that says what it is told to: its next token depends on the last one only.

A real checkpoint with a real tokenizer and chat template, so that what is tested of chats and servers is the real way.
Invariant: after the generation prompt of the template it says its pieces in order, then its end token.
"""

from collections.abc import Sequence
from pathlib import Path

import tiny
import torch
from tokenizers import AddedToken

WIDTH = 320
_SURE = 50.0
TOOLS_TEMPLATE = """{%- if tools %}<|system|>{% for tool in tools %}{{ tool | tojson }}{% endfor %}<|end|>{% endif %}
{%- for message in messages %}<|{{ message.role if message.role != 'tool' else 'user' }}|>{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>{"id": "{{ call.id }}", "name": "{{ call.function.name }}",
{#- #} "arguments": {{ call.function.arguments | tojson }}}</tool_call>{% endfor %}<|end|>{% endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}"""


def tokenizer(pieces: Sequence[str] = (), template: str = TOOLS_TEMPLATE, special: Sequence[str] = ()):
    """Make a tokenizer that has each of `pieces`, and each of the `special` tokens, as one token."""
    made = tiny.tokenizer()
    tokens = [AddedToken(piece, normalized=False, special=piece in special) for piece in dict.fromkeys(pieces)]
    made.add_tokens(tokens)
    made.chat_template = template
    return made


def save(
    folder: Path, *pieces: str, template: str = TOOLS_TEMPLATE, special: Sequence[str] = (), context: int = 2048
) -> Path:
    """Write a model that says `pieces`, all different, and ends; without any it goes on with "x"."""
    language = tokenizer(pieces, template, special)
    model = tiny.llama(
        dtype=torch.float32, layers=1, vocab_size=WIDTH, hidden_size=WIDTH, max_position_embeddings=context
    )
    start, end = language.convert_tokens_to_ids("<|assistant|>"), language.eos_token_id
    said = [language.convert_tokens_to_ids(piece) for piece in pieces]
    follows = dict.fromkeys(range(WIDTH), said[0] if said else language.convert_tokens_to_ids("x"))
    follows |= dict(zip([start, *said], [*said, end], strict=True)) if said else {}
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(WIDTH))
        model.model.norm.weight.fill_(1.0)
        for token, after in follows.items():
            model.lm_head.weight[after, token] = _SURE
    model.save_pretrained(folder)
    language.save_pretrained(folder)
    return folder
