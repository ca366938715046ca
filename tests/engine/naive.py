"""Cache policies as their papers tell them, in plain loops: what the engine's tensors are compared with.

Nothing is shared with the engine. A rule is told the attention of the prompt, then of every step, and answers with the
positions each KV head keeps. Among equals the newest stays. One sequence, one layer.
"""

import math

import numpy as np


def softmax(logits):
    """The textbook."""
    top = max(logits)
    weights = [math.exp(x - top) for x in logits]
    return [w / sum(weights) for w in weights]


def best(positions, score, count):
    """The `count` positions of highest score, the newer first among equals."""
    return set(sorted(positions, key=lambda p: (score[p], p), reverse=True)[: max(count, 0)])


def attention(q, k, i, head, present):
    """The mean over a KV head's query heads of query i's attention over `present` keys, and each query head's own."""
    group = q.shape[1] // k.shape[1]
    scale = q.shape[2] ** -0.5
    each = [softmax([float(q[i, head * group + g] @ k[p, head]) * scale for p in present]) for g in range(group)]
    return {p: sum(w[n] for w in each) / group for n, p in enumerate(present)}, each


def replay(tokens, prompt, rule, layer=0, turn=(0, 0)):
    """Run one layer; return what each head holds after the prompt and after every step, and every output.

    `turn` is where a second prompt begins, and its length: nothing is dropped in its middle.
    """
    q, k, v = (x[layer].numpy() for x in (tokens.q, tokens.k, tokens.v))
    heads, group = k.shape[1], q.shape[1] // k.shape[1]

    def step(i, present):
        seen, out = [], []
        for head in range(heads):
            mean, each = attention(q, k, i, head, present[head])
            seen.append(mean)
            out += [sum(w * v[p, head] for w, p in zip(ws, present[head], strict=True)) for ws in each]
        return seen, np.array(out)

    full = [step(i, [list(range(i + 1))] * heads) for i in range(prompt)]
    kept = rule.prompt([seen for seen, _ in full])
    history, outputs = [[sorted(s) for s in kept]], [full[-1][1]]
    assert len(outputs[0]) == heads * group
    for i in range(prompt, tokens.count):
        kept = [s | {i} for s in kept]
        seen, out = step(i, [sorted(s) for s in kept])
        inside = turn[0] <= i < turn[0] + turn[1] - 1
        kept = rule.step(i, seen, inside) or kept
        if inside:
            continue
        history.append([sorted(s) for s in kept])
        outputs.append(out)
    return history, np.array(outputs)


class H2O:
    """Accumulated attention and a recent half."""

    def __init__(self, budget, normalise=False):
        self.recent, self.budget, self.normalise = budget // 2, budget, normalise

    def _worth(self, head, now):
        return {p: s / (now - p) if self.normalise else s for p, s in self.scores[head].items()}

    def _keep(self, head, now):
        scores = self.scores[head]
        if len(scores) > self.budget:
            older = [p for p in scores if p < now - self.recent]
            count = self.budget - self.recent
            keep = best(older, self._worth(head, now), count) | {p for p in scores if p >= now - self.recent}
            self.scores[head] = {p: s for p, s in scores.items() if p in keep}
        return set(self.scores[head])

    def prompt(self, rows):
        heads, count = range(len(rows[0])), len(rows)
        self.scores = [{p: sum(rows[i][h][p] for i in range(p, count)) for p in range(count)} for h in heads]
        return [self._keep(h, count) for h in heads]

    def step(self, i, seen, inside=False):
        for head, weights in enumerate(seen):
            for p, w in weights.items():
                self.scores[head][p] = self.scores[head].get(p, 0.0) + w
        return None if inside else [self._keep(h, i + 1) for h in range(len(seen))]


