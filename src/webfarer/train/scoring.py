"""What a causal language model says of many prompts at once: outputs of its own, their probabilities, its states.

Rows of like length share a batch, padded on the left, so that outputs end in the last column and the head is computed
for those columns only; choices of one prompt share its keys and values. Not a serving engine. Invariant: what a row
gets does not depend on the rows beside it. Source of the dropout masks: Gal and Ghahramani, arXiv 1506.02142.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from peft.tuners.lora import LoraLayer
from peft.tuners.tuners_utils import BaseTunerLayer
from torch import Tensor, nn
from transformers import DynamicCache

from webfarer.core.errors import ConfigError
from webfarer.train.language import Ids

_BUCKETS = 1024  # of a gradient's vocabulary part
_ROOM_HOST, _ROOM_DEVICE = 1 << 22, 1 << 28


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt and the answers to choose from, as tokens; choices end as the model ends a turn."""

    prompt: Ids
    choices: tuple[Ids, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How the model is asked.

    Attributes:
        longest: tokens of an output, its end included.
        room: numbers in the largest array of a batch; 0 for what suits the device.
        seed: draws the dropout masks.
    """

    longest: int = 256
    room: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """Sums over the tokens of each output: (items,), or (passes, items); `information` is always (items,)."""

    nll: np.ndarray
    entropy: np.ndarray
    information: np.ndarray


@dataclass(frozen=True, slots=True)
class States:
    """What the model makes of each prompt.

    Attributes:
        mean: last hidden state, over the prompt: (items, width).
        last: at the prompt's last token: (items, width).
        residual: probabilities of the next token minus 1 at the likeliest: (items, at most _BUCKETS). Larger
            vocabularies are added up in buckets with random signs, which keeps inner products on average.
        top: the two highest probabilities of the next token: (items, 2).
    """

    mean: np.ndarray
    last: np.ndarray
    residual: np.ndarray
    top: np.ndarray


class Scorer:
    """One model and how it is asked.

    Args:
        model: of transformers, with or without PEFT's layers.
        ends: tokens that end an output.
        limits: of length and memory.
        plain: ask the model without its adapters.
    """

    def __init__(self, model: Any, ends: Sequence[int], limits: Limits | None = None, plain: bool = False):
        self._model = model
        self._limits, self._plain = limits or Limits(), plain
        self._device = next(model.parameters()).device
        self._room = self._limits.room or (_ROOM_HOST if self._device.type == "cpu" else _ROOM_DEVICE)
        self._ends = torch.tensor(sorted(set(ends)), device=self._device)
        text = self._model.config.get_text_config()
        self._widest, self._vocabulary = 4 * text.hidden_size, text.vocab_size

    def write(self, prompts: Sequence[Ids], draws: np.ndarray | None = None) -> list[Ids]:
        """Return what the model writes after each prompt, its end included.

        Args:
            prompts: one or more tokens each.
            draws: numbers in [0, 1) that decide each token by the inverse of its distribution: (prompts, longest);
                None for the likeliest token.
        """
        out: list[Ids] = [()] * len(prompts)
        longest = self._limits.longest
        with self._asking(0):
            for rows in self._batches([(len(prompt) + longest, 1) for prompt in prompts]):
                drawn = None if draws is None else torch.from_numpy(draws[rows]).to(self._device)
                for row, ids in zip(rows, self._written([prompts[row] for row in rows], drawn), strict=True):
                    out[row] = ids
        return out

    def score(self, prompts: Sequence[Ids], outputs: Sequence[Ids], passes: int = 0) -> Scores:
        """Return how likely and how open each output was to the model, under `passes` dropout masks or without any."""
        if passes and not self._drops:
            once = self.score(prompts, outputs)
            return Scores(np.tile(once.nll, (passes, 1)), np.tile(once.entropy, (passes, 1)), once.information)
        shape = (passes, len(prompts)) if passes else (len(prompts),)
        scores = Scores(np.zeros(shape), np.zeros(shape), np.zeros(len(prompts)))
        sizes = [(len(prompt) + len(output), len(output) + 1) for prompt, output in zip(prompts, outputs, strict=True)]
        with self._asking(passes):
            for rows in self._batches(sizes, passes or 1):
                found = self._scored([prompts[row] for row in rows], [outputs[row] for row in rows], passes or 1)
                scores.nll[..., rows], scores.entropy[..., rows] = (part.reshape(*shape[:-1], -1) for part in found[:2])
                scores.information[rows] = found[2]
        return scores

    def choose(self, asked: Sequence[Asked], passes: int = 0) -> list[np.ndarray]:
        """Return probabilities of each prompt's choices, which sum to 1: (choices,), or (passes, choices)."""
        if passes and not self._drops:
            return [np.tile(chances, (passes, 1)) for chances in self.choose(asked)]
        out = [np.zeros(0)] * len(asked)
        columns = [len(one.choices) * max(map(len, one.choices)) for one in asked]
        sizes = [(len(one.choices) * len(one.prompt) + kept, kept) for one, kept in zip(asked, columns, strict=True)]
        with self._asking(passes):
            for rows in self._batches(sizes, passes or 1):
                found = self._chosen([asked[row] for row in rows], passes or 1)
                for row, logs in zip(rows, found, strict=True):
                    out[row] = _host(torch.softmax(logs, -1))[slice(None) if passes else 0]
        return out

    def states(self, prompts: Sequence[Ids]) -> States:
        """Return the model's states on each prompt."""
        batches = list(self._batches([(len(prompt), 1) for prompt in prompts]))
        with self._asking(0):
            parts = [self._states([prompts[row] for row in rows]) for rows in batches]
        order = np.argsort([row for rows in batches for row in rows])
        mean, last, residual, top = (np.concatenate(found)[order] for found in zip(*parts, strict=True))
        return States(mean, last, residual, top)

    @property
    def _drops(self) -> bool:
        return not self._plain and bool(_dropouts(self._model))

    def _batches(self, sizes: Sequence[tuple[int, int]], copies: int = 1) -> Iterator[list[int]]:
        """Group rows of (tokens, columns of the head) so that the largest array of each batch fits the room."""
        rows: list[int] = []
        columns = 0
        for row in sorted(range(len(sizes)), key=lambda row: sizes[row]):
            columns = max(columns, sizes[row][1])
            unit = copies * max(sizes[row][0] * self._widest, columns * self._vocabulary)
            if rows and (len(rows) + 1) * unit > self._room:
                yield rows
                rows, columns = [], sizes[row][1]
            rows.append(row)
        if rows:
            yield rows

    @contextmanager
    def _asking(self, passes: int) -> Iterator[None]:
        """Put the model into the state in which it is asked, and back."""
        with torch.no_grad(), ExitStack() as stack:
            stack.callback(self._model.train, self._model.training)
            self._model.eval()
            if self._plain:
                stack.enter_context(_without_adapters(self._model))
            elif passes:
                stack.enter_context(_dropping(self._model, passes, self._limits.seed))
            yield

    def _padded(self, rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
        """Return ids and mask, padded on the left."""
        width = max(map(len, rows))
        ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows], device=self._device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=self._device)
        return ids, mask

    def _forward(self, ids: Tensor, mask: Tensor, keep: int, cache: DynamicCache | None = None, **wish: Any) -> Any:
        """Run the model on the last columns of `mask`, with positions that count from each row's first token."""
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        return self._model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=cache is not None,
            logits_to_keep=keep,
            **wish,
        )

    def _written(self, prompts: list[Ids], draws: Tensor | None) -> list[Ids]:
        ids, mask = self._padded(prompts)
        cache, out = DynamicCache(), [list[int]() for _ in prompts]
        live = torch.arange(len(prompts), device=self._device)
        for step in range(self._limits.longest):
            logits = self._forward(ids, mask, 1, cache).logits[:, -1]
            token = logits.argmax(-1) if draws is None else _drawn(logits, draws[live, step])
            for row, number in zip(live.tolist(), token.tolist(), strict=True):
                out[row].append(number)
            on = torch.isin(token, self._ends, invert=True).nonzero().squeeze(1)
            if not len(on):
                break
            if len(on) < len(live):
                cache.batch_select_indices(on)
                live, mask, token = live[on], mask[on], token[on]
            ids, mask = token[:, None], nn.functional.pad(mask, (0, 1), value=1)
        return [tuple(row) for row in out]

    def _scored(self, prompts: list[Ids], outputs: list[Ids], copies: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        ids, mask = self._padded([p + o for p, o in zip(prompts, outputs, strict=True)])
        columns = max(map(len, outputs))
        own = torch.tensor([[0] * (columns - len(o)) + [1] * len(o) for o in outputs], device=self._device)
        logits = self._forward(ids.repeat(copies, 1), mask.repeat(copies, 1), columns + 1).logits
        logs = _logs(logits[:, -columns - 1 : -1], copies)
        said = ids[:, -columns:].expand(copies, -1, -1)
        nll = -(logs.gather(-1, said[..., None]).squeeze(-1) * own).sum(-1)
        entropy = (_entropy(logs) * own).sum(-1)
        together = (_entropy(logs.logsumexp(0) - np.log(copies)) * own).sum(-1)
        return _host(nll), _host(entropy), _host(together - entropy.mean(0))

    def _chosen(self, asked: list[Asked], copies: int) -> list[Tensor]:
        """Return log-probabilities of choices: for each prompt (copies, choices)."""
        ids, mask = self._padded([one.prompt for one in asked])
        cache = DynamicCache()
        first = self._forward(ids.repeat(copies, 1), mask.repeat(copies, 1), 1, cache).logits
        counts = [len(one.choices) for one in asked]
        owner = torch.tensor([row for row, count in enumerate(counts) for _ in range(count)], device=self._device)
        choices = [choice for one in asked for choice in one.choices]
        width = max(map(len, choices))
        said = torch.tensor([list(c) + [0] * (width - len(c)) for c in choices], device=self._device)
        own = torch.tensor([[1] * len(c) + [0] * (width - len(c)) for c in choices], device=self._device)
        index = torch.cat([owner + copy * len(asked) for copy in range(copies)])
        logits = first[index]
        if width > 1:  # the last token of a choice is foretold, never read
            cache.batch_select_indices(index)
            seen = torch.cat([mask[owner], own[:, :-1]], 1).repeat(copies, 1)
            more = self._forward(said[:, :-1].repeat(copies, 1), seen, 0, cache).logits
            logits = torch.cat([logits, more], 1)
        logs = _logs(logits, copies)
        sums = (logs.gather(-1, said.expand(copies, -1, -1)[..., None]).squeeze(-1) * own).sum(-1)
        return list(torch.split(sums, counts, dim=1))

    def _states(self, prompts: list[Ids]) -> list[np.ndarray]:
        ids, mask = self._padded(prompts)
        out = self._forward(ids, mask, 1, output_hidden_states=True)
        hidden, logits = out.hidden_states[-1], _wide(out.logits[:, -1])
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        chances = logits.softmax(-1)
        residual = chances - nn.functional.one_hot(logits.argmax(-1), logits.shape[-1])
        return [_host(mean), _host(hidden[:, -1]), _host(_bucketed(residual)), _host(chances.topk(2).values)]


@contextmanager
def _without_adapters(model: nn.Module) -> Iterator[None]:
    layers = [m for m in model.modules() if isinstance(m, BaseTunerLayer) and not m.disable_adapters]
    learning = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
        for parameter, was in learning:  # PEFT changes it in passing
            parameter.requires_grad_(was)


@contextmanager
def _dropping(model: nn.Module, passes: int, seed: int) -> Iterator[None]:
    """Drop inputs of LoRA's A: pass k is one thinned network for all rows, tokens and batches, drawn from seed and k.

    Rows must come pass by pass. The rest of the model keeps still.
    """
    dropped = _dropouts(model)
    generators = [torch.Generator().manual_seed((seed << 16) + number) for number in range(passes)]
    with ExitStack() as stack:
        for layer, module, width in dropped:
            chances = torch.full((width,), 1 - module.p)
            masks = torch.stack([torch.bernoulli(chances, generator=g) for g in generators]) / (1 - module.p)
            stack.enter_context(_hooked(module, masks))
            layer.training = True  # DoRA asks its layer whether to drop
        yield


def _dropouts(model: nn.Module) -> list[tuple[nn.Module, nn.Dropout, int]]:
    """Return the layers with LoRA, their dropout and the width of what it drops of."""
    return [
        (layer, module, layer.get_parameter(f"lora_A.{name}.weight").shape[1])
        for layer in model.modules()
        if isinstance(layer, LoraLayer)
        for name, module in layer.lora_dropout.items()
        if isinstance(module, nn.Dropout) and module.p and name in layer.lora_A
    ]


def _hooked(module: nn.Module, masks: Tensor) -> AbstractContextManager[Any]:
    def mask(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        if output.dim() != 3:
            raise ConfigError("dropout passes need adapters on linears that see rows of tokens, not on routed experts")
        factors = masks.to(output).repeat_interleave(len(output) // len(masks), 0)
        return output * factors[:, None]

    return module.register_forward_hook(mask)


def _drawn(logits: Tensor, draws: Tensor) -> Tensor:
    sums = _wide(logits).double().softmax(-1).cumsum(-1)
    places = torch.searchsorted(sums, draws[:, None] * sums[:, -1:], right=True)
    return torch.clamp(places.squeeze(1), max=sums.shape[1] - 1)


def _logs(logits: Tensor, copies: int) -> Tensor:
    logs = torch.log_softmax(_wide(logits), -1)
    return logs.view(copies, -1, *logs.shape[1:])


def _entropy(logs: Tensor) -> Tensor:
    return torch.sum(torch.special.entr(logs.exp()), -1)


def _bucketed(residual: Tensor) -> Tensor:
    size = residual.shape[1]
    if size <= _BUCKETS:
        return residual
    signs = torch.randint(0, 2, (size,), generator=torch.Generator().manual_seed(0)).to(residual) * 2 - 1
    buckets = torch.arange(size, device=residual.device) % _BUCKETS
    return residual.new_zeros(len(residual), _BUCKETS).index_add_(1, buckets, residual * signs)


def _wide(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))


def _host(values: Tensor) -> np.ndarray:
    found: np.ndarray = values.double().cpu().numpy()
    return found
