"""Decodes with kvpress in the Python that has it and the transformers it needs; a program, never imported.

Reads one JSON request a line on stdin, answers one a line on stdout. A request without a press is plain `generate` of
that transformers; with one, the prompt is pressed by SnapKV and the output by kvpress's DecodingPress, whole cache.
Its cache grows from the target by an interval and falls back: the target is half an interval less than what the other
side holds all the time, so that both hold as much on average.
"""

import json
import sys
import time
from importlib.metadata import version
from typing import Any

import torch
from kvpress import DecodingPress, PrefillDecodingPress, SnapKVPress
from transformers import AutoModelForCausalLM, DynamicCache


def press_of(request: dict[str, Any]) -> Any:
    """Return the press a request asks for, or None."""
    if not request.get("target"):
        return None
    interval = request["interval"]
    length = len(request["prompts"][0])
    prompt = SnapKVPress(compression_ratio=1 - min(1.0, request["prompt"] / length), window_size=8)
    buffered = SnapKVPress(compression_ratio=0.0, window_size=8)
    output = DecodingPress(buffered, compression_interval=interval, target_size=request["target"])
    return PrefillDecodingPress(prefilling_press=prompt, decoding_press=output)


def main() -> None:
    """Answer requests until stdin ends."""
    model: Any = None
    versions = {name: version(name) for name in ("kvpress", "torch", "transformers")}
    for line in sys.stdin:
        request = json.loads(line)
        if model is None:
            torch.set_num_threads(request["threads"])
            model = AutoModelForCausalLM.from_pretrained(request["folder"], dtype=torch.float32).eval()
        prompts, press, cache = torch.tensor(request["prompts"]), press_of(request), DynamicCache()
        options = {
            "max_new_tokens": request["new"],
            "min_new_tokens": request["new"],
            "do_sample": False,
            "past_key_values": cache,
            "attention_mask": torch.ones_like(prompts),
            "pad_token_id": 0,
        }
        started = time.perf_counter()
        if press is None:
            out = model.generate(prompts, **options)
        else:
            with press(model):
                out = model.generate(prompts, **options)
        seconds = time.perf_counter() - started
        held = sum(layer.keys.numel() * 8 for layer in cache.layers)
        tokens = out[:, prompts.shape[1] :].tolist()
        answer = {"seconds": seconds, "tokens": tokens, "bytes": held, "versions": versions}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
