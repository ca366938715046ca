"""Fine-tunes with TRL's SFTTrainer; a program, never imported.

Takes one JSON object on the command line: model's folder, file of rows, batch, rate, threads, and whether to pack.
Prints one JSON object: tokens of the rows, seconds and processor seconds of the training, peak memory, loss by step.
"""

import json
import resource
import sys
import tempfile
import time

import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main(order: dict) -> dict:
    """Train for one epoch over the rows in the order in which they stand."""
    torch.set_num_threads(order["threads"])
    with open(order["rows"]) as lines:
        rows = [json.loads(line) for line in lines]
    if order["packed"]:
        way = {"packing": True, "max_length": order["room"], "per_device_train_batch_size": 1}
    else:
        way = {"packing": False, "max_length": None, "per_device_train_batch_size": order["batch"]}
    with tempfile.TemporaryDirectory() as out:
        config = SFTConfig(
            output_dir=out,
            num_train_epochs=1,
            learning_rate=order["rate"],
            lr_scheduler_type="linear",
            warmup_steps=0,
            max_grad_norm=1.0,
            completion_only_loss=True,
            gradient_checkpointing=False,
            train_sampling_strategy="sequential",
            use_cpu=True,
            bf16=False,
            report_to=[],
            save_strategy="no",
            logging_steps=1,
            disable_tqdm=True,
            **way,
        )
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(order["model"], dtype=torch.float32),
            args=config,
            train_dataset=Dataset.from_list([{k: row[k] for k in ("prompt", "completion")} for row in rows]),
            processing_class=AutoTokenizer.from_pretrained(order["model"]),
        )
        clock, work = time.perf_counter(), time.process_time()
        trainer.train()
        seconds, processor = time.perf_counter() - clock, time.process_time() - work
    tokens = [len(ids) for ids in trainer.train_dataset["input_ids"]]
    return {
        "tokens": sum(tokens),
        "seconds": seconds,
        "processor_seconds": processor,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
        "losses": [step["loss"] for step in trainer.state.log_history if "loss" in step],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
