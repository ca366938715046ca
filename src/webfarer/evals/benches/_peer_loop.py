"""Scores a pool with transformers and PEFT, one item and one forward pass at a time; a program, never imported.

Takes one JSON object on the command line: folders of model and adapter, the file of items, passes, longest, threads.
Prints one JSON object: seconds, processor seconds, and the scores of every item. Each pass with dropout has one mask
for all tokens, drawn as ours, so that scores can be compared; PEFT's own dropout costs the same.
"""

import json
import sys
import time
from contextlib import nullcontext

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from transformers import AutoModelForCausalLM, AutoTokenizer


class Loop:
    """A model, and the loop over items."""

    def __init__(self, order: dict):
        base = AutoModelForCausalLM.from_pretrained(order["model"], dtype=torch.float32)
        self.model = PeftModel.from_pretrained(base, order["adapter"]).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(order["model"])
        self.longest = order["longest"]
        layers = [layer for layer in self.model.modules() if isinstance(layer, LoraLayer)]
        self.masks = [self.drawn(layers, torch.Generator().manual_seed(number)) for number in range(order["passes"])]

    def scores(self, item: dict) -> dict:
        """Return all scores of one item."""
        prompt = self.tokenizer(item["prompt"]).input_ids
        choices = [self.tokenizer(each, add_special_tokens=False).input_ids for each in item["choices"]]
        choices = [[*ids, self.tokenizer.eos_token_id] for ids in choices]
        found = {}
        for who in ("base", "adapted"):
            with self.model.disable_adapter() if who == "base" else nullcontext():
                output = self.write(prompt)
                found[who] = {**self.score(prompt, output), "tokens": len(output)}
                found[who]["output"] = self.tokenizer.decode(output, skip_special_tokens=True).strip()
                if choices:
                    found[who]["choices"] = self.choose(prompt, choices)
        found["dropout"] = {"nll": [], "entropy": [], **({"choices": []} if choices else {})}
        for number in range(len(self.masks)):
            hooks = self.thin(number)
            for name, value in self.score(prompt, output).items():
                found["dropout"][name].append(value)
            if choices:
                found["dropout"]["choices"].append(self.choose(prompt, choices))
            for hook in hooks:
                hook.remove()
        return found

    def write(self, prompt: list) -> list:
        """Return the likeliest output."""
        ids = torch.tensor([prompt])
        out = self.model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=self.longest, do_sample=False
        )
        return out[0, len(prompt) :].tolist()

    def score(self, prompt: list, output: list) -> dict:
        """Return the sums of negative log-likelihood and entropy of an output."""
        ids = torch.tensor([prompt + output])
        logs = self.model(input_ids=ids, logits_to_keep=len(output) + 1).logits[0, :-1].log_softmax(-1)
        nll = -logs.gather(-1, ids[0, len(prompt) :, None]).sum()
        return {"nll": float(nll), "entropy": float(-(logs.exp() * logs).sum())}

    def choose(self, prompt: list, choices: list) -> list:
        """Return the probabilities of the choices, one forward pass each."""
        return torch.tensor([-self.score(prompt, choice)["nll"] for choice in choices]).softmax(0).tolist()

    def drawn(self, layers: list, draw: torch.Generator) -> list:
        """Return a pass's mask of every dropout, by the width of what A reads."""
        found = []
        for layer in layers:
            (module,), (down,) = layer.lora_dropout.values(), layer.lora_A.values()
            keep = 1 - getattr(module, "p", 0)
            found.append((module, torch.bernoulli(torch.full((down.in_features,), keep), generator=draw) / keep))
        return found

    def thin(self, number: int) -> list:
        """Put a pass's masks behind every dropout, and return the hooks."""
        return [
            module.register_forward_hook(lambda _, given, out, mask=mask: out * mask)
            for module, mask in self.masks[number]
        ]


def main(order: dict) -> dict:
    """Score every item, and time that alone."""
    torch.set_num_threads(order["threads"])
    with open(order["items"]) as lines:
        items = [json.loads(line) for line in lines]
    loop = Loop(order)
    clock, work = time.perf_counter(), time.process_time()
    with torch.no_grad():
        scores = [loop.scores(item) for item in items]
    return {
        "seconds": time.perf_counter() - clock,
        "processor_seconds": time.process_time() - work,
        "scores": scores,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
