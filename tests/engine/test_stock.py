"""Our caches inside transformers' `generate`: exact with everything kept, row by row with any policy; refusals."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tiny import FAMILIES, build
from transformers import DynamicCache, StoppingCriteriaList

import webfarer.engine
from webfarer.core.errors import ConfigError
from webfarer.engine.assembly import decoder_of
from webfarer.engine.memory import Memory
from webfarer.engine.policy import parse
from webfarer.engine.stock import NAME, compress

PAD = 256
GREEDY = {"do_sample": False, "eos_token_id": None, "pad_token_id": PAD, "max_new_tokens": 12}
SCOPE = "scope:prompt=6,window=3,heavy=2,recent=3"
POLICIES = (
    "full",
    SCOPE,
    SCOPE + ",strategy=adaptive",
    SCOPE + ",strategy=discontinuous,mode=current",
    "h2o:budget=8",
    "streaming:budget=8,sinks=2",
    "streaming_rotated:budget=8,sinks=2",
    "snapkv:budget=8,window=4",
    "pyramidkv:budget=8,window=4",
    "tova:budget=8",
    "knorm:budget=8,skip=0",
    "keydiff:budget=8",
    "random:budget=8",
    "unified:policy=h2o,budget=10,every=3",
    "tokenselect:top=8,sinks=1,recent=3",
    "adakv:budget=8,window=4",
    "taskkv:budget=8,window=4,sinks=1",
    "windowkv:budget=8,suffix=2,size=2",
)
MOST = {SCOPE: 11, "h2o:budget=8": 8, "streaming:budget=8,sinks=2": 8, "tova:budget=8": 8}
LENGTHS = (13, 5, 20)


def cases(names, *fast):
    """Parameters of which all but the named ones are slow."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.slow) for name in names]


