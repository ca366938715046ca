"""Batches of examples: many sequences in one row without padding, or one to a row, padded.

In a packed row positions begin anew with every sequence. Attention gathers the sequences into rows of their own, those
of about one length together, so it needs no mask and no token sees another sequence; all other layers work on the
packed row. Invariant: packed or padded, alone or in company, a sequence has the same loss and the same gradient.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from heapq import heapreplace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from webfarer.core.errors import ConfigError, boundary
from webfarer.data.masking import IGNORED
from webfarer.train.example import Example

NAME = "webfarer_packed"
"""Our attention's id among those of transformers."""

_ADVICE = "train it without packing (--no-packing)"
_EXPERTS = 1e-5  # of the largest logit: what experts may round otherwise


@dataclass(frozen=True, slots=True)
class Spans:
    """Where the sequences of a packed row lie.

    Attributes:
        rows: token numbers, sequences by longest of them, for each group of sequences of about one length; what stands
            behind a sequence's end is not read, as attention is causal.
        back: for each token of the packed row its number among those of all rows, one behind another.
        longest: tokens of the longest sequence that is here or will come.
    """

    rows: tuple[Tensor, ...]
    back: Tensor
    longest: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one forward pass is given.

    Attributes:
        inputs: of the model.
        targets: of each token the one that follows, or IGNORED where that is not taught.
    """

    inputs: dict[str, Any]
    targets: Tensor


def split(lengths: Sequence[int], room: int, packed: bool, processes: int = 1) -> list[list[int]]:
    """Divide the sequences of a step into forward passes of at most `room` tokens; a longer sequence goes alone.

    Sequences of like length go together. There are as many parts for every process; the last ones may be empty.
    """
    order = sorted(range(len(lengths)), key=lambda number: (-lengths[number], number))
    if packed and processes > 1:
        return _shared(lengths, order, room, processes)
    parts: list[list[int]] = []
    filled = room
    for number in order:
        wide = lengths[number] if packed or not parts else lengths[parts[-1][0]]
        if filled + wide > room:
            parts.append([])
            filled, wide = 0, lengths[number]
        parts[-1].append(number)
        filled += wide
    return parts + [[] for _ in range(-len(parts) % processes)]


def _shared(lengths: Sequence[int], order: Sequence[int], room: int, processes: int) -> list[list[int]]:
    """Put the longest sequence that is left into the emptiest part, in as few parts as hold them all."""
    count = processes * (-(-sum(lengths) // (room * processes)) - 1)
    while True:
        count += processes
        parts: list[list[int]] = [[] for _ in range(count)]
        filled = [(0, place) for place in range(count)]
        for number in order:
            tokens, place = filled[0]
            if tokens and tokens + lengths[number] > room:
                break
            heapreplace(filled, (tokens + lengths[number], place))
            parts[place].append(number)
        else:
            return parts


def collate(examples: Sequence[Example], packed: bool, device: torch.device) -> Batch:
    """Return examples as one batch."""
    targets = [(*example.labels[1:], IGNORED) for example in examples]
    if not packed:
        longest = max(len(example.ids) for example in examples)
        mask = [[1] * len(e.ids) + [0] * (longest - len(e.ids)) for e in examples]
        inputs: dict[str, Any] = {
            "input_ids": _padded([e.ids for e in examples], 0, longest, device),
            "attention_mask": torch.tensor(mask, device=device),
        }
        return Batch(inputs, _padded(targets, IGNORED, longest, device))
    lengths = [len(example.ids) for example in examples]
    inputs = {
        "input_ids": torch.tensor([[number for example in examples for number in example.ids]], device=device),
        "position_ids": torch.tensor([[place for length in lengths for place in range(length)]], device=device),
        "spans": _spans(lengths, device),
    }
    return Batch(inputs, torch.tensor([[number for target in targets for number in target]], device=device))


def _padded(rows: Sequence[Sequence[int]], filler: int, longest: int, device: torch.device) -> Tensor:
    return torch.tensor([[*row, *[filler] * (longest - len(row))] for row in rows], device=device)


def _spans(lengths: Sequence[int], device: torch.device) -> Spans:
    groups: dict[int, list[tuple[int, int]]] = {}
    start = 0
    for length in lengths:
        groups.setdefault((length - 1).bit_length(), []).append((start, length))
        start += length
    rows, back, passed = [], torch.empty(start, dtype=torch.long), 0
    for group in groups.values():
        longest = max(length for _, length in group)
        starts, sizes = torch.tensor(group).T
        places = torch.arange(longest)
        numbers = starts[:, None] + places.minimum(sizes[:, None] - 1)
        real = places < sizes[:, None]
        back[numbers[real]] = passed + torch.arange(numbers.numel()).view_as(numbers)[real]
        rows.append(numbers.to(device))
        passed += numbers.numel()
    return Spans(tuple(rows), back.to(device), max(lengths))


def loss_sum(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Return −Σ log p of the taught tokens."""
    return cross_entropy(*_taught(model, batch), ignore_index=IGNORED, reduction="sum")


def marks(model: torch.nn.Module, batch: Batch) -> Tensor:
    """Return −Σ log p of the taught tokens, and how many of them the model holds likeliest."""
    logits, wanted = _taught(model, batch)
    loss = cross_entropy(logits, wanted, ignore_index=IGNORED, reduction="sum")
    return torch.stack([loss, (logits.argmax(-1) == wanted).sum()])


