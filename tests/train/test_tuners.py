"""Tuners: untrained they change nothing, trained they leave the base alone, and what they save loads elsewhere."""

import copy
import dataclasses
import itertools
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from peft import PeftModel
from torch import Tensor
from torch.nn import Linear
from transformers import LlamaConfig, LlamaForCausalLM

from webfarer.core.errors import ConfigError
from webfarer.core.specs import made, spec_of
from webfarer.engine.adapters import Adapter
from webfarer.engine.assembly import decoder_of
from webfarer.engine.caches.full import Policy
from webfarer.engine.engine import Engine
from webfarer.engine.loading import Loaded
from webfarer.train._pupils import make_tokenizer
from webfarer.train.tuner import TUNERS
from webfarer.train.tuners.constrained import Constrained
from webfarer.train.tuners.full import Full
from webfarer.train.tuners.lora import Lora
from webfarer.train.tuners.rslora import RsLora

pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")  # PEFT reads it on loading

LOW_RANK = sorted(set(TUNERS.ids()) - {"full"})
TOKENS = torch.arange(1, 21)[None]
RATE = 1.5e-4


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@cache
def _base(dtype: torch.dtype) -> LlamaForCausalLM:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=64,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=64,
            initializer_range=0.3,
            bos_token_id=None,
            eos_token_id=None,
        )
        return LlamaForCausalLM(config).to(dtype).eval()


def base(dtype: torch.dtype = torch.float32) -> LlamaForCausalLM:
    return copy.deepcopy(_base(dtype))


@torch.no_grad()
def logits(model) -> Tensor:
    return model(TOKENS).logits[0]


def train(tuner, steps: int = 4, dtype: torch.dtype = torch.float32):
    """Fine-tune a tiny model to say its tokens backwards."""
    model = tuner.attach(base(dtype), seed=1).train()
    optimiser = torch.optim.AdamW(tuner.groups(model), lr=1e-2)
    torch.manual_seed(2)
    for _ in range(steps):
        loss = model(TOKENS, labels=TOKENS.flip(1)).loss
        penalty = tuner.penalty(model)
        (loss if penalty is None else loss + penalty).backward()
        optimiser.step()
        optimiser.zero_grad()
    return model.eval()


def ups(model) -> list[Tensor]:
    return [weight.detach() for name, weight in model.named_parameters() if "lora_B" in name]


def norm(model) -> float:
    return float(torch.stack([up.square().sum() for up in ups(model)]).sum().sqrt())


EXACT = [(name, torch.float64) for name in TUNERS.ids()] + [("lora", torch.bfloat16), ("constrained", torch.bfloat16)]


@pytest.mark.parametrize(("name", "dtype"), EXACT)
def test_an_untrained_tuner_changes_nothing_to_the_last_bit(name: str, dtype: torch.dtype) -> None:
    """T6."""
    model = base(dtype)
    before = logits(model)
    adapted = made(TUNERS, name).attach(model, seed=3)
    assert not any(part.training for part in adapted.modules()), "the model stays in the mode it was in"
    assert torch.equal(logits(adapted), before)


@pytest.mark.parametrize("name", LOW_RANK)
def test_training_moves_the_adapter_and_not_the_base(name: str) -> None:
    untouched = base().state_dict()
    model = train(made(TUNERS, f"{name}:rank=4"))
    assert norm(model) > 0
    assert not torch.equal(logits(model), logits(base()))
    plain = model.unload().state_dict()
    assert plain.keys() == untouched.keys()
    assert all(torch.equal(plain[key], untouched[key]) for key in untouched)


@pytest.mark.parametrize("name", LOW_RANK)
def test_one_base_takes_a_fresh_adapter_again_and_again(name: str) -> None:
    tuner, model = made(TUNERS, f"{name}:rank=4"), base()
    first = tuner.attach(model, seed=1)
    drawn = {key: weight.clone() for key, weight in first.state_dict().items()}
    with torch.no_grad():
        for up in first.parameters():
            up.add_(up.requires_grad)
    again = tuner.attach(first.unload(), seed=1)
    assert [weight.requires_grad for weight in again.parameters()].count(True) == 14 * (3 if name == "dora" else 2)
    assert all(torch.equal(weight, drawn[key]) for key, weight in again.state_dict().items() if "lora" in key)