def batch(*lengths, seed=1):
    """Random prompts of these lengths, padded on the left."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.full((len(lengths), max(lengths)), PAD)
    for row, length in enumerate(lengths):
        ids[row, -length:] = torch.randint(0, 250, (length,), generator=generator)
    return {"input_ids": ids, "attention_mask": (ids != PAD).long()}


def alone(inputs, row):
    """One row of a batch without its padding."""
    real = inputs["attention_mask"][row].bool()
    return {
        "input_ids": inputs["input_ids"][row][real][None],
        "attention_mask": inputs["attention_mask"][row][real][None],
    }


def compressed(model, policy, inputs, new=None, **options):
    """Generate in the context; return what was generated and the cache."""
    with compress(model, policy) as cache_for:
        cache = cache_for(inputs, new=new)
        out = model.generate(**inputs, past_key_values=cache, **{**GREEDY, **options})
        cache.memory.check()
    return out[:, inputs["input_ids"].shape[1] :], cache


def plain(model, inputs, **options):
    """Generate with transformers alone."""
    out = model.generate(**inputs, **{**GREEDY, **options})
    return out[:, inputs["input_ids"].shape[1] :]


@torch.no_grad()
def step(model, tokens, cache):
    """Logits of one more token a row, where the cache stands."""
    positions = torch.tensor(cache.memory.positions)[:, None]
    return model(tokens, position_ids=positions, past_key_values=cache).logits


@pytest.fixture(scope="module")
def llama():
    return FAMILIES["llama"]()


@pytest.mark.parametrize("family", cases(FAMILIES, "gemma2"))
def test_with_everything_kept_it_is_stock_generate(family):
    model = FAMILIES[family]()
    inputs = batch(*LENGTHS)
    rows, cache = compressed(model, "full", inputs)
    assert cache.get_seq_length() == 20 + 11
    assert cache.memory.positions == [length + 11 for length in LENGTHS]
    for row in range(len(LENGTHS)):  # alone: eager attention of transformers gives NaN for padding in float64
        assert torch.equal(rows[row], plain(model, alone(inputs, row))[0])
    one = batch(1)
    assert torch.equal(compressed(model, "full", one)[0], plain(model, one))


@pytest.mark.parametrize("kind", cases(["sdpa", "eager"], "eager"))
def test_it_does_not_matter_which_attention_the_model_had(kind, llama):
    model = build("llama", attn_implementation=kind)
    inputs = batch(9)
    assert model.config._attn_implementation == kind
    short = {"max_new_tokens": 5}
    assert torch.equal(compressed(model, SCOPE, inputs, **short)[0], compressed(llama, SCOPE, inputs, **short)[0])
    assert model.config._attn_implementation == kind


def test_logits_are_those_of_stock_generate(llama):
    inputs = batch(*LENGTHS)
    positions = (inputs["attention_mask"].cumsum(-1) - 1).clamp(min=0)
    with torch.no_grad():
        expected = llama(**inputs, position_ids=positions).logits
        with compress(llama, "full") as cache_for:
            given = llama(**inputs, position_ids=positions, past_key_values=cache_for(inputs)).logits
    real = inputs["attention_mask"].bool()
    assert torch.allclose(given[real], expected[real], rtol=0, atol=1e-12)
    assert given.isfinite().all()


@pytest.mark.parametrize("family", cases(["llama", "gemma2"], "llama"))
@pytest.mark.parametrize("policy", cases(POLICIES, SCOPE, "h2o:budget=8"))
def test_a_padded_row_gives_what_it_gives_alone(policy, family):
    if family == "gemma2" and policy == "streaming_rotated:budget=8,sinks=2":
        policy = "streaming_rotated:budget=8,sinks=3"
    model = FAMILIES[family]()
    inputs = batch(*LENGTHS)
    rows, cache = compressed(model, policy, inputs, new=12)
    for row, length in enumerate(LENGTHS):
        solo, own = compressed(model, policy, alone(inputs, row), new=12)
        assert torch.equal(rows[row], solo[0])
        assert own.get_seq_length() == length + 11
        for layer in range(3):
            for head in range(2):
                assert cache.kept_positions(layer, row, head) == own.kept_positions(layer, 0, head)
        assert cache.stats()[row] == own.stats()[0]


@pytest.mark.parametrize("policy", cases(MOST, SCOPE))
def test_no_head_ever_holds_more_than_its_budget(policy, llama):
    most = MOST[policy]
    inputs, seen = batch(*LENGTHS), []

    def look(ids, scores):
        cache.memory.check()
        held = [
            len(cache.kept_positions(layer, row, head)) for layer in range(3) for row in range(3) for head in (0, 1)
        ]
        seen.append(max(held))
        assert cache.memory.positions == [length + len(seen) - 1 for length in LENGTHS]
        return torch.zeros(3, dtype=torch.bool)

    with compress(llama, policy) as cache_for:
        cache = cache_for(inputs)
        options = {**GREEDY, "max_new_tokens": 20}
        llama.generate(**inputs, past_key_values=cache, stopping_criteria=StoppingCriteriaList([look]), **options)
    assert len(seen) == 20
    assert max(seen) == most
    assert all(stats.evicted > 0 and stats.stored <= most * 6 for stats in cache.stats())


@pytest.mark.slow
@pytest.mark.parametrize("new", [None, 3])
def test_the_length_need_not_be_known(new):
    model, inputs = FAMILIES["llama"](layers=1), batch(5, 9)
    out, cache = compressed(model, "full", inputs, new=new, max_new_tokens=90)
    assert torch.equal(out, plain(model, inputs, max_new_tokens=90))
    assert cache.bytes > 2 * 2 * (9 + 89) * cache.spec.slot_bytes
    few, _ = compressed(model, "h2o:budget=8", inputs, new=new, max_new_tokens=90)
    assert torch.equal(few, compressed(model, "h2o:budget=8", inputs, new=90, max_new_tokens=90)[0])


def turns(model, inputs, further, cache=None):
    """Two turns on one cache; the second generation."""
    first = model.generate(**inputs, past_key_values=cache, **GREEDY, return_dict_in_generate=True)
    ids = torch.cat([first.sequences, further["input_ids"]], 1)
    generated = torch.ones_like(first.sequences[:, inputs["input_ids"].shape[1] :])
    mask = torch.cat([inputs["attention_mask"], generated, further["attention_mask"]], 1)
    again = model.generate(input_ids=ids, attention_mask=mask, past_key_values=first.past_key_values, **GREEDY)
    return again[:, ids.shape[1] :]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llama", "mistral", "gemma3"])
def test_a_second_turn(family):
    model = FAMILIES[family]()
    inputs, further = batch(*LENGTHS), batch(4, 6, 2, seed=2)
    with compress(model, "full") as cache_for:
        cache = cache_for(inputs)
        rows = turns(model, inputs, further, cache)
        cache.memory.check()
    for row in range(3):  # alone: transformers' sliding windows count the padding between two turns
        expected = turns(model, alone(inputs, row), alone(further, row), DynamicCache(config=model.config))
        assert torch.equal(rows[row], expected[0])
    assert cache.get_seq_length() == 20 + 12 + 6 + 11


@pytest.mark.parametrize("policy", cases([SCOPE, "h2o:budget=8", "streaming:budget=8,sinks=2"], SCOPE))
@pytest.mark.slow
def test_a_second_turn_of_padded_rows_is_that_of_each_alone(policy, llama):
    inputs, further = batch(*LENGTHS), batch(4, 6, 2, seed=2)
    with compress(llama, policy) as cache_for:
        rows = turns(llama, inputs, further, cache_for(inputs))
        for row in range(3):
            solo = turns(llama, alone(inputs, row), alone(further, row), cache_for())
            assert torch.equal(rows[row], solo[0])


@pytest.mark.parametrize("family", cases(["llama", "qwen2"], "llama"))
def test_beam_search_is_stock_beam_search(family):
    model = FAMILIES[family]()
    inputs = batch(9, 5)
    beams = {"num_beams": 3, "num_return_sequences": 2}
    assert torch.equal(compressed(model, "full", inputs, **beams)[0], plain(model, inputs, **beams))


@pytest.mark.slow
@pytest.mark.parametrize("policy", [SCOPE, "h2o:budget=8", "tova:budget=8"])
def test_beam_search_of_padded_rows_is_that_of_each_alone(policy, llama):
    inputs = batch(9, 5)
    rows, _ = compressed(llama, policy, inputs, num_beams=3)
    for row in range(2):
        assert torch.equal(rows[row], compressed(llama, policy, alone(inputs, row), num_beams=3)[0][0])


@pytest.mark.parametrize("policy", cases(["full", SCOPE, "h2o:budget=8"], "h2o:budget=8"))
@pytest.mark.slow
def test_a_reordered_row_goes_on_as_its_source_would_have(policy, llama):
    inputs, order = batch(*LENGTHS), torch.tensor([2, 0, 2])
    with compress(llama, policy) as cache_for:
        cache = cache_for(inputs)
        first = llama.generate(**inputs, past_key_values=cache, **GREEDY)
        own = [cache_for() for _ in order]
        for source, alike in zip(order, own, strict=True):
            llama.generate(**alone(inputs, source), past_key_values=alike, **GREEDY)
        cache.reorder_cache(order)
        tokens = first[order, -1:]
        for _ in range(6):
            cache.memory.check()
            expected = torch.cat([step(llama, tokens[row : row + 1], own[row]) for row in range(3)])
            given = step(llama, tokens, cache)
            assert torch.allclose(given, expected, rtol=0, atol=1e-12)
            tokens = given.argmax(-1)
        assert all(cache.kept_positions(1, row, 1) == own[row].kept_positions(1, 0, 1) for row in range(3))
        cache.batch_repeat_interleave(2)
        cache.batch_select_indices(torch.tensor([5, 2]))
        cache.memory.check()
        expected = torch.cat([step(llama, tokens[row : row + 1], own[row]) for row in (2, 1)])
        assert torch.allclose(step(llama, tokens[[2, 1]], cache), expected, rtol=0, atol=1e-12)
        cache.reset()
        assert cache.stats() == []
        assert torch.equal(llama.generate(**inputs, past_key_values=cache, **GREEDY), first)


def test_sampling_draws_what_stock_sampling_draws(llama):
    inputs, options = batch(*LENGTHS), {"do_sample": True, "temperature": 0.8, "top_k": 20, "num_return_sequences": 2}
    torch.manual_seed(5)
    expected = plain(llama, inputs, **options)
    torch.manual_seed(5)
    assert torch.equal(compressed(llama, "full", inputs, **options)[0], expected)


@pytest.mark.parametrize("policy", cases(["full", SCOPE, "h2o:budget=8"], SCOPE))
@pytest.mark.parametrize("family", cases(["llama", "qwen3", "gemma2", "phi3"], "qwen3"))
def test_our_own_decoder_writes_the_same(family, policy):
    model = FAMILIES[family]()
    prompt = batch(14)
    decoder = decoder_of(model, context=60)
    memory = Memory(decoder.spec, parse(policy), 1)
    memory.open(14, 12)
    tokens, attend, position = prompt["input_ids"][0], memory.prefill([0], [14]), torch.arange(14)
    ours = []
    for _ in range(12):
        hidden = decoder.forward(tokens, position, attend)
        tokens = decoder.logits(hidden[-1:]).argmax(-1)
        ours.append(int(tokens))
        position, attend = torch.tensor(memory.positions), memory.decode()
    assert compressed(model, policy, prompt)[0].tolist() == [ours]


@pytest.mark.slow
def test_a_long_prompt_of_a_longrope_model():
    model = FAMILIES["phi3"]()
    inputs = batch(70)
    assert torch.equal(compressed(model, "full", inputs)[0], plain(model, inputs))
    with pytest.raises(ConfigError, match="original_max_position_embeddings"):
        compressed(model, "full", batch(60))


@pytest.mark.parametrize("rope", ["dynamic", "longrope"])
def test_keys_are_not_rotated_again_where_rotations_change(rope):
    if rope == "longrope":
        model = FAMILIES["phi3"]()
    else:
        model = build("llama", rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0})
    with pytest.raises(ConfigError, match="re-rotates"), compress(model, "streaming_rotated:budget=8,sinks=2"):
        pass
    assert compressed(model, "streaming:budget=8,sinks=2", batch(9))[0].shape == (1, 12)


def test_the_model_is_as_before_also_after_an_exception(llama):
    before, caches = llama.config._attn_implementation, []

    def fail():
        with compress(llama, "full") as cache_for:
            assert llama.config._attn_implementation == NAME
            caches.append(cache_for())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert llama.config._attn_implementation == before
    with pytest.raises(ConfigError, match="has been left"):
        llama.generate(**batch(4), past_key_values=caches[0], **GREEDY)
    with compress(llama, "full"), pytest.raises(ConfigError, match="already"), compress(llama, "full"):
        pass
    assert llama.config._attn_implementation == before


@pytest.mark.slow
def test_two_threads_with_a_cache_each(llama):
    prompts, out = [batch(9, seed=s) for s in range(2)], {}

    def work(index):
        cache = cache_for(prompts[index])
        out[index] = llama.generate(**prompts[index], past_key_values=cache, **GREEDY)

    with compress(llama, SCOPE) as cache_for, ThreadPoolExecutor(2) as threads:
        list(threads.map(work, range(2)))
    for index in range(2):
        assert torch.equal(out[index][:, 9:], compressed(llama, SCOPE, prompts[index])[0])


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"prompt_lookup_num_tokens": 2}, "assisted"),
        ({"output_attentions": True, "return_dict_in_generate": True}, "output_attentions"),
        ({"use_cache": False}, "use_cache"),
    ],
)
def test_what_generate_cannot_do_is_refused_by_name(options, what, llama):
    with pytest.raises(ConfigError, match=what):
        compressed(llama, "full", batch(9), **options)


def test_a_second_turn_is_refused_where_heads_keep_different_numbers(llama):
    with compress(llama, "adakv:budget=8,window=4") as cache_for:
        inputs = batch(20)
        with pytest.raises(ConfigError, match="second turn"):
            turns(llama, inputs, batch(4), cache_for(inputs))


def test_mistakes_are_refused(llama):
    inputs = batch(4, 9)
    right = {key: value.flip(1) for key, value in inputs.items()}
    with compress(llama, "full") as cache_for:
        with pytest.raises(ConfigError, match="without a cache"):
            llama.generate(**inputs, **GREEDY)
        with pytest.raises(ConfigError, match="pad on the left"):
            llama(**right, position_ids=(right["attention_mask"].cumsum(-1) - 1), past_key_values=cache_for(right))
        with pytest.raises(ConfigError, match="pad on the left"):  # no position ids: padding would be read as text
            llama(**inputs, past_key_values=cache_for(inputs))
        cache = cache_for(inputs)
        llama.generate(**inputs, past_key_values=cache, **GREEDY)
        with pytest.raises(ConfigError, match="2 rows"):
            llama(torch.zeros(3, 1, dtype=torch.long), past_key_values=cache)
        with pytest.raises(ConfigError, match="did not finish"):
            llama(torch.zeros(2, 1, dtype=torch.long), past_key_values=cache)
        other = FAMILIES["mistral"]()
        with pytest.raises(ConfigError, match="another model"):
            other(inputs["input_ids"], past_key_values=cache_for(inputs))
    with pytest.raises(ConfigError, match="eval"), compress(FAMILIES["llama"]().train(), "full"):
        pass
    with pytest.raises(ConfigError, match="gpt2"), compress(build_gpt2(), "full"):
        pass


def build_gpt2():
    """A model of a family that is not ours."""
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(n_embd=8, n_head=2, n_layer=1, vocab_size=20, bos_token_id=0, eos_token_id=1)
    return GPT2LMHeadModel(config).eval()


def test_importing_the_package_loads_no_torch():
    assert webfarer.engine.compress is compress
    code = "import sys, webfarer.engine; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