def _taught(model: torch.nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return logits and targets of the columns in which something is taught, no others."""
    columns = (batch.targets != IGNORED).any(0).nonzero()[:, 0]
    logits = model(**batch.inputs, use_cache=False, logits_to_keep=columns).logits
    exact = logits if logits.dtype == torch.float64 else logits.float()
    return exact.flatten(0, 1), batch.targets[:, columns].flatten()


def check_lengths(model: PreTrainedModel, examples: Sequence[Example]) -> None:
    """See that no sequence would change what others in its batch are given.

    Raises:
        ConfigError: one is so long that the model turns positions of its whole batch otherwise.
    """
    config, longest = model.config.get_text_config(), max(len(example.ids) for example in examples)
    given = getattr(config, "rope_parameters", None) or {}
    for rope in (given, *given.values()):  # some models have one for every kind of layer
        if isinstance(rope, Mapping) and rope.get("rope_type") in ("longrope", "dynamic"):
            most = rope.get("original_max_position_embeddings") or config.max_position_embeddings
            if longest > most:
                raise ConfigError(
                    f"a sequence has {longest} tokens: beyond {most}, this model turns the positions of all sequences "
                    f"in a batch otherwise; leave such rows out: --longest {most} --drop-long"
                )


@contextmanager
def packing(model: PreTrainedModel, examples: Sequence[Example]) -> Iterator[None]:
    """Let a model attend within the sequences of packed rows, once it is seen on two examples that it does so exactly.

    Raises:
        ConfigError: its layers look across sequences, or its attention is not of a kind that can be packed.
    """
    neighbour, shown = (Example(e.id, e.ids[:64], e.ids[:64]) for e in (examples[0], examples[-1]))
    other = replace(neighbour, ids=tuple(abs(each - 1) for each in neighbour.ids))
    longest = max(len(example.ids) for example in examples)
    chunk = getattr(model.config.get_text_config(), "attention_chunk_size", None)
    if chunk and chunk < longest:
        raise ConfigError(f"a sequence is longer than the model's attention chunk of {chunk} tokens; {_ADVICE}")
    before = model.config._attn_implementation
    with boundary(ConfigError, f"this model cannot be packed; {_ADVICE}"):
        alone = _logits(model, [shown], longest)
        model.set_attn_implementation(NAME)
    try:
        if model.config._attn_implementation != NAME:
            raise ConfigError(f"this model cannot be packed: it has an attention of its own; {_ADVICE}")
        with boundary(ConfigError, f"this model cannot be packed; {_ADVICE}"):
            beside, beside_other = (
                _logits(model, [each, shown], longest)[len(each.ids) :] for each in (neighbour, other)
            )
        rounding = torch.finfo(model.dtype).eps
        # batches of one shape are rounded alike; only experts, who get other tokens, may round otherwise
        for off, most in ((beside - beside_other, max(_EXPERTS, 2 * rounding)), (beside - alone, rounding**0.5)):
            share = float(off.abs().max() / alone.abs().max())
            if share > most:
                raise ConfigError(
                    f"this model's layers look across packed sequences: logits are off by {share:.1%} beside another; "
                    f"{_ADVICE}"
                )
        yield
    finally:
        model.set_attn_implementation(before)


@torch.no_grad()
def _logits(model: PreTrainedModel, examples: Sequence[Example], longest: int) -> Tensor:
    training = model.training
    model.train(False)
    inputs = collate(examples, model.config._attn_implementation == NAME, model.device).inputs
    if "spans" in inputs:
        inputs["spans"] = replace(inputs["spans"], longest=longest)
    logits: Tensor = model(**inputs, use_cache=False).logits[0]
    model.train(training)
    return logits


def _attend(
    module: torch.nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **given: Any
) -> tuple[Tensor, None]:
    """Attend within each sequence: queries, keys and values [1, heads, tokens, width] to [1, tokens, heads, width]."""
    spans: Spans = given["spans"]
    window = given.get("sliding_window")
    if any(given.get(name) is not None for name in ("softcap", "s_aux", "position_bias")):
        raise ConfigError(f"this model cannot be packed: its attention has a cap, sinks or a bias; {_ADVICE}")
    if window is not None and window < spans.longest:
        raise ConfigError(f"a sequence is longer than the model's attention window of {window} tokens; {_ADVICE}")

    def apart(states: Tensor, rows: Tensor) -> Tensor:
        tokens = states[0].transpose(0, 1).index_select(0, rows.flatten())
        return tokens.view(*rows.shape, *tokens.shape[1:]).transpose(1, 2)

    attended = []
    for rows in spans.rows:
        out = scaled_dot_product_attention(
            apart(query, rows),
            apart(key, rows),
            apart(value, rows),
            dropout_p=given.get("dropout", 0.0),
            is_causal=True,
            scale=given.get("scaling"),
            enable_gqa=query.shape[1] != key.shape[1],
        )
        attended.append(out.transpose(1, 2).flatten(0, 1))
    return torch.cat(attended).index_select(0, spans.back)[None], None


AttentionInterface.register(NAME, _attend)
