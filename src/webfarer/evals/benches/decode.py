"""Decoding speed and memory: this engine beside transformers, llama.cpp and kvpress, and SCOPE beside the full cache.

Same weights, same prompts, alternating runs; every ratio is of runs that stood side by side. The models are random:
speed does not depend on what they say, and every run decodes exactly as many tokens. A rate is tokens decoded by the
seconds of the whole run, in which the prompts are read as well. llama.cpp and kvpress are measured when a Python that
has them is named.
"""

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, FilePath

from webfarer.evals.bench import BenchOptions, Findings, Names, Row

_SIZES = {"4M": (256, 4, 4096), "11M": (384, 6, 4096), "32M": (512, 9, 8192)}
_VOCABULARY = 4096
_THREADS = 2
_ROUNDS_OF_LARGER = 3
"""Models larger than the first get no more rounds, to keep the whole run short."""
_INTERVAL = 512
"""Tokens between two compressions of kvpress; as many slots as the policy of long outputs has for them."""

Runs = dict[str, list[Any]]


@dataclass
class _Log:
    """How many runs were timed, and versions by whose they are."""

    runs: int = 0
    versions: dict[str, Mapping[str, str]] = field(default_factory=dict)


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {
        "rounds": 2,
        "sizes": ("4M",),
        "new": 32,
        "outputs": ("256",),
        "long_rounds": 1,
    }

    rounds: int = Field(15, ge=1, description="Alternating runs of every pair.")
    sizes: Names = Field(("4M", "11M", "32M"), description="Models, of " + ", ".join(_SIZES) + ".")
    new: int = Field(256, ge=2, description="Tokens to decode from each prompt.")
    prompt: int = Field(128, ge=2, description="Tokens of a prompt; ragged ones have a quarter of it to twice as many.")
    outputs: Names = Field(("2048", "8192"), description="Lengths of long outputs, 8 at once.")
    long_rounds: int = Field(2, ge=1, description="Alternating runs of long outputs.")
    scope: str = Field("scope:prompt=1024,recent=256,heavy=256", description="The policy of long outputs.")
    long_prompt: int = Field(1024, ge=2, description="Tokens of their prompts.")
    llama: FilePath | None = Field(None, description="A Python with llama-cpp-python, gguf and safetensors.")
    kvpress: FilePath | None = Field(None, description="A Python with kvpress and its transformers.")


def bench(options: Options) -> Findings:
    """Measure everything."""
    import torch
    from transformers.utils import logging

    torch.set_num_threads(_THREADS)
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # transformers leaves it untyped
    log = _Log(versions={"this Python": {name: version(name) for name in ("torch", "transformers")}})
    with tempfile.TemporaryDirectory() as home:
        folders = {size: _model(Path(home) / size, size, options.seed) for size in options.sizes}
        small = next(iter(folders.values()))
        tables: dict[str, list[Row]] = {
            "Batches, beside transformers": list(_batches(options, small, log)),
            "One sequence": list(_single(options, folders, log)),
            "Long outputs, 8 at once": list(_long(options, small, log)),
            "What a step's eviction costs": list(_evictions(options, log)),
        }
    line = _headline(tables)
    tables["Versions"] = [
        {"of": of, "package": package, "version": number}
        for of, packages in log.versions.items()
        for package, number in packages.items()
    ]
    return Findings(log.runs, (options.seed,), tables, line)


