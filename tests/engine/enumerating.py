"""Exact output distributions of speculative decoding, taken from the code that runs.

`Coins` stands in for a row's random stream and makes every decision both ways; the chances of all that can come of it
are added up. Invariant: they sum to 1.
"""

from itertools import product
from random import Random
from unittest import mock

import torch

from webfarer.engine import accepting
from webfarer.engine.accepting import accept
from webfarer.engine.drafting import Draft


class Coins:
    """A random stream whose comparisons go as a script says, and that knows how likely that was."""

    def __init__(self, script):
        self.script, self.chance, self.turns = script, 1.0, []

    def turn(self, odds):
        """Take the scripted one of these outcomes, or the first that is possible."""
        possible = [way for way, odd in enumerate(odds) if odd > 0]
        at = len(self.turns)
        way = self.script[at] if at < len(self.script) else possible[0]
        self.turns.append((way, possible[possible.index(way) + 1 :]))
        self.chance *= odds[way]
        return way

    def random(self):
        return self

    def __mul__(self, share):
        return Weighed(self, share)

    def __float__(self):
        return 0.5

    def pick(self, probs, chances):
        total = float(probs.double().sum())
        return torch.tensor([self.turn([float(p) / total for p in probs[0].double()])])


class Weighed:
    """A number drawn from [0, share)."""

    def __init__(self, coins, share):
        self.coins, self.share = coins, share

    def __lt__(self, chance):
        odds = min(1.0, chance / self.share)
        return self.coins.turn([odds, 1 - odds]) == 0


def outcomes(target, draft, replacement):
    """Return (chance, accepted) of all that `accept` can give."""
    scripts, found = [[]], []
    while scripts:
        coins = Coins(scripts.pop())
        with mock.patch.object(accepting, "pick", coins.pick):
            accepted = accept(target, draft, coins, replacement=replacement)
        found.append((coins.chance, accepted))
        ways = [way for way, _ in coins.turns]
        for at in range(len(coins.script), len(ways)):
            scripts += [[*ways[:at], other] for other in coins.turns[at][1]]
    return found


def table(seed, vocab):
    """A distribution after every prefix: some tokens impossible, some likely."""

    def after(prefix):
        random = Random(f"{seed}:{prefix}")
        weights = [random.random() ** 3 * (random.random() < 0.8) for _ in range(vocab)]
        weights[random.randrange(vocab)] += 0.1
        return torch.tensor(weights, dtype=torch.float64) / sum(weights)

    return after


def siblings(q, k, replacement):
    """Yield (chance, ids) of all ways to draw k siblings; fewer where nothing is left."""
    if k == 0 or q.sum() == 0:
        yield 1.0, ()
        return
    q = q / q.sum()
    for token in q.nonzero()[:, 0].tolist():
        rest = q if replacement else q.index_fill(0, torch.tensor([token]), 0.0)
        for chance, ids in siblings(rest, k - 1, replacement):
            yield float(q[token]) * chance, (token, *ids)


def trees(q, widths, replacement):
    """Yield (chance, draft, prefix of each node) of all trees that can be drawn from the table q."""

    def grow(level, widths):
        # level: (node, prefix) of the last depth
        if not widths or not level:
            yield 1.0, []
            return
        ways = [list(siblings(q(prefix), widths[0], replacement)) for _, prefix in level]
        for choice in product(*ways):
            chance = 1.0
            nodes = []
            for (parent, prefix), (odds, ids) in zip(level, choice, strict=True):
                chance *= odds
                nodes += [(parent, (*prefix, token)) for token in ids]
            yield chance, nodes

    def build(nodes, level, widths):
        for chance, grown in grow(level, widths):
            if not grown:
                yield chance, nodes
                continue
            below = [(len(nodes) + i, prefix) for i, (_, prefix) in enumerate(grown)]
            for more, everything in build([*nodes, *grown], below, widths[1:]):
                yield chance * more, everything

    for chance, nodes in build([], [(-1, ())], widths):
        forks = sorted({parent for parent, _ in nodes})
        probs = [q(nodes[fork][1] if fork >= 0 else ()) for fork in forks]
        draft = Draft(
            tuple(prefix[-1] for _, prefix in nodes),
            tuple(parent for parent, _ in nodes),
            torch.stack(probs),
            tuple(forks.index(parent) for parent, _ in nodes),
        )
        yield chance, draft, [prefix for _, prefix in nodes]


def joint(p, drafts, horizon, vocab, replacement):
    """The distribution of the first `horizon` tokens over drafts and their chances; the model draws what they lack."""
    found = torch.zeros((vocab,) * horizon, dtype=torch.float64)

    def write(text, chance):
        if len(text) >= horizon:
            found[text[:horizon]] += chance
            return
        for token, odds in enumerate(p(text).tolist()):
            if odds:
                write((*text, token), chance * odds)

    for chance, draft, prefixes in drafts:
        target = torch.stack([p(()), *(p(prefix) for prefix in prefixes)])
        for odds, accepted in outcomes(target, draft, replacement):
            write(accepted.tokens(draft), chance * odds)
    return found


def plain(p, horizon, vocab):
    """The same of the model alone."""
    found = torch.ones((), dtype=torch.float64)
    for depth in range(horizon):
        prefixes = list(product(range(vocab), repeat=depth))
        found = found[..., None] * torch.stack([p(prefix) for prefix in prefixes]).view(*(vocab,) * depth, vocab)
    return found