def test_full_fine_tuning_trains_every_weight() -> None:
    model, before = train(Full()), base().state_dict()
    assert all(not torch.equal(weight, before[key]) for key, weight in model.state_dict().items())
    assert {len(group["params"]) for group in Full().groups(model, 0.1)} == {16, 5}
    assert [group["weight_decay"] for group in Full().groups(model, 0.1)] == [0.1, 0.0]


@given(rank=st.integers(1, 20), targets=st.sets(st.sampled_from(["q_proj", "v_proj", "up_proj", "down_proj"])))
@settings(max_examples=4)
def test_parameters_are_as_many_as_the_formula_says(rank: int, targets: set[str]) -> None:
    linears = {name: part for name, part in base().get_submodule("model").named_modules() if isinstance(part, Linear)}
    touched = [part for name, part in linears.items() if not targets or name.rpartition(".")[2] in targets]
    spec = f"rank={rank}" + (f",targets={'+'.join(sorted(targets))}" if targets else "")
    for name in ("lora", "dora"):
        model = made(TUNERS, f"{name}:{spec}").attach(base(), seed=0)
        lengths = sum(part.out_features for part in touched) if name == "dora" else 0
        expected = rank * sum(part.in_features + part.out_features for part in touched) + lengths
        assert sum(weight.numel() for weight in model.parameters() if weight.requires_grad) == expected