def _model(folder: Path, size: str, seed: int) -> Path:
    """Write a random Qwen3 of about `size` parameters, whose tokens are words without meaning."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    hidden, layers, vocabulary = _SIZES[size]
    torch.manual_seed(seed)
    config = Qwen3Config(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=hidden * 11 // 4,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        num_key_value_heads=hidden // 128,
        head_dim=32,
        max_position_embeddings=16384,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
    )
    Qwen3ForCausalLM(config).save_pretrained(folder)
    words = Tokenizer(WordLevel({f"w{i}": i for i in range(vocabulary)}, unk_token="w0"))
    tokenizer: Any = PreTrainedTokenizerFast
    tokenizer(tokenizer_object=words, eos_token="w2").save_pretrained(folder)
    return folder


def _prompts(lengths: Sequence[int], seed: int) -> list[list[int]]:
    import random

    draw = random.Random(seed)
    return [[draw.randrange(3, _VOCABULARY) for _ in range(length)] for length in lengths]


def _alternate(sides: Mapping[str, Any], prompts: list[list[int]], new: int, rounds: int, log: _Log) -> Runs:
    """Run the sides in turns, the first one last in every other round; a whole round before them is not counted."""
    for side in sides.values():
        side.run(prompts, 64 if new > 1000 else new)
    runs: Runs = {name: [] for name in sides}
    for number in range(rounds):
        for name, side in list(sides.items())[:: 1 if number % 2 else -1]:
            runs[name].append(side.run(prompts, new))
            log.runs += 1
    log.versions |= {name: side.versions for name, side in sides.items() if getattr(side, "versions", None)}
    return runs


def _same(runs: Runs, baseline: str, ours: str) -> float:
    """Return the share of sequences on which two sides say the same."""
    pairs = list(zip(runs[ours][0].tokens, runs[baseline][0].tokens, strict=True))
    return round(sum(bool(mine == theirs) for mine, theirs in pairs) / len(pairs), 3)


def _row(runs: Runs, baseline: str, ours: str) -> Row:
    """Return the rates of two sides and the median, least and largest of their ratios, run by run."""
    ratios = [mine.rate / theirs.rate for mine, theirs in zip(runs[ours], runs[baseline], strict=True)]
    return {
        "tok_s": round(statistics.median(r.rate for r in runs[ours])),
        "baseline_tok_s": round(statistics.median(r.rate for r in runs[baseline])),
        "ratio": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
        "n": len(ratios),
    }


def _batches(options: Options, folder: Path, log: _Log) -> Iterator[Row]:
    from webfarer.evals.benches._decode_sides import Continuous, Generate, Ours

    ours, theirs = Ours(folder), Generate(folder)
    batches = {f"{n} x {options.prompt}": [options.prompt] * n for n in (1, 8, 16)}
    batches["16 ragged"] = [options.prompt * (1 + i % 8) // 4 for i in range(16)]
    pairs = [(name, "generate", theirs, options.rounds) for name in batches]
    pairs.append(("16 ragged", "generate_batch", Continuous(folder), min(2, options.rounds)))
    for name, baseline, side, rounds in pairs:
        prompts = _prompts(batches[name], options.seed)
        runs = _alternate({baseline: side, "ours": ours}, prompts, options.new, rounds, log)
        same = _same(runs, baseline, "ours")
        yield {"prompts": name, "baseline": baseline, **_row(runs, baseline, "ours"), "same_tokens": same}


def _single(options: Options, folders: Mapping[str, Path], log: _Log) -> Iterator[Row]:
    from webfarer.evals.benches._decode_sides import Generate, Ours, peer

    prompts = _prompts([options.prompt], options.seed)
    for size, folder in folders.items():
        rounds = options.rounds if size == "4M" else min(_ROUNDS_OF_LARGER, options.rounds)
        with ExitStack() as stack:
            request = {"folder": str(folder), "context": 4096, "threads": _THREADS}
            llama = stack.enter_context(peer(options.llama, "_peer_llama.py", **request))
            sides = {"generate": Generate(folder), "ours": Ours(folder, rows=1)}
            sides |= {"llama.cpp": llama} if llama else {}
            runs = _alternate(sides, prompts, options.new, rounds, log)
            for baseline in sides:
                if baseline != "ours":
                    row, same = _row(runs, baseline, "ours"), _same(runs, baseline, "ours")
                    yield {"model": size, "baseline": baseline, **row, "same_tokens": same}


def _long(options: Options, folder: Path, log: _Log) -> Iterator[Row]:
    from webfarer.evals.benches._decode_sides import Ours, peer

    prompts = _prompts([options.long_prompt] * 8, options.seed)
    target = options.long_prompt + 512 - _INTERVAL // 2  # it holds that to an interval more: as we do, on average
    request = {"folder": str(folder), "threads": _THREADS, "prompt": options.long_prompt, "interval": _INTERVAL}
    for new in map(int, options.outputs):
        # each time anew: no slots of a longer output before
        full, scope = (Ours(folder, cache, rows=8, metered=True) for cache in ("full", options.scope))
        runs = _alternate({"full cache": full, "scope": scope}, prompts, new, options.long_rounds, log)
        yield _long_row(runs, "full cache", new)
        with peer(options.kvpress, "_peer_kvpress.py", target=target, **request) as press:
            if press is not None:
                runs = _alternate({"kvpress": press, "scope": scope}, prompts, new, options.long_rounds, log)
                yield _long_row(runs, "kvpress", new)


def _long_row(runs: Runs, baseline: str, new: int) -> Row:
    share = runs["scope"][0].bytes / runs[baseline][0].bytes
    return {"new": new, "baseline": baseline, **_row(runs, baseline, "scope"), "memory": round(share, 3)}


def _evictions(options: Options, log: _Log) -> Iterator[Row]:
    from webfarer.evals.benches._decode_evictions import eviction_us

    for prompt in (512, 2048, 8192):
        for policy in (f"scope:prompt={prompt},recent=256,heavy=256", f"h2o:budget={prompt + 512}"):
            alone, after = eviction_us(policy, prompt, options.rounds)
            log.runs += len(alone) + len(after)
            yield {
                "policy": policy.partition(":")[0],
                "slots": prompt + 512,
                "us_per_layer": round(statistics.median(alone), 1),
                "least": round(min(alone), 1),
                "most": round(max(alone), 1),
                "after_attention_us": round(statistics.median(after), 1),
                "n": len(alone),
            }


def _headline(tables: Mapping[str, list[Row]]) -> str:
    batches, single, long, _ = tables.values()
    lengthy = [f"{_said(row, 'new')} ({row['memory']} of its memory)" for row in long]
    return (
        f"decode: {', '.join(_said(row, 'prompts') for row in batches)}; "
        f"one sequence {', '.join(_said(row, 'model') for row in single)}; scope {', '.join(lengthy)}"
    )


def _said(row: Row, name: str) -> str:
    return f"{row['ratio']}x ({row['least']}–{row['most']}, n={row['n']}) {row['baseline']} at {row[name]}"
