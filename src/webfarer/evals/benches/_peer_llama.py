"""Decodes with llama.cpp, in a Python that has llama-cpp-python, gguf and safetensors; a program, never imported.

Reads one JSON request a line on stdin, answers one a line on stdout. Converts a Qwen3 checkpoint in float32 to GGUF
without a vocabulary, so that both sides run the same weights. Greedy, one sequence at a time.
"""

import ctypes
import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
from safetensors.numpy import load_file


def convert(folder: Path) -> Path:
    """Write `folder`/model.gguf."""
    config = json.loads((folder / "config.json").read_text())
    target = folder / "model.gguf"
    writer = gguf.GGUFWriter(target, "qwen3")
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    rope = config.get("rope_parameters") or {}
    writer.add_rope_freq_base(float(rope.get("rope_theta") or config.get("rope_theta") or 10000))
    writer.add_vocab_size(config["vocab_size"])
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("no_vocab")
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, config["num_hidden_layers"])
    for name, tensor in load_file(folder / "model.safetensors").items():
        writer.add_tensor(names.get_name(name, try_suffixes=(".weight",)), tensor.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target


class Model:
    """One model, loaded by llama.cpp's own C interface: no Python sampler stands between."""

    def __init__(self, path: Path, context: int, threads: int) -> None:
        """Load it."""
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        settings = llama_cpp.llama_context_default_params()
        settings.n_ctx, settings.n_batch, settings.n_threads, settings.n_threads_batch = context, 512, threads, threads
        settings.type_k = settings.type_v = 0  # float32, as the other side
        self.context = llama_cpp.llama_init_from_model(self.model, settings)
        self.vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def _run(self, tokens: list[int]) -> int:
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        if llama_cpp.llama_decode(self.context, batch):
            raise RuntimeError("llama_decode failed")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(np.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (self.vocab,)).argmax())

    def generate(self, prompt: list[int], new: int) -> list[int]:
        """Continue a prompt greedily by `new` tokens."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        tokens = [self._run(prompt)]
        while len(tokens) < new:
            tokens.append(self._run(tokens[-1:]))
        return tokens


def main() -> None:
    """Answer requests until stdin ends."""
    model: Any = None
    versions = {"llama-cpp-python": version("llama-cpp-python")}
    for line in sys.stdin:
        request = json.loads(line)
        if model is None:
            model = Model(convert(Path(request["folder"])), request["context"], request["threads"])
            model.generate(request["prompts"][0], 4)
        started = time.perf_counter()
        tokens = [model.generate(prompt, request["new"]) for prompt in request["prompts"]]
        answer = {"seconds": time.perf_counter() - started, "tokens": tokens, "versions": versions}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
