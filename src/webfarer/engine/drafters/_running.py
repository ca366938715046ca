"""A decoder that drafts: a small model, or the model itself with a smaller cache; all rows in one forward per depth.

Its memory holds every token its row is known to have, as far as it was needed: what is new is read before it drafts.
A draft is a trial (:mod:`webfarer.engine.trial`) that stays open until the row's text is known, so that what stood need
not be read again. Rows of the memory may lie in another order than the batch's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from torch.nn.functional import pad

from webfarer.engine.accepting import candidates
from webfarer.engine.drafting import Ask, Draft, Drafter
from webfarer.engine.intake import Adapted, Intake, Prompt
from webfarer.engine.known import Known
from webfarer.engine.loading import Loaded
from webfarer.engine.memory import Attend, Memory
from webfarer.engine.policy import CachePolicy
from webfarer.engine.sampler import Row, sample, seen_mask, to_device, warp
from webfarer.engine.sequences import Given
from webfarer.engine.trial import COMMITTED, Trial

_KNOWN = 64 << 20
"""Bytes of prompts kept for those that begin like them."""

_BEHIND = 64
"""A row that has more to read than this reads it as a prompt."""


@dataclass(eq=False)
class _Growing:
    """A row's draft while it grows.

    Attributes:
        read: tokens of its text that this trial reads before the draft.
        tokens, parents, forks: as in a :class:`Draft`.
        edge: nodes of the deepest level so far, -1 for the last token of the text.
        probs: distributions nodes were drawn from.
        used: numbers of the row's stream that were drawn with.
    """

    read: int = 0
    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    forks: list[int] = field(default_factory=list)
    edge: list[int] = field(default_factory=lambda: [COMMITTED])
    probs: list[torch.Tensor] = field(default_factory=list)
    used: int = 0

    def before(self, node: int) -> list[int]:
        """Return the drafted tokens down to a node."""
        path: list[int] = []
        while node != COMMITTED:
            path.insert(0, self.tokens[node])
            node = self.parents[node]
        return path

    def grow(self, below: int, tokens: Sequence[int], probs: torch.Tensor | None) -> None:
        """Add siblings below a node."""
        if probs is not None:
            self.probs.append(probs)
        for token in tokens:
            self.parents.append(below)
            self.tokens.append(token)
            if probs is not None:
                self.forks.append(len(self.probs) - 1)

    @property
    def draft(self) -> Draft:
        """The draft."""
        probs = torch.stack(self.probs) if self.probs else None
        return Draft(tuple(self.tokens), tuple(self.parents), probs, tuple(self.forks))


class RunningDrafter(Drafter):
    """Drafts with a decoder.

    Args:
        model: it.
        policy: what its memory keeps.
        rows: how many rows there may be.
        vocab: ids of the target, where they may be more than this decoder's.
    """

    def __init__(self, model: Loaded, policy: CachePolicy, rows: int, vocab: int | None = None) -> None:
        self.memory = Memory(model.spec, policy, rows)
        self._decoder, self._device, self._vocab = model.decoder, model.spec.device, model.spec.vocab
        self._others = vocab or self._vocab
        self._known = Known(_KNOWN)
        self._rows: list[int | None] = []
        self._limits: list[int] = []
        self._trial: Trial | None = None
        self._growing: list[_Growing] = []

    @property
    def forks(self) -> bool:
        """Whether it can draft trees."""
        return self.memory.forks

    def open(self, prompts: Sequence[tuple[int, ...]], limits: Sequence[int]) -> None:
        """Take rows; a prompt is read when a draft is asked for, which may be never."""
        self._drop()
        self._rows += [None] * len(prompts)
        self._limits += limits

    def _enter(self, asks: Sequence[Ask]) -> None:
        """Read the texts of rows that draft for the first time, or for the first time in long."""
        news = [index for index, ask in enumerate(asks) if ask.widths and self._behind(index, ask)]
        for index in news:
            self._leave(index)
        if news:
            intake = Intake(self.memory, self._known, self._read_prompts)
            prompts = [Prompt(tuple(asks[index].text[:-1]), self._limits[index]) for index in news]
            intake.read(prompts)
            for index, prompt in zip(news, prompts, strict=True):
                self._rows[index] = prompt.row

    def _read_prompts(
        self, tokens: list[int], positions: list[int], attend: Attend, _: Adapted, ends: list[int]
    ) -> torch.Tensor:
        return self._forward(tokens, positions, attend, ends)

    def _behind(self, index: int, ask: Ask) -> bool:
        row = self._rows[index]
        return row is None or len(ask.prompt) + len(ask.drawn) - self.memory.positions[row] > _BEHIND

    def _leave(self, index: int) -> None:
        """Give up what the memory holds of a row."""
        given, self._rows[index] = self._rows[index], None
        if given is not None and (moved := self.memory.close(given)) is not None:
            self._rows[self._rows.index(moved)] = given

    def close(self, row: int) -> None:
        """Give a row up."""
        self._drop()
        self._leave(row)
        self._rows[row], self._limits[row] = self._rows[-1], self._limits[-1]
        del self._rows[-1], self._limits[-1]

    def propose(self, asks: Sequence[Ask]) -> list[Draft]:
        """Draft for every row."""
        self._drop()
        asks = [ask if self._known_words(ask) else replace(ask, widths=()) for ask in asks]
        if not any(ask.widths for ask in asks):
            return [Draft()] * len(asks)
        self._enter(asks)
        # from here on rows that are in the memory, in its order
        entered = {row: index for index, row in enumerate(self._rows) if row is not None}
        order = [entered[row] for row in range(self.memory.active)]
        sorted_asks = [asks[index] for index in order]
        held = self.memory.positions
        unread = [ask.since(at) if ask.widths else [] for ask, at in zip(sorted_asks, held, strict=True)]
        deepest = max(len(ask.widths) for ask in asks)
        nodes = max((_nodes(ask.widths) for ask in asks), default=0)
        self._trial = self.memory.trial(max(map(len, unread)) + nodes)
        self._growing = [_Growing(len(tokens)) for tokens in unread]
        hidden = self._read(unread, [list(range(COMMITTED, len(tokens) - 1)) for tokens in unread])
        at = torch.tensor([len(tokens) for tokens in unread]).cumsum(0) - 1
        hidden = hidden[at[[bool(tokens) for tokens in unread]].to(self._device)]
        for depth in range(deepest):
            self._level(depth, sorted_asks, hidden)
            going = [len(ask.widths) > depth + 1 for ask in sorted_asks]
            if not any(going):
                break
            edges = [(g, g.edge if goes else []) for g, goes in zip(self._growing, going, strict=True)]
            tokens = [[g.tokens[node] for node in edge] for g, edge in edges]
            hidden = self._read(tokens, [[g.read + g.parents[node] for node in edge] for g, edge in edges])
        drafts = [Draft()] * len(asks)
        for index, grown in zip(order, self._growing, strict=True):
            drafts[index] = grown.draft
        return drafts

    def _known_words(self, ask: Ask) -> bool:
        """Whether this decoder has a vector for every token; a larger one may pad its vocabulary further."""
        return self._vocab >= self._others or max(ask.text) < self._vocab

    def _level(self, depth: int, asks: Sequence[Ask], hidden: torch.Tensor) -> None:
        """Add one level to every draft that goes on; `hidden` are the states at their edges, row by row."""
        forks = [
            (grown, ask, node)
            for grown, ask in zip(self._growing, asks, strict=True)
            if len(ask.widths) > depth
            for node in grown.edge
        ]
        logits = self._decoder.logits(hidden)
        rows = [self._row(grown, ask, node, depth) for grown, ask, node in forks]
        starts = [len(grown.tokens) for grown in self._growing]
        chosen = self._chosen(logits, rows, forks, depth)
        for (grown, _, node), (tokens, probs) in zip(forks, chosen, strict=True):
            grown.grow(node, tokens, probs)
        for grown, start in zip(self._growing, starts, strict=True):
            grown.edge = list(range(start, len(grown.tokens)))

    def _chosen(
        self, logits: torch.Tensor, rows: list[Row], forks: list[tuple[_Growing, Ask, int]], depth: int
    ) -> list[tuple[list[int], torch.Tensor | None]]:
        """Return, for each fork, the tokens below it and the distribution they were drawn from, if they were."""
        if all(ask.named and ask.widths[depth] == 1 for _, ask, _ in forks):
            return [([] if one.id is None else [one.id], None) for one in sample(logits, rows)]
        probs = warp(logits, rows)
        named = sample(logits, rows)
        chosen: list[tuple[list[int], torch.Tensor | None]] = []
        for index, (grown, ask, _) in enumerate(forks):
            width = ask.widths[depth]
            if ask.named:
                first = [] if named[index].id is None else [int(named[index].id or 0)]
                others = logits[index].topk(min(width, self._vocab)).indices.tolist()
                chosen.append(((first + [t for t in others if t not in first])[:width], None))
                continue
            chances = to_device(list(ask.chances[grown.used : grown.used + width]), torch.float64, self._device)
            grown.used += width
            drawn = candidates(probs[index : index + 1], chances[None], replacement=ask.replacement)[0]
            padded = pad(probs[index], (0, max(0, self._others - self._vocab)))
            chosen.append(([t for t in drawn.tolist() if t >= 0], padded))
        return chosen

    def _row(self, grown: _Growing, ask: Ask, node: int, depth: int) -> Row:
        seen = None
        if ask.params.repetition_penalty != 1:
            seen = seen_mask([*ask.text, *grown.before(node)], self._vocab, self._device)
        chance = ask.chances[depth] if ask.named and ask.chances else 0.0
        return Row(ask.params, Given(chance), seen)

    def settle(self, asks: Sequence[Ask]) -> None:
        """Keep of the open drafts what the rows' texts turned out to hold."""
        if self._trial is None:
            return
        trial, self._trial = self._trial, None
        paths: list[list[int]] = [[] for _ in self._growing]
        held = self.memory.positions
        for index, ask in enumerate(asks):
            row = self._rows[index]
            if row is None or not self._growing[row].read:
                continue
            grown = self._growing[row]
            # the last token is the next one to be read, even where it was guessed
            text, node = ask.since(held[row] + grown.read)[:-1], COMMITTED
            path = list(range(grown.read))
            for token in text:
                below = [n for n, parent in enumerate(grown.parents) if parent == node and grown.tokens[n] == token]
                if not below or grown.read + below[0] >= trial.count(row):
                    break
                node = below[0]
                path.append(grown.read + node)
            paths[row] = path
        trial.keep(paths)

    def _drop(self) -> None:
        """Take an open draft back."""
        if self._trial is not None:
            trial, self._trial = self._trial, None
            trial.keep([[]] * len(self._growing))

    def _read(self, tokens: list[list[int]], parents: list[list[int]]) -> torch.Tensor:
        assert self._trial is not None
        attend = self._trial.attend(parents)
        return self._forward([t for row in tokens for t in row], self._trial.positions, attend)

    def _forward(
        self, tokens: list[int], positions: list[int], attend: Attend, ends: list[int] | None = None
    ) -> torch.Tensor:
        ids, at = to_device([tokens, positions], torch.int64, self._device).unbind()
        last = None if ends is None else (to_device(ends, torch.int64, self._device), None)
        return self._decoder.forward(ids, at, attend, ends=last)


def _nodes(widths: Sequence[int]) -> int:
    """Return how many nodes of a tree are read to draft it: all but those of the last level."""
    count, level = 0, 1
    for width in widths[:-1]:
        level *= width
        count += level
    return count
