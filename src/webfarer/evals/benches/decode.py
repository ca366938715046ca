"""Decoding speed and memory: this engine beside transformers, llama.cpp and kvpress, and SCOPE beside the full cache.

Same weights, same prompts, alternating runs; every ratio is of runs that stood side by side. The models are random:
speed does not depend on what they say, and every run decodes exactly as many tokens. llama.cpp and kvpress are
measured when a Python that has them is named.
"""

import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from webfarer.evals.bench import BenchOptions, Findings, Names, Row

_SIZES = {"4M": (256, 4, 4096), "11M": (384, 6, 4096), "32M": (512, 9, 8192)}
_VOCABULARY = 4096
_THREADS = 2


class Options(BenchOptions):
    """What can be varied."""

    QUICK: ClassVar[dict[str, Any]] = {
        "rounds": 2,
        "sizes": ("4M",),
        "new": 32,
        "outputs": ("256",),
        "long_rounds": 1,
    }

    rounds: int = Field(5, ge=1, description="Alternating runs of every pair.")
    sizes: Names = Field(("4M", "11M", "32M"), description="Models, of " + ", ".join(_SIZES) + ".")
    new: int = Field(128, ge=2, description="Tokens to decode from each prompt.")
    prompt: int = Field(128, ge=2, description="Tokens of a prompt; ragged ones have a quarter of it to twice as many.")
    outputs: Names = Field(("2048", "8192"), description="Lengths of long outputs, 8 at once.")
    long_rounds: int = Field(2, ge=1, description="Alternating runs of long outputs.")
    scope: str = Field("scope:prompt=1024,recent=256,heavy=256", description="The policy of long outputs.")
    long_prompt: int = Field(1024, ge=2, description="Tokens of their prompts.")
    llama: Path | None = Field(None, description="A Python with llama-cpp-python, gguf and safetensors.")
    kvpress: Path | None = Field(None, description="A Python with kvpress and its transformers.")


def bench(options: Options) -> Findings:
    """Measure everything."""
    import torch

    torch.set_num_threads(_THREADS)
    with tempfile.TemporaryDirectory() as home:
        folders = {size: _model(Path(home) / size, size, options.seed) for size in options.sizes}
        small = next(iter(folders.values()))
        tables: dict[str, list[Row]] = {
            "Batches, beside transformers": list(_batches(options, small)),
            "One sequence": list(_single(options, folders)),
            "Long outputs, 8 at once": list(_long(options, small)),
            "What a step's eviction costs": list(_evictions(options)),
        }
    rows = [row for part in tables.values() for row in part]
    return Findings(sum(int(str(r.get("n", 0))) for r in rows), (options.seed,), tables, _headline(tables))


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


