"""Trees of thoughts as data: what a writer is asked, options, nodes, the tree, and rules where nothing can be checked.

Not the search (:mod:`webfarer.agents.thinker`) and no model. Invariant: a node's id is its place in `Tree.nodes`, and
parents come before their children. Source: Yao et al., "Tree of Thoughts", NeurIPS 2023; defaults as SEED (COLING 2025)
runs it: 3 thoughts, 3 evaluations, keep 1, temperature 0.2, 100 tokens.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Protocol

from webfarer.core.errors import ConfigError
from webfarer.worlds.puzzle import MOST_VALUE, Path, Problem, read_value

SEARCHES = ("bfs", "dfs", "beam")
SELECTS = ("greedy", "sample")

Status = Literal["kept", "dropped", "cut", "done", "duplicate", "malformed", "failed"]
"""kept: thought on from here. dropped: others were better, or a right path was found. cut: hopeless, or valued below
the cut. done: a complete path. duplicate: leads to a state that is there already. malformed: no legal thought.
failed: the writer did not answer."""

Stop = Literal["right", "calls", "searched"]
"""right: a path was found that the puzzle says is right. calls: the limit on them. searched: nothing left to try."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How one text is to be written; the same prompt and seed give the same text."""

    seed: int
    max_tokens: int = 100
    temperature: float = 0.2
    top_p: float = 1.0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Written:
    """What was written, what it cost, and why it ended ("stop", "length")."""

    text: str
    tokens_in: int = 0
    tokens_out: int = 0
    reason: str = "stop"


class Writer(Protocol):
    """Continues prompts, many at once."""

    async def write(self, prompt: str, ask: Ask) -> Written:
        """Return one text; cancelling the call ends the writing.

        Raises:
            ModelError: nothing was written.
        """
        ...


class Unchecked:
    """The rules that are the same wherever nobody can check a path: the writer's own evaluations decide."""

    def value(self, text: str) -> float | None:
        """Return the value an evaluation states."""
        return read_value(text)

    def right(self, problem: Problem, path: Path) -> bool:
        """Return False: nobody can tell."""
        return False

    def hopeless(self, problem: Problem, path: Path) -> bool:
        """Return False: nobody can tell."""
        return False

    def answer(self, problem: Problem, path: Path) -> str:
        """Return the last thought."""
        return path[-1]


@dataclass(frozen=True, slots=True)
class Options:
    """How a tree is searched.

    Attributes:
        branches: thoughts written for each state.
        evaluations: values asked for each state; its value is their mean. 0 asks for none.
        breadth: states kept at each level; with dfs, children of a state that are followed.
        depth: most thoughts of a path; None for the problem's own.
        search: "bfs" keeps the best states of each level, "beam" those whose whole paths have the best mean value,
            "dfs" follows the best child first and turns back where nothing is left.
        select: "greedy" keeps the best; "sample" draws, each state as likely as its share of the values.
        temperature: of every text.
        top_p: of every text.
        tokens: most tokens of a text.
        seed: everything drawn depends on it and on the place in the tree, never on what finished first.
        default: the value of a state none of whose evaluations can be read.
        cut: states with a lower value are given up.
        most: limit on calls of the writer.
    """

    branches: int = 3
    evaluations: int = 3
    breadth: int = 1
    depth: int | None = None
    search: str = "bfs"
    select: str = "greedy"
    temperature: float = 0.2
    top_p: float = 1.0
    tokens: int = 100
    seed: int = 0
    default: float = MOST_VALUE / 2
    cut: float = 0.0
    most: int = 1000

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        rules = {
            "branches, breadth and tokens must be at least 1": min(self.branches, self.breadth, self.tokens) >= 1,
            "evaluations must be 0 or more": self.evaluations >= 0,
            "depth must be at least 1": self.depth is None or self.depth >= 1,
            f"search must be one of {', '.join(SEARCHES)}": self.search in SEARCHES,
            f"select must be one of {', '.join(SELECTS)}": self.select in SELECTS,
            f"default and cut must lie between 0 and {MOST_VALUE}": all(
                0 <= value <= MOST_VALUE for value in (self.default, self.cut)
            ),
            f"most must allow one thought and its evaluations ({self.cost} calls)": self.most >= self.cost,
        }
        if broken := [rule for rule, kept in rules.items() if not kept]:
            raise ConfigError("tree of thoughts: " + "; ".join(broken))

    @property
    def cost(self) -> int:
        """Calls that one thought may take, with its evaluations."""
        return 1 + self.evaluations


