"""From a folder to tokens: models, cache policies and LoRA adapters by name."""

import pytest
import tiny
import torch
from batching import EOS, engine_of, model, run, submit
from peft import LoraConfig, get_peft_model

from webfarer.core.errors import ConfigError, UnknownPlugin
from webfarer.engine.engine import Engine, Limits
from webfarer.engine.sampling import SamplingParams

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing.:FutureWarning")  # peft asks transformers

PARAMS = SamplingParams(max_tokens=6, ignore_eos=True)
PROMPT = [5, 6, 7]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A model and two adapters of it."""
    made = {"model": tiny.save(tiny.llama(layers=2), tmp_path_factory.mktemp("model"))}
    for seed, name in enumerate(("north", "south")):
        torch.manual_seed(seed)
        config = LoraConfig(
            r=2, lora_alpha=32, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False
        )
        wrapped = get_peft_model(tiny.llama(layers=2), config)
        made[name] = tmp_path_factory.mktemp(name)
        wrapped.save_pretrained(made[name])
    return made


@pytest.fixture(scope="module")
def engine(folders):
    adapters = {name: folders[name] for name in ("north", "south")}
    return Engine.load(folders["model"], dtype=torch.float64, device="cpu", adapters=adapters, limits=Limits(rows=3))


def test_a_loaded_engine_gives_what_the_model_gives(engine):
    assert engine.generate([PROMPT], PARAMS)[0].tokens == engine_of().generate([PROMPT], PARAMS)[0].tokens
    assert engine.spec.vocab == model().spec.vocab
    assert engine.generate([PROMPT], SamplingParams(stop_tokens=(EOS,)))[0].finished.reason in ("stop", "length")


def test_sequences_of_several_adapters_share_a_batch(engine):
    names = ["north", None, "south", "north"]
    alone = {name: engine.generate([PROMPT], PARAMS, name)[0].ids for name in set(names)}
    assert len(set(map(tuple, alone.values()))) == 3, "the adapters make a difference"
    heard = [submit(engine, PROMPT, PARAMS, adapter=name)[1] for name in names]
    run(engine)
    assert [h.ids for h in heard] == [alone[name] for name in names]
    assert alone[None] == engine_of().generate([PROMPT], PARAMS)[0].ids


def test_a_text_is_scored_under_an_adapter(engine):
    text = [1, 2, 3, 4]
    assert engine.logprobs(text, "north") != pytest.approx(engine.logprobs(text))
    assert engine.logprobs(text) == pytest.approx(engine_of().logprobs(text), abs=1e-9)


def test_an_unknown_adapter_is_refused_with_the_known_ones(engine):
    with pytest.raises(ConfigError, match=r"'west'; known: north, south"):
        submit(engine, PROMPT, PARAMS, adapter="west")
    with pytest.raises(ConfigError, match="known: none"):
        engine_of().logprobs(PROMPT, "west")


def test_the_cache_policy_may_be_a_text(folders):
    engine = Engine.load(folders["model"], cache="streaming:budget=8,sinks=2", dtype=torch.float64, device="cpu")
    made = engine.generate([range(30)], PARAMS)[0]
    assert made.finished.usage.stored_slots == 8 * 2 * 2
    assert made.finished.usage.evictions > 0
    with pytest.raises(UnknownPlugin, match="full"):
        Engine.load(folders["model"], cache="none")
