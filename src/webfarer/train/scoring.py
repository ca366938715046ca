"""What a causal language model says of many prompts at once: outputs of its own, their probabilities, its states.

Rows of like length share a batch, padded on the left. What all prompts begin with, an instruction or examples, is
read once a batch, and choices of one prompt share its keys and values. The head is computed only for columns that are
read; what a model writes is scored in passing. Not a serving engine. Invariant: what a row gets does not depend on the
rows beside it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import DynamicCache

from webfarer.train._logits import bucketed, drawn, entropy, host, log_chances, wide
from webfarer.train._thinning import dropped, thinned, without_adapters
from webfarer.train.language import Ids

_WORTH = 16
"""Tokens that all prompts begin with, from which on they are read apart."""
_ROOM_HOST, _ROOM_DEVICE = 1 << 20, 1 << 28  # a host is fastest where arrays fit its caches


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
        residual: probabilities of the next token minus 1 at the likeliest: (items, vocabulary), a
            large vocabulary in buckets (:func:`webfarer.train._logits.bucketed`).
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
        """Return what the model writes after each prompt, its end included; arguments as for :meth:`answer`."""
        return self.answer(prompts, draws)[0]

    def answer(self, prompts: Sequence[Ids], draws: np.ndarray | None = None) -> tuple[list[Ids], Scores]:
        """Return what the model writes and, at no further pass, what :meth:`score` says of it.

        Args:
            prompts: one or more tokens each.
            draws: numbers in [0, 1) that decide each token by the inverse of its distribution: (prompts, longest);
                None for the likeliest token.
        """
        out: list[Ids] = [()] * len(prompts)
        sums, longest = np.zeros((2, len(prompts))), self._limits.longest
        common = _common(prompts)
        # a layer's keys are a quarter as wide as its widest array at most, but stay until the output ends
        sizes = [(max(len(prompt) - common, (len(prompt) + longest) // 4), 1) for prompt in prompts]
        with self._asking(0):
            for rows in self._batches(sizes):
                lots = None if draws is None else torch.from_numpy(draws[rows]).to(self._device)
                written, sums[:, rows] = self._written([prompts[row] for row in rows], lots, common)
                for row, ids in zip(rows, written, strict=True):
                    out[row] = ids
        return out, Scores(sums[0], sums[1], np.zeros(len(prompts)))

    def score(self, prompts: Sequence[Ids], outputs: Sequence[Ids], passes: int = 0) -> Scores:
        """Return how likely and how open each output was to the model, under `passes` dropout masks or without any."""
        if passes and not self._drops:
            once = self.score(prompts, outputs)
            return Scores(np.tile(once.nll, (passes, 1)), np.tile(once.entropy, (passes, 1)), once.information)
        shape = (passes, len(prompts)) if passes else (len(prompts),)
        scores = Scores(np.zeros(shape), np.zeros(shape), np.zeros(len(prompts)))
        common = _common(prompts)
        lengths = [len(prompt) + len(output) - common for prompt, output in zip(prompts, outputs, strict=True)]
        sizes = [(length + common // 4, len(output)) for length, output in zip(lengths, outputs, strict=True)]
        with self._asking(passes):
            for rows in self._batches(sizes, passes or 1):
                pairs = [(prompts[row], outputs[row]) for row in rows]
                found = self._scored(pairs, passes or 1, common)
                scores.nll[..., rows], scores.entropy[..., rows] = (part.reshape(*shape[:-1], -1) for part in found[:2])
                scores.information[rows] = found[2]
        return scores

    def choose(self, asked: Sequence[Asked], passes: int = 0) -> list[np.ndarray]:
        """Return probabilities of each prompt's choices, which sum to 1: (choices,), or (passes, choices)."""
        if passes and not self._drops:
            return [np.tile(chances, (passes, 1)) for chances in self.choose(asked)]
        out = [np.zeros(0)] * len(asked)
        common = _common([one.prompt for one in asked])
        columns = [sum(map(len, one.choices)) for one in asked]
        kept = [len(one.choices) * (len(one.prompt) - common + common // 4) for one in asked]
        sizes = [(size + count, count) for size, count in zip(kept, columns, strict=True)]
        with self._asking(passes):
            for rows in self._batches(sizes, passes or 1):
                found = self._chosen([asked[row] for row in rows], passes or 1, common)
                for row, logs in zip(rows, found, strict=True):
                    out[row] = host(torch.softmax(logs, -1))[slice(None) if passes else 0]
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
        return not self._plain and bool(dropped(self._model))

    def _batches(self, sizes: Sequence[tuple[int, int]], copies: int = 1) -> Iterator[list[int]]:
        """Group rows of (tokens, columns of the head) so that the largest array of each batch fits the room."""
        rows: list[int] = []
        columns = 0
        for row in sorted(range(len(sizes)), key=lambda row: sizes[row]):
            tokens, kept = sizes[row]
            columns += kept
            if rows and copies * max((len(rows) + 1) * tokens * self._widest, columns * self._vocabulary) > self._room:
                yield rows
                rows, columns = [], kept
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
                stack.enter_context(without_adapters(self._model))
            elif passes:
                stack.enter_context(thinned(self._model, passes, self._limits.seed))
            yield

    def _padded(self, rows: Sequence[Ids]) -> tuple[Tensor, Tensor]:
        """Return ids and mask, padded on the left."""
        width = max(map(len, rows))
        ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows], device=self._device)
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=self._device)
        return ids, mask

    def _begun(self, rows: Sequence[Ids], copies: int, common: int) -> tuple[Tensor, Tensor, DynamicCache]:
        """Read what all rows begin with once for each copy; return ids and mask of all, and what they go on from."""
        cache = DynamicCache()
        ids, mask = self._padded([row[common:] for row in rows])
        if common:
            first = torch.tensor([rows[0][:common]], device=self._device).expand(copies, -1)
            self._forward(first, torch.ones_like(first), 1, cache)
            cache.batch_select_indices(torch.arange(copies, device=self._device).repeat_interleave(len(rows)))
            mask = nn.functional.pad(mask, (common, 0), value=1)
        return ids.repeat(copies, 1), mask.repeat(copies, 1), cache

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

    def _logs(self, ids: Tensor, mask: Tensor, read: Tensor, cache: DynamicCache | None = None) -> Tensor:
        """Return log-probabilities of the tokens after the columns that are read, of the last ones; row by row."""

        def select(head: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
            return (given[0][read][None],)

        hook = self._model.get_output_embeddings().register_forward_pre_hook(select)
        with hook:
            return log_chances(self._forward(ids, mask, read.shape[1], cache).logits[0])

    def _written(self, prompts: list[Ids], draws: Tensor | None, common: int) -> tuple[list[Ids], np.ndarray]:
        ids, mask, cache = self._begun(prompts, 1, common)
        out = [list[int]() for _ in prompts]
        sums = np.zeros((2, len(prompts)))
        live = torch.arange(len(prompts), device=self._device)
        for step in range(self._limits.longest):
            logits = self._forward(ids, mask, 1, cache).logits[:, -1]
            logs = log_chances(logits)
            token = logits.argmax(-1) if draws is None else drawn(logs, draws[live, step])
            nll = -logs.gather(1, token[:, None]).squeeze(1)
            rows = live.tolist()
            sums[:, rows] += host(torch.stack([nll, entropy(logs, logs.exp())]))
            for row, number in zip(rows, token.tolist(), strict=True):
                out[row].append(number)
            on = torch.isin(token, self._ends, invert=True).nonzero().squeeze(1)
            if not len(on):
                break
            if len(on) < len(live):
                cache.batch_select_indices(on)
                live, mask, token = live[on], mask[on], token[on]
            ids, mask = token[:, None], nn.functional.pad(mask, (0, 1), value=1)
        return [tuple(row) for row in out], sums

    def _scored(
        self, pairs: list[tuple[Ids, Ids]], copies: int, common: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return sums of nll and entropy: (copies, rows), and of information: (rows,)."""
        ids, mask, cache = self._begun([prompt + output for prompt, output in pairs], copies, common)
        _, own = self._padded([output for _, output in pairs])
        read = nn.functional.pad(own, (0, 1)).bool().repeat(copies, 1)  # a column foretells the next
        logs = self._logs(ids, mask, read, cache if common else None)
        logs = logs.view(copies, -1, logs.shape[-1])
        row, column = own.nonzero(as_tuple=True)
        said = ids[row, column - own.shape[1]]
        chances = logs.exp()
        nll, open_ = -logs[:, torch.arange(len(said)), said], entropy(logs, chances)
        mean = chances.mean(0)
        apart = entropy(mean.log(), mean) - open_.mean(0) if copies > 1 else torch.zeros_like(open_[0])
        sums = nll.new_zeros(2 * copies + 1, len(pairs)).index_add_(1, row, torch.cat([nll, open_, apart[None]]))
        return host(sums[:copies]), host(sums[copies:-1]), host(sums[-1])

    def _chosen(self, asked: list[Asked], copies: int, common: int) -> list[Tensor]:
        """Return log-probabilities of choices: for each prompt (copies, choices)."""
        ids, mask, cache = self._begun([one.prompt for one in asked], copies, common)
        first = log_chances(self._forward(ids, mask, 1, cache).logits[:, -1])
        counts = [len(one.choices) for one in asked]
        owner = torch.tensor([row for row, count in enumerate(counts) for _ in range(count)], device=self._device)
        choices = [choice for one in asked for choice in one.choices]
        width = max(map(len, choices))
        said = torch.tensor([list(c) + [0] * (width - len(c)) for c in choices], device=self._device)
        own = torch.tensor([[1] * len(c) + [0] * (width - len(c)) for c in choices], device=self._device)
        sums = first.view(copies, len(asked), -1)[:, owner, said[:, 0]]
        if width > 1:  # the last token of a choice is foretold, never read
            cache.batch_select_indices(torch.cat([owner + copy * len(asked) for copy in range(copies)]))
            seen = torch.cat([mask[: len(asked)][owner], own[:, :-1]], 1).repeat(copies, 1)
            logs = self._logs(said[:, :-1].repeat(copies, 1), seen, own[:, 1:].bool().repeat(copies, 1), cache)
            row, column = own[:, 1:].nonzero(as_tuple=True)
            later = logs.view(copies, len(row), -1)[:, torch.arange(len(row)), said[row, column + 1]]
            sums = sums.index_add(1, row, later)
        return list(torch.split(sums, counts, dim=1))

    def _states(self, prompts: list[Ids]) -> list[np.ndarray]:
        ids, mask = self._padded(prompts)
        out = self._forward(ids, mask, 1, output_hidden_states=True)
        hidden, logits = out.hidden_states[-1], wide(out.logits[:, -1])
        mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        chances = logits.softmax(-1)
        residual = chances - nn.functional.one_hot(logits.argmax(-1), logits.shape[-1])
        return [host(mean), host(hidden[:, -1]), host(bucketed(residual)), host(chances.topk(2).values)]


def _common(prompts: Sequence[Ids]) -> int:
    """Return how many tokens all prompts begin with, less the last one of any, if reading them apart is worth it."""
    shortest, longest = min(prompts, default=()), max(prompts, default=())  # all others lie between these two
    same = next((at for at, pair in enumerate(zip(shortest, longest, strict=False)) if len(set(pair)) > 1), None)
    whole = min(map(len, prompts), default=0)
    common = min(whole if same is None else same, whole - 1)
    return common if len(prompts) > 1 and common >= _WORTH else 0