@dataclass(slots=True)
class Node:
    """One thought and the state it leads to; the root has none.

    Attributes:
        id: its place in `Tree.nodes`.
        parent: id of the node before; None for the root.
        path: thoughts from the root to here, in canonical form; a text that is no thought adds none.
        text: as it was written; an error's message when that failed.
        status: what became of it.
        values: read from its evaluations, None for one that cannot be read.
        value: their mean, or the default where none can be read; None where it was not rated.
        score: mean value over the path, or `value`, as the search ranks it.
        twin: id of the node that a duplicate leads to.
    """

    id: int
    parent: int | None = None
    path: Path = ()
    text: str = ""
    status: Status = "kept"
    values: tuple[float | None, ...] = ()
    value: float | None = None
    score: float = 0.0
    twin: int | None = None

    @property
    def thought(self) -> str:
        """The last thought of the path; "" for a text that is none."""
        return self.path[-1] if self.path and self.status not in ("malformed", "failed") else ""


@dataclass(slots=True)
class Counts:
    """What a tree took.

    Attributes:
        calls: of the writer, those given up on an early stop included.
        tokens_in, tokens_out: of the calls that ended.
        failed: calls that failed.
        merged: thoughts that led to a state that was there already.
        cut: states given up as hopeless.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    failed: int = 0
    merged: int = 0
    cut: int = 0


@dataclass(slots=True)
class Tree:
    """What was thought about one problem.

    Attributes:
        problem: what was asked.
        nodes: all of them, the root first.
        best: id of the best complete path's end; None without one.
        answer: of that path; "" without one.
        right: whether the puzzle says that it is right.
        stop: why the search ended.
        counts: what it took.
    """

    problem: Problem
    nodes: list[Node] = field(default_factory=lambda: [Node(0)])
    best: int | None = None
    answer: str = ""
    right: bool = False
    stop: Stop = "searched"
    counts: Counts = field(default_factory=Counts)

    @property
    def path(self) -> Path:
        """The thoughts of the best path."""
        return () if self.best is None else self.nodes[self.best].path

    def text(self) -> str:
        """Return the tree, one state a line with its value, indented by depth; `*` marks the best path."""
        children: dict[int | None, list[Node]] = {}
        for node in self.nodes:
            if node.twin is None:
                children.setdefault(node.parent, []).append(node)
        twins = Counter(node.twin for node in self.nodes)
        return "\n".join([self.problem.text, *self._lines(children, twins, 0)])

    def _lines(self, children: dict[int | None, list[Node]], twins: Counter[int | None], parent: int) -> Iterator[str]:
        indent = "    " * len(self.nodes[parent].path)
        for node in children.get(parent, []):
            best = node.thought and self.path[: len(node.path)] == node.path
            value = "    " if node.value is None else f"{node.value:4.1f}"
            said = node.thought or " ".join(node.text.split())
            times = f"  x{twins[node.id] + 1}" if twins[node.id] else ""
            note = "" if node.status == "kept" else f"  ({node.status})"
            yield f"{indent}{'*' if best else ' '} {value}  {said}{times}{note}"
            yield from self._lines(children, twins, node.id)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; instead of its whole path a node tells its thought."""
        nodes = [
            {"thought": node.thought, **{name: value for name, value in asdict(node).items() if name != "path"}}
            for node in self.nodes[1:]
        ]
        return {
            "puzzle": self.problem.puzzle,
            "problem": self.problem.text,
            "answer": self.answer,
            "right": self.right,
            "path": list(self.path),
            "stop": self.stop,
            "counts": asdict(self.counts),
            "nodes": nodes,
        }
