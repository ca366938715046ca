"""Speculative decoding of a batch: how long to draft for each row, what to make of what the model says of a draft.

A drafter guesses (:mod:`webfarer.engine.drafting`), the model reads all guesses in one pass, and a rule decides how
many stand. By the rule "same" the text is plain decoding's, token for token, sampled text of a seed included, however
long drafts are and whoever is in the batch; "ratio" accepts more often and keeps only the distribution (SEED,
arXiv 2406.18200; speculative sampling, arXiv 2302.01318). Not the forward: that is :mod:`webfarer.engine.batch`.
"""

from collections.abc import Sequence as Listed
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch

from webfarer.core.errors import ConfigError
from webfarer.engine.accepting import accept, follow
from webfarer.engine.drafters._apart import Apart
from webfarer.engine.drafting import DRAFTERS, Ask, Draft, Drafter, nodes
from webfarer.engine.lengths import LONGEST, Chooser, Costs, Estimate
from webfarer.engine.loading import Loaded
from webfarer.engine.measuring import measured
from webfarer.engine.memory import Memory
from webfarer.engine.sampler import Drawn, Row, judged, sample, warp
from webfarer.engine.sequences import Sequence

Rule = Literal["same", "ratio"]

_CHOSEN = 8
"""Where lengths choose themselves, drafts are never longer than this."""

_LONG = 400.0
"""Tokens of all rows after which what was seen of their drafts fades."""


