"""Figures of the cache benchmark: where heavy hitters lie, what a cache is made of, how it grows, what is lost.

One sheet of one exam is written again under each policy and watched; the last figure is the pilot's table. After the
figures of SCOPE (arXiv 2412.13649, figure 2), from runs of our own.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from webfarer.engine.loading import Loaded
from webfarer.engine.memory import Memory
from webfarer.engine.policy import parse
from webfarer.evals.benches._kv_arms import EQUAL, Arm
from webfarer.evals.benches._kv_runs import Paper, Watch, Writing, ids, limit_of, sheets_of
from webfarer.evals.benches._svg import COLORS, Drawing, Panel, Point

Watcher = TypeVar("Watcher", bound=Watch)

_HEAVY = 0.15
_EVERY = 5
_PROMPT, _OUTPUT = COLORS[:2]
_GROWING = ("full", "h2o", "scope slide", "scope adaptive", "scope discontinuous")
_MADE_OF = ("h2o", "scope slide")


def draw_runs(folder: Path, model: Loaded, paper: Paper, arms: Sequence[Arm]) -> list[Path]:
    """Write one sheet under several policies and draw what their caches held.

    Args:
        folder: where the figures go.
        model: who writes.
        paper: the first of its sheets is used.
        arms: of its exam; the first of each name is taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    specs: dict[str, str] = {}
    for arm in arms:
        if arm.table == EQUAL:
            specs.setdefault(arm.name, arm.spec)
    held = {name: _watched(model, paper, specs[name], _Shares(model)) for name in _GROWING}
    hits = _watched(model, paper, f"h2o:budget={_everything(model, paper)}", _Hits(model))
    figures = {
        "kv-heavy-hitters.svg": _hits_figure(hits, paper.exam),
        "kv-prompt-and-output.svg": _shares_figure({name: held[name] for name in _MADE_OF}, paper.exam),
        "kv-memory.svg": _growth_figure(held, paper.exam),
    }
    for name, drawing in figures.items():
        drawing.save(folder / name)
    return [folder / name for name in figures]


def draw_pilot(folder: Path, lines: Mapping[str, Sequence[Point]]) -> Path:
    """Draw accuracy against the share of the prompt that is kept, a line each; both in percent."""
    folder.mkdir(parents=True, exist_ok=True)
    drawing = Drawing(560, 300)
    panel = Panel(drawing, 45, 30, 340, 220, (0, 100), (0, 100))
    panel.axes("", "% of the prompt kept; the output is kept in full", "% of answers right")
    colors = dict(zip(lines, COLORS, strict=False))
    for name, points in lines.items():
        panel.line(sorted(points), colors[name], dash="4 3" if name.startswith("SCOPE's") else "")
    drawing.legend(400, 45, colors.items())
    path = folder / "kv-prompt-compression.svg"
    drawing.save(path)
    return path


class _Shares:
    """Notes how many slots hold prompt tokens and how many output, averaged over layers and KV heads."""

    def __init__(self, model: Loaded) -> None:
        self._heads = model.spec.layers * model.spec.kv_heads
        self.prompt: list[Point] = []
        self.output: list[Point] = []

    def __call__(self, step: int, memory: Memory) -> None:
        """Ask the memory what it holds, every few steps."""
        if step % _EVERY == 1:
            prompt, output = memory.origins(0)
            self.prompt.append((step, prompt / self._heads))
            self.output.append((step, output / self._heads))

    @property
    def whole(self) -> list[Point]:
        """All slots."""
        return [(step, a + b) for (step, a), (_, b) in zip(self.prompt, self.output, strict=True)]


