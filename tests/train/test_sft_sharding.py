"""Sharded training: what one process does, two do with half of the model each; and when it is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from sft_kit import examples, tiny

from webfarer.core.errors import ConfigError
from webfarer.train.fitting import Settings, fitting
from webfarer.train.tuners.full import Full

PROGRAM = """
import json, sys
from pathlib import Path
from torch.distributed.tensor import DTensor
from webfarer.train.fitting import Settings
from webfarer.train.sft import Job, sft

order = json.loads(sys.argv[1])
held = []

def watch(run):
    weights = list(run.plain.parameters())
    held.append(sum((w.to_local() if isinstance(w, DTensor) else w).numel() for w in weights))
    if run.step == order["stop"]:
        raise SystemExit(3)

settings = Settings(epochs=2, batch=3, rate=1e-2, clip=0.5)
paths = (Path(order[name]) for name in ("rows", "model", "out"))
job = Job(*paths, order["tuner"], settings, share=0.2, save_every=2, shard=order["shard"])
card = sft(job, watch)
(job.out / "held.json").write_text(json.dumps(held)) if held else None
"""
LAUNCH = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def launched(place: Path, out: Path, tuner: str, shard: bool, stop: int = 0) -> int:
    """Train the model in a folder, in shards of two processes or whole in one, and return how it ended."""
    (place / "program.py").write_text(PROGRAM)
    names = {"rows": place / "rows.jsonl", "model": place / "model", "out": out}
    order = {**{name: str(path) for name, path in names.items()}, "tuner": tuner, "shard": shard, "stop": stop}
    command = [sys.executable, *(LAUNCH if shard else ()), str(place / "program.py"), json.dumps(order)]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("tuner", "file", "off"),
    [
        ("constrained:rank=3,dropout=0.0,gamma=0.1", "adapter_model.safetensors", 1e-5),
        ("dora:rank=4", "adapter_model.safetensors", 5e-4),  # AdamW scales up the rounding of gradients near 0
        ("full", "model.safetensors", 1e-5),
    ],
)
def test_two_processes_with_half_of_the_model_each_do_what_one_does(
    tmp_path, tuner: str, file: str, off: float
) -> None:
    tiny.save(tiny.qwen3(layers=2, dtype=torch.float32), tmp_path / "model")  # embedding and head are one weight
    texts = ({"id": f"t{n}", "prompt": f"{n} and {n % 3} are ", "completion": str(n + n % 3)} for n in range(12))
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(text) + "\n" for text in texts))
    one, two = tmp_path / "one", tmp_path / "two"
    assert launched(tmp_path, one, tuner, shard=False) == 0
    assert launched(tmp_path, two, tuner, shard=True, stop=5) != 0
    assert not (two / "card.json").exists()
    assert launched(tmp_path, two, tuner, shard=True) == 0
    cards = [json.loads((folder / "card.json").read_text()) for folder in (one, two)]
    for figure, most in (("loss", 1e-5), ("norm", off)):
        whole, divided = ([point[figure] for point in card["points"]] for card in cards)
        assert divided == pytest.approx(whole, rel=most, abs=1e-5)
    assert cards[1]["scores"] == pytest.approx(cards[0]["scores"], rel=1e-5)
    assert cards[1]["identity"] == cards[0]["identity"]
    assert {(card["parameters"], card["trained"]) for card in cards} == {(cards[0]["parameters"], cards[0]["trained"])}
    weights, parts = load_file(one / file), load_file(two / file)
    assert weights.keys() == parts.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(parts[name], weight, rtol=0, atol=off)
    held = json.loads((two / "held.json").read_text())
    assert len(held) == 4  # it went on from step 4
    assert max(held) < 0.52 * cards[0]["parameters"]


def refused(match: str, **options: bool) -> None:
    with (
        pytest.raises(ConfigError, match=match),
        fitting(tiny.llama(layers=1), Full(), examples(2, 5), Settings(), **options),
    ):
        pass


def test_one_process_alone_has_nobody_to_share_with() -> None:
    refused("several processes: torchrun", sharded=True)


def test_shards_of_accelerate_are_refused_before_anything_is_spent(monkeypatch) -> None:
    monkeypatch.setattr(Accelerator, "distributed_type", "FSDP")
    refused("--shard")
