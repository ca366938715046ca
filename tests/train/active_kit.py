"""A learner without a network, for tests of the loop: it knows the kinds of item that it has seen labelled."""

import json

import numpy as np

from webfarer.core.errors import ConfigError
from webfarer.train.active import Order
from webfarer.train.learner import Answered
from webfarer.train.oracle import Desk
from webfarer.train.oracles.file import FileOracle
from webfarer.train.pickers.star import Star
from webfarer.train.pool import PoolItem, Set
from webfarer.train.rounds import Plan

KINDS = 6


class Truth:
    def __init__(self, answers):
        self.answers = answers
        self.asked = []

    def answer(self, item):
        if item.startswith("p"):
            self.asked.append(item)
        return self.answers[item]

    def right(self, item, text):
        return text == self.answers[item]


def item(part, number, kind, choices=()):
    return PoolItem(
        id=f"{part}{number}", prompt=f"{part}{number} of kind {kind}", choices=choices, cells={"kind": str(kind)}
    )


def items(size=60, held_out=12, choices=()):
    """Return a pool half of which is of one kind, and held-out items evenly of all."""
    pool = [item("p", number, 0 if number % 2 else number // 2 % KINDS, choices) for number in range(size)]
    held = [item("h", number, number % KINDS) for number in range(held_out)]
    return Set(pool, held, Truth({each.id: f"because #### {each.cells['kind']}" for each in [*pool, *held]}))


class ToyView:
    def __init__(self, rows, counts):
        self.rows, self.counts = rows, counts

    def __len__(self):
        return len(self.rows)

    def part(self, rows):
        return ToyView([self.rows[row] for row in rows], self.counts)

    def nll(self, who, passes=0):
        kinds = np.array([int(each.cells["kind"]) for each in self.rows])
        sums = 1.0 + kinds / KINDS if who == "base" else np.array([1.0 / (1 + self.counts.get(k, 0)) for k in kinds])
        return np.tile(sums, (passes, 1)) if passes else sums

    def lengths(self, who):
        return np.full(len(self.rows), 2)


class Toy:
    """Counts labels by kind; an answer of a kind that it has seen is right, and its confidence grows with the count."""

    name = "toy"

    def __init__(self, wear=lambda what: None):
        self.wear = wear

    def check(self, item, answer):
        if "#### " not in answer:
            raise ConfigError(f"{item.id} has no final answer")

    def teach(self, labels, into, seed, start):
        self.wear("teach")
        counts = json.loads((start / "counts.json").read_text()) if start else {}
        for one, label in labels:
            counts[one.cells["kind"]] = counts.get(one.cells["kind"], 0) + 1
            assert label.answer.endswith(one.cells["kind"])
        into.mkdir(exist_ok=True)
        (into / "counts.json").write_text(json.dumps(counts))
        self.wear("taught")

    def counts(self, adapter):
        return json.loads((adapter / "counts.json").read_text()) if adapter else {}

    def answers(self, items, adapter):
        self.wear("answers")
        counts = self.counts(adapter)
        seen = [(each, counts.get(each.cells["kind"], 0)) for each in items]
        return [
            Answered(item=one.id, text=f"because #### {one.cells['kind']}" if n else "?", confidence=1 - 0.5 / (1 + n))
            for one, n in seen
        ]

    def view(self, pool, rows, adapter):
        self.wear("view")
        counts = {int(kind): number for kind, number in self.counts(adapter).items()}
        return ToyView([pool[row] for row in rows], counts)

    def figures(self, adapter):
        return {"norm": float(sum(self.counts(adapter).values()))}


def order(folder, plan=Plan(labels=20, rounds=4), **values):
    given = items() if "items" not in values else values["items"]
    made = {"plan": plan, "items": given, "learner": Toy(), "picker": Star(passes=0)}
    return Order(**made | {"oracle": FileOracle(Desk(folder, given.key)), "folder": folder} | values)