@pytest.mark.parametrize("name", LOW_RANK)
def test_the_seed_alone_draws_the_first_values(name: str) -> None:
    tuner, before = made(TUNERS, name), torch.get_rng_state()
    one, two, other = (tuner.attach(base(), seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert any(not torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", LOW_RANK)
def test_what_is_saved_loads_in_peft_and_merges(name: str, tmp_path: Path) -> None:
    tuner = made(TUNERS, f"{name}:rank=4,dropout=0.1")
    model = train(tuner, dtype=torch.float64)
    tuner.save(model, tmp_path / "new" / "adapter")
    assert sorted(path.name for path in (tmp_path / "new" / "adapter").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    loaded = PeftModel.from_pretrained(base(torch.float64), tmp_path / "new" / "adapter")
    assert torch.equal(logits(loaded), logits(model))
    assert torch.allclose(logits(model.merge_and_unload()), logits(loaded), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", LOW_RANK)
def test_our_engine_serves_what_says_so_and_refuses_the_rest_by_name(name: str, tmp_path: Path) -> None:
    tuner = made(TUNERS, f"{name}:rank=4")
    model = train(tuner, dtype=torch.float64)
    tuner.save(model, tmp_path)
    plain = base(torch.float64)
    decoder = decoder_of(plain)
    if not tuner.served:
        with pytest.raises(ConfigError, match="DoRA"):
            Adapter.load(tmp_path, decoder.layout)
        return
    loaded = Loaded(decoder, make_tokenizer(), decoder.spec, plain.config, ())
    engine = Engine(loaded, Policy(), adapters={"mine": Adapter.load(tmp_path, decoder.layout, "mine")})
    for adapter, original in (("mine", model), (None, plain)):
        told = logits(original)[:-1].log_softmax(-1).gather(1, TOKENS[0, 1:, None])[:, 0]
        ours = torch.tensor(engine.logprobs(TOKENS[0].tolist(), adapter), dtype=torch.float64)
        assert torch.allclose(ours, told, rtol=0, atol=1e-5)


def test_full_fine_tuning_saves_a_model_that_loads(tmp_path: Path) -> None:
    model = train(Full())
    Full().save(model, tmp_path)
    assert torch.equal(logits(LlamaForCausalLM.from_pretrained(tmp_path)), logits(model))


def test_the_same_adapter_is_saved_as_the_same_bytes_over_an_older_one(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text("kept")
    for folder, ranks in ((tmp_path, (2, 4)), (tmp_path / "other", (4,))):
        for rank in ranks:
            tuner = Lora(rank=rank, targets="v_proj+q_proj+k_proj")
            tuner.save(train(tuner, steps=1), folder)
    files = ["adapter_config.json", "adapter_model.safetensors"]
    assert all((tmp_path / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in files)
    assert (tmp_path / "card.json").read_text() == "kept"
    assert '"k_proj",\n    "q_proj",\n    "v_proj"' in (tmp_path / files[0]).read_text()


@pytest.mark.parametrize("tuner", [Lora(rank=2), Full()])
def test_a_save_that_fails_leaves_what_was_there(tuner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = train(tuner, steps=1)
    tuner.save(model, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(folder, **_: object) -> None:
        (Path(folder) / "adapter_model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(model, "save_pretrained", full_disk)
    with pytest.raises(ConfigError, match=r"nothing was saved.*No space left"):
        tuner.save(model, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_b_is_the_smaller_the_more_it_costs() -> None:
    """T7: ‖B‖_F after training does not grow with γ."""
    norms = [norm(train(Constrained(gamma=gamma), steps=10)) for gamma in (0.0, 0.01, 0.1, 1.0)]
    assert all(lower <= higher for higher, lower in itertools.pairwise(norms)), norms
    assert norms[-1] < 0.7 * norms[0]


def test_the_penalty_is_gamma_times_the_squares_of_b() -> None:
    tuner = Constrained(rank=2, gamma=0.5)
    model = tuner.attach(base(), seed=0)
    assert tuner.penalty(model).item() == 0
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.fill_(3.0)
    penalty = tuner.penalty(model)
    assert penalty.item() == pytest.approx(0.5 * 9 * sum(up.numel() for up in ups(model)))
    penalty.backward()
    assert all((weight.grad == 3.0).all() for name, weight in model.named_parameters() if "lora_B" in name)
    assert all(weight.grad is None for name, weight in model.named_parameters() if "lora_B" not in name)
    assert Lora().penalty(model) is None
    assert Constrained(gamma=0.0).penalty(model) is None


def test_dropout_is_on_the_input_of_a_and_only_while_training() -> None:
    model = train(Constrained())
    assert torch.equal(logits(model), logits(model))
    model.train()
    assert not torch.equal(logits(model), logits(model))
    with model.disable_adapter():
        assert torch.equal(logits(model), logits(base()))


def test_rank_stabilised_scaling_is_the_root_of_the_rank() -> None:
    for tuner, scale in ((Lora(rank=16, alpha=8), 0.5), (RsLora(rank=16, alpha=8), 2.0)):
        part = tuner.attach(base(), seed=0).get_submodule("base_model.model.model.layers.0.self_attn.q_proj")
        assert part.scaling == {"default": scale}


@pytest.mark.parametrize(("labels", "left"), [(500, 0.986), (2500, 0.932), (5000, 0.869)])
def test_the_released_decay_hardly_moves_b(labels: int, left: float) -> None:
    """Decay 0.5 at rate 1.5e-4, batches of 8, 3 epochs: the formula, and AdamW itself where the loss says nothing."""
    tuner = made(TUNERS, "constrained:gamma=0,decay=0.5,targets=v_proj")
    steps = 3 * -(-labels // 8)
    assert (1 - RATE * 0.5) ** steps == pytest.approx(left, abs=5e-4)
    model = tuner.attach(base(torch.float64), seed=0)
    with torch.no_grad():
        for up in ups(model):
            up.fill_(1.0)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    groups = tuner.groups(model)
    assert [group["weight_decay"] for group in groups] == [0.0, 0.5]
    for group in groups:
        for weight in group["params"]:
            weight.grad = torch.zeros_like(weight)
    optimiser = torch.optim.AdamW(groups, lr=RATE, fused=True)
    for _ in range(steps):
        optimiser.step()
    for name, weight in model.named_parameters():
        factor = (1 - RATE * 0.5) ** steps if "lora_B" in name else 1.0
        assert torch.allclose(weight, before[name] * factor, rtol=1e-9, atol=0)


@pytest.mark.parametrize("name", TUNERS.ids())
def test_a_tuner_is_what_its_spec_says(name: str) -> None:
    tuner = made(TUNERS, name)
    assert made(TUNERS, spec_of(tuner)) == tuner
    assert dataclasses.is_dataclass(tuner)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lora:rank=0", "rank and alpha are above 0"),
        ("rslora:alpha=-1", "rank and alpha are above 0"),
        ("dora:dropout=1.0", "below 1"),
        ("constrained:gamma=-0.1", "gamma and decay are at least 0"),
        ("constrained:rank=0", "rank and alpha are above 0"),
    ],
)
def test_values_that_cannot_work_are_refused(spec: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        made(TUNERS, spec)


@pytest.mark.parametrize("targets", ["q_proj+query", "lm_head", ""])
def test_unknown_targets_are_refused_with_the_known_ones(targets: str) -> None:
    with pytest.raises(ConfigError, match="down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"):
        Lora(targets=targets).attach(base(), seed=0)


def test_a_second_adapter_is_refused() -> None:
    with pytest.raises(ConfigError, match="plain model of transformers, not to a PeftModel"):
        Lora().attach(Lora().attach(base(), seed=0), seed=0)