@dataclass(frozen=True, slots=True)
class Speculate:
    """How to speculate.

    Attributes:
        draft: a drafter's id with its argument ("ngram", "self:streaming:budget=64"), or the folder of a small model.
        k: how many tokens a draft has; None lets every row's follow its acceptance and what passes cost here.
        widths: candidates per node and depth, for trees; in place of `k`.
        rule: which tokens stand.
        replacement: whether siblings are drawn with replacement, under the rule "ratio".
        costs: of passes and drafts, to choose `k` by; None to measure them when the engine is made.
    """

    draft: str = "ngram"
    k: int | None = None
    widths: tuple[int, ...] = ()
    rule: Rule = "same"
    replacement: bool = False
    costs: Costs | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.k is not None and not 0 <= self.k <= LONGEST:
            raise ConfigError(f"a draft has 0 to {LONGEST} tokens, not {self.k}")
        if any(width < 1 for width in self.widths) or len(self.widths) > LONGEST or nodes(self.widths) > 64:
            raise ConfigError(f"tree {self.widths}: widths are at least 1, with at most {LONGEST} levels and 64 nodes")
        if self.widths and self.k is not None:
            raise ConfigError("a draft's shape is either k, for a chain, or widths, for a tree")
        if self.rule not in ("same", "ratio"):
            raise ConfigError(f"unknown rule {self.rule!r}; known: ratio, same")

    @classmethod
    def parse(cls, draft: str, k: str = "auto", tree: str = "") -> "Speculate":
        """Read what users write: a drafter, "auto" or a number, and widths such as "2,1,1".

        Raises:
            ConfigError: it cannot be read, or cannot work.
        """
        if k != "auto" and not k.isdecimal():
            raise ConfigError(f"a draft's length is auto or a number, not {k!r}")
        parts = [part.strip() for part in tree.split(",")] if tree else []
        if not all(part.isdecimal() for part in parts):
            raise ConfigError(f"a tree is written as widths, such as 2,1,1, not {tree!r}")
        return cls(draft, None if k == "auto" else int(k), tuple(map(int, parts)))

    def on(self, target: Loaded, memory: Memory, *, apart: bool = False) -> "Speculation":
        """Make the drafter for a model, whose rows lie in `memory`.

        Args:
            target: the model.
            memory: of the rows.
            apart: a small model drafts in a process of its own, beside the target's passes.

        Raises:
            ConfigError: the drafter does not go with the model, or a tree not with the cache policy.
        """
        tree = max(self.widths, default=1) > 1
        if tree and not memory.forks:
            raise ConfigError(
                f"cache policy {memory.policy.spec} gives slots up or moves them: draft chains, not trees"
            )
        drafter, (name, argument) = self.drafter(target, memory.rows), self._named
        if apart and name == "model":
            drafter = Apart.make(argument, target, memory.rows)
        if tree and not drafter.forks:
            raise ConfigError(f"{self.draft} drafts chains, for its cache gives slots up; draft k, not a tree")
        chosen = self.k is not None or self.widths
        return Speculation(self, drafter, None if chosen else self.costs or measured(target, drafter, memory.rows))

    def drafter(self, target: Loaded, rows: int) -> Drafter:
        """Make the drafter by itself."""
        name, argument = self._named
        made: Drafter = DRAFTERS.load(name).make(argument, target, rows)
        return made

    @property
    def _named(self) -> tuple[str, str]:
        """Return the drafter's id and its argument."""
        name, _, argument = self.draft.partition(":")
        return (name, argument) if name in DRAFTERS.ids() else ("model", self.draft.removeprefix("local:"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a round brought one row.

    Attributes:
        drawn: tokens; none where the row's draft may have spoiled the pass, which is then made again without one.
        path: the nodes of all tokens but the last.
    """

    drawn: list[Drawn]
    path: tuple[int, ...]


@dataclass(slots=True)
class _History:
    """What is known of one row: how many of its guesses stand, and whether a draft of it may have spoiled a pass."""

    estimate: Estimate
    spoiled: bool = False


class Speculation:
    """The drafter of one batch, and what is known of its rows; row i is that of the memory.

    Args:
        how: the options.
        drafter: guesses.
        costs: to choose the length of drafts by; None where it is given.
    """

    def __init__(self, how: Speculate, drafter: Drafter, costs: Costs | None) -> None:
        self.how, self.costs, self._drafter = how, costs, drafter
        self._chooser = Chooser(costs, _CHOSEN) if costs is not None else None
        self._histories: list[_History] = []
        self._all = Estimate(memory=_LONG)

    def open(self, sequences: Listed[Sequence]) -> None:
        """Take rows."""
        prompts = [s.request.tokens for s in sequences]
        self._drafter.open(prompts, [s.request.params.max_tokens for s in sequences])
        # what was seen of others is the best guess for a new row
        self._histories += [_History(Estimate(mean=self._all.value)) for _ in sequences]

    def close(self, row: int) -> None:
        """Give a row up; the last takes its index."""
        self._drafter.close(row)
        self._histories[row] = self._histories[-1]
        self._histories.pop()

    def propose(self, sequences: Listed[Sequence]) -> list[Draft]:
        """Return a draft for each row; all may be empty."""
        shapes = self._widths(sequences)
        if not any(shapes):
            return [Draft()] * len(shapes)
        return self._drafter.propose([self._ask(s, shape) for s, shape in zip(sequences, shapes, strict=True)])

    def _widths(self, sequences: Listed[Sequence]) -> list[tuple[int, ...]]:
        """Return each row's shape of draft: nobody drafts what could not be drawn any more."""
        widths = [self.how.widths or (1,) * (self.how.k or 0)] * len(sequences)
        if self._chooser is not None:
            widths = [(1,) * k for k in self._chooser.choose([history.estimate for history in self._histories])]
        most = [0 if history.spoiled else s.left - 1 for history, s in zip(self._histories, sequences, strict=True)]
        return [shape[:count] for shape, count in zip(widths, most, strict=True)]

    def _ask(self, sequence: Sequence, widths: tuple[int, ...]) -> Ask:
        params, how = sequence.request.params, self.how
        named, chances = params.greedy or how.rule == "same", []
        if not params.greedy and widths:
            stream = sequence.stream
            chances = stream.peek(len(widths)) if named else [stream.random() for _ in range(nodes(widths))]
        return Ask(sequence.request.tokens, sequence.drawn, params, widths, named, tuple(chances), how.replacement)

    def judge(self, sequences: Listed[Sequence], drafts: Listed[Draft], logits: torch.Tensor) -> list[Outcome]:
        """Say what stands of each row's draft.

        Args:
            sequences: of the rows.
            drafts: of the rows.
            logits: [N, vocab], for each row after its last token and after each node of its draft.
        """
        rows = [row for s, draft in zip(sequences, drafts, strict=True) for row in self._after(s, draft)]
        ends = [0]
        for draft in drafts:
            ends.append(ends[-1] + 1 + len(draft.tokens))
        spans = [slice(*pair) for pair in pairwise(ends)]
        parts = list(zip(sequences, drafts, spans, strict=True))
        if self.how.rule == "same":
            drawn = sample(logits, rows)
            return [_followed(sequence, draft, drawn[span]) for sequence, draft, span in parts]
        healthy, probs = logits.amax(-1).isfinite().tolist(), warp(logits, rows)
        outcomes = []
        for sequence, draft, span in parts:
            if not all(healthy[span]):
                outcomes.append(_spoiled(draft))
                continue
            found = accept(probs[span], draft, sequence.stream, replacement=self.how.replacement)
            at = [span.start, *(span.start + 1 + node for node in found.path)]
            outcomes.append(Outcome(judged(logits[at], found.tokens(draft), [rows[i] for i in at]), found.path))
        return outcomes

    def _after(self, sequence: Sequence, draft: Draft) -> list[Row]:
        """Return what the sampler has to know after the row's last token and after each node."""
        before: list[tuple[int, ...]] = [()]
        for token, parent in zip(draft.tokens, draft.parents, strict=True):
            before.append((*before[parent + 1], token))
        drawing = self.how.rule == "same" and not sequence.request.params.greedy
        chances = sequence.stream.peek(1 + max(map(len, before))) if drawing else [0.0] * (1 + len(draft.tokens))
        return [sequence.after(tokens, chances[len(tokens)]) for tokens in before]

    def took(self, sequences: int, drafts: Listed[Draft], seconds: float) -> None:
        """Hear how long a pass over the rows' last tokens and their drafts took."""
        if self._chooser is not None:
            self._chooser.took(sequences, sequences + sum(len(draft.tokens) for draft in drafts), seconds)

    def took_drafting(self, drafts: Listed[Draft], seconds: float) -> None:
        """Hear how long drafting took."""
        rows = sum(bool(draft.tokens) for draft in drafts)
        if self._chooser is not None and rows:
            self._chooser.took_drafting(rows, max(draft.depth for draft in drafts), seconds)

    def learn(self, row: int, draft: Draft, outcome: Outcome) -> None:
        """Hear what became of a row's draft."""
        if not outcome.drawn:
            self._histories[row].spoiled = True
        elif draft.tokens:
            for estimate in (self._histories[row].estimate, self._all):
                estimate.learn(draft.depth, len(outcome.path))

    def settle(self, sequences: Listed[Sequence]) -> None:
        """Tell the drafter every row's text, before rows close."""
        self._drafter.settle([Ask(s.request.tokens, s.drawn, s.request.params) for s in sequences])


def _followed(sequence: Sequence, draft: Draft, drawn: list[Drawn]) -> Outcome:
    """Take of a draft what plain decoding would have drawn, and use up the numbers it would have used."""
    if drawn[0].id is None:
        return _spoiled(draft)
    found = follow(draft, [-1 if one.id is None else one.id for one in drawn])
    taken = [drawn[0], *(drawn[node + 1] for node in found.path)]
    if not sequence.request.params.greedy:
        for _ in taken:
            sequence.stream.random()
    return Outcome(taken, found.path)


def _spoiled(draft: Draft) -> Outcome:
    """Return the outcome where logits are no numbers: what a guess made of the row's keys may be to blame, if any."""
    return Outcome([] if draft.tokens else [Drawn(None)], ())
