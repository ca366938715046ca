"""`webfarer plan`."""

import json
import subprocess
import sys

import pytest

from webfarer.evals.pupil import folder

PUPIL = str(folder("longwork"))
EIGHT = ("--shape", "layers=32,heads=32,kv=8,dim=128,params=8e9")


def row(out, name):
    return next(line for line in out.splitlines() if line.startswith(f"{name} ")).removeprefix(name).split()


def test_a_long_batch_gains_by_compression(cli):
    spec = "scope:prompt=2048,heavy=256,recent=256"
    out = cli("plan", *EIGHT, "--context", "32k", "--batch", 8, "--gpu", "h200", "--cache", spec).out
    assert row(out, "full")[:3] == ["32768", "34.36", "10.49"]
    assert row(out, spec)[:3] == ["2561", "2.69", "3.89"]
    assert "3 (1.63x)" in out
    assert out.splitlines()[-1].startswith("Compression can pay for speed from batch x length = 12,207")
    assert out.splitlines()[-1].endswith("makes a step at most 2.7 times as quick.")


def test_a_short_sequence_does_not(cli):
    out = cli("plan", *EIGHT, "--context", "4k").out
    assert "Compression does not pay for speed here: batch x length is 4,096" in out


def test_what_does_not_fit_is_said(cli):
    out = cli("plan", *EIGHT, "--context", "32k", "--batch", 8, "--gpu", "rtx4090", "--cache", "scope").out
    assert out.splitlines()[-1] == "The full cache fits 1 sequences, not 8; with scope it does."


def test_prompt_and_new_tokens_make_the_context(cli):
    assert "2 x (3072 + 1024) tokens" in cli("plan", *EIGHT, "--prompt", "3k", "--new", "1k", "--batch", 2).out
    assert "1 x (3072 + 29696) tokens" in cli("plan", *EIGHT, "--prompt", "3k").out
    assert "1 x (31744 + 1024) tokens" in cli("plan", *EIGHT, "--new", "1024").out


def test_a_folder_is_read_without_torch(home, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64, "intermediate_size": 96}
    (folder / "config.json").write_text(json.dumps(sizes | {"vocab_size": 100, "max_position_embeddings": 4096}))
    script = "import sys; from webfarer.apps.cli.main import main\ntry: main()\nfinally: print(*sys.modules)"
    out = subprocess.check_output([sys.executable, "-c", script, "plan", str(folder), "--context", "2k"], text=True)
    assert "1 x (1792 + 256) tokens on h200" in out
    assert not {"torch", "transformers"} & set(out.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "give a model or --shape"),
        (("m", *EIGHT), "give a model or --shape"),
        ((*EIGHT, "--gpu", "abacus"), "rtx3090"),
        ((*EIGHT, "--context", "many"), "write 4096 or 4k"),
        ((*EIGHT, "--context", "infk"), "write 4096 or 4k"),
        ((*EIGHT, "--context", "8k", "--prompt", "2k", "--new", "1k"), "leave one out"),
        ((*EIGHT, "--context", "1k", "--prompt", "2k"), "at least 1"),
        ((*EIGHT, "--cache", "h3o"), "known:"),
    ],
)
def test_wrong_usage(cli, args, said):
    result = cli("plan", *args)
    assert result.code == 2
    assert said in result.err


def test_without_the_engine_extra_it_is_said_what_to_install(cli, monkeypatch, tmp_path):
    for missing in ("torch", "webfarer.engine.policy"):
        monkeypatch.setitem(sys.modules, missing, None)
    for args in (("plan", *EIGHT, "--cache", "scope"), ("train", "school", "--out", tmp_path)):
        result = cli(*args)
        assert (result.code, "pip install 'webfarer[engine]'" in result.err) == (2, True)


def test_more_than_the_model_is_made_for_is_refused(cli, tmp_path):
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64, "intermediate_size": 96}
    (tmp_path / "config.json").write_text(json.dumps(sizes | {"vocab_size": 100, "max_position_embeddings": 1024}))
    assert "1024 positions" in cli("plan", tmp_path, "--context", "2k").err


def test_drafts_are_simulated_in_every_schedule(cli):
    out = cli("plan", *EIGHT, "--context", "4k", "--batch", 8, "--draft", "ngram").out
    rates = {name: row(out, name) for name in ("one by one, plain", "first come first served", "batched, drafts")}
    for one, fcfs, batched in zip(*rates.values(), strict=True):
        assert float(one) < float(fcfs.replace(",", "")) < float(batched.replace(",", ""))
    assert "Drafts pay from 50% accepted on" in out


@pytest.mark.slow
def test_drafts_do_not_pay_where_products_are_the_limit(cli):
    out = cli("plan", *EIGHT, "--context", "512", "--batch", 1024, "--draft", "ngram").out
    assert row(out, "tokens to draft") == ["none"] * 4
    assert "Drafts do not pay here" in out


def test_a_draft_model_is_named_as_everywhere_else(cli):
    outs = {cli("plan", *EIGHT, "--draft", prefix + str(PUPIL)).out for prefix in ("", "model:", "local:")}
    assert len(outs) == 1
    assert "Drafts pay" in outs.pop()
    assert "--here" in cli("plan", *EIGHT, "--draft", "self:streaming:budget=32").err


@pytest.mark.slow
def test_passes_are_timed_here(cli):
    out = cli("plan", PUPIL, "--here", "--draft", "self:streaming:budget=32", "--batch", 2).out
    assert out.startswith("passes over tokens: 1 in ")
    assert len(row(out, "batched, drafts")) == 4
    assert cli("plan", PUPIL, "--here").code == 2