def _alternate(
    sides: Mapping[str, Any], prompts: list[list[int]], new: int, rounds: int
) -> tuple[dict[str, list[Any]], float]:
    """Run the sides in turns; return their runs and the share of sequences on which all say the same."""
    for side in sides.values():
        side.run([p[:8] for p in prompts], 2)
    runs: dict[str, list[Any]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            runs[name].append(side.run(prompts, new))
    first = [timed[0].tokens for timed in runs.values()]
    same = [all(one == other for other in rest) for one, *rest in zip(*first, strict=True)]
    return runs, sum(same) / len(same)


def _row(runs: Mapping[str, list[Any]], baseline: str, ours: str) -> Row:
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


def _batches(options: Options, folder: Path) -> Iterator[Row]:
    from webfarer.evals.benches._decode_sides import Continuous, Generate, Ours

    ours, theirs = Ours(folder), Generate(folder)
    batches = {f"{n} x {options.prompt}": [options.prompt] * n for n in (1, 8, 16)}
    batches["16 ragged"] = [options.prompt * (1 + i % 8) // 4 for i in range(16)]
    for name, lengths in batches.items():
        prompts = _prompts(lengths, options.seed)
        runs, same = _alternate({"generate": theirs, "ours": ours}, prompts, options.new, options.rounds)
        yield {"prompts": name, "baseline": "generate", **_row(runs, "generate", "ours"), "same_tokens": round(same, 3)}
    prompts = _prompts(batches["16 ragged"], options.seed)
    runs, same = _alternate({"batch": Continuous(folder), "ours": ours}, prompts, options.new, min(2, options.rounds))
    row = _row(runs, "batch", "ours")
    yield {"prompts": "16 ragged", "baseline": "generate_batch", **row, "same_tokens": round(same, 3)}


def _single(options: Options, folders: Mapping[str, Path]) -> Iterator[Row]:
    from webfarer.evals.benches._decode_sides import Generate, Ours, peer

    prompts = _prompts([options.prompt], options.seed)
    for size, folder in folders.items():
        with ExitStack() as stack:
            request = {"folder": str(folder), "context": 4096, "threads": _THREADS}
            llama = stack.enter_context(peer(options.llama, "_peer_llama.py", **request))
            sides = {"generate": Generate(folder), "ours": Ours(folder, rows=1)}
            sides |= {"llama.cpp": llama} if llama else {}
            runs, same = _alternate(sides, prompts, options.new, options.rounds)
            for baseline in sides:
                if baseline != "ours":
                    row = _row(runs, baseline, "ours")
                    yield {"model": size, "baseline": baseline, **row, "same_tokens": round(same, 3)}


def _long(options: Options, folder: Path) -> Iterator[Row]:
    from webfarer.evals.benches._decode_sides import Ours, peer

    prompts = _prompts([options.long_prompt] * 8, options.seed)
    full, scope = Ours(folder, rows=8), Ours(folder, options.scope, rows=8)
    for new in map(int, options.outputs):
        runs, _ = _alternate({"full": full, "scope": scope}, prompts, new, options.long_rounds)
        share = runs["scope"][0].bytes / runs["full"][0].bytes
        yield {"new": new, "baseline": "full cache", **_row(runs, "full", "scope"), "memory": round(share, 3)}
        if options.kvpress is None:
            continue
        target = options.long_prompt + 512
        request = {"folder": str(folder), "threads": _THREADS, "prompt": options.long_prompt, "interval": 512}
        with peer(options.kvpress, "_peer_kvpress.py", target=target, **request) as press:
            if press is not None:
                runs, _ = _alternate({"kvpress": press, "scope": scope}, prompts, new, 1)
                share = runs["scope"][0].bytes / runs["kvpress"][0].bytes
                yield {"new": new, "baseline": "kvpress", **_row(runs, "kvpress", "scope"), "memory": round(share, 3)}


def _evictions(options: Options) -> Iterator[Row]:
    from webfarer.evals.benches._decode_evictions import eviction_us

    for prompt in (512, 2048, 8192):
        for policy in (f"scope:prompt={prompt},recent=256,heavy=256", f"h2o:budget={prompt + 512}"):
            times = eviction_us(policy, prompt, options.rounds)
            yield {
                "policy": policy.partition(":")[0],
                "slots": prompt + 512,
                "us_per_layer": round(statistics.median(times), 1),
                "least": round(min(times), 1),
                "most": round(max(times), 1),
                "n": len(times),
            }


def _headline(tables: Mapping[str, list[Row]]) -> str:
    batches, single, long, _ = tables.values()
    of = {str(row["prompts"]): row["ratio"] for row in batches if row["baseline"] == "generate"}
    alone = [f"{row['ratio']}x {row['baseline']} ({row['model']})" for row in single]
    lengthy = [f"{row['ratio']}x {row['baseline']} at {row['new']} ({row['memory']} of its memory)" for row in long]
    return (
        f"decode: {', '.join(f'{ratio}x generate at {name}' for name, ratio in of.items())}; "
        f"one sequence {', '.join(alone)}; scope {', '.join(lengthy)}"
    )
