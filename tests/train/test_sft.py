"""`webfarer train sft`, from rows to an adapter: card, checkpoints, several processes, and what can go wrong."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from sft_kit import tiny
from transformers import AutoModelForCausalLM
from typer.testing import CliRunner

from webfarer.apps.cli.train import app
from webfarer.core.errors import ConfigError, WebfarerError
from webfarer.train import checkpoints
from webfarer.train.examples import Reading
from webfarer.train.fitting import Settings
from webfarer.train.sft import Job, sft

PROGRAM = (sys.executable, "-c", "from webfarer.apps.cli.main import main; main()")
SETTINGS = Settings(epochs=2, batch=4, rate=1e-2)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def job(tmp_path) -> Job:
    """Twelve short texts for a model of one layer."""
    model = tiny.save(tiny.llama(layers=1, dtype=torch.float32), tmp_path / "model")
    rows = tmp_path / "rows.jsonl"
    texts = ({"id": f"t{n}", "prompt": f"{n} and {n % 3} are ", "completion": str(n + n % 3)} for n in range(12))
    rows.write_text("".join(json.dumps(text) + "\n" for text in texts))
    return Job(rows, model, tmp_path / "out", "lora:rank=4,dropout=0.1", SETTINGS, share=0.25, save_every=2)


def trained(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def equal(one: Path, other: Path) -> bool:
    first, second = trained(one), trained(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # PEFT reads it on loading
def test_rows_become_an_adapter_with_a_card(job: Job) -> None:
    card = sft(job)
    assert (card["examples"], card["held_out"], len(card["points"])) == (9, 3, 6)
    assert card["points"][-1]["loss"] < card["points"][0]["loss"]
    assert card["scores"]["6"] < card["scores"]["0"]
    assert json.loads((job.out / "card.json").read_text())["points"] == card["points"]
    page = (job.out / "card.html").read_text()
    assert page.count("<svg") == 3
    assert "<script" not in page
    assert not (job.out / checkpoints.NAME).exists()
    base = AutoModelForCausalLM.from_pretrained(job.model, dtype=torch.float32)
    assert sum(weight.numel() for weight in PeftModel.from_pretrained(base, job.out).parameters()) == card["parameters"]


def test_a_training_that_was_stopped_ends_with_the_same_weights(job: Job, tmp_path) -> None:
    class Stopped(Exception):
        pass

    def stop(fitting) -> None:
        if fitting.step == stops[0]:
            stops.pop(0)
            raise Stopped

    whole = replace(job, out=tmp_path / "whole")
    sft(whole)
    stops = [1, 3, 5]
    for _ in range(3):
        with pytest.raises(Stopped):
            sft(job, stop)
    card = sft(job, lambda fitting: None)
    assert equal(job.out, whole.out)
    assert card["points"] == json.loads((whole.out / "card.json").read_text())["points"]
    assert sft(job, stop) == json.loads((job.out / "card.json").read_text())  # what is done is not done again


def test_a_folder_of_another_training_is_refused(job: Job) -> None:
    sft(job)
    changes = {"tuner": "lora:rank=2"}, {"settings": replace(SETTINGS, rate=1e-3)}, {"reading": Reading(whole=True)}
    for other in (replace(job, **change) for change in changes):
        with pytest.raises(ConfigError, match="result of another training"):
            sft(other)


def test_a_checkpoint_of_another_training_or_a_broken_one_is_refused(job: Job) -> None:
    job.out.mkdir()
    (job.out / checkpoints.NAME).write_bytes(b"half of")
    with pytest.raises(ConfigError, match=r"cannot be read; delete it"):
        sft(job)
    torch.save({"identity": "other"}, job.out / checkpoints.NAME)
    with pytest.raises(ConfigError, match=r"other rows, of another model"):
        sft(job)


def test_a_full_disk_keeps_the_last_checkpoint(job: Job, monkeypatch, tmp_path) -> None:
    saved, save = [], torch.save

    def full(state, file) -> None:
        if saved:
            file.write(b"some")
            raise OSError(errno.ENOSPC, "No space left on device")
        saved.append(save(state, file))

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", full)
        with pytest.raises(WebfarerError, match=r"step 4 was not saved.*No space left"):
            sft(job)
    assert sorted(path.name for path in job.out.iterdir()) == [checkpoints.NAME]
    assert torch.load(job.out / checkpoints.NAME, weights_only=True)["points"][-1]["step"] == 2
    sft(job)
    sft(replace(job, out=tmp_path / "whole"))
    assert equal(job.out, tmp_path / "whole")


def test_a_loss_that_is_no_number_keeps_the_checkpoint(job: Job) -> None:
    def spoil(fitting) -> None:
        if fitting.step == 3:
            with torch.no_grad():
                next(weight for weight in fitting.plain.parameters() if weight.requires_grad)[:] = float("nan")

    with pytest.raises(WebfarerError, match=r"step 4: loss nan.*t\d"):
        sft(job, spoil)
    assert (job.out / checkpoints.NAME).exists()


def test_a_folder_that_is_no_model_and_a_foreign_tokenizer_are_refused(job: Job, tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"no model's folder"):
        sft(replace(job, model=tmp_path))
    tiny.save(tiny.llama(layers=1, vocab_size=60, eos_token_id=2, pad_token_id=2), job.model)
    with pytest.raises(ConfigError, match=r"none of the model's 60"):
        sft(job)


def test_the_whole_model_is_left_with_its_tokenizer(job: Job) -> None:
    card = sft(replace(job, tuner="full", share=0.0, held_out=job.rows, evaluate_every=5))
    assert card["trained"] == card["parameters"]
    assert list(card["scores"]) == ["0", "5", "6"]
    assert (job.out / "tokenizer.json").exists()
    assert AutoModelForCausalLM.from_pretrained(job.out).config.vocab_size == tiny.VOCAB


def test_passes_in_bfloat16_train_float32_weights(job: Job) -> None:
    card = sft(replace(job, settings=replace(SETTINGS, bf16=True)))
    assert card["points"][-1]["loss"] < card["points"][0]["loss"]
    assert {weight.dtype for weight in trained(job.out).values()} == {torch.float32}


def test_the_command(job: Job) -> None:
    options = ["--model", str(job.model), "--out", str(job.out), "--longest", "14", "--drop-long", "--epochs", "1"]
    result = CliRunner().invoke(app, ["sft", str(job.rows), *options, "--no-packing"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "3 rows were too long" in result.stdout
    assert "step 2/2  loss" in result.stdout


def command(job: Job, out: Path) -> list[str]:
    options = {"model": job.model, "out": out, "tuner": job.tuner, "epochs": 30, "batch": 4, "save-every": 2}
    return ["train", "sft", str(job.rows), *(str(part) for name in options for part in (f"--{name}", options[name]))]


ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_again_and_again_it_ends_with_the_same_weights(job: Job, tmp_path) -> None:
    whole, killed, draws, kills = tmp_path / "whole", tmp_path / "killed", random.Random(1), 0
    subprocess.run([*PROGRAM, *command(job, whole)], env=ENVIRONMENT, check=True, capture_output=True)
    steps = []
    while not (killed / "card.json").exists():
        process = subprocess.Popen([*PROGRAM, *command(job, killed)], env=ENVIRONMENT, stdout=subprocess.DEVNULL)
        if kills < 4:
            before = _written(killed)
            while _written(killed) == before and process.poll() is None:  # it has gone on from where it was
                time.sleep(0.01)
            time.sleep(draws.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        steps.append(_written(killed))
    assert len(steps) >= 3
    assert equal(killed, whole)
    cards = [json.loads((folder / "card.json").read_text()) for folder in (killed, whole)]
    assert cards[0]["points"] == cards[1]["points"]


def _written(folder: Path) -> int:
    """Return when the checkpoint was written, 0 for never."""
    path = folder / checkpoints.NAME
    return path.stat().st_mtime_ns if path.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("packing", ["--packing", "--no-packing"])
def test_two_processes_do_what_one_does(job: Job, tmp_path, packing: str) -> None:
    plain = replace(job, tuner="constrained:rank=4,dropout=0.0,gamma=0.1")
    one, two = tmp_path / "one", tmp_path / "two"
    more = ["--epochs", "2", "--batch", "3", packing, "--share", "0.2"]  # the last step has one sequence for two
    script = tmp_path / "program.py"
    script.write_text("from webfarer.apps.cli.main import main\nmain()\n")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    environment = {**ENVIRONMENT, "ACCELERATE_USE_CPU": "true"}
    for start, out in ((PROGRAM, one), (launch, two)):
        subprocess.run([*start, *command(plain, out), *more], env=environment, check=True, capture_output=True)
    cards = [json.loads((folder / "card.json").read_text()) for folder in (one, two)]
    assert [card["processes"] for card in cards] == [1, 2]
    losses = [[point["loss"] for point in card["points"]] for card in cards]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert cards[1]["scores"] == pytest.approx(cards[0]["scores"], rel=1e-5)
    for name, weight in trained(one).items():
        torch.testing.assert_close(trained(two)[name], weight, rtol=1e-4, atol=1e-5)