class Streaming:
    """Sinks and a window."""

    def __init__(self, budget, sinks):
        self.budget, self.sinks = budget, sinks

    def _at(self, now):
        return {p for p in range(now) if p < self.sinks or p >= now - (self.budget - self.sinks)}

    def prompt(self, rows):
        return [self._at(len(rows)) for _ in rows[0]]

    def step(self, i, seen, inside=False):
        return None if inside else [self._at(i + 1) for _ in seen]


class TOVA:
    """The latest query's attention, averaged over the layer."""

    def __init__(self, budget):
        self.budget = budget

    def prompt(self, rows):
        return self.step(len(rows) - 1, rows[-1])

    def step(self, i, seen, inside=False):
        mean = {p: sum(w[p] for w in seen) / len(seen) for p in seen[0]}
        return None if inside else [best(mean, mean, self.budget)] * len(seen)


class Scope:
    """Two pools. The prompt by the attention of its last `window` queries, the largest of `kernel` neighbours."""

    def __init__(self, policy, limit):
        self.p, self.limit = policy, limit

    def prompt(self, rows):
        p, count = self.p, len(rows)
        keep = []
        for head in range(len(rows[0])):
            window = min(p.window, p.prompt)
            older = range(max(0, count - window))
            raw = {j: sum(row[head].get(j, 0.0) for row in rows[-p.window :]) for j in older}
            half = p.kernel // 2
            pool = {j: max(raw[n] for n in range(j - half, j + half + 1) if n in raw) for j in older}
            keep.append(best(older, pool, p.prompt - window) | set(range(max(0, count - window), count)))
        self.frozen, self.count = keep, count
        self.pool = [{} for _ in keep]
        return keep

    def step(self, i, seen, inside=False):
        p, t = self.p, i + 1 - self.count
        for head, weights in enumerate(seen):
            pool = self.pool[head]
            pool[i] = 0.0
            for at in pool:
                pool[at] = weights[at] + (pool[at] if p.mode == "accumulate" else 0.0)
            if self.chooses(t, len(pool)):
                older = [at for at in pool if at <= i - p.recent]
                keep = best(older, pool, self.heavy(t)) | {at for at in pool if at > i - p.recent}
                self.pool[head] = {at: s for at, s in pool.items() if at in keep}
        return [f | set(pool) for f, pool in zip(self.frozen, self.pool, strict=True)]

    def heavy(self, t):
        p = self.p
        if p.strategy == "slide" or (p.strategy == "discontinuous" and not self.due(t)):
            return p.heavy
        return math.floor((t - p.recent) * p.heavy / (self.limit - p.recent))

    def due(self, t):
        delta = max(1, (self.limit - self.p.recent) // max(1, self.p.heavy))
        return t > self.p.recent and (t - self.p.recent) % delta == 0

    def chooses(self, t, held):
        p = self.p
        if p.strategy == "slide":
            return held > p.recent + p.heavy
        if p.strategy == "adaptive":
            return t > p.recent
        return p.strategy == "discontinuous" and (self.due(t) or (not p.relaxed and held > p.recent + p.heavy))


class ByKeys:
    """A score of the keys present; `worth` is told {position: key} and gives {position: score}."""

    def __init__(self, keys, budget, worth):
        self.keys, self.budget, self.worth = keys, budget, worth

    def prompt(self, rows):
        return self.step(len(rows) - 1, rows[-1])

    def step(self, i, seen, inside=False):
        scores = [self.worth({p: self.keys[p, head] for p in present}) for head, present in enumerate(seen)]
        return None if inside else [best(score, score, self.budget) for score in scores]


def norms(keys):
    """Low norms stay."""
    return {p: -math.sqrt(sum(float(x) ** 2 for x in k)) for p, k in keys.items()}


def differences(keys):
    """Keys unlike the mean direction stay."""
    unit = {p: k / math.sqrt(float(k @ k)) for p, k in keys.items()}
    mean = sum(unit.values()) / len(unit)
    return {p: -float(u @ mean) / math.sqrt(float(mean @ mean)) for p, u in unit.items()}
