"""How much of a draft stands: the mathematics of speculative decoding, for chains and trees.

Not a loop that generates: it sees the model's distributions at the draft's nodes and says which tokens come out.
Invariant: what comes out is distributed as if the model alone had drawn it (`accept`), or is the very text it would
have drawn (`follow`), whatever the draft. Source: speculative sampling (arXiv 2211.17192, 2302.01318), for trees
SpecInfer (arXiv 2305.09781) and multi-candidate decoding (arXiv 2401.06706).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from webfarer.engine.drafting import Draft
from webfarer.engine.sampler import Chances, pick, to_device

_TINY = torch.finfo(torch.float64).tiny


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a round brought: the tokens of the nodes of `path`, then `token`.

    Attributes:
        path: the nodes that stand, from the root down.
        token: the one the model itself drew after them.
    """

    path: tuple[int, ...]
    token: int

    def tokens(self, draft: Draft) -> tuple[int, ...]:
        """Return all tokens of the round, with those of `draft` that stand."""
        return (*(draft.tokens[node] for node in self.path), self.token)


def candidates(probs: torch.Tensor, chances: torch.Tensor, *, replacement: bool) -> torch.Tensor:
    """Draw siblings, one after the other, from each row of `probs` [n, vocab]; returns their ids, [n, k].

    Without replacement siblings are different, and -1 stands where a row had nothing left to draw: leave those out.

    Args:
        probs: one distribution per fork.
        chances: [n, k], numbers in [0, 1) to draw with.
        replacement: whether an id may be drawn again.
    """
    probs = probs.double()
    drawn = []
    for chance in chances.unbind(dim=1):
        ids = pick(probs, chance)[:, None]
        drawn.append(torch.where(probs.gather(1, ids) > 0, ids, -1))
        if not replacement:
            probs = probs.scatter(1, ids, 0.0)
    return torch.cat(drawn, dim=1) if drawn else chances.long()


def accept(target: torch.Tensor, draft: Draft, random: Chances, *, replacement: bool) -> Accepted:
    """Accept or reject the nodes of a draft, and draw the token after the last accepted one.

    Siblings are tried in order. A rejected one takes its share out of the model's distribution, and the next is judged
    by what is left; `replacement` must say how the siblings were drawn, or what comes out has another distribution.

    Args:
        target: [nodes + 1, vocab], the model's distribution after the row's last token and after each node, warped as
            the row's parameters say; numbers, not NaN.
        draft: the nodes, and what they were drawn from.
        random: the row's own stream; one number for each node tried, and one for the last token.
        replacement: whether siblings were drawn with replacement.
    """
    below = _children(draft)
    odds = _odds(target, draft)
    path: list[int] = []
    children = below.get(-1, [])
    left = target[0]
    while children:
        drawn = None if draft.probs is None else draft.probs[draft.forks[children[0]]]
        for place, node in enumerate(children):
            token = draft.tokens[node]
            chance, share = odds[node] if place == 0 else (float(left[token]), _share(drawn, token))
            named = drawn is None or share == 0
            if random.random() * (1.0 if named else share) < chance:
                path.append(node)
                children, left = below.get(node, []), target[node + 1]
                break
            left = _rest(left, None if named else drawn, token)
            if drawn is not None and not replacement:
                drawn = _without(drawn, token)
        else:
            break
    last = pick(left[None], to_device([random.random()], torch.float64, target.device))
    return Accepted(tuple(path), int(last))


def follow(draft: Draft, drawn: Sequence[int]) -> Accepted:
    """Walk down a draft while it holds what the model draws: the text is plain decoding's, token for token.

    Args:
        draft: the nodes; what they were drawn from does not matter.
        drawn: what plain decoding draws after the row's last token and after each node, with the chances it would use
            there.
    """
    nodes = {edge: node for node, edge in enumerate(zip(draft.parents, draft.tokens, strict=True))}
    path: list[int] = []
    node = nodes.get((-1, drawn[0]))
    while node is not None:
        path.append(node)
        node = nodes.get((node, drawn[node + 1]))
    return Accepted(tuple(path), drawn[path[-1] + 1 if path else 0])


def _children(draft: Draft) -> dict[int, list[int]]:
    """Return the nodes below each node, in order; -1 is the row's last token."""
    below: dict[int, list[int]] = {}
    for node, parent in enumerate(draft.parents):
        below.setdefault(parent, []).append(node)
    return below


def _odds(target: torch.Tensor, draft: Draft) -> list[tuple[float, float]]:
    """Return how likely each node's token is to the model and to the drafter, in one transfer from the device."""
    if not draft.tokens:
        return []
    tokens = to_device(list(draft.tokens), torch.int64, target.device)
    before = to_device([parent + 1 for parent in draft.parents], torch.int64, target.device)
    chances = target[before, tokens].double()
    shares = torch.ones_like(chances)
    if draft.probs is not None:
        shares = draft.probs[to_device(list(draft.forks), torch.int64, target.device), tokens].double()
    return [(chance, share) for chance, share in torch.stack([chances, shares], dim=1).tolist()]


def _share(drawn: torch.Tensor | None, token: int) -> float:
    return 1.0 if drawn is None else float(drawn[token])


def _rest(chances: torch.Tensor, drawn: torch.Tensor | None, token: int) -> torch.Tensor:
    """Return the model's distribution once `token`, drawn from `drawn` or else named outright, is rejected."""
    chances = chances.double()
    rest = _without(chances, token) if drawn is None else (chances - drawn.double()).clamp(min=0)
    total = rest.sum()
    # nothing is left only where rounding rejected what is certain to be accepted
    return torch.where(total > 0, rest / total.clamp(min=_TINY), chances)


def _without(probs: torch.Tensor, token: int) -> torch.Tensor:
    """Return `probs` [vocab] without an id; all zero where it was the only one."""
    rest = probs.double().clone()
    rest[token] = 0.0
    return rest / rest.sum().clamp(min=_TINY)
