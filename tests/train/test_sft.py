"""`webfarer train sft`, from rows to an adapter: card, checkpoints, several processes, and what can go wrong."""

import asyncio
import errno
import io
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
from webfarer.data.row import Row, Turn, write_rows
from webfarer.models.base import Message, Sampling
from webfarer.models.local import Local, weights
from webfarer.train import checkpoints, runcard
from webfarer.train.examples import Reading
from webfarer.train.fitting import Settings
from webfarer.train.sft import Job, examples_of, load, sft

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
    assert card["accuracies"].keys() == card["scores"].keys()
    assert json.loads((job.out / "card.json").read_text())["points"] == card["points"]
    page = (job.out / "card.html").read_text()
    assert page.count("<svg") == 4
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
    assert sorted(path.name for path in job.out.iterdir()) == [checkpoints.NAME, "lock"]
    assert torch.load(job.out / checkpoints.NAME, weights_only=True)["points"][-1]["step"] == 2
    sft(job)
    sft(replace(job, out=tmp_path / "whole"))
    assert equal(job.out, tmp_path / "whole")


def test_a_checkpoint_that_does_not_fit_says_that_the_disk_is_full(job: Job, monkeypatch) -> None:
    class Disk(io.BytesIO):
        def write(self, data) -> int:
            if len(data) > 64:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(checkpoints, "whole", lambda path: Disk())
    with pytest.raises(WebfarerError, match=r"step 2 was not saved.*No space left"):
        sft(job)


@pytest.mark.parametrize("writer", [(PeftModel, "save_pretrained"), (runcard, "put")])
def test_a_disk_that_is_full_in_the_end_costs_no_step(job: Job, monkeypatch, tmp_path, writer) -> None:
    def full(*given, **options) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(*writer, full)
        with pytest.raises(WebfarerError, match="No space left"):
            sft(job)
    done = []
    sft(job, lambda fitting: done.append(fitting.step))
    sft(replace(job, out=tmp_path / "whole"))
    assert done == []
    assert equal(job.out, tmp_path / "whole")


def test_a_loss_that_is_no_number_keeps_the_checkpoint(job: Job) -> None:
    def spoil(fitting) -> None:
        if fitting.step == 3:
            with torch.no_grad():
                next(weight for weight in fitting.plain.parameters() if weight.requires_grad)[:] = float("nan")

    with pytest.raises(WebfarerError, match=r"step 4: loss nan.*t\d"):
        sft(job, spoil)
    assert (job.out / checkpoints.NAME).exists()


@pytest.mark.parametrize("rate", [1e25, 1e38])
def test_weights_that_ran_away_are_never_saved(job: Job, rate: float) -> None:
    away = replace(job, settings=Settings(epochs=1, batch=60, rate=rate, warmup=0.0), share=0.0, save_every=1)
    with pytest.raises(WebfarerError, match=r"after step 1 .*run away; lower --rate"):
        sft(away)
    with pytest.raises(WebfarerError, match=r"held-out rows after step 1: .*lower --rate"):
        sft(replace(away, share=0.25))
    assert [path.name for path in job.out.iterdir()] == ["lock"]


def test_what_is_no_training_of_ours_is_not_written_over(job: Job, tmp_path) -> None:
    with pytest.raises(ConfigError, match="the model's own folder"):
        sft(replace(job, out=job.model / ".." / "model", tuner="full"))
    for name in ("config.json", "adapter_config.json"):
        foreign = tmp_path / f"with {name}"
        foreign.mkdir()
        (foreign / name).write_text("{}")
        with pytest.raises(ConfigError, match=rf"holds a model or an adapter \({name}"):
            sft(replace(job, out=foreign))
        assert [path.name for path in foreign.iterdir()] == [name]
    (job.model / "adapter_config.json").write_text("{}")
    with pytest.raises(ConfigError, match="a model and an adapter"):
        sft(job)


def test_a_folder_that_cannot_be_written_is_refused_before_the_model_is_read(job: Job) -> None:
    with pytest.raises(ConfigError, match=r"out cannot be used"):
        sft(replace(job, out=job.rows / "out", model=job.rows))


def test_a_file_of_another_name_is_the_same_training(job: Job) -> None:
    job.rows.write_text("".join(json.dumps({"prompt": f"{n} ", "completion": "x"}) + "\n" for n in range(4)))
    card = sft(replace(job, share=0.0))
    moved = job.rows.rename(job.rows.with_name("moved.jsonl"))
    assert sft(replace(job, rows=moved, share=0.0), lambda fitting: pytest.fail("it trained again")) == card


def test_rows_of_one_question_are_held_out_together(job: Job) -> None:
    turns = (Turn(role="user", content="?"), Turn(role="assistant", content="!", weight=1))
    kept = [
        Row(id=f"q{n}.{k}", question=f"q{n}", text="?", kind="act", messages=turns, reward=1.0)
        for k in range(3)
        for n in range(4)
    ]
    write_rows(job.rows, kept)
    taught = examples_of(job, *load(job.model))
    asked = [{example.id.partition(".")[0] for example in part} for part in (taught.examples, taught.held_out)]
    assert [len(part) for part in asked] == [3, 1]
    assert not asked[0] & asked[1]
    assert (len(taught.examples), len(taught.held_out)) == (9, 3)


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"share": -0.1}, {"evaluate_every": -1}, {"save_every": 0}])
def test_jobs_that_cannot_work_are_refused(wrong) -> None:
    with pytest.raises(ConfigError):
        Job(Path("rows"), Path("model"), Path("out"), **wrong)


@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # PEFT reads it on loading
def test_a_local_model_is_an_adapter_on_the_model_that_it_names(job: Job) -> None:
    steep = replace(job, settings=replace(SETTINGS, rate=0.3))
    sft(steep)
    base = AutoModelForCausalLM.from_pretrained(job.model, dtype=torch.float32)
    peer = PeftModel.from_pretrained(base, job.out)
    replies = []
    for folder in (job.model, job.out):
        model = Local(folder, tokens=True)
        sampling = Sampling(max_tokens=6, temperature=0.0)
        replies.append(asyncio.run(_replied(model, sampling)))
    ids = torch.tensor([replies[1].prompt_ids])
    for _ in range(len(replies[1].token_ids)):
        ids = torch.cat([ids, peer(ids).logits[:, -1:].argmax(-1)], 1)
    assert tuple(ids[0].tolist()) == replies[1].prompt_ids + replies[1].token_ids
    assert replies[0].token_ids != replies[1].token_ids
    config = json.loads((job.out / "adapter_config.json").read_text())
    (job.out / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "gone"}))
    weights.cache_clear()
    with pytest.raises(ConfigError, match=r"adapter of gone, which is no folder here"):
        Local(job.out)


async def _replied(model: Local, sampling: Sampling):
    try:
        return await model.complete([Message("user", "1 and 1")], sampling=sampling)
    finally:
        await model.close()


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
    for start, out in ((PROGRAM, one), (launch, two)):
        subprocess.run([*start, *command(plain, out), *more], env=ENVIRONMENT, check=True, capture_output=True)
    cards = [json.loads((folder / "card.json").read_text()) for folder in (one, two)]
    assert [card["processes"] for card in cards] == [1, 2]
    losses = [[point["loss"] for point in card["points"]] for card in cards]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert cards[1]["scores"] == pytest.approx(cards[0]["scores"], rel=1e-5)
    for name, weight in trained(one).items():
        torch.testing.assert_close(trained(two)[name], weight, rtol=1e-4, atol=1e-5)
