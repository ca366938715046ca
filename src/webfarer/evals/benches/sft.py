"""Fine-tuning beside TRL's SFTTrainer: tokens a second, peak memory, and whether the losses are the same.

Both sides train the same small random decoder whole, in float32, on the same rows in the same steps; each run is a
program of its own, in turn, and only its training is timed. TRL's packed side makes other steps of the rows, and on
a CPU lets sequences see each other, so its losses are not compared.
"""

import json
import sys
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, ClassVar

from pydantic import Field

from webfarer.core.errors import ConfigError
from webfarer.evals.bench import BenchOptions, Findings, Row
from webfarer.evals.benches._programs import WEBFARER, on_host, output

_PEER = Path(__file__).with_name("_peer_trl.py")
_SIDES = ("webfarer, packed", "webfarer, padded", "TRL, padded", "TRL, packed")
_RATE = 1e-3
_SPECIAL = ("<pad>", "<bos>", "<eos>", "<unk>")


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {"rows": 64, "rounds": 1}

    rows: int = Field(160, ge=16, description="Rows; one epoch.")
    shortest: int = Field(10, ge=4, description="Fewest words of a prompt.")
    longest: int = Field(200, ge=4, description="Most words of a prompt.")
    batch: int = Field(16, ge=1, description="Sequences of a step.")
    room: int = Field(2048, ge=1, description="Most tokens of a forward pass where sequences are packed.")
    hidden: int = Field(192, ge=32, multiple_of=64, description="Width of the model.")
    layers: int = Field(4, ge=1, description="Layers of the model.")
    words: int = Field(2000, ge=10, description="Vocabulary.")
    threads: int = Field(1, ge=1, description="Threads of either side.")
    rounds: int = Field(3, ge=1, description="Repetitions of every side, in turn.")


def bench(options: Options) -> Findings:
    """Run every side."""
    with tempfile.TemporaryDirectory(prefix="webfarer-") as name:
        place = Path(name)
        parameters = _model(place / "model", options)
        _rows(place, options)
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in _SIDES}
        for number in range(options.rounds):
            for side, done in runs.items():
                done.append(_run(side, place, number, options))
    peer = runs["TRL, padded"]
    rows = [_row(side, done, peer) for side, done in runs.items()]
    title = f"{parameters:,} parameters, {options.rows} rows, steps of {options.batch}, {options.threads} threads"
    best, padded = rows[0], rows[1]
    headline = (
        f"sft: {best['tokens_per_second']} tokens/s packed and {padded['tokens_per_second']} padded beside "
        f"{rows[2]['tokens_per_second']} of TRL ({best['times_TRL']}×, {padded['times_TRL']}×), peak memory "
        f"{best['peak_megabytes']} MB beside {rows[2]['peak_megabytes']} MB, losses within {best['loss_off']}"
    )
    return Findings(options.rounds * len(_SIDES), (options.seed,), {title: rows}, headline)


def _model(folder: Path, options: Options) -> int:
    """Write a random decoder whose tokens are words, and return how many parameters it has."""
    try:
        import torch
        from tokenizers import Tokenizer
        from tokenizers.models import WordLevel
        from tokenizers.pre_tokenizers import WhitespaceSplit
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    except ModuleNotFoundError as error:
        raise ConfigError("this benchmark needs more packages: pip install 'webfarer[train]'") from error
    known = {word: number for number, word in enumerate((*_SPECIAL, *map(str, range(options.words))))}
    inner = Tokenizer(WordLevel(known, unk_token=_SPECIAL[3]))
    inner.pre_tokenizer = WhitespaceSplit()
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=inner, pad_token=_SPECIAL[0], bos_token=_SPECIAL[1], eos_token=_SPECIAL[2]
    ).save_pretrained(folder)
    torch.manual_seed(options.seed)
    config = LlamaConfig(
        vocab_size=len(known),
        hidden_size=options.hidden,
        intermediate_size=3 * options.hidden,
        num_hidden_layers=options.layers,
        num_attention_heads=options.hidden // 32,
        num_key_value_heads=options.hidden // 64,
        head_dim=32,
        max_position_embeddings=4 * options.longest,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = LlamaForCausalLM(config)
    model.save_pretrained(folder)
    return sum(weight.numel() for weight in model.parameters())


def _rows(place: Path, options: Options) -> None:
    """Write the rows, and for the peer the same ones in the order in which our first epoch takes them."""
    draws = Random(options.seed)
    lines = []
    for number in range(options.rows):
        words = [str(draws.randrange(options.words)) for _ in range(draws.randint(options.shortest, options.longest))]
        answer = words[::-1][: max(4, len(words) // 3)]
        # the space is TRL's: it joins prompt and completion as they are
        row = {"id": str(number), "prompt": " ".join(words) + " ", "completion": " ".join(answer)}
        lines.append(json.dumps(row) + "\n")
    (place / "rows.jsonl").write_text("".join(lines))
    Random(f"{options.seed} 0").shuffle(lines)
    (place / "peer.jsonl").write_text("".join(lines))


def _run(side: str, place: Path, number: int, options: Options) -> dict[str, Any]:
    who, _, way = side.partition(", ")
    if who == "TRL":
        order = {
            "model": str(place / "model"),
            "rows": str(place / "peer.jsonl"),
            "packed": way == "packed",
            "rate": _RATE,
            **options.model_dump(include={"batch", "room", "threads"}),
        }
        done: dict[str, Any] = json.loads(
            output([sys.executable, str(_PEER), json.dumps(order)], on_host(1)).splitlines()[-1]
        )
        return done
    out = place / f"{number}-{way}"
    command = ["train", "sft", str(place / "rows.jsonl"), "--model", str(place / "model"), "--out", str(out)]
    command += ["--tuner", "full", "--epochs", "1", "--batch", str(options.batch), "--room", str(options.room)]
    command += ["--rate", str(_RATE), "--warmup", "0", "--save-every", "1000000", "--seed", str(options.seed)]
    if way == "padded":
        command += ["--no-packing", "--room", "1000000"]  # a step is one pass, as TRL's
    output([*WEBFARER, *command], on_host(options.threads))
    card = json.loads((out / "card.json").read_text())
    return {**card, "losses": [point["loss"] for point in card["points"]]}


def _row(side: str, done: list[dict[str, Any]], peer: list[dict[str, Any]]) -> Row:
    """Return a side's figures: medians over its runs, and the farthest that a step's loss is from the peer's."""
    speeds = [run["tokens"] / run["seconds"] for run in done]
    works = [run["tokens"] / run["processor_seconds"] for run in done]
    peers = [run["tokens"] / run["seconds"] for run in peer], [run["tokens"] / run["processor_seconds"] for run in peer]
    both = zip(done, peer, strict=True)
    pairs = [pair for run, other in both for pair in zip(run["losses"], other["losses"], strict=False)]
    compared = len(done[0]["losses"]) == len(peer[0]["losses"])
    return {
        "side": side,
        "tokens": done[0]["tokens"],
        "steps": len(done[0]["losses"]),
        "tokens_per_second": round(median(speeds)),
        "from": round(min(speeds)),
        "to": round(max(speeds)),
        "times_TRL": round(median(speeds) / median(peers[0]), 2),
        "tokens_per_processor_second": round(median(works)),
        "times_TRL_by_processor": round(median(works) / median(peers[1]), 2),
        "peak_megabytes": round(median(run["peak_megabytes"] for run in done)),
        "loss_off": f"{max(abs(own - other) for own, other in pairs):.1e}" if compared else None,
        "n": len(done),
    }
