"""Tree of Thoughts: writes several next thoughts for a state, values each, and thinks on from the best.

A thought is valued as soon as it is written, while its siblings still are. Seeds and order follow from the place in the
tree, so that writers of any speed and order grow the same tree. Not a model: a :class:`Writer` writes, a puzzle's rules
read. Invariant: at most `Options.most` calls, and none is under way when the search ends.
Source: Yao et al., "Tree of Thoughts" (arXiv 2305.10601); SEED (arXiv 2406.18200), which waits between phases.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from webfarer.agents.thoughts import Ask, Node, Options, Tree, Writer
from webfarer.core.errors import ModelAuth, ModelError
from webfarer.worlds.puzzle import MOST_VALUE, PUZZLES, Path, Problem, Rules


class Thinker:
    """Solves problems by searching a tree of thoughts.

    Args:
        writer: writes thoughts and evaluations.
        options: how the tree is searched.
    """

    def __init__(self, writer: Writer, options: Options = Options()) -> None:
        self._writer, self._options = writer, options

    async def solve(self, problem: Problem, rules: Rules | None = None) -> Tree:
        """Return the tree that was grown for `problem`.

        Args:
            problem: what to solve.
            rules: how its thoughts are asked for and read; None takes those of the puzzle it names.

        Raises:
            ModelError: every call of the writer failed.
            WebfarerError: what else the writer raised (a refused key, a spent budget).
        """
        growth = _Growth(self._writer, self._options, problem, rules or PUZZLES.load(problem.puzzle))
        return await growth.grow()


@dataclass(slots=True)
class _Sprout:
    """A text that may become a node; `path` is None when it is no legal thought."""

    text: str
    path: Path | None = None
    failed: bool = False


@dataclass(slots=True)
class _Level:
    """Thoughts being written, and the evaluations of those written already.

    Attributes:
        writing: a task for each thought, in the order of their nodes.
        valuing: tasks of a state's evaluations, by the prompt that asks for them.
        first: the first thought known to end a right path. Those before it are awaited, since they may do so too, and
            the tree must not depend on who was faster; the others, and all evaluations, are not needed any more.
    """

    writing: list[asyncio.Task[_Sprout]] = field(default_factory=list)
    valuing: dict[str, list[asyncio.Task[float | None]]] = field(default_factory=dict)
    first: int | None = None

    def found(self, place: int) -> None:
        """Hear that the thought at `place` ends a right path."""
        if self.first is None or place < self.first:
            self.first = place
        for task in [*self.writing[self.first + 1 :], *self.evaluations]:
            task.cancel()

    @property
    def evaluations(self) -> list[asyncio.Task[float | None]]:
        """All evaluations that were begun."""
        return [task for tasks in self.valuing.values() for task in tasks]

    async def end(self) -> None:
        """Break off what is still under way."""
        left = [*self.writing, *self.evaluations]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class _Growth:
    """One tree while it grows."""

    def __init__(self, writer: Writer, options: Options, problem: Problem, rules: Rules) -> None:
        self._writer, self._options, self._problem, self._rules = writer, options, problem, rules
        self._depth = min(problem.depth, options.depth or problem.depth)
        self._tree = Tree(problem)
        self._allowed = options.most
        self._known: dict[Path, int] = {}
        self._failure: ModelError | None = None

    async def grow(self) -> Tree:
        """Search, then name the best path."""
        tree = self._tree
        if self._options.search == "dfs":
            await self._deep(tree.nodes[0])
        else:
            await self._wide(tree.nodes[0])
        if self._failure is not None and tree.counts.failed == tree.counts.calls:
            raise self._failure
        if not tree.right:
            ends = [node for node in tree.nodes if node.status == "done"]
            tree.best = max(ends, key=lambda node: (node.score, -node.id)).id if ends else None
        if tree.best is not None:
            tree.answer = self._rules.answer(self._problem, tree.path)
        return tree

    async def _wide(self, root: Node) -> None:
        """Keep the best states, level by level."""
        states = [root]
        while states and not self._over and len(states[0].path) < self._depth:
            states = self._select(await self._expand(states))

    async def _deep(self, state: Node) -> None:
        """Follow the best child first; turn back where nothing is left."""
        for child in self._select(await self._expand([state])):
            if not self._over and len(child.path) < self._depth:
                await self._deep(child)

    @property
    def _over(self) -> bool:
        return self._tree.stop != "searched"

    async def _expand(self, parents: Sequence[Node]) -> list[Node]:
        """Write and value the thoughts that follow `parents`; return the states one may think on from."""
        branches = min(self._options.branches, self._allowed // (len(parents) * self._options.cost))
        if branches == 0:
            self._tree.stop = "calls"
            return []
        places = [(parent, index) for parent in parents for index in range(branches)]
        level = _Level()
        try:
            level.writing = [
                asyncio.create_task(self._write(level, place, parent.path, index))
                for place, (parent, index) in enumerate(places)
            ]
            await asyncio.gather(*level.writing, return_exceptions=True)
            await asyncio.gather(*level.evaluations, return_exceptions=True)
        finally:
            await level.end()
        needed = places if level.first is None else places[: level.first + 1]
        grown = [
            self._add(parent, task.result(), level) for (parent, _), task in zip(needed, level.writing, strict=False)
        ]
        self._allowed = self._options.most - self._tree.counts.calls
        return [node for node in grown if node.status == "kept"]

    async def _write(self, level: _Level, place: int, path: Path, index: int) -> _Sprout:
        """Write one thought, and have its state valued unless a sibling's was the same."""
        text = await self._call("thought", path, index, self._rules.next_prompt(self._problem, path))
        if isinstance(text, ModelError):
            return _Sprout(text.message, failed=True)
        thought = self._rules.thought(self._problem, path, text)
        if thought is None:
            return _Sprout(text)
        new = (*path, thought)
        if self._rules.right(self._problem, new):
            level.found(place)
        elif level.first is None and not self._rules.hopeless(self._problem, new):
            self._begin_valuing(level, new)
        return _Sprout(text, new)

    def _begin_valuing(self, level: _Level, path: Path) -> None:
        """Have a state valued that is new."""
        prompt = self._rules.value_prompt(self._problem, path)
        if prompt not in level.valuing and self._state(path) not in self._known:
            level.valuing[prompt] = [
                asyncio.create_task(self._value(prompt, number)) for number in range(self._options.evaluations)
            ]

    async def _value(self, prompt: str, index: int) -> float | None:
        text = await self._call("value", (prompt,), index, prompt)
        return None if isinstance(text, ModelError) else self._rules.value(text)

    async def _call(self, kind: str, place: tuple[str, ...], index: int, prompt: str) -> str | ModelError:
        """Return what the writer wrote, or why it failed."""
        options, counts = self._options, self._tree.counts
        ask = Ask(_seed(options.seed, kind, place, index), options.tokens, options.temperature, options.top_p)
        counts.calls += 1
        try:
            written = await self._writer.write(prompt, ask)
        except ModelAuth:
            raise  # for the user to mend
        except ModelError as error:
            self._failure = error
            counts.failed += 1
            counts.tokens_in += int(error.cost.get("tokens_in", 0))
            counts.tokens_out += int(error.cost.get("tokens_out", 0))
            return error
        counts.tokens_in += written.tokens_in
        counts.tokens_out += written.tokens_out
        return written.text

    def _add(self, parent: Node, sprout: _Sprout, level: _Level) -> Node:
        """Make a node of a sprout and decide what becomes of it."""
        tree, rules, problem = self._tree, self._rules, self._problem
        node = Node(len(tree.nodes), parent.id, sprout.path or parent.path, sprout.text)
        tree.nodes.append(node)
        if sprout.path is None:
            node.status = "failed" if sprout.failed else "malformed"
            return node
        first = self._known.setdefault(self._state(node.path), node.id)
        if first != node.id:
            node.status, node.twin = "duplicate", first
            tree.counts.merged += 1
        elif rules.right(problem, node.path):
            node.status, tree.best, tree.right, tree.stop = "done", node.id, True, "right"
        elif rules.hopeless(problem, node.path) or self._rate(node, parent, level) < self._options.cut:
            node.status = "cut"
            tree.counts.cut += 1
        elif rules.done(problem, node.path):
            node.status = "done"
        elif level.first is not None:
            node.status = "dropped"
        return node

    def _state(self, path: Path) -> Path:
        """Return what makes two paths one state: the thoughts, or, while more may follow, the same prompts."""
        if self._rules.done(self._problem, path):
            return path
        return (self._rules.value_prompt(self._problem, path), self._rules.next_prompt(self._problem, path))

    def _rate(self, node: Node, parent: Node, level: _Level) -> float:
        """Give a node its value, and the score it is ranked by; where a right path was found, nothing is rated."""
        if level.first is not None:
            return MOST_VALUE
        tasks = level.valuing[self._rules.value_prompt(self._problem, node.path)]
        node.values = tuple(task.result() for task in tasks)
        readable = [value for value in node.values if value is not None]
        node.value = node.score = sum(readable) / len(readable) if readable else self._options.default
        if self._options.search == "beam":
            node.score = (parent.score * len(parent.path) + node.value) / len(node.path)
        return node.value

    def _select(self, states: Sequence[Node]) -> list[Node]:
        """Return the states to think on from, best first; the others are dropped."""
        breadth = self._options.breadth
        ranked = sorted(states, key=lambda node: (-node.score, node.id))
        if self._options.select == "sample" and len(ranked) > breadth:
            random = Random(f"{self._options.seed} select {[node.path for node in states]}")
            # the largest of u^(1/weight): a draw without replacement, in proportion (Efraimidis and Spirakis, 2006)
            drawn = {node.id: random.random() ** (1 / max(node.score, 1e-9)) for node in states}
            ranked.sort(key=lambda node: (-drawn[node.id], node.id))
        for node in ranked[breadth:]:
            node.status = "dropped"
        return sorted(ranked[:breadth], key=lambda node: (-node.score, node.id))


def _seed(seed: int, kind: str, place: tuple[str, ...], index: int) -> int:
    """Return the seed of one call: 31 bits, which every server takes."""
    key = repr((seed, kind, place, index)).encode()
    return int.from_bytes(hashlib.sha256(key).digest()[:4]) >> 1