class _Hits:
    """Notes the positions with most accumulated attention, by step and layer; the memory must drop nothing."""

    def __init__(self, model: Loaded) -> None:
        count = model.spec.layers
        self.layers = sorted({0, count // 2, count - 1})
        self.at: dict[int, dict[int, list[int]]] = {}
        self.length = self.prompt = 0

    def __call__(self, step: int, memory: Memory) -> None:
        """Read the scores that the memory keeps up."""
        self.length = memory.positions[0]
        self.prompt = self.length - step
        if step != 1 and step % 100:
            return
        self.at[step] = {}
        for layer in self.layers:
            slots = memory.layers[layer]
            here = slots.positions[0, 0] >= 0
            scores, positions = slots.scores[0].mean(0)[here], slots.positions[0, 0][here]
            best = scores.topk(max(1, round(_HEAVY * len(scores)))).indices
            self.at[step][layer] = sorted(positions[best].tolist())


def _everything(model: Loaded, paper: Paper) -> int:
    sheets = sheets_of(paper)[:1]
    return len(ids(model, sheets[0].prompt)) + limit_of(model, sheets) + 1


def _watched(model: Loaded, paper: Paper, spec: str, watch: Watcher) -> Watcher:
    sheets = sheets_of(paper)[:1]
    writing = Writing(model, parse(spec), [ids(model, sheets[0].prompt)], limit_of(model, sheets))
    writing.run(watch)
    return watch


def _hits_figure(hits: _Hits, exam: str) -> Drawing:
    steps = sorted(hits.at)
    chosen = sorted({steps[0], steps[len(steps) // 2], steps[-1]})
    drawing = Drawing(700, 60 + 130 * len(chosen))
    for row, step in enumerate(chosen):
        panel = Panel(drawing, 70, 40 + 130 * row, 600, 80, (0, hits.length), (0, len(hits.layers)))
        every = [place for places in hits.at[step].values() for place in places]
        share = sum(place >= hits.prompt for place in every) / len(every)
        said = f"{exam}, step {step}: the {_HEAVY:.0%} of tokens that received most attention; {share:.0%} are output"
        drawing.text(70, panel.top - 8, said)
        drawing.path(f"M70 {panel.top}v80h600", "#333", width=1)
        end = panel.at((hits.prompt, 0))[0]
        drawing.path(f"M{end:.1f} {panel.top}v80", "#333", width=1, dash="3 3")
        drawing.text(end + 3, panel.top + 94, "output →")
        drawing.text(end - 3, panel.top + 94, "← prompt", "end")
        for number, layer in enumerate(hits.layers):
            low = len(hits.layers) - number - 1
            places = hits.at[step][layer]
            drawing.text(65, panel.at((0, low + 0.4))[1], f"layer {layer}", "end")
            panel.marks([p for p in places if p < hits.prompt], low + 0.15, low + 0.85, _PROMPT)
            panel.marks([p for p in places if p >= hits.prompt], low + 0.15, low + 0.85, _OUTPUT)
    return drawing


def _shares_figure(held: Mapping[str, _Shares], exam: str) -> Drawing:
    drawing = Drawing(700, 300)
    longest = max(shares.whole[-1][0] for shares in held.values())
    most = max(slots for shares in held.values() for _, slots in shares.whole)
    for number, (name, shares) in enumerate(held.items()):
        panel = Panel(drawing, 45 + 340 * number, 30, 280, 200, (0, longest), (0, most))
        panel.axes(f"{exam}, {name}", "tokens generated", "slots of a KV head")
        panel.line(shares.prompt, _PROMPT)
        panel.line(shares.output, _OUTPUT)
    drawing.legend(45, 285, [("of the prompt", _PROMPT)])
    drawing.legend(165, 285, [("of the output", _OUTPUT)])
    return drawing


def _growth_figure(held: Mapping[str, _Shares], exam: str) -> Drawing:
    drawing = Drawing(600, 300)
    longest = max(shares.whole[-1][0] for shares in held.values())
    most = max(slots for shares in held.values() for _, slots in shares.whole)
    panel = Panel(drawing, 45, 30, 360, 220, (0, longest), (0, most))
    panel.axes(exam, "tokens generated", "slots of a KV head")
    colors = dict(zip(held, COLORS, strict=False))
    for name, shares in held.items():
        panel.line(shares.whole, colors[name])
    drawing.legend(425, 45, colors.items())
    return drawing
